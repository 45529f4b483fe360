"""Every example of the docs that is marked runs, and what is marked as an answer is answered."""

import json
import shutil
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.docs import stages
from tests.docs.examples import EDITS, PAGES, STAGES, Example, examples, plays
from tests.docs.stages import Stage

PARSERS: dict[str, Callable[[str], object]] = {"json": json.loads, "toml": tomllib.loads}
MARKED = tuple(plays())
STILL = tuple((page, stage, acts) for page, stage, acts in MARKED if stage != "demo")
BROKEN: dict[str, str] = {}
"""Pages whose examples show a fault of the program that is known; the one who mends it takes the line out."""
LIVE = tuple((page, acts) for page, stage, acts in MARKED if stage == "demo")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed; the examples of the docs use it")
    with stages.demo(tmp_path_factory.mktemp("demo")) as stage:
        yield stage


def play(stage: Stage, acts: tuple[Example, ...]) -> None:
    said = ""
    for act in acts:
        if act.verb == "output":
            assert [line for line in act.text.splitlines() if line not in said] == [], f"{act.page}: {said}"
        else:
            said = stage.play(act)


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("page", "stage", "acts"),
    [
        pytest.param(*one, marks=[pytest.mark.xfail(reason=BROKEN[one[0]], raises=AssertionError)] if one[0] in BROKEN else [])
        for one in STILL
    ],
    ids=[f"{page}:{stage}" for page, stage, _ in STILL],
)
def test_the_examples_of_a_page_run_in_their_order(*, tmp_path: Path, page: str, stage: str, acts: tuple[Example, ...]) -> None:
    assert page
    play({"empty": stages.empty, "district": stages.district, "tree": stages.tree}[stage](tmp_path), acts)


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize(("page", "acts"), LIVE, ids=[page for page, _ in LIVE])
def test_the_examples_of_a_page_run_against_the_demo(*, running: Stage, page: str, acts: tuple[Example, ...]) -> None:
    assert page
    play(running, acts)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_examples_of_data_are_what_they_say(page: Path) -> None:
    for one in examples(page):
        assert one.verb in ("parse", "run", "output", *EDITS), one
        assert not one.stage or one.stage in STAGES, one
        if one.verb == "parse":
            PARSERS[one.language](one.text)


def test_there_are_examples_of_every_stage() -> None:
    assert {stage for _, stage, _ in MARKED} == set(STAGES)
