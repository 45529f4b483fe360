"""The catalogue of classes: whole, dated and marked, and found by what people say."""

import csv
from pathlib import Path

import pytest

from citybrain.app import city, district
from citybrain.app.check import check
from citybrain.brain.act.alike import ClassFinder
from citybrain.kernel.cases import Flow
from citybrain.services.government.citizen_report import FORM, PACK, PARAMETERS

SOURCE = Path(__file__).parents[5] / "shared" / "standards" / "gbt47678_5_2026_catalogue.csv"
FINDER = ClassFinder(FORM.classes)


def test_the_pack_keeps_every_promise() -> None:
    assert [one.name for one in check(PACK).promises if not one.ok] == []


def test_every_class_of_the_edition_is_there_once() -> None:
    codes = [one.code for one in FORM.classes]

    assert (len(codes), len(set(codes))) == (250, 250)
    assert [sum(code.startswith(f"{major:02d}") for code in codes) for major in range(1, 11)] == [
        76,
        44,
        16,
        14,
        3,
        51,
        7,
        16,
        21,
        2,
    ]


@pytest.mark.skipif(not SOURCE.exists(), reason="the transcription is not on this machine")
def test_codes_and_chinese_words_are_those_of_the_transcription() -> None:
    with SOURCE.open(encoding="utf-8", newline="") as lines:
        theirs = {row["code"]: row["name"] for row in csv.DictReader(lines) if row["kind"] != "component"}

    assert {one.code: one.title.zh for one in FORM.classes} == theirs


def test_the_edition_says_its_date_and_that_its_source_is_secondary() -> None:
    edition = next(one for one in PARAMETERS if one.name == "catalogue")

    assert (edition.value, edition.since, edition.mark) == ("GB/T 47678.5-2026", "2026-07-01", "secondary")
    assert (FORM.since, FORM.mark) == ("2026-07-01", "secondary")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("井盖坏了", "01023"),
        ("路灯不亮", "01037"),
        ("我家楼下路灯坏了好几天晚上黑漆漆的", "01037"),
        ("垃圾桶满了", "06042"),
        ("路面有个大坑", "06013"),
        ("马路积水", "01004"),
        ("半夜施工太吵", "08001"),
        ("饭店油烟扰民", "06027"),
        ("消防通道被堵", "09012"),
        ("共享单车乱放", "09011"),
        ("红绿灯不亮", "02014"),
        ("僵尸车占车位", "06034"),
        ("street light out", "01037"),
        ("pothole", "06013"),
        ("06010", "06010"),
    ],
)
def test_everyday_words_find_their_class_among_the_first_three(words: str, code: str) -> None:
    assert code in [one.code for one in FINDER.search(words, 3)]


def test_nonsense_finds_nothing() -> None:
    assert FINDER.search("xyzzy") == ()
    assert FINDER.search("") == ()


def test_duties_are_those_that_a_district_has() -> None:
    assert {one.duty for one in FORM.classes} | {FORM.duty} <= set(district._DUTIES)


def test_what_can_hurt_somebody_is_promised_in_hours() -> None:
    promised = {one.code: (one.allowance.amount, one.allowance.counting) for one in FORM.classes}

    assert promised["01023"] == (2, "hours")
    assert promised["06010"] == (5, "working_days")


def test_its_flow_exists_and_reopens() -> None:
    flow: Flow = city._flows((PACK,))[FORM.flow]

    assert flow.reopens == (("closed", "assigned"),)
