"""A page that may only use a TURN server, and a real one (coturn) that knows our secret."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from bench.serving import Serving
from tests.browser.conftest import Visit, say
from tests.support.coturn import coturn

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(shutil.which("turnserver") is None, reason="apt install coturn"),
]

Browse = Callable[..., Browser]
Open = Callable[..., Visit]
Start = Callable[..., Serving]


def test_a_page_talks_through_a_relay_to_a_server_that_has_no_way_in_of_its_own(
    start: Start, browse: Browse, visit: Open, tmp_path: Path
) -> None:
    """Both ends are relayed, each with an account that was made from the secret."""
    with coturn(tmp_path, "north") as port:
        server = start(
            "webrtc.ice_transport_policy=relay",
            f"webrtc.turn=turn:127.0.0.1:{port}?transport=tcp",
            "webrtc.turn_secret=north",
            "webrtc.udp=off",
            "webrtc.tcp=off",
        )
        page = visit(browse(say(1.5, "lj001_0008", 15.0)), server).talk().over("webrtc")
        page.heard()
        page.page.locator("#details").click()
        assert "relay" in page.page.locator("#connection").inner_text()


def test_a_relay_that_has_another_secret_refuses_and_the_page_talks_all_the_same(
    start: Start, browse: Browse, visit: Open, tmp_path: Path
) -> None:
    with coturn(tmp_path, "south") as port:
        server = start(
            "webrtc.ice_transport_policy=relay",
            f"webrtc.turn=turn:127.0.0.1:{port}?transport=udp",
            "webrtc.turn_secret=north",
            "webrtc.fallback_s=1",
        )
        page = visit(browse(), server).talk().over("websocket")
        page.type("talk to me")
        page.heard()
    assert "Cannot find credentials" in (tmp_path / "coturn.log").read_text()
