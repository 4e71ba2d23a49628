"""What of a conversation becomes the prompt, above all when the window is near."""

import contextlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.models.talk import request, said, typed
from tests.models.vocabularies import LLAMA, vocabulary
from ultraandchat.engines.base import EngineError
from ultraandchat.engines.ultravox.prompt import (
    UNKNOWN,
    Prompt,
    Sizes,
    to_answer,
    to_prepare,
    to_transcribe,
)
from ultraandchat.engines.ultravox.request import Request
from ultraandchat.engines.ultravox.template import Template

TEMPLATE = Template(vocabulary(LLAMA))


def sized(messages: list[dict[str, Any]], window: int) -> Sizes:
    """Every sound has as many tokens as its digest says."""
    sounds = [message["audio"] for message in messages if "audio" in message]
    return Sizes(window, {digest: int(digest.split("/")[1]) for digest in sounds})


def sound(number: int, tokens: int = 12, words: str = "") -> dict[str, Any]:
    return {"role": "user", "audio": f"{number}/{tokens}", "pcm": None, "words": words}


def answer(*messages: dict[str, Any], window: int = 4096, **more: Any) -> Prompt:
    return to_answer(TEMPLATE, Request.read(request(*messages, **more)), sized([*messages], window))


def shown(prompt: Prompt) -> str:
    """As text, a sound by its number in brackets."""
    text = ""
    tokens: list[int] = []
    for element in [*prompt.elements, ("end", 0)]:
        if isinstance(element, int):
            tokens.append(element)
            continue
        text += vocabulary(LLAMA).decode(tokens)
        tokens = []
        if element[1] == 0:
            text += f"[{element[0].split('/')[0]}]"
    return text.removesuffix("[end]")


def test_a_conversation_of_every_kind_of_turn() -> None:
    prompt = answer(
        said("Hello!"), sound(1), said("Yes?"), typed("And this"), said("Good."), sound(2)
    )
    assert shown(prompt) == (
        "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nBe brief.<|eot_id|>"
        "<|start_header_id|>assistant<|end_header_id|>\n\nHello!<|eot_id|>"
        "<|start_header_id|>user<|end_header_id|>\n\n[1]<|eot_id|>"
        "<|start_header_id|>assistant<|end_header_id|>\n\nYes?<|eot_id|>"
        "<|start_header_id|>user<|end_header_id|>\n\nAnd this<|eot_id|>"
        "<|start_header_id|>assistant<|end_header_id|>\n\nGood.<|eot_id|>"
        "<|start_header_id|>user<|end_header_id|>\n\n[2]<|eot_id|>"
        "<|start_header_id|>assistant<|end_header_id|>\n\n"
    )
    assert prompt.turns == 3
    assert prompt.elements[prompt.opening] == ("1/12", 0)


def test_what_one_side_said_in_several_messages_is_one_turn() -> None:
    prompt = answer(sound(1), typed("wait"), said("One."), said("Two."), said(" "), sound(2))
    assert "[1]\nwait<|eot_id|>" in shown(prompt)
    assert "One.\nTwo.<|eot_id|>" in shown(prompt)
    assert prompt.turns == 2


def test_the_words_of_the_last_turn_are_asked_for_behind_its_sound() -> None:
    messages = [sound(1), said("Yes?"), sound(2, 25)]
    asked = Request.read(request(*messages, max_tokens=300))
    prompt = to_transcribe(TEMPLATE, asked, sized(messages, 4096))
    assert "[2]\nRepeat exactly what I said" in shown(prompt)
    assert prompt.room == 4 * 4 + 16, "25 tokens are four seconds"
    with pytest.raises(EngineError, match="its last turn is not heard"):
        to_transcribe(TEMPLATE, Request.read(request(typed("x"))), sized([], 4096))


