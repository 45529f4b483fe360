"""What protect puts into the catalogue: accounts without their hashes, devices, sessions without their tokens, the audit trail."""

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection

from citybrain.kernel.datasets import Column, Dataset
from citybrain.kernel.listing import Listing
from citybrain.kernel.pack import Pack
from citybrain.kernel.ports import Source, Transactions
from citybrain.kernel.text import Text

_OWNER = "security"
_HERE = Text("本系统安全防护", "CityBrain, protection")
_ACCOUNT = (
    Column("id", Text("标识", "Id"), "text"),
    Column("name", Text("姓名", "Name"), "text", personal=True),
    Column("login", Text("登录名", "Login"), "text", personal=True),
    Column("roles", Text("角色", "Roles"), "json"),
    Column("unit", Text("单位", "Unit"), "text"),
    Column("enabled", Text("是否启用", "Enabled"), "boolean"),
    Column("created", Text("创建时间", "Created"), "instant"),
)
_DEVICE = (
    Column("id", Text("标识", "Id"), "text"),
    Column("name", Text("名称", "Name"), "text"),
    Column("login", Text("登录名", "Login"), "text"),
    Column("writes", Text("可写范围", "May write"), "json"),
    Column("unit", Text("单位", "Unit"), "text"),
    Column("enabled", Text("是否启用", "Enabled"), "boolean"),
    Column("created", Text("创建时间", "Created"), "instant"),
)
_SESSION = (
    Column("id", Text("标识", "Id"), "text"),
    Column("account", Text("账号", "Account"), "text"),
    Column("began", Text("登录时间", "Began"), "instant"),
    Column("seen", Text("最近活动", "Last seen"), "instant"),
)
_AUDIT = (
    Column("no", Text("序号", "No."), "integer"),
    Column("wall", Text("时间", "Time"), "instant"),
    Column("account", Text("账号", "Account"), "text"),
    Column("roles", Text("角色", "Roles"), "json"),
    Column("unit", Text("单位", "Unit"), "text"),
    Column("action", Text("操作", "Action"), "text"),
    Column("resource", Text("对象", "Resource"), "text"),
    Column("purpose", Text("用途", "Purpose"), "text"),
    Column("allowed", Text("是否允许", "Allowed"), "boolean"),
    Column("reasons", Text("依据策略", "Policies"), "json"),
    Column("detail", Text("详情", "Detail"), "json"),
    Column("hash", Text("校验值", "Hash"), "text"),
)
_ORDERS: dict[str, tuple[str, ...]] = {
    "account": ("created",),
    "device": ("created",),
    "session": ("began", "seen"),
    "audit": ("no", "wall"),
}


def datasets(_packs: Sequence[Pack] = ()) -> tuple[Dataset, ...]:
    """The catalogue entries of protect, the same whatever packs there are; none of them is shared."""
    accounts = Text("可登录本系统的人员账号，不含密码。", "Those who can sign in, without their passwords.")
    devices = Text("可写入监测值的设备账号，不含密钥。", "Machines that may write observations, without their secrets.")
    sessions = Text("当前会话，不含令牌。", "Sessions, without their tokens.")
    trail = Text("谁在何时做了什么、依据哪条策略；逐行链接，不可改删。", "Who did what, when, by which policy; chained row by row.")
    return (
        Dataset("account", Text("账号", "Accounts"), accounts, _OWNER, "protect", _ACCOUNT, "closed", "real", _HERE),
        Dataset("device", Text("设备账号", "Device accounts"), devices, _OWNER, "protect", _DEVICE, "closed", "real", _HERE),
        Dataset("session", Text("会话", "Sessions"), sessions, _OWNER, "protect", _SESSION, "closed", "real", _HERE),
        Dataset("audit", Text("审计记录", "Audit trail"), trail, _OWNER, "protect", _AUDIT, "closed", "real", _HERE, key="no"),
    )


def sources(transactions: Transactions[Connection]) -> Mapping[str, Source]:
    """The rows of protect's datasets, before policy."""
    return {
        entry.name: Listing(
            transactions.ask,
            entry,
            f'"{entry.name}"',
            {column.name: f'"{entry.name}"."{column.name}"' for column in entry.columns},
            _ORDERS[entry.name],
        )
        for entry in datasets()
    }
