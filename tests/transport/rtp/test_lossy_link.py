"""Real speech over a bad network in virtual time: what is heard beside what was sent."""

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.support.link import Arrival, Link, with_ticks
from tests.support.rtp import (
    CONCEALED,
    RECOVERED,
    SILENT,
    PlainDecoder,
    number,
    packet,
    plain_stream,
)
from tests.support.speech import clip
from ultraandchat.audio.frame import HEARING_RATE, WINDOW, AudioFrame, Samples
from ultraandchat.audio.level import DcFilter
from ultraandchat.audio.resample import Resampler
from ultraandchat.audio.windows import Windows
from ultraandchat.engines.silero import Silero
from ultraandchat.engines.webrtc_vad import WebRtcVad
from ultraandchat.events import Quality
from ultraandchat.transport.rtp.opus import OpusDecoder, find_opus
from ultraandchat.transport.rtp.packet import build, parse
from ultraandchat.transport.rtp.receiver import RtpReceiver
from ultraandchat.turn.activity import Activity
from ultraandchat.turn.events import TurnEnded, TurnEvent
from ultraandchat.turn.policy import TurnPolicy
from ultraandchat.turn.taking import TurnTaking

FRAME = 320
NETWORKS = [(loss, jitter) for loss in (0, 1, 5, 10) for jitter in (0, 20, 50, 100)]


def listen(
    arrivals: list[Arrival], decoder: OpusDecoder, *, until: float
) -> tuple[list[tuple[float, AudioFrame]], Quality]:
    """What comes out and when, with the server's ticks in between."""
    receiver = RtpReceiver(decoder, payload_type=111)
    heard: list[tuple[float, AudioFrame]] = []
    for now, data in with_ticks(arrivals, until):
        frames = receiver.tick(now) if data is None else receiver.take(data, now)
        heard += [(now, frame) for frame in frames]
    return heard, receiver.quality(until)


def extent(arrivals: list[Arrival]) -> tuple[int, int, int]:
    """The first packet that arrived, the last of the stream, and how many there were."""
    numbers = [number(parse(arrival.data)) for arrival in arrivals]
    return numbers[0], max(numbers), len(numbers)


def joined(heard: list[tuple[float, AudioFrame]]) -> NDArray[np.float32]:
    """As rows of 20 ms."""
    return np.concatenate([frame.samples for _, frame in heard]).reshape(-1, FRAME)


@pytest.mark.parametrize(("loss", "jitter_ms"), NETWORKS)
def test_every_frame_is_what_was_sent_or_is_filled_in_its_place(loss: int, jitter_ms: int) -> None:
    speech = clip("jfk")
    link = Link(seed=1, loss=loss / 100, jitter_s=jitter_ms / 1000)
    arrivals = link.carry(plain_stream(speech))
    first, last, came = extent(arrivals)
    heard, quality = listen(arrivals, PlainDecoder(), until=12)
    sound = joined(heard)
    sent = speech[first * FRAME : (last + 1) * FRAME].reshape(-1, FRAME)

    assert sound.shape == sent.shape
    filled = np.isin(sound, (CONCEALED, RECOVERED)).all(axis=1)
    assert np.array_equal(sound[~filled], sent[~filled])
    missing = last - first + 1 - came
    assert np.count_nonzero(filled) == quality.lost == missing + quality.late
    assert quality.late <= 0.01 * came  # as the wait follows the jitter, nearly all are heard
    if jitter_ms <= 20:
        assert quality.late == 0


