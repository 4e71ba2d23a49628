"""Where a page can be opened, and what whoever opens it there should know."""

from ipaddress import ip_address

import pytest

from ultraandchat.config import Config
from ultraandchat.pod import Pod
from ultraandchat.server.links import MOST_ADDRESSES, links, own_addresses, remarks

PROXY = "https://abc123-7860.proxy.runpod.net"
POD = {"RUNPOD_POD_ID": "abc123", "RUNPOD_PUBLIC_IP": "213.173.109.39"}
BARE = {"RUNPOD_TCP_PORT_7860": "40123"}


@pytest.mark.parametrize(
    ("url", "host", "https_url", "first"),
    [
        ("http://localhost:7860", "127.0.0.1", None, "http://localhost:7860"),
        ("http://192.168.1.5:7860", "192.168.1.5", None, "http://192.168.1.5:7860"),
        ("http://localhost:7860", "0.0.0.0", PROXY, PROXY),
        # The pod's proxy cannot call it there.
        ("http://localhost:7860", "127.0.0.1", PROXY, "http://localhost:7860"),
    ],
)
def test_there_is_one_address_to_open(
    url: str, host: str, https_url: str | None, first: str
) -> None:
    assert links(url, host, https_url) == [first]


def test_a_server_that_listens_everywhere_is_found_by_other_devices_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        "ultraandchat.server.links.own_addresses", lambda *, ipv6: ["192.168.1.5", "2001:db8::7"]
    )
    assert links("https://localhost:7860", "::", None) == [
        "https://localhost:7860",
        "https://192.168.1.5:7860",
        "https://[2001:db8::7]:7860",
    ]


def said(environ: dict[str, str], first: str, *settings: str) -> str:
    config = Config.load(environ={}, overrides=settings)
    return " ".join(remarks([first], config, Pod.read(environ)))


EVERYWHERE = "server.host=0.0.0.0"


def test_without_tls_other_devices_have_no_microphone() -> None:
    assert "--tls self-signed" in said({}, "http://localhost:7860", EVERYWHERE)
    assert said({}, "https://localhost:7860", EVERYWHERE, "tls.self_signed=true") == ""
    assert said({}, "http://localhost:7860") == ""
    assert said(POD, PROXY, EVERYWHERE) == ""


def test_a_bare_tcp_port_of_the_page_is_said_to_have_no_microphone() -> None:
    words = said(POD | BARE, PROXY, EVERYWHERE)
    assert "TCP port 7860 is 213.173.109.39:40123 outside, without TLS" in words


def test_a_pods_proxy_cannot_call_a_server_with_tls_of_its_own() -> None:
    with_tls = (EVERYWHERE, "tls.self_signed=true")
    assert "Expose TCP port 7860" in said(POD, "https://localhost:7860", *with_tls)
    assert "Expose" not in said(POD | BARE, "https://213.173.109.39:40123", *with_tls)


def test_what_makes_no_sense_in_the_pods_environment_is_said() -> None:
    words = said(POD | {"RUNPOD_TCP_PORT_70000": "abc"}, PROXY, EVERYWHERE)
    assert words == "RUNPOD_TCP_PORT_70000='abc' is no port."


@pytest.mark.parametrize("ipv6", [True, False])
def test_its_own_addresses_are_such_that_others_can_dial(ipv6: bool) -> None:
    found = [ip_address(one) for one in own_addresses(ipv6=ipv6)]
    assert len(found) <= MOST_ADDRESSES
    assert not any(one.is_loopback or one.is_link_local for one in found)
    assert ipv6 or all(one.version == 4 for one in found)
