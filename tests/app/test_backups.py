"""Backups: a round trip gives the same city, a changed file is refused, nothing is overwritten."""

import asyncio
import shutil
from pathlib import Path

import numpy as np
import pytest
from msgspec import json

from citybrain.app import duties
from citybrain.app.backups import backup, restore
from citybrain.app.city import City
from citybrain.app.cli import main
from citybrain.app.lock import StateLock
from citybrain.brain.observe import (
    About,
    Anew,
    Change,
    Draft,
    MadeProperty,
    MadeSensor,
    MadeStream,
    MadeThing,
    MadeUnit,
    Signed,
    missing,
    read_rows,
)
from citybrain.kernel.access import Query
from citybrain.kernel.clock import FixedClock
from citybrain.kernel.errors import BadInputError, ConflictError
from citybrain.kernel.instant import DAY, HOUR, Instant, rfc3339
from citybrain.kernel.observations import SeriesQuery
from citybrain.kernel.predicate import And, Compare
from citybrain.kernel.text import Json
from citybrain.kernel.things import Contract
from tests.app.conftest import NOW, furnished


def _read(city: City) -> None:
    number = city.registry.stream("air-01.pm25").no
    columns = np.full(3, number, np.int32), np.array([NOW - 2 * HOUR, NOW - HOUR, NOW], np.int64), np.array([35.0, 41.0, 57.0])
    assert asyncio.run(city.intake.take_columns(*columns, "import", None)).stored == 3


def test_a_restored_city_has_the_same_readings_accounts_and_audit(tmp_path: Path) -> None:
    with furnished(tmp_path / "var") as city:
        _read(city)
        city.accounts.create("甲", "admin", "Nine-willows-by-the-weir-7", ("admin",))
        rows = city.audit.verify()
    count = backup(tmp_path / "var", tmp_path / "kept")
    assert restore(tmp_path / "kept", tmp_path / "again") == count
    with furnished(tmp_path / "again") as city:
        reading = city.latest.of(city.registry.stream("air-01.pm25").no)
        assert reading is not None
        assert (reading.value, reading.time) == (57.0, NOW)
        assert [account.login for account in city.accounts.all()] == ["admin"]
        assert city.audit.verify() == rows


def test_a_changed_file_of_a_backup_is_refused_and_nothing_is_restored(tmp_path: Path) -> None:
    with furnished(tmp_path / "var"):
        pass
    backup(tmp_path / "var", tmp_path / "kept")
    changed = tmp_path / "kept" / "state" / "city.sqlite"
    changed.write_bytes(changed.read_bytes()[:-1] + b"?")
    with pytest.raises(BadInputError, match=r"city\.sqlite"):
        restore(tmp_path / "kept", tmp_path / "again")
    assert not (tmp_path / "again").exists()
    changed.unlink()
    with pytest.raises(BadInputError, match=r"city\.sqlite"):
        restore(tmp_path / "kept", tmp_path / "again")


def test_a_backup_does_not_go_into_what_it_copies(tmp_path: Path) -> None:
    with furnished(tmp_path / "var"):
        pass
    with pytest.raises(ConflictError, match="state folder"):
        backup(tmp_path / "var", tmp_path / "var" / "kept")
    assert not (tmp_path / "var" / "kept").exists()


def test_neither_a_backup_nor_a_restore_overwrites_anything(tmp_path: Path) -> None:
    (tmp_path / "var").mkdir()
    (tmp_path / "var" / "city.sqlite").write_bytes(b"city")
    backup(tmp_path / "var", tmp_path / "kept")
    with pytest.raises(ConflictError):
        backup(tmp_path / "var", tmp_path / "kept")
    with pytest.raises(ConflictError):
        restore(tmp_path / "kept", tmp_path / "var")


def test_a_folder_that_is_no_backup_is_told_as_one(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="manifest"):
        restore(tmp_path, tmp_path / "again")


