"""Retention: once a day what was kept long enough is deleted, and each deletion is certified in the audit trail."""

from collections.abc import Mapping
from datetime import date

from citybrain.brain import observe, protect
from citybrain.engines.duckdb import Cleared, Deletion, DuckSeries, Due
from citybrain.engines.flight import Kept
from citybrain.kernel.access import SYSTEM, Ask, Verdict
from citybrain.kernel.clock import Clock
from citybrain.kernel.errors import ConflictError
from citybrain.kernel.instant import Instant, local_date, rfc3339
from citybrain.kernel.text import Json, Text

ACTION = "observation.delete"
"""What stands in the audit trail: no door has it, and no policy gives it to anybody."""
RESTS_ON = Verdict(allowed=True, reasons=("retention",))


class Retaining:
    """The duty; ``run_once`` comes every few minutes and deletes once a day of the wall clock, again after a fault or a restart."""

    def __init__(
        self, series: Kept, own: DuckSeries | None, horizon: observe.Horizon, audit: protect.AuditTrail, clock: Clock
    ) -> None:
        self._series = series
        self._own = own
        self._horizon = horizon
        self._audit = audit
        self._clock = clock
        self._done: date | None = None

    def run_once(self) -> tuple[observe.Span, ...]:
        """Certify what has left the disk, then delete where today's turn has not been; what was looked through for it.

        Certified is only what is off the disk: the files that are replaced today go when days are closed the next time. Only the
        process that owns the observations deletes; in others there is nothing to do.
        """
        if self._own is None:
            return ()
        for one in self._own.gone():
            self._certify(self._own, one)
        today = local_date(self._clock.wall())
        if today == self._done:
            return ()
        spans = self.spans()
        self._own.delete([Due(span.kind, span.days, span.before, span.streams, self._clock.wall()) for span in spans])
        self._done = today
        return spans

    def spans(self) -> tuple[observe.Span, ...]:
        """What is kept long enough now."""
        return self._horizon.spans()

    def rows(self) -> list[dict[str, Json]]:
        """Every deletion as a row of the catalogue, the oldest first."""
        return [{"id": one.id, **_told(one), "erased": one.erased} for one in self._series.deletions()]

    def verify(self) -> int:
        """How many certified deletions the audit trail agrees with; raises ConflictError with the first that it does not."""
        certified = [one for one in self._series.deletions() if one.erased is not None]
        for one in certified:
            said = self._audit.told(ACTION, f"deletion/{one.id}")
            if said is None or (said["digest"], said["rows"], said["kind"]) != (one.digest, one.rows, one.kind):
                raise _unlike(one)
        return len(certified)

    def prove(self, cleared: Cleared) -> None:
        """Write once that a copy of observations has left the folder of the facts, where no setting would have reached it."""
        resource = f"copy/{cleared.id}"
        if self._audit.told(ACTION, resource) is None:
            told: dict[str, Json] = {"rows": cleared.rows, "files": {**cleared.files}, "erased": rfc3339(self._clock.wall())}
            for name, at in (("first", cleared.first), ("last", cleared.last)):
                told[name] = None if at is None else rfc3339(at)
            self._audit.write(Ask(SYSTEM, ACTION, resource), RESTS_ON, told)

    def _certify(self, series: DuckSeries, one: Deletion) -> None:
        """Write the certificate once: a kill between the two stores is mended by looking for it first."""
        erased = self._clock.wall()
        resource = f"deletion/{one.id}"
        if self._audit.told(ACTION, resource) is None:
            self._audit.write(Ask(SYSTEM, ACTION, resource), RESTS_ON, certificate(one, erased))
        series.certify(one.id, erased)


def certificate(one: Deletion, erased: Instant) -> Mapping[str, Json]:
    """What the audit trail says of a deletion: instants as RFC 3339, and the setting that it rests on."""
    moments = {"before": one.before, "first": one.first, "last": one.last, "wall": one.wall, "erased": erased}
    setting = f"retention.{one.kind} = {one.days}"
    return {**_told(one), **{name: rfc3339(at) for name, at in moments.items()}, "file": one.file, "setting": setting}


def _unlike(one: Deletion) -> ConflictError:
    what = Text(
        f"删除记录 {one.id} 与审计记录不符：证明缺失，或两处之一被改动。请从备份核对。",
        f"The deletion {one.id} does not fit the audit trail: its proof is missing, or one of the two was changed. Compare with a backup.",
    )
    return ConflictError(what, deletion=one.id)


def _told(one: Deletion) -> dict[str, Json]:
    return {
        "kind": one.kind,
        "days": one.days,
        "before": one.before,
        "first": one.first,
        "last": one.last,
        "rows": one.rows,
        "streams": one.streams,
        "doors": dict(one.doors),
        "digest": one.digest,
        "wall": one.wall,
    }
