"""Writes the files that are made from the source; with `--check`, only says which are out of date.

docs/configuration.md           every setting, from the config dataclasses
docs/protocol.md                messages, binary header, close codes, from transport/
docs/turn-taking.md             its table and drawing, from the table in turn/taking.py
src/ultraandchat/web/wire.js    the messages as types for the page, from transport/wire.py
"""

import sys
from pathlib import Path

from documents import configuration, page_types, protocol, turn_taking

ROOT = Path(__file__).resolve().parent.parent


def made() -> dict[Path, str]:
    """Each generated file's whole text."""
    turns = ROOT / "docs/turn-taking.md"
    return {
        ROOT / "docs/configuration.md": configuration.text(),
        ROOT / "docs/protocol.md": protocol.text(),
        turns: turn_taking.renewed(turns.read_text(encoding="utf-8")),
        ROOT / "src/ultraandchat/web/wire.js": page_types.text(),
    }


def main(arguments: list[str]) -> int:
    """0 when all is as it should be."""
    stale = [
        (path, text)
        for path, text in made().items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]
    for path, text in stale:
        name = path.relative_to(ROOT)
        if "--check" in arguments:
            print(f"{name} is out of date: make docs")
        else:
            path.write_text(text, encoding="utf-8")
            print(f"wrote {name}")
    return 1 if stale and "--check" in arguments else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
