"""What is made of a pod's environment, whatever it holds."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ultraandchat.config import Config
from ultraandchat.pod import Pod, TcpPort

POD = {"RUNPOD_POD_ID": "abc123", "RUNPOD_PUBLIC_IP": "213.173.109.39"}

NAMES = [
    "RUNPOD_POD_ID",
    "RUNPOD_PUBLIC_IP",
    "RUNPOD_DC_ID",
    "RUNPOD_GPU_COUNT",
    "RUNPOD_POD_HOSTNAME",
    "RUNPOD_TCP_PORT_7860",
    "RUNPOD_TCP_PORT_8189",
    "RUNPOD_TCP_PORT_70000",
]
VALUES = st.one_of(
    st.text(max_size=60),
    st.integers(-5, 100_000).map(str),
    st.ip_addresses().map(str),
    st.sampled_from(
        ["", "local", "abc123", "213.173.109.39", "100.65.0.119", "10030", "٣", "\ud800"]
    ),
)
NAMES_AND_MORE = st.sampled_from(NAMES) | st.text(max_size=8).map("RUNPOD_TCP_PORT_".__add__)
ENVIRONMENTS = st.dictionaries(NAMES_AND_MORE, VALUES, max_size=10)
"""Whatever may stand in an environment, and more: a name that no system would let one set."""


def test_without_a_pod_id_this_is_no_pod() -> None:
    assert Pod.read({}) == Pod.local()
    assert Pod.read({"RUNPOD_POD_ID": " ", "RUNPOD_PUBLIC_IP": "213.173.109.39"}) == Pod.local()
    assert not Pod.local().is_pod
    assert Pod.local().https_url(7860) is None


def test_a_pod_as_the_documentation_shows_it() -> None:
    pod = Pod.read(
        POD
        | {
            "RUNPOD_TCP_PORT_22": "13007",
            "RUNPOD_TCP_PORT_70000": "10030",
            "RUNPOD_DC_ID": "EU-RO-1",
            "RUNPOD_GPU_COUNT": "2",
            "RUNPOD_POD_HOSTNAME": "abc123-64410f2d",
        }
    )
    assert pod.is_pod
    assert (pod.id, pod.address, pod.no_address) == ("abc123", "213.173.109.39", "")
    assert pod.tcp_ports == (TcpPort(22, 13007), TcpPort(70_000, 10_030))
    assert (pod.data_centre, pod.gpu_count, pod.host_name) == ("EU-RO-1", 2, "abc123-64410f2d")
    assert pod.unread == ()


def test_the_proxy_is_named_by_the_internal_port() -> None:
    pod = Pod.read(POD | {"RUNPOD_TCP_PORT_7860": "40123"})
    assert pod.https_url(7860) == "https://abc123-7860.proxy.runpod.net"
    assert pod.https_url(0) is None


def test_a_symmetrical_port_is_listened_on_by_its_outer_number() -> None:
    pod = Pod.read(POD | {"RUNPOD_TCP_PORT_70000": "10030", "RUNPOD_TCP_PORT_8189": "13007"})
    symmetrical, plain = pod.tcp_port(70_000), pod.tcp_port(8189)
    assert symmetrical is not None
    assert plain is not None
    assert (symmetrical.listen, symmetrical.external) == (10_030, 10_030)
    assert (plain.listen, plain.external) == (8189, 13_007)
    assert pod.tcp_port(7860) is None


@pytest.mark.parametrize(
    ("given_address", "reason"),
    [
        (None, "RUNPOD_PUBLIC_IP is not set"),
        ("", "RUNPOD_PUBLIC_IP is not set"),
        ("100.65.0.119", "no address of the public internet"),  # the example of Runpod's own API
        ("10.0.0.4", "no address of the public internet"),
        ("127.0.0.1", "no address of the public internet"),
        ("0.0.0.0", "no address of the public internet"),
        ("203.0.113.9", "no address of the public internet"),
        ("224.0.0.251", "no address of the public internet"),
        ("fe80::1%eth0", "no address of the public internet"),
        ("::ffff:10.0.0.4", "no address of the public internet"),
        ("213.173.109", "is no address"),
        ("213.173.109.39:13007", "is no address"),
        ("pod.example", "is no address"),
    ],
)
def test_an_address_that_nobody_can_dial_is_none(given_address: str | None, reason: str) -> None:
    environ = {"RUNPOD_POD_ID": "abc123"}
    pod = Pod.read(
        environ if given_address is None else environ | {"RUNPOD_PUBLIC_IP": given_address}
    )
    assert pod.address is None
    assert reason in pod.no_address


@pytest.mark.parametrize(
    ("given_address", "address"),
    [
        (" 213.173.109.39 ", "213.173.109.39"),
        ("::ffff:213.173.109.39", "213.173.109.39"),
        ("2A00:1450:4001:0829::200E", "2a00:1450:4001:829::200e"),
    ],
)
def test_an_address_is_kept_in_its_usual_form(given_address: str, address: str) -> None:
    assert Pod.read(POD | {"RUNPOD_PUBLIC_IP": given_address}).address == address


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("RUNPOD_TCP_PORT_8189", "abc"),
        ("RUNPOD_TCP_PORT_8189", ""),
        ("RUNPOD_TCP_PORT_8189", "0"),
        ("RUNPOD_TCP_PORT_8189", "99999"),
        ("RUNPOD_TCP_PORT_8189", "-1"),
        ("RUNPOD_TCP_PORT_8189", "8e3"),
        ("RUNPOD_TCP_PORT_8189", "٨١٨٩"),
        ("RUNPOD_TCP_PORT_0", "13007"),
        ("RUNPOD_TCP_PORT_66000", "13007"),
        ("RUNPOD_TCP_PORT_abc", "13007"),
        ("RUNPOD_TCP_PORT_", "13007"),
        ("RUNPOD_GPU_COUNT", "many"),
        ("RUNPOD_DC_ID", "EU\nRO"),
        ("RUNPOD_POD_HOSTNAME", "\x1b[31m"),
    ],
)
def test_what_makes_no_sense_is_left_out_and_said(name: str, value: str) -> None:
    pod = Pod.read(POD | {name: value})
    assert pod == replace(Pod.read(POD), unread=pod.unread)
    assert len(pod.unread) == 1
    assert name in pod.unread[0]
    assert pod.unread[0].isprintable()


def test_an_id_that_cannot_be_one_makes_no_pod_and_is_said() -> None:
    pod = Pod.read({"RUNPOD_POD_ID": "abc 123/../x", "RUNPOD_PUBLIC_IP": "213.173.109.39"})
    assert not pod.is_pod
    assert "RUNPOD_POD_ID" in pod.unread[0]


def test_the_secrets_of_a_pod_are_never_read() -> None:
    secrets = {
        "RUNPOD_API_KEY": "rpa_SECRET",
        "PUBLIC_KEY": "ssh-ed25519 SECRET",
        "JUPYTER_PASSWORD": "SECRET",
    }
    assert Pod.read(POD | secrets) == Pod.read(POD)
    assert "SECRET" not in repr(Pod.read(POD | secrets))


@given(ENVIRONMENTS)
def test_no_environment_makes_it_raise(environ: dict[str, str]) -> None:
    pod = Pod.read(environ)
    assert all(one.isprintable() and len(one) < 200 for one in (*pod.unread, pod.no_address))
    assert all(0 < port.listen < 65_536 and 0 < port.external < 65_536 for port in pod.tcp_ports)
    assert repr(pod).isprintable()


def test_on_a_pod_the_server_listens_where_the_proxy_calls_unless_it_is_told_otherwise() -> None:
    assert Config.load(environ=POD).server.host == "0.0.0.0"
    assert Config.load(environ=POD, overrides=["server.host=127.0.0.1"]).server.host == "127.0.0.1"
    assert Config.load(environ=POD | {"ULTRAANDCHAT_SERVER__HOST": "::"}).server.host == "::"
    assert Config.load(environ={}).server.host == "127.0.0.1"
