"""Every kind of wav a person may have, and what is none."""

import struct
import wave
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ultraandchat.audio.frame import Samples
from ultraandchat.commands.wav import NotWav, read_wav, write_wav

RATE = 16_000
PCM, FLOAT = 1, 3


def tone(rate: int, seconds: float = 0.5, peak: float = 0.5) -> Samples:
    return (peak * np.sin(2 * np.pi * 440 * np.arange(int(rate * seconds)) / rate)).astype("f4")


def riff(body: bytes, *, tag: int, bits: int, rate: int = RATE, channels: int = 1) -> bytes:
    size = bits // 8 * channels
    head = struct.pack("<HHIIHH", tag, channels, rate, rate * size, size, bits)
    chunks = b"WAVEfmt " + struct.pack("<I", len(head)) + head
    chunks += b"data" + struct.pack("<I", len(body)) + body
    return b"RIFF" + struct.pack("<I", len(chunks)) + chunks


def encoded(samples: Samples, tag: int, bits: int) -> bytes:
    if tag == FLOAT:
        return samples.astype("<f4" if bits == 32 else "<f8").tobytes()
    if bits == 8:
        return (samples * 127 + 128).astype("u1").tobytes()
    whole = (samples.astype("f8") * (2 ** (bits - 1) - 1)).astype("<i4")
    return b"".join(struct.pack("<i", int(one))[: bits // 8] for one in whole)


@pytest.mark.parametrize(
    ("tag", "bits"), [(PCM, 8), (PCM, 16), (PCM, 24), (PCM, 32), (FLOAT, 32), (FLOAT, 64)]
)
def test_every_width_gives_the_same_sound(tmp_path: Path, tag: int, bits: int) -> None:
    file = tmp_path / "a.wav"
    file.write_bytes(riff(encoded(tone(RATE), tag, bits), tag=tag, bits=bits))
    read = read_wav(file, RATE)
    assert read.warning == ""
    np.testing.assert_allclose(read.samples, tone(RATE), atol=0.02)


@pytest.mark.parametrize("rate", [8_000, 11_025, 44_100, 48_000])
def test_any_rate_keeps_length_and_level(tmp_path: Path, rate: int) -> None:
    file = tmp_path / "a.wav"
    file.write_bytes(riff(encoded(tone(rate), PCM, 16), tag=PCM, bits=16, rate=rate))
    samples = read_wav(file, RATE).samples
    assert abs(len(samples) - RATE // 2) <= 2
    assert np.sqrt(np.mean(samples**2)) == pytest.approx(0.5 / np.sqrt(2), rel=0.03)


def test_stereo_is_the_mean_of_its_channels(tmp_path: Path) -> None:
    file = tmp_path / "a.wav"
    both = np.repeat(tone(RATE, peak=1.0), 2)
    both[1::2] = 0
    file.write_bytes(riff(encoded(both, PCM, 16), tag=PCM, bits=16, channels=2))
    np.testing.assert_allclose(read_wav(file, RATE).samples, tone(RATE), atol=0.001)


@pytest.mark.parametrize("count", [7, 8, 9, 64])
def test_a_file_of_many_channels_is_read_too(tmp_path: Path, count: int) -> None:
    file = tmp_path / "many.wav"
    many = np.repeat(tone(RATE, 0.1), count)
    file.write_bytes(riff(encoded(many, PCM, 16), tag=PCM, bits=16, channels=count))
    np.testing.assert_allclose(read_wav(file, RATE).samples, tone(RATE, 0.1), atol=1e-3)


def test_two_equal_channels_do_not_clip(tmp_path: Path) -> None:
    file = tmp_path / "a.wav"
    both = np.repeat(tone(RATE, peak=0.99), 2)
    file.write_bytes(riff(encoded(both, PCM, 16), tag=PCM, bits=16, channels=2))
    assert np.max(np.abs(read_wav(file, RATE).samples)) < 1.0


def test_a_truncated_file_is_read_as_far_as_it_goes_with_a_warning(tmp_path: Path) -> None:
    file = tmp_path / "cut.wav"
    whole = riff(encoded(tone(RATE), PCM, 16), tag=PCM, bits=16)
    file.write_bytes(whole[: len(whole) // 2])
    read = read_wav(file, RATE)
    assert 0.2 < len(read.samples) / RATE < 0.3
    assert "cut.wav" in read.warning
    assert "early" in read.warning


def test_a_file_written_to_a_pipe_has_no_warning(tmp_path: Path) -> None:
    file = tmp_path / "a.wav"
    whole = bytearray(riff(encoded(tone(RATE), PCM, 16), tag=PCM, bits=16))
    whole[4:8] = whole[40:44] = b"\xff\xff\xff\xff"
    file.write_bytes(whole)
    assert read_wav(file, RATE).warning == ""


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "no wav file"),
        (b"hello", "no wav file"),
        (b"hello" * 1000, "no wav file"),
        (b"RIFF\x00\x00\x00\x00WAVE", "no wav file"),
        (riff(b"", tag=PCM, bits=16), "no sound"),
        (riff(b"", tag=PCM, bits=16)[:30], "no wav file"),
    ],
)
def test_what_is_no_sound_is_refused_in_one_line(tmp_path: Path, content: bytes, why: str) -> None:
    file = tmp_path / "bad.wav"
    file.write_bytes(content)
    with pytest.raises(NotWav, match=why) as caught:
        read_wav(file, RATE)
    assert "bad.wav" in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotWav, match="No such file"):
        read_wav(tmp_path / "absent.wav", RATE)


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(NotWav, match="directory"):
        read_wav(tmp_path, RATE)


@given(st.binary(max_size=40), st.integers(0, 60))
def test_broken_bytes_are_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, junk: bytes, at: int
) -> None:
    file = tmp_path_factory.getbasetemp() / "broken.wav"
    whole = riff(encoded(tone(RATE, 0.01), PCM, 16), tag=PCM, bits=16)
    file.write_bytes(whole[:at] + junk + whole[at + len(junk) :])
    try:
        samples = read_wav(file, RATE).samples
    except NotWav:
        return
    assert samples.ndim == 1


@pytest.mark.parametrize("rate", [0, 1, 2**31])
def test_a_rate_that_no_sound_has_is_refused(tmp_path: Path, rate: int) -> None:
    file = tmp_path / "a.wav"
    body = bytearray(riff(encoded(tone(RATE), PCM, 16), tag=PCM, bits=16))
    body[24:28] = struct.pack("<I", rate)
    file.write_bytes(body)
    with pytest.raises(NotWav):
        read_wav(file, RATE)


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    pcm = (tone(24_000) * 32767).astype(np.int16)
    write_wav(tmp_path / "out.wav", pcm, 24_000)
    with wave.open(str(tmp_path / "out.wav")) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 24_000)
        assert np.array_equal(np.frombuffer(file.readframes(file.getnframes()), "<i2"), pcm)
