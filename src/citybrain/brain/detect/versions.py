"""Limits that officials publish: dated versions of a pack's parameters, appended and never changed."""

import msgspec

from citybrain.kernel.instant import Instant


class LimitVersion(msgspec.Struct, frozen=True):
    """A published value of a parameter: ``no`` counts all publications, ``version`` those of this parameter from 1.

    It holds from ``since`` (city time); ``by`` is an account, ``wall`` when it was done; ``back_to`` is the version whose value a
    roll-back took again, 0 for the declared one.
    """

    no: int
    pack: str
    name: str
    version: int
    value: float
    before: float
    since: Instant
    wall: Instant
    by: str
    why: str
    note: str = ""
    back_to: int | None = None

    @property
    def key(self) -> str:
        """The parameter's name in full, ``pack.name``."""
        return f"{self.pack}.{self.name}"
