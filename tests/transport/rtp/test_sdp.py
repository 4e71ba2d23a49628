"""Which offers are let through to aiortc, and what is said about the others."""

import random
from pathlib import Path

import pytest
from aiortc.sdp import SessionDescription
from hypothesis import example, given
from hypothesis import strategies as st

from ultraandchat.transport.rtp.sdp import (
    MOST_CANDIDATES,
    MOST_LINES,
    BadOffer,
    candidate,
    heard_best,
    judged,
    payload_type,
)

DATA = Path(__file__).parents[2] / "data" / "sdp"


def recorded(name: str) -> str:
    return (DATA / f"{name}.sdp").read_bytes().decode()


VOICE = recorded("chromium_voice")
GOOD = ["chromium_voice", "chromium_voice_data", "firefox_trickled", "firefox_gathered"]


def without(*starts: str, offer: str = VOICE) -> str:
    return "".join(x for x in offer.splitlines(keepends=True) if not x.startswith(starts))


def with_lines(*lines: str, offer: str = VOICE) -> str:
    return offer + "".join(f"{line}\r\n" for line in lines)


@pytest.mark.parametrize("name", GOOD)
def test_what_browsers_offer_is_let_through(name: str) -> None:
    before, after = (
        SessionDescription.parse(sdp) for sdp in (recorded(name), judged(recorded(name)))
    )
    assert [(m.kind, m.rtp.muxId) for m in after.media] == [
        (m.kind, m.rtp.muxId) for m in before.media
    ]
    for a, b in zip(after.media, before.media, strict=True):
        assert (a.ice, a.dtls, a.rtcp_mux, a.direction) == (b.ice, b.dtls, b.rtcp_mux, b.direction)
        assert [c.payloadType for c in a.rtp.codecs] == [c.payloadType for c in b.rtp.codecs]


def test_judging_twice_changes_nothing() -> None:
    for name in GOOD:
        once = judged(recorded(name))
        assert judged(once) == once


BAD = {
    "nothing": ("", "exactly one audio"),
    "words": ("hello, I should like to talk", "exactly one audio"),
    "html": ("<html><body>404</body></html>", "exactly one audio"),
    "cut off": (VOICE[:700], "must"),
    "without audio": (VOICE.split("m=audio")[0], "exactly one audio"),
    "two audio": (with_lines(*VOICE[VOICE.index("m=audio") :].split("\r\n")), "exactly one audio"),
    "with video": (recorded("chromium_video"), "only sound"),
    "only a data channel": (
        with_lines("m=application 9 UDP/DTLS/SCTP webrtc-datachannel", offer="v=0\r\ns=-\r\n"),
        "exactly one audio",
    ),
    "no fingerprint": (without("a=fingerprint"), "fingerprint"),
    "no setup": (without("a=setup"), "fingerprint"),
    "no ICE name": (without("a=ice-ufrag"), "ICE name"),
    "no ICE password": (without("a=ice-pwd"), "ICE name"),
    "an endless ICE name": (VOICE.replace("a=ice-ufrag:", "a=ice-ufrag:" + 300 * "x"), "ICE name"),
    "no Opus": (without("a=rtpmap:111", "a=fmtp:111", "a=rtpmap:63", "a=fmtp:63"), "Opus"),
    "RTCP on a port of its own": (without("a=rtcp-mux"), "share a port"),
    "a bundle of others": (VOICE.replace("a=group:BUNDLE 0", "a=group:BUNDLE x"), "a=mid"),
    "two of one name": (recorded("chromium_voice_data").replace("a=mid:1", "a=mid:0"), "a=mid"),
    "parameters of no codec": (with_lines("a=fmtp:99 x=1"), "no SDP"),
    "a payload type that is no number": (with_lines("a=rtpmap:opus opus/48000/2"), "no SDP"),
    "too many lines": (with_lines(*["a=rtpmap:100 opus/48000"] * 300), f"{MOST_LINES} lines"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_offer_is_refused_with_what_is_wrong(name: str) -> None:
    offer, said = BAD[name]
    with pytest.raises(BadOffer, match=said):
        judged(offer)


def test_an_audio_stream_that_is_switched_off_is_refused() -> None:
    port = VOICE.split("m=audio ")[1].split(" ")[0]
    with pytest.raises(BadOffer, match="switched off"):
        judged(VOICE.replace(f"m=audio {port}", "m=audio 0"))


def test_the_end_of_candidates_is_not_passed_on() -> None:
    for offer in (VOICE, without("a=candidate"), recorded("firefox_gathered")):
        assert "end-of-candidates" not in judged(with_lines("a=end-of-candidates", offer=offer))


def test_names_of_the_local_network_are_left_to_come_to_us() -> None:
    assert ".local" not in judged(recorded("firefox_gathered"))


def test_candidates_that_cannot_be_read_are_passed_over_and_the_others_kept() -> None:
    offer = without("a=candidate")
    good = "a=candidate:1 1 udp 2122260223 192.0.2.9 50000 typ host"
    judged_offer = judged(with_lines("a=candidate:", "a=candidate:1 1 udp x", good, offer=offer))
    assert [x for x in judged_offer.splitlines() if x.startswith("a=candidate")] == [good]


def test_of_many_candidates_the_first_are_taken() -> None:
    many = [f"a=candidate:{n} 1 udp 1 192.0.2.9 {4_000 + n} typ host" for n in range(500)]
    kept = judged(with_lines(*many, offer=without("a=candidate"))).count("a=candidate")
    assert kept == MOST_CANDIDATES


def test_what_would_take_the_square_of_its_length_is_not_read() -> None:
    """aiortc compares each feedback line with each codec: 30 kB of both held the loop for seconds."""
    many = ["a=rtcp-fb:* nack", "a=ssrc:1 x:y", "a=extmap:1 x"] * 500
    assert len(judged(with_lines(*many))) < len(VOICE)


# --- candidates ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "candidate:1 1 udp 2122260223 192.0.2.9 50000 typ host",
        "1 1 UDP 2122260223 192.0.2.9 50000 typ host generation 0 network-id 1",
        "candidate:1 1 udp 2122260223 2001:db8::1 50000 typ srflx raddr 0.0.0.0 rport 0",
    ],
)
def test_an_address_that_can_be_checked_is_taken(text: str) -> None:
    one = candidate(text)
    assert one is not None
    assert one.port == 50_000


