"""What a module declares, read from its source: classes with their docstrings and fields, and the sentence beside each field."""

import ast
import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from types import ModuleType


@dataclass(frozen=True, slots=True)
class Member:
    """A field of a class: its type and default as written (None: it has none), and the docstring under it."""

    name: str
    type: str
    default: str | None
    about: str


@dataclass(frozen=True, slots=True)
class Declared:
    """A class of data: what its docstring says, and its fields."""

    name: str
    about: str
    members: tuple[Member, ...]


def classes(module: ModuleType) -> tuple[Declared, ...]:
    """Every public class of a module that declares fields, in the order of the source; members of an enumeration are fields too."""
    tree = ast.parse(inspect.getsource(module))
    found = (
        Declared(node.name, ast.get_docstring(node) or "", tuple(_members(node)))
        for node in tree.body
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    )
    return tuple(one for one in found if one.members)


def about(module: ModuleType) -> str:
    """The module's docstring."""
    return inspect.getdoc(module) or ""


def _members(node: ast.ClassDef) -> Iterator[Member]:
    for statement, following in zip(node.body, (*node.body[1:], None), strict=True):
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            default = None if statement.value is None else ast.unparse(statement.value)
            yield Member(statement.target.id, _plain(ast.unparse(statement.annotation)), default, _said(following))
        elif isinstance(statement, ast.Assign) and _is_enumeration(node):
            yield Member(ast.unparse(statement.targets[0]), "", ast.unparse(statement.value), _said(following))


def _is_enumeration(node: ast.ClassDef) -> bool:
    return any(ast.unparse(base) in ("StrEnum", "IntEnum") for base in node.bases)


def _said(statement: ast.stmt | None) -> str:
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant) and isinstance(statement.value.value, str):
        return statement.value.value
    return ""


def _plain(written: str) -> str:
    """A type as written, without the quotes of a forward reference."""
    return written.strip("'\"")
