"""Clauses in their places: by turns, taken back at any step, refused; the next one is as if nothing had been."""

from dataclasses import replace
from functools import cache
from itertools import islice
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.models.chatterbox.tiny_t3 import NAMES, TEXT, first, ready, taste, voice, writer_of
from ultraandchat.engines.base import EngineError, EngineOverloaded
from ultraandchat.engines.chatterbox.roles import PreparedVoice, Taste, Token
from ultraandchat.engines.chatterbox.variants import TURBO, VARIANTS, VariantName

OTHER = [3, 250, 8]

graphs = pytest.mark.parametrize("graph", [False, True], ids=["eager", "static"])


@graphs
@pytest.mark.parametrize("name", NAMES)
def test_clauses_by_turns_are_as_one_after_the_other(name: VariantName, graph: bool) -> None:
    writer, wish = ready(name, graph=graph), taste(VARIANTS[name])
    asked = [(voice(name, 0), TEXT, wish, 1), (voice(name, 1), OTHER, wish, 2)]
    expected = [first(writer.write(*one), 8) for one in asked]
    running = [writer.write(*one) for one in asked]
    found: list[list[Any]] = [[], []]
    for _ in range(8):
        for making, so_far in zip(running, found, strict=True):
            so_far.append(next(making))
    for making in running:
        making.close()  # type: ignore[attr-defined]
    assert found == expected


@pytest.mark.parametrize("name", NAMES)
def test_a_clause_without_guidance_beside_one_with_it(name: VariantName) -> None:
    writer = ready(name)
    wish = taste(VARIANTS[name])
    asked = [
        (voice(name), TEXT, wish, 1),
        (voice(name), TEXT, replace(wish, guidance=0.0), 1),
    ]
    expected = [first(writer.write(*one), 6) for one in asked]
    one, other = (writer.write(*each) for each in asked)
    assert [list(pair) for pair in zip(*expected, strict=True)] == [
        [next(one), next(other)] for _ in range(6)
    ]
    one.close(), other.close()  # type: ignore[attr-defined]


@graphs
@pytest.mark.parametrize("name", ["turbo", "original"])
def test_taken_back_at_any_step_it_leaves_nothing_behind(name: VariantName, graph: bool) -> None:
    writer, wish = ready(name, graph=graph, slots=1), taste(VARIANTS[name])
    expected = first(writer.write(voice(name), TEXT, wish, 1), 6)
    for count in range(8):
        first(writer.write(voice(name, 1), OTHER * 5, wish, 2), count)
        assert first(writer.write(voice(name), TEXT, wish, 1), 6) == expected


@cache
def alone(seed: int) -> list[Token]:
    return first(ready("turbo", slots=1).write(*asked_of(seed)), 12)


def asked_of(seed: int) -> tuple[PreparedVoice, list[int], Taste, int]:
    """One of some clauses that differ in everything."""
    text = [(seed * 31 + at * 7) % 300 for at in range(1 + seed * 40)]
    return voice("turbo", seed % 2), text, taste(TURBO, temperature=0.5 + 0.2 * seed), seed


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.tuples(st.sampled_from(["begin", "go on", "end"]), st.integers(0, 4)), max_size=40)
)
def test_whatever_the_others_do_a_clause_is_as_if_it_were_alone(
    story: list[tuple[str, int]],
) -> None:
    writer = ready("turbo", slots=3)
    running: dict[int, tuple[Any, list[Token]]] = {}
    for deed, seed in story:
        if deed == "begin" and seed not in running and len(running) < 3:
            running[seed] = writer.write(*asked_of(seed)), []
        elif deed == "go on" and seed in running:
            making, written = running[seed]
            written.extend(islice(making, 1))
            assert written[:12] == alone(seed)[: len(written)]
        elif deed == "end" and seed in running:
            running.pop(seed)[0].close()
    for making, _ in running.values():
        making.close()
    assert len(writer._free) == 3


