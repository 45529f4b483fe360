"""Photos that prove the work on a case: judged by when and where they were taken before they are kept, refused when old or from elsewhere.

upload → judged, cleaned, file, row that it waits → (the step is taken) row gone, the step names the file · (never) both gone in a day
"""

from collections.abc import Callable, Mapping
from io import BytesIO
from typing import IO, BinaryIO, Final

import msgspec
import numpy as np
from sqlalchemy import Connection, insert, select

from citybrain.brain.act import exif, photos, records, waiting_photos
from citybrain.brain.act.alike import metres
from citybrain.brain.act.exif import Taken
from citybrain.brain.act.store import REPORT, STEP, STEP_PHOTO
from citybrain.kernel.cases import Case, Step
from citybrain.kernel.clock import Clock
from citybrain.kernel.coordinates import wgs84_from_gcj02
from citybrain.kernel.errors import BadInputError
from citybrain.kernel.instant import MINUTE, Duration, Instant, local
from citybrain.kernel.places import Place
from citybrain.kernel.ports import Files, Keys, Transactions
from citybrain.kernel.text import Text

NEAR: Final = 200
"""Metres from the case within which a photo shows it: a street's width, and what a phone may err between houses."""
_AHEAD: Final = Duration(5 * MINUTE)
"""How far a phone's clock may run ahead, or behind."""
_BEGINNINGS: Final = ("open", "reopen")


class Proof(msgspec.Struct, frozen=True):
    """A photo of a step: its file, when it was taken and how many metres from the case; None where it did not say."""

    photo: str
    taken: Instant | None
    metres: int | None


class Proofs:
    """Keeps the photos of steps. Where an officer stood is not kept, only how far that was from the case."""

    def __init__(self, transactions: Transactions[Connection], files: Files, keys: Keys, clock: Clock) -> None:
        self._transactions = transactions
        self._files = files
        self._keys = keys
        self._clock = clock

    def keep(self, case: Case, stream: IO[bytes]) -> str:
        """Judge a photo, clean it and store it until its step is taken; the word that names it in the step.

        Raises BadInputError for one that is older than the case, from elsewhere or from the future, and as ``photos.cleaned`` does.
        """
        given = stream.read(photos.LARGEST + 1)
        proof = self._judged(case, given)
        reference = waiting_photos.keep(self._transactions, self._files, self._clock, photos.cleaned(BytesIO(given)))
        return self._keys.seal(msgspec.json.encode(msgspec.structs.replace(proof, photo=reference)), _bound(case)).hex()

    def beside(self, case: Case, word: str) -> Callable[[Connection, Step], None]:
        """What writes the photo of a word with its step, in the step's own transaction.

        Raises BadInputError for a word of another case; the writing does for a photo that the case holds already.
        """
        try:
            proof = msgspec.json.decode(self._keys.open(bytes.fromhex(word), _bound(case)), type=Proof)
        except (ValueError, BadInputError):
            raise BadInputError(
                Text("照片已失效，请重新选择。", "The photo has expired. Choose it again."), field="photo"
            ) from None

        def write(connection: Connection, step: Step) -> None:
            _fresh(connection, case.id, proof.photo)
            waiting_photos.take(connection, proof.photo)
            connection.execute(insert(STEP_PHOTO).values(step=step.id, **msgspec.structs.asdict(proof)))

        return write

    def of(self, case_id: str) -> Mapping[str, Proof]:
        """The photos of a case, by step."""
        wanted = select(STEP_PHOTO).join(STEP, STEP.c.id == STEP_PHOTO.c.step).where(STEP.c.case == case_id)
        with self._transactions.read() as connection:
            return {row.step: Proof(row.photo, row.taken, row.metres) for row in connection.execute(wanted)}

    def photo(self, proof: Proof) -> BinaryIO:
        """The picture; whoever asks has been asked for already. Raises NotFoundError."""
        return self._files.open(proof.photo)

    def _judged(self, case: Case, given: bytes) -> Proof:
        with self._transactions.read() as connection:
            steps = [
                records.step_of(dict(row)) for row in connection.execute(select(STEP).where(STEP.c.case == case.id)).mappings()
            ]
        begun = max(step.wall for step in steps if step.move in _BEGINNINGS)
        return judged(exif.taken(given), begun, self._clock.wall(), case.place)


def judged(said: Taken, begun: Instant, now: Instant, place: Place | None) -> Proof:
    """What a photo proves of a case that was opened at ``begun`` and lies at ``place``; all times are of the wall clock.

    Raises BadInputError for a photo that was taken before, after ``now``, or more than NEAR metres away.
    """
    if said.at is not None and said.at < begun - _AHEAD:
        what = Text(
            f"照片拍摄于 {_told(said.at)}，早于立案时间 {_told(begun)}，不能证明本次处置。请到现场重新拍摄。",
            f"The photo was taken at {_told(said.at)}, before the case was opened at {_told(begun)}: it proves nothing of this "
            "work. Take a new one on site.",
        )
        raise BadInputError(what, field="photo", reason="old_photo")
    if said.at is not None and said.at > now + _AHEAD:
        what = Text(
            f"照片的拍摄时间 {_told(said.at)} 尚未到来。请校正手机时间后重新拍摄。",
            f"The photo says that it was taken at {_told(said.at)}, which is still to come. Set the phone's clock and take a new one.",
        )
        raise BadInputError(what, field="photo", reason="future_photo")
    away = None if said.place is None or place is None else _away(said.place, place)
    if away is not None and away > NEAR:
        far = f"{away / 1000:.1f}"
        what = Text(
            f"照片拍摄地点距案件位置 {far} 公里，超过 {NEAR} 米。请到现场重新拍摄；位置有误的，请先在说明中写明并转办。",
            f"The photo was taken {far} km from the case, over {NEAR} m. Take one on site; where the case's place is wrong, say so in a "
            "note and transfer it.",
        )
        raise BadInputError(what, field="photo", reason="far_photo", metres=away)
    return Proof("", said.at, away)


def _bound(case: Case) -> bytes:
    return f"proof {case.id}".encode()


def _told(instant: Instant) -> str:
    return local(instant).strftime("%Y-%m-%d %H:%M")


def _away(here: Place, there: Place) -> int:
    """Metres between two places; some phones sold in China write GCJ-02 without saying so, so the nearer reading counts."""
    turned = wgs84_from_gcj02(np.array([here.lon]), np.array([here.lat]))
    seen = (here, Place(float(turned[0][0]), float(turned[1][0])))
    return round(min(metres(one, there) for one in seen))


def _fresh(connection: Connection, case_id: str, photo: str) -> None:
    """Raise BadInputError for a photo that a report or an earlier step of the case shows already."""
    reported = select(REPORT.c.id).where(REPORT.c.case == case_id, REPORT.c.photo == photo)
    shown = select(STEP_PHOTO.c.step).join(STEP, STEP.c.id == STEP_PHOTO.c.step).where(STEP.c.case == case_id)
    if connection.execute(reported).first() or connection.execute(shown.where(STEP_PHOTO.c.photo == photo)).first():
        what = Text(
            "这张照片案件中已有，不能证明本次处置。请到现场重新拍摄。",
            "The case holds this very photo already: it proves nothing of this work. Take a new one on site.",
        )
        raise BadInputError(what, field="photo", reason="same_photo")
