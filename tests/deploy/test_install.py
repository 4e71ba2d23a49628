"""`tools/install.sh` for models, with a pip, a driver and a disk that only pretend: what is asked for, and what is refused
before gigabytes are fetched.
"""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.deploy.test_start import program
from ultraandchat.engines.chatterbox.fitness import NEEDED, WITHOUT_PINS

ROOT = Path(__file__).parents[2]

PATIENCE_S = 60.0


class Checkout:
    """A checkout with an environment in it, on a machine whose programs the test makes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.programs = folder / "programs"
        self.asked = folder / "asked"
        (folder / "tools").mkdir()
        shutil.copy2(ROOT / "tools/install.sh", folder / "tools")
        program(
            folder / ".venv/bin/python",
            f'#!/bin/sh\ncase "$*" in *"pip --version"*) ;; *) echo "$*" >>{self.asked} ;; esac\n',
        )
        program(self.programs / "flite", "#!/bin/sh\n")
        self.disk(free_gb=200)

    def disk(self, free_gb: int) -> None:
        kib = free_gb * 2**20
        program(
            self.programs / "df",
            f"#!/bin/sh\necho Filesystem 1024-blocks Used Available\necho /dev/vda 0 0 {kib}\n",
        )

    def driver(self, status: int) -> None:
        program(self.programs / "nvidia-smi", f"#!/bin/sh\nexit {status}\n")

    def install(self, what: str = "gpu") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.folder / "tools/install.sh", what],
            env={"PATH": f"{self.programs}:{os.environ['PATH']}", "PYTHON": sys.executable},
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


def test_what_a_gpu_needs_comes_in_the_versions_that_were_tried(checkout: Checkout) -> None:
    checkout.driver(status=0)
    done = checkout.install()
    assert done.returncode == 0, done.stderr
    asked, chatterbox = checkout.asked.read_text().splitlines()
    options, _, extras = asked.rpartition(" -e ")
    assert options.endswith("-c constraints-gpu.txt")
    assert {"demo", "gpu"} <= set(extras.removeprefix(".[").removesuffix("]").split(","))
    assert chatterbox.endswith("--no-deps -r chatterbox-requirements.txt")
    assert "NVIDIA" not in done.stdout
    assert (checkout.folder / ".venv/.installed-gpu").exists()


@pytest.mark.parametrize("driver", [None, 9])
def test_without_a_driver_that_answers_it_says_so_and_goes_on(
    checkout: Checkout, driver: int | None
) -> None:
    if driver is None and shutil.which("nvidia-smi"):
        pytest.skip("this machine has one")
    if driver is not None:
        checkout.driver(driver)
    done = checkout.install()
    assert done.returncode == 0, done.stderr
    assert "No NVIDIA driver answers here" in done.stdout
    assert checkout.asked.exists()


def test_a_disk_too_small_is_told_before_anything_is_fetched(checkout: Checkout) -> None:
    checkout.disk(free_gb=15)
    done = checkout.install()
    assert done.returncode == 1
    assert "takes 16 GB of disk here, and 15 GB are free" in done.stderr
    assert not checkout.asked.exists()
    assert not (checkout.folder / ".venv/.installed-gpu").exists()


def test_what_is_installed_already_needs_no_room(checkout: Checkout) -> None:
    (checkout.folder / ".venv/.installed-gpu").touch()
    checkout.disk(free_gb=1)
    done = checkout.install()
    assert done.returncode == 0, done.stderr
    assert checkout.asked.exists()


def test_a_pip_that_fails_is_not_taken_for_an_installation(checkout: Checkout) -> None:
    program(
        checkout.folder / ".venv/bin/python",
        '#!/bin/sh\ncase "$*" in *"pip --version"*) ;; *) echo no route >&2; exit 1 ;; esac\n',
    )
    done = checkout.install()
    assert done.returncode != 0
    assert "no route" in done.stderr
    assert not (checkout.folder / ".venv/.installed-gpu").exists()


@pytest.mark.parametrize("cuda", [False, True])
def test_for_tests_on_the_processor_torchaudio_is_its_python_part(
    checkout: Checkout, cuda: bool
) -> None:
    """A torch without CUDA cannot load its libraries; one with CUDA can."""
    packages = checkout.folder / ".venv-models/lib/python3.12/site-packages"
    library = packages / "torchaudio/lib/libtorchaudio.so"
    library.parent.mkdir(parents=True)
    library.touch()
    program(
        checkout.folder / ".venv-models/bin/python",
        f'#!/bin/sh\ncase "$*" in *"torch.version.cuda"*) exit {int(cuda)} ;; esac\n',
    )
    done = checkout.install("models")
    assert done.returncode == 0, done.stderr
    assert library.exists() == cuda


def test_what_is_installed_is_what_chatterbox_asks_for() -> None:
    lines = (ROOT / "chatterbox-requirements.txt").read_text(encoding="utf-8").splitlines()
    pairs = [line.split("==") for line in lines if not line.startswith("#")]
    assert dict(pairs) == dict(WITHOUT_PINS)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extra = {re.split(r"[^\w-]", line)[0] for line in project["optional-dependencies"]["gpu"]}
    assert {*NEEDED, "setuptools"} <= extra
