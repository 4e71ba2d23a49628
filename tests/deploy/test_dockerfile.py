"""`deploy/Dockerfile` keeps to its rules, and agrees with the pod's template and the documents."""

import json
import os
import re
from pathlib import Path

import pytest

from tests.support.dockerfile import (
    ignore_patterns,
    is_ignored,
    parse,
)

ROOT = Path(__file__).parents[2]
STAGES = parse((ROOT / "deploy/Dockerfile").read_text(encoding="utf-8"))
IMAGE = STAGES[-1]
IGNORED = ignore_patterns((ROOT / ".dockerignore").read_text(encoding="utf-8"))
COPIED = [step.copied() for stage in STAGES for step in stage.steps if step.word == "COPY"]


def test_every_copied_file_is_there_and_let_through() -> None:
    sources = [
        Path(source) for origin, sources, _ in COPIED if origin is None for source in sources
    ]
    assert sources
    for source in sources:
        assert (ROOT / source).exists(), source
        assert not is_ignored(source, IGNORED), source


@pytest.mark.parametrize("file", ["constraints-gpu.txt", "chatterbox-requirements.txt"])
def test_versions_for_a_gpu_are_names_and_numbers_alone(file: str) -> None:
    """No registry, no folder, no build of one machine's: they are to mean the same everywhere."""
    lines = (ROOT / file).read_text(encoding="utf-8").splitlines()
    pinned = [line for line in lines if line and not line.startswith("#")]
    assert pinned
    for line in pinned:
        assert re.fullmatch(r"[a-z][a-z0-9_-]+==[0-9]+(\.[0-9]+)+", line), line


def test_every_stage_that_is_copied_from_is_there() -> None:
    names = {stage.name for stage in STAGES}
    assert {origin for origin, _, _ in COPIED if origin} <= names


@pytest.mark.parametrize("path", [".git/config", ".venv/bin/python", "tests/conftest.py", ".env"])
def test_what_is_no_part_of_the_server_stays_out(path: str) -> None:
    assert is_ignored(Path(path), IGNORED)


def test_its_base_is_pinned_by_version() -> None:
    assert re.fullmatch(r"debian:12\.\d+-slim", STAGES[0].base)


def test_it_runs_as_a_user_by_number_who_is_not_root() -> None:
    user = IMAGE.last("USER").rest
    assert re.fullmatch(r"[1-9]\d{4}:[1-9]\d{4}", user)


def test_it_starts_the_script_that_a_pod_starts() -> None:
    (started,) = IMAGE.last("ENTRYPOINT").command()
    copied = {to: sources for origin, sources, to in COPIED if origin is None}
    (source,) = copied[started]
    assert source == "deploy/runpod/start.sh"


@pytest.mark.parametrize("script", ["deploy/install.sh", "deploy/runpod/start.sh"])
def test_its_scripts_can_be_started(script: str) -> None:
    assert os.access(ROOT / script, os.X_OK)


def test_docker_can_tell_whether_it_is_well() -> None:
    assert "health.py" in IMAGE.last("HEALTHCHECK").rest


def test_nothing_secret_is_built_in() -> None:
    names = [step.rest for stage in STAGES for step in stage.steps if step.word in ("ENV", "ARG")]
    assert not [
        name for name in names if re.search(r"TOKEN|KEY|SECRET|PASSWORD", name, re.IGNORECASE)
    ]


def test_the_server_listens_where_the_image_and_the_template_say() -> None:
    assert IMAGE.exposed() == {7860, 8189}
    for name in ("template.json", "template-stock.json"):
        ports = json.loads((ROOT / "deploy/runpod" / name).read_text(encoding="utf-8"))["ports"]
        assert ports[:2] == ["7860/http", "70000/tcp"], name


def test_an_instruction_that_is_not_tried_is_refused() -> None:
    with pytest.raises(ValueError, match="VOLUME is not tried here"):
        parse("FROM debian:12.15-slim\nVOLUME /workspace\n")
