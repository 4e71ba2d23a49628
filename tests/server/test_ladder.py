"""Every environment of a pod, and the ladder and the log line that it gives."""

from collections.abc import Mapping

import pytest
from hypothesis import given

from tests.test_pod import ENVIRONMENTS
from ultraandchat.config import Config
from ultraandchat.pod import Pod
from ultraandchat.server.ladder import Ladder, TcpListening

ID = {"RUNPOD_POD_ID": "abc123"}
POD = ID | {"RUNPOD_PUBLIC_IP": "213.173.109.39"}
SYMMETRICAL = {"RUNPOD_TCP_PORT_70000": "10030"}
PLAIN = {"RUNPOD_TCP_PORT_8189": "13007"}
PROXY = "https://abc123-7860.proxy.runpod.net"

NO_UDP = "no UDP (Runpod pods take no UDP from outside; webrtc.udp=on offers it all the same)"
NO_TURN = "no TURN (webrtc.turn names no server; few networks need one)"
THROUGH_PROXY = f"WebSocket (always, through the pod's proxy, {PROXY})"


def ladder(environ: Mapping[str, str], *settings: str) -> Ladder:
    return Ladder.of(Pod.read(environ), Config.load(environ=environ, overrides=settings))


def tcp(listen: int, external: int, host: str = "0.0.0.0") -> TcpListening:
    return TcpListening(host, listen, ("213.173.109.39", external))


def line(ice_tcp: str) -> str:
    """The log line of a pod on which only ICE-TCP is in question."""
    if ice_tcp.startswith("TCP port"):
        return f"ways for sound: ICE-TCP ({ice_tcp}), {THROUGH_PROXY}; {NO_UDP}; {NO_TURN}"
    return f"ways for sound: {THROUGH_PROXY}; {NO_UDP}; no ICE-TCP ({ice_tcp}); {NO_TURN}"


UNMAPPED = (
    "no TCP port of the pod leads here (RUNPOD_TCP_PORT_70000 is not set);"
    " expose TCP port 70000 in the pod's settings"
)
OTHERS = "; Secure Cloud pods have one, others if asked for"

ENVIRONMENTS_AND_LADDERS: dict[str, tuple[dict[str, str], TcpListening | None, str]] = {
    "a pod as our template makes it": (
        POD | SYMMETRICAL,
        tcp(10_030, 10_030),
        "TCP port 70000 of the pod's settings is 213.173.109.39:10030",
    ),
    "a plain port, mapped to another": (
        POD | PLAIN,
        tcp(8189, 13_007),
        "TCP port 8189 of the pod's settings is 213.173.109.39:13007",
    ),
    "both: the symmetrical one is taken": (
        POD | PLAIN | SYMMETRICAL,
        tcp(10_030, 10_030),
        "TCP port 70000 of the pod's settings is 213.173.109.39:10030",
    ),
    "only HTTP is exposed": (POD, None, UNMAPPED),
    "the page's port is exposed as bare TCP": (
        POD | {"RUNPOD_TCP_PORT_7860": "40123"},
        None,
        UNMAPPED,
    ),
    "only ssh is exposed": (POD | {"RUNPOD_TCP_PORT_22": "13007"}, None, UNMAPPED),
    "a community pod without an address": (
        ID | SYMMETRICAL,
        None,
        f"RUNPOD_PUBLIC_IP is not set: this pod has no public address{OTHERS}",
    ),
    "an empty address": (
        ID | SYMMETRICAL | {"RUNPOD_PUBLIC_IP": ""},
        None,
        f"RUNPOD_PUBLIC_IP is not set: this pod has no public address{OTHERS}",
    ),
    "an address behind a carrier's NAT": (
        ID | SYMMETRICAL | {"RUNPOD_PUBLIC_IP": "100.65.0.119"},
        None,
        f"RUNPOD_PUBLIC_IP=100.65.0.119 is no address of the public internet{OTHERS}",
    ),
    "no address at all in its place": (
        ID | SYMMETRICAL | {"RUNPOD_PUBLIC_IP": "soon"},
        None,
        f"RUNPOD_PUBLIC_IP='soon' is no address{OTHERS}",
    ),
    "an IPv6 address: it listens there too": (
        ID | SYMMETRICAL | {"RUNPOD_PUBLIC_IP": "2a00:1450:4001:829::200e"},
        TcpListening("::", 10_030, ("2a00:1450:4001:829::200e", 10_030)),
        "TCP port 70000 of the pod's settings is [2a00:1450:4001:829::200e]:10030",
    ),
    "a port that is none": (POD | {"RUNPOD_TCP_PORT_70000": "abc"}, None, UNMAPPED),
    "port 0": (POD | {"RUNPOD_TCP_PORT_70000": "0"}, None, UNMAPPED),
    "port 99999": (POD | {"RUNPOD_TCP_PORT_70000": "99999"}, None, UNMAPPED),
    "an empty port": (POD | {"RUNPOD_TCP_PORT_70000": ""}, None, UNMAPPED),
    "a bad symmetrical port beside a good plain one": (
        POD | PLAIN | {"RUNPOD_TCP_PORT_70000": "0"},
        tcp(8189, 13_007),
        "TCP port 8189 of the pod's settings is 213.173.109.39:13007",
    ),
    "a port that browsers do not dial": (
        POD | {"RUNPOD_TCP_PORT_8189": "700"},
        None,
        "browsers dial no port as low as that of 213.173.109.39:700; expose another",
    ),
}


