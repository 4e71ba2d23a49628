"""What `transport/rtp/opus.py` promises of every Opus, as tests. Each library runs all of them.

Levels and correlations are compared, never samples: an Opus decoder of another version rounds otherwise.
"""

import gc
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.opus_senders import dtx, payloads, speech_48k, tone
from tests.support.speech import noise
from ultraandchat.audio.frame import Samples
from ultraandchat.transport.rtp.opus import Opus, OpusError, duration

FRAME_16K = 320
JUNK = st.binary(max_size=1500) | st.builds(
    lambda toc, rest: bytes([toc]) + rest, st.integers(0, 255), st.binary(max_size=200)
)


def rms(samples: Samples) -> float:
    return float(np.sqrt(np.mean(np.square(samples, dtype=np.float64))))


def decibels(ratio: float) -> float:
    return float(20 * np.log10(max(ratio, 1e-9)))


def tone_to_rest_db(samples: Samples, hz: float, rate: int) -> float:
    """How far a sine of `hz`, of whatever phase and level, stands above all else."""
    angle = 2 * np.pi * hz * np.arange(len(samples)) / rate
    basis = np.stack([np.sin(angle), np.cos(angle)], axis=1)
    weights, *_ = np.linalg.lstsq(basis, samples.astype(np.float64), rcond=None)
    fitted = basis @ weights
    return decibels(rms(fitted) / rms(samples - fitted))


def likeness(a: Samples, b: Samples) -> float:
    """Correlation, 1 for the same sound at any level."""
    return float(np.dot(a, b) / (np.linalg.norm(a) * np.linalg.norm(b) + 1e-9))


def all_of(opus: Opus, packets: list[bytes], rate: int = 16_000) -> Samples:
    decoder = opus.decoder(rate)
    return np.concatenate([decoder.decode(packet) for packet in packets])


def encoded(opus: Opus, samples: Samples, *, fec: bool = True) -> list[bytes]:
    encoder = opus.encoder(bitrate=32_000, complexity=2, fec=fec)
    return [encoder.encode(frame) for frame in samples.reshape(-1, 960)]


