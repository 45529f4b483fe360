"""Rendering: a view and its page become HTML; a block becomes a fragment that the live stream sends. Pure."""

import textwrap
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import get_args
from urllib.parse import parse_qsl, quote, urlencode

import jinja2
import msgspec

from citybrain.kernel.instant import Instant, rfc3339
from citybrain.kernel.text import Lang, Text
from citybrain.kernel.things import LIFE_WORDS, Life
from citybrain.web import (
    assets,
    barimage,
    booking_views,
    chartimage,
    data_views,
    decide_views,
    desk_views,
    formats,
    frame_views,
    map_views,
    mapimage,
    nearby_views,
    report_views,
    stream_views,
    studio_views,
    views,
)
from citybrain.web.keeping import Keeper
from citybrain.web.words import WORDS

_ROOT = Path(__file__).parent
_LANGUAGES: tuple[Lang, ...] = get_args(Lang)
_TEMPLATES: dict[type, str] = {
    views.Portal: "portal",
    views.Cockpit: "cockpit",
    desk_views.Desk: "desk",
    desk_views.CasePage: "case",
    report_views.ReportPage: "report",
    report_views.ReportCheck: "report_check",
    report_views.ReportStand: "report_stand",
    report_views.Follow: "follow",
    data_views.Catalogue: "data",
    data_views.DatasetPage: "dataset",
    data_views.FigurePage: "figure",
    data_views.Trace: "trace",
    decide_views.Questions: "decide",
    decide_views.AdvicePage: "advice",
    studio_views.Studio: "studio",
    studio_views.RulePage: "rule",
    frame_views.SignIn: "signin",
    frame_views.Problem: "error",
    frame_views.Admin: "admin",
    frame_views.Errors: "errors",
    frame_views.Design: "design",
    booking_views.OfferList: "booking_offers",
    booking_views.OfferPage: "booking_offer",
    booking_views.BookingList: "booking_list",
    booking_views.OwnerPage: "booking_owner",
    nearby_views.NearbyPage: "nearby",
    stream_views.StreamsPage: "streams",
    stream_views.StreamPage: "stream",
}
_BLOCKS: dict[type, tuple[str, str]] = {
    views.Figure: ("figure", "figure"),
    views.AlertList: ("alerts", "alerts"),
    views.CaseList: ("cases", "cases"),
    map_views.Map: ("map", "map"),
    views.Chart: ("chart", "chart"),
    views.Night: ("night", "night"),
    desk_views.News: ("news", "news"),
}


class Fragment(msgspec.Struct, frozen=True):
    """A block as it replaces the element of the same id; the JSON of a ``fragment`` event of the live stream."""

    id: str
    html: str


def render(
    view: frame_views.View
    | booking_views.BookingView
    | decide_views.DecideView
    | nearby_views.NearbyPage
    | stream_views.StreamView,
    page: views.Page,
) -> str:
    """The whole page of a view."""
    template = _environment(page.lang).get_template(f"templates/{_TEMPLATES[type(view)]}.html")
    return template.render(view=view, page=page)


def warm() -> None:
    """Read every template in every language, so that nobody's first page waits for it: half a second of a processor."""
    for lang in _LANGUAGES:
        environment = _environment(lang)
        for name in environment.list_templates(extensions=["html"]):
            environment.get_template(name)


def fragment(block: frame_views.Block, page: views.Page) -> Fragment:
    """One block of a page, with the id of the element that it replaces."""
    return Fragment(block_id(block), str(_drawn(block, page)))


def build() -> str:
    """The front end that pages are made with; a screen that stands for weeks loads itself anew when it changes."""
    return assets.read().get("main.js", "")


def block_id(block: frame_views.Block) -> str:
    """The id of a block's element: its kind, and its name where a page may have several."""
    kind = _BLOCKS[type(block)][0]
    name = getattr(block, "name", "")
    return f"{kind}-{name}" if name else kind


