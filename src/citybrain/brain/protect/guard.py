"""The guard at every read and write: policy, masking and audit, bound to a caller and a purpose before a door gets hold of it."""

from collections.abc import Mapping

import msgspec

from citybrain.brain.protect.actions import action_on, audited
from citybrain.brain.protect.masking import masked
from citybrain.kernel.access import Ask, Caller, Guarded, Narrowing, Page, Query, Verdict
from citybrain.kernel.datasets import Dataset
from citybrain.kernel.errors import ForbiddenError, NotFoundError, UnauthenticatedError
from citybrain.kernel.instant import Instant, rfc3339
from citybrain.kernel.ports import Audit, Catalogue, Policy, Source
from citybrain.kernel.predicate import EVERYTHING, NOTHING, And, Compare, Not, Or, Predicate, both, fields
from citybrain.kernel.text import Json, Text


class Guard:
    """Hands out readers and answers for single actions."""

    def __init__(self, policy: Policy, sources: Mapping[str, Source], datasets: Catalogue, audit: Audit) -> None:
        self._policy = policy
        self._sources = sources
        self._datasets = datasets
        self._audit = audit

    def reader(self, caller: Caller, purpose: str = "") -> "BoundReader":
        """A reader of what this caller may see for this purpose."""
        return BoundReader(self._policy, self._sources, self._datasets, self._audit, caller, purpose, "read")

    def exporter(self, caller: Caller, purpose: str) -> "BoundReader":
        """A reader of what this caller may carry away; every page of it stands in the audit trail."""
        return BoundReader(self._policy, self._sources, self._datasets, self._audit, caller, purpose, "export")

    def whole(self, caller: Caller, name: str, purpose: str) -> bool:
        """Whether this caller sees every row and column of a dataset as it stands, so that there is nothing to narrow or mask."""
        dataset = self._datasets.describe(name)
        personal = [column.name for column in dataset.columns if column.personal]
        facts: dict[str, Json] = {"access": dataset.access, "personal": list(personal)}
        narrowing = self._policy.narrow(Ask(caller, action_on(dataset, "read"), name, purpose, facts))
        return narrowing.where == EVERYTHING and not personal

    def require(self, ask: Ask) -> None:
        """Pass, or raise UnauthenticatedError (nobody signed in) or ForbiddenError with the deciding policies.

        Refusals and all that change or carry away stand in the audit trail.
        """
        verdict = self._policy.decide(ask)
        if not verdict.allowed:
            raise refused(self._audit, ask, verdict.reasons)
        if audited(ask.action):
            self._audit.write(ask, verdict, {"facts": dict(ask.facts)})


class BoundReader:
    """Implements Reader for one caller, one purpose and one verb (read or export)."""

    def __init__(
        self,
        policy: Policy,
        sources: Mapping[str, Source],
        datasets: Catalogue,
        audit: Audit,
        caller: Caller,
        purpose: str,
        verb: str,
    ) -> None:
        self._policy = policy
        self._sources = sources
        self._datasets = datasets
        self._audit = audit
        self._caller = caller
        self._purpose = purpose
        self._verb = verb

    def read(self, query: Query) -> Guarded:
        """A page of what the caller may see, personal columns masked.

        Raises NotFoundError, UnauthenticatedError or ForbiddenError, and UnsupportedError for what a source cannot filter by.
        """
        dataset = self._datasets.describe(query.dataset)
        source = self._sources.get(query.dataset)
        if source is None:
            what = Text(f"数据集“{query.dataset}”没有可读的行。", f"The dataset '{query.dataset}' has no rows to read.")
            raise NotFoundError(what, dataset=query.dataset)
        personal = [column.name for column in dataset.columns if column.personal]
        ask = Ask(
            self._caller,
            action_on(dataset, self._verb),
            dataset.name,
            self._purpose,
            {"access": dataset.access, "personal": list(personal)},
        )
        narrowing = self._policy.narrow(ask)
        mine = fitted(narrowing.where, dataset)
        if mine == NOTHING:
            raise refused(self._audit, ask, narrowing.reasons)
        _refuse_hidden(query, narrowing)
        page = source(msgspec.structs.replace(query, where=both(query.where, mine)))
        if query.limit == 0:
            # Not every source can count without reading: what it read for that is not shown.
            page = Page((), None, page.total)
        rows = tuple(
            {name: masked(value) if name in narrowing.masked else value for name, value in row.items()} for row in page.rows
        )
        shown = [name for name in personal if name not in narrowing.masked]
        if self._verb == "export" or (shown and rows):
            verdict = Verdict(allowed=True, reasons=narrowing.reasons)
            self._audit.write(ask, verdict, {"rows": len(rows), "personal": list(shown)})
        return Guarded(rows, page.next, page.total, tuple(sorted(narrowing.masked)), narrowing.reasons)


def refused(audit: Audit, ask: Ask, reasons: tuple[str, ...]) -> UnauthenticatedError | ForbiddenError:
    """Record a refusal and make the error that says it."""
    audit.write(ask, Verdict(allowed=False, reasons=reasons), {})
    if not ask.caller.known:
        return UnauthenticatedError(Text("请先登录。", "Sign in first."), action=ask.action)
    what = Text(
        f"您的角色不能进行此操作（{ask.action}）。如有需要，请联系系统管理员。",
        f"Your roles do not allow this ({ask.action}). Ask the administrator if you need it.",
    )
    return ForbiddenError(what, action=ask.action, resource=ask.resource, policies=list(reasons))


def fitted(where: Predicate, dataset: Dataset) -> Predicate:
    """The narrowing in the dataset's own terms: instants as RFC 3339; a column that it lacks compares as false, as a missing value."""
    types = {column.name: column.type for column in dataset.columns}
    match where:
        case Compare(field=field) if field not in types:
            return NOTHING
        case Compare(field=field, op=op, value=int(value)) if types[field] == "instant":
            return Compare(field, op, rfc3339(Instant(value)))
        case And(parts=parts):
            fit = tuple(fitted(part, dataset) for part in parts)
            return NOTHING if NOTHING in fit else And(fit)
        case Or(parts=parts):
            return Or(tuple(part for part in (fitted(part, dataset) for part in parts) if part != NOTHING))
        case Not(part=part):
            return Not(fitted(part, dataset))
        case _:
            return where


def _refuse_hidden(query: Query, narrowing: Narrowing) -> None:
    asked = fields(query.where) | ({query.order.field} if query.order is not None else frozenset[str]())
    if hidden := sorted(asked & narrowing.masked):
        what = Text(
            f"不能按已遮蔽的字段筛选或排序：{'、'.join(hidden)}。", f"Cannot filter or sort by masked fields: {', '.join(hidden)}."
        )
        raise ForbiddenError(what, fields=list(hidden), policies=list(narrowing.reasons))
