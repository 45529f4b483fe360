"""What each error code means and what to do about it: for the page of errors and for the docs (Markdown in the words)."""

import re

from citybrain.kernel.text import Text

ADVICE: dict[str, tuple[Text, Text]] = {
    "all_rows_refused": (
        Text("一次发送的每一行都没有被接受。", "Not one row of a sending was taken."),
        Text(
            "逐行查看 `refused` 中的原因（见下表），改正后重发。",
            "Read `refused` row by row (table below), mend them and send again.",
        ),
    ),
    "bad_declaration": (
        Text("某个应用包的声明有误，程序不会带着它启动。", "A pack's declaration is wrong; the program does not start with it."),
        Text("运行 `citybrain check <包>`，按所列改正。", "Run `citybrain check <pack>` and mend what it lists."),
    ),
    "bad_input": (
        Text(
            "某个参数、字段或设置不符合要求；`detail` 和 `errors` 指明是哪一个。",
            "A parameter, a field or a setting does not fit; `detail` and `errors` name it.",
        ),
        Text("按提示改正后再试；重发相同内容结果相同。", "Mend it as told. Sending the same again gives the same answer."),
    ),
    "busy": (
        Text(
            "排队已满，或登录尝试过多。没有写入任何内容。",
            "A bounded queue is full, or somebody tried to sign in too often. Nothing was written.",
        ),
        Text("等待 `Retry-After` 所示的秒数后重发。", "Wait for the seconds in `Retry-After`, then send again."),
    ),
    "conflict": (
        Text(
            "改动与当前状态不符：名称已被使用、目录不为空、状态文件夹正被占用、审计链断裂，或缺少升级步骤。",
            "The change does not fit what is there: a name in use, a folder not empty or in use, a broken audit chain, migrations pending.",
        ),
        Text("`detail` 说明是哪一种以及怎么办。", "`detail` says which of these, and what to do."),
    ),
    "forbidden": (
        Text(
            "已知道您是谁，但没有策略允许；`policies` 是作出判定的策略。写操作还可能缺少 X-CSRF-Token。",
            "You are known, but no policy allows this; `policies` names what decided. A change by cookie may lack X-CSRF-Token.",
        ),
        Text(
            "对照 [角色与权限](roles.md)；确需权限的，请管理员调整角色或单位。",
            "Compare [roles](roles.md); where you need it, ask an administrator for the role or the unit.",
        ),
    ),
    "full": (
        Text("所选时段没有足够的空余。", "Not enough units are free for the span."),
        Text("`free` 是该时段的空余数；换一个时段或减少数量。", "`free` says how many are; choose another span or fewer units."),
    ),
    "in_the_past": (
        Text("所选时段已经过去。", "The span has gone by."),
        Text("选择现在之后的时段；时间以城市时间为准。", "Choose a span to come; city time counts."),
    ),
    "internal": (
        Text(
            "程序遇到了意料之外的情况；已连同编号记录在日志。",
            "Something nobody foresaw happened; it stands in the log with its number.",
        ),
        Text(
            "稍后再试；再次出现时把 `incident` 编号告知管理员。",
            "Try again later; if it comes back, tell an administrator the `incident`.",
        ),
    ),
    "method_not_allowed": (
        Text("地址存在，但不接受这个方法。", "The address exists and does not take this method."),
        Text("用响应头 `Allow` 所列的方法。", "Use one of those in the header `Allow`."),
    ),
    "mixed_processes": (
        Text(
            "城区的各进程不是同一版本，或其中一个连着另一城区的数据库。没有读取或写入任何内容。",
            "The processes of the district are not of one release, or one works on another district's database. Nothing was read or written.",
        ),
        Text(
            "`detail` 说明是哪两个进程、各是什么版本；按 [多进程](../how-to/scale-out.md) 停止所有进程，换成同一版本后启动。",
            "`detail` says which two, and of which release each is. Stop all, install one release and start them as in "
            "[several processes](../how-to/scale-out.md).",
        ),
    ),
    "needs_version": (
        Text(
            "改动须说明基于哪个版本，否则会覆盖他人的改动。",
            "A change must say which version it was made on, or it would overwrite somebody else's.",
        ),
        Text("先读取，再以其 ETag 作为 `If-Match` 发送。", "Read it first and send its ETag as `If-Match`."),
    ),
    "not_acceptable": (
        Text("请求的格式（Accept）这里不提供。", "The format asked for in Accept is not served here."),
        Text("改用 `application/json`。", "Ask for `application/json`."),
    ),
    "not_found": (
        Text(
            "不存在，或对您不存在：无权看到的行与没有的行回答相同。",
            "It does not exist, or not for you: a row that you may not see is answered like one that is not there.",
        ),
        Text(
            "检查编号与地址；也可能需要登录或换一个有权的账号。",
            "Check the id and the address; you may need to sign in, or another account.",
        ),
    ),
    "outside_hours": (
        Text(
            "所选时段不在开放时间内、过长、过早预订，或起止不在整格上。",
            "The span is outside the open hours, too long, too far ahead, or not on the slots.",
        ),
        Text("从 `/api/v1/act/offers/{id}/free` 所列时段中选择。", "Choose among those of `/api/v1/act/offers/{id}/free`."),
    ),
    "not_held": (
        Text(
            "外部标准中的这一部分本系统尚不支持；没有写入或改动任何内容。",
            "This part of an outside standard is not held yet; nothing was written or changed.",
        ),
        Text("`message` 说明缺的是哪一部分，以及可以怎样改写请求。", "`message` says which part, and how to ask otherwise."),
    ),
    "refused_move": (
        Text(
            "流程不允许从当前状态办理这一步；`allowed` 列出允许的步骤。",
            "The flow has no such step from this state; `allowed` lists those there are.",
        ),
        Text(
            "办理所列步骤之一；案件可能已被他人推进，请刷新。", "Take one of those listed; the case may have moved on, so reload."
        ),
    ),
    "sign_in_needed": (
        Text(
            "没有登录、会话已结束（30 分钟无操作或满 12 小时）、或凭证有误。",
            "Nobody is signed in, the session has ended (half an hour of silence, or twelve hours), or the credentials are wrong.",
        ),
        Text("重新登录；设备请检查登录名与密钥。", "Sign in again; for a device check login and secret."),
    ),
    "stale": (
        Text(
            "您看到之后，别人已经改动过；`version` 是现在的版本。",
            "Somebody changed it after you looked; `version` is the present one.",
        ),
        Text("刷新，看过改动后再办理。", "Reload, look at what changed, then decide again."),
    ),
    "storage_full": (
        Text(
            "磁盘剩余空间低于 `low_water`。没有写入；已确认的数据都在。",
            "Free space is below `low_water`. Nothing was written; everything acknowledged is still there.",
        ),
        Text(
            "腾出空间，写入会自动恢复；设备会重发未确认的数据。",
            "Free some space; writing goes on by itself and devices send again what was not acknowledged.",
        ),
    ),
    "too_large": (
        Text(
            "内容超过 `body_limit`（批量观测为 `bulk_limit`）。", "The body is over `body_limit` (`bulk_limit` for observations)."
        ),
        Text("分批发送。", "Send it in parts."),
    ),
    "too_many_no_shows": (
        Text(
            "近期多次预订未到，暂时只能预订临近的时段；`until` 是恢复的时间。",
            "Several bookings were not kept lately, so only short notice is left; `until` says for how long.",
        ),
        Text(
            "预订临近的时段；有正当理由的，对未到记录提出申诉。",
            "Book at short notice; where there was a reason, appeal against the no-show.",
        ),
    ),
    "unavailable": (
        Text("某个部分尚未就绪，`/readyz` 指明是哪一个。", "A part is not ready; `/readyz` says which."),
        Text("稍后再试。", "Try again later."),
    ),
    "unreadable": (
        Text("内容不是它声称的格式：JSON 有误或不是 UTF-8。", "The bytes are not what their type says: broken JSON, or not UTF-8."),
        Text(
            "检查编码和括号；`detail` 指出位置和期望的形状。",
            "Check encoding and brackets; `detail` says where, and the shape expected.",
        ),
    ),
    "unsupported": (
        Text(
            "该数据集不能这样筛选或排序，或没有这一操作。",
            "This dataset cannot be filtered or sorted that way, or there is no such action.",
        ),
        Text(
            "按 `detail` 换一个条件；观测值须先指明数据流。",
            "Ask in another way, as `detail` says; observations want their stream named.",
        ),
    ),
    "unsupported_media_type": (
        Text("内容类型不受支持。", "The content type is not taken here."),
        Text("以 UTF-8 编码的 `application/json` 发送。", "Send `application/json` in UTF-8."),
    ),
}
"""Why a code comes, and what to do about it."""


_MARKS = re.compile(r"`|\[([^\]]*)\]\([^)]*\)")


def plain(words: Text) -> Text:
    """The words without their Markdown."""
    return Text(_MARKS.sub(r"\1", words.zh), _MARKS.sub(r"\1", words.en))
