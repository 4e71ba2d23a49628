"""The page: files of the package's `web` folder, as they lie, and its modules as one script (`linking`). Nothing else
can be asked for.

They are read for every request: small, and editable. What is sent to browsers that take gzip is made once for
each file and kept until the file changes; it lacks the comments, a third of it, whose lines stay as empty ones.
"""

import gzip
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable

from aiohttp import web

from ultraandchat.server.linking import Linking

TYPES = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".map": "application/json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}
"""What a page is made of; a file of any other kind (`jsconfig.json`, notes) is not served."""

TEXT = frozenset({"text/html", "text/css", "text/javascript", "image/svg+xml"})

PACKED = TEXT | {"application/json", "application/manifest+json"}
"""What gzip makes smaller; pictures and fonts are packed already."""

NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*")
"""Of a file or folder that is served."""

COMMENTED = frozenset({"text/css", "text/javascript"})

COMMENT = re.compile(rb"^[ \t]*/\*(?:(?!\*/).)*\*/[ \t]*$", re.MULTILINE | re.DOTALL)
"""One that has its lines for itself. Those beside code stay: what is in a string is not told from them so easily."""

LICENCE = b"@license"
"""What others wrote keeps its notices."""

FIRST = "main.js"
SCRIPT = "page.js"
"""`FIRST` with all that it needs. Not a file."""
SOURCE_MAP = f"{SCRIPT}.map"

HASH_CHARS = 16

UNFILLED = b'<meta name="page" content="">'
"""In index.html: the page is told here which version of it was loaded."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A file as it was read last, and as it is sent."""

    read: bytes
    plain: bytes
    packed: bytes | None
    """By gzip; none where that is no gain."""
    digest: str

    def tag(self, *, packed: bool) -> str:
        """Each coding has its own (RFC 9110, 8.8.3.3)."""
        return f'"{self.digest}{"-gzip" if packed else ""}"'


class Page:
    """Serves the files under `root`."""

    def __init__(self, root: Traversable | None = None) -> None:
        self._root = root or resources.files("ultraandchat") / "web"
        self._kept: dict[str, Kept] = {}  # as many as there are files
        self._linking = Linking(FIRST, self._lying, SOURCE_MAP)
        self.version = _digest(*(part for file in _files(self._root) for part in file))
        """Changes with any of the files: a page that was loaded of another version says so. Of this
        process's start, so that whoever edits a file meanwhile is not told to reload."""
        self._keep(SCRIPT, self._linking.now().script.encode())  # 40 ms, before anybody talks

    async def serve(self, request: web.Request) -> web.Response:
        """A file, or 404; 304 when the browser has it already."""
        path = request.match_info.get("path") or "index.html"
        read = self._read(path)
        if read is None:
            raise web.HTTPNotFound(text="there is no such file\n")
        kept = self._keep(path, read)
        packed = kept.packed is not None and _takes_gzip(request.headers.get("Accept-Encoding", ""))
        tag = kept.tag(packed=packed)
        headers = {"Cache-Control": "no-cache", "ETag": tag}
        kind = TYPES[_suffix(path)]
        if kind in PACKED:
            headers["Vary"] = "Accept-Encoding"
        known = request.headers.get("If-None-Match", "").replace("W/", "").split(",")
        if tag in (one.strip() for one in known):
            return web.Response(status=304, headers=headers)
        if packed:
            headers["Content-Encoding"] = "gzip"
        return web.Response(
            body=kept.packed if packed else kept.plain,
            content_type=kind,
            charset="utf-8" if kind in TEXT else None,
            headers=headers,
        )

    def _read(self, path: str) -> bytes | None:
        """What is at that path now; None: nothing."""
        if path == SCRIPT:
            return self._linking.now().script.encode()
        if path == SOURCE_MAP:
            return self._linking.now().source_map.encode()
        return self._lying(path)

    def _lying(self, path: str) -> bytes | None:
        file = self._found(path)
        return file.read_bytes() if file else None

    def _keep(self, path: str, read: bytes) -> Kept:
        """What was made of it is made anew only where it changed."""
        kept = self._kept.get(path)
        if kept is None or kept.read != read:
            filled = UNFILLED.replace(b'""', f'"{self.version}"'.encode())
            plain = read.replace(UNFILLED, filled) if path == "index.html" else read
            kind = TYPES[_suffix(path)]
            short = _without_comments(plain) if kind in COMMENTED else plain
            packed = gzip.compress(short, mtime=0) if kind in PACKED else plain
            gains = len(packed) < len(plain)
            kept = self._kept[path] = Kept(read, plain, packed if gains else None, _digest(plain))
        return kept

    def _found(self, path: str) -> Traversable | None:
        """The file of that name. No name that is allowed leads out of the folder."""
        parts = path.split("/")
        if _suffix(path) not in TYPES or not all(map(NAME.fullmatch, parts)):
            return None
        file = self._root.joinpath(*parts)
        return file if file.is_file() else None


def _files(folder: Traversable) -> Iterator[tuple[bytes, bytes]]:
    """Name and content of all that is served, in an order that is always the same."""
    for child in sorted(folder.iterdir(), key=lambda child: child.name):
        if child.name.startswith("."):
            continue
        if child.is_dir():
            yield from _files(child)
        elif _suffix(child.name) in TYPES:
            yield child.name.encode(), child.read_bytes()


def _without_comments(text: bytes) -> bytes:
    """Line for line the same code, so that an error in a browser names a line of the source."""

    def emptied(found: re.Match[bytes]) -> bytes:
        return found[0] if LICENCE in found[0] else b"\n" * found[0].count(b"\n")

    return COMMENT.sub(emptied, text)


def _digest(*parts: bytes) -> str:
    whole = hashlib.sha256()
    for part in parts:
        whole.update(len(part).to_bytes(8))
        whole.update(part)
    return whole.hexdigest()[:HASH_CHARS]


def _takes_gzip(accepted: str) -> bool:
    """Of an `Accept-Encoding` (RFC 9110, 12.5.3); "q=0" means no, and "*" whatever is not named."""
    wishes = dict(_wishes(accepted))
    return wishes.get("gzip", wishes.get("x-gzip", wishes.get("*", False)))


def _wishes(accepted: str) -> Iterator[tuple[str, bool]]:
    for one in accepted.lower().split(","):
        coding, _, weight = one.partition(";")
        refused = weight.strip().removeprefix("q=").strip("0.") == "" and bool(weight.strip())
        yield coding.strip(), not refused


def _suffix(path: str) -> str:
    _, dot, ending = path.rpartition(".")
    return dot + ending
