"""A page that may only use a TURN server, and a real one (coturn) that knows our secret."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from bench.serving import Serving
from tests.browser.conftest import PATIENCE_MS, Visit, say
from tests.support.coturn import coturn
from tests.support.speaking import listening, speak

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        shutil.which("turnserver") is None and "CI" not in os.environ, reason="apt install coturn"
    ),
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
        page = visit(browse(), server, before=listening).talk().over("webrtc")
        speak(page.page, say("lj001_0008"))
        page.heard()
        page.page.locator("#details").click()
        expect(page.page.locator("#connection")).to_contain_text("relay", timeout=PATIENCE_MS)


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
        for _ in range(PATIENCE_MS // 50):  # it writes its log when it comes to it
            if "Cannot find credentials" in (tmp_path / "coturn.log").read_text():
                break
            page.page.wait_for_timeout(50)
    assert "Cannot find credentials" in (tmp_path / "coturn.log").read_text()
