"""Offline, no hub is ever called; the environment's switches mean what they mean everywhere."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.engines.weights.a_hub import AHub
from tests.engines.weights.conftest import FILES, NAME, Search
from ultraandchat.engines.base import EngineUnavailable

SWITCHES = [
    {"HF_HUB_OFFLINE": "1"},
    {"HF_HUB_OFFLINE": "true"},
    {"TRANSFORMERS_OFFLINE": "1"},
    {},  # our own setting
]


@pytest.mark.parametrize("environment", SWITCHES, ids=str)
@pytest.mark.parametrize("before", ["nothing", "half", "whole"])
def test_offline_never_calls_a_hub(
    hub: AHub,
    search: Search,
    monkeypatch: pytest.MonkeyPatch,
    environment: dict[str, str],
    before: str,
) -> None:
    hub.has(NAME, FILES)
    if before != "nothing":
        found = search()
        if before == "half":
            (found / "model-00002-of-00002.safetensors").unlink()
    hub.asked.clear()
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    if before == "whole":
        assert search(offline=not environment) == found
    else:
        with pytest.raises(EngineUnavailable) as refused:
            search(offline=not environment)
        assert "HF_HUB_OFFLINE forbids" in refused.value.reason
        assert "Start once without it" in refused.value.remedy
    assert not hub.asked


def test_a_snapshot_that_nobody_listed_is_not_taken_for_whole(hub: AHub, search: Search) -> None:
    hub.has(NAME, FILES)
    found = search()
    for listed in (search.folder / "trees").iterdir():
        listed.unlink()
    with pytest.raises(EngineUnavailable):
        search(offline=True)
    assert search() == found  # with the hub's listing it is known to be, and nothing is fetched
    assert hub.paths()[-1] == found.name


ALONE = """
import json, sys
from ultraandchat.engines.base import EngineUnavailable
from ultraandchat.engines.weights.find import find
try:
    print(json.dumps(str(find(sys.argv[1], "", offline=False, cache="", endpoint="", token="",
                              progress=lambda *told: None))))
except EngineUnavailable as error:
    print(json.dumps([error.reason, error.remedy]))
"""


def in_a_process(environment: dict[str, str], home: Path) -> Any:
    """`find` without any setting, in a process that has this environment."""
    ran = subprocess.run(
        [sys.executable, "-c", ALONE, NAME],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": ":".join(sys.path), "HOME": str(home)}
        | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert not ran.stderr
    return json.loads(ran.stdout)


def test_cache_hub_and_token_come_from_the_environment(hub: AHub, tmp_path: Path) -> None:
    commit = hub.has(NAME, FILES)
    home = {"HF_HOME": str(tmp_path / "hf"), "HF_ENDPOINT": f"{hub.address}/", "HF_TOKEN": "hf_it"}
    found = in_a_process(home, tmp_path)
    folder = tmp_path / "hf" / "hub" / "models--someone--small-model"
    assert found == str(folder / "snapshots" / commit)
    assert {one.token for one in hub.asked} == {"hf_it"}
    assert all(one.path.startswith(("/api/models/someone/", "/someone/")) for one in hub.asked)


def test_the_usual_cache_lies_in_the_home_folder(hub: AHub, tmp_path: Path) -> None:
    hub.has(NAME, FILES)
    found = in_a_process({"HF_ENDPOINT": hub.address}, tmp_path)
    assert found.startswith(str(tmp_path / ".cache" / "huggingface" / "hub"))


def test_the_librarys_own_switch_is_honoured_in_a_process(hub: AHub, tmp_path: Path) -> None:
    reason, _ = in_a_process({"HF_ENDPOINT": hub.address, "HF_HUB_OFFLINE": "YES"}, tmp_path)
    assert "forbids to ask the hub" in reason
    assert not hub.asked
