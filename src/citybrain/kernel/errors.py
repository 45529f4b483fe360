"""The errors of the city, one tree; doors turn each into a problem document (RFC 9457).

CityError
├── NotFoundError            not_found            404
├── BadInputError            bad_input            400
│   ├── UnreadableError      unreadable           400   broken JSON, wrong encoding
│   ├── RefusedRowsError     all_rows_refused     422
│   ├── TooLargeError        too_large            413
│   ├── OutsideHoursError    outside_hours        422   a span that an offer is not open for
│   └── PastError            in_the_past          422   a span that has gone by
├── UnauthenticatedError     sign_in_needed       401
├── ForbiddenError           forbidden            403
├── ConflictError            conflict             409
│   ├── RefusedMoveError     refused_move         409
│   ├── StaleError           stale                412   If-Match does not fit
│   ├── FullError            full                 409   no unit is free for the span
│   └── NoShowsError         too_many_no_shows    409   only short notice is left to this account for a while
├── NeedsVersionError        needs_version        428
├── UnsupportedError         unsupported          422   a predicate or media type that a store cannot serve
├── NotHeldError             not_held             501   a part of an outside standard that its door does not hold yet
├── BusyError                busy                 429   with Retry-After
├── StorageFullError         storage_full         507
└── DeclarationError         bad_declaration      500   a pack; found at start-up
"""

from typing import ClassVar

from citybrain.kernel.text import Json, Text


class CityError(Exception):
    """An error with a stable code, a status, and words that say what, why and what to do."""

    code: ClassVar[str] = "internal"
    status: ClassVar[int] = 500
    title: ClassVar[Text] = Text("系统内部错误", "Internal error")

    def __init__(self, what: Text, **fields: Json) -> None:
        super().__init__(what.en)
        self.what = what
        self.fields = fields


class NotFoundError(CityError):
    """The thing asked for does not exist, or not for this caller."""

    code, status, title = "not_found", 404, Text("没有找到", "Not found")


class BadInputError(CityError):
    """The input cannot be taken as it is."""

    code, status, title = "bad_input", 400, Text("输入有误", "Bad input")


class UnreadableError(BadInputError):
    """The bytes are not what their type says."""

    code, title = "unreadable", Text("内容无法读取", "Unreadable content")


class RefusedRowsError(BadInputError):
    """Every row of a batch was refused."""

    code, status, title = "all_rows_refused", 422, Text("全部行被拒绝", "All rows were refused")


class TooLargeError(BadInputError):
    """The body is over the limit."""

    code, status, title = "too_large", 413, Text("内容过大", "Too large")


class OutsideHoursError(BadInputError):
    """A span that the offer is not open for, too long, or not on its slots."""

    code, status, title = "outside_hours", 422, Text("不在开放时段", "Outside the hours")


class PastError(BadInputError):
    """A span that has gone by."""

    code, status, title = "in_the_past", 422, Text("时间已过", "In the past")


class UnauthenticatedError(CityError):
    """Nobody is signed in."""

    code, status, title = "sign_in_needed", 401, Text("需要登录", "Sign-in needed")


class ForbiddenError(CityError):
    """Policy says no; the fields say which rule."""

    code, status, title = "forbidden", 403, Text("没有权限", "Not permitted")


class ConflictError(CityError):
    """The change does not fit the present state."""

    code, status, title = "conflict", 409, Text("与当前状态冲突", "Conflict")


class RefusedMoveError(ConflictError):
    """A case cannot go from here to there."""

    code, title = "refused_move", Text("该步骤不允许", "Step not allowed")


class StaleError(ConflictError):
    """Somebody else changed it first."""

    code, status, title = "stale", 412, Text("内容已被他人更新", "Changed by somebody else")


class FullError(ConflictError):
    """Not enough units are free for the span."""

    code, title = "full", Text("已订满", "Full")


class NoShowsError(ConflictError):
    """Too many no-shows: only short notice is left to this account until a clean period has gone by."""

    code, title = "too_many_no_shows", Text("未到次数过多", "Too many no-shows")


class NeedsVersionError(CityError):
    """A change must say which version it changes."""

    code, status, title = "needs_version", 428, Text("需要 If-Match", "If-Match needed")


class UnsupportedError(CityError):
    """A predicate, a media type or a question that this store or door does not serve."""

    code, status, title = "unsupported", 422, Text("不支持", "Not supported")


class NotHeldError(CityError):
    """A part of an outside standard that its door does not hold yet; nothing was changed."""

    code, status, title = "not_held", 501, Text("尚不支持", "Not held yet")


class BusyError(CityError):
    """A bounded queue is full; come back later."""

    code, status, title = "busy", 429, Text("系统繁忙", "Busy")


class StorageFullError(CityError):
    """Free space is below the low-water mark; nothing was written."""

    code, status, title = "storage_full", 507, Text("存储空间不足", "Storage is full")


class DeclarationError(CityError):
    """A pack's declaration is wrong; the program does not start with it."""

    code, title = "bad_declaration", Text("应用包声明有误", "Bad declaration in a pack")
