"""Parties, and who may act for whom."""

from citybrain.kernel.instant import Instant
from citybrain.kernel.parties import Delegation


def test_a_delegation_covers_its_matters_until_its_end() -> None:
    delegation = Delegation("old", "young", ("pension",), Instant(10), Instant(20))

    assert [delegation.covers("pension", Instant(at)) for at in (9, 10, 19, 20)] == [False, True, True, False]
    assert not delegation.covers("housing", Instant(15))
