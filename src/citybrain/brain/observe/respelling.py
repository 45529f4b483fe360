"""Corrections of streams whose results are no numbers: another result of the same sort instead of one, or none at all.

A word that its stream has never said is entered when a reading is set to it, and not when somebody looks at what that would do.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import msgspec
import numpy as np

from citybrain.brain.observe.revising import UNSAID, Change, Plan, setting
from citybrain.brain.observe.worded import UNMEASURED, WORDED, UnfitError, Worded, fitted
from citybrain.kernel.errors import BadInputError
from citybrain.kernel.instant import Instant
from citybrain.kernel.text import Json, Text
from citybrain.kernel.things import Stream

_RECKONED = Text(
    "该监测项的结果不是数量，不能乘或加：只能改一个读数，或作废。",
    "The results of this stream are no quantities: nothing is multiplied or added. Set one reading, or strike out.",
)
_STRANGE = Text("该监测项没有这样的结果。", "This stream has no such result.")
_FULL = Text("该监测项的取值已满。", "The list of words of this stream is full.")


def check(words: Worded, stream: Stream, plan: Plan) -> None:
    """Raise BadInputError, with the field, for a plan that makes of readings what is no result of their stream. Blocks."""
    change, after = plan.change, plan.after
    if change.strikes or stream.sort == "number":
        return
    if stream.sort in UNMEASURED and not change.sets:
        raise BadInputError(_RECKONED, field="factor")
    if stream.sort in WORDED:
        known = words.words((stream.no, int(code)) for code in after.tolist() if code == int(code))
        sound = _unsaid(change) or all((stream.no, code) in known for code in after.tolist())
    else:
        sound = bool((np.isin(after, (0.0, 1.0)) if stream.sort == "truth" else after == np.rint(after)).all())
    if not sound:
        raise BadInputError(_STRANGE, field="offset" if change.sets else "factor")


def set_result(stream: Stream, at: Instant, result: Json) -> Change:
    """The change that sets the reading of an instant to a result; raises BadInputError for what is none of the stream. Pure."""
    try:
        found = fitted(stream.sort, result)
    except UnfitError as error:
        raise BadInputError(Text(f"{_STRANGE.zh}{error.why.zh}", f"{_STRANGE.en} {error.why.en}"), field="value") from error
    if isinstance(found, str):
        return msgspec.structs.replace(setting(at, UNSAID), word=found)
    return setting(at, found)


def coded(words: Worded, stream: Stream, change: Change) -> Change:
    """A change with the code of its word, ``UNSAID`` for a new one; raises BadInputError for a new one of a full list. Blocks."""
    if change.word is msgspec.UNSET:
        return change
    code = words.code(stream.no, change.word)
    if code is None and words.full(stream.no):
        raise BadInputError(_FULL, field="value")
    return msgspec.structs.replace(change, offset=UNSAID if code is None else float(code))


def entered(words: Worded, plans: Sequence[tuple[Stream, Plan]]) -> list[tuple[Stream, Plan]]:
    """Plans whose words have codes, durable when it returns. Raises BadInputError where a list is full. Blocks."""
    return [(stream, _entered(words, stream, plan) if _unsaid(plan.change) else plan) for stream, plan in plans]


def spelt(words: Worded, stream: Stream, values: Iterable[float], change: Change | None = None) -> Mapping[str, Json]:
    """What numbers of a stream say, by the numbers as they are written; nothing for a stream of quantities. Blocks.

    ``change`` is one that is looked at: where its word has no code, ``UNSAID`` says it.
    """
    if stream.sort not in UNMEASURED:
        return {}
    stands = sorted({value for value in values if np.isfinite(value)})
    said = zip(stands, words.results([(stream, value) for value in stands]), strict=True)
    found = {f"{value:.15g}": result for value, result in said}
    return found if change is None or not _unsaid(change) else {**found, f"{UNSAID:.15g}": new_word(change)}


def new_word(change: Change) -> Json:
    """The word of a change that has no code; None for a change of another sort."""
    found: Json = msgspec.json.decode(change.word) if _unsaid(change) and isinstance(change.word, str) else None
    return found


def _unsaid(change: Change) -> bool:
    return change.word is not msgspec.UNSET and change.offset == UNSAID


def _entered(words: Worded, stream: Stream, plan: Plan) -> Plan:
    entry = stream.no, str(plan.change.word)
    code = words.codes([entry]).get(entry)
    if code is None:
        raise BadInputError(_FULL, field="value")
    return replace(
        plan, change=msgspec.structs.replace(plan.change, offset=float(code)), after=np.full(len(plan.time), float(code))
    )
