"""Pages as strings: what a reader must find, and what must never be shown."""

import itertools
import re

import msgspec
import pytest

from citybrain.kernel.instant import HOUR, Instant
from citybrain.kernel.text import Lang, Text, same
from citybrain.web import frame_views, render, views
from tests.web import examples

LANGS: tuple[Lang, ...] = ("zh", "en")


@pytest.mark.parametrize("name", sorted(examples.PAGES))
@pytest.mark.parametrize("lang", LANGS)
def test_every_page_has_one_heading_its_language_and_headings_in_order(name: str, lang: Lang) -> None:
    path, view = examples.PAGES[name]
    html = render.render(view, examples.page(lang, path))
    assert f'<html lang="{"zh-CN" if lang == "zh" else "en"}"' in html
    assert html.count("<h1") == 1
    levels = [int(level) for level in re.findall(r"<h(\d)", html)]
    ids = re.findall(r'\sid="([^"]+)"', html)
    assert len(ids) == len(set(ids))
    assert [(before, after) for before, after in itertools.pairwise(levels) if after - before > 1] == []


@pytest.mark.parametrize("name", sorted(examples.PAGES))
def test_every_label_points_to_a_field_and_every_field_has_a_label(name: str) -> None:
    path, view = examples.PAGES[name]
    html = render.render(view, examples.page("zh", path))
    fields = re.findall(r'<(?:input|select|textarea)(?![^>]*type="hidden")[^>]*\sid="([^"]+)"', html)
    assert sorted(fields) == sorted(re.findall(r'<label[^>]*\sfor="([^"]+)"', html))


@pytest.mark.parametrize("name", sorted(examples.PAGES))
def test_every_form_that_changes_something_carries_the_token(name: str) -> None:
    path, view = examples.PAGES[name]
    html = render.render(view, examples.page("zh", path))
    for form in re.findall(r'<form[^>]*method="post".*?</form>', html, re.DOTALL):
        assert 'name="csrf" value="0b6f3c"' in form


def figure(**changes: object) -> str:
    """A figure's card, with changes."""
    return render.fragment(msgspec.structs.replace(examples.FIGURES[1], **changes), examples.page()).html


def test_a_missing_value_is_never_zero_and_says_why() -> None:
    html = figure(value=None, reason=Text("受理中心尚未填报", "the intake centre has not filled it in"))
    assert "暂无数据（受理中心尚未填报）" in html
    assert "<data" not in html


def test_a_dead_part_is_told_beside_the_rest_and_since_when() -> None:
    html = figure()
    assert "+1不明" in html
    assert "06:40起无数据" in html
    assert "数据中断" in html


def test_a_figure_that_could_not_be_computed_shows_no_old_number() -> None:
    html = figure(error=Text("读取事实表超时", "the fact table timed out"))
    assert "未能计算：读取事实表超时" in html
    assert "<data" not in html


def test_a_rise_is_good_only_where_up_is_better() -> None:
    rise = views.Change(3, same(""), same(""))
    tones = [
        re.findall(r'class="delta" data-tone="(\w+)"', figure(change=rise, better=better)) for better in ("up", "down", "neither")
    ]
    assert tones == [["good"], ["bad"], ["plain"]]


def test_demo_data_are_marked_on_every_card_that_carries_them() -> None:
    html = render.render(examples.COCKPIT, examples.page())
    cards = re.findall(r'class="card .*?</(?:section|article)>', html, re.DOTALL)
    assert len(cards) == 13
    assert all("演示数据" in card for card in cards)


def test_a_mixed_list_marks_the_demo_lines_alone() -> None:
    real = msgspec.structs.replace(examples.CASES[0], demo=False)
    html = render.fragment(views.CaseList("x", same("x"), (real, examples.CASES[1]), same("")), examples.page()).html
    assert html.count("演示数据") == 1
    assert "演示数据" not in html.split("</header>")[0]


def test_an_overdue_case_says_by_how_much_and_a_closed_one_whether_in_time() -> None:
    html = render.fragment(examples.COCKPIT.late, examples.page()).html
    assert "超期1小时35分" in html
    closed = msgspec.structs.replace(examples.CASES[4], closed=Instant(examples.CASES[4].due + HOUR))
    assert "超期结案" in render.fragment(views.CaseList("x", same("x"), (closed,), same("")), examples.page()).html


def test_empty_lists_say_why() -> None:
    html = render.fragment(views.AlertList((), Text("当前没有预警。", "No alerts.")), examples.page()).html
    assert "当前没有预警。" in html


def test_what_people_typed_is_text_and_never_markup() -> None:
    view = msgspec.structs.replace(examples.CASE, words="<img src=x onerror=alert(1)>&王䶮")
    html = render.render(view, examples.page("zh", "/desk/x"))
    assert "&lt;img src=x" in html
    assert "<img" not in html