@pytest.mark.parametrize(("loss", "jitter_ms"), NETWORKS)
def test_speech_through_opus_stays_in_its_place(loss: int, jitter_ms: int) -> None:
    opus = find_opus()
    payloads = encoded(clip("jfk"), loss)
    decoder = opus.decoder()
    undisturbed = np.concatenate([decoder.decode(payload) for payload in payloads])
    sent = [(0.02 * n, build(packet(n, payload=payload))) for n, payload in enumerate(payloads)]
    arrivals = Link(seed=1, loss=loss / 100, jitter_s=jitter_ms / 1000).carry(sent)
    first, last, _ = extent(arrivals)
    heard, quality = listen(arrivals, opus.decoder(), until=12)
    sound = joined(heard)
    truth = undisturbed[first * FRAME : (last + 1) * FRAME].reshape(-1, FRAME)

    assert sound.shape == truth.shape
    if not quality.lost:
        assert np.array_equal(sound, truth)
    # A decoder remembers a loss for a while, so frames after it differ a little; a frame out of its
    # place would leave nothing of this.
    error = np.sum((sound - truth) ** 2) / np.sum(truth**2)
    assert error < 0.3


def encoded(speech: Samples, loss: int) -> list[bytes]:
    """Speech at 16 kHz as payloads of 20 ms, by an encoder that was told of the loss."""
    frames = Resampler(HEARING_RATE, 48_000).feed(AudioFrame(speech, HEARING_RATE, 0))
    sound = np.concatenate([frame.samples for frame in frames])
    encoder = find_opus().encoder(bitrate=24_000, complexity=5, fec=True)
    encoder.adapt(bitrate=24_000, loss_percent=loss)
    return [encoder.encode(sound[at : at + 960]) for at in range(0, len(sound) - 959, 960)]


# --- what turn-taking makes of it -----------------------------------------------------------------------


def turns(heard: list[tuple[float, AudioFrame]]) -> list[tuple[float, TurnEvent]]:
    """The real detectors and the real turn machine, on what came out of the receiver."""
    policy = TurnPolicy(endpoint_ms=192)
    activity = Activity(policy, WebRtcVad().open(), Silero().open())
    machine, level, windows = TurnTaking(policy), DcFilter(HEARING_RATE), Windows(WINDOW)
    events: list[tuple[float, TurnEvent]] = []
    for now, frame in heard:
        for window in windows.feed(frame):
            clean = AudioFrame(level.feed(window.samples), window.rate, window.position)
            caused = machine.hear(clean, activity.hear(clean.samples), now)
            events += [(now, event) for event in caused]
    return events


def question() -> Samples:
    """A sentence without a pause of 192 ms, and two seconds of quiet."""
    return np.concatenate([clip("cards_005"), np.zeros(2 * HEARING_RATE, np.float32)])


def test_a_burst_after_a_stall_ends_no_turn() -> None:
    stream = plain_stream(question())
    smooth, _ = listen(Link(seed=1).carry(stream), PlainDecoder(), until=6)
    stalled_link = Link(seed=1, stalls=((1.0, 3.0),))
    stalled, _ = listen(stalled_link.carry(stream), PlainDecoder(), until=6)
    smooth_events, stalled_events = turns(smooth), turns(stalled)
    assert any(isinstance(event, TurnEnded) for _, event in smooth_events)
    assert [type(event) for _, event in stalled_events] == [
        type(event) for _, event in smooth_events
    ]


def test_the_end_of_a_turn_does_not_wait_for_the_next_packet_of_a_silent_sender() -> None:
    speech = question()
    said = len(clip("cards_005")) // FRAME
    stream = plain_stream(speech)
    # The sender falls silent: one packet says so, and the next sign of life is 400 ms later.
    quiet = [
        (0.02 * (said + at), build(packet(said + n, payload=SILENT, shift=(at - n) * 960)))
        for n, at in enumerate(range(0, 80, 20))
    ]
    heard, _ = listen(Link(seed=1).carry(stream[:said] + quiet), PlainDecoder(), until=6)
    smooth, _ = listen(Link(seed=1).carry(stream), PlainDecoder(), until=6)
    ended = [now for now, event in turns(heard) if isinstance(event, TurnEnded)]
    smoothly = [now for now, event in turns(smooth) if isinstance(event, TurnEnded)]
    assert len(ended) == len(smoothly) == 1
    assert ended[0] - smoothly[0] < 0.061  # a wait of 20 ms, a tick, and a window's rounding
