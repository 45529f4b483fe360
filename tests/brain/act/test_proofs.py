"""Photos that prove work: what they say of themselves is read, and an old one, one from elsewhere or one seen before is refused."""

from datetime import datetime, timedelta, timezone
from io import BytesIO
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from citybrain.brain.act.exif import Taken, taken
from citybrain.brain.act.proofs import NEAR, judged
from citybrain.kernel.coordinates import gcj02_from_wgs84
from citybrain.kernel.errors import BadInputError
from citybrain.kernel.instant import HOUR, MINUTE, Instant, at, parse
from citybrain.kernel.places import Place
from tests.brain.act.photographs import photograph

SHANGHAI = ZoneInfo("Asia/Shanghai")
OPENED, NOW = parse("2026-11-22T06:00:00Z"), parse("2026-11-22T07:00:00Z")
HERE = Place(117.15, 39.12)


def why(said: Taken, place: Place | None = HERE) -> str:
    """The reason of a refusal."""
    with pytest.raises(BadInputError) as refused:
        judged(said, OPENED, NOW, place)
    return str(refused.value.fields["reason"])


def test_a_photo_says_when_and_where_it_was_taken() -> None:
    said = taken(photograph(datetime(2026, 11, 22, 14, 30, tzinfo=SHANGHAI), HERE))
    assert said.at == parse("2026-11-22T06:30:00Z")
    assert said.place is not None
    assert (said.place.lon, said.place.lat) == pytest.approx((HERE.lon, HERE.lat), abs=1e-6)


def test_a_time_without_an_offset_is_that_of_the_district() -> None:
    assert taken(photograph(datetime(2026, 11, 22, 14, 30, tzinfo=SHANGHAI).replace(tzinfo=None))).at == parse(
        "2026-11-22T06:30:00Z"
    )


@given(st.integers(-12 * 60, 14 * 60), st.floats(-179, 179), st.floats(-89, 89))
def test_any_offset_and_any_side_of_the_world_is_read(minutes: int, lon: float, lat: float) -> None:
    moment = datetime(2026, 11, 22, 14, 30, tzinfo=timezone(timedelta(minutes=minutes)))
    said = taken(photograph(moment, Place(lon, lat)))
    assert said.at == at(moment)
    if said.place is not None:
        assert (said.place.lon, said.place.lat) == pytest.approx((lon, lat), abs=1e-5)


@pytest.mark.parametrize("photo", [b"", b"no photo", photograph(), photograph(place=Place(0, 0)), photograph()[:40]])
def test_what_says_nothing_of_itself_is_no_proof_of_anything(photo: bytes) -> None:
    assert taken(photo) == Taken()


def test_what_is_taken_on_site_after_the_opening_is_kept_with_how_far_it_was() -> None:
    proof = judged(Taken(Instant(OPENED + HOUR // 2), Place(HERE.lon, HERE.lat + 0.001)), OPENED, NOW, HERE)
    assert (proof.taken, proof.metres) == (OPENED + HOUR // 2, 111)


def test_what_a_photo_does_not_say_is_not_verified_and_not_refused() -> None:
    assert judged(Taken(), OPENED, NOW, HERE).metres is None
    assert judged(Taken(Instant(OPENED + MINUTE), HERE), OPENED, NOW, None).metres is None


def test_an_old_photo_one_from_elsewhere_and_one_of_tomorrow_are_refused() -> None:
    assert why(Taken(Instant(OPENED - HOUR), HERE)) == "old_photo"
    assert why(Taken(Instant(NOW + HOUR), HERE)) == "future_photo"
    assert why(Taken(Instant(NOW - MINUTE), Place(HERE.lon, HERE.lat + 0.02))) == "far_photo"
    assert why(Taken(Instant(OPENED - HOUR)), None) == "old_photo"


def test_the_clock_of_a_phone_may_err_by_minutes() -> None:
    for moment in (OPENED - 4 * MINUTE, NOW + 4 * MINUTE):
        assert judged(Taken(Instant(moment), HERE), OPENED, NOW, HERE).taken == moment


def test_a_phone_that_writes_the_shifted_coordinates_of_its_map_is_not_taken_for_far_away() -> None:
    lon, lat = gcj02_from_wgs84(np.array([HERE.lon]), np.array([HERE.lat]))
    proof = judged(Taken(NOW, Place(float(lon[0]), float(lat[0]))), OPENED, NOW, HERE)
    assert proof.metres is not None
    assert proof.metres < NEAR // 10


def test_reading_takes_nothing_of_the_photo_away() -> None:
    given_photo = photograph(datetime(2026, 11, 22, 14, 30, tzinfo=SHANGHAI), HERE)
    taken(given_photo)
    assert BytesIO(given_photo).read() == given_photo