@pytest.mark.parametrize("name", ENVIRONMENTS_AND_LADDERS)
def test_a_pods_environment_gives_its_ladder_and_its_log_line(name: str) -> None:
    environ, listening, sentence = ENVIRONMENTS_AND_LADDERS[name]
    found = ladder(environ)
    assert found.tcp == listening
    assert found.ice_tcp.there == (listening is not None)
    assert found.line() == line(sentence)
    assert found.https_url == PROXY


def test_elsewhere_udp_and_tcp_are_offered_where_the_server_listens() -> None:
    found = ladder({})
    assert found.tcp == TcpListening("127.0.0.1", 0, None)
    assert found.https_url is None
    assert found.line() == (
        "ways for sound: UDP (wherever the caller's network lets it through), ICE-TCP (where"
        " 127.0.0.1 can be reached), WebSocket (always, wherever the page itself comes through);"
        f" {NO_TURN}"
    )


@pytest.mark.parametrize(
    ("settings", "there"),
    [
        (("webrtc.udp=off",), ["ICE-TCP", "WebSocket"]),
        (("webrtc.tcp=off",), ["UDP", "WebSocket"]),
        (("webrtc.udp=off", "webrtc.tcp=off"), ["WebSocket"]),
        (("webrtc.enabled=false", "webrtc.udp=on", "webrtc.tcp=on"), ["WebSocket"]),
        (
            ("webrtc.turn=turn:a.example", "webrtc.turn_username=u", "webrtc.turn_credential=c"),
            ["UDP", "ICE-TCP", "TURN", "WebSocket"],
        ),
    ],
)
def test_what_is_switched_off_is_not_there(settings: tuple[str, ...], there: list[str]) -> None:
    assert [rung.name for rung in ladder({}, *settings) if rung.there] == there


def test_without_udp_the_server_is_relayed_too() -> None:
    turn = ("webrtc.turn=turns:a.example", "webrtc.turn_secret=north")
    found = ladder(POD | SYMMETRICAL, *turn)
    assert found.relays_us
    assert found.turn.why == "through turns:a.example, from both ends, as this one has no UDP"
    assert not ladder({}, *turn).relays_us
    assert not ladder(POD).relays_us
    assert not ladder(POD, *turn, "webrtc.enabled=false").relays_us


def test_on_a_pod_the_operator_may_insist_on_udp() -> None:
    found = ladder(POD, "webrtc.udp=on")
    assert found.udp.there
    assert "although" in found.udp.why


def test_on_a_pod_without_a_mapped_port_tcp_may_be_insisted_on() -> None:
    found = ladder(POD, "webrtc.tcp=on", "webrtc.tcp_port=8189")
    assert found.tcp == TcpListening("0.0.0.0", 8189, None)
    assert "RUNPOD_TCP_PORT_8189 is not set" in found.ice_tcp.why


@pytest.mark.parametrize(
    ("port", "listening"),
    [
        ("9000", tcp(9000, 30_900)),
        ("70001", tcp(20_000, 20_000)),
        ("70000", tcp(10_030, 10_030)),
        ("9001", None),
    ],
)
def test_a_configured_port_is_the_only_one_that_is_looked_for(
    port: str, listening: TcpListening | None
) -> None:
    ports = {"RUNPOD_TCP_PORT_9000": "30900", "RUNPOD_TCP_PORT_70001": "20000"}
    found = ladder(POD | SYMMETRICAL | ports, f"webrtc.tcp_port={port}")
    assert found.tcp == listening
    assert listening or f"RUNPOD_TCP_PORT_{port} is not set" in found.ice_tcp.why


@pytest.mark.parametrize(
    ("environ", "port", "listen"),
    [({}, "0", 0), ({}, "8189", 8189), ({}, "70000", 0), (POD | PLAIN, "0", 8189), (ID, "0", 0)],
)
def test_an_address_to_announce_wins_over_the_pods(
    environ: dict[str, str], port: str, listen: int
) -> None:
    found = ladder(environ, "webrtc.tcp_announce=198.51.100.1:31877", f"webrtc.tcp_port={port}")
    assert found.tcp is not None
    assert (found.tcp.port, found.tcp.announce) == (listen, ("198.51.100.1", 31_877))


def test_a_pods_server_that_its_proxy_cannot_call_is_told_so() -> None:
    found = ladder(POD | SYMMETRICAL, "server.host=127.0.0.1")
    assert "proxy cannot call" in found.websocket.why
    assert found.tcp is None
    assert "no port of the pod leads" in found.ice_tcp.why


def test_a_pods_page_with_tls_of_its_own_is_reached_by_a_tcp_port_alone() -> None:
    found = ladder(POD | {"RUNPOD_TCP_PORT_7860": "40123"}, "tls.self_signed=true")
    assert found.https_url == "https://213.173.109.39:40123"
    assert "not through the pod's proxy" in found.websocket.why
    assert ladder(POD, "tls.self_signed=true").https_url is None


def test_pages_are_told_the_rungs_and_why_others_are_not_there() -> None:
    assert ladder(POD | SYMMETRICAL).for_pages("213.173.109.39:10030") == {
        "udp": False,
        "ice_tcp": "213.173.109.39:10030",
        "turn": False,
        "websocket": True,
        "why": {
            "udp": "Runpod pods take no UDP from outside; webrtc.udp=on offers it all the same",
            "ice_tcp": "TCP port 70000 of the pod's settings is 213.173.109.39:10030",
            "turn": "webrtc.turn names no server; few networks need one",
        },
    }


@given(ENVIRONMENTS)
def test_no_environment_makes_it_raise(environ: dict[str, str]) -> None:
    found = Ladder.of(Pod.read(environ), Config.load(environ=environ))
    assert found.line().isprintable()
    assert found.websocket.there
    assert found.ice_tcp.there == (found.tcp is not None)
