"""Text while it is written: every character once, whole, and as the tokenizer would write it at the end."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.models.talk import loaded
from tests.models.vocabularies import GEMMA, KINDS, LLAMA, vocabulary
from ultraandchat.engines.ultravox.spelling import Spelling, end_tokens

CLEAN = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\ufffd"), max_size=60)


def written(kind: str, tokens: list[int]) -> list[str]:
    spelling = Spelling(vocabulary(kind))
    return [delta for token in tokens if (delta := spelling.add(token))] + (
        [rest] if (rest := spelling.finish()) else []
    )


@pytest.mark.parametrize("kind", KINDS)
@settings(deadline=None, max_examples=200)
@given(CLEAN)
@example("Ho lo  t 👩‍👩‍👧 né ağ 漢字")
def test_all_deltas_together_are_the_text_and_each_is_of_whole_characters(
    kind: str, text: str
) -> None:
    tokens = vocabulary(kind).encode(text, add_special_tokens=False)
    deltas = written(kind, tokens)
    assert "".join(deltas) == vocabulary(kind).decode(tokens, skip_special_tokens=True)
    assert not any("\ufffd" in delta for delta in deltas)


@pytest.mark.parametrize("kind", KINDS)
@settings(deadline=None)
@given(st.data())
def test_any_tokens_at_all_can_be_written(kind: str, data: st.DataObject) -> None:
    many = len(vocabulary(kind))
    tokens = data.draw(st.lists(st.integers(0, many - 1), max_size=40))
    assert all(written(kind, tokens))


def test_a_character_that_the_end_cut_in_two_is_not_shown() -> None:
    tokens = vocabulary(LLAMA).encode("ok 👍", add_special_tokens=False)
    assert "".join(written(LLAMA, tokens[:-1])) == "ok "


def test_words_come_one_by_one_with_their_spaces() -> None:
    tokens = vocabulary(GEMMA).encode("Ho Ho", add_special_tokens=False)
    assert written(GEMMA, tokens)[-1] == " Ho"


def test_special_tokens_are_never_shown() -> None:
    tokenizer = vocabulary(LLAMA)
    eot = tokenizer.convert_tokens_to_ids("<|eot_id|>")
    assert written(LLAMA, [*tokenizer.encode("a"), eot, *tokenizer.encode("b")]) == ["a", "b"]


def test_a_reply_ends_where_the_models_own_settings_and_its_template_say() -> None:
    assert end_tokens(vocabulary(LLAMA), loaded().config) == {2, 5}
