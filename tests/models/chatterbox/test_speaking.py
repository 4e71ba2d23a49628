"""Text to sound through all of it: the package's own T3 and S3Gen, small, with random weights.

Random weights never end a clause, so what they write is all fault, or its end is forced.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch

from tests.models.chatterbox import random_s3gen, tiny_t3
from ultraandchat.engines.base import EngineError
from ultraandchat.engines.chatterbox.finding import find_heads
from ultraandchat.engines.chatterbox.pace import pace
from ultraandchat.engines.chatterbox.roles import PreparedVoice, Taste, Token, Watermark, Writer
from ultraandchat.engines.chatterbox.sounder import S3Sounder
from ultraandchat.engines.chatterbox.speaking import Chatterbox, Steps
from ultraandchat.engines.chatterbox.variants import (
    RATE,
    SPEECH_TOKENS,
    STOP_TOKEN,
    TOKEN_RATE,
    TURBO,
)
from ultraandchat.engines.chatterbox.writer import T3Writer
from ultraandchat.engines.device_faults import stepwise
from ultraandchat.engines.worker_wire import STEP, Poisoned

TEXT = "It is half past three, and the sun is out."


class OneVoice:
    def get(self, name: str, clip: str) -> PreparedVoice:
        writer, sounder = tiny_t3.voice("turbo"), random_s3gen.voice()
        return PreparedVoice(name, writer.digest, writer.writer, sounder.sounder)


class Ends:
    """T3 as it is, but that it stops after so many tokens."""

    def __init__(self, writer: T3Writer, count: int) -> None:
        self._writer = writer
        self._count = count

    def write(
        self, voice: PreparedVoice, text: Sequence[int], taste: Taste, seed: int
    ) -> Iterator[Token]:
        writing: Any = self._writer.write(voice, text, taste, seed)
        try:
            yield from (
                token
                for token, _ in zip(writing, range(self._count), strict=False)
                if token.number < SPEECH_TOKENS
            )
        finally:
            writing.close()
        yield Token(STOP_TOKEN, 0.0, None)


def letters(text: str, language: str) -> list[int]:
    return [ord(one) % 300 for one in text]


@pytest.fixture(scope="module")
def t3() -> T3Writer:
    return tiny_t3.writer_of("turbo", slots=2, window=700)


@pytest.fixture(scope="module")
def sounder() -> S3Sounder:
    return S3Sounder(random_s3gen.small(TURBO), TURBO, progress=lambda *told: None)


@pytest.fixture
def model(t3: T3Writer, sounder: S3Sounder) -> Callable[..., Chatterbox]:
    def made(writer: Writer = t3, watermark: Watermark | None = None) -> Chatterbox:
        return Chatterbox(
            writer,
            sounder,
            letters,
            OneVoice(),
            watermark,
            TURBO,
            explained=lambda steps: stepwise("chatterbox", steps, lambda: None),
        )

    return made


def steps_of(of: Chatterbox, text: str = TEXT, seed: int = 3) -> Steps:
    return of.synthesize(lambda: False, {"text": text, "language": "en", "seed": seed})


def spoken(items: Sequence[Any]) -> tuple[np.ndarray, list[str], dict[str, Any]]:
    """The sound, the verdicts and the account."""
    blocks = [item for item in items if isinstance(item, np.ndarray)]
    verdicts = [item["verdict"] for item in items if isinstance(item, dict) and "verdict" in item]
    sound = np.concatenate(blocks) if blocks else np.zeros(0, np.int16)
    return sound, verdicts, items[-1]["account"]


def test_text_becomes_sound_and_the_account_tells_of_it(
    model: Callable[..., Chatterbox], t3: T3Writer
) -> None:
    count = pace(TEXT).usual
    items = list(steps_of(model(Ends(t3, count))))
    sound, verdicts, account = spoken(items)
    assert verdicts == []
    assert sound.dtype == np.int16
    assert np.abs(sound).max() > 100
    # Three tokens of silence come behind it.
    assert len(sound) == pytest.approx((account["tokens"] + 3) * RATE / TOKEN_RATE, abs=960)
    assert account["seconds"] == pytest.approx(len(sound) / RATE)
    assert account["attempts"] == 1


def test_the_first_block_needs_thirteen_passes_of_t3(
    model: Callable[..., Chatterbox], t3: T3Writer
) -> None:
    making = steps_of(model(Ends(t3, pace(TEXT).usual)))
    steps = 0
    while not isinstance(next(making), np.ndarray):
        steps += 1
    making.close()
    assert steps <= 14  # and one for the voice


def test_a_runaway_is_cut_and_fades(model: Callable[..., Chatterbox]) -> None:
    sound, verdicts, account = spoken(list(steps_of(model())))
    assert verdicts
    assert account["tokens"] <= 3 * pace(TEXT).most
    assert 0 < account["seconds"] <= pace(TEXT).most / TOKEN_RATE
    assert np.abs(sound[-5:]).max() <= np.abs(sound).max() / 20


def test_a_very_short_text_is_spoken_again_and_then_kept_short(
    model: Callable[..., Chatterbox],
) -> None:
    _, verdicts, account = spoken(list(steps_of(model(), "Hi!")))
    assert len(verdicts) == 3
    assert account["attempts"] == 3
    assert 0 < account["seconds"] <= 1.0


def test_the_same_seed_is_the_same_sound(model: Callable[..., Chatterbox], t3: T3Writer) -> None:
    def say(seed: int) -> np.ndarray:
        return spoken(list(steps_of(model(Ends(t3, 40)), "So it is.", seed)))[0]

    assert np.array_equal(say(5), say(5))
    assert not np.array_equal(say(5)[:9000], say(6)[:9000])


def test_two_by_turns_are_as_each_alone(model: Callable[..., Chatterbox], t3: T3Writer) -> None:
    of = model(Ends(t3, 40))
    texts = ("This is the first of them.", "And that is the other.")
    alone = [spoken(list(steps_of(of, text)))[0] for text in texts]
    making = [steps_of(of, text) for text in texts]
    items: list[list[Any]] = [[], []]
    for _ in range(200):
        for which in (0, 1):
            if (item := next(making[which], None)) is not None:
                items[which].append(item)
    for which in (0, 1):
        assert np.array_equal(spoken(items[which])[0], alone[which])


def test_cancelled_anywhere_its_place_is_free(model: Callable[..., Chatterbox]) -> None:
    of = model()
    for count in (0, 1, 2, 3, 14, 16, 40):
        for _ in range(3):  # more than there are places
            making = steps_of(of)
            for _ in range(count):
                next(making)
            making.close()


def test_an_assert_on_the_device_spoils_the_process(model: Callable[..., Chatterbox]) -> None:
    class Asserts:
        def write(self, *asked: Any) -> Iterator[Token]:
            raise RuntimeError("CUDA error: device-side assert triggered")
            yield

    with pytest.raises(Poisoned):
        list(steps_of(model(Asserts())))


def test_memory_that_is_out_ends_the_reply_only(model: Callable[..., Chatterbox]) -> None:
    class Full:
        def write(self, *asked: Any) -> Iterator[Token]:
            raise torch.OutOfMemoryError
            yield

    with pytest.raises(EngineError, match="out of memory"):
        list(steps_of(model(Full())))


def test_in_random_weights_no_head_aligns(t3: T3Writer) -> None:
    class Told:
        """As long as a healthy clause."""

        def __init__(self) -> None:
            self.asked = 0
            self.write = partial(Ends(t3, 150).write)

        def attention(self, *asked: Any) -> Any:
            self.asked += 1
            found = t3.attention(*asked)
            assert found.ndim == 4
            return found

    told = Told()
    voice = OneVoice().get("default", "")
    assert find_heads(told, letters, voice, tiny_t3.taste(TURBO)) == ()
    assert told.asked > 0


def test_what_makes_nothing_says_so(model: Callable[..., Chatterbox], t3: T3Writer) -> None:
    items = list(steps_of(model(Ends(t3, 40)), "So it is."))
    assert items[0] is STEP
    assert all(item is STEP or len(item) for item in items)
