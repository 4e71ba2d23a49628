"""What is handed to Chatterbox is one plain line, with the tags that its variant knows and no others."""

from hypothesis import given
from hypothesis import strategies as st

from tests.engines.contract import AWKWARD
from ultraandchat.engines.chatterbox.variants import TAGS
from ultraandchat.engines.chatterbox.wording import wording


def test_tags_stay_and_other_brackets_go() -> None:
    text = "Well [LAUGH], [clear throat] that is [sic] odd {x}."
    assert wording(text, TAGS) == "Well [laugh] , [clear throat] that is sic odd x ."
    assert wording("Well [laugh].", ()) == "Well laugh ."


def test_what_has_no_word_is_nothing() -> None:
    for text in ("", " ", "...", "🎉", "\x00\x1b", "[]", "—"):
        assert wording(text, TAGS) == ""


@given(st.one_of(st.text(), st.sampled_from(AWKWARD)))
def test_it_is_one_line_without_control_characters(text: str) -> None:
    line = wording(text, TAGS)
    assert line == " ".join(line.split())
    assert line.isprintable()
    bare = line
    for tag in TAGS:
        bare = bare.replace(f"[{tag}]", "")
    assert not set(bare) & set("[]<>{}|`\\")
    assert wording(line, TAGS) == line
