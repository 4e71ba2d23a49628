"""The pod templates hold the fields of Runpod's REST API (v2, read in August 2026) and nothing else."""

import json
import shlex
from pathlib import Path
from typing import Any

import pytest

RUNPOD = Path(__file__).parents[2] / "deploy/runpod"

FIELDS = {
    "name", "image", "args", "disk", "env", "ports", "mounts", "category", "public", "serverless",
    "startJupyter", "startSsh", "registry", "allowedCudaVersions",
}  # fmt: skip
"""CreateTemplateRequest; an unknown field is refused there."""

LEAST_VOLUME_GB = 10
"""PersistentMount.size, minimum."""


@pytest.fixture(params=["template.json", "template-stock.json"])
def template(request: pytest.FixtureRequest) -> Any:
    return json.loads((RUNPOD / request.param).read_text(encoding="utf-8"))


def test_it_has_the_fields_of_the_api(template: Any) -> None:
    assert {"name", "image"} <= set(template) <= FIELDS


def test_its_volume_is_where_the_start_script_looks(template: Any) -> None:
    volume = template["mounts"]["persistent"]
    assert volume["path"] == "/workspace"
    assert volume["size"] >= LEAST_VOLUME_GB


def test_its_ports_are_http_or_tcp(template: Any) -> None:
    assert {port.partition("/")[2] for port in template["ports"]} <= {"http", "tcp"}


def test_it_holds_no_secret(template: Any) -> None:
    assert template["env"] == {}


def test_the_stock_images_command_ends_in_the_start_script() -> None:
    template = json.loads((RUNPOD / "template-stock.json").read_text(encoding="utf-8"))
    shell, flag, script = shlex.split(template["args"])
    assert (shell, flag) == ("bash", "-c")
    assert script.endswith("exec ultraandchat/deploy/runpod/start.sh")
