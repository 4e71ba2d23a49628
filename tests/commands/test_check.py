"""What `check` says of a machine where something is missing."""

import argparse
import socket
from pathlib import Path

import av
import pytest

from ultraandchat.commands.check import run
from ultraandchat.config import Config
from ultraandchat.transport.rtp.libopus import Libopus
from ultraandchat.transport.rtp.opus import find_opus


def check(*overrides: str) -> int:
    quiet = ["engines.profile=scripted", "server.port=0", "logs.directory="]
    return run(Config.load(environ={}, overrides=[*quiet, *overrides]), argparse.Namespace())


def test_what_can_start_is_status_0(capsys: pytest.CaptureFixture[str]) -> None:
    assert check() == 0
    assert "can start" in capsys.readouterr().out


def test_a_port_in_use_names_another(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert check(f"server.port={port}") == 1
    assert f"--set server.port={port + 1}" in capsys.readouterr().out


def test_a_host_that_is_not_ours_is_missing(capsys: pytest.CaptureFixture[str]) -> None:
    assert check("server.host=192.0.2.1", "server.port=7861") == 1
    assert "--set server.host=127.0.0.1" in capsys.readouterr().out


def test_a_log_folder_may_lie_in_the_home_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert check("logs.directory=~/logs") == 0
    assert (tmp_path / "logs").is_dir()


def test_an_unwritable_log_folder_says_how_to_go_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    assert check(f"logs.directory={tmp_path / 'file' / 'logs'}") == 1
    assert "--set logs.directory=FOLDER" in capsys.readouterr().out


def test_a_chat_model_without_an_address_says_how_to_give_one(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert check("engines.language=chat") == 1
    out = capsys.readouterr().out
    assert "cannot start" in out
    assert "engines.chat.base_url=http://localhost:11434/v1" in out


def test_the_opus_that_is_used_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert check() == 0
    assert find_opus().name in capsys.readouterr().out


def test_an_opus_that_cannot_conceal_is_told_with_what_to_install(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Libopus, "found", lambda: iter(()))
    assert check() == 0
    out = capsys.readouterr().out
    assert "packet loss will be heard as gaps" in out
    assert "apt install libopus0" in out


def test_no_opus_at_all_is_missing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Libopus, "found", lambda: iter(()))
    monkeypatch.setattr(av, "codecs_available", {"pcm_s16le"})
    assert check() == 1
    assert "PyAV was built without libopus" in capsys.readouterr().out
    assert check("webrtc.enabled=false") == 0


def test_it_says_who_would_get_in(capsys: pytest.CaptureFixture[str]) -> None:
    for setting, said in (
        ("server.host=127.0.0.1", "this machine alone"),
        ("server.host=0.0.0.0", "that each start makes and prints"),
        ("access.token=the-operators-own-token", "the token of access.token"),
    ):
        assert check(setting) == 0
        out = capsys.readouterr().out
        assert said in out
        assert "the-operators-own-token" not in out


def test_a_certificate_that_cannot_be_used_is_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))  # not where this machine keeps its own
    assert check("tls.certificate=/nowhere/a.pem", "tls.key=/nowhere/b.pem") == 1
    out = capsys.readouterr().out
    assert "No such file" in out
    assert "Set tls.certificate to a file" in out
    assert check("tls.self_signed=true") == 0
