"""What `check --network ADDRESS` says from a caller's side of each kind of network."""

import subprocess
import sys

import pytest

from bench.network import FRONT, MAPPED, MAPPED_PORT, Network
from bench.visiting import ADDRESS
from tests.network.conftest import Start

pytestmark = pytest.mark.network


def check(net: Network) -> tuple[int, str]:
    """Its status, and what it printed, from the client's host."""
    with net.client.entered():
        done = subprocess.run(
            [sys.executable, "-m", "ultraandchat", "check", "--network", ADDRESS],
            capture_output=True,
            text=True,
            timeout=100,
        )
    assert done.stderr == ""
    return done.returncode, " ".join(done.stdout.split())


def test_where_one_tcp_port_is_left_that_one_carries(net: Network, start: Start) -> None:
    net.let_through(ice_tcp=True)
    start(*MAPPED)
    status, said = check(net)
    assert status == 0
    assert "ok sound over WebSocket open after" in said
    assert "fails sound over UDP no packet came through within 10 s" in said
    assert "ok sound over ICE-TCP carries sound after" in said
    assert "sound over UDP: let UDP through between here and there" in said


def test_where_only_http_is_left_the_firewall_is_named(net: Network, start: Start) -> None:
    start("webrtc.udp=off", *MAPPED)
    status, said = check(net)
    assert status == 0
    assert "ok sound over WebSocket open after" in said
    assert f"fails sound over ICE-TCP {FRONT}:{MAPPED_PORT} does not answer" in said
    assert f"a firewall between here and there drops TCP port {MAPPED_PORT}" in said


def test_where_udp_works_all_do(net: Network, start: Start) -> None:
    net.let_through(udp=True, ice_tcp=True)
    start(*MAPPED)
    status, said = check(net)
    assert status == 0
    for way in ("UDP", "ICE-TCP"):
        assert f"ok sound over {way} carries sound after" in said


def test_where_nothing_gets_through_it_ends_in_time_and_says_so(net: Network, start: Start) -> None:
    start()
    with net.black_hole():
        status, said = check(net)
    assert status == 1
    assert "fails server no answer within 8 s" in said