def test_more_clauses_than_places_are_refused_until_one_ends() -> None:
    writer, wish = ready("turbo"), taste(TURBO)
    one, other, third = (writer.write(voice("turbo"), TEXT, wish, seed) for seed in (1, 2, 3))
    next(one), next(other)
    with pytest.raises(EngineOverloaded, match="as many as it can"):
        next(third)
    one.close()  # type: ignore[attr-defined]
    assert first(writer.write(voice("turbo"), TEXT, wish, 3), 3)
    other.close()  # type: ignore[attr-defined]
    assert len(writer._free) == 2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ([], "there is no text to be spoken"),
        ([1, 300], "the text has tokens that T3 does not know"),
        ([1, -1], "the text has tokens that T3 does not know"),
        ([1] * 470, "a clause of 470 tokens of text is too long"),
    ],
)
def test_a_text_that_cannot_be_read_never_reaches_the_model(text: list[int], said: str) -> None:
    writer = ready("turbo")
    with pytest.raises(EngineError, match=said):
        next(writer.write(voice("turbo"), text, taste(TURBO), 1))
    assert len(writer._free) == 2
    assert len(first(writer.write(voice("turbo"), [1] * 469, taste(TURBO), 1), 9)) == 2


WRONG = {
    "no speaker": ({"speaker_emb": None}, "without a speaker"),
    "another speaker": ({"speaker_emb": torch.zeros(1, 192)}, "without a speaker"),
    "no speech": ({"cond_prompt_speech_tokens": None}, "without speech"),
    "speech of two": (
        {"cond_prompt_speech_tokens": torch.zeros(2, 9, dtype=torch.long)},
        "without speech",
    ),
    "no tokens": (
        {"cond_prompt_speech_tokens": torch.zeros(1, 0, dtype=torch.long)},
        "without speech",
    ),
    "unknown tokens": (
        {"cond_prompt_speech_tokens": torch.tensor([[5, 6563]])},
        "tokens that T3 does not know",
    ),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_voice_of_another_kind_is_told(wrong: str) -> None:
    tensors, said = WRONG[wrong]
    heard = voice("turbo")
    other = replace(heard, digest=wrong, writer=heard.writer | tensors)
    writer = ready("turbo")
    with pytest.raises(EngineError, match=said):
        next(writer.write(other, TEXT, taste(TURBO), 1))
    assert len(writer._free) == 2


@graphs
@pytest.mark.parametrize("name", ["turbo", "original"])
@pytest.mark.parametrize("after", [1, 3])
def test_numbers_that_are_none_end_this_clause_only(
    name: VariantName, after: int, graph: bool
) -> None:
    writer, wish = ready(name, graph=graph, slots=1), taste(VARIANTS[name])
    expected = first(writer.write(voice(name), TEXT, wish, 1), 6)
    making = writer.write(voice(name), TEXT, wish, 1)
    for _ in range(after):
        next(making)
    with torch.inference_mode():
        for layer in writer._places[0].layers:
            layer.keys[:, :, 45:] = float("nan")
            layer.values[:, :, 45:] = float("nan")
    with pytest.raises(EngineError, match="T3 computed something that is no number"):
        list(making)
    assert first(writer.write(voice(name), TEXT, wish, 1), 6) == expected


def test_a_pass_that_fails_frees_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    writer = writer_of("turbo", slots=1)
    expected = first(writer.write(voice("turbo"), TEXT, taste(TURBO), 1), 6)
    making = writer.write(voice("turbo"), TEXT, taste(TURBO), 1)
    next(making)
    with monkeypatch.context() as patched:

        def fail(*rest: object, **more: object) -> None:
            raise RuntimeError("CUDA out of memory")

        patched.setattr(writer._t3.tfmr, "forward", fail)
        with pytest.raises(RuntimeError, match="out of memory"):
            next(making)
    assert first(writer.write(voice("turbo"), TEXT, taste(TURBO), 1), 6) == expected
