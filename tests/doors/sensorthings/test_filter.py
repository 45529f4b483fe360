"""``$filter``: built-in operations and functions against a plain reading in Python, and what is pushed to the store loses no row."""

import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from citybrain.doors.sensorthings.evaluate import holds, values
from citybrain.doors.sensorthings.grammar import parse
from citybrain.doors.sensorthings.nodes import Value
from citybrain.doors.sensorthings.push import Places, instant, number, push, text
from citybrain.doors.sensorthings.search import inside
from citybrain.kernel import predicate
from citybrain.kernel.errors import BadInputError, NotHeldError
from citybrain.kernel.instant import at, rfc3339
from citybrain.kernel.instant import parse as instant_of
from citybrain.kernel.text import Json

NOW = datetime(2026, 11, 22, 7, tzinfo=UTC)
HALF_PAST = datetime(2026, 11, 22, 6, 30, 15, 250_000, tzinfo=UTC)
PLACE: Json = {"type": "Point", "coordinates": [117.1, 39.1]}
ROW: dict[str, Json] = {"a": 7, "b": 2.5, "t": "Level 水位", "z": None, "on": True, "place": PLACE}


def resolve(parts: tuple[str, ...]) -> tuple[Value, ...]:
    return (HALF_PAST,) if parts == ("at",) else (inside(ROW, parts),)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("a add b", 9.5),
        ("a sub 10", -3),
        ("a mul 2 add 1", 15),
        ("a mul (2 add 1)", 21),
        ("a div 2", 3),
        ("-a div 2", -3),
        ("a div 2.0", 3.5),
        ("a mod 4", 3),
        ("-a mod 4", -3),
        ("a div 0", None),
        ("z add 1", None),
        ("t add 1", None),
        ("round(2.5)", 3),
        ("round(-2.5)", -3),
        ("floor(-2.5)", -3),
        ("ceiling(2.1)", 3),
        ("length(t)", 8),
        ("indexof(t,'水')", 6),
        ("substring(t,6)", "水位"),
        ("substring(t,0,5)", "Level"),
        ("tolower(t)", "level 水位"),
        ("toupper('ab')", "AB"),
        ("trim('  x ')", "x"),
        ("concat(concat(t,'!'),'?')", "Level 水位!?"),
        ("year(at)", 2026),
        ("month(at)", 11),
        ("day(at)", 22),
        ("hour(at)", 6),
        ("minute(at)", 30),
        ("second(at)", 15),
        ("fractionalseconds(at)", 0.25),
        ("date(at)", "2026-11-22"),
        ("time(at)", "06:30:15.250000"),
        ("totaloffsetminutes(2026-11-22T08:00:00+08:00)", 480),
        ("at add duration'PT1H'", HALF_PAST + timedelta(hours=1)),
        ("now() sub at", NOW - HALF_PAST),
        ("'it''s'", "it's"),
        ("geo.distance(place, geography'POINT (117.1 39.2)')", pytest.approx(0.1)),
        ("geo.length(geography'LINESTRING (0 0, 0 2)')", 2.0),
    ],
)
def test_built_in_functions_give_what_the_standard_says(written: str, expected: object) -> None:
    assert values(parse(written), resolve, NOW) == (expected,)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("a eq 7 and b lt 3", True),
        ("a eq 7 and not (b lt 3)", False),
        ("a eq 8 or b eq 2.5 and on eq true", True),
        ("z eq null", True),
        ("z ne 1", True),
        ("z lt 1", False),
        ("not (z eq 1)", True),
        ("t eq 7", False),
        ("t ne 7", True),
        ("on eq 1", False),
        ("on", True),
        ("substringof('水',t)", True),
        ("startswith(t,'Level') and endswith(t,'位')", True),
        ("at gt 2026-11-22T14:30:00+08:00", True),
        ("at gt 2026-11-22T14:30:00 08:00", True),
        ("at lt now() sub duration'PT30M'", False),
        ("at lt 2026-11-22T07:00:00Z/2026-11-22T08:00:00Z", True),
        ("a lt 99999999999999999999 and a lt 999999999999999999", True),
        ("date(at) eq 2026-11-22", True),
        ("2026-11-23 eq date(at)", False),
        ("date(at) gt 2026-11-21 and date(at) lt 2026-11-23", True),
        ("date(at) eq date(now())", True),
        ("at ge 2026-11-22", True),
        ("time(at) lt 06:30:15.3 and time(at) gt 06:30", True),
        ("time(at) ge 06:30:15.25 and time(at) le 06:30:15.250", True),
        ("at ge mindatetime() and at le maxdatetime()", True),
        ("st_within(place, geography'POLYGON ((117 39, 118 39, 118 40, 117 40, 117 39))')", True),
        ("st_disjoint(place, geography'POLYGON ((117 39, 118 39, 118 40, 117 40, 117 39))')", False),
        ("geo.intersects(place, geography'POINT (117.1 39.1)')", True),
        ("st_equals(place, geography'POINT (117.1 39.1)')", True),
        ("st_contains(geography'POLYGON ((117 39, 118 39, 118 40, 117 40, 117 39))', place)", True),
        ("st_touches(geography'POINT (117 39)', geography'LINESTRING (117 39, 118 39)')", True),
        ("st_crosses(geography'LINESTRING (0 0, 2 2)', geography'LINESTRING (0 2, 2 0)')", True),
        ("st_overlaps(place, place)", False),
        ("st_relate(place, place, '0FFFFFFF2')", True),
        ("st_within(t, place)", False),
        ("a in (1,7)", True),
        ("a add 1 in (8) and not (t in ('x', 'y'))", True),
        ("a in (1, 2) or z in (null, 'x')", True),
        ("date(at) in (2026-11-21, 2026-11-22)", True),
    ],
)
def test_built_in_operations_hold_where_the_standard_says(*, written: str, expected: bool) -> None:
    assert holds(parse(written), resolve, NOW) is expected