def test_what_cannot_be_backed_up_or_restored_is_told_in_words_and_ends_with_status_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept, var = tmp_path / "kept", tmp_path / "var"
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("x", "ascii")
    var.mkdir()
    (var / "city.sqlite").write_bytes(b"city")
    backup(var, kept)
    for name, text in (("cut", b'{"city.sqlite": "ab'), ("bytes", b'{"\xff": "a"}'), ("list", b"[1]")):
        shutil.copytree(kept, tmp_path / name)
        (tmp_path / name / "manifest.json").write_bytes(text)
    shutil.copytree(kept, tmp_path / "short")
    (tmp_path / "short" / "state" / "city.sqlite").write_bytes(b"cit")
    for command, state, folder, word in (
        ("backup", "missing", "new", "nothing to back up"),
        ("backup", "empty", "new", "nothing to back up"),
        ("backup", "file", "new", "nothing to back up"),
        ("backup", "var", "file", "cannot be read or written"),
        ("backup", "var", "kept", "is not empty"),
        ("restore", "again", "missing", "is no backup"),
        ("restore", "again", "var", "is no backup"),
        ("restore", "again", "file", "is no backup"),
        ("restore", "again", "cut", "is no backup"),
        ("restore", "again", "bytes", "is no backup"),
        ("restore", "again", "list", "is no backup"),
        ("restore", "again", "short", "city.sqlite of the backup is missing or was changed"),
        ("restore", "var", "kept", "is not empty"),
        ("restore", "file", "kept", "cannot be read or written"),
    ):
        assert main([command, "--state", str(tmp_path / state), str(tmp_path / folder)]) == 2, (command, state, folder)
        assert word in capsys.readouterr().err, (command, state, folder)
    assert not (tmp_path / "missing").exists()
    assert not (tmp_path / "new").exists()
    assert main(["restore", "--state", str(tmp_path / "again"), str(kept)]) == 0


def test_lock_and_log_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "var").mkdir()
    for name in ("lock", "log", "replay.json"):
        (tmp_path / "var" / name).write_text("1", "ascii")
    assert backup(tmp_path / "var", tmp_path / "kept") == 1
    assert [path.name for path in (tmp_path / "kept" / "state").iterdir()] == ["replay.json"]


STREAM = "air-01.pm25"
FIRST = Instant(NOW - 20 * HOUR)


def readings(city: City, hours: int = 20) -> None:
    times = np.arange(1, hours + 1, dtype=np.int64) * HOUR + FIRST
    columns = np.full(hours, city.registry.stream(STREAM).no, np.int32), times, 30.0 + np.arange(hours, dtype=np.float64)
    assert asyncio.run(city.intake.take_columns(*columns, "mqtt", None)).stored == hours


def span(first: int, last: int, *, strikes: bool = False) -> Change:
    """The readings of the hours from a first to a last: struck out, or a tenth."""
    since, until = Instant(FIRST + first * HOUR), Instant(FIRST + last * HOUR + 1)
    return Change(since, until, strikes=True) if strikes else Change(since, until, 0.1)


async def correct(city: City, change: Change) -> int:
    stream = city.registry.stream(STREAM)
    seen = city.corrections.preview(stream, change).seen
    return (await city.corrections.correct(stream, change, seen, "data", "校准时的试气")).no


async def correct_all(city: City) -> None:
    """Struck out, corrected, one over another, taken back in whole and in part; and a device speaks again over one."""
    stream = city.registry.stream(STREAM)
    for change in (
        span(1, 3, strikes=True),
        span(5, 8),
        span(7, 8, strikes=True),
        span(10, 12, strikes=True),
        span(14, 15),
        span(20, 20),
    ):
        await correct(city, change)
    for no in (3, 4):
        await city.corrections.end(stream, no, "data", "原来没有错")
    await correct(city, span(19, 20, strikes=True))
    again = np.array([FIRST + 2 * HOUR], np.int64), np.array([99.0])
    assert (await city.intake.take_columns(np.array([stream.no], np.int32), *again, "mqtt", None)).stored == 1


def answers(city: City) -> dict[str, object]:
    """All that is said of the stream, and of what is made from it."""
    stream, no = city.registry.stream(STREAM), city.registry.stream(STREAM).no
    since, until = FIRST, Instant(NOW + 1)
    marked = And((Compare("stream", "eq", STREAM), Compare("mark", "in", ("measured", "corrected", "struck"))))
    return {
        "readings": city.sources["observation"](Query("observation", marked, limit=1000, count=True)),
        "history": city.stores.series.scan(SeriesQuery((no,), since, until, DAY, marks=True)).to_pylist(),
        "gaps": missing(city.stores.series, city.registry, STREAM, since, until, NOW),
        "latest": city.latest.of(no),
        "corrections": city.corrections.of(stream),
        "kept": [city.corrections.kept(one.no) for one in city.corrections.of(stream)],
        "marks": (city.corrections.standing(stream, since, until), city.corrections.struck(stream, since, until)),
        "ledger": city.stores.series.doors(),
        "figure": [(figure.area, figure.value, figure.unknown) for figure in city.indicators.compute("streams_live")],
        "verified": city.corrections.verify(),
    }


