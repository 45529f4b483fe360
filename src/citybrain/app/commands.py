"""What each command does that opens a city, or reads its packs."""

import argparse
import asyncio
import secrets
import sys
from contextlib import AbstractContextManager
from pathlib import Path

from sqlalchemy import make_url

from citybrain.app import check as checking
from citybrain.app import demo as demonstration
from citybrain.app import demo_bookings, district, exporting, furnish, layers, moving, running, trial
from citybrain.app import settings as sources
from citybrain.app.city import City, build, datasets
from citybrain.app.given import settings_of
from citybrain.app.links import links
from citybrain.app.lock import StateLock
from citybrain.app.packs import installed
from citybrain.app.quiet import at_home, quiet
from citybrain.app.saying import say
from citybrain.app.settings import Settings
from citybrain.app.stores import FACTS, SERIES, opened
from citybrain.app.walltime import wall
from citybrain.brain.observe import because, check_days, is_export, read_export, verify_words
from citybrain.engines.duckdb import carry, forget
from citybrain.kernel.clock import RunningClock
from citybrain.kernel.errors import BadInputError, NotFoundError
from citybrain.kernel.instant import local
from citybrain.kernel.text import Text

_HERE = Path(__file__).resolve()
_DATA = next((folder for folder in (_HERE.parents[1] / "data", _HERE.parents[3] / "data") if folder.is_dir()), Path("data"))
_PIECE = 100_000


def demo(given: argparse.Namespace) -> int:
    """Run the demo district until it is stopped."""
    settings = settings_of(given, district=district.DEMO_CODE, district_name=demonstration.NAME, case_prefix="YS")
    source = given.data or _DATA
    packs = installed()
    with StateLock(settings.folder), opened(settings, upgrade=True) as stores:
        clock = demonstration.clock(settings, packs)
        city = build(settings, stores, packs, clock, "demo")
        notes = demonstration.load(city, clock, source)
        secret = demonstration.device_secret(city)
        running.run(
            city,
            notes,
            (lambda city: demonstration.feed(city, clock.replay, source), demo_bookings.go_on),
            lambda: _say_demo(settings, secret),
        )
    return 0


def serve(given: argparse.Namespace) -> int:
    """Run a district until it is stopped."""
    settings = settings_of(given)
    if not settings.district:
        what = Text(
            "尚未初始化。请先运行 citybrain init --district 120104。",
            "Nothing is set up yet. Run citybrain init --district 120104 first.",
        )
        raise BadInputError(what)
    with StateLock(settings.folder), opened(settings, upgrade=given.upgrade) as stores:
        at_home(settings, stores)
        city = build(settings, stores, installed(), RunningClock(wall), links=links(settings))
        _settle(city, given.config)
        running.run(city, None, (), lambda: say(f"http://{_shown(settings)}:{settings.port}/"))
    return 0


def init(given: argparse.Namespace) -> int:
    """Begin a real district: its settings, names and codes, the schema, and a first administrator whose password is shown once."""
    written = district.init(given.folder, _DATA / "district", given.district, force=given.force)
    for path in written:
        say(f"已写入 · written: {path}")
    settings = sources.load(given.folder / "citybrain.toml", {"state": str(given.folder / "var")})
    with StateLock(settings.folder), opened(settings, upgrade=True) as stores:
        city = build(settings, stores, installed(), RunningClock(wall))
        city.areas.put(district.read_areas(given.folder / "areas.json"))
        if not city.accounts.all():
            password = f"City-{secrets.token_urlsafe(12)}"
            city.accounts.create("系统管理员", "admin", password, ("admin",))
            say(f"首个管理员账号 · first administrator: admin / {password}\n请登录后立即修改 · change it after signing in")
    return 0


