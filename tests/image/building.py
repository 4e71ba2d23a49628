"""`deploy/Dockerfile`, carried out in Debian roots: what `docker build` would do, where there is no docker.

Not tried: the base image itself (a fresh root of the same Debian stands for it), and how docker keeps
layers.
"""

import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from tests.image import roots
from tests.support.dockerfile import (
    Stage,
    Step,
    expand,
    ignore_patterns,
    is_ignored,
    parse,
    variables,
)

DOCKERFILE = roots.ROOT / "deploy/Dockerfile"


@dataclass
class Image:
    """A root with what the Dockerfile says of it."""

    root: Path
    environ: dict[str, str] = field(default_factory=dict)
    user: str = "0:0"
    folder: str = "/"
    entrypoint: list[str] = field(default_factory=list)
    health: list[str] = field(default_factory=list)
    arguments: dict[str, str] = field(default_factory=dict)
    """Of the build, and of this stage alone."""

    def starting(self, environ: dict[str, str]) -> list[str]:
        """The command line that `docker run -e …` would be."""
        together = {**self.environ, **environ}
        return roots.entering(self.root, self.entrypoint, together, self.user, self.folder)


def build(folder: Path) -> Image:
    """All stages; the last one is the image."""
    context = _context(folder / "context")
    images: dict[str, Image] = {}
    for number, stage in enumerate(parse(DOCKERFILE.read_text(encoding="utf-8"))):
        images[stage.name] = image = _begun(stage, images, folder / f"stage{number}")
        for step in stage.steps:
            _take(step, image, images, context)
    return image


def _begun(stage: Stage, images: dict[str, Image], root: Path) -> Image:
    if below := images.get(stage.base):
        roots.copy(below.root, root)
        return Image(root, dict(below.environ), below.user, below.folder)
    assert stage.base.startswith("debian:12"), "the root that stands for the base is Debian 12"
    return Image(roots.copy(roots.base(), root))


def _take(step: Step, image: Image, images: dict[str, Image], context: Path) -> None:
    match step.word:
        case "RUN":
            given = {**image.arguments, **image.environ}
            environ = {**given, **roots.registries(), "HOME": "/root"}
            roots.run(image.root, step.command(), environ, image.user, image.folder)
        case "COPY":
            origin, sources, to = step.copied()
            _copy(
                images[origin].root if origin else context, sources, image.root / to.lstrip("/"), to
            )
        case "ARG":
            image.arguments |= variables(step.rest)
        case "ENV":
            image.environ |= variables(expand(step.rest, image.environ))
        case "USER":
            image.user = step.rest
        case "WORKDIR":
            image.folder = step.rest
            (image.root / step.rest.lstrip("/")).mkdir(parents=True, exist_ok=True)
        case "ENTRYPOINT":
            image.entrypoint = step.command()
        case "HEALTHCHECK":
            _, _, command = step.rest.partition(" CMD ")
            image.health = Step("CMD", command).command()


def _copy(origin: Path, sources: list[str], target: Path, to: str) -> None:
    """As docker does: a folder's contents, a file under its own name where `to` ends with a slash."""
    for source in sources:
        path = origin / source.lstrip("/")
        if path.is_dir():
            target.mkdir(parents=True, exist_ok=True)
            subprocess.run(["cp", "-a", f"{path}/.", target], check=True)
        else:
            into = target / path.name if to.endswith("/") else target
            into.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, into)


def _context(folder: Path) -> Path:
    """The checkout's files, tracked or new, less what `.dockerignore` keeps out."""
    patterns = ignore_patterns((roots.ROOT / ".dockerignore").read_text(encoding="utf-8"))
    for path in checkout_files():
        if not is_ignored(path, patterns):
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(roots.ROOT / path, folder / path)
    return folder


def checkout_files() -> list[Path]:
    """What a commit of everything would hold."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=roots.ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return [Path(name) for name in listed.split("\0") if name and (roots.ROOT / name).is_file()]
