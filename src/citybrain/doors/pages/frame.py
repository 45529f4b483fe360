"""The frame of every page: who looks, in which language and size, what they may open, and what just happened."""

from collections.abc import Awaitable, Callable
from typing import Final, Literal
from urllib.parse import urlencode

from anyio import to_thread
from litestar import Request, Response
from litestar.connection import ASGIConnection
from litestar.datastructures import Cookie
from litestar.datastructures.state import State
from litestar.handlers import BaseRouteHandler

from citybrain.brain.protect import fits, form_token, network
from citybrain.doors.pages.parts import Call, PageParts
from citybrain.kernel.access import ANYONE, ROLES, Ask, Caller
from citybrain.kernel.errors import ForbiddenError, UnauthenticatedError
from citybrain.kernel.text import Lang, Text
from citybrain.web import render
from citybrain.web.booking_views import BookingView
from citybrain.web.decide_views import DecideView
from citybrain.web.frame_views import View
from citybrain.web.nearby_views import NearbyPage
from citybrain.web.stream_views import StreamView
from citybrain.web.views import Demo, Message, Page, Section, Size, Theme, Tone, User

SESSION: Final = "session"
CHOICES: Final = ("lang", "theme", "size")
_OWN: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; "
    "worker-src 'self'; form-action 'self'; base-uri 'none'"
)
"""Own scripts, styles, pictures and connections alone."""
_SECTIONS: Final = (
    ("page.portal", "/", Text("首页", "Home")),
    ("page.report", "/report", Text("上报", "Report")),
    ("page.cockpit", "/cockpit", Text("驾驶舱", "Cockpit")),
    ("page.desk", "/desk", Text("工作台", "Desk")),
    ("catalogue.read", "/data", Text("数据", "Data")),
    ("page.offers", "/offers", Text("共享预订", "Sharing")),
    ("page.decide", "/decide", Text("决策", "Decide")),
    ("page.studio", "/studio", Text("规则", "Rules")),
    ("page.streams", "/admin/streams", Text("监测项", "Streams")),
    ("page.admin", "/admin", Text("管理", "Admin")),
)
_MESSAGES: Final[dict[str, tuple[Tone, Text]]] = {
    "moved": ("good", Text("已办理，案件状态已更新。", "Done. The case has moved on.")),
    "noted": ("good", Text("备注已记录。", "The note is recorded.")),
    "booked": ("good", Text("预订成功。请凭预订码到场。", "Booked. Show the code on the spot.")),
    "offered": ("good", Text("已开放预订。", "The offer is published.")),
    "withdrawn": ("good", Text("已撤回，受影响的预订人已告知。", "Withdrawn. Those affected were told.")),
    "filed": (
        "good",
        Text("已受理。请保存编号和查询码，凭此查询办理进展。", "Received. Keep the number and the key: they open its progress."),
    ),
    "rated": ("good", Text("感谢您的评价。", "Thank you for your rating.")),
    "reopened": (
        "info",
        Text("已转回承办单位继续办理，原办理时限不变。", "Sent back to the unit. The time promised stays as it was."),
    ),
    "decided": ("good", Text("决定已记入台账。", "The decision is in the ledger.")),
    "published": ("good", Text("已发布，自现在起生效。", "Published. It holds from now on.")),
    "agreed": ("good", Text("约定已确认，自现在起生效。", "Agreed. It holds from now on.")),
    "taken_back": ("good", Text("约定已撤回。", "Taken back.")),
    "corrected": (
        "good",
        Text("已更正，各处自现在起以更正后的为准。", "Corrected. Everything goes by what stands corrected from now on."),
    ),
    "restored": ("good", Text("更正已撤回，恢复原来的数值。", "Taken back. What stood before stands again.")),
    "rolled_back": ("good", Text("已回退，自现在起生效。", "Rolled back. It holds from now on.")),
    "signed_out": ("info", Text("您已退出登录。", "You are signed out.")),
}


def opens(action: str) -> dict[str, object]:
    """The ``opt`` of a page: its action in policy."""
    return {"action": action}


def gate(
    parts: PageParts,
) -> Callable[[ASGIConnection[BaseRouteHandler, Caller, str | None, State], BaseRouteHandler], Awaitable[None]]:
    """The one guard of the pages: finds the caller and asks policy for the page's action before it is made."""

    async def allowed(connection: ASGIConnection[BaseRouteHandler, Caller, str | None, State], handler: BaseRouteHandler) -> None:
        """Let the request in, or raise."""
        # What answers OPTIONS is no page: it says which methods an address takes.
        if isinstance(connection, Request) and (connection.method != "OPTIONS" or "action" in handler.opt):
            await to_thread.run_sync(_admit, parts, connection, str(handler.opt["action"]))

    return allowed


