"""A batch as multipart/mixed (OGC 18-088 clause 11, OData 4.0 Protocol 11.7): application/http parts, and change sets of such parts. Pure.

body → parts between boundaries → headers, request line, headers, body; a nested multipart/mixed is a change set: a group of requests
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from email.message import Message
from http import HTTPStatus
from itertools import groupby
from typing import Final

from citybrain.doors.sensorthings.batched import LONGEST, METHODS, MOST, Answer, Batch, Part, group_of
from citybrain.doors.sensorthings.refusals import wrong
from citybrain.kernel.errors import BadInputError

KIND: Final = "multipart/mixed"
_HTTP: Final = "application/http"
_BOUNDARY: Final = re.compile(r"[0-9A-Za-z'()+_,\-./:=? ]{0,69}[0-9A-Za-z'()+_,\-./:=?]")
_HEADER: Final = re.compile(r"(?P<name>[!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*(?P<value>[^\x00-\x08\x0a-\x1f\x7f]*)")
_REQUEST: Final = re.compile(r"(?P<method>[A-Za-z]+) (?P<url>\S+)(?: HTTP/\d(?:\.\d)?)?")
_NAME: Final = re.compile(r"[^\s/?#$]{1,200}")
_BLANK: Final = re.compile(rb"\A\r?\n|\r?\n\r?\n")
_REST: Final = re.compile(rb"[ \t]*(?=\r?\n|\Z)")
_LINE_END: Final = re.compile(rb"\A\r?\n")
_HEADERS: Final = 16_000
"""Bytes of the headers of a part, and of a request, its first line apart: what is longer is not looked through."""
_LOOKS: Final = 100_000
"""How often a boundary may stand in a body, be it a line or not."""
_PLAIN: Final = frozenset({"", "binary", "8bit", "7bit"})
_TOLD: Final = ("content-type", "location", "retry-after")
"""Headers of an answer that its part says."""


def read(kind: str, sent: bytes, *, halts: bool) -> Batch:
    """The batch of a body, whose Content-Type is ``kind``.

    Lines may end with CRLF or LF, and a Content-Length is not needed: the boundary says where a body ends. Raises BadInputError
    saying which part is wrong.
    """
    parts: list[Part] = []
    for number, raw in enumerate(between(kind, sent, ""), 1):
        at = str(number)
        headers, rest = headed(raw, at)
        if _said(headers).get_content_type() == KIND:
            parts += _change_set(headers["content-type"], rest, at)
        else:
            parts.append(_request(headers, rest, at, None, at))
    return Batch(parts, halts)


def written(done: Sequence[tuple[Part, Answer]], boundary: str) -> bytes:
    """The answers of requests in parts between boundaries; a change set that failed is one answer in its place."""
    pieces: list[bytes] = []
    for number, (name, group) in enumerate(groupby(done, lambda pair: group_of(pair[0]))):
        members = list(group)
        failed = next((pair for pair in members if not pair[1].good and pair[1].own), None)
        if name is None:
            pieces += [_piece(part, answer) for part, answer in members]
        elif failed is not None:
            pieces.append(_piece(*failed))
        else:
            inner = f"{boundary}_{number}"
            head = f"Content-Type: {content_type(inner)}\r\n\r\n".encode()
            pieces.append(head + _joined([_piece(part, answer) for part, answer in members], inner))
    return _joined(pieces, boundary)


def content_type(boundary: str) -> str:
    """The Content-Type of what is written between a boundary."""
    return f"{KIND}; boundary={boundary}"


def _change_set(kind: str, body: bytes, at: str) -> list[Part]:
    parts: list[Part] = []
    for number, raw in enumerate(between(kind, body, at), 1):
        here = f"{at}.{number}"
        headers, rest = headed(raw, here)
        parts.append(_request(headers, rest, here, at, at))
    names = [part.name for part in parts if part.name is not None]
    if len(set(names)) < len(names):
        raise _bad(at, "变更集中的 Content-ID 不得重复", "the Content-IDs of a change set are unlike one another")
    return parts


def _request(headers: Mapping[str, str], body: bytes, at: str, group: str | None, scope: str) -> Part:
    kind = _said(headers).get_content_type() if "content-type" in headers else ""
    if kind == KIND:
        raise _bad(at, "变更集中不能再有变更集", "a change set holds no other")
    if kind != _HTTP:
        raise _bad(at, f"其 Content-Type 须为 {_HTTP} 或 {KIND}", f"its Content-Type is {_HTTP} or {KIND}")
    encoding = headers.get("content-transfer-encoding", "").lower()
    if encoding not in _PLAIN:
        raise _bad(at, "Content-Transfer-Encoding 须为 binary", "its Content-Transfer-Encoding is binary")
    name = headers.get("content-id")
    if name is not None and not _NAME.fullmatch(name):
        raise _bad(at, "Content-ID 无法识别", "its Content-ID cannot be read")
    asked = body.lstrip(b"\r\n")
    first = asked[:_HEADERS].partition(b"\n")[0]
    rest = asked[len(first) + 1 :]
    line = _REQUEST.fullmatch(_text(first.rstrip(b"\r"), at).rstrip())
    if line is None or line["method"].upper() not in METHODS or len(line["url"]) > LONGEST:
        raise _bad(
            at,
            f"第一行须为“<方法> <地址> HTTP/1.1”，方法为 {', '.join(METHODS)}，地址不含空格，至多 {LONGEST} 个字符",
            f"its first line is '<method> <address> HTTP/1.1', one of {', '.join(METHODS)}, the address without spaces and of {LONGEST} "
            "characters at most",
        )
    own, content = headed(rest, at)
    return Part(at, line["method"].upper(), line["url"], content, own, group, (), name, scope)


def between(kind: str, body: bytes, at: str) -> Iterator[bytes]:
    """What stands between the boundaries of a body; what stands before the first and after the last is passed over."""
    message = _said({"content-type": kind})
    boundary = message.get_boundary("")
    if not _BOUNDARY.fullmatch(boundary):
        raise _bad(at, f"{KIND} 须写明 boundary", f"{KIND} says its boundary")
    begun: int | None = None
    for count, (start, end, last) in enumerate(_lines(body, f"--{boundary}".encode(), at)):
        if count > MOST:
            raise _bad(at, f"一批至多 {MOST} 个请求，请分批发送", f"a batch holds at most {MOST} requests: send it in parts")
        if begun is not None:
            yield _LINE_END.sub(b"", body[begun:start], count=1)
        elif last:
            break
        if last:
            return
        begun = end
    if begun is None:
        raise _bad(at, f"没有任何以 --{boundary} 分开的部分", f"nothing stands between lines '--{boundary}'")
    raise _bad(at, f"没有结尾的 --{boundary}--", f"its last line '--{boundary}--' is missing")


def _lines(body: bytes, line: bytes, part: str) -> Iterator[tuple[int, int, bool]]:
    """Where each line that is a boundary begins, with the end of the line before, and ends; and whether it is the last one."""
    at, looks = body.find(line), 0
    while at >= 0:
        looks += 1
        if looks > _LOOKS:
            raise _bad(
                part, "boundary 在内容中出现过多，请换一个", "its boundary stands too often in what it parts: choose another"
            )
        last = body.startswith(b"--", at + len(line))
        rest = _REST.match(body, at + len(line) + 2 * last)
        if rest is not None and (at == 0 or body[at - 1 : at] == b"\n"):
            yield at - (2 if body[max(0, at - 2) : at] == b"\r\n" else min(at, 1)), rest.end(), last
        at = body.find(line, at + len(line))


def headed(raw: bytes, at: str) -> tuple[dict[str, str], bytes]:
    """Headers by their names in small letters, and what stands after the empty line."""
    blank = _BLANK.search(raw, 0, _HEADERS)
    if blank is None and len(raw) > _HEADERS:
        raise _bad(at, f"标头超过 {_HEADERS} 字节", f"its headers are more than {_HEADERS} bytes")
    head, rest = (raw, b"") if blank is None else (raw[: blank.start()], raw[blank.end() :])
    headers: dict[str, str] = {}
    last = ""
    for line in head.split(b"\n") if head else ():
        text = _text(line.rstrip(b"\r"), at)
        if not text:
            continue
        if text[0] in " \t" and last:
            headers[last] = f"{headers[last]} {text.strip()}"
            continue
        found = _HEADER.fullmatch(text)
        if found is None:
            raise _bad(at, f"“{text[:80]}”不是标头", f"'{text[:80]}' is no header")
        last = found["name"].lower()
        if last in headers:
            raise _bad(at, f"标头 {last} 出现两次", f"it says {last} twice")
        headers[last] = found["value"].strip()
    return headers, rest


def _text(line: bytes, at: str) -> str:
    try:
        return line.decode()
    except UnicodeDecodeError:
        raise _bad(at, "标头不是 UTF-8", "its headers are not UTF-8") from None


def _said(headers: Mapping[str, str]) -> Message:
    """A Content-Type that its own parts can be asked of."""
    message = Message()
    message["content-type"] = headers.get("content-type", "")
    return message


def _piece(part: Part, answer: Answer) -> bytes:
    named = "" if part.name is None else f"Content-ID: {part.name}\r\n"
    told = "".join(f"{name.title()}: {answer.headers[name]}\r\n" for name in _TOLD if answer.headers.get(name))
    status = f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}\r\n"
    outer = f"Content-Type: {_HTTP}\r\nContent-Transfer-Encoding: binary\r\n{named}\r\n"
    return f"{outer}{status}{told}Content-Length: {len(answer.body)}\r\n\r\n".encode() + answer.body


def _joined(pieces: Sequence[bytes], boundary: str) -> bytes:
    line = f"--{boundary}".encode()
    return b"".join(line + b"\r\n" + piece + b"\r\n" for piece in pieces) + line + b"--\r\n"


def _bad(at: str, zh: str, en: str) -> BadInputError:
    whole = not at
    return wrong(
        f"内容不是批请求：{'' if whole else f'第 {at} 部分：'}{zh}。",
        f"The body is no batch: {'' if whole else f'part {at}: '}{en}.",
        "body" if whole else f"part {at}",
    )
