"""What protect offers over HTTP: signing in and out, who am I, accounts, units, and the audit trail."""

from typing import Annotated

import msgspec
from anyio import to_thread
from litestar import Response, delete, get, post
from litestar.datastructures import Cookie

from citybrain.brain.protect import form_token
from citybrain.doors.api import body
from citybrain.doors.api.caller import CSRF, SESSION, asks
from citybrain.doors.api.parts import ApiParts, Call, Parts
from citybrain.doors.api.rows import Rows, listed
from citybrain.kernel.access import ROLES, Caller, Role
from citybrain.kernel.errors import BadInputError, UnauthenticatedError
from citybrain.kernel.text import Json, Text


class SigningIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A login with its password."""

    login: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    password: Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]


class Me(msgspec.Struct, frozen=True):
    """The caller: account, name, roles with their words, and unit; ``csrf`` belongs into X-CSRF-Token on changes."""

    known: bool
    account: str
    name: str
    roles: dict[Role, Text]
    unit: str | None
    csrf: str | None = None


class Verified(msgspec.Struct, frozen=True):
    """How many rows of the audit trail were found unbroken."""

    rows: int


@post("/session", opt=asks("page.portal"), status_code=200)
async def sign_in(request: Call, parts: Parts) -> Response[Me]:
    """Sign in with JSON or a form; answers with a session cookie and the word for X-CSRF-Token."""
    given = await _credentials(request)
    address = request.client.host if request.client is not None else ""
    token = await to_thread.run_sync(parts.accounts.sign_in, given.login, given.password, address)
    caller = await to_thread.run_sync(parts.accounts.caller, token)
    if caller is None:
        raise UnauthenticatedError(Text("登录未成功，请重试。", "Signing in did not work. Try again."))
    return Response(_me(caller, token), cookies=_cookies(parts, token, None), headers={"Cache-Control": "no-store"})


@delete("/session", opt=asks("page.portal"), sync_to_thread=True, status_code=204)
def sign_out(request: Call, parts: Parts) -> Response[None]:
    """End this session; its streams end with it."""
    if request.auth is not None:
        parts.accounts.sign_out(request.auth)
    return Response(None, status_code=204, cookies=_cookies(parts, "", 0))


@get("/me", opt=asks("page.portal"), sync_to_thread=False)
def me(request: Call) -> Me:
    """Who the caller is, and in which roles."""
    return _me(request.user, request.auth)


@get("/accounts", opt=asks("account.read", of="account", columns=True), sync_to_thread=True)
def accounts(request: Call, parts: Parts) -> Rows:
    """Accounts, without anything secret."""
    return listed(parts, request, "account")


@get("/units", opt=asks("unit.read", of="unit", columns=True), sync_to_thread=True)
def units(request: Call, parts: Parts) -> Rows:
    """The units of the district and what they answer for."""
    return listed(parts, request, "unit")


@get("/audit", opt=asks("audit.read", of="audit", columns=True), sync_to_thread=True)
def audit(request: Call, parts: Parts) -> Rows:
    """Who did what: the trail, newest first."""
    return listed(parts, request, "audit")


@get("/audit/verify", opt=asks("audit.verify"), sync_to_thread=True)
def verify(parts: Parts) -> Verified:
    """Whether the chain of the trail is unbroken; a problem document names the first bad row."""
    return Verified(parts.audit.verify())


async def _credentials(request: Call) -> SigningIn:
    body.json_only(request, body.FORM)
    raw = await request.body()
    given: Json = dict(await request.form()) if request.content_type[0] == body.FORM else body.decoded(raw)
    body.no_nul(given)
    try:
        return msgspec.convert(given, SigningIn)
    except msgspec.ValidationError as error:
        raise BadInputError(Text(f"登录内容有误：{error}。", f"The sign-in is wrong: {error}.")) from error


def _me(caller: Caller, token: str | None) -> Me:
    roles = {role: words for role, words in ROLES.items() if role in caller.roles}
    return Me(caller.known, caller.account, caller.name, roles, caller.unit, None if token is None else form_token(token))


def _cookies(parts: ApiParts, token: str, age: int | None) -> list[Cookie]:
    """The session for the browser alone, and its CSRF word for our own pages; an age of 0 takes both back."""
    return [
        Cookie(key=SESSION, value=token, path="/", httponly=True, samesite="lax", secure=parts.secure_cookies, max_age=age),
        Cookie(key=CSRF, value=form_token(token), path="/", samesite="lax", secure=parts.secure_cookies, max_age=age),
    ]


HANDLERS = (sign_in, sign_out, me, accounts, units, audit, verify)
