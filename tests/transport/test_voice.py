"""The agent's voice in either codec: what silence sends, and that the caller's decoder stays in step."""

import numpy as np
import pytest

from tests.support.opus_senders import speech_48k, tone
from ultraandchat.audio.frame import PLAYOUT_RATE, AudioFrame, Samples
from ultraandchat.transport.rtp.av_opus import AvOpus
from ultraandchat.transport.rtp.libopus import Libopus
from ultraandchat.transport.rtp.opus import Opus, OpusDecoder
from ultraandchat.transport.voice import Coding, OpusVoice, PcmVoice, Voice
from ultraandchat.transport.wire import HEADER

FRAME = 960
WORDS = speech_48k("jfk")[: 100 * FRAME]
OPUS = next(Libopus.found())


def opus_voice(opus: Opus = OPUS) -> OpusVoice:
    return OpusVoice(Coding(opus, bitrate=32_000, complexity=2))


def spoken(voice: Voice, samples: Samples, start: int = 0) -> list[bytes]:
    frames = [
        AudioFrame(samples[at : at + FRAME], PLAYOUT_RATE, start + at)
        for at in range(0, len(samples), FRAME)
    ]
    return [data for frame in frames for data in voice.sound(frame)]


def hushed(voice: Voice, frames: int, start: int) -> list[bytes]:
    return [data for n in range(frames) for data in voice.silence(start + n * FRAME)]


def heard(decoder: OpusDecoder, packets: list[bytes]) -> Samples:
    return np.concatenate([decoder.decode(data[HEADER.size :]) for data in packets])


@pytest.mark.parametrize("voice", [PcmVoice(), opus_voice(), opus_voice(AvOpus())])
def test_lasting_silence_sends_nothing(voice: Voice) -> None:
    assert hushed(voice, 5, 0) == []
    spoken(voice, WORDS[: 5 * FRAME], 5 * FRAME)
    assert len(hushed(voice, 50, 10 * FRAME)) <= 2


@pytest.mark.parametrize("opus", [OPUS, AvOpus()])
def test_each_frame_is_one_packet_at_its_place(opus: Opus) -> None:
    packets = spoken(opus_voice(opus), WORDS, 48_000)
    headers = [HEADER.unpack_from(data) for data in packets]
    assert headers == [(1, 3, 0, 48_000 + n * FRAME) for n in range(100)]
    assert sum(map(len, packets)) < PLAYOUT_RATE * 2 / 10  # a fifth of PCM16 at 24 kHz


def test_the_end_of_the_sound_comes_with_the_silence() -> None:
    """The encoder holds its look-ahead back: a click at the very end must be heard."""
    voice = opus_voice()
    samples = np.zeros(10 * FRAME, np.float32)
    samples[-60:] = 0.9
    packets = spoken(voice, samples) + hushed(voice, 3, len(samples))
    sound = heard(OPUS.decoder(PLAYOUT_RATE), packets)
    assert np.argmax(np.abs(sound)) >= len(samples)


def test_after_a_silence_the_decoder_hears_what_a_fresh_one_hears() -> None:
    voice, decoder = opus_voice(), OPUS.decoder(PLAYOUT_RATE)
    heard(decoder, spoken(voice, tone(3_000, 0.4)) + hushed(voice, 5, 20 * FRAME))
    again = spoken(voice, WORDS, 48_000)
    kept, fresh = heard(decoder, again), heard(OPUS.decoder(PLAYOUT_RATE), again)
    np.testing.assert_allclose(kept, fresh, atol=2 / 32_768)


def test_a_pause_of_one_frame_is_no_new_beginning() -> None:
    """Neither end forgets: what is decoded is one stream, as if the pause had been encoded sound."""
    voice = opus_voice()
    packets = spoken(voice, WORDS[: 50 * FRAME])
    packets += voice.silence(50 * FRAME)
    packets += spoken(voice, WORDS[50 * FRAME :], 51 * FRAME)
    hush = np.zeros(FRAME, np.float32)
    whole = np.concatenate([WORDS[: 50 * FRAME], hush, WORDS[50 * FRAME :]])
    assert packets == spoken(opus_voice(), whole)


def test_behind_a_flush_both_ends_begin_anew() -> None:
    voice = opus_voice()
    spoken(voice, tone(3_000, 0.4))
    voice.drop()
    assert spoken(voice, WORDS, 48_000) == spoken(opus_voice(), WORDS, 48_000)
    voice.drop()
    assert hushed(voice, 3, 0) == []


def test_a_voice_begins_and_ends_without_a_click() -> None:
    """No sample is further from its neighbour than in the sound that went in, by half."""
    voice, decoder = opus_voice(), OPUS.decoder(PLAYOUT_RATE)
    sound: list[Samples] = []
    for turn in range(4):
        start = turn * 96_000
        packets = spoken(voice, tone(440, 0.4), start) + hushed(voice, 5, start + 20 * FRAME)
        sound += [heard(decoder, packets), np.zeros(FRAME, np.float32)]
    steps = np.abs(np.diff(np.concatenate(sound)))
    assert steps.max() < 1.5 * 0.5 * 2 * np.pi * 440 / PLAYOUT_RATE
