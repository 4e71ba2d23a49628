"""The page's modules as one script: the same program, whose lines lead back to their files."""

import json
import logging
import subprocess
from pathlib import Path

import pytest

from ultraandchat.server import page
from ultraandchat.server.linking import BASE64, Linked, Linking, Read, Unlinkable, link

ROOT = Path(__file__).parents[2]
WEB = Path(page.__file__).parent.parent / "web"

MODULES = {
    "main.js": """import { Presence as Disc, say } from "./view/talk.js";
import { order } from "./order.js";
import "./aside.js";

order.push("main");
const kept = await Promise.resolve(new Disc().name);
say(kept);
say(order.join(" "));
const { late } = await import("./later.js");
say(late);
""",
    "order.js": """export const order = [];
order.push("order");
const mine = "of order";
order.push(mine);
""",
    "aside.js": """order.push("aside");
import { order } from "./order.js";
""",
    "view/talk.js": """import { order } from "../order.js";
import {
  shout,
  whisper as soft,
} from "./words.js";
order.push("talk");
const mine = new URL(import.meta.url).pathname.split("/").slice(-2).join("/");
order.push(mine);
export function say(text) {
  console.log(soft(shout(text)));
}
export class Presence {
  name = "disc";
}
export {};
""",
    "view/words.js": """import { order } from "../order.js";
order.push("words");
export const whisper = (text) => `${text}…`;
export async function wait() {}
export function shout(text) {
  if (text === "late") throw new Error("too late");
  return text.toUpperCase();
}
""",
    "later.js": 'export const late = "late";\n',
}


def lying(modules: dict[str, str]) -> Read:
    return lambda path: modules[path].encode() if path in modules else None


def linked(modules: dict[str, str]) -> Linked:
    return link("main.js", lying(modules), "page.js.map")


def run(script: Path) -> subprocess.CompletedProcess[str]:
    """In a JavaScript engine, told to follow source maps."""
    command = ["tools/node.sh", "--enable-source-maps", str(script)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)


def test_it_is_the_same_program_and_a_debugger_finds_its_lines(tmp_path: Path) -> None:
    for path, text in MODULES.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(text)
    whole = linked(MODULES)
    (tmp_path / "page.js").write_text(whole.script)
    (tmp_path / "page.js.map").write_text(whole.source_map)
    (tmp_path / "package.json").write_text('{"type": "module"}')
    apart, together = run(tmp_path / "main.js"), run(tmp_path / "page.js")
    assert apart.stdout == ("DISC…\nORDER OF ORDER WORDS TALK VIEW/TALK.JS ASIDE MAIN…\n")
    assert together.stdout == apart.stdout
    for ran in (apart, together):
        assert "Error: too late" in ran.stderr
        assert f"{tmp_path}/view/words.js:6" in ran.stderr
        assert f"{tmp_path}/main.js:10" in ran.stderr


def test_each_line_of_the_page_is_traced_to_the_same_line_of_its_file() -> None:
    files = {file.relative_to(WEB).as_posix(): file.read_text() for file in WEB.rglob("*.js")}
    whole = linked(files)
    lines = whole.script.splitlines()
    traced = 0
    for line, (source, number) in places(whole.source_map).items():
        original = files[source].split("\n")[number]
        here = lines[line]
        if original.startswith("import ") or "import.meta" in original or "import(" in original:
            continue
        traced += 1
        assert original.removeprefix("export ") in (here, "{};")
    assert traced > 5_000
    assert whole.modules[-1] == "main.js"


def test_all_of_the_page_but_what_runs_apart_is_in_it() -> None:
    files = {file.relative_to(WEB).as_posix() for file in WEB.rglob("*.js")}
    left = files - set(page.Page()._linking.now().modules)
    apart = {path for path in left if path.startswith(("worklet/", "vendor/"))}
    assert left - apart == {"again.js", "early.js", *TYPES}


TYPES = ("config.js", "connection/path.js", "events.js")
"""They name types, and nothing in them runs."""


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("export default 1;", "main.js, line 1 is of no known form: export default 1;"),
        ("\nexport let a = 1;", "main.js, line 2 is of no known form: export let a = 1;"),
        ("const a = 1;\nexport { a };", "main.js, line 2 is of no known form"),
        ('export * from "./a.js";', "main.js, line 1 is of no known form"),
        ('import a from "./a.js";', "main.js, line 1 is of no known form"),
        ('import * as a from "./a.js";', "main.js, line 1 is of no known form"),
        ('import { a } from "package";', "main.js, line 1 is of no known form"),
        ('import "./c.js";', "c.js, line 1 is of no known form: const late = await soon;"),
        ('import { a } from "./gone.js";', "main.js needs gone.js, which is not there"),
        ('import "../a.js";', r"main.js needs ../a.js, which is not there"),
        ('import "./a.js";', "main.js needs itself: main.js → a.js → main.js"),
        ('import "./b.js";\nimport("./b.js");', "main.js imports b.js later, and it is there"),
    ],
)
def test_what_it_does_not_know_is_named(text: str, why: str) -> None:
    with pytest.raises(Unlinkable) as caught:
        linked(
            {
                "main.js": text,
                "a.js": 'import "./main.js";',
                "b.js": "",
                "c.js": "const late = await soon;",
            }
        )
    assert str(caught.value).startswith(why)


def test_a_type_in_a_comment_is_no_import() -> None:
    text = '/** @type {import("./a.js").Kind} */\nimport "./a.js";\n'
    assert linked({"main.js": text, "a.js": ""}).modules == ("a.js", "main.js")


def test_it_is_linked_anew_where_a_module_changed() -> None:
    modules = dict(MODULES)
    linking = Linking("main.js", lying(modules), "page.js.map")
    before = linking.now()
    assert linking.now() is before
    modules["not of it.js"] = "//"
    assert linking.now() is before
    modules["aside.js"] += 'import "./new.js";\n'
    modules["new.js"] = "new Date();\n"
    assert "new.js" in linking.now().modules
    modules["new.js"] = "new Map();\n"
    assert "new Map();" in linking.now().script


def test_what_cannot_be_linked_is_loaded_as_it_lies_until_it_can(
    caplog: pytest.LogCaptureFixture,
) -> None:
    modules = {"main.js": 'import "./a.js";\n', "a.js": "export default 1;\n"}
    linking = Linking("main.js", lying(modules), "page.js.map")
    assert linking.now().script == 'import "./main.js";\n'
    assert linking.now().script == 'import "./main.js";\n'
    (told,) = caplog.records
    assert told.levelno == logging.WARNING
    assert "a.js, line 1 is of no known form: export default 1;" in told.getMessage()
    modules["a.js"] = "export const a = 1;\n"
    assert "const a = 1;" in linking.now().script


def places(source_map: str) -> dict[int, tuple[str, int]]:
    """Of each line of the script that is of a file: which, and which line, both from 0."""
    whole = json.loads(source_map)
    found = {}
    source = line = 0
    for number, mapping in enumerate(whole["mappings"].split(";")):
        if mapping:
            column, by, down, at = numbers(mapping)
            assert (column, at) == (0, 0)
            source, line = source + by, line + down
            found[number] = (whole["sources"][source], line)
    return found


def numbers(digits: str) -> list[int]:
    """Base 64 VLQ, undone."""
    found, value, shift = [], 0, 0
    for digit in map(BASE64.index, digits):
        value |= (digit & 31) << shift
        shift += 5
        if not digit & 32:
            found.append(-(value >> 1) if value & 1 else value >> 1)
            value = shift = 0
    return found
