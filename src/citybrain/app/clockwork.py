"""How a demo's city time runs: which history is shown as today, from where, how fast, and when it begins again."""

import math
from collections.abc import Callable
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path

import msgspec

from citybrain.kernel.clock import Clock, Replay
from citybrain.kernel.errors import BadInputError
from citybrain.kernel.instant import DAY, HOUR, Instant, local, local_date, midnight
from citybrain.kernel.text import Text

SPEED = 60.0
"""City seconds per wall second in a demo."""
_MORNING = 6 * HOUR
_LEAD, _MARGIN = 400, 7
"""Days of source kept before today for forecasts to learn from, and after it for the demo to run into."""
_YEAR = 365.2425
_ZH_DAYS = "一二三四五六日"
_EN_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_EN_MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]


@lru_cache(maxsize=64)
def shift_days(today: date, since: date, until: date) -> int:
    """How many days to shift a source that covers [since, until) so that a day of it stands for today.

    The multiple of seven days (weekdays stay weekdays) nearest to whole years (seasons stay seasons), such that
    ``today - shift`` lies in [since + 400 days, until - 7 days]; a source too short for that gives up the 400 days. Of two as
    near, the smaller. Raises ValueError for a source that is shorter than two weeks.
    """
    for lead in (_LEAD, 0):
        first, last = since + timedelta(days=lead), until - timedelta(days=_MARGIN)
        least, most = math.ceil((today - last).days / 7), (today - first).days // 7
        if least <= most:
            return min((7 * weeks for weeks in range(least, most + 1)), key=lambda days: (round(_from_years(days), 6), abs(days)))
    message = f"A source from {since} to {until} is too short to be replayed: give two weeks at least."
    raise ValueError(message)


def demo_replay(kept: Replay | None, wall: Instant, ends: Callable[[Replay], Instant]) -> Replay:
    """The replay to run with: the one that was kept, or a new one that starts at today's 06:00 local city time.

    A demo begins again at today's 06:00, rather than run into nothing, when the source would run out: when city time has
    reached ``ends(kept)``, the city time of the first source's end under that replay. City time then jumps back; what the
    demo recorded before stays, and observations that come a second time are counted as duplicates.
    """
    if kept is not None and wall >= kept.anchor_wall and kept.city(wall) < ends(kept):
        return kept
    return Replay(wall, Instant(midnight(local_date(wall)) + _MORNING), SPEED)


def source_end(until: Instant, shift: int) -> Instant:
    """The city time at which a source that ends at an instant runs out, when shifted by so many days."""
    return Instant(until + shift * DAY)


class DemoClock:
    """A clock that replays, and begins again at 06:00 when the source runs out; each new anchor is handed to ``keep`` first."""

    def __init__(
        self, source: Callable[[], Instant], kept: Replay | None, ends: Callable[[Replay], Instant], keep: Callable[[Replay], None]
    ) -> None:
        self._source = source
        self._ends = ends
        self._keep = keep
        self._replay = demo_replay(kept, source(), ends)
        self._end = ends(self._replay)
        keep(self._replay)

    @property
    def replay(self) -> Replay:
        """The replay that runs now."""
        return self._replay

    @property
    def speed(self) -> float:
        """City seconds per wall second."""
        return self._replay.speed

    def wall(self) -> Instant:
        """The time on the wall."""
        return self._source()

    def city(self) -> Instant:
        """The time in the replayed district."""
        now = self._source()
        # The end of what runs is known: the clock is asked a hundred times a page.
        running = demo_replay(self._replay, now, lambda _: self._end)
        if running is not self._replay:
            self._keep(running)
            self._replay, self._end = running, self._ends(running)
        return running.city(now)


class HeldClock:
    """A clock that can be held at a city time while the past is lived through hour by hour, and then runs as the one beneath it."""

    def __init__(self, beneath: DemoClock) -> None:
        self._beneath = beneath
        self._held: Instant | None = None

    def hold(self, city: Instant) -> None:
        """Stand still at a city time."""
        self._held = city

    def release(self) -> None:
        """Run again."""
        self._held = None

    @property
    def replay(self) -> Replay:
        """The replay that runs now."""
        return self._beneath.replay

    @property
    def speed(self) -> float:
        """City seconds per wall second."""
        return self._beneath.speed

    def wall(self) -> Instant:
        """The time on the wall."""
        return self._beneath.wall()

    def city(self) -> Instant:
        """The time held, or else of the replayed district."""
        return self._beneath.city() if self._held is None else self._held


def read_replay(file: Path) -> Replay | None:
    """The replay that was kept over a restart, or None at first; raises BadInputError for a file that is not one."""
    if not file.exists():
        return None
    try:
        return msgspec.json.decode(file.read_bytes(), type=Replay)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        what = Text(
            f"{file.name} 无法读取。删除它，演示即重新开始。", f"{file.name} cannot be read. Delete it to begin the demo anew."
        )
        raise BadInputError(what, file=file.name) from error


def write_replay(file: Path, replay: Replay) -> None:
    """Keep a replay over restarts; the file is whole at any time."""
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.with_suffix(".new")
    fresh.write_bytes(msgspec.json.encode(replay))
    fresh.replace(file)


def banner(clock: Clock) -> Text:
    """The line that stands on every page of a demo: that it is one, the city time, and how fast that runs."""
    now = local(clock.city())
    speed = f"{clock.speed:g}"
    time = f"{now:%H:%M}"
    return Text(
        f"演示数据 · 城市时间 {now.year}年{now.month}月{now.day}日 星期{_ZH_DAYS[now.weekday()]} {time} · {speed} 倍速",
        f"Demo data · city time {_EN_DAYS[now.weekday()]} {now.day} {_EN_MONTHS[now.month - 1]} {now.year} {time} · {speed}× speed",
    )


def _from_years(days: int) -> float:
    return abs(days - round(days / _YEAR) * _YEAR)
