"""Words: both languages whole, nothing bare in a template, no word that a government system must not use."""

import re
from pathlib import Path

import pytest

from citybrain.kernel.text import Text
from citybrain.web import data_views, render, views
from citybrain.web.words import PARTS, WORDS
from tests.web import examples

ROOT = Path(render.__file__).parent
TEMPLATES = sorted([*ROOT.glob("templates/*.html"), *ROOT.glob("blocks/*.html")])
NEVER = (
    "赋能",
    "一键",
    "秒级",
    "AI智能",
    "大屏",
    "黑科技",
    "100%准确",
    "投诉单",
    "建单",
    "工单",
    "SLA",
    "公开/受限",
    "好评",
    "差评",
)
_CHINESE = re.compile(r"[一-鿿]")
_CODE = re.compile(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", re.DOTALL)
_TAGS = re.compile(r"<[^>]*>", re.DOTALL)


@pytest.mark.parametrize("key", sorted(WORDS))
def test_every_word_is_there_in_both_languages(key: str) -> None:
    word = WORDS[key]
    assert word.zh.strip()
    assert word.en.strip()
    if key != "other_language":
        assert not _CHINESE.search(word.en), "the English text holds Chinese"


def test_a_word_stands_in_one_part_alone() -> None:
    assert len(WORDS) == sum(len(part.WORDS) for part in PARTS)


@pytest.mark.parametrize("key", sorted(WORDS))
def test_both_languages_take_the_same_places(key: str) -> None:
    places = [set(re.findall(r"\{(\w+)\}", text)) for text in (WORDS[key].zh, WORDS[key].en)]
    assert places[0] == places[1]


@pytest.mark.parametrize("file", TEMPLATES, ids=lambda file: file.name)
def test_a_template_has_no_words_of_its_own(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert not _CHINESE.search(re.sub(r"\{#.*?#\}", "", text, flags=re.DOTALL))
    text = re.sub(r'aria-[a-z]+="[^"]*"', "", text)
    text = re.sub(r"\{% block name %\}\w+\{% endblock %\}", "", text)
    outside = re.sub(r"&\w+;", "", _TAGS.sub(" ", _CODE.sub(" ", text)))
    assert re.findall(r"[A-Za-z]{2,}", outside) == []


@pytest.mark.parametrize("file", TEMPLATES, ids=lambda file: file.name)
def test_a_template_has_no_script_and_no_style_inside(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert re.findall(r"<style|\sstyle=|\son[a-z]+=|<script(?![^>]*\ssrc=)", text) == []


def test_every_word_that_a_template_asks_for_exists_and_every_word_is_asked_for() -> None:
    text = "".join(file.read_text(encoding="utf-8") for file in [*TEMPLATES, ROOT / "render.py"])
    for kind in (
        "figure",
        "case",
        "alert",
        "rule",
        "evidence",
        "reading",
        "stream",
        "booking",
        "offer",
        "door",
        "device",
        "receipt",
        "file",
    ):
        text += f"'kind_{kind}'"
    for grade in range(1, 5):
        text += f"'grade_{grade}' 'grade_short_{grade}'"
    asked = set(re.findall(r"['\"]([a-z][a-z_0-9]*)['\"]", text))
    assert set(re.findall(r"\bt\('(\w+)'\s*[,)]", text)) <= set(WORDS)
    assert set(WORDS) - asked == set()


@pytest.mark.parametrize("name", sorted(examples.PAGES))
def test_no_page_says_a_forbidden_word(name: str) -> None:
    path, view = examples.PAGES[name]
    for lang in ("zh", "en"):
        html = render.render(view, examples.page("zh" if lang == "zh" else "en", path))
        assert [word for word in NEVER if word in html] == []


def test_an_english_page_says_no_chinese_of_ours() -> None:
    frame = views.Page(lang="en", path="/data", city=examples.NOW, district=Text("", "Yunting District"))
    html = render.render(data_views.Catalogue(()), frame)
    left = _CHINESE.findall(_TAGS.sub(" ", html).replace(WORDS["other_language"].en, ""))
    assert left == []