@pytest.mark.thorough
def test_after_a_restore_every_answer_is_what_it_was_and_the_struck_stay_struck(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with furnished(tmp_path / "var") as city:
        readings(city)
        asyncio.run(correct_all(city))
        told = answers(city)
    assert told["verified"] == 11
    backup(tmp_path / "var", tmp_path / "kept")
    restore(tmp_path / "kept", tmp_path / "again")
    with furnished(tmp_path / "again") as city:
        assert answers(city) == told
        stream = city.registry.stream(STREAM)
        struck = np.array([FIRST + 3 * HOUR], np.int64), np.array([32.0])
        verdict = asyncio.run(city.intake.take_columns(np.array([stream.no], np.int32), *struck, "mqtt", None))
        assert (verdict.stored, verdict.duplicate) == (0, 1), "what was struck out and is sent again stays struck"
        asyncio.run(city.corrections.end(stream, 7, "data", "原来没有错"))
        assert city.latest.of(stream.no) is not None
        city.stores.mine.close_days(Instant(NOW + DAY))
        assert city.corrections.verify() == 10
    capsys.readouterr()
    assert main(["verify", "--state", str(tmp_path / "again")]) == 0
    assert "10 个更正和作废的读数相符" in capsys.readouterr().out


class PowerCutError(Exception):
    """The machine is gone at this point."""


@pytest.mark.thorough
@pytest.mark.parametrize("ends", [False, True])
@pytest.mark.parametrize("place", ["revise", "become"])
def test_a_backup_taken_in_the_midst_of_striking_out_is_finished_where_it_is_restored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str, *, ends: bool
) -> None:
    def cut(*_: object) -> None:
        raise PowerCutError

    with furnished(tmp_path / "var") as city:
        readings(city)
        stream = city.registry.stream(STREAM)
        if ends:
            asyncio.run(correct(city, span(4, 9, strikes=True)))
        with monkeypatch.context() as patch:
            settle = "_ended" if ends else "_become"
            patch.setattr(city.intake if place == "revise" else city.corrections, "revise" if place == "revise" else settle, cut)
            with pytest.raises(PowerCutError):
                asyncio.run(
                    city.corrections.end(stream, 1, "data", "原来没有错") if ends else correct(city, span(4, 9, strikes=True))
                )
        assert [one.state for one in city.corrections.of(stream)] == ["ending" if ends else "pending"]
    backup(tmp_path / "var", tmp_path / "kept")
    restore(tmp_path / "kept", tmp_path / "again")
    for folder in ("var", "again"):
        with furnished(tmp_path / folder) as city:
            stream = city.registry.stream(STREAM)
            assert city.corrections.verify() == 0, "what is on its way is no fault"
            assert asyncio.run(city.corrections.finish()) == 1
            assert len(city.corrections.struck(stream, FIRST, NOW)) == (0 if ends else 6)
            assert city.corrections.verify() == (0 if ends else 6)


@pytest.mark.thorough
def test_stores_of_different_backups_are_found_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with furnished(tmp_path / "var") as city:
        readings(city)
    backup(tmp_path / "var", tmp_path / "before")
    with furnished(tmp_path / "var") as city:
        asyncio.run(correct(city, span(4, 9, strikes=True)))
    backup(tmp_path / "var", tmp_path / "after")
    for name, older, said in (("a", "series", "correction 1 is not in it"), ("b", "city.sqlite", "no correction says so")):
        state = tmp_path / name
        restore(tmp_path / "after", state)
        lying, kept = state / older, tmp_path / "before" / "state" / older
        (shutil.rmtree if lying.is_dir() else Path.unlink)(lying)
        (shutil.copytree if kept.is_dir() else shutil.copy2)(kept, lying)
        capsys.readouterr()
        assert main(["verify", "--state", str(state)]) == 2
        assert said in capsys.readouterr().err


