"""The requests of a batch and their answers, whatever form they have on the wire; what is wrong with the whole is found before any is done."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Final
from urllib.parse import urlsplit

from citybrain.doors.sensorthings.paths import ROOT
from citybrain.doors.sensorthings.refusals import wrong

MOST: Final = 500
"""Requests of one batch."""
LONGEST: Final = 4000
"""Characters of an address."""
BATCH: Final = "$batch"
METHODS: Final = ("GET", "POST", "PATCH", "PUT", "DELETE")
_BAD: Final = 400


@dataclass(frozen=True, slots=True)
class Part:
    """One request; its address is below the root, or whole, and ``$<name>`` in it or in its body is what an earlier request made."""

    id: str
    """Unlike that of any other in the batch."""
    method: str
    url: str
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Their names are in small letters."""
    group: str | None = None
    """The requests of a group, side by side, all take place or none."""
    after: Sequence[str] = ()
    """Requests or groups without which it is not done."""
    name: str | None = None
    """What later ones of the same ``scope``, and its answer, call it."""
    scope: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What one request was answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    own: bool = True
    """Whether it says what became of this request itself; not of another of its group."""

    @property
    def good(self) -> bool:
        """Whether what was asked took place."""
        return self.status < _BAD


@dataclass(frozen=True, slots=True)
class Batch:
    """Requests in their order; where it ``halts``, nothing is done after one, or a group, that came to nothing."""

    parts: Sequence[Part]
    halts: bool = False


def below(url: str) -> str:
    """The path of an address, below the root."""
    path = urlsplit(url).path
    return path.partition(ROOT)[2] if ROOT in path else path


def checked(batch: Batch) -> Batch:
    """The same batch.

    Raises BadInputError for too many requests, ids that are alike, an address that is none, a batch in a batch, groups that are torn apart or read, and
    for what depends on nothing that came before.
    """
    parts = batch.parts
    if len(parts) > MOST:
        raise wrong(
            f"一批至多 {MOST} 个请求，请分批发送。", f"A batch holds at most {MOST} requests. Send it in parts.", "requests"
        )
    if len({part.id for part in parts}) < len(parts):
        raise wrong("批内请求的 id 不得重复。", "The ids of a batch's requests are unlike one another.", "id")
    unread = next((part.id for part in parts if not _readable(part.url)), None)
    if unread is not None:
        raise wrong(f"请求“{unread}”的 url 无法识别。", f"The url of request '{unread}' cannot be read.", "url")
    if any(below(part.url).strip("/") == BATCH for part in parts):
        raise wrong("批请求中不能再有批请求。", "A batch holds no batch.", "url")
    names = [name for name, _ in groupby(parts, group_of) if name is not None]
    if len(set(names)) < len(names) or not {part.id for part in parts}.isdisjoint(names):
        raise wrong(
            "同一 atomicityGroup 的请求须相邻，其名称不得与请求的 id 相同。",
            "The requests of an atomicityGroup stand side by side, and its name is the id of no request.",
            "atomicityGroup",
        )
    before: set[str] = set()
    for part in parts:
        if part.group is not None and part.method == "GET":
            raise wrong(
                "atomicityGroup（变更集）中不能读取，请把 GET 放在外面。",
                "Nothing is read in an atomicityGroup (a change set). Put the GET outside of it.",
                "atomicityGroup",
            )
        if not before.issuperset(part.after):
            raise wrong(
                f"请求“{part.id}”的 dependsOn 须为在它之前的请求或组。",
                f"dependsOn of request '{part.id}' names requests or groups that come before it.",
                "dependsOn",
            )
        before |= {part.id} | ({part.group} if part.group is not None else set())
    return batch


def _readable(url: str) -> bool:
    try:
        urlsplit(url)
    except ValueError:
        return False
    return True


def group_of(part: Part) -> str | None:
    """The group of a request."""
    return part.group