def test_when_the_window_is_near_old_sound_becomes_words_and_new_sound_stays() -> None:
    messages: list[dict[str, Any]] = []
    for number in range(12):
        messages += [sound(number, 60, words=f"words of {number}"), said(f"Reply {number}.")]
    messages.append(sound(99))
    full = len(answer(*messages).elements)
    text = shown(answer(*messages, window=full, max_tokens=20))
    assert "words of 0" in text
    assert "[0]" not in text
    assert "[11]" in text
    assert "words of 11" not in text
    assert "Reply 0." in text
    assert "Be brief." in text


def test_sound_that_nobody_wrote_down_is_said_to_be_unknown() -> None:
    messages: list[dict[str, Any]] = []
    for number in range(12):
        messages += [sound(number, 60), said(f"Reply {number}.")]
    messages.append(sound(99))
    full = len(answer(*messages).elements)
    text = shown(answer(*messages, window=full, max_tokens=20))
    assert f"{UNKNOWN}<|eot_id|>" in text
    assert UNKNOWN in shown(answer(typed(""), said("Yes?"), sound(1)))


def test_when_words_do_not_fit_either_the_oldest_exchanges_go() -> None:
    messages: list[dict[str, Any]] = [said("Welcome!")]
    for number in range(40):
        messages += [typed(f"Question {number}?"), said(f"Reply {number}.")]
    messages.append(typed("And now?"))
    text = shown(answer(*messages, window=800, max_tokens=20))
    assert "Question 0?" not in text
    assert "Welcome!" not in text
    assert "Question 39?" in text
    assert text.count("Question") >= 5
    assert text.startswith(
        "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nBe brief."
    )


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_whatever_was_said_it_fits_and_the_last_turn_is_in_it(data: st.DataObject) -> None:
    window = data.draw(st.sampled_from([256, 512, 2048]))
    tokens, text = st.integers(1, 300), st.text(max_size=300)
    messages: list[dict[str, Any]] = []
    for number in range(data.draw(st.integers(0, 20))):
        kind = data.draw(st.sampled_from(["sound", "typed", "said"]))
        if kind == "sound":
            messages.append(sound(number, data.draw(tokens), data.draw(text)))
        else:
            messages.append((typed if kind == "typed" else said)(data.draw(text)))
    messages += [said("So?"), sound(77, data.draw(tokens))]
    most = data.draw(st.integers(1, 100))
    if int(messages[-1]["audio"].split("/")[1]) > window - 150:
        with contextlib.suppress(EngineError):
            answer(*messages, window=window, max_tokens=most)
        return
    prompt = answer(*messages, window=window, max_tokens=most)
    assert 1 <= prompt.room <= most
    assert len(prompt.elements) + prompt.room <= window
    assert (messages[-1]["audio"], 0) in prompt.elements


def test_what_is_kept_does_not_depend_on_the_turn_that_is_answered() -> None:
    """So what was made ready while the user spoke is used, however long they spoke."""
    messages: list[dict[str, Any]] = []
    for number in range(60):
        messages += [sound(number, 20, words="some words"), said(f"Reply number {number}.")]
        asked = Request.read(request(*messages, max_tokens=20))
        ready = to_prepare(TEMPLATE, asked, sized(messages, 1024))
        for tokens in (1, 100):
            full = answer(*messages, sound(999, tokens), window=1024, max_tokens=20)
            assert full.elements[: len(ready.elements)] == ready.elements


def test_a_long_turn_costs_history_and_one_too_long_is_told_so() -> None:
    messages = [sound(1, 30), said("A reply of some words."), sound(2, 120)]
    text = shown(answer(*messages, window=256, max_tokens=40))
    assert "[1]" not in text
    assert "[2]" in text
    with pytest.raises(EngineError, match=r"this turn takes 2\d\d tokens, and all that fits"):
        answer(*messages[:2], sound(2, 210), window=256, max_tokens=40)


def test_a_turn_of_nothing_is_told_so() -> None:
    silence = sound(1) | {"pcm": np.zeros(0, np.int16)}
    for nothing in (typed(" "), silence):
        with pytest.raises(EngineError, match="there is nothing in this turn"):
            answer(nothing)
