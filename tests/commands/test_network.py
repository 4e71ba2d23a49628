"""`check --network`: what this machine says of itself as a server."""

import socket

import pytest

from ultraandchat import cli
from ultraandchat.commands.network import run
from ultraandchat.config import Config

POD = {
    "RUNPOD_POD_ID": "abc123",
    "RUNPOD_PUBLIC_IP": "213.173.109.39",
    "RUNPOD_DC_ID": "EU-RO-1",
    "RUNPOD_GPU_COUNT": "1",
}


def look(capsys: pytest.CaptureFixture[str], *settings: str) -> tuple[int, str]:
    """The status, and what was printed; no server of others is asked but those in `settings`."""
    status = run(Config.load(overrides=["webrtc.stun=", *settings]), "")
    return status, " ".join(capsys.readouterr().out.split())


def test_a_laptop_has_all_that_it_needs(capsys: pytest.CaptureFixture[str]) -> None:
    status, said = look(capsys)
    assert status == 0
    assert "Runpod pod this is none" in said
    assert "ok sound over UDP" in said
    assert "ok UDP socket can be opened on 127.0.0.1" in said
    assert "check --network ADDRESS" in said


def test_a_pod_says_where_it_is_and_what_is_missing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (POD | {"RUNPOD_API_KEY": "WALNUT"}).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("ultraandchat.commands.network.PROXY_S", 0.05)
    status, said = look(capsys)
    assert status == 0
    assert "ok Runpod pod abc123 in EU-RO-1, 1 GPU, address 213.173.109.39" in said
    assert "- sound over ICE-TCP no TCP port of the pod leads here" in said
    assert "expose TCP port 70000 in the pod's settings" in said
    assert "ok address https://abc123-7860.proxy.runpod.net" in said
    assert "- pod's proxy" in said
    assert "WALNUT" not in said


def test_a_port_that_somebody_has_may_be_the_servers_own(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        status, said = look(capsys, f"webrtc.tcp_port={taken.getsockname()[1]}")
    assert status == 0
    assert "taken: by the server, if it is running" in said


def test_an_address_that_is_not_ours_fails(capsys: pytest.CaptureFixture[str]) -> None:
    status, said = look(capsys, "server.host=192.0.2.1")
    assert status == 1
    assert "fails UDP socket" in said
    assert "--set webrtc.udp=off" in said


def test_stun_servers_that_do_not_answer_are_no_failure_of_the_server(
    capsys: pytest.CaptureFixture[str],
) -> None:
    status, said = look(capsys, "webrtc.stun=stun:no.such.host.invalid")
    assert status == 0
    assert "- stun:no.such.host.invalid" in said


def test_a_relay_that_was_asked_for_and_is_not_there_fails(
    capsys: pytest.CaptureFixture[str],
) -> None:
    relay = "webrtc.turn=turn:127.0.0.1:9?transport=tcp"
    status, said = look(capsys, relay, "webrtc.turn_secret=north")
    assert status == 1
    assert "look at webrtc.turn and webrtc.turn_secret" in said
    assert "north" not in said


def test_the_command_line_asks_for_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["check", "--network", "--set", "webrtc.stun="]) == 0
    assert "sound over WebSocket" in capsys.readouterr().out
