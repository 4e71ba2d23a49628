"""docs/configuration.md: every setting with its type, its default and what it means."""

import ast
import json
from dataclasses import fields, is_dataclass
from typing import Any, get_type_hints

from documents import NOTE
from documents.source import described
from ultraandchat.config import ENVIRONMENT_PREFIX, Config

HEAD = f"""# Configuration

<!-- {NOTE} -->

Everything has a default; `ultraandchat serve` needs no configuration. A setting is changed in four places, of
which a later one wins:

1. a TOML file, `ultraandchat serve --config FILE`: `[turn]`, then `endpoint_ms = 500`;
2. the environment: `{ENVIRONMENT_PREFIX}TURN__ENDPOINT_MS=500`, two underscores for the dot;
3. `--profile`, `--host` and `--port` on the command line;
4. `--set turn.endpoint_ms=500` on the command line, as often as needed; a list is written `a,b,c`.

On a Runpod pod `server.host` is 0.0.0.0 before all of these, because the pod's proxy calls from outside.

A name that does not exist is an error that tells the nearest one. Secrets belong into the environment, where no
other user of the machine can read them.

With a real language model, in a file:

```toml
[engines.chat]
base_url = "http://localhost:11434/v1"
model = "llama3.1:8b"
```
"""


def text() -> str:
    """The whole document."""
    return HEAD + "".join(_section(Config, ""))


def _section(kind: type, prefix: str) -> list[str]:
    """The section's own table, then those of the sections in it."""
    hints = get_type_hints(kind)
    instance = kind()
    notes = {field.name: field for field in described(kind).fields}
    rows, inner = [], []
    for field in fields(kind):
        name = f"{prefix}{field.name}"
        if is_dataclass(hints[field.name]):
            inner += _section(hints[field.name], f"{name}.")
            continue
        note = notes[field.name]
        default = _toml(getattr(instance, field.name))
        rows.append(
            f"| `{name}` | {_kind(note.annotation)} | {default} | {_cell(note.meaning)} |\n"
        )
    if not rows:
        return inner
    head = f"\n## [{prefix.rstrip('.')}]\n\n{described(kind).meaning}\n\n"
    return [
        head,
        "| setting | type | default | meaning |\n| --- | --- | --- | --- |\n",
        *rows,
        *inner,
    ]


def _kind(annotation: str) -> str:
    if annotation.startswith("Literal["):
        choices = ast.literal_eval(f"({annotation.removeprefix('Literal[').removesuffix(']')},)")
        return ", ".join(f"`{choice}`" for choice in choices)
    words = {"str": "text", "int": "whole number", "float": "number", "bool": "true or false"}
    words |= {"tuple[str, ...]": "list of text"}
    return words[annotation.removesuffix(" | None")]


def _toml(value: Any) -> str:
    if value is None:
        return "unset"
    shown = json.dumps(list(value) if isinstance(value, tuple) else value, ensure_ascii=False)
    return f"`{_cell(shown)}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
