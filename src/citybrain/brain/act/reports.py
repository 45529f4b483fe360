"""Reports: said → classed, sited, made a case once → followed by number and key → rated at the end, reopened where not solved.

A report and its case are one commit. Whoever has the number and the key sees its progress; nobody needs an account.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Callable, Mapping
from typing import IO, BinaryIO

import msgspec
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from citybrain.brain.act import photos, report_rows, waiting_photos
from citybrain.brain.act.alike import ClassFinder
from citybrain.brain.act.casebook import CaseBook
from citybrain.brain.act.erasing import erase_due
from citybrain.brain.act.matches import Alike, alike
from citybrain.brain.act.report_rows import Rating, Report
from citybrain.brain.act.siting import area_for
from citybrain.brain.act.tries import Allowed, Tries
from citybrain.kernel.access import REPORTER, Caller
from citybrain.kernel.cases import Case, CaseRequest
from citybrain.kernel.clock import Clock
from citybrain.kernel.errors import BadInputError, ConflictError, NotFoundError
from citybrain.kernel.events import Event
from citybrain.kernel.ids import new_id
from citybrain.kernel.instant import DAY, Instant
from citybrain.kernel.ports import Areas, Duty, Files, Keys, Transactions, Tx
from citybrain.kernel.reports import Receipt, ReportClass, ReportForm, Said
from citybrain.kernel.text import Text
from citybrain.kernel.things import Origin

RATED = "citybrain.act.report.rated.v1"
_LONGEST_WORDS, _LONGEST_SHORT, _SHORTEST_KEY = 2000, 100, 16
_RECENT = 2000
"""Open reports that are compared with a new one."""
_UNLIKE = str.maketrans("018", "olb")
"""Digits that a key never has, read as the letters they look like."""


class Progress(msgspec.Struct, frozen=True):
    """What the reporter may see: the case, their report, the answers given, their ratings, and whether they may rate or reopen."""

    case: Case
    report: Report
    ratings: tuple[Rating, ...]
    may_rate: bool
    may_reopen: bool


class ReportBook:
    """All reports of the district. ``secret`` makes the keys (random bytes of a length)."""

    def __init__(
        self,
        transactions: Transactions[Connection],
        forms: Mapping[str, ReportForm],
        cases: CaseBook,
        duty: Duty,
        areas: Areas,
        files: Files,
        keys: Keys,
        clock: Clock,
        origin: Origin = "real",
        allowed: Allowed | None = None,
        secret: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        self._transactions = transactions
        self._forms = dict(forms)
        self._finders = {name: ClassFinder(form.classes) for name, form in forms.items()}
        self._cases = cases
        self._duty = duty
        self._areas = areas
        self._files = files
        self._keys = keys
        self._clock = clock
        self._origin = origin
        self._allowed = allowed or Allowed()
        self._secret = secret
        self._tries = Tries(transactions, clock)

    @property
    def forms(self) -> tuple[ReportForm, ...]:
        """Every form, in the order of the packs."""
        return tuple(self._forms.values())

    def form(self, name: str) -> ReportForm:
        """A form by name; raises NotFoundError."""
        if name not in self._forms:
            raise NotFoundError(Text(f"没有上报表单“{name}”。", f"There is no report form '{name}'."), form=name)
        return self._forms[name]

    def search(self, form: str, said: str, limit: int = 8) -> tuple[ReportClass, ...]:
        """Classes by everyday words, best first; the common ones where nothing was said."""
        known = self.form(form)
        if not said.strip():
            return tuple(one for code in known.common if (one := known.of(code)) is not None)[:limit]
        return self._finders[form].search(said[:_LONGEST_WORDS], limit)

    def unit_for(self, form: ReportForm, kind: ReportClass, area: str | None) -> tuple[str, str]:
        """The duty and the unit that will answer: the class's own, else the form's; raises NotFoundError where neither has a unit."""
        try:
            return kind.duty, self._duty.responsible(kind.duty, area)
        except NotFoundError:
            return form.duty, self._duty.responsible(form.duty, area)

    def keep_photo(self, stream: IO[bytes], address: str) -> str:
        """Clean a photo and store it durably until its report is sent, for a day; returns its reference.

        Raises as ``photos.cleaned`` does, and BusyError.
        """
        self._tries.count("photo", address, self._allowed.reports)
        return waiting_photos.keep(self._transactions, self._files, self._clock, photos.cleaned(stream))

    def area(self, said: Said) -> str | None:
        """Where a report lies; raises BadInputError as ``file`` does."""
        return area_for(self._areas, said.place, said.area, self._origin)

    def alike(self, said: Said) -> tuple[Alike, ...]:
        """Open cases that may be the same matter, likest first; raises BadInputError for what cannot be taken."""
        form = self._checked(said)
        now, area = self._clock.city(), self.area(said)
        with self._transactions.read() as connection:
            recent = report_rows.open_since(connection, form.name, Instant(now - form.alike_within), _RECENT)
        return alike(form, said, area, now, recent)

    def filed(self, said: Said) -> Receipt | None:
        """The receipt of a report that was filed already; raises ConflictError where its key was used for other content."""
        return self._before(_report_id(said), said)

    def file(self, said: Said, caller: Caller, address: str, joins: str | None = None, at: Instant | None = None) -> Receipt:
        """Make a report of it and open its case, or join the open case of a number; the same key again gives the same receipt.

        Raises BadInputError, ConflictError for a key that was used for other content, NotFoundError, BusyError.
        """
        form = self._checked(said)
        report_id = _report_id(said)
        before = self._before(report_id, said)
        if before is not None:
            return before
        self._tries.count("report", address, self._allowed.reports)
        area, now = self.area(said), self._clock.city() if at is None else at
        secret = base64.b32encode(self._secret(10)).decode().lower()

        def beside(connection: Connection, case: Case) -> None:
            if said.photo is not None:
                waiting_photos.take(connection, said.photo)
            report_rows.add(connection, self._row(report_id, case, said, caller, area, now, secret))

        duty, _ = self.unit_for(form, _kind(form, said), area)
        key = self._key_of(joins, form, report_id)
        self._cases.open(_request(form, said, duty, report_id, area, now, self._origin, key), beside)
        filed = self._before(report_id, said)
        if filed is None:
            raise NotFoundError(Text("上报未能保存，请重试。", "The report was not kept. Try again."))
        return filed

    def follow(self, number: str, secret: str, address: str) -> Progress:
        """The progress of a report; raises NotFoundError, the same for a number and for a key that does not fit, and BusyError."""
        made = self._tries.count("key", address, self._allowed.keys)
        with self._transactions.read() as connection:
            case, found = self._opened(connection, number, secret)
            ratings = report_rows.ratings(connection, found.id)
        self._tries.forget(made)
        return self._progress(case, found, ratings)

    def rate(self, number: str, secret: str, address: str, grade: int, words: str, *, solved: bool) -> Progress:
        """Judge a closing once; what is not solved goes back to its unit in the same commit.

        Raises as ``follow`` does, BadInputError for a grade that is none, and ConflictError where there is nothing to rate or reopen.
        """
        seen = self.follow(number, secret, address)
        if grade not in range(1, 6):
            raise BadInputError(Text("请选择满意程度。", "Choose how satisfied you are."), field="grade")
        if len(words) > _LONGEST_WORDS:
            raise _too_long("words", _LONGEST_WORDS)
        if not seen.may_rate or seen.case.closed is None:
            raise ConflictError(
                Text("本次办理已评价，或尚未办结。", "This closing was rated already, or the case is not closed yet.")
            )
        at, wall = self._clock.city(), self._clock.wall()
        rating = Rating(new_id(), seen.report.id, seen.case.closed, grade, solved, words.strip(), at, wall)

        def judged(tx: Tx[Connection]) -> None:
            report_rows.add_rating(tx.connection, rating)
            tx.emit(_rated(rating, seen))

        try:
            if not solved and seen.may_reopen:
                self._cases.reopen(seen.case.id, REPORTER, judged)
            else:
                with self._transactions.begin() as tx:
                    judged(tx)
        except IntegrityError:
            # Sent twice at the same moment: the first one counts.
            raise ConflictError(Text("本次办理已评价。", "This closing was rated already.")) from None
        return self.follow(number, secret, address)

    def erase_due(self) -> int:
        """Erase what is personal in the reports whose time is over; returns how many reports that were."""
        return sum(erase_due(self._transactions, self._files, form, self._clock) for form in self.forms)

    def clear_photos(self) -> int:
        """Delete the photos of reports that were never sent; returns how many there were."""
        return waiting_photos.clear_due(self._transactions, self._files, self._clock)

    def photo(self, reference: str) -> BinaryIO:
        """A kept photo; whoever asks has been asked for already. Raises NotFoundError."""
        return self._files.open(reference)

    def hold(self, reference: str, key: str) -> str:
        """A kept photo's reference as a word for a form that is shown again; it fits this report's key alone."""
        return self._keys.seal(reference.encode(), f"held photo {key}".encode()).hex()

    def held(self, word: str, key: str) -> str:
        """The reference of a word; raises BadInputError for one that was changed."""
        try:
            return self._keys.open(bytes.fromhex(word), f"held photo {key}".encode()).decode()
        except (ValueError, BadInputError):
            raise BadInputError(
                Text("照片已失效，请重新选择。", "The photo has expired. Choose it again."), field="photo"
            ) from None

    def _progress(self, case: Case, report: Report, ratings: tuple[Rating, ...]) -> Progress:
        rated = any(one.closing == case.closed for one in ratings)
        form = self._forms.get(report.form)
        within = form is not None and case.closed is not None and self._clock.city() <= case.closed + form.reopen_days * DAY
        may_rate = case.closed is not None and not rated
        return Progress(case, report, ratings, may_rate, may_rate and within and self._cases.reopens(case))

    def _opened(self, connection: Connection, number: str, secret: str) -> tuple[Case, Report]:
        given = _digest("follow", _plain(secret))
        wrong = Text(
            "编号与查询码不符。请核对受理时给您的编号和查询码。",
            "The number and the key do not fit. Check both as they were given to you.",
        )
        try:
            case, found = report_rows.under(connection, number.strip().upper())
        except NotFoundError:
            raise NotFoundError(wrong) from None
        for report in found:
            if hmac.compare_digest(report.follow, given):
                return case, report
        raise NotFoundError(wrong)

    def _checked(self, said: Said) -> ReportForm:
        form = self.form(said.form)
        if not said.words.strip():
            raise BadInputError(Text("请描述问题。", "Say what is wrong."), field="words")
        for name, value, most in (
            ("words", said.words, _LONGEST_WORDS),
            ("spot", said.spot, 200),
            ("contact", said.contact, _LONGEST_SHORT),
        ):
            if len(value) > most:
                raise _too_long(name, most)
        if form.of(said.code) is None:
            raise BadInputError(Text("请选择问题类别。", "Choose what kind of problem it is."), field="code")
        if not _SHORTEST_KEY <= len(said.key) <= 200:
            what = Text("幂等键须为 16 至 200 个字符。", "The idempotency key must have 16 to 200 characters.")
            raise BadInputError(what, field="key")
        return form

    def _key_of(self, joins: str | None, form: ReportForm, report_id: str) -> str:
        """The key of the case that is joined, else of a new one; what was closed in between is opened anew."""
        if not joins:
            return f"report:{report_id}"
        with self._transactions.read() as connection:
            known = report_rows.open_key(connection, joins.strip().upper(), form.name)
        return known or f"report:{report_id}"

    def _before(self, report_id: str, said: Said) -> Receipt | None:
        with self._transactions.read() as connection:
            found = report_rows.find(connection, report_id)
            if found is None:
                return None
            number = self._cases.case(found.case).number
        if found.content != _content(said):
            what = Text("同一幂等键已用于另一份上报。", "This idempotency key was used for a report of other content.")
            raise ConflictError(what, number=number)
        secret = self._keys.open(bytes.fromhex(found.sealed), found.id.encode()).decode()
        return Receipt(found.id, number, secret)

    def _row(self, report_id: str, case: Case, said: Said, caller: Caller, area: str | None, now: Instant, secret: str) -> Report:
        return Report(
            id=report_id,
            form=said.form,
            case=case.id,
            code=said.code,
            words=said.words.strip(),
            spot=said.spot.strip(),
            contact=said.contact.strip(),
            photo=said.photo,
            lon=None if said.place is None else said.place.lon,
            lat=None if said.place is None else said.place.lat,
            area=area,
            account=caller.account if caller.known else None,
            content=_content(said),
            follow=_digest("follow", _plain(secret)),
            sealed=self._keys.seal(secret.encode(), report_id.encode()).hex(),
            filed=now,
            wall=self._clock.wall(),
            erased=None,
            origin=self._origin,
        )


def _request(
    form: ReportForm, said: Said, duty: str, report_id: str, area: str | None, now: Instant, origin: Origin, key: str
) -> CaseRequest:
    """The case of a report: it says the class and the place, never the reporter's words."""
    kind = _kind(form, said)
    return CaseRequest(
        key=key,
        matter=f"{form.name}-{kind.code}",
        title=kind.title,
        flow=form.flow,
        duty=duty,
        allowance=kind.allowance,
        place=said.place,
        area=area,
        entity=None,
        cause=f"report:{report_id}",
        words=f"{form.title.zh} · {kind.code} {kind.title.zh}",
        at=now,
        grade=2 if kind.allowance.counting == "hours" else 3,
        origin=origin,
    )


