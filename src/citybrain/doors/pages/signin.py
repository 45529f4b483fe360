"""Signing in and out."""

from urllib.parse import urlparse

import msgspec
from litestar import Response, get, post
from litestar.datastructures import Cookie
from litestar.params import URLEncodedBody
from litestar.response import Redirect

from citybrain.doors.pages import frame
from citybrain.doors.pages.parts import Call, PageParts, Parts
from citybrain.kernel.access import ANYONE, Ask, Caller
from citybrain.kernel.errors import BusyError, UnauthenticatedError
from citybrain.web.desk_views import FormError
from citybrain.web.frame_views import SignIn


class Given(msgspec.Struct, frozen=True):
    """The sign-in form as sent."""

    name: str = ""
    password: str = ""
    next: str = ""
    csrf: str = ""


class Out(msgspec.Struct, frozen=True):
    """The sign-out form as sent."""

    csrf: str = ""


@get("/signin", opt=frame.opens("page.signin"), sync_to_thread=True)
def sign_in_page(request: Call, parts: Parts) -> Response[str]:
    """The form; a demo offers its accounts."""
    return frame.shown(parts, request, _form(parts, request.query_params.get("next", "")))


@post("/signin", opt=frame.opens("session.create"), sync_to_thread=True)
def sign_in(request: Call, parts: Parts, data: URLEncodedBody[Given]) -> Response[str] | Redirect:
    """Sign in and go on to where the caller wanted to go, within this site."""
    try:
        token = parts.accounts.sign_in(data.name, data.password, _address(request))
    except (UnauthenticatedError, BusyError) as error:
        refused = msgspec.structs.replace(_form(parts, data.next), name=data.name, errors=(FormError("password", error.what),))
        return frame.shown(parts, request, refused, status=error.status)
    cookie = Cookie(frame.SESSION, value=token, httponly=True, samesite="lax", secure=parts.secure_cookies)
    return Redirect(_inside(data.next) or _home(parts, parts.accounts.caller(token)), status_code=303, cookies=[cookie])


@post("/signout", opt=frame.opens("session.delete"), sync_to_thread=True)
def sign_out(request: Call, parts: Parts, data: URLEncodedBody[Out]) -> Redirect:
    """End the session."""
    frame.own_form(request, data.csrf)
    if request.auth:
        parts.accounts.sign_out(request.auth)
    return Redirect("/?done=signed_out", status_code=303, cookies=[Cookie(frame.SESSION, value="", max_age=0)])


def _form(parts: PageParts, after: str) -> SignIn:
    return SignIn(next=_inside(after), accounts=parts.demo_accounts)


def _inside(address: str) -> str:
    """The address if it is one of this site, else nothing."""
    if "\\" in address or any(ord(letter) <= 32 for letter in address):
        return ""  # Browsers read a backslash as a slash and drop tabs: "/\t/elsewhere" would lead outside.
    read = urlparse(address)
    return address if not read.scheme and not read.netloc and address.startswith("/") and not address.startswith("//") else ""


def _home(parts: PageParts, caller: Caller | None) -> str:
    """Where somebody starts: the cockpit for those who lead and dispatch, the desk, the administration, the data, or the portal."""
    rooms = ("cockpit", "desk", "admin", "data")
    return next((f"/{room}" for room in rooms if parts.policy.decide(Ask(caller or ANYONE, f"page.{room}", "page")).allowed), "/")


def _address(request: Call) -> str:
    return request.client.host if request.client else ""


HANDLERS = (sign_in_page, sign_in, sign_out)
