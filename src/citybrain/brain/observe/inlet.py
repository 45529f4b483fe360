"""The way in for observations as doors know it: the intake of this process, or that of another one."""

from collections.abc import Sequence
from typing import Protocol

from citybrain.brain.observe.intake import Verdict
from citybrain.brain.observe.registry import Registry
from citybrain.brain.observe.rows import Rows
from citybrain.kernel.instant import Instant
from citybrain.kernel.observations import DoorAccount, Floats, Ints, Numbers, Refusal


class Inlet(Protocol):
    """Takes observations in and says what became of each row when they are durable."""

    async def take(self, rows: Rows, door: str, key: str | None) -> Verdict:
        """Check and store rows. The same key of a door again gives the first verdict. Raises BusyError and StorageFullError."""
        ...

    async def take_columns(self, stream_no: Numbers, time: Ints, value: Floats, door: str, key: str | None) -> Verdict:
        """The same for columns (n,) with stream numbers, values in their streams' units."""
        ...

    def accounts(self) -> Sequence[DoorAccount]:
        """The ledger of every door, as last told while the process that keeps it is away; raises BusyError before it was ever told."""
        ...

    def silent(self) -> Instant | None:
        """When the process that keeps the ledger last told of it (wall time), where it is away; None where ``accounts`` are of now."""
        ...

    def refused(self, rows: Rows, registry: Registry) -> tuple[Refusal, ...]:
        """Which rows would be refused now, with the register as it is or will be; nothing is stored."""
        ...
