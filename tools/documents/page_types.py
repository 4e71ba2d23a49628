"""src/ultraandchat/web/wire.js: the messages as JSDoc types, for the page's type check."""

import re
from collections.abc import Iterable
from types import UnionType
from typing import get_args

import msgspec

from documents.source import Field, described
from ultraandchat.transport import wire

HEAD = f"""/**
 * The control messages of `/ws`, as types: the words of transport/wire.py. Made by `make docs`.
 */

export const PROTOCOL_VERSION = {wire.PROTOCOL_VERSION};
"""


def text() -> str:
    """The whole module."""
    from_caller, from_server = get_args(wire.ClientMessage), get_args(wire.ServerMessage)
    parts = [
        HEAD,
        *(_typedef(kind, from_caller=True) for kind in _with_parts(from_caller)),
        _union("ClientMessage", from_caller),
        *(_typedef(kind, from_caller=False) for kind in _with_parts(from_server)),
        _union("ServerMessage", from_server),
    ]
    return "\n".join(parts)


def tag(kind: type[msgspec.Struct]) -> str:
    """A message's `type`; empty for what is only part of one."""
    return str(kind.__struct_config__.tag or "")


def parts_of(kind: type) -> list[type]:
    """Structs that stand in the fields of `kind`."""
    found: list[type] = []
    for field in msgspec.structs.fields(kind):
        found += [arg for arg in get_args(field.type) if _is_struct(arg)]
    return found


def _with_parts(kinds: Iterable[type]) -> list[type]:
    """Each after the parts it is made of."""
    return [one for kind in kinds for one in (*parts_of(kind), kind)]


def _is_struct(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


def _typedef(kind: type[msgspec.Struct], *, from_caller: bool) -> str:
    about = described(kind)
    lines = ["/**"]
    lines += [f" * {about.meaning}"] if about.meaning else []
    lines += [f" * @typedef {{Object}} {kind.__name__}"]
    lines += [f' * @property {{"{tag(kind)}"}} type'] if tag(kind) else []
    lines += [_property(field, from_caller) for field in about.fields]
    return "\n".join([*lines, " */\n"])


def _property(field: Field, from_caller: bool) -> str:
    """What the caller may leave out is optional; the server sends every field, if only as null."""
    optional = field.default and (from_caller or "None" in field.annotation)
    name = f"[{field.name}]" if optional else field.name
    return f" * @property {{{_js(field.annotation)}}} {name} {field.meaning}".rstrip()


def literals(annotation: str) -> list[str]:
    """The words that a `Literal[...]` allows."""
    return re.findall(r"'([^']*)'", annotation)


def _js(annotation: str) -> str:
    if allowed := literals(annotation):
        return " | ".join(f'"{word}"' for word in allowed)
    if inner := re.fullmatch(r"list\[(.*)\]", annotation):
        return f"{_js(inner[1])}[]"
    if " | " in annotation:
        return " | ".join(_js(part) for part in annotation.split(" | "))
    words = {"str": "string", "int": "number", "float": "number", "bool": "boolean", "None": "null"}
    return words.get(annotation, annotation)


def _union(name: str, kinds: Iterable[type | UnionType]) -> str:
    names = " | ".join(getattr(kind, "__name__", str(kind)) for kind in kinds)
    return f"/**\n * @typedef {{{names}}} {name}\n */\n"
