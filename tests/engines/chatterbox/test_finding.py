"""Heads are looked for in what was spoken well, and believed when two sentences agree. The attention is made."""

from collections.abc import Callable, Sequence

import numpy as np

from tests.engines.chatterbox.test_alignment import diagonal, noise
from tests.support.chatterbox_roles import Writes, healthy, text_of, tokenize
from tests.support.token_streams import Stream
from ultraandchat.engines.chatterbox.finding import SENTENCES, TRIES, find_heads
from ultraandchat.engines.chatterbox.roles import PreparedVoice, Taste
from ultraandchat.engines.chatterbox.variants import STOP_TOKEN

VOICE = PreparedVoice("somebody", "", {}, {})
TASTE = Taste(0.8, 1000, 0.95, 0.0, 1.2, 0.0, 0.0)


class Tells(Writes):
    """`heads` of a sentence align with it, and the others look anywhere."""

    heads: Callable[[str], Sequence[tuple[int, int]]]

    def attention(
        self, voice: PreparedVoice, text: Sequence[int], tokens: Sequence[int]
    ) -> np.ndarray:
        assert STOP_TOKEN not in tokens
        attention = noise(speech=len(tokens), text=len(text))
        for head in self.heads(text_of(text)):
            attention[head] = diagonal(len(tokens), len(text), seed=sum(head))
        return attention.astype(np.float32)


def telling(heads: Callable[[str], Sequence[tuple[int, int]]]) -> Tells:
    writer = Tells()
    writer.heads = heads
    return writer


def test_those_that_align_in_both_sentences_are_found() -> None:
    first, second = [(1, 1), (3, 2), (4, 0)], [(3, 2), (4, 0), (5, 3)]
    writer = telling(lambda text: first if text == SENTENCES[0] else second)
    assert set(find_heads(writer, tokenize, VOICE, TASTE)) == {(3, 2), (4, 0)}
    assert writer.open == 0


def test_where_none_does_none_is_found() -> None:
    writer = telling(lambda text: [])
    assert find_heads(writer, tokenize, VOICE, TASTE) == ()
    assert len(writer.texts) == TRIES  # of the first: the second is not needed any more


def test_one_that_aligns_once_is_not_believed() -> None:
    writer = telling(lambda text: [(3, 2)] if text == SENTENCES[0] else [])
    assert find_heads(writer, tokenize, VOICE, TASTE) == ()


def test_what_was_spoken_badly_shows_nothing() -> None:
    def endless(text: str, time: int) -> Stream:
        stream = healthy(text, time)
        stream.numbers[20:] = [77] * (len(stream.numbers) - 20)
        return stream

    writer = telling(lambda text: [(3, 2)])
    writer.script = endless
    assert find_heads(writer, tokenize, VOICE, TASTE) == ()
    assert writer.open == 0


def test_a_second_try_may_be_better() -> None:
    def at_second(text: str, time: int) -> Stream:
        stream = healthy(text, time)
        if time == 1:
            del stream.numbers[10:-1], stream.entropies[10:-1]
            stream.positions = None
        return stream

    writer = telling(lambda text: [(3, 2)])
    writer.script = at_second
    assert find_heads(writer, tokenize, VOICE, TASTE) == ((3, 2),)
