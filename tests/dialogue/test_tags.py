"""Tags are sounds, never words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ultraandchat.dialogue.speakable import speakable
from ultraandchat.dialogue.tags import replace_tags, without_tags
from ultraandchat.engines.chatterbox.variants import TAGS

TURBO = frozenset(TAGS)


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("[laugh] That is funny!", "That is funny!"),
        ("That is funny! [laugh] I know.", "That is funny! I know."),
        ("Ha [laugh].", "Ha."),
        ("[laugh]", ""),
        ("[clear throat] [sigh] Well.", "Well."),
        ("*sighs softly* Fine.", "Fine."),
        ("(clears his throat) Now,", "Now,"),
        ("See [the docs](https://example.com).", "See [the docs](https://example.com)."),
        ("See [laugh](https://example.com).", "See [laugh](https://example.com)."),
        ("I *laugh* at it.", "I *laugh* at it."),
        ("The list [1, 2] (short)", "The list [1, 2] (short)"),
    ],
)
def test_captions_have_none(written: str, shown: str) -> None:
    assert without_tags(written) == shown


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("[laugh] That is funny!", "[laugh] That is funny!"),
        ("That is **funny** [chuckle].", "That is funny [chuckle]."),
        ("*laughs* Yes.", "[laugh] Yes."),
        ("(clears throat) Yes.", "[clear throat] Yes."),
        ("[yawn] Yes.", "Yes."),
        ("[cough]", "[cough]"),
        ("[Sigh] 3 [sighs]", "[sigh] three [sigh]"),
    ],
)
def test_a_voice_gets_those_it_knows(written: str, said: str) -> None:
    assert speakable(written, "en", TURBO) == said


def test_a_voice_that_knows_none_gets_none() -> None:
    assert speakable("[laugh] Yes [sigh].") == "Yes."
    assert speakable("[laugh]", "de") == ""


PIECES = ["[laugh]", "*sighs*", "(", ")", "*", "[", "]", "a", " ", "\n", "."]


@given(st.text() | st.lists(st.sampled_from(PIECES)).map("".join))
def test_any_text_is_taken_and_grows_by_nothing(text: str) -> None:
    assert len(without_tags(text)) <= len(text)
    assert replace_tags(text, lambda name: f"[{name}]").count("[laugh]") == text.count("[laugh]")


@given(st.text(alphabet="abc .,!?\n"))
def test_a_text_without_brackets_is_shown_as_it_is(text: str) -> None:
    assert without_tags(text) == text
