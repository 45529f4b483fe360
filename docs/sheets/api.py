"""The page of routes: the application is built over an empty state folder and its routes are walked."""

import re
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from litestar import Litestar
from litestar.handlers import HTTPRouteHandler
from litestar.routes import HTTPRoute
from litestar.utils.sync import AsyncCallable

from citybrain.app import asgi
from citybrain.app.city import build
from citybrain.app.packs import installed
from citybrain.app.settings import Settings
from citybrain.app.stores import opened
from citybrain.brain.protect import ACTIONS
from citybrain.kernel.clock import FixedClock
from citybrain.kernel.instant import parse
from citybrain.kernel.text import Text
from docs.sheets.markdown import both, code, sheet, table

_NOW = parse("2026-11-22T07:00:00Z")
_API = "/api/"


def page() -> str:
    """The page."""
    with TemporaryDirectory() as folder, opened(Settings(state=str(Path(folder) / "var")), upgrade=True) as stores:
        listed = sorted(_routes(asgi.application(build(Settings(), stores, installed(), FixedClock(_NOW)))))
    about = Text(
        "每条路由都先以所列操作询问策略（见 [角色](roles.md)）。机器可读的完整说明在运行实例的 `/api/openapi.json`，"
        "SensorThings 的在 `/sta/v1.1/api`（OpenAPI 3.1）。"
        "出错时返回问题文档（RFC 9457），见 [错误](errors.md)。",
        "Before every route policy is asked for the action beside it (see [roles](roles.md)). The whole document for machines is "
        "`/api/openapi.json` of a running instance, that of SensorThings `/sta/v1.1/api`. Errors are problem documents, see [errors](errors.md). Lists take `limit`, `cursor`, "
        "`count`, `sort`, `bbox` and `column.op=value`; changes of a case take `If-Match`.",
    )
    head = ("方法 · method", "路径 · path", "操作 · action", "说明 · about")
    api = (row[1:] for row in listed if row[0] == "api")
    pages = (row[1:] for row in listed if row[0] == "page")
    return sheet(Text("接口与页面", "Routes"), about, "## 接口 · API", table(head, api), "## 页面 · Pages", table(head, pages))


def _routes(application: Litestar) -> Iterator[tuple[str, str, str, str, str]]:
    for route in application.routes:
        if not isinstance(route, HTTPRoute):
            continue
        for method, (handler, _) in route.route_handler_map.items():
            action = str(handler.opt.get("action", ""))
            if method == "OPTIONS" or not isinstance(handler, HTTPRouteHandler) or not action:
                continue
            path = re.sub(r":\w+}", "}", route.path_format)
            where = "api" if path.startswith(_API) or path in ("/healthz", "/readyz", "/metrics") else "page"
            for ending, wanted in {"": action, **handler.opt.get("endings", {})}.items():
                shown = path if not ending else re.sub(r"{[^}]+}$", f"…{ending}", path)
                yield where, str(method), code(shown), f"{code(wanted)} {both(ACTIONS[wanted])}", _first(handler)


def _first(handler: HTTPRouteHandler) -> str:
    """The first line of what the handler's own docstring says."""
    own = handler.fn.func if isinstance(handler.fn, AsyncCallable) else handler.fn
    return (own.__doc__ or "").strip().partition("\n")[0]
