"""The command line as it is typed: exit status, and one line for every mistake."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

import ultraandchat

SPEECH = Path(__file__).parent / "data/speech"
PATIENCE_S = 60
QUICK = ["--profile", "scripted", "--set", "engines.scripted.clause_s=0.2"]


def typed(*arguments: str | Path, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "ultraandchat", *arguments],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
        env=os.environ | environ,
    )


def test_the_version() -> None:
    assert typed("--version").stdout == f"ultraandchat {ultraandchat.__version__}\n"


@pytest.mark.parametrize("command", [(), ("serve",), ("converse",), ("check",)])
def test_help_is_there_for(command: tuple[str, ...]) -> None:
    done = typed(*command, "--help")
    assert done.returncode == 0
    assert "usage: ultraandchat" in done.stdout


def test_the_command_lines_import_brings_nothing_heavy() -> None:
    probe = "import sys, ultraandchat.cli; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", probe], capture_output=True, text=True, timeout=60, check=True
    )
    heavy = {"numpy", "av", "aiohttp", "asyncio", "rich", "torch"}
    assert not heavy & set(done.stdout.split())


def test_without_a_command_the_usage_is_shown() -> None:
    done = typed()
    assert done.returncode == 2
    assert "usage" in done.stderr


@pytest.mark.parametrize("command", [["serve"], ["check"], ["converse", "a.wav"]])
def test_a_mistyped_setting_is_one_line_and_status_2(command: list[str]) -> None:
    done = typed(*command, "--set", "turn.endpoit_ms=500")
    assert done.returncode == 2
    assert done.stderr == (
        "ultraandchat: --set turn.endpoit_ms: there is no setting turn.endpoit_ms; "
        "did you mean turn.endpoint_ms?\n"
    )


def test_a_mistake_in_the_environment_is_one_line_too() -> None:
    done = typed("check", ULTRAANDCHAT_SERVER__PROT="1")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "did you mean server.port?" in done.stderr


def test_a_port_in_use_is_one_line_and_status_2() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = typed("serve", *QUICK, "--set", "logs.directory=", "--port", str(port))
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert f"{port} on 127.0.0.1 is in use" in done.stderr


@pytest.mark.parametrize(
    ("content", "why"), [(b"this is no sound", "no wav file"), (b"", "no wav file")]
)
def test_what_is_no_wav_is_one_line_and_status_2(tmp_path: Path, content: bytes, why: str) -> None:
    (tmp_path / "a.wav").write_bytes(content)
    done = typed("converse", tmp_path / "a.wav")
    assert done.returncode == 2
    assert done.stderr == f"ultraandchat: {tmp_path / 'a.wav'}: this is {why}\n"


def test_an_output_folder_that_is_not_there_is_told_before_the_talk(tmp_path: Path) -> None:
    done = typed("converse", SPEECH / "yes.wav", "-o", tmp_path / "absent" / "out.wav")
    assert done.returncode == 2
    assert "there is no folder" in done.stderr


def test_a_url_that_is_none_is_status_2() -> None:
    done = typed("converse", SPEECH / "yes.wav", "--url", "127.0.0.1:7860")
    assert done.returncode == 2
    assert "it must begin with https://, http://, wss:// or ws://" in done.stderr


def test_a_server_that_is_not_there_is_status_1() -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    done = typed("converse", SPEECH / "yes.wav", "--url", f"ws://127.0.0.1:{port}/ws")
    assert done.returncode == 1
    assert "no server answers there" in done.stderr


def test_a_truncated_file_is_the_caller_as_far_as_it_goes(tmp_path: Path) -> None:
    whole = (SPEECH / "goforward.wav").read_bytes()
    (tmp_path / "cut.wav").write_bytes(whole[: len(whole) * 3 // 4])
    done = typed("converse", tmp_path / "cut.wav", "-o", tmp_path / "out.wav", *QUICK)
    assert done.returncode == 0
    assert "bytes early" in done.stderr
    you, agent, parts = done.stdout.splitlines()
    assert you.startswith("you:   one")
    assert agent == "agent: One two three. Four five six."
    assert "end silence" in parts
    assert (tmp_path / "out.wav").stat().st_size > 40_000


def test_check_says_that_the_scripted_profile_can_start(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    where = ["--set", f"logs.directory={tmp_path}", "--set", f"server.port={port}"]
    done = typed("check", "--profile", "scripted", *where)
    assert done.returncode == 0
    assert "The scripted profile can start" in done.stdout
