"""Words that retention has left without a reading: deleted once a day after it, and each deletion certified in the audit trail."""

import asyncio
from collections.abc import Iterable, Mapping
from functools import partial

import structlog

from citybrain.app.retaining import ACTION, RESTS_ON
from citybrain.brain import observe, protect
from citybrain.kernel.access import SYSTEM, Ask
from citybrain.kernel.clock import Clock
from citybrain.kernel.errors import ConflictError
from citybrain.kernel.instant import rfc3339
from citybrain.kernel.text import Json, Text

log = structlog.get_logger()


class Unsaying:
    """The duty, after that of ``Retaining``, in the process that owns the observations."""

    def __init__(self, silence: observe.Silence, corrections: observe.Corrections, audit: protect.AuditTrail, clock: Clock) -> None:
        self._silence = silence
        self._corrections = corrections
        self._audit = audit
        self._clock = clock
        self._due: dict[str, observe.Span] = {}

    async def run_once(self, spans: Iterable[observe.Span]) -> None:
        """Delete the words of kinds that no reading says by now, and certify it; what a kill has left uncertified is, too.

        What a full or busy store did not let go is tried again at the next turn.
        """
        self._due |= {span.kind: span for span in spans}
        for span in tuple(self._due.values()):
            found = await asyncio.to_thread(self._silence.look, span)
            gone = await self._corrections.at_rest(partial(self._silence.delete, span, found))
            del self._due[span.kind]
            if gone:
                log.info("words_deleted", kind=span.kind, words=gone)
        await asyncio.to_thread(self._certify)

    def verify(self) -> int:
        """How many certified deletions the audit trail agrees with; raises ConflictError with the first that it does not."""
        certified = [one for one in self._silence.records() if one.proven is not None]
        for one in certified:
            said = self._audit.told(ACTION, _resource(one))
            if said is None or (said["digest"], said["words"], said["kind"]) != (one.digest, one.words, one.kind):
                what = Text(
                    f"取值的删除记录 {one.id} 与审计记录不符：证明缺失，或两处之一被改动。请从备份核对。",
                    f"The deletion {one.id} of words does not fit the audit trail: its proof is missing, or one of the two was changed. "
                    "Compare with a backup.",
                )
                raise ConflictError(what, deletion=one.id)
        return len(certified)

    def _certify(self) -> None:
        for one in self._silence.unproven():
            if self._audit.told(ACTION, _resource(one)) is None:
                self._audit.write(Ask(SYSTEM, ACTION, _resource(one)), RESTS_ON, certificate(one))
            self._silence.prove(one.id, self._clock.wall())


def certificate(one: observe.Unsaid) -> Mapping[str, Json]:
    """What the audit trail says of a deletion of words: instants as RFC 3339, and the setting that it rests on."""
    return {
        "kind": one.kind,
        "days": one.days,
        "setting": f"retention.{one.kind} = {one.days}",
        "before": rfc3339(one.before),
        "streams": one.streams,
        "words": one.words,
        "digest": one.digest,
        "wall": rfc3339(one.wall),
    }


def _resource(one: observe.Unsaid) -> str:
    return f"words/{one.id}"
