"""Why a figure has no value, or is not sure: words for people, never a zero in the place of what is not known."""

from collections.abc import Mapping

from citybrain.kernel.errors import BadInputError
from citybrain.kernel.instant import Instant, local
from citybrain.kernel.pack import Indicator
from citybrain.kernel.text import Text

FAILED = Text("指标计算出错，已记入日志，请联系管理员", "the computation failed and was logged; ask the administrator")
_NOTHING = Text("没有可用的数值", "there is no value to use")


def reason(row: Mapping[str, object], *, missing: bool, now: Instant) -> Text | None:
    """The reason of a measured row (reason_zh and reason_en, silent_since, unknown, closed), or None where the figure is sure.

    ``closed`` of the ``unknown`` are outside their hours, which is no fault of theirs.
    """
    zh, en, unknown, since = row.get("reason_zh"), row.get("reason_en"), row.get("unknown"), row.get("silent_since")
    if isinstance(zh, str) and isinstance(en, str):
        return Text(zh, en)
    if not isinstance(unknown, int) or unknown <= 0:
        return _NOTHING if missing else None
    closed = row.get("closed")
    resting = closed if isinstance(closed, int) else 0
    if resting >= unknown:
        return Text(f"停用时段，{unknown}项", f"closed at this hour, {unknown}")
    dead = unknown - resting
    said = _silent(Instant(since), now) if isinstance(since, int) else _dead(dead)
    return Text(f"{said.zh}，另{resting}项停用时段", f"{said.en}, {resting} more closed at this hour") if resting else said


def no_past(one: Indicator) -> BadInputError:
    """The refusal to compute the past of latest values."""
    what = Text(
        f"“{one.title.zh}”依据实时数值，不能重算过去的数。请查询历史记录。",
        f"'{one.title.en}' rests on latest values and cannot be computed for the past. Ask for its history.",
    )
    return BadInputError(what, indicator=one.name)


def _silent(since: Instant, now: Instant) -> Text:
    """Since when; how many they are stands beside the number."""
    then = local(since)
    if then.date() == local(now).date():
        words_zh = words_en = f"{then:%H:%M}"
    else:
        words_zh, words_en = f"{then.month}月{then.day}日{then:%H:%M}", f"{then:%Y-%m-%d %H:%M}"
    return Text(f"{words_zh}起无有效数据", f"no good reading since {words_en}")


def _dead(unknown: int) -> Text:
    return Text(f"{unknown}项无有效数据", f"{unknown} without a good reading")
