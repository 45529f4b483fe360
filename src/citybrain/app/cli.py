"""The command line: demo, serve, init, check, new, import, export, replay, backup, restore, move, verify, bundle, bench."""

import argparse
import logging
import sys
from collections.abc import Callable, Sequence
from functools import partial
from importlib import import_module
from keyword import iskeyword
from pathlib import Path
from typing import Final, TypeAlias, get_args

import structlog

from citybrain.app.roles import Role
from citybrain.kernel.coordinates import System
from citybrain.kernel.errors import CityError

Command: TypeAlias = Callable[[argparse.Namespace], int]

_CITY: Final = "citybrain.app.commands"
_COPIES: Final = "citybrain.app.copying"
_TOOLS: Final = "citybrain.app.tools"
"""Where the commands are: a module is read when one of its commands is run, for all of them together take seconds."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; an error of the city is told in both languages and ends with status 2."""
    return chosen(arguments)()


def chosen(arguments: Sequence[str] | None = None) -> Callable[[], int]:
    """The command of these words, its module read, ready to be run; words that make none end the process, and so do those for help."""
    given = _parser().parse_args(arguments)
    command: Command = getattr(import_module(given.module), given.function)
    return partial(_run, command, given)


def _run(command: Command, given: argparse.Namespace) -> int:
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper("iso"),
            structlog.processors.format_exc_info,
            structlog.dev.ConsoleRenderer(colors=False)
            if sys.stderr.isatty()
            else structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        # Looked up at each line: whoever exchanges the process's standard error gets what follows.
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
    )
    for talkative in ("amqtt", "transitions", "uvicorn"):
        logging.getLogger(talkative).setLevel(logging.WARNING)
    try:
        return command(given)
    except CityError as error:
        sys.stderr.write(f"{error.what.zh}\n{error.what.en}\n")
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("citybrain", description="城区大脑 · runs a city district")
    parser.add_argument("--config", type=Path, default=None, help="citybrain.toml")
    ways = parser.add_subparsers(required=True, metavar="COMMAND")
    demo = _way(ways, "demo", _CITY, "运行示意城区 · run the demo district")
    _serving(demo)
    demo.add_argument("--data", type=Path, default=None, help="folder of replayed data")
    serve = _way(ways, "serve", _CITY, "运行城区 · run a district")
    _serving(serve)
    serve.add_argument(
        "--role", choices=get_args(Role), default=None, help="of a district in several processes: what this one does"
    )
    serve.add_argument("--upgrade", action="store_true", help="take pending migration steps first")
    init = _way(ways, "init", _CITY, "开始一个真实城区 · begin a real district")
    init.add_argument("--district", required=True, help="six-digit division code, such as 120104")
    init.add_argument("--folder", type=Path, default=Path())
    init.add_argument("--force", action="store_true")
    check = _way(ways, "check", _CITY, "检查应用包 · hold packs to the promises")
    check.add_argument("packs", nargs="*", help="names; all that are installed when none is given")
    new = _way(ways, "new", _TOOLS, "新建应用包 · write a new pack")
    new.add_argument("what", choices=["pack"])
    new.add_argument("path", help="root/family/name, such as services/livelihood/lamps")
    new.add_argument("--zh", default="", help="中文名称 · its Chinese title, such as 路灯")
    new.add_argument("--en", default="", help="英文名称 · its English title, such as Street lamps")
    _import_and_export(ways)
    replay = _way(ways, "replay", _CITY, "在历史上重放规则 · replay a rule over history")
    replay.add_argument("rule")
    replay.add_argument("--days", type=int, default=30)
    _state(replay)
    backup = _way(ways, "backup", _COPIES, "备份 · back up the state")
    backup.add_argument("target", type=Path)
    backup.add_argument(
        "--facts", type=Path, default=None, help="where nothing runs: the state folder of the worker, such as var-worker"
    )
    _state(backup)
    restore = _way(ways, "restore", _COPIES, "恢复 · restore a backup into an empty state folder")
    restore.add_argument("source", type=Path)
    _state(restore)
    move = _way(
        ways,
        "move",
        _CITY,
        "把业务数据从 SQLite 迁入空的 PostgreSQL，把事实表迁给 worker · move the transactions into an empty PostgreSQL, the facts to the worker",
    )
    move.add_argument("--to", default=None, help="postgresql://user@host/name")
    move.add_argument("--facts", type=Path, default=None, help="the state folder of the worker, such as var-worker")
    _state(move)
    _state(
        _way(
            ways,
            "verify",
            _CITY,
            "核验审计链、删除证明和更正 · verify the audit chain, proofs of deletion and corrections",
        )
    )
    bundle = _way(ways, "bundle", _TOOLS, "制作离线安装包 · make the bundle that installs without a network, in a source tree")
    bundle.add_argument("folder", type=Path, help="where the file is written")
    bundle.add_argument("--key", type=Path, default=None, help="Ed25519 private key (PEM) that signs it")
    bench = _way(ways, "bench", _TOOLS, "测速 · measure, in a source tree")
    bench.add_argument("--quick", action="store_true", help="short runs, nothing written")
    return parser


def _import_and_export(ways: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    imports = _way(
        ways,
        "import",
        _CITY,
        "导入观测（CSV 或导出的文件）、单位对象人员设备（JSON）或图层（GeoJSON）· import observations (CSV, exports), units and things and people and devices, or a layer",
    )
    imports.add_argument("file", type=Path)
    imports.add_argument("--kind", default=None, help="of a layer: the kind of its things, or area")
    imports.add_argument("--crs", choices=get_args(System), default=None, help="of a layer: its coordinate system")
    imports.add_argument("--control", type=Path, default=None, help="of a layer: CSV of points known in WGS 84: id, lon, lat")
    _state(imports)
    export = _way(ways, "export", _CITY, "导出数据集 · export a dataset")
    export.add_argument("dataset")
    export.add_argument("file", type=Path, help="ends in .csv, .json, .parquet or .geojson")
    export.add_argument(
        "--where",
        action="append",
        default=[],
        metavar="COLUMN[.OP]=VALUE",
        help="as the address of the export takes it, such as stream=air-03.pm25 or time.ge=2026-11-01T00:00:00+08:00; may be repeated",
    )
    _state(export)


def _way(
    ways: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, module: str, words: str
) -> argparse.ArgumentParser:
    way = ways.add_parser(name, help=words, description=words)
    way.set_defaults(module=module, function=f"{name}_" if iskeyword(name) else name)
    return way


def _state(way: argparse.ArgumentParser) -> None:
    way.add_argument("--state", default=None, help="state folder (var)")


def _serving(way: argparse.ArgumentParser) -> None:
    _state(way)
    way.add_argument("--port", type=int, default=None)
    way.add_argument("--mqtt-port", type=int, default=None, help="0 starts no broker")
    way.add_argument("--hosts", type=lambda text: tuple(text.split(",")), default=None)
