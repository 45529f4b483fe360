"""A ``$filter`` that can hold for nothing is refused with its cause and its brackets; what may hold is taken."""

import pytest

from citybrain.doors.sensorthings.model import SETS
from citybrain.doors.sensorthings.options import options
from citybrain.kernel.errors import BadInputError
from tests.doors.conftest import World
from tests.doors.sensorthings.conftest import desk, fill


@pytest.mark.parametrize(
    ("of", "written", "read", "cause"),
    [
        (
            "Things",
            "not properties/kind eq 'x'",
            "((not properties/kind) eq 'x')",
            "'not' goes before 'eq': write not (properties/kind eq 'x').",
        ),
        ("Things", "not name eq 'x'", "(not name)", "name is a text, and true or false belongs here"),
        ("Things", "not 5", "(not 5)", "5 is a number"),
        ("Things", "name", "name", "name is a text"),
        ("Things", "name and id eq 'x'", "(name and (id eq 'x'))", "name is a text"),
        ("Things", "id eq 'x' or length(name)", "((id eq 'x') or length(name))", "length(name) is a number"),
        ("Things", "name eq 5", "(name eq 5)", "a text and a number are not compared"),
        ("Things", "5 ne id", "(5 ne id)", "a number and a text are not compared"),
        ("Things", "name eq 2026-11-22T06:30:00Z", "(name eq 2026-11-22T06:30:00Z)", "a text and a time are not compared"),
        ("Things", "Datastreams/unitOfMeasurement/symbol gt 1", "(Datastreams/unitOfMeasurement/symbol gt 1)", "not compared"),
        ("Things", "name add 1 eq 2", "(name add 1)", "a text and a number have no 'add'"),
        ("Things", "-name eq 2", "(-name)", "name is a text, and a number belongs here"),
        ("Things", "name mul 2 gt 3", "(name mul 2)", "name is a text, and a number belongs here"),
        ("Things", "year(name) eq 2026", "year(name)", "name is a text, and a time belongs here"),
        ("Things", "substring(name,'a') eq 'b'", "substring(name, 'a')", "'a' is a text, and a number belongs here"),
        ("Things", "st_within(name,geography'POINT (1 2)')", "st_within(name, geography'…')", "a geometry belongs here"),
        ("Locations", "location eq geography'POINT (1 2)'", "(location eq geography'…')", "a geometry has no 'eq'"),
        ("Observations", "phenomenonTime gt 5", "(phenomenonTime gt 5)", "a time and a number are not compared"),
        ("Observations", "phenomenonTime gt 'soon'", "(phenomenonTime gt 'soon')", "a time and a text are not compared"),
        ("Observations", "1 lt result lt 5", "((1 lt result) lt 5)", "true or false and a number are not compared"),
        ("Observations", "(result gt 1) gt true", "((result gt 1) gt true)", "true or false has no 'gt'"),
        ("Observations", "phenomenonTime add 1 gt now()", "(phenomenonTime add 1)", "a time and a number have no 'add'"),
        ("Observations", "Datastream/name lt 5", "(Datastream/name lt 5)", "not compared"),
    ],
)
def test_what_can_hold_for_nothing_is_refused_with_its_cause_and_its_brackets(of: str, written: str, read: str, cause: str) -> None:
    with pytest.raises(BadInputError) as refused:
        options([("$filter", written)], SETS[of])
    assert refused.value.what.en.startswith(f"$filter is read as {read}: ")
    assert cause in refused.value.what.en
    assert read in refused.value.what.zh


@pytest.mark.parametrize(
    ("of", "written"),
    [
        ("Things", "not (properties/kind eq 'x')"),
        ("Things", "not properties/open"),
        ("Things", "not properties/open and name eq 'x'"),
        ("Things", "(not properties/open) eq properties/shut"),
        ("Things", "(not (name eq 'x')) eq true"),
        ("Things", "not contains(name,'x')"),
        ("Things", "properties/open"),
        ("Things", "true"),
        ("Things", "name eq null and null eq id"),
        ("Things", "properties/depth add 1 gt 2"),
        ("Things", "properties/since add duration'P1D' gt now()"),
        ("Things", "length(concat(name,'x')) sub 1 gt 2"),
        ("Things", "name eq '2026-11-22'"),
        ("Observations", "result eq 'x'"),
        ("Observations", "result add 1 gt 5 or result eq 3"),
        ("Observations", "phenomenonTime gt '2026-11-22T06:30:00Z'"),
        ("Observations", "phenomenonTime lt 2026-11-22T07:00:00Z/2026-11-22T08:00:00Z"),
        ("Observations", "now() sub phenomenonTime lt duration'PT1H'"),
        ("Observations", "date(phenomenonTime) eq 2026-11-22 and date(phenomenonTime) eq date(now())"),
        ("Observations", "date(phenomenonTime) eq '2026-11-22' and time(phenomenonTime) lt 06:30"),
        ("Observations", "year('2026-11-22T06:30:00Z') eq 2026"),
        ("Observations", "-result lt 3 and round(result) mod 2 eq 0"),
        ("Locations", "st_within(location,geography'POINT (1 2)') eq true"),
        ("Locations", "geo.distance(location,geography'POINT (1 2)') lt 1"),
    ],
)
def test_what_may_hold_is_taken(of: str, written: str) -> None:
    assert options([("$filter", written)], SETS[of]).where is not None


def test_what_is_sorted_by_may_be_of_any_kind_but_not_computed_of_a_wrong_one() -> None:
    assert options([("$orderby", "length(name) desc,name")], SETS["Things"]).order
    with pytest.raises(BadInputError, match=r"\$orderby is read as \(name mul 2\)"):
        options([("$orderby", "name mul 2")], SETS["Things"])


async def test_the_door_says_how_it_read_a_not_without_brackets(sta: World) -> None:
    async with desk(sta) as someone:
        await fill(sta)
        status, message = await someone.refused("/Things", _filter="not properties/kind eq 'well'")
        assert status == 400
        assert "not (properties/kind eq 'well')" in message
        assert (await someone.refused("/Things", _expand="Datastreams($filter=name eq 5)"))[0] == 400
        assert "well-1" not in await someone.ids("/Things", _filter="not (properties/kind eq 'well')")
        assert "well-1" in await someone.ids("/Things", _filter="not (properties/kind eq 'other')")
