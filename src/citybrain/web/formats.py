"""Formats: times, ages, numbers and missing values as people of each language write them."""

import math

from citybrain.kernel.instant import Instant, local
from citybrain.kernel.text import Lang
from citybrain.web.words import WORDS

_WEEKDAYS = {"zh": ("一", "二", "三", "四", "五", "六", "日"), "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")}
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MINUTE, _HOUR, _DAY = 60, 3600, 86_400
_HUGE = 1e15
"""No quantity of a city is so great: written out it would only be long."""


def when(at: Instant, lang: Lang) -> str:
    """The whole time: 2026年11月22日 星期日 15:30; Sun 22 Nov 2026, 15:30."""
    here = local(at)
    weekday = _WEEKDAYS[lang][here.weekday()]
    if lang == "zh":
        return f"{here.year}年{here.month}月{here.day}日 星期{weekday} {here:%H:%M}"
    return f"{weekday} {here.day} {_MONTHS[here.month - 1]} {here.year}, {here:%H:%M}"


def clock(at: Instant) -> str:
    """The time of day alone, where the day is said once for all."""
    return f"{local(at):%H:%M}"


def brief(at: Instant, now: Instant, lang: Lang) -> str:
    """The time alone on the same day, day and time in the same year, the whole time otherwise."""
    here, there = local(at), local(now)
    if here.date() == there.date():
        return f"{here:%H:%M}"
    if here.year != there.year:
        return when(at, lang)
    if lang == "zh":
        return f"{here.month}月{here.day}日 {here:%H:%M}"
    return f"{here.day} {_MONTHS[here.month - 1]} {here:%H:%M}"


def age(at: Instant, now: Instant, lang: Lang) -> str:
    """How long ago, in the largest whole unit; a time that is not past reads as just now. The browser says it with the same words."""
    *units, just = WORDS["ages"].get(lang).split("|")
    seconds = (now - at) // 1_000_000
    for length, words in zip((_DAY, _HOUR, _MINUTE, 1), units, strict=True):
        if seconds >= length:
            return words.format(n=seconds // length)
    return just


def span(seconds: int, lang: Lang) -> str:
    """A length of time in at most two units: 2小时10分, 3天4小时; 2 h 10 min, 3 d 4 h."""
    days, rest = divmod(abs(seconds), _DAY)
    hours, rest = divmod(rest, _HOUR)
    minutes = rest // _MINUTE
    zh = lang == "zh"
    parts = [
        (days, "天" if zh else " d"),
        (hours, ("小时" if zh else " h")),
        (minutes, ("分" if zh else " min")),
    ]
    first = next((index for index, part in enumerate(parts) if part[0]), 2)
    said = [f"{count}{unit}" for count, unit in parts[first : first + 2] if count or first == 2]
    return ("" if zh else " ").join(said)


def number(value: float, decimals: int = 0) -> str:
    """A number with fixed decimals and thousands marks; a true minus sign."""
    return _plain(value, decimals).replace("-", "−")


def reading(value: float) -> str:
    """A reading as it was sent: with seven digits, and all of those before the point."""
    size = abs(value)
    if not size:
        return "0"
    if not 1e-6 <= size < _HUGE:
        return _plain(value, 0) if size >= _HUGE else f"{value:.4g}"
    said = f"{value:.{max(0, 6 - math.floor(math.log10(size)))}f}"
    return said.rstrip("0").rstrip(".") if "." in said else said


def _plain(value: float, decimals: int) -> str:
    if abs(value) >= _HUGE:
        return f"{value:.4g}".replace("e+", "e")
    # 0 has no sign, nor has what is rounded to it.
    return f"{round(value, decimals) + 0.0:,.{decimals}f}"


def short(value: float, decimals: int, lang: Lang) -> str:
    """A number for a headline: 万 and 亿 in Chinese from 100,000 on, thousands marks in English."""
    size = abs(value)
    if lang == "en" or size < 1e5:
        return number(value, decimals)
    scale, sign = (1e8, "亿") if size >= 1e8 else (1e4, "万")
    return f"{number(value / scale, 1 if size / scale >= 100 else 2)}{sign}"


def signed(value: float, decimals: int = 0) -> str:
    """A difference with its sign; none for 0."""
    return ("+" if round(value, decimals) > 0 else "") + number(value, decimals)


def ticks(low: float, high: float, wanted: int = 4) -> tuple[float, ...]:
    """Round values that cover [low, high] in about ``wanted`` steps of 1, 2 or 5."""
    # What never changes gets a scale as well, a little wider than numbers of its size can be told apart.
    width = max(high - low, 1e-6 * max(abs(low), abs(high)), 1e-9) / wanted
    power = 10.0 ** math.floor(math.log10(width))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= width * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return tuple(float(f"{index * step:.12g}") for index in range(first, max(last, first + 1) + 1))