def check(given: argparse.Namespace) -> int:
    """Hold packs to the promises, and the settings to the packs; 1 when a pack breaks one."""
    check_days(sources.load(given.config).retention, installed())
    packs = {pack.name: pack for pack in installed()}
    unknown = [name for name in given.packs if name not in packs]
    if unknown:
        listed = ", ".join(packs)
        what = Text(f"没有应用包 {unknown[0]}。已安装：{listed}。", f"There is no pack {unknown[0]}. Installed: {listed}.")
        raise NotFoundError(what, pack=unknown[0])
    reports = [checking.check(packs[name], _DATA) for name in given.packs or packs]
    for report in reports:
        say(report.told())
    return 0 if all(report.kept for report in reports) else 1


def import_(given: argparse.Namespace) -> int:
    """Import observations (CSV: stream, time, value; or as exported: CSV, JSON, Parquet), furniture (JSON, see furnish) or a layer (GeoJSON)."""
    if not given.file.is_file():
        what = Text(f"没有文件 {given.file}。请检查路径。", f"There is no file {given.file}. Check the path.")
        raise NotFoundError(what, file=str(given.file))
    if given.file.suffix == ".geojson":
        return _import_layer(given)
    if given.file.suffix == ".json" and not is_export(given.file):
        furniture = furnish.read(given.file)
        with _quiet(given) as city:
            for line in furnish.furnish(city, furniture, f"import:{given.file.name}"):
                say(line)
        return 0
    with _quiet(given) as city:
        totals = asyncio.run(_import(city, given.file))
    say(" ".join(f"{name}={count}" for name, count in totals.items()))
    return 0


def _import_layer(given: argparse.Namespace) -> int:
    if given.kind is None or given.crs is None or given.control is None:
        what = Text(
            "导入图层须给出 --kind、--crs 和 --control：坐标系须用控制点核对。",
            "A layer needs --kind, --crs and --control: its coordinate system is checked on control points.",
        )
        raise BadInputError(what)
    with _quiet(given) as city:
        report = layers.bring_in(city, given.file, given.kind, given.crs, given.control)
    for one in report.refused:
        sys.stderr.write(f"{one.row}: {one.why.zh} · {one.why.en}\n")
    if report.aside:
        say(f"未用到的属性 · properties left aside: {', '.join(report.aside)}")
    say(f"taken={len(report.taken)} refused={len(report.refused)} control={report.metres:.1f} m")
    return 0 if report.taken or not report.refused else 1


def export(given: argparse.Namespace) -> int:
    """Export a dataset with everything that its access allows to the officer at this machine; audited."""
    form = exporting.form(given.file)
    with _quiet(given) as city:
        for path in exporting.export(city, given.dataset, given.file, form, given.where):
            say(str(path))
    return 0


def replay(given: argparse.Namespace) -> int:
    """Try a rule on the last days of history and say what it would have told; nothing is changed."""
    with _quiet(given) as city:
        found = trial.spells(city, given.rule, given.days)
    for spell in found:
        say(f"{spell.entity}  {local(spell.since):%Y-%m-%d %H:%M} – {local(spell.until):%Y-%m-%d %H:%M}  ×{spell.instants}")
    say(f"近 {given.days} 日内 {len(found)} 次 · {len(found)} times in {given.days} days")
    return 0


def move(given: argparse.Namespace) -> int:
    """Move a program that is not running: its transactions into an empty PostgreSQL database, its facts into the worker's folder."""
    settings = settings_of(given)
    if given.to is None and given.facts is None:
        what = Text(
            "请用 --to 指定 PostgreSQL，或用 --facts 指定 worker 的状态目录。",
            "Name the PostgreSQL database with --to, or the state folder of the worker with --facts.",
        )
        raise BadInputError(what)
    with StateLock(settings.folder):
        if given.to is not None:
            _move(settings, given.to)
        if given.facts is not None:
            with StateLock(given.facts):
                rows = carry(settings.folder / SERIES, given.facts / FACTS, settings.series_memory)
            say(f"{rows} 行事实已迁入，不含观测 · rows of facts carried, no observations: {given.facts / FACTS}")
    return 0


