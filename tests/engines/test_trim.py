"""Silence around a clause goes, everything between stays, however the sound comes in blocks."""

from collections.abc import Iterator

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ultraandchat.audio.frame import Samples
from ultraandchat.engines.scripted import tone
from ultraandchat.engines.trim import LEAD_MS, TAIL_MS, trimmed

RATE = 16_000


def silence(ms: int) -> Samples:
    return np.zeros(RATE * ms // 1000, np.float32)


def words(ms: int) -> Samples:
    return tone(440.0, 0, RATE * ms // 1000, RATE)


def trim(*pieces: Samples, block: int = 500) -> Samples:
    sound = np.concatenate(pieces)
    blocks = [sound[at : at + block] for at in range(0, len(sound), block)]
    return np.concatenate([silence(0), *trimmed(blocks, RATE)])


def test_the_silence_around_is_cut_to_what_is_kept() -> None:
    sound = trim(silence(200), words(300), silence(400))
    assert len(sound) == RATE * (LEAD_MS + 300 + TAIL_MS) // 1000
    assert np.array_equal(sound[480 : 480 + 4800], words(300))


def test_a_pause_inside_stays_whole() -> None:
    pieces = (words(100), silence(700), words(100))
    assert np.array_equal(trim(*pieces), np.concatenate(pieces))


def test_sound_without_silence_around_it_is_left_alone() -> None:
    assert np.array_equal(trim(words(333)), words(333))


def test_silence_alone_is_nothing() -> None:
    assert len(trim(silence(500))) == 0
    assert list(trimmed([], RATE)) == []


def test_the_first_words_do_not_wait_for_the_last() -> None:
    def endless() -> Iterator[Samples]:
        yield silence(200)
        while True:
            yield words(100)

    assert len(next(trimmed(endless(), RATE))) >= RATE // 10


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 120)), max_size=12), st.integers(1, 3000))
def test_blocks_make_no_difference_and_no_word_is_lost(
    parts: list[tuple[bool, int]], block: int
) -> None:
    pieces = [words(ms) if loud else silence(ms) for loud, ms in parts]
    whole = np.concatenate([silence(0), *pieces])
    cut = trim(whole, block=block)
    assert np.array_equal(cut, trim(whole, block=max(len(whole), 1)))
    loud = np.flatnonzero(np.abs(whole) > 0.02)
    kept = np.flatnonzero(np.abs(cut) > 0.02)
    # Less than one step of 10 ms at a joint may be too short to count as sound.
    assert len(loud) - len(kept) <= 2 * RATE // 100