def test_a_refused_form_keeps_what_was_typed_and_points_to_the_field() -> None:
    typed = msgspec.structs.replace(examples.CASE_REFUSED, typed={"return-note": "缺少现场照片"})
    html = render.render(typed, examples.page("zh", "/desk/x"))
    assert ">缺少现场照片</textarea>" in html
    assert 'href="#return-note"' in html
    assert 'aria-describedby="return-note-error"' in html


def test_an_embedded_page_has_no_header_and_no_footer_of_its_own() -> None:
    html = render.render(examples.PORTAL, msgspec.structs.replace(examples.page("zh", "/"), embed=True))
    assert '<header class="top"' not in html
    assert '<footer class="foot"' not in html
    assert 'id="banner"' in html


def test_footer_lines_that_are_not_set_are_left_out() -> None:
    html = render.render(examples.PORTAL, msgspec.structs.replace(examples.page("zh", "/"), footer=views.Footer(icp="津ICP备1号")))
    assert "津ICP备1号" in html
    assert "主办单位" not in html
    assert "政府网站找错" not in html


def test_a_switch_keeps_the_rest_of_the_address_and_drops_the_cursor() -> None:
    page = msgspec.structs.replace(examples.page("zh", "/desk"), query="filter=late&cursor=abc&lang=zh")
    assert render.turn(page, "lang", "en") == "/desk?filter=late&lang=en"


def test_a_fragment_has_the_id_of_the_block_that_it_replaces() -> None:
    page = examples.page()
    html = render.render(examples.COCKPIT, page)
    blocks: tuple[frame_views.Block, ...] = (
        examples.FIGURES[0], examples.ALERTS, examples.COCKPIT.cases, examples.COCKPIT.late, examples.MAP, examples.PM, examples.NIGHT,
    )  # fmt: skip
    for block in blocks:
        fragment = render.fragment(block, page)
        assert html.count(f'id="{fragment.id}"') == 1
        assert fragment.html.strip().count(f'id="{fragment.id}"') == 1


def test_a_ledger_that_does_not_add_up_shows_the_difference() -> None:
    html = render.render(examples.ADMIN, examples.page("zh", "/admin"))
    assert '<span class="tag" data-tone="bad">3</span>' in html


def test_a_broken_chain_says_where_and_why() -> None:
    html = render.render(examples.TRACE, examples.page("zh", "/trace"))
    assert "链条在此中断：已过保留期" in html


def test_a_page_without_a_build_still_says_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("citybrain.web.assets.read", dict)
    render._environment.cache_clear()
    html = render.render(examples.SIGNIN, examples.page("zh", "/signin"))
    render._environment.cache_clear()
    assert "<script" not in html
    assert "登录" in html


@pytest.mark.parametrize("lang", LANGS)
def test_a_partly_known_figure_says_how_many_are_unknown_and_since_when(lang: Lang) -> None:
    since = Text("06:40起无有效数据", "no good reading since 06:40")
    figure = views.Figure("streams_live", same("n"), 36.0, same(""), Instant(0), unknown=1, reason=since)
    html = render.fragment(figure, examples.page(lang, "/cockpit")).html
    assert re.search(r">36</data><span class=\"unknown\">\+1\s?(不明|unknown)</span>", html)
    assert since.get(lang) in html
    whole = msgspec.structs.replace(figure, value=37.0, unknown=0)
    assert since.get(lang) not in render.fragment(whole, examples.page(lang, "/cockpit")).html


def test_warming_reads_every_template_in_both_languages_and_compiles_it_once() -> None:
    render.warm()
    zh, en = (render._environment(lang) for lang in ("zh", "en"))
    names = zh.list_templates(extensions=["html"])
    assert "templates/cockpit.html" in names
    for name in names:
        assert zh.get_template(name).is_up_to_date
        assert zh.get_template(name).root_render_func.__code__ == en.get_template(name).root_render_func.__code__


def test_of_a_ledger_that_is_not_told_now_pending_and_difference_are_not_known() -> None:
    ledger = msgspec.structs.replace(examples.ADMIN.ledgers[0], pending=None)
    told = msgspec.structs.replace(examples.ADMIN, ledgers=(ledger,), told=ledger.last)
    html = render.render(told, examples.page("en", "/admin"))
    assert '<span class="of">Pending</span> not known' in html
    assert '<span class="of">Difference</span> not known' in html
    assert "does not answer: these are the counts it last told" in html
    none = render.render(
        msgspec.structs.replace(examples.ADMIN, ledgers=(), away=same("nobody there")), examples.page("en", "/admin")
    )
    assert "nobody there" in none
    assert "Nothing has been received yet" not in none
