"""Examples of the docs that are marked to be run, found in their pages.

Before a fence stands a comment that nobody sees: ``<!-- example: parse json -->`` (it must parse), ``<!-- example: run STAGE -->`` (bash or
Python, in the folder of that stage), ``<!-- example: write STAGE FILE -->`` (the fence is a new file), ``insert STAGE FILE after LINE`` (it goes
into a file), ``replace STAGE FILE at LINE`` (it stands for that line), ``append STAGE FILE``, ``<!-- example: output -->`` (every line of the fence
stands in what the example before it said).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

TREE = Path(__file__).parents[2]
PAGES = (TREE / "README.md", TREE / "CONTRIBUTING.md", TREE / "CHANGELOG.md", *sorted((TREE / "docs").rglob("*.md")))
STAGES = ("empty", "district", "demo", "tree")
EDITS = ("write", "insert", "replace", "append")
_MARKED = re.compile(r"<!-- example: (?P<mark>[^\n]+?) -->\n```(?P<language>\w+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Example:
    """One marked fence: what is to be done with it, its words after that, its language and its text."""

    page: str
    verb: str
    words: str
    language: str
    text: str

    @property
    def stage(self) -> str:
        """The folder in which it happens; empty for what is only parsed or compared."""
        return self.words.split()[0] if self.verb in ("run", *EDITS) else ""


def examples(page: Path) -> Iterator[Example]:
    """The marked fences of a page, in order."""
    name = page.relative_to(TREE).as_posix()
    for found in _MARKED.finditer(page.read_text(encoding="utf-8")):
        verb, _, words = found["mark"].partition(" ")
        yield Example(name, verb, words, found["language"], found["text"])


def plays() -> Iterator[tuple[str, str, tuple[Example, ...]]]:
    """Page, stage and what happens on it: the outputs that are expected follow what says them."""
    for page in PAGES:
        marked = tuple(examples(page))
        for stage in STAGES:
            acts: list[Example] = []
            inside = False
            for one in marked:
                inside = one.stage == stage if one.stage else inside and one.verb == "output"
                if inside:
                    acts.append(one)
            if acts:
                yield page.relative_to(TREE).as_posix(), stage, tuple(acts)