@pytest.mark.parametrize(
    "written",
    [
        "",
        "a",
        "a eq",
        "eq 1",
        "(a eq 1",
        "a eq 1)",
        "a == 1",
        "geography'nonsense'",
        "f'",
        "a eq 1 b",
        "a in ()",
        "a in 1",
        "a in (1",
        "time(at) lt 25:00",
        "a lt 1e400",
        f"a lt {'9' * 400}",
    ],
)
def test_what_is_no_filter_is_refused_or_holds_for_nothing(written: str) -> None:
    if written == "a":
        assert not holds(parse(written), resolve, NOW)
        return
    with pytest.raises(BadInputError):
        parse(written)


@pytest.mark.parametrize("word", ["or", "and"])
def test_a_list_of_many_conditions_is_held_and_is_no_deep_tree(word: str) -> None:
    written = f" {word} ".join(f"a eq {n}" for n in range(600))
    tree = parse(written)
    assert holds(tree, resolve, NOW) is (word == "or")
    assert predicate.holds(push(tree, {"a": number("x")}).where, {"x": 7}) is (word == "or")
    with pytest.raises(BadInputError):
        parse(" add ".join("1" for _ in range(600)))


def test_what_cannot_be_read_names_the_option_that_it_stands_in() -> None:
    with pytest.raises(BadInputError, match=r"\$orderby .* bogus") as refused:
        parse("name bogus", "$orderby")
    assert refused.value.fields["parameter"] == "$orderby"


Plain = Callable[[dict[str, float | None]], float | bool | None]
FIELDS = ("a", "b")


def leaf() -> st.SearchStrategy[tuple[str, Plain]]:
    numbers = st.integers(-5, 5).map(lambda n: (str(n) if n >= 0 else f"({n})", lambda _: n))
    return numbers | st.sampled_from(FIELDS).map(lambda name: (name, lambda row: row[name]))


def arithmetic(inner: st.SearchStrategy[tuple[str, Plain]]) -> st.SearchStrategy[tuple[str, Plain]]:
    able: dict[str, Callable[[float, float], float | None]] = {
        "add": lambda x, y: x + y,
        "sub": lambda x, y: x - y,
        "mul": lambda x, y: x * y,
        "div": lambda x, y: math.trunc(x / y) if y else None,
        "mod": lambda x, y: math.fmod(x, y) if y else None,
    }

    def made(word: str, one: tuple[str, Plain], two: tuple[str, Plain]) -> tuple[str, Plain]:
        def plain(row: dict[str, float | None]) -> float | None:
            x, y = one[1](row), two[1](row)
            return None if x is None or y is None else able[word](x, y)

        return f"({one[0]} {word} {two[0]})", plain

    return st.builds(made, st.sampled_from(sorted(able)), inner, inner)


