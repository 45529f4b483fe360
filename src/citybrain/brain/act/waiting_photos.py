"""Photos that wait for their report or step: kept when uploaded, taken when it is sent, deleted a day later where it never was.

upload → file, row → (sent) row gone, the report or step names the file · (never sent) file gone, row gone
"""

from typing import BinaryIO, Final

from sqlalchemy import Connection, delete, insert, select, update

from citybrain.brain.act import photos
from citybrain.brain.act.store import REPORT, REPORT_PHOTO, STEP_PHOTO
from citybrain.kernel.clock import Clock
from citybrain.kernel.errors import BadInputError, NotFoundError
from citybrain.kernel.instant import DAY, Instant
from citybrain.kernel.ports import Files, Transactions
from citybrain.kernel.text import Text

WAITS: Final = DAY
"""How long a photo waits for its report, by the wall clock."""
_AT_ONCE: Final = 200


def keep(transactions: Transactions[Connection], files: Files, clock: Clock, cleaned: BinaryIO) -> str:
    """Store a photo that waits from now on; returns its reference.

    The row is written after the file and the file looked for once more: a deletion of the same photo in between is made good.
    """
    reference = files.put(cleaned, photos.KIND)
    with transactions.begin() as tx:
        waits = update(REPORT_PHOTO).where(REPORT_PHOTO.c.photo == reference).values(wall=clock.wall())
        if tx.connection.execute(waits).rowcount == 0:
            tx.connection.execute(insert(REPORT_PHOTO).values(photo=reference, wall=clock.wall()))
    try:
        files.open(reference).close()
    except NotFoundError:
        cleaned.seek(0)
        files.put(cleaned, photos.KIND)
    return reference


def take(connection: Connection, reference: str) -> None:
    """A report that is being written names the photo: it waits no longer; raises BadInputError for one that was deleted already."""
    waited = connection.execute(delete(REPORT_PHOTO).where(REPORT_PHOTO.c.photo == reference)).rowcount
    if not waited and not _named(connection, reference):
        raise BadInputError(Text("照片已失效，请重新选择。", "The photo has expired. Choose it again."), field="photo")


def clear_due(transactions: Transactions[Connection], files: Files, clock: Clock, limit: int = _AT_ONCE) -> int:
    """Delete the photos whose report was not sent in time, never one that a report names; returns how many there were.

    The file goes inside the transaction that deletes its row: a kill in between leaves the row, and the next run finds nothing to delete.
    """
    before = Instant(clock.wall() - WAITS)
    with transactions.read() as connection:
        chosen = select(REPORT_PHOTO.c.photo).where(REPORT_PHOTO.c.wall <= before).order_by(REPORT_PHOTO.c.wall).limit(limit)
        due = [str(row.photo) for row in connection.execute(chosen)]
    return sum(_clear(transactions, files, before, reference) for reference in due)


def waits(connection: Connection, reference: str) -> bool:
    """Whether a photo waits for a report of its own."""
    return connection.execute(select(REPORT_PHOTO.c.photo).where(REPORT_PHOTO.c.photo == reference)).first() is not None


def proves(connection: Connection, reference: str) -> bool:
    """Whether a photo proves a step."""
    return connection.execute(select(STEP_PHOTO.c.step).where(STEP_PHOTO.c.photo == reference).limit(1)).first() is not None


def _clear(transactions: Transactions[Connection], files: Files, before: Instant, reference: str) -> int:
    with transactions.begin() as tx:
        # Asked again: it may have been taken, or uploaded anew, since.
        gone = delete(REPORT_PHOTO).where(REPORT_PHOTO.c.photo == reference, REPORT_PHOTO.c.wall <= before)
        if tx.connection.execute(gone).rowcount == 0 or _named(tx.connection, reference):
            return 0
        files.remove(reference)
        return 1


def _named(connection: Connection, reference: str) -> bool:
    reported = connection.execute(select(REPORT.c.id).where(REPORT.c.photo == reference).limit(1)).first()
    return reported is not None or proves(connection, reference)
