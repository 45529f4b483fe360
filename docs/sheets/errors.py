"""The page of errors: a heading for every code that a problem document may carry, and the reasons for which rows are refused."""

import inspect

from citybrain.app import problems
from citybrain.app.advice import ADVICE
from citybrain.brain.observe import checking, permission, rows, worded
from citybrain.doors.sensorthings import saying, tabled
from citybrain.kernel.errors import CityError
from citybrain.kernel.text import Text
from docs.sheets.markdown import both, code, sheet, table


def page() -> str:
    """The page."""
    about = Text(
        "问题文档（RFC 9457）的 `type` 是 `/docs/errors#<code>`，指向这里的标题。`code` 不变，可供程序判断；`detail` 用请求者的语言说明。",
        "The `type` of a problem document (RFC 9457) is `/docs/errors#<code>`: a heading here. Programs go by `code`, which never "
        "changes; people read `detail`, in their language.",
    )
    refusals = table(("代码 · code", "原因 · why"), ((code(name), both(why)) for name, why in sorted(refused().items())))
    tree = inspect.getdoc(inspect.getmodule(CityError)) or ""
    return sheet(
        Text("错误", "Errors"),
        about,
        *(_heading(*known) for known in problems.codes()),
        "## 逐行拒绝的原因 · Why single rows are refused\n\n其余各行照收。The rest of a sending is taken.\n\n" + refusals,
        f"## 错误树 · The tree\n\n```text\n{tree}\n```",
    )


def refused() -> dict[str, Text]:
    """The codes of refused rows with their reasons, from what reads, checks and permits rows."""
    own = {**checking._WHY, "forbidden_stream": permission._WHY}  # noqa: SLF001 - the one place that lists them
    unfit = {"bad_value": worded.WHY, **dict((worded.FULL, worded.LONG))}
    return dict(rows.UNREAD) | own | unfit | {tabled.CODE: tabled.WHY, saying.CODE: saying.WHY}


def _heading(name: str, status: int, title: Text) -> str:
    why, what_to_do = ADVICE[name]
    return "\n\n".join(
        (
            f"## {name}",
            f"**{both(title)}**，HTTP {status}。",
            f"为什么 · why：{why.zh}{why.en}",
            f"怎么办 · what to do：{what_to_do.zh}{what_to_do.en}",
        )
    )