def _admit(parts: PageParts, request: Call, action: str) -> None:
    token = request.cookies.get(SESSION)
    caller = parts.accounts.caller(token) if token else None
    request.scope["user"] = caller or ANYONE
    request.scope["auth"] = token if caller else None
    parts.guard.require(Ask(request.user, action, action.partition(".")[0]))


def csrf(request: Call) -> str:
    """The word that a form must bring back; empty for somebody who is not signed in."""
    return form_token(request.auth) if request.auth else ""


def own_form(request: Call, given: str) -> None:
    """Raise ForbiddenError for a form that did not come from our own page."""
    if request.headers.get("sec-fetch-site") == "cross-site" or not (request.auth and fits(request.auth, given)):
        what = Text(
            "表单已过期或来自其他网站。请刷新页面后再提交。",
            "The form has expired or comes from another site. Reload the page and send it again.",
        )
        raise ForbiddenError(what)


def public_form(request: Call, given: str) -> None:
    """As ``own_form``, for a form that somebody without an account may send too: there is no session that it could abuse."""
    if request.auth:
        own_form(request, given)
    elif request.headers.get("sec-fetch-site") == "cross-site":
        raise ForbiddenError(Text("不接受由其他网站发起的提交。", "Forms that another site sends are not taken."))


def address(request: Call) -> str:
    """The network from which somebody without an account comes, as tries are counted by it."""
    return network(request.client.host) if request.client else ""


def language(request: Call) -> Lang:
    """The language asked for: the address, then the cookie, then the browser; Chinese first."""
    said = request.query_params.get("lang") or request.cookies.get("lang") or ""
    if said in ("zh", "en"):
        return "en" if said == "en" else "zh"
    accepted = request.headers.get("accept-language", "zh").lower()
    return "en" if accepted.startswith("en") else "zh"


def page(parts: PageParts, request: Call, message: str = "") -> Page:
    """The frame for this request."""
    said = _MESSAGES.get(message or request.query_params.get("done", ""))
    kept = [(name, value) for name, value in request.query_params.multi_items() if name not in (*CHOICES, "done")]
    caller = request.user
    return Page(
        lang=language(request),
        path=request.url.path,
        query=urlencode(kept),
        city=parts.clock.city(),
        speed=parts.clock.speed,
        district=parts.district,
        csrf=csrf(request),
        demo=None if parts.demo is None else Demo(parts.demo),
        user=User(caller.name, tuple(ROLES[role] for role in sorted(caller.roles))) if caller.known else None,
        sections=sections(parts, caller),
        theme=_theme(request),
        size=_size(request),
        embed=request.query_params.get("embed") == "1",
        footer=parts.footer,
        message=None if said is None else Message(*said),
    )


def shown(
    parts: PageParts, request: Call, view: View | BookingView | DecideView | NearbyPage | StreamView, *, status: int = 200
) -> Response[str]:
    """A page as an answer; choices made in the address are kept in cookies."""
    cookies = [
        Cookie(name, value=value, max_age=31_536_000, samesite="lax", secure=parts.secure_cookies)
        for name in CHOICES
        if (value := request.query_params.get(name)) is not None and len(value) < 10
    ]
    body = render.render(view, page(parts, request))
    return Response(body, media_type="text/html; charset=utf-8", status_code=status, cookies=cookies, headers=headers(parts))


def headers(parts: PageParts) -> dict[str, str]:
    """What every page says about itself: own scripts and styles alone, framed only by those that settings name."""
    frames = " ".join(("'self'", *parts.frame_ancestors))
    policy = f"{_OWN}; frame-ancestors {frames}"
    return {
        "Content-Security-Policy": policy,
        "Referrer-Policy": "same-origin",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-store",
    }


def signed_in(request: Call) -> Caller:
    """The caller; raises UnauthenticatedError for nobody."""
    if not request.user.known:
        raise UnauthenticatedError(Text("请先登录。", "Sign in first."))
    return request.user


def sections(parts: PageParts, caller: Caller) -> tuple[Section, ...]:
    """The sections that a caller may open, the portal first; sharing and decisions only where packs bring some."""
    empty = {"page.offers": not parts.offers.terms.kinds(), "page.decide": not parts.questions.all()}
    return tuple(
        Section(href, title)
        for action, href, title in _SECTIONS
        if not empty.get(action, False) and parts.policy.decide(Ask(caller, action, "page")).allowed
    )


def _choice(request: Call, name: Literal["theme", "size"]) -> str:
    return request.query_params.get(name) or request.cookies.get(name) or ""


def _theme(request: Call) -> Theme:
    said = _choice(request, "theme")
    return "light" if said == "light" else "dark" if said == "dark" else "auto"


def _size(request: Call) -> Size:
    return "large" if _choice(request, "size") == "large" else "normal"
