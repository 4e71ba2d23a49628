"""A pod's server as its pages see it, with the environment that Runpod gives it."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, expect

from bench.serving import Serving, free_port
from tests.browser.conftest import PATIENCE_MS, Visit

pytestmark = pytest.mark.browser

Start = Callable[..., Serving]
Browse = Callable[..., Browser]
Open = Callable[..., Visit]

TOKEN = "a-token-of-the-operators"


@pytest.fixture
def pod(start: Start, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Serving]:
    """A server on a pod with these ports besides HTTP."""

    def begin(port: int = 0, **mapped: str) -> Serving:
        environ = {"RUNPOD_POD_ID": "abc123", "RUNPOD_PUBLIC_IP": "213.173.109.39"} | mapped
        for name, value in environ.items():
            monkeypatch.setenv(name, value)
        return start(f"access.token={TOKEN}", port=port or free_port())

    return begin


def test_where_only_http_is_exposed_sound_takes_the_websocket_at_once_and_the_page_says_why(
    pod: Callable[..., Serving], browse: Browse, visit: Open
) -> None:
    server = pod()
    page = visit(browse(), f"http://localhost:{server.port}/#token={TOKEN}")
    made = "() => window.RTCPeerConnection = class { constructor() { throw new Error('tried'); } }"
    page.page.evaluate(made)
    page.talk().over("websocket")
    page.page.locator("#details").click()
    facts = page.page.locator("#connection")
    expect(facts).to_contain_text("no TCP port of the pod leads here", timeout=PATIENCE_MS)
    shown = facts.inner_text()
    assert "no TCP port of the pod leads here" in shown
    assert "expose TCP port 70000 in the pod's settings" in shown
    assert "Runpod pods take no UDP from outside" in shown
    assert "Tried" not in shown
    page.type("talk to me")
    page.heard()


def test_over_a_bare_tcp_port_there_is_no_microphone_and_the_page_names_the_proxy(
    pod: Callable[..., Serving], browse: Browse, visit: Open
) -> None:
    port = free_port()
    server = pod(port, **{f"RUNPOD_TCP_PORT_{port}": "40123"})
    browser = browse(None, "--host-resolver-rules=MAP bare.test 127.0.0.1")
    page = visit(browser, f"http://bare.test:{server.port}/#token={TOKEN}")
    page.sentence("https pages only")
    link = page.page.locator("#https")
    proxy = f"https://abc123-{port}.proxy.runpod.net"
    expect(link).to_have_attribute("href", proxy, timeout=PATIENCE_MS)
    page.page.locator("#without").click()
    page.page.wait_for_selector("html[data-phase=talking]")
    page.type("can you read this")
    assert page.answer()
