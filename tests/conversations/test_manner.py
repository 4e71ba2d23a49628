"""A reply is written, cut and shown as its voice wants it."""

from collections.abc import AsyncGenerator

from tests.support.talk import Talk, converse, scripted_engines, tells
from ultraandchat.audio.frame import Samples
from ultraandchat.engines.base import Manner, Voice
from ultraandchat.engines.scripted import Reply, ScriptedSpeech
from ultraandchat.events import ClauseSpoken
from ultraandchat.transport.wire import Say


class Particular(ScriptedSpeech):
    """Notes what it is given to say."""

    def __init__(self, manner: Manner) -> None:
        super().__init__()
        self._manner = manner
        self.given: list[str] = []

    def manner(self, voice: Voice) -> Manner:
        return self._manner

    async def synthesize(self, clause: str, voice: Voice) -> AsyncGenerator[Samples, None]:
        self.given.append(clause)
        async for block in super().synthesize(clause, voice):
            yield block


def told(speech: Particular, reply: str) -> Talk:
    return converse(
        tells(0.5, Say("a")), engines=scripted_engines(speech=speech, replies=[Reply(reply)])
    )


def shown(talk: Talk) -> list[str]:
    return [spoken.text for spoken in talk.all(ClauseSpoken)]


def test_a_voice_gets_its_tags_and_its_words_and_the_page_neither() -> None:
    speech = Particular(Manner(tags=frozenset({"laugh"}), fewest_words=3))
    talk = told(speech, "Ha! [laugh] It is 14:05. *sighs* Time for tea. Bye!")
    assert speech.given == ["Ha! [laugh] It is fourteen oh five.", "Time for tea. Bye!"]
    assert shown(talk) == ["Ha! It is 14:05.", "Time for tea. Bye!"]
    assert talk.history[0].reply == "Ha! It is 14:05. Time for tea. Bye!"


def test_a_clause_that_is_but_a_tag_is_heard_and_not_shown() -> None:
    speech = Particular(Manner(tags=frozenset({"laugh"})))
    talk = told(speech, "One two three.\n[laugh]\nFour five six.")
    assert speech.given == ["One two three.", "[laugh]", "Four five six."]
    assert talk.history[0].reply == "One two three. Four five six."


def test_figures_are_said_in_the_voices_language() -> None:
    speech = Particular(Manner(language="de-DE"))
    told(speech, "Am 3. November kostet es 3,50 €, z. B. in Bonn.")
    assert speech.given == [
        "Am dritten November kostet es drei Euro fünfzig,",
        "zum Beispiel in Bonn.",
    ]


def test_a_block_of_code_is_left_out_whatever_is_in_it() -> None:
    speech = Particular(Manner())
    told(speech, "Like this.\n```python\nprint('Hello. World.')\n\nx = 3\n```\nThat is all.")
    assert speech.given == ["Like this.", "some code.", "That is all."]


def test_a_clause_is_no_longer_than_the_voice_wants() -> None:
    speech = Particular(Manner(most_characters=40))
    told(speech, "one two three four five six seven eight nine ten eleven twelve thirteen. " * 2)
    assert max(map(len, speech.given)) <= 40