class DecoderContract:
    """Every decoder."""

    lives = 2000
    """How many are made and let go."""

    @pytest.mark.parametrize("application", ["voip", "audio", "lowdelay"])
    def test_a_tone_goes_in_and_comes_out(self, opus: Opus, application: str) -> None:
        sent = tone(440, 1.0)
        heard = all_of(opus, payloads(sent, application=application))[3200:]
        assert abs(decibels(rms(heard) / rms(sent))) < 1.0
        assert tone_to_rest_db(heard, 440, 16_000) > 15

    @pytest.mark.parametrize("stereo", [False, True])
    @pytest.mark.parametrize("frame_ms", [10, 20, 40, 60])
    def test_every_frame_length_comes_out_whole(
        self, opus: Opus, frame_ms: int, stereo: bool
    ) -> None:
        sent = tone(300, 0.6)
        packets = payloads(sent, right=sent if stereo else None, frame_ms=frame_ms)
        for rate in (16_000, 48_000):
            decoder = opus.decoder(rate)
            assert {len(decoder.decode(one)) for one in packets} == {frame_ms * rate // 1000}
            assert {duration(one, rate) for one in packets} == {frame_ms * rate // 1000}

    def test_stereo_is_mixed_down(self, opus: Opus) -> None:
        sent = tone(440, 1.0)
        one_side = payloads(sent, right=np.zeros_like(sent), bitrate=96_000)
        heard = all_of(opus, one_side)[3200:]
        assert decibels(rms(heard) / rms(sent)) == pytest.approx(-6, abs=1)
        assert tone_to_rest_db(heard, 440, 16_000) > 15

    def test_a_pause_of_dtx_is_a_quiet_one_of_the_same_length(self, opus: Opus) -> None:
        words = speech_48k("lj001_0002")
        hum = noise("pink", 96_000, seed=3) * np.float32(1e-3)
        pause = len(words) // 960
        packets = dtx(payloads(np.concatenate([words, hum])), quiet_from=pause)
        assert [len(packet) for packet in packets].count(1) > 70
        heard = all_of(opus, packets)
        assert len(heard) == len(packets) * FRAME_16K
        assert -90 < decibels(rms(heard[(pause + 10) * FRAME_16K :])) < -50

    def test_a_change_of_the_senders_mind_is_heard_through(self, opus: Opus) -> None:
        sent = tone(440, 0.6)
        packets = [
            *payloads(sent, application="lowdelay"),
            *payloads(sent, right=sent, frame_ms=60),
            *payloads(sent, application="audio", frame_ms=10, bitrate=96_000),
        ]
        heard = all_of(opus, packets)
        assert len(heard) == 3 * 9600
        for part in heard.reshape(3, 9600):
            assert tone_to_rest_db(part[4800:], 440, 16_000) > 10

    def test_concealment_keeps_the_level_and_then_dies_away(self, opus: Opus) -> None:
        decoder = opus.decoder()
        for packet in payloads(tone(200, 0.6)):
            before = rms(decoder.decode(packet))
        levels = [rms(decoder.conceal(FRAME_16K)) for _ in range(25)]
        assert decibels(levels[0] / before) > -4
        assert max(levels) < before * 1.1
        assert decibels(levels[-1] / before) < -20

    @pytest.mark.parametrize("samples", [0, 1, 39, 40, 137, 320, 1920, 1921, 5000])
    def test_concealment_is_as_long_as_the_gap(self, opus: Opus, samples: int) -> None:
        decoder = opus.decoder()
        packet = payloads(tone(200, 0.1))[-1]
        assert len(decoder.conceal(samples)) == samples
        decoder.decode(packet)
        assert len(decoder.conceal(samples)) == samples
        assert len(decoder.recover(packet, samples)) == samples
        assert len(decoder.decode(packet)) == FRAME_16K

    def test_nothing_heard_yet_conceals_to_silence(self, opus: Opus) -> None:
        assert rms(opus.decoder().conceal(FRAME_16K)) == 0

    def test_sound_goes_on_after_a_gap(self, opus: Opus) -> None:
        decoder = opus.decoder()
        packets = payloads(tone(440, 1.0))
        for packet in packets[:20]:
            decoder.decode(packet)
        decoder.conceal(3 * FRAME_16K)
        heard = np.concatenate([decoder.decode(packet) for packet in packets[23:]])
        assert tone_to_rest_db(heard[1600:], 440, 16_000) > 15

    def test_an_empty_payload_is_no_opus(self, opus: Opus) -> None:
        decoder = opus.decoder()
        with pytest.raises(OpusError):
            decoder.decode(b"")
        with pytest.raises(OpusError):
            decoder.recover(b"", FRAME_16K)

    def test_a_decoder_lives_on_after_junk(self, opus: Opus) -> None:
        decoder = opus.decoder()
        packets = payloads(tone(440, 1.0))
        for packet in packets[:10]:
            decoder.decode(packet)
        for junk in (b"\xff", b"\x03\x00", b"\x01a", b"\x4b\xff\xff\xff", b"\x0f" * 40):
            with pytest.raises(OpusError):
                decoder.decode(junk)
        heard = np.concatenate([decoder.decode(packet) for packet in packets[10:]])
        assert tone_to_rest_db(heard[1600:], 440, 16_000) > 15

    def test_any_bytes_are_refused_or_give_finite_sound_of_their_length(self, opus: Opus) -> None:
        decoder = opus.decoder()

        @settings(max_examples=150, deadline=None)
        @given(payload=JUNK, lost=st.integers(0, 2000))
        def holds(payload: bytes, lost: int) -> None:
            try:
                before = decoder.recover(payload, lost)
                heard = decoder.decode(payload)
            except OpusError:
                return
            assert len(before) == lost
            assert len(heard) == duration(payload, 16_000) <= 1920
            for sound in (before, heard):
                assert np.isfinite(sound).all()
                assert not len(sound) or np.abs(sound).max() <= 1

        holds()

    def test_two_decoders_know_nothing_of_each_other(self, opus: Opus) -> None:
        low, high = payloads(tone(300, 0.5)), payloads(speech_48k("yes")[: 25 * 960])
        one, other = opus.decoder(), opus.decoder()
        pairs = [(one.decode(a), other.decode(b)) for a, b in zip(low, high, strict=True)]
        np.testing.assert_array_equal(np.concatenate([a for a, _ in pairs]), all_of(opus, low))
        np.testing.assert_array_equal(np.concatenate([b for _, b in pairs]), all_of(opus, high))

    def test_what_was_handed_out_is_never_written_over(self, opus: Opus) -> None:
        decoder = opus.decoder()
        packets = payloads(tone(300, 0.2))
        first = decoder.decode(packets[5])
        kept = first.copy()
        decoder.decode(packets[6])
        decoder.conceal(FRAME_16K)
        np.testing.assert_array_equal(first, kept)

    def test_a_decoder_that_was_reset_is_as_new(self, opus: Opus) -> None:
        packets = payloads(tone(300, 0.2))
        decoder = opus.decoder()
        for packet in packets:
            decoder.decode(packet)
        decoder.conceal(FRAME_16K)
        decoder.reset()
        again = np.concatenate([decoder.decode(packet) for packet in packets])
        np.testing.assert_array_equal(again, all_of(opus, packets))

    @pytest.mark.skipif(sys.platform != "linux", reason="reads /proc/self/statm")
    def test_what_is_let_go_is_freed(self, opus: Opus) -> None:
        packet, frame = payloads(tone(300, 0.1))[-1], tone(300, 0.02)

        def use(times: int) -> None:
            for _ in range(times):
                opus.decoder().decode(packet)
                opus.encoder(bitrate=32_000, complexity=0, fec=True).encode(frame)

        use(50)
        gc.collect()
        before = resident_bytes()
        use(self.lives)
        gc.collect()
        # Unfreed, a decoder is 18 kB and an encoder 24 kB.
        assert resident_bytes() - before < self.lives * 10_000


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


class EncoderContract:
    """Every encoder, heard through its own decoder."""

    @pytest.mark.parametrize("fec", [False, True])
    def test_a_tone_survives_the_way_there_and_back(self, opus: Opus, fec: bool) -> None:
        sent = tone(440, 1.0)
        packets = encoded(opus, sent, fec=fec)
        assert {duration(packet, 48_000) for packet in packets} == {960}
        heard = all_of(opus, packets)[3200:]
        assert abs(decibels(rms(heard) / rms(sent))) < 1.0
        assert tone_to_rest_db(heard, 440, 16_000) > 15

    @pytest.mark.parametrize("fec", [False, True])
    def test_the_lookahead_is_what_it_says(self, opus: Opus, fec: bool) -> None:
        sent = speech_48k("lj001_0002")
        encoder = opus.encoder(bitrate=64_000, complexity=5, fec=fec)
        packets = [encoder.encode(frame) for frame in sent.reshape(-1, 960)]
        heard = all_of(opus, packets, rate=48_000)
        spectrum = np.fft.rfft(heard) * np.conj(np.fft.rfft(sent))
        late = int(np.argmax(np.fft.irfft(spectrum, len(sent))[:2000]))
        assert late == pytest.approx(encoder.lookahead, abs=24)
        assert encoder.lookahead <= 312

    def test_the_bitrate_is_kept(self, opus: Opus) -> None:
        sent = speech_48k("jfk")
        for bitrate in (24_000, 32_000):
            encoder = opus.encoder(bitrate=bitrate, complexity=2, fec=True)
            size = sum(len(encoder.encode(frame)) for frame in sent.reshape(-1, 960))
            assert size * 8 / (len(sent) / 48_000) == pytest.approx(bitrate, rel=0.25)

    def test_silence_is_encoded_too(self, opus: Opus) -> None:
        packets = encoded(opus, np.zeros(48_000, np.float32))
        assert min(len(packet) for packet in packets) > 2
        assert rms(all_of(opus, packets)) < 1e-3

    def test_sound_beyond_full_scale_and_no_numbers_do_no_harm(self, opus: Opus) -> None:
        encoder = opus.encoder(bitrate=32_000, complexity=2, fec=True)
        for value in (np.nan, np.inf, 1e9, -3.0):
            packet = encoder.encode(np.full(960, value, np.float32))
            assert duration(packet, 48_000) == 960
        after = [encoder.encode(frame) for frame in tone(440, 1.0).reshape(-1, 960)]
        assert tone_to_rest_db(all_of(opus, after)[4800:], 440, 16_000) > 15

    @pytest.mark.parametrize("length", [0, 1, 959, 961, 1920])
    def test_another_length_is_refused(self, opus: Opus, length: int) -> None:
        encoder = opus.encoder(bitrate=32_000, complexity=2, fec=True)
        with pytest.raises(ValueError, match="960 samples"):
            encoder.encode(np.zeros(length, np.float32))

    def test_any_report_is_survived(self, opus: Opus) -> None:
        encoder = opus.encoder(bitrate=32_000, complexity=2, fec=True)
        for bitrate, loss_percent in ((0, 255), (10**9, -1), (24_000, 5)):
            encoder.adapt(bitrate=bitrate, loss_percent=loss_percent)
            assert duration(encoder.encode(tone(440, 0.02)), 48_000) == 960

    def test_an_encoder_that_was_reset_is_as_new(self, opus: Opus) -> None:
        frames = speech_48k("yes").reshape(-1, 960)
        encoder = opus.encoder(bitrate=32_000, complexity=2, fec=True)
        first = [encoder.encode(frame) for frame in frames]
        encoder.reset()
        assert [encoder.encode(frame) for frame in frames] == first


class OpusContract(DecoderContract, EncoderContract):
    """All that holds of every library. A suite is a subclass with a fixture `opus`."""
