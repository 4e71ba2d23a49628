"""A Dockerfile as data: the stages and instructions that `deploy/Dockerfile` uses, and no more.

What it does not know it refuses, so that nothing in the file goes untried.
"""

import json
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

KNOWN = (
    "ARG",
    "FROM",
    "RUN",
    "COPY",
    "ENV",
    "USER",
    "WORKDIR",
    "EXPOSE",
    "HEALTHCHECK",
    "ENTRYPOINT",
)


@dataclass(frozen=True)
class Step:
    """One instruction, its line continuations joined."""

    word: str
    rest: str

    def command(self) -> list[str]:
        """What RUN and ENTRYPOINT start: the list it is, or a shell with the line it is."""
        if self.rest.startswith("["):
            return [str(part) for part in json.loads(self.rest)]
        return ["/bin/sh", "-c", self.rest]

    def copied(self) -> tuple[str | None, list[str], str]:
        """COPY as (stage it comes from, sources, destination)."""
        words = shlex.split(self.rest)
        origin = None
        while words[0].startswith("--"):
            flag, _, value = words.pop(0).partition("=")
            if flag != "--from":
                raise ValueError(f"COPY {flag} is not tried here")
            origin = value
        return origin, words[:-1], words[-1]


@dataclass
class Stage:
    """What stands between one FROM and the next."""

    name: str
    base: str
    steps: list[Step] = field(default_factory=list)

    def last(self, word: str) -> Step:
        return [step for step in self.steps if step.word == word][-1]

    def exposed(self) -> set[int]:
        ports = [port for step in self.steps if step.word == "EXPOSE" for port in step.rest.split()]
        return {int(port.removesuffix("/tcp")) for port in ports}


def parse(text: str) -> list[Stage]:
    """The stages in their order; the last one is the image."""
    stages: list[Stage] = []
    arguments: dict[str, str] = {}
    for word, rest in _instructions(text):
        if word not in KNOWN:
            raise ValueError(f"{word} is not tried here")
        if word == "ARG" and not stages:
            name, _, value = rest.partition("=")
            arguments[name] = value
        elif word == "FROM":
            words = expand(rest, arguments).split()
            name = words[2] if len(words) == 3 else f"stage {len(stages)}"
            stages.append(Stage(name, words[0]))
        else:
            stages[-1].steps.append(Step(word, rest))
    return stages


def _instructions(text: str) -> list[tuple[str, str]]:
    lines = [
        line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")
    ]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    pairs = (line.partition(" ") for line in joined.splitlines())
    return [(word.upper(), rest.strip()) for word, _, rest in pairs]


def expand(text: str, values: Mapping[str, str]) -> str:
    """`${NAME}` and `$NAME` by their values; an unknown one is a mistake."""
    return re.sub(r"\$(?:\{(\w+)\}|(\w+))", lambda found: values[found[1] or found[2]], text)


def variables(rest: str) -> dict[str, str]:
    """What an ENV sets."""
    return dict(word.split("=", 1) for word in shlex.split(rest))


def is_ignored(path: Path, patterns: list[str]) -> bool:
    """Whether `.dockerignore` keeps `path` out: the last pattern that fits it or a folder above it."""
    ignored = False
    for pattern in patterns:
        wanted = pattern.startswith("!")
        glob = pattern.removeprefix("!")
        if any(_fits(part, glob) for part in (path, *path.parents) if part != Path()):
            ignored = not wanted
    return ignored


def _fits(path: Path, glob: str) -> bool:
    if glob.startswith("**/"):
        return fnmatchcase(path.name, glob.removeprefix("**/"))
    return len(path.parts) == len(Path(glob).parts) and fnmatchcase(str(path), glob)


def ignore_patterns(text: str) -> list[str]:
    return [line for line in text.splitlines() if line and not line.startswith("#")]
