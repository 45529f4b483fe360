"""Settings: ``citybrain.toml`` < ``CITYBRAIN_*`` < flags; secrets come from files (``*_FILE``)."""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

import msgspec

from citybrain.app.roles import Role
from citybrain.doors.mqtt import Topic
from citybrain.kernel.errors import BadInputError
from citybrain.kernel.text import Text

KeptDays: TypeAlias = Annotated[int, msgspec.Meta(ge=3, le=36_500)]
"""Days: fewer than three are not closed yet and cannot be deleted, and a century is for ever."""


_SEALED = {"bus": "tls://", "ingest_at": "grpc+tls://", "worker_at": "grpc+tls://"}
"""How the address of a link begins that is for TLS."""


class Footer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The lines that a government site shows at its foot (国办发〔2017〕47号); empty ones are left out."""

    host: str = ""
    """主办单位"""
    site_code: str = ""
    """网站标识码"""
    icp: str = ""
    police: str = ""
    """公安备案号"""
    report_errors: str = ""
    """Address of 政府网站找错."""


class Map(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Map publication: without an approval number (审图号) public pages show no boundary and no raw coordinates."""

    approval_number: str = ""


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All settings with their defaults; durations in seconds, sizes in bytes."""

    state: str = "var"
    """Folder of everything that is kept; locked by one process."""
    database: str = ""
    """SQLAlchemy address of PostgreSQL; empty means SQLite in the state folder."""
    district: str = ""
    """Six-digit division code, set by ``citybrain init``."""
    district_name: Text = Text("", "")
    case_prefix: str = "QX"
    hosts: tuple[str, ...] = ("127.0.0.1", "::1")
    port: int = 8000
    address: str = ""
    """Where others reach this program, such as ``https://city.example``: it begins the links in messages over MQTT."""
    mqtt_port: int = 1883
    """0 starts no broker."""
    mqtt_topics: tuple[Topic, ...] = ()
    """Topics of your own and where their messages hold readings, each a table ``[[mqtt_topics]]``; in the file alone."""
    mqtt_broker: str = ""
    """A broker to read from beside the own one: ``mqtt://host:1883``, or ``mqtts://host:8883`` for TLS."""
    mqtt_account: str = ""
    """Login of the device account as which messages of that broker are taken: it says which streams they may write."""
    mqtt_client: str = "citybrain"
    """The name under which that broker keeps messages while this program is away; one program a name."""
    mqtt_user: str = ""
    mqtt_password: str = ""
    body_limit: int = 1_000_000
    bulk_limit: int = 32_000_000
    low_water: int = 500_000_000
    """Free bytes below which writes are refused."""
    series_memory: str = "256MB"
    archive: str = ""
    """Object storage that closed days are copied to, ``file:///srv/archive`` or ``s3://bucket/prefix?region=…``; one district each."""
    spark: str = ""
    """Spark Connect server that reads the archive, ``sc://host:15002``: processes without observations of their own ask it for long spans."""
    retention: dict[str, KeptDays] = {}
    """For how many days the observations of a kind are kept, at least 3, such as ``{ air_station = 730 }``; in the file alone."""
    session_idle: int = 1800
    session_longest: int = 43_200
    frame_ancestors: tuple[str, ...] = ()
    """Origins that may embed the pages."""
    suite: Literal["intl", "sm"] = "intl"
    secure_cookies: bool = False
    """Set it behind TLS."""
    footer: Footer = Footer()
    map: Map = Map()
    role: Role = "all"
    """Of a district in several processes, what this one does: ``ingest`` and ``worker`` once each, ``api`` as often as wanted."""
    bus: str = ""
    """NATS server with JetStream that ties the processes together, ``nats://host:4222``, or ``tls://host:4222`` for TLS."""
    ingest_at: str = ""
    """Where the process ``ingest`` answers the others, ``grpc://host:8815``, or ``grpc+tls://`` for TLS; it listens there."""
    worker_at: str = ""
    """Where the process ``worker`` answers the others, ``grpc://host:8816``, or ``grpc+tls://`` for TLS; it listens there."""
    secret: str = ""
    """What processes of one district show one another; from a file (``CITYBRAIN_SECRET_FILE``)."""
    links_ca: str = ""
    """PEM file of who signs the certificates of NATS and of the processes, where ``bus``, ``ingest_at`` and ``worker_at`` are for TLS."""
    links_cert: str = ""
    """PEM file of this process's certificate, for the name by which the others reach it; shown to NATS too."""
    links_key: str = ""
    """PEM file of its key, without a password."""
    links_mutual: bool = False
    """Processes answer only those of the district that show a certificate signed by ``links_ca``."""
    shared: str = ""
    """Folder of pictures and keys that all processes reach; the state folder where there is one process."""

    @property
    def folder(self) -> Path:
        """The state folder."""
        return Path(self.state)

    @property
    def sealed(self) -> bool:
        """Whether the links between processes are for TLS; ``load`` sees that all are or none."""
        return self.bus.startswith(_SEALED["bus"])