def test_a_running_program_is_not_backed_up(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with furnished(tmp_path / "var"), StateLock(tmp_path / "var"):
        assert main(["backup", str(tmp_path / "kept"), "--state", str(tmp_path / "var")]) == 2
    assert not (tmp_path / "kept").exists()
    capsys.readouterr()


def _box(city: City) -> str:
    """The id of a stream that somebody made, with a word an hour of two days."""
    unit = MadeUnit(None, None, None)
    draft = Draft(
        MadeStream("", "天气", "", "", unit, {}),
        MadeSensor("", "站", "", "text/plain", "", {}),
        MadeProperty("", "天气", "", "", {}),
        Contract(),
        "category",
    )
    made = city.making.thing("盒", MadeThing("", "", {}), (), (draft,))
    (stream,) = city.registry.streams_of(made.id)
    rows = [
        {"stream": stream.id, "time": rfc3339(Instant(NOW - ago * HOUR)), "value": ("晴", "雨", "雪")[ago % 3]} for ago in range(48)
    ]
    assert asyncio.run(city.intake.take(read_rows(json.encode(rows)), "mqtt", None)).stored == 48
    return stream.id


def _words(city: City, stream: str) -> list[Json]:
    page = city.sources["observation"](Query("observation", Compare("stream", "eq", stream), limit=1000))
    return [row["word"] for row in page.rows]


@pytest.mark.thorough
def test_words_go_along_and_are_verified(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with furnished(tmp_path / "var") as city:
        box = _box(city)
        told = _words(city, box)
        city.stores.mine.close_days(Instant(NOW + DAY))
        assert (_words(city, box), set(map(str, told))) == (told, {"晴", "雨", "雪"})
    backup(tmp_path / "var", tmp_path / "kept")
    restore(tmp_path / "kept", tmp_path / "again")
    with furnished(tmp_path / "again") as city:
        assert _words(city, box) == told
    capsys.readouterr()
    assert main(["verify", "--state", str(tmp_path / "again")]) == 0
    assert "3 个非数值的取值相符" in capsys.readouterr().out
    with furnished(tmp_path / "again") as city, city.stores.transactions.begin() as tx:
        tx.connection.exec_driver_sql("DELETE FROM word WHERE code = 2")
    assert main(["verify", "--state", str(tmp_path / "again")]) == 2
    assert "word 2" in capsys.readouterr().err


def test_words_go_with_the_last_readings_that_say_them_of_an_ended_stream_too(tmp_path: Path) -> None:
    clock = FixedClock(NOW)
    with furnished(tmp_path / "var", clock, {"thing": 7}) as city:
        ended, lives = _box(city), _box(city)
        numbers = [city.registry.stream(name).no for name in (ended, lives)]
        city.making.end_stream(ended)
        for days, left in ((7, {1, 2, 3}), (8, set[int]())):
            clock.set(Instant(NOW + days * DAY))
            asyncio.run(duties.tidy(city))
            found = [{code for _, code in city.registry.worded.words((no, code) for code in range(9))} for no in numbers]
            assert found == [left, left], days


def test_what_people_said_anew_of_observations_is_restored_with_its_records(tmp_path: Path) -> None:
    with furnished(tmp_path / "var") as city:
        _read(city)
        number = city.registry.stream("air-01.pm25").no
        seen = About(number, Instant(NOW - HOUR), None, None)
        words = '{"parameters":{"by":"hand"}}'
        anew = Anew(seen, seen._replace(said=words, restated="parameters"))
        moved = Anew(seen._replace(time=NOW), seen._replace(restated="phenomenonTime", said=words))
        elsewhere = moved._replace(about=moved.about._replace(time=Instant(NOW - 1)))
        city.featured.restate([(anew, Signed("officer", "读错了表", NOW))])
        city.featured.restate([(elsewhere, Signed("officer", "记错了时间", NOW))])
    backup(tmp_path / "var", tmp_path / "kept")
    restore(tmp_path / "kept", tmp_path / "again")
    with furnished(tmp_path / "again") as city:
        assert city.featured.verify() == 2
        assert city.featured.moved((number,), NOW) == (number, NOW - 1)
        assert [one.why for one in city.corrections.restated(city.registry.stream("air-01.pm25"))] == ["记错了时间", "读错了表"]
        assert city.featured.at([(number, NOW - HOUR)])[f"{number}.{NOW - HOUR}"].words() == {"parameters": {"by": "hand"}}
