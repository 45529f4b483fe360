"""The page of the mission: every row of the plan with what works, what does not, and what proves it."""

import tomllib
from pathlib import Path

import msgspec

from citybrain.kernel.text import Text
from docs.sheets.markdown import sheet, table

FILE = Path(__file__).parents[1] / "mission.toml"
WORDS = FILE.with_name("mission-words.toml")
STATUS = {"works": "可用 · works", "partial": "部分 · partial", "not yet": "尚无 · not yet"}


class Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A row of the mission: its title, whether it works, and what proves it."""

    id: str
    title: str
    status: str
    proofs: tuple[str, ...]


class Words(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What of a row is shown now, and what it lacks."""

    works: Text
    lacks: Text


class Mission(msgspec.Struct, frozen=True):
    """The file docs/mission.toml."""

    row: tuple[Row, ...]


def rows() -> tuple[Row, ...]:
    """Every row, in the order of the file."""
    return msgspec.convert(tomllib.loads(FILE.read_text(encoding="utf-8")), Mission).row


def words() -> dict[str, Words]:
    """What is said of each row that has begun, by its id."""
    return msgspec.convert(tomllib.loads(WORDS.read_text(encoding="utf-8")), dict[str, Words])


def page() -> str:
    """The page."""
    listed, said = rows(), words()
    counts = "、".join(f"{STATUS[name]} {sum(row.status == name for row in listed)}" for name in STATUS)
    about = Text(
        f"规划各项的现状：{counts}，共 {len(listed)} 项。“可用”须其标准完全得到证明；“部分”列出已有与尚缺。依据是测试，测试通过才算。",
        "Where each row of the plan stands. A row works only when all that it asks for is shown; a partial one says what is there "
        "and what is not. Proofs are tests and benchmarks; [docs/mission.toml](../mission.toml) is held to the truth by a test.",
    )
    begun = [row for row in listed if row.status != "not yet"]
    later = [row for row in listed if row.status == "not yet"]
    return sheet(
        Text("规划完成情况", "The mission, row by row"),
        about,
        *(_begun(row, said[row.id]) for row in begun),
        "## 尚无 · Not yet",
        table(("行 · row", "名称 · title"), ((row.id, row.title) for row in later)),
    )


def _begun(row: Row, said: Words) -> str:
    proofs = "\n".join(f"- {_linked(proof)}" for proof in row.proofs)
    works = f"已有：{said.works.zh}\nWorks: {said.works.en}"
    lacks = f"尚缺：{said.lacks.zh}\nLacks: {said.lacks.en}"
    return "\n\n".join((f"## {row.id} {row.title}：{STATUS[row.status]}", works, lacks, proofs))


def _linked(proof: str) -> str:
    path, *names = proof.split("::")
    return f"[{path}](../../{path}) {' '.join(f'`{name}`' for name in names)}".rstrip()