def say_skill(skill: views.Skill, lang: Lang) -> str:
    """A forecast's error against persistence, in words; a forecast that is no better says so."""
    better = skill.error < skill.persistence
    unit = skill.unit.get(lang)
    return (
        WORDS["skill_better" if better else "skill_worse"]
        .get(lang)
        .format(
            hours=skill.hours,
            error=formats.number(skill.error, skill.decimals),
            persistence=formats.number(skill.persistence, skill.decimals),
            baseline=skill.baseline.get(lang),
            unit=f" {unit}" if unit else "",
            share=round((1 - skill.error / skill.persistence) * 100) if better else 0,
        )
    )


def change_tone(figure: views.Figure) -> views.Tone:
    """Whether a figure's change is good; nothing is, where neither way is better."""
    if figure.change is None or figure.change.value == 0 or figure.better == "neither":
        return "plain"
    return "good" if (figure.change.value > 0) == (figure.better == "up") else "bad"


def turn(page: views.Page, name: str, value: str) -> str:
    """The address of the same page with one parameter of its query changed."""
    kept = [(key, said) for key, said in parse_qsl(page.query) if key not in {name, "cursor"}]
    return f"{quote(page.path)}?{urlencode([*kept, (name, value)])}"


def _drawn(block: frame_views.Block, page: views.Page) -> object:
    """What the block's macro makes, marked as escaped."""
    file, macro = _BLOCKS[type(block)]
    return getattr(_environment(page.lang).get_template(f"blocks/{file}.html").module, macro)(block, page)


class _Compiled(jinja2.BytecodeCache):
    """What templates were compiled to: it is the same in every language."""

    def __init__(self) -> None:
        self._code: dict[str, bytes] = {}

    def load_bytecode(self, bucket: jinja2.bccache.Bucket) -> None:
        """Fill a bucket."""
        if bucket.key in self._code:
            bucket.bytecode_from_string(self._code[bucket.key])

    def dump_bytecode(self, bucket: jinja2.bccache.Bucket) -> None:
        """Keep what is in a bucket."""
        self._code[bucket.key] = bucket.bytecode_to_string()


_COMPILED = _Compiled()


@lru_cache(maxsize=2)
def _environment(lang: Lang) -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_ROOT),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        bytecode_cache=_COMPILED,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    files = assets.read()
    environment.filters.update(_filters(lang))
    environment.globals.update(
        t=lambda key, **values: WORDS[key].get(lang).format(**values) if values else WORDS[key].get(lang),
        lang=lang,
        asset=lambda name: files.get(name, ""),
        block_id=block_id,
        turn=turn,
        kept=Keeper().kept,
        build=build(),
        draw=_drawn,
        draw_map=mapimage.draw,
        draw_bars=barimage.draw,
        draw_chart=lambda chart: chartimage.draw(chart, lang),
    )
    return environment


def _filters(lang: Lang) -> Mapping[str, object]:
    def say(text: Text | str | None) -> str:
        return text.get(lang) if isinstance(text, Text) else text or ""

    def life(word: str) -> str:
        return LIFE_WORDS[Life(word)].get(lang)

    def when(at: Instant) -> str:
        return formats.when(at, lang)

    def brief(at: Instant, now: Instant) -> str:
        return formats.brief(at, now, lang)

    def age(at: Instant, now: Instant) -> str:
        return formats.age(at, now, lang)

    def span(length: int) -> str:
        return formats.span(length // 1_000_000, lang)

    def short(value: float, decimals: int = 0) -> str:
        return formats.short(value, decimals, lang)

    def lines(text: str) -> list[str]:
        return [text] if lang == "zh" else textwrap.wrap(text, 14)

    def skill(found: views.Skill) -> str:
        return say_skill(found, lang)

    return {
        "say": say,
        "life": life,
        "when": when,
        "brief": brief,
        "age": age,
        "span": span,
        "short": short,
        "skill": skill,
        "lines": lines,
        "change_tone": change_tone,
        "clock": formats.clock,
        "iso": rfc3339,
        "number": formats.number,
        "signed": formats.signed,
        "ink": mapimage.ink,
    }
