"""The start command of `deploy/runpod/template-stock.json` on what a stock image has: root, a Python that
cannot make environments, no pip, a volume at /workspace. Then the pod is reset: a fresh container, the
same volume.

`STOCK_SUITE=jammy STOCK_MIRROR=…` tries it on an Ubuntu, from a mirror of its packages.
"""

import json
import os
import shlex
import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from bench.serving import free_port
from tests.image import building, pods, roots
from tests.image.pods import Started
from tests.image.test_image import SPEECH

pytestmark = pytest.mark.timeout(900)

TEMPLATE = roots.ROOT / "deploy/runpod/template-stock.json"
START = shlex.split(json.loads(TEMPLATE.read_text(encoding="utf-8"))["args"])
"""The start command that a pod is given; the checkout lies where it would clone it to."""

ENVIRONMENT = {
    "HOME": "/root",
    "PIP_BREAK_SYSTEM_PACKAGES": "1",
    "PIP_ROOT_USER_ACTION": "ignore",
    "HF_HOME": "/workspace/.cache/huggingface/",
    "PYTHONUNBUFFERED": "True",
}
"""What Runpod's images set that could matter here."""


@pytest.fixture(scope="module")
def stock() -> Iterator[Path]:
    """Like the stock image."""
    suite = os.environ.get("STOCK_SUITE", roots.SUITE)
    mirror = os.environ.get("STOCK_MIRROR", "")
    base = roots.base(f"base-{suite}" if mirror else "base", suite, mirror)
    with roots.folder() as folder:
        root = roots.copy(base, folder / "image")
        install = "apt-get update -qq && apt-get install -y -qq --no-install-recommends python3"
        environ = {**roots.registries(), "DEBIAN_FRONTEND": "noninteractive"}
        roots.run(root, ["/bin/sh", "-c", install], environ)
        services = root / "start.sh"  # the image's own, which starts SSH and JupyterLab and stays
        services.write_text("#!/bin/sh\nexec sleep infinity\n")
        services.chmod(0o755)
        yield root


@pytest.fixture(scope="module")
def container(stock: Path) -> Path:
    """A pod's first container, with a checkout on its volume."""
    root = roots.copy(stock, stock.with_name("container"))
    for path in building.checkout_files():
        target = root / "workspace/ultraandchat" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(roots.ROOT / path, target)
    return root


@pytest.fixture(scope="module")
def first(container: Path) -> Iterator[Started]:
    with _started(container) as pod:
        pod.wait_ready()
        yield pod


def test_one_command_installs_and_starts_it(first: Started) -> None:
    assert "Installing UltraAndChat from /workspace/ultraandchat" in first.output()
    assert first.asked("/health", first.token())["runpod"]["pod_id"] == "abc123xyz"


def test_a_wav_file_as_the_caller_gets_an_answer(first: Started) -> None:
    assert "ten meters" in first.talk(SPEECH, first.token()).lower()


def test_the_log_shows_no_secret_of_the_pod(first: Started) -> None:
    assert "nobody-may-see" not in first.output()


def test_a_second_start_installs_nothing(container: Path, first: Started) -> None:
    with _started(container) as again:
        assert again.wait_ready() < 60
        assert "Installing" not in again.output()
        assert again.stop() < pods.STOP_S
        assert again.outer.returncode == 0, again.output()


def test_after_a_reset_the_volume_still_holds_the_server(
    stock: Path, container: Path, first: Started
) -> None:
    fresh = roots.copy(stock, stock.with_name("reset"))
    (container / "workspace").rename(fresh / "workspace")
    with _started(fresh) as again:
        again.wait_ready()
        assert "Installing UltraAndChat" not in again.output()


def _started(root: Path) -> AbstractContextManager[Started]:
    port = free_port()
    environ = {**ENVIRONMENT, **roots.registries(), **pods.pod_environment(port, free_port())}
    return pods.started(roots.entering(root, START, environ), port)
