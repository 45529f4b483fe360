"""Questions of packs: asked when they are due, answered by the pack's own pure function, kept with their time and what people decided.

tables (handed in) → Question.answer → ledger → accept or decline. Nothing acts on an advice by itself.
"""

import threading
from collections.abc import Callable, Sequence

import pyarrow as pa
import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from citybrain.brain.decide import ledger
from citybrain.brain.decide.ledger import SHORTEST, Decision, Posed, Verdict
from citybrain.kernel.clock import Clock
from citybrain.kernel.errors import BadInputError, BusyError, ConflictError, DeclarationError, NotFoundError
from citybrain.kernel.ids import new_id
from citybrain.kernel.instant import DAY, Instant, duration, local_date
from citybrain.kernel.pack import Pack, Parameter, Question
from citybrain.kernel.ports import Transactions
from citybrain.kernel.text import Text
from citybrain.kernel.things import Origin

log = structlog.get_logger()
Tables = Callable[[str], pa.Table]
"""The table of an input by its name, as ``Question`` lists them."""
_KEPT = 31 * DAY
"""City time after which an advice is dropped that nobody decided on."""
_LONGEST = 2000


class Questions:
    """All questions of the packs and the ledger of their advice."""

    def __init__(
        self, packs: Sequence[Pack], tables: Tables, transactions: Transactions[Connection], clock: Clock, origin: Origin = "real"
    ) -> None:
        self._asked = _declared(packs)
        self._tables = tables
        self._transactions = transactions
        self._clock = clock
        self._origin = origin
        self._lock = threading.Lock()

    def all(self) -> tuple[Question, ...]:
        """Every question, in the order of declaration."""
        return tuple(question for _, question in self._asked.values())

    def question(self, name: str) -> Question:
        """A question by name; raises NotFoundError."""
        return self._of(name)[1]

    def parameters(self, name: str) -> tuple[Parameter, ...]:
        """The parameters that a question's answer rests on, as they are in force; raises NotFoundError."""
        pack, question = self._of(name)
        day = local_date(self._clock.city()).isoformat()
        dated = sorted((one for one in pack.parameters if one.since <= day), key=lambda one: one.since)
        newest = {one.name: one for one in dated}
        return tuple(newest[one] for one in question.parameters if one in newest)

    def run_once(self) -> int:
        """Ask the questions that are due: for which a span of theirs has begun since they were asked; returns how many. Blocks."""
        return sum(self.ask(question.name) is not None for question in self.all() if self._due(question))

    def ask(self, name: str) -> Posed | None:
        """Answer a question now and keep the advice; None where its pack failed, which is logged. Raises NotFoundError. Blocks."""
        pack, question = self._of(name)
        now = self._clock.city()
        with self._lock:
            try:
                advice = question.answer({given: self._tables(given) for given in question.inputs}, now)
            except BusyError:
                # Nobody's fault: a store is away, and it is asked again in the next turn.
                raise
            except Exception as error:
                # The fence around pack code: a question that cannot be answered leaves the others alone; the last advice stays.
                log.exception("question_failed", question=name, error=str(error))
                return None
            posed = Posed(new_id(), name, now, advice, self._origin)
            with self._transactions.begin() as tx:
                ledger.keep(tx.connection, posed, pack.name, self._clock.wall())
                ledger.forget(tx.connection, Instant(now - _KEPT))
        return posed

    def newest(self, name: str) -> Posed | None:
        """The newest advice on a question; None before the first. Raises NotFoundError."""
        return next(iter(self.history(name, 1)), None)

    def history(self, name: str, limit: int = 20) -> Sequence[Posed]:
        """The last advice on a question, newest first; raises NotFoundError."""
        self._of(name)
        with self._transactions.read() as connection:
            return ledger.newest(connection, name, limit)

    def posed(self, advice_id: str) -> Posed:
        """An advice by id; raises NotFoundError."""
        with self._transactions.read() as connection:
            found = ledger.one(connection, advice_id)
        if found is None:
            raise NotFoundError(Text(f"没有建议“{advice_id}”。", f"There is no advice '{advice_id}'."), advice=advice_id)
        return found

    def decide(self, advice_id: str, verdict: Verdict, words: str, by: str) -> Posed:
        """Accept or decline an advice with a reason; durable when it returns. Nothing else follows from it.

        Raises NotFoundError, BadInputError for a reason that is none or an advice that advises nothing, ConflictError where it is decided.
        """
        posed = self.posed(advice_id)
        if posed.advice.found not in ("advised", "infeasible"):
            what = Text("这条没有建议做什么，无可采纳。", "It advises nothing, so there is nothing to accept or decline.")
            raise BadInputError(what, field="verdict")
        if not SHORTEST <= len(words.strip()) <= _LONGEST:
            what = Text(
                f"请写明理由（{SHORTEST} 至 {_LONGEST} 个字），它会留在台账和审计里。",
                f"Say why in {SHORTEST} to {_LONGEST} characters: it stays in the ledger and the audit trail.",
            )
            raise BadInputError(what, field="words")
        decision = Decision(verdict, words.strip(), by, self._clock.city())
        try:
            with self._transactions.begin() as tx:
                ledger.decided(tx.connection, posed, decision, self._clock.wall())
        except IntegrityError:
            what = Text("这条建议已有人作出决定，请刷新查看。", "Somebody has decided on this advice already. Reload to see what.")
            raise ConflictError(what, advice=advice_id) from None
        return self.posed(advice_id)

    def _due(self, question: Question) -> bool:
        last, every = self.newest(question.name), duration(question.every)
        return last is None or last.asked // every != self._clock.city() // every

    def _of(self, name: str) -> tuple[Pack, Question]:
        try:
            return self._asked[name]
        except KeyError:
            raise NotFoundError(Text(f"没有问题“{name}”。", f"There is no question '{name}'."), question=name) from None


def _declared(packs: Sequence[Pack]) -> dict[str, tuple[Pack, Question]]:
    found: dict[str, tuple[Pack, Question]] = {}
    for pack in packs:
        for question in pack.questions:
            if question.name in found:
                what = Text(
                    f"应用包 {pack.name} 的问题“{question.name}”与已有问题重名。",
                    f"Pack {pack.name}: there is a question '{question.name}' already. Choose another name.",
                )
                raise DeclarationError(what, pack=pack.name, question=question.name)
            found[question.name] = (pack, question)
    return found
