"""What a real Chromium sent (tests/data/rtp), as it came and over bad networks made from it."""

import base64
import json
from pathlib import Path

import numpy as np
import pytest

from tests.support.link import Arrival, Link, with_ticks
from ultraandchat.audio.frame import AudioFrame, Samples
from ultraandchat.events import Quality
from ultraandchat.transport.rtp.opus import find_opus
from ultraandchat.transport.rtp.receiver import RtpReceiver

TRACES = Path(__file__).parent.parent.parent / "data" / "rtp"
NAMES = tuple(sorted(path.stem for path in TRACES.glob("*.jsonl")))
UNBROKEN = tuple(name for name in NAMES if name != "chromium_dtx")
"""Of senders that never fall silent: with the other, a packet that is late is late behind silence told."""
UNTIL = 5.2
"""All traces end before."""

SPOKEN_S = (3.0, 3.35)
"""From the first to the last loud sound of the sentence, by tests/data/speech/bounds.json and a frame."""


def trace(name: str) -> list[Arrival]:
    lines = (TRACES / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()[1:]
    rows = map(json.loads, lines)
    return [Arrival(ms / 1000 + 0.001, base64.b64decode(data)) for ms, data in rows]


def listen(
    arrivals: list[Arrival], until: float = UNTIL
) -> tuple[list[tuple[float, AudioFrame]], Quality]:
    receiver = RtpReceiver(find_opus().decoder(), payload_type=111)
    heard = []
    for now, data in with_ticks(arrivals, until):
        frames = receiver.tick(now) if data is None else receiver.take(data, now)
        heard += [(now, frame) for frame in frames]
    assert not receiver.refusals
    return heard, receiver.quality(until)


def sound(heard: list[tuple[float, AudioFrame]]) -> Samples:
    return np.concatenate([frame.samples for _, frame in heard])


def loud_s(heard: list[tuple[float, AudioFrame]]) -> float:
    """From the first to the last 20 ms that are louder than −40 dB of the loudest."""
    made = sound(heard)
    power = np.mean(made[: len(made) // 320 * 320].reshape(-1, 320) ** 2, axis=1)
    loud = np.flatnonzero(power > power.max() * 1e-4)
    return float(loud[-1] - loud[0] + 1) * 0.02


@pytest.mark.parametrize("name", NAMES)
def test_every_packet_is_heard_at_once_and_the_sentence_has_its_length(name: str) -> None:
    arrivals = trace(name)
    heard, quality = listen(arrivals)
    assert quality.received == len(arrivals)
    assert quality.lost == quality.late == quality.refused == quality.concealed_s == 0
    assert {arrival.at for arrival in arrivals} <= {now for now, _ in heard}
    assert SPOKEN_S[0] <= loud_s(heard) <= SPOKEN_S[1]


@pytest.mark.parametrize("name", NAMES)
def test_media_time_goes_on_in_step_with_the_clock(name: str) -> None:
    """Whatever the packets' length, and while a sender with DTX sends nothing for 400 ms."""
    heard, _ = listen(trace(name))
    ahead = [frame.end / 16_000 - now for now, frame in heard]
    assert max(ahead) - min(ahead) < 0.085  # a packet of 60 ms and a tick


def test_silence_of_dtx_is_told_before_the_next_packet_comes() -> None:
    arrivals = trace("chromium_dtx")
    heard, _ = listen(arrivals)
    instants = [now for now, _ in heard]
    assert max(np.diff([arrival.at for arrival in arrivals])) > 0.39
    assert max(np.diff(instants)) < 0.061


def bad(name: str, link: Link) -> list[Arrival]:
    """The trace over this link too."""
    return link.carry([(arrival.at, arrival.data) for arrival in trace(name)])


@pytest.mark.parametrize("name", UNBROKEN)
def test_a_stall_of_wifi_changes_no_sample(name: str) -> None:
    smooth, _ = listen(trace(name))
    stalled, quality = listen(bad(name, Link(seed=1, stalls=((1.2, 2.9), (3.5, 3.9)))))
    assert np.array_equal(sound(stalled), sound(smooth))
    assert quality.lost == 0


@pytest.mark.parametrize("name", UNBROKEN)
def test_packets_that_change_places_change_no_sample(name: str) -> None:
    smooth, _ = listen(trace(name))
    jumbled, quality = listen(bad(name, Link(seed=2, jitter_s=0.025, twice=0.05)))
    assert np.array_equal(sound(jumbled), sound(smooth))
    assert quality.lost == 0


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("loss", [0.02, 0.1])
def test_loss_keeps_the_length_of_the_sentence(name: str, loss: float) -> None:
    heard, quality = listen(bad(name, Link(seed=3, loss=loss, jitter_s=0.010)))
    assert quality.lost > 0
    assert SPOKEN_S[0] - 0.06 <= loud_s(heard) <= SPOKEN_S[1] + 0.06
