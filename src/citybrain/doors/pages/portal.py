"""The portal: what is public now, for citizens and firms; nobody needs to sign in."""

from litestar import Response, get

from citybrain.doors.pages import boards, frame
from citybrain.doors.pages.parts import Call, PageParts, Parts
from citybrain.kernel.access import Caller
from citybrain.kernel.text import Text
from citybrain.web.views import Link, Portal

_NEAR = Text("最近的地点、步行时间和到达时有空位的概率", "the nearest, how far to walk, and the chance of room on arrival")
_WAYS = (
    Link(Text("开放数据目录", "Open data"), "/data", Text("无需登录即可查看和下载", "to see and download without an account")),
    Link(Text("驾驶舱", "Cockpit"), "/cockpit", Text("工作人员登录", "for staff")),
)
_FOLLOW = Text("查询办理进展", "Follow a report")
_BY_NUMBER = Text("凭编号和查询码，无需账号", "by number and key, without an account")


@get("/", opt=frame.opens("page.portal"), sync_to_thread=True)
def portal(request: Call, parts: Parts) -> Response[str]:
    """Today's public matters, one a board of a kind that is open to all."""
    return frame.shown(parts, request, parts.portals.of(request.user, lambda: _made(parts, request.user)))


def _made(parts: PageParts, caller: Caller) -> Portal:
    public = [board for board in parts.boards("portal") if parts.registry.kind(board.kind).access == "unconditional"]
    near = (Link(one.title, f"/{one.name}", _NEAR) for one in parts.nearest.declared())
    topics = tuple(boards.topic(parts, caller, board) for board in public)
    forms = tuple(Link(form.title, f"/report?form={form.name}", form.about) for form in parts.reports.forms)
    follow = (Link(_FOLLOW, "/report/follow", _BY_NUMBER),) if forms else ()
    return Portal(topics, (*forms, *follow, *near, *_WAYS))


HANDLERS = (portal,)
