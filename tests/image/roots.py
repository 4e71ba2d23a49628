"""Fresh Debian roots, and commands that run in them as a container's would.

A command is process 1 of its own process namespace, with mounts of its own: when it ends, all that it
started ends with it, and no mount is left behind. The network is this machine's. The roots reach the
package registries the way this machine is set up to.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

ROOT = Path(__file__).parents[2]
BASES = ROOT / "build" / "image"
"""Bases are made once and copied; `make clean` removes them."""

SUITE = "bookworm"
"""Debian 12, as in `deploy/Dockerfile`."""

DEBOOTSTRAP_S, STEP_S = 400, 400
"""What a step may take at most: a registry that hangs fails the test and not the whole run."""

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

UBUNTU = """\
deb {mirror} {suite} main universe
deb {mirror} {suite}-updates main universe
deb {mirror} {suite}-security main universe
"""
"""What Ubuntu's images have in their sources of packages, for another suite by hand."""

ENTER = """
set -e
root=$1; shift
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
while [ "$1" != -- ]; do mkdir -p "$root$1"; mount --rbind "$1" "$root$1"; shift; done
shift
exec chroot "$@"
"""


def base(name: str = "base", suite: str = SUITE, mirror: str = "") -> Path:
    """A minimal root, from the registry this machine has its own packages from."""
    made = BASES / name
    ready = made.with_suffix(".ready")
    if not ready.exists():
        shutil.rmtree(made, ignore_errors=True)
        made.mkdir(parents=True)
        source = [mirror] if mirror else _mirror()
        command = [
            "debootstrap",
            "--variant=minbase",
            "--include=ca-certificates",
            suite,
            made,
            *source,
        ]
        _checked(command, DEBOOTSTRAP_S)
        _share_registries(made, sources=not mirror)
        if mirror:
            (made / "etc/apt/sources.list").write_text(UBUNTU.format(mirror=mirror, suite=suite))
        ready.touch()
    return made


@contextmanager
def folder() -> Iterator[Path]:
    """Room for roots, which are too big to be kept like other files of tests."""
    BASES.mkdir(parents=True, exist_ok=True)
    made = Path(mkdtemp(dir=BASES))
    try:
        yield made
    finally:
        # There is none, unless this machine is a root inside another one (`_propagation`). What cannot be
        # unmounted is never deleted through: it is this machine's own /dev.
        for mount in reversed(_mounts_in(made)):
            subprocess.run(["umount", "--lazy", mount], check=False)
        if not _mounts_in(made):
            shutil.rmtree(made, ignore_errors=True)


def copy(root: Path, to: Path) -> Path:
    """A root of its own; `cp`, because it keeps owners, links and device files."""
    _checked(["cp", "-a", "--reflink=auto", f"{root}/.", to], STEP_S)
    return to


def entering(
    root: Path,
    command: Sequence[str],
    environ: Mapping[str, str],
    user: str = "0:0",
    folder: str = "/",
) -> list[str]:
    """The command line that runs `command` in `root`."""
    kept = [f"{name}={value}" for name, value in {"PATH": PATH, **environ}.items()]
    return [
        *("unshare", "--mount", "--pid", "--fork", "--kill-child", "--propagation", _propagation()),
        *("sh", "-c", ENTER, "sh", str(root), *_package_folders(), "--"),
        *(f"--userspec={user}", str(root), "env", "-i", f"--chdir={folder}", *kept, *command),
    ]


def _propagation() -> str:
    """Mounts made in there stay in there. Not to be had where `/` is no mount, as in a plain chroot."""
    return "private" if "/" in _mounts() else "unchanged"


def _mounts() -> list[str]:
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    return [line.split()[4] for line in lines]


def _mounts_in(folder: Path) -> list[str]:
    return [mount for mount in _mounts() if mount.startswith(f"{folder}/")]


def run(
    root: Path,
    command: Sequence[str],
    environ: Mapping[str, str],
    user: str = "0:0",
    folder: str = "/",
) -> str:
    """Run it to its end; its output. A failure shows all of it."""
    return _checked(entering(root, command, environ, user, folder), STEP_S)


def registries() -> dict[str, str]:
    """The environment by which this machine's pip and TLS find the registries."""
    wanted = re.compile(r"(PIP_.*|SSL_CERT_(FILE|DIR)|REQUESTS_CA_BUNDLE|(?i:https?|no)_proxy)")
    return {name: value for name, value in os.environ.items() if wanted.fullmatch(name)}


def _checked(command: Sequence[str | Path], timeout_s: float) -> str:
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=timeout_s,
        check=False,
    )
    assert done.returncode == 0, f"status {done.returncode}:\n{done.stdout[-4000:]}"
    return done.stdout


def _mirror() -> list[str]:
    """Where this machine's apt has Debian from; debootstrap's own default elsewhere."""
    files = [*Path("/etc/apt/sources.list.d").glob("*.sources"), Path("/etc/apt/sources.list")]
    text = "\n".join(file.read_text() for file in files if file.exists())
    found = re.findall(
        r"^(?:URIs: *|deb +(?:\[[^\]]*\] +)?)(\S+/debian/?)(?=\s|$)", text, re.MULTILINE
    )
    return found[:1]


def _share_registries(root: Path, *, sources: bool) -> None:
    """The machine's certificates, and its settings of apt and pip."""
    settings = ["apt.conf.d/99*", "apt/apt.conf.d/99*", "apt/auth.conf", "pip.conf", "xdg/pip"]
    if sources:
        settings += ["apt/sources.list.d/*.sources", "apt/sources.list"]
        (root / "etc/apt/sources.list").unlink(missing_ok=True)
    found = [path for pattern in settings for path in Path("/etc").glob(pattern)]
    found += [path for folder in (".config/pip", ".pip") if (path := Path.home() / folder).exists()]
    for path in [*found, *Path("/etc/ssl/certs").glob("ca-certificates.crt")]:
        target = root / path.relative_to("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        _checked(["cp", "-rL", path, target.parent], STEP_S)
    for name in ("resolv.conf", "hosts"):
        (root / "etc" / name).write_bytes(Path("/etc", name).read_bytes())


@cache
def _package_folders() -> list[str]:
    """Folders of this machine that its pip is set up to read packages from; an index links to what
    lies beside it."""
    pip = [sys.executable, "-m", "pip", "config", "list"]
    listed = subprocess.run(pip, capture_output=True, text=True, check=False).stdout
    folders = re.findall(r"(?<![\w:/])(?:file://)?(/[^\s'\"]+)", listed)
    wholes = {folder.rstrip("/").removesuffix("/simple") for folder in folders}
    return sorted(folder for folder in wholes if Path(folder).is_dir())
