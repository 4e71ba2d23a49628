"""Which clips can be a voice, what each of the others is told, and that no file makes us open another one."""

import asyncio
import contextlib
import wave
from collections.abc import AsyncIterator
from io import BytesIO
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.support.clips import RATE, READING, at, encoded, silence
from tests.support.speech import CLIPS, SPEECH, clip
from ultraandchat.engines.chatterbox.clips import UnfitClip, check, clipped, read, wav

LONG = ["jfk", "libri_198", "libri_2412_0", "librivox_0870", "lj001_0001", "lj001_0004"]
NOISE = np.random.default_rng(1).normal(0, 0.1, 10 * RATE).astype(np.float32)
TONE = np.sin(np.arange(10 * RATE) * 2 * np.pi * 440 / RATE).astype(np.float32) * 0.3
FORMATS = [
    ("wav", "pcm_s16le", 44_100),
    ("wav", "pcm_s24le", 48_000),
    ("wav", "pcm_f32le", 16_000),
    ("wav", "pcm_u8", 16_000),
    ("wav", "pcm_alaw", 8_000),
    ("wav", "pcm_s16le", 192_000),
    ("flac", "flac", 48_000),
    ("mp3", "mp3", 44_100),
    ("ogg", "libopus", 48_000),
    ("ipod", "aac", 44_100),
    ("ipod", "alac", 44_100),
]


def told(source: bytes | Path) -> str:
    with pytest.raises(UnfitClip) as unfit:
        check(source)
    return unfit.value.reason


@pytest.mark.parametrize("name", LONG)
def test_a_reading_of_more_than_five_seconds_can_be_a_voice(name: str) -> None:
    found = check(SPEECH / f"{name}.wav")
    assert found.rate == RATE
    assert 5 < found.seconds <= len(clip(name)) / RATE
    assert found.remark == ""


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize(("format", "codec", "rate"), FORMATS)
def test_it_is_the_same_clip_in_every_format(
    format: str, codec: str, rate: int, channels: int
) -> None:
    found = check(encoded(at(rate, READING), rate, format, codec, channels))
    assert found.rate == rate
    assert found.seconds == pytest.approx(check(encoded(READING)).seconds, abs=0.1)
    loud = float(np.sqrt(np.mean(found.samples**2)))
    assert loud == pytest.approx(float(np.sqrt(np.mean(READING**2))), rel=0.1)


def test_six_channels_are_mixed_to_one() -> None:
    samples, rate = read(encoded(READING, format="flac", codec="flac", channels=6))
    assert rate == RATE
    assert samples.shape == READING.shape
    assert np.abs(samples - READING).max() < 0.001


def test_a_telephone_recording_can_be_used_and_is_said_to_be_dull() -> None:
    found = check(encoded(at(8_000, READING), 8_000, channels=2))
    assert found.remark == "It was recorded at 8 kHz, so this voice sounds dull."


def test_silence_around_the_words_is_not_kept() -> None:
    around = np.concatenate([silence(20), READING, silence(20)])
    found = check(encoded(around))
    assert found.seconds == pytest.approx(11, abs=0.3)


def test_of_a_long_reading_half_a_minute_is_kept() -> None:
    assert check(encoded(np.tile(READING, 5))).seconds == 30.0


@pytest.mark.parametrize(
    ("samples", "sentence"),
    [
        (silence(8), "it is silent"),
        (READING * 0.0005, "it is silent"),
        (READING * 0.005, "it is too quiet: its peaks are at -48 dBFS, not above −40"),
        (
            READING[8_000:11_200],
            "it is too short: 0.2 s of speech, and more than 5 s are needed",
        ),
        (
            np.concatenate([READING[: 2 * RATE], silence(20), READING[: 2 * RATE]]),
            "it is mostly silence: too little of it is speech",
        ),
        (
            np.concatenate([silence(4), READING[: 3 * RATE], silence(4)]),
            "it is too short: 2.3 s of speech, and more than 5 s are needed",
        ),
        (np.tile(READING, 55), "it is longer than 5 minutes"),
        (
            np.clip(READING * 8, -1, 1),
            "it is clipped: it was recorded too loud, so its peaks are cut off",
        ),
        (NOISE, "nobody is heard to speak in it"),
        (TONE, "nobody is heard to speak in it"),
    ],
    ids=["silent", "faint", "quiet", "short", "gaps", "little", "long", "clipped", "noise", "tone"],
)
def test_a_clip_that_cannot_serve_is_told_why(samples: np.ndarray, sentence: str) -> None:
    assert told(encoded(samples.astype(np.float32))) == sentence


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_that_are_no_sound_are_refused(value: float) -> None:
    broken = READING.copy()
    broken[5_000] = value
    assert "NaN" in told(encoded(broken, codec="pcm_f32le"))


@pytest.mark.parametrize("gain", [5.0, 1e30])
def test_floats_beyond_full_scale_are_only_loud(gain: float) -> None:
    found = check(encoded(READING * np.float32(gain), codec="pcm_f32le"))
    with wave.open(BytesIO(wav(found))) as kept:
        samples = np.frombuffer(kept.readframes(kept.getnframes()), np.int16)
    assert np.abs(samples).max() == pytest.approx(32767 * 10 ** (-3 / 20), abs=2)


@pytest.mark.parametrize("name", CLIPS)
def test_recorded_speech_is_not_taken_for_clipped(name: str) -> None:
    assert clipped(clip(name)) < 0.0001


