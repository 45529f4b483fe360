"""Identifiers."""

import uuid

from hypothesis import given
from hypothesis import strategies as st

from citybrain.kernel.ids import case_number, new_id, uuid7

times = st.integers(0, 2**48 - 2)
chances = st.integers(0, 2**74 - 1)


def test_the_vector_of_rfc_9562() -> None:
    # RFC 9562 appendix A.6: time 0x017F22E279B0, rand_a 0xCC3, rand_b 0x18C4DC0C0C07398F
    assert uuid7(0x017F22E279B0, 0xCC3 << 62 | 0x18C4DC0C0C07398F) == "017f22e2-79b0-7cc3-98c4-dc0c0c07398f"


@given(times, chances)
def test_version_and_variant_are_those_of_uuid7(milliseconds: int, chance: int) -> None:
    made = uuid.UUID(uuid7(milliseconds, chance))

    assert (made.version, made.variant) == (7, uuid.RFC_4122)
    assert made.int >> 80 == milliseconds


@given(times, chances, chances)
def test_ids_sort_by_the_time_of_their_making(milliseconds: int, one: int, other: int) -> None:
    assert uuid7(milliseconds, one) < uuid7(milliseconds + 1, other)


def test_fresh_ids_differ() -> None:
    assert len({new_id() for _ in range(1000)}) == 1000


def test_a_case_number_is_what_people_quote() -> None:
    assert case_number("NK", "20261122", 123) == "NK-20261122-000123"