@pytest.mark.parametrize(
    "text",
    [
        "",
        "candidate:",
        "candidate:1 1 udp 2122260223 192.0.2.9 50000",
        "candidate:1 1 udp x 192.0.2.9 50000 typ host",
        "candidate:1 1 udp 1 d402aea4-ad28-44d4-a10d-c66d301c3e46.local 50000 typ host",
        "candidate:1 1 udp 1 D402AEA4.LOCAL 50000 typ host",
        "candidate:1 1 udp 1 example.org 50000 typ host",
        "candidate:1 2 udp 1 192.0.2.9 50000 typ host",
        "candidate:1 1 tcp 1 192.0.2.9 9 typ host tcptype active",
        "candidate:1 1 udp 1 192.0.2.9 0 typ host",
        "candidate:1 1 udp 1 192.0.2.9 70000 typ host",
        "candidate:1 1 udp 1 192.0.2.9 -1 typ host",
    ],
)
def test_an_address_that_cannot_be_checked_is_passed_over(text: str) -> None:
    assert candidate(text) is None


@given(st.text(max_size=120))
@example("candidate:" + "9" * 5_000)
@example("1 1 udp 1 192.0.2.9 1 typ host raddr")
def test_no_text_is_too_odd_for_a_candidate(text: str) -> None:
    one = candidate(text)
    assert one is None or 0 < one.port < 65_536


# --- the fuzzed parser -----------------------------------------------------------------------------


@given(st.text(max_size=400))
def test_any_text_is_judged(text: str) -> None:
    _is_judged(text)


@given(st.sampled_from(GOOD), st.randoms(use_true_random=False))
def test_any_change_of_a_real_offer_is_judged(name: str, chance: random.Random) -> None:
    lines = recorded(name).split("\r\n")
    for _ in range(chance.randint(1, 6)):
        at = chance.randrange(len(lines))
        match chance.randrange(4):
            case 0:
                lines.pop(at)
                lines = lines or [""]
            case 1:
                lines[at] = lines[at][: chance.randrange(len(lines[at]) + 1)]
            case 2:
                lines.insert(at, chance.choice(lines))
            case _:
                cut = chance.randrange(len(lines[at]) + 1)
                odd = chance.choice(" :/;=0aA9é\0\n￿")
                lines[at] = lines[at][:cut] + odd + lines[at][cut + 1 :]
    _is_judged("\r\n".join(lines))


def _is_judged(offer: str) -> None:
    try:
        let_through = judged(offer)
    except BadOffer:
        return
    kinds = [media.kind for media in SessionDescription.parse(let_through).media]
    assert kinds.count("audio") == 1


# --- the answer ------------------------------------------------------------------------------------


def test_the_answer_says_how_we_like_to_hear() -> None:
    answer = SessionDescription.parse(heard_best(VOICE, bitrate=24_000, fec=True))
    (audio,) = answer.media
    assert audio.rtp.headerExtensions == []
    assert audio.rtp.codecs[0].parameters == {
        "minptime": 10,
        "useinbandfec": 1,
        "stereo": 0,
        "maxplaybackrate": 16_000,
        "maxaveragebitrate": "24000",
    }


def test_the_answer_asks_for_no_correction_where_there_shall_be_none() -> None:
    answer = SessionDescription.parse(heard_best(VOICE, bitrate=24_000, fec=False))
    assert answer.media[0].rtp.codecs[0].parameters["useinbandfec"] == 0


def test_the_payload_type_is_the_first_codec_of_the_sound() -> None:
    assert payload_type(VOICE) == 111