@pytest.mark.parametrize(
    ("format", "codec"), [("wav", "pcm_s16le"), ("flac", "flac"), ("ipod", "aac")]
)
@pytest.mark.parametrize("share", [0.2, 0.6, 0.85])
def test_a_file_that_was_cut_off_says_so(format: str, codec: str, share: float) -> None:
    whole = encoded(READING, format=format, codec=codec)
    assert told(whole[: int(len(whole) * share)]).startswith("the file is damaged or was cut off")


@pytest.mark.parametrize(("format", "codec"), [("mp3", "mp3"), ("ogg", "libopus")])
def test_of_formats_made_for_radio_what_is_there_is_used(format: str, codec: str) -> None:
    rate = 48_000
    whole = encoded(at(rate, READING), rate, format, codec)
    assert check(whole[: len(whole) * 7 // 10]).seconds < 8


def test_a_head_written_before_the_length_was_known_is_no_fault() -> None:
    whole = bytearray(encoded(READING))
    data = whole.index(b"data")
    whole[4:8] = whole[data + 4 : data + 8] = b"\xff" * 4
    assert check(bytes(whole)).seconds > 10


@pytest.mark.parametrize(
    "data",
    [b"", b"R", b"hello world, this is no sound", b"\x89PNG\r\n\x1a\n" + bytes(64), bytes(99)],
)
def test_what_is_no_audio_is_told_so(data: bytes) -> None:
    assert told(data).startswith("this is no sound file that can be read; WAV, FLAC")


def test_a_coding_that_is_not_on_our_list_is_refused() -> None:
    assert told(encoded(READING, codec="adpcm_ima_wav")).startswith("sound of this kind (adpcm_ima")


def test_of_a_film_the_sound_is_read_and_the_pictures_are_not() -> None:
    file = BytesIO()
    with av.open(file, "w", format="mp4") as film:
        pictures = film.add_stream("mpeg4", rate=5, width=64, height=64)
        sound = film.add_stream("aac", rate=RATE, layout="mono")
        for number in range(55):
            picture = av.VideoFrame.from_ndarray(np.full((64, 64, 3), number, np.uint8), "rgb24")
            picture.pts = number
            film.mux(pictures.encode(picture))
        for at in range(0, len(READING), 1024):
            part = np.ascontiguousarray(READING[at : at + 1024].reshape(1, -1))
            frame = av.AudioFrame.from_ndarray(part, "fltp", "mono")
            frame.sample_rate, frame.pts = RATE, at
            film.mux(sound.encode(frame))
        film.mux([*pictures.encode(None), *sound.encode(None)])
    assert check(file.getvalue()).seconds == pytest.approx(10.85, abs=0.1)


def test_a_folder_and_a_missing_file_are_told_so(tmp_path: Path) -> None:
    assert told(tmp_path) == "the file cannot be read (Is a directory)"
    assert told(tmp_path / "gone.wav") == "the file cannot be read (No such file or directory)"


@settings(max_examples=60, deadline=None)
@given(
    head=st.sampled_from(
        [b"RIFF\0\0\0\0WAVE", b"fLaC", b"OggS", b"ID3", b"\xff\xfb", b"\0\0\0 ftypM4A "]
    ),
    rest=st.binary(max_size=4_000),
)
def test_random_bytes_behind_a_good_beginning_are_refused_in_words(
    head: bytes, rest: bytes
) -> None:
    assert len(told(head + rest)) > 10


@settings(max_examples=40, deadline=None)
@given(
    whole=st.sampled_from([encoded(READING), encoded(READING, format="flac", codec="flac")]),
    at=st.integers(0, 400),
    instead=st.binary(min_size=1, max_size=40),
)
@example(whole=encoded(READING), at=21, instead=b"\x01")  # a coding that FFmpeg has no name for
def test_a_damaged_head_does_no_harm(whole: bytes, at: int, instead: bytes) -> None:
    with contextlib.suppress(UnfitClip):
        check(whole[:at] + instead + whole[at + len(instead) :])


def test_what_is_kept_is_a_wav_of_our_own_that_passes_again() -> None:
    kept = wav(check(encoded(at(96_000, READING * 0.1), 96_000, channels=2)))
    with wave.open(BytesIO(kept)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 48_000)
    assert check(kept).seconds == pytest.approx(10.85, abs=0.2)


@pytest.fixture
async def callers() -> AsyncIterator[tuple[int, list[str]]]:
    """A port that notes who calls it."""
    called: list[str] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        called.append("somebody")
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1], called


async def test_lists_of_other_files_are_refused_and_open_nothing(
    callers: tuple[int, list[str]], tmp_path: Path
) -> None:
    port, called = callers
    secret = tmp_path / "secret.wav"
    secret.write_bytes(encoded(READING))
    url = f"http://127.0.0.1:{port}/voice.wav"
    lists = [
        f"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n{target}\n#EXT-X-ENDLIST\n"
        for target in (url, secret.as_uri(), str(secret))
    ]
    lists += [f"ffconcat version 1.0\nfile '{target}'\n" for target in (url, secret)]
    lists += [f"[playlist]\nFile1={url}\n", f"<MPD><BaseURL>{url}</BaseURL></MPD>", f"v=0\n{url}\n"]
    for text in lists:
        for name in ("list.m3u8", "list.wav", "list.mp3"):
            path = tmp_path / name
            path.write_text(text)
            assert await asyncio.to_thread(told, path)
        for head in (b"ID3\x03\0\0\0\0\0\0", b"RIFF\0\0\0\0WAVE", b"OggS", b"\xff\xfb\x90\x00"):
            assert await asyncio.to_thread(told, head + text.encode())
    assert called == []