def comparison() -> st.SearchStrategy[tuple[str, Plain]]:
    able: dict[str, Callable[[float, float], bool]] = {
        "lt": lambda x, y: x < y,
        "le": lambda x, y: x <= y,
        "gt": lambda x, y: x > y,
        "ge": lambda x, y: x >= y,
    }

    def made(word: str, one: tuple[str, Plain], two: tuple[str, Plain]) -> tuple[str, Plain]:
        def plain(row: dict[str, float | None]) -> bool:
            x, y = one[1](row), two[1](row)
            if word in ("eq", "ne"):
                return (x == y) is (word == "eq")
            return x is not None and y is not None and able[word](x, y)

        return f"{one[0]} {word} {two[0]}", plain

    terms = st.recursive(leaf(), arithmetic, max_leaves=4)
    return st.builds(made, st.sampled_from(("eq", "ne", *able)), terms, terms)


def logic(inner: st.SearchStrategy[tuple[str, Plain]]) -> st.SearchStrategy[tuple[str, Plain]]:
    pairs = st.builds(
        lambda word, one, two: (
            f"({one[0]}) {word} ({two[0]})",
            lambda row: (one[1](row) and two[1](row)) if word == "and" else (one[1](row) or two[1](row)),
        ),
        st.sampled_from(("and", "or")),
        inner,
        inner,
    )
    return pairs | inner.map(lambda one: (f"not ({one[0]})", lambda row: not one[1](row)))


rows = st.fixed_dictionaries({name: st.none() | st.integers(-5, 5) for name in FIELDS})
COLUMNS = {"a": number("x"), "b": number("y")}


@pytest.mark.thorough
@settings(max_examples=300, deadline=None, database=None, derandomize=True)
@given(st.recursive(comparison(), logic, max_leaves=6), rows)
def test_a_filter_means_what_plain_python_means_and_the_store_loses_no_row(
    made: tuple[str, Plain], row: dict[str, float | None]
) -> None:
    tree = parse(made[0])
    wanted = bool(made[1](row))
    assert holds(tree, lambda parts: (row[parts[0]],), NOW) is wanted, made[0]
    pushed = push(tree, COLUMNS)
    stored = predicate.holds(pushed.where, {"x": row["a"], "y": row["b"]})
    assert stored is wanted if pushed.exact else (stored or not wanted), made[0]


@settings(max_examples=200, deadline=None, database=None, derandomize=True)
@given(st.text(max_size=40))
def test_whatever_is_written_is_read_or_refused_never_an_error(written: str) -> None:
    try:
        tree = parse(written)
    except (BadInputError, NotHeldError):
        return
    holds(tree, lambda _: (None,), NOW)


def test_what_the_store_can_answer_is_pushed_to_it() -> None:
    columns = {"name": text("title"), "result": number("value"), "at": instant("time")}
    places = Places(frozenset({"place"}), lambda _: ())
    time = rfc3339(at(HALF_PAST))
    box = "geography'POLYGON ((117 39, 118 39, 118 40, 117 39))'"
    for written, expected, exact in (
        ("result gt 5 and at ge 2026-11-22T06:30:15.25Z", "value gt 5, time ge " + time, True),
        ("5 lt result", "value gt 5", True),
        ("result gt 5 and year(at) eq 2026", "value gt 5", False),
        ("substringof('x',name)", "title contains x", False),
        ("name gt 'x'", "", False),
        ("result add 1 gt 5", "", False),
        (f"st_within(place, {box})", "117.0 39.0 118.0 40.0", False),
    ):
        pushed = push(parse(written), columns, places)
        assert (spelt(pushed.where), pushed.exact) == (expected, exact), written
    assert instant_of(time) == at(HALF_PAST)


def spelt(where: predicate.Predicate) -> str:
    """A predicate in words."""
    match where:
        case predicate.Compare(field=field, op=op, value=value):
            return f"{field} {op} {value}"
        case predicate.And(parts=parts):
            return ", ".join(spelt(part) for part in parts)
        case predicate.Within(west=west, south=south, east=east, north=north):
            return f"{west} {south} {east} {north}"
        case _:
            return str(where)


def test_outlines_that_meet_the_box_are_named_unless_they_are_too_many() -> None:
    where = parse("st_within(place, geography'POLYGON ((117 39, 118 39, 118 40, 117 39))')")
    box = predicate.Within(117, 39, 118, 40)
    named = push(where, {}, Places(frozenset({"place"}), lambda sides: ("park",) if sides == (117, 39, 118, 40) else ()))
    assert (named.where, named.exact) == (predicate.Or((box, predicate.Compare("id", "in", ("park",)))), False)
    assert push(where, {}, Places(frozenset({"place"}), lambda _: None)).where == predicate.EVERYTHING
