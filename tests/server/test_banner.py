"""What stands in the banner, and that its QR code is the one of the address."""

import pytest
import segno

from ultraandchat.config import Config
from ultraandchat.pod import Pod
from ultraandchat.server.banner import QUIET_ZONE, Banner, qr_code
from ultraandchat.server.ladder import Ladder

TOKEN = "K3" * 21 + "x"
"""As long as those that the server makes."""
LINK = f"https://4r8x1sifntb2r0-7860.proxy.runpod.net/#token={TOKEN}"


def banner(link: str, *others: str, remarks: tuple[str, ...] = (), logs: str = "") -> Banner:
    ladder = Ladder.of(Pod.local(), Config())
    return Banner("0.1.0", "demo", link, others, ladder, remarks, logs)


def text(banner: Banner) -> str:
    return "\n".join([*banner.address_lines(), *banner.fact_lines()])


def test_it_says_what_runs_where_to_talk_and_which_ways_there_are() -> None:
    said = text(banner("http://localhost:7860/", remarks=("Something is odd.",), logs="/tmp/logs"))
    assert "UltraAndChat 0.1.0, profile demo" in said
    assert "\n    http://localhost:7860/\n" in said
    assert "\n  UDP: wherever" in said
    assert "\n  no TURN: webrtc.turn names no server" in said
    assert "Something is odd." in said
    assert "Logs are in /tmp/logs." in said
    assert "\x1b" not in said


def test_the_address_stands_there_once() -> None:
    assert text(banner(LINK)).count(TOKEN) == 1


@pytest.mark.parametrize(
    ("links", "phone"),
    [
        (["http://localhost:7860/"], None),
        (["https://localhost:7860/"], None),
        (["https://127.0.0.1:7860/"], None),
        (["https://[::1]:7860/"], None),
        (["http://192.168.1.5:7860/"], None),  # no microphone there
        (["https://localhost:7860/", "https://192.168.1.5:7860/"], "https://192.168.1.5:7860/"),
        ([LINK], LINK),
    ],
)
def test_a_phone_is_given_what_it_can_use(links: list[str], phone: str | None) -> None:
    assert banner(*links).for_phones() == phone


def test_the_code_is_the_address_and_fits_80_columns() -> None:
    lines = [line.plain for line in qr_code(LINK, 80)]
    assert 0 < max(map(len, lines)) <= 80
    modules = []
    for line in lines:
        modules.append([mark in "▀█" for mark in line])
        modules.append([mark in "▄█" for mark in line])
    code = segno.make_qr(LINK, error="l")
    wanted = [[bool(dark) for dark in row] for row in code.matrix_iter(border=QUIET_ZONE)]
    assert modules[: len(wanted)] == wanted
    assert not any(map(any, modules[len(wanted) :]))


def test_where_a_code_does_not_fit_there_is_none() -> None:
    assert qr_code(LINK, 40) == []
