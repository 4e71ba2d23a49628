"""What every test may use."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# No deadline for one example, and none for making them: the machine may be busy, and pytest-timeout bounds
# the whole test.
settings.register_profile("here", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("here")

# What tests read is plain text as wide as usual, of a server as it comes, whatever this environment wants.
OTHERS = ("FORCE_COLOR", "TTY_", "COLUMNS", "LINES", "ULTRAANDCHAT_", "RUNPOD_")
for name in [*os.environ]:
    if name.startswith(OTHERS):
        del os.environ[name]


ROOT = Path(__file__).parents[1]

ASKED_FOR = {"image": "--image", "models": "--models"}
"""Folder of tests → the option without which nobody looks into it."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--image", action="store_true", help="build and try the image too: minutes, root"
    )
    parser.addoption(
        "--models", action="store_true", help="the models too: wants torch and transformers"
    )


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """`tests/image` makes Debian roots, `tests/models` imports torch: only who asks gets them."""
    option = ASKED_FOR.get(collection_path.name)
    here = collection_path.parent == Path(__file__).parent
    return True if here and option and not config.getoption(option) else None


@pytest.fixture
def fakes_can_be_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the processes that a test starts, however the tests themselves were started: models of `tests.support`
    in a worker's, and this checkout's own server."""
    ours = os.pathsep.join((str(ROOT / "src"), str(ROOT)))
    monkeypatch.setenv("PYTHONPATH", ours, prepend=os.pathsep)
