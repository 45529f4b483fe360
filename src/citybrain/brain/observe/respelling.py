"""Corrections of streams whose results are no numbers: another result of the same sort instead of one, or none at all."""

from collections.abc import Iterable, Mapping

import numpy as np

from citybrain.brain.observe.revising import Plan
from citybrain.brain.observe.worded import UNMEASURED, WORDED, UnfitError, Worded, fitted
from citybrain.kernel.errors import BadInputError
from citybrain.kernel.text import Json, Text
from citybrain.kernel.things import Stream

_RECKONED = Text(
    "该监测项的结果不是数量，不能乘或加：只能改一个读数，或作废。",
    "The results of this stream are no quantities: nothing is multiplied or added. Set one reading, or strike out.",
)
_STRANGE = Text("该监测项没有这样的结果。", "This stream has no such result.")


def check(words: Worded, stream: Stream, plan: Plan) -> None:
    """Raise BadInputError, with the field, for a plan that makes of readings what is no result of their stream. Blocks."""
    change, after = plan.change, plan.after
    if change.strikes or stream.sort == "number":
        return
    if stream.sort in UNMEASURED and not change.sets:
        raise BadInputError(_RECKONED, field="factor")
    if stream.sort in WORDED:
        known = words.words((stream.no, int(code)) for code in after.tolist() if code == int(code))
        sound = all((stream.no, code) in known for code in after.tolist())
    else:
        sound = bool((np.isin(after, (0.0, 1.0)) if stream.sort == "truth" else after == np.rint(after)).all())
    if not sound:
        raise BadInputError(_STRANGE, field="offset" if change.sets else "factor")


def number(words: Worded, stream: Stream, result: Json) -> float:
    """The number that stands for a result; a new word is entered. Raises BadInputError for what is none of the stream. Blocks."""
    try:
        found = fitted(stream.sort, result)
    except UnfitError as error:
        raise BadInputError(Text(f"{_STRANGE.zh}{error.why.zh}", f"{_STRANGE.en} {error.why.en}"), field="value") from error
    if not isinstance(found, str):
        return found
    code = words.codes([(stream.no, found)]).get((stream.no, found))
    if code is None:
        raise BadInputError(Text("该监测项的取值已满。", "The list of words of this stream is full."), field="value")
    return float(code)


def spelt(words: Worded, stream: Stream, values: Iterable[float]) -> Mapping[str, Json]:
    """What numbers of a stream say, by the numbers as they are written; nothing for a stream of quantities. Blocks."""
    if stream.sort not in UNMEASURED:
        return {}
    stands = sorted({value for value in values if np.isfinite(value)})
    return {f"{value:g}": said for value, said in zip(stands, words.results([(stream, value) for value in stands]), strict=True)}
