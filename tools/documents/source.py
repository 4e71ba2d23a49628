"""What the source says about its classes and their fields, read with `ast`: Python keeps no
docstrings of fields at run time.
"""

import ast
import inspect
from dataclasses import dataclass
from functools import cache


@dataclass(frozen=True)
class Field:
    """One annotated field of a class."""

    name: str
    annotation: str
    default: bool
    """It has one."""
    meaning: str
    """The string under it, on one line; empty where there is none."""


@dataclass(frozen=True)
class Described:
    """A class: its docstring on one line, and its fields in order."""

    meaning: str
    fields: tuple[Field, ...]


def described(kind: type) -> Described:
    """What the source says about `kind`."""
    return _classes(inspect.getsourcefile(kind) or "")[kind.__name__]


def constants(module: object) -> dict[str, str]:
    """The documented names of a module, each with the string under it."""
    tree = ast.parse(inspect.getsource(module))  # type: ignore[arg-type]
    return {name: text for name, _, _, text in _fields(tree.body) if text}


@cache
def _classes(file: str) -> dict[str, Described]:
    with open(file, encoding="utf-8") as source:  # noqa: PTH123 - as inspect gave it
        tree = ast.parse(source.read())
    return {
        node.name: Described(
            _one_line(ast.get_docstring(node) or ""),
            tuple(Field(*field) for field in _fields(node.body)),
        )
        for node in tree.body
        if isinstance(node, ast.ClassDef)
    }


def _fields(body: list[ast.stmt]) -> list[tuple[str, str, bool, str]]:
    found = []
    for node, after in zip(body, [*body[1:], None], strict=True):
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            name, annotation = node.target.id, ast.unparse(node.annotation)
            default = node.value is not None
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            name, annotation, default = node.targets[0].id, "", True
        else:
            continue
        text = ""
        if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
            text = _one_line(str(after.value.value))
        found.append((name, annotation, default, text))
    return found


def _one_line(text: str) -> str:
    return " ".join(text.split())
