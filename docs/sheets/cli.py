"""The page of the command line, walked from the parser that the program uses."""

import argparse

from citybrain.app.cli import _parser
from citybrain.kernel.text import Text
from docs.sheets.markdown import code, sheet, table


def page() -> str:
    """The page."""
    parser = _parser()
    ways = next(action for action in parser._actions if isinstance(action, argparse._SubParsersAction))  # noqa: SLF001 - argparse has no other way to be walked
    about = Text(
        "`citybrain [--config citybrain.toml] <命令>`。出错时用中英文说明原因与办法，退出状态为 2；`check` 未通过时为 1。",
        "`citybrain [--config citybrain.toml] <command>`. An error is told in both languages and ends with status 2; a `check` that "
        "fails ends with 1. One program at a time may use a state folder.",
    )
    return sheet(Text("命令行", "Command line"), about, *(_way(name, way) for name, way in ways.choices.items()))


def commands() -> tuple[str, ...]:
    """The names of all commands."""
    parser = _parser()
    ways = next(action for action in parser._actions if isinstance(action, argparse._SubParsersAction))  # noqa: SLF001 - as above
    return tuple(ways.choices)


def _way(name: str, way: argparse.ArgumentParser) -> str:
    given = [action for action in way._actions if not isinstance(action, argparse._HelpAction)]  # noqa: SLF001 - as above
    words = way.description or ""
    return f"## citybrain {name}\n\n{words}\n\n" + table(
        ("参数 · argument", "必填 · required", "说明 · about"), (_argument(one) for one in given)
    )


def _argument(one: argparse.Action) -> tuple[str, str, str]:
    name = ", ".join(one.option_strings) or one.dest
    choices = "" if one.choices is None else f"（{', '.join(str(choice) for choice in one.choices)}）"
    required = one.required and one.nargs != "*"
    return (code(name), "是 · yes" if required else "", f"{one.help or ''}{choices}")