def _rated(rating: Rating, seen: Progress) -> Event:
    """A closing was judged; who reported and what they wrote stay out of it."""
    said = msgspec.to_builtins(msgspec.structs.replace(rating, report="", words="")) | {
        "form": seen.report.form,
        "origin": seen.report.origin,
    }
    return Event(new_id(), RATED, seen.case.id, rating.at, {"rating": said, "case": msgspec.to_builtins(seen.case)})


def _kind(form: ReportForm, said: Said) -> ReportClass:
    return next(one for one in form.classes if one.code == said.code)


def _report_id(said: Said) -> str:
    return _digest(said.form, said.key)[:32]


def _content(said: Said) -> str:
    point = None if said.place is None else (said.place.lon, said.place.lat)
    parts = (said.form, said.words.strip(), said.code, point, said.area, said.spot.strip(), said.contact.strip())
    return hashlib.sha256(msgspec.json.encode(parts)).hexdigest()


def _digest(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _plain(secret: str) -> str:
    return "".join(letter for letter in secret.lower().translate(_UNLIKE) if letter.isalnum())


def _too_long(field: str, most: int) -> BadInputError:
    return BadInputError(
        Text(f"内容超过 {most} 字，请缩短。", f"It is over {most} characters. Shorten it."), field=field, limit=most
    )
