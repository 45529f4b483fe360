"""A problem as a page, for somebody who looks with a browser: what, why, what to do."""

from typing import Final
from urllib.parse import urlencode

from litestar import Response
from litestar.response import Redirect

from citybrain.doors.pages import frame
from citybrain.doors.pages.parts import Call, PageParts
from citybrain.kernel.access import ANYONE
from citybrain.kernel.errors import CityError, UnauthenticatedError
from citybrain.kernel.text import Text
from citybrain.web.frame_views import Problem

_TODO: Final[dict[int, Text]] = {
    403: Text(
        "如果您需要此权限，请联系系统管理员；或返回首页。", "Ask an administrator for the right, or go back to the home page."
    ),
    404: Text("请检查地址，或从首页重新进入。", "Check the address, or start from the home page."),
}
_USUAL: Final = Text(
    "请稍后再试；仍有问题时，把下面的编号告诉系统管理员。", "Try again later; if it stays, tell an administrator the number below."
)


def problem_page(parts: PageParts, request: Call, error: CityError) -> Response[str] | Redirect:
    """The page of an error; somebody who is not signed in is shown the way to sign in."""
    if isinstance(error, UnauthenticatedError) and request.method == "GET":
        here = f"{request.url.path}?{request.url.query}" if request.url.query else request.url.path
        return Redirect(f"/signin?{urlencode({'next': here})}", status_code=303)
    request.scope.setdefault("user", ANYONE)
    request.scope.setdefault("auth", None)
    view = Problem(
        status=error.status,
        code=error.code,
        title=error.title,
        what=error.what,
        todo=_TODO.get(error.status, _USUAL),
        docs=f"/docs/errors#{error.code}",
    )
    return frame.shown(parts, request, view, status=error.status)