def load(file: Path | None = None, flags: Mapping[str, object] | None = None) -> Settings:
    """Read the three sources in order; raises BadInputError naming the setting that does not fit."""
    path = file or Path("citybrain.toml")
    values = _file(path) if path.exists() else {}
    values |= _environment()
    values |= {name: value for name, value in (flags or {}).items() if value is not None}
    try:
        return _whole(msgspec.convert(values, Settings, strict=False))
    except msgspec.ValidationError as error:
        what = Text(
            f"设置有误：{error}。可用的设置见 docs/reference/settings.md。",
            f"A setting is wrong: {error}. See docs/reference/settings.md.",
        )
        raise BadInputError(what) from error


def _whole(settings: Settings) -> Settings:
    """The settings, if a role has all that it needs; raises BadInputError naming what is missing."""
    needed = ("database", "bus", "ingest_at", "worker_at", "secret", "shared")
    missing = [name for name in needed if settings.role != "all" and not getattr(settings, name)]
    if missing:
        listed = "、".join(missing), ", ".join(missing)
        what = Text(
            f"以角色 {settings.role} 运行还缺设置：{listed[0]}。见 docs/how-to/scale-out.md。",
            f"To run as {settings.role}, set: {listed[1]}. See docs/how-to/scale-out.md.",
        )
        raise BadInputError(what, settings=list(missing))
    if settings.spark and not settings.archive:
        what = Text(
            "设置了 spark 还须设置 archive：Spark 读的是归档。", "Set archive where spark is set: that is what Spark reads."
        )
        raise BadInputError(what, settings=["archive"])
    _sealed(settings)
    return settings


def _sealed(settings: Settings) -> None:
    """See that links are encrypted with all that it takes, or not at all; raises BadInputError naming what is missing."""
    given = [name for name in _SEALED if getattr(settings, name)]
    plain = [name for name in given if not getattr(settings, name).startswith(_SEALED[name])]
    files = [name for name in ("links_ca", "links_cert", "links_key") if getattr(settings, name)]
    if plain and (files or settings.links_mutual or plain != given):
        listed = "、".join(plain), ", ".join(plain)
        what = Text(
            f"进程间的连接须全部加密或全不加密：{listed[0]} 仍是明文。请写成 tls://（bus）和 grpc+tls://，或去掉 links_* 设置。",
            f"Encrypt every link between processes or none: {listed[1]} is plain. Write tls:// (bus) and grpc+tls://, or take the "
            "settings links_* out.",
        )
        raise BadInputError(what, settings=list(plain))
    shows = bool(settings.links_cert or settings.links_key) or settings.links_mutual or settings.role in ("ingest", "worker")
    needed = ("links_ca", "links_cert", "links_key") if shows else ("links_ca",)
    missing = [name for name in needed if name not in files]
    if given and not plain and missing:
        listed = "、".join(missing), ", ".join(missing)
        what = Text(
            f"连接加密还缺设置：{listed[0]}。见 docs/how-to/scale-out.md。",
            f"For encrypted links, set: {listed[1]}. See docs/how-to/scale-out.md.",
        )
        raise BadInputError(what, settings=list(missing))


def _file(path: Path) -> dict[str, object]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        what = Text(
            f"{path.name} 不是 UTF-8 编码的 TOML：{error}。请改正该处。",
            f"{path.name} is no TOML in UTF-8: {error}. Mend that place.",
        )
        raise BadInputError(what, file=path.name) from error


def _environment() -> dict[str, object]:
    names = {f"CITYBRAIN_{name.upper()}": name for name in Settings.__struct_fields__}
    found: dict[str, object] = {}
    for variable, name in names.items():
        if f"{variable}_FILE" in os.environ:
            found[name] = Path(os.environ[f"{variable}_FILE"]).read_text(encoding="utf-8").strip()
        elif variable in os.environ:
            text = os.environ[variable]
            found[name] = tuple(text.split(",")) if name in ("hosts", "frame_ancestors") else text
    return found