def _move(settings: Settings, to: str) -> None:
    """Move the transactions from SQLite into an empty PostgreSQL database; no setting is changed."""
    rows = moving.move(settings, to, lambda sheet: say(f"{sheet.rows:>10} {sheet.table} {sheet.digest[:16]}"))
    shown = make_url(to).render_as_string()
    say(f"已迁入 {rows} 行，逐表核对一致 · rows moved, every table agrees on both sides")
    say(f'请在 citybrain.toml 中设置 · now set in citybrain.toml: database = "{shown}"')


def verify(given: argparse.Namespace) -> int:
    """Verify the audit chain, the proofs of deletions and the corrections; an error names the first row that does not fit."""
    with _quiet(given) as city:
        say(f"{city.audit.verify()} 行审计记录完好 · audit rows are sound")
        if proofs := city.retaining.verify():
            say(f"{proofs} 份删除证明相符 · proofs of deletion agree")
        if readings := city.corrections.verify():
            say(f"{readings} 个更正和作废的读数相符 · corrected and struck-out readings agree")
        if gone := city.unsaying.verify():
            say(f"{gone} 份取值删除证明相符 · proofs of deleted words agree")
        if observations := city.featured.verify():
            say(f"{observations} 条改写过的观测值相符 · observations that were said anew agree")
        if words := verify_words(city.stores.series, city.registry):
            say(f"{words} 个非数值的取值相符 · words that readings say agree")
    return 0


def _quiet(given: argparse.Namespace) -> AbstractContextManager[City]:
    """A city without doors, for one command; of a district in several processes, in the place of the one that keeps the observations."""
    settings = settings_of(given)
    return quiet(settings_of(given, role="ingest") if settings.ingest_at else settings)


def _settle(city: City, config: Path | None) -> None:
    areas = (config.parent if config else Path()) / "areas.json"
    if not city.areas.all() and areas.exists():
        city.areas.put(district.read_areas(areas))
    city.catalogue.register_all(datasets(city.packs, city.origin))
    city.catalogue.link_all(city.indicators.edges())
    if city.stores.cleared is not None:
        city.retaining.prove(city.stores.cleared)
        forget(city.settings.folder / FACTS)


async def _import(city: City, file: Path) -> dict[str, int]:
    totals = {"stored": 0, "duplicate": 0, "refused": 0}
    for rows in read_export(file, _PIECE):
        verdict = await city.intake.take(rows, "import", None)
        totals["stored"] += verdict.stored
        totals["duplicate"] += verdict.duplicate
        totals["refused"] += len(verdict.refused)
        for refusal in verdict.refused[:20]:
            sys.stderr.write(f"{refusal.row}: {because(refusal)}\n")
    return totals


def _say_demo(settings: Settings, secret: str) -> None:
    root = f"http://{_shown(settings)}:{settings.port}"
    lines = [
        "",
        "城区大脑 · CityBrain：示意城区已启动 · the demo district is running （演示数据 · demonstration data）",
        *(
            f"  {root}{path:10} {words}"
            for path, words in (
                ("/", "门户 · portal"),
                ("/cockpit", "驾驶舱 · cockpit"),
                ("/desk", "工作台 · desk"),
                ("/data", "数据 · data"),
                ("/admin", "管理 · administration"),
            )
        ),
        "演示账号 · demo accounts （密码 · password: " + demonstration.PASSWORD + "）",
        *(f"  {account.name:14} {account.role.zh} · {account.role.en}" for account in demonstration.accounts()),
        f"演示设备 · demo device: {demonstration.DEVICE} / {secret}",
        *([f"MQTT: {_shown(settings)}:{settings.mqtt_port}"] if settings.mqtt_port else []),
        "",
    ]
    say("\n".join(lines))


def _shown(settings: Settings) -> str:
    return next((host for host in settings.hosts if ":" not in host), settings.hosts[0])
