"""The page's modules as one script: what a browser would ask for in some 85 requests, seven deep, comes in one.

The source stays a folder of modules, which any browser runs as they lie. What is linked is a script of the same
lines: each module is a function that is called once, in the order in which a browser would run them, and gives what
it exports. So that this needs no parser, modules are written in few forms (`IMPORT`, `EXPORT`); `Unlinkable` names the
line of any other. Not told apart from code: a line in a template literal that begins as one of them.

A source map (ECMA-426) gives a debugger the files and lines back.
"""

import json
import logging
import posixpath
import re
from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass, field

LOG = logging.getLogger("ultraandchat.server")

IMPORT = re.compile(r'^import (?:\{(?P<names>[^}]*)\} from )?"(?P<path>\.[^"]*)";', re.MULTILINE)
EXPORT = re.compile(
    r"^export (?P<kind>(?:async )?function|class|const) (?P<name>[A-Za-z_$][\w$]*)", re.MULTILINE
)
NOTHING = re.compile(r"^export \{\};", re.MULTILINE)
OTHER = re.compile(r"^(?:import|export)\b(?![(.]).*", re.MULTILINE)
WAITING = re.compile(r"^(?:[^\s/].*= |for )?await\b.*", re.MULTILINE)
"""A module that waits while it is loaded, which only the first may."""

LATER = re.compile(r'import\("(?P<path>\.[^"]*)"\)(?!\.[A-Z])')
"""Not `import("./a.js").Type`, as comments name types."""

OWN_ADDRESS = re.compile(r"import\.meta\.url\b")

NEXT_LINE = "AACA"
"""In a source map: the same file, one line on."""

BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


class Unlinkable(Exception):
    """A module has a form that is not understood here. Says which, and where."""


@dataclass(frozen=True, slots=True)
class Linked:
    script: str
    source_map: str
    modules: tuple[str, ...]
    """Those that are in it, by their paths, the first one last."""


Read = Callable[[str], bytes | None]
"""The file at this path, as it lies now; None where there is none."""


def link(first: str, read: Read, source_map: str) -> Linked:
    """The module at the path `first` and all that it needs, for a script at the root of the files.

    `source_map` is where its map will be. `Unlinkable` for a module that is not there, needs itself, or is not written
    in the known forms.
    """
    linker = _Linker(read)
    linker.add(first, ())
    parts = list(linker.parts.values())
    script = "".join(part.text(linker.parts.keys()) for part in parts)
    return Linked(
        f"{script}//# sourceMappingURL={source_map}\n", _source_map(parts), tuple(linker.parts)
    )


class Linking:
    """What is linked, made anew where one of its modules changed. One that cannot be linked is loaded as it lies."""

    def __init__(self, first: str, read: Read, source_map: str) -> None:
        self._first = first
        self._read = read
        self._source_map = source_map
        self._known: dict[str, bytes | None] = {}  # as many as there are files
        self._linked = Linked("", "", ())

    def now(self) -> Linked:
        if not self._known or any(self._read(path) != was for path, was in self._known.items()):
            self._known = {}
            try:
                self._linked = link(self._first, self._noting, self._source_map)
            except Unlinkable as why:
                LOG.warning("the page's modules are sent one by one: %s", why)
                self._linked = Linked(f'import "./{self._first}";\n', "", ())
        return self._linked

    def _noting(self, path: str) -> bytes | None:
        self._known[path] = self._read(path)
        return self._known[path]


@dataclass(frozen=True, slots=True)
class _Part:
    path: str
    body: str
    """Line for line the module, without its imports and the word "export"."""
    needs: tuple[str, ...]
    """Of each import, what makes its names known."""
    exports: tuple[str, ...]
    name: str
    """What the others know it by; empty for the first, which nobody needs, and which may wait (`await`)."""

    @property
    def head(self) -> str:
        opening = f"const {self.name} = (() => {{ " if self.name else ""
        return f"{opening}{' '.join(self.needs)}\n"

    @property
    def foot(self) -> str:
        return f"return {{ {', '.join(self.exports)} }}; }})();\n" if self.name else ""

    def text(self, known: Container[str]) -> str:
        for found in LATER.finditer(self.body):
            if (path := found["path"].removeprefix("./")) in known:
                raise Unlinkable(f"{self.path} imports {path} later, and it is there already")
        return f"{self.head}{self.body}\n{self.foot}"


@dataclass(slots=True)
class _Linker:
    read: Read
    parts: dict[str, _Part] = field(default_factory=dict)
    """In the order in which they run: what a module needs stands before it."""

    def add(self, path: str, inside: tuple[str, ...]) -> str:
        """Take it in, with all that it needs. Gives its name."""
        if path in inside:
            raise Unlinkable(f"{path} needs itself: {' → '.join((*inside, path))}")
        if path not in self.parts:
            self.parts[path] = self._part(path, inside)
        return self.parts[path].name

    def _part(self, path: str, inside: tuple[str, ...]) -> _Part:
        read = self.read(path)
        if read is None:
            raise Unlinkable(f"{' needs '.join((*inside[-1:], path))}, which is not there")
        text = read.decode()
        needs = []
        for found in IMPORT.finditer(text):
            name = self.add(_beside(path, found["path"]), (*inside, path))
            if found["names"]:
                names = found["names"].replace(" as ", ": ")
                needs.append(f"const {{ {' '.join(names.split())} }} = {name};")
        body = NOTHING.sub("", IMPORT.sub(_lines_only, text))
        exports = tuple(found["name"] for found in EXPORT.finditer(body))
        body = EXPORT.sub(r"\g<kind> \g<name>", body)
        if other := OTHER.search(body) or (WAITING.search(body) if inside else None):
            line = body.count("\n", 0, other.start()) + 1
            raise Unlinkable(f"{path}, line {line} is of no known form: {other[0]}")
        body = LATER.sub(lambda found: f'import("./{_beside(path, found["path"])}")', body)
        own = f'new URL("{path}", import.meta.url).href'
        body = OWN_ADDRESS.sub(own, body)
        return _Part(path, body, tuple(needs), exports, f"$${len(self.parts)}" if inside else "")


def _beside(path: str, other: str) -> str:
    """`other`, which a module at `path` names, from the root of the files."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(path), other))


def _lines_only(found: re.Match[str]) -> str:
    return "\n" * found[0].count("\n")


def _source_map(parts: list[_Part]) -> str:
    """Each line of each body is the same line of its file; what stands around it is of no file."""
    lines = []
    before = (0, 0)
    for source, part in enumerate(parts):
        more = part.body.count("\n")
        begin = "".join(map(_vlq, (0, source - before[0], -before[1], 0)))
        lines += ["", begin, *[NEXT_LINE] * more, *([""] if part.foot else [])]
        before = (source, more)
    whole = {
        "version": 3,
        "sources": [part.path for part in parts],
        "names": [],
        "mappings": ";".join(lines),
    }
    return json.dumps(whole, separators=(",", ":"))


def _vlq(value: int) -> str:
    """A number as source maps have it: six bits at a time, the lowest first, the sign in the last of the first."""
    return "".join(_digits(-value << 1 | 1 if value < 0 else value << 1))


def _digits(rest: int) -> Iterator[str]:
    while rest > 31:
        yield BASE64[rest & 31 | 32]
        rest >>= 5
    yield BASE64[rest]
