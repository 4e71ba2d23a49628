"""The answer of a chat server, as its bytes come: lines, events, words without thoughts.

Everything here is bounded and told its bytes; the connection is the business of `chat_connection.py`.
"""

import codecs
import re
from collections.abc import Iterator

import msgspec

LONGEST_LINE = 64 * 1024
"""Characters of one event; a token's is about 300."""
_THOUGHT = re.compile(r"<(/?)think(?:ing)?>", re.IGNORECASE)
_TAGS = ("<think>", "</think>", "<thinking>", "</thinking>")


class ChatFailure(Exception):
    """The chat server did not do its part."""

    def __init__(self, said: str, detail: str, refused: int = 0) -> None:
        super().__init__(detail)
        self.said = said
        """A sentence for the user: what is wrong, and who can mend it."""
        self.detail = detail
        """For the log; neither the user's words nor the key."""
        self.refused = refused
        """HTTP status with which the question was refused; 0 where it was not."""


class _Delta(msgspec.Struct):
    content: str | None = None


class _Choice(msgspec.Struct):
    delta: _Delta | None = None
    message: _Delta | None = None
    text: str | None = None


class _Event(msgspec.Struct):
    choices: list[_Choice] | None = None
    error: object = None


class _Error(msgspec.Struct):
    type: object = None
    code: object = None


class AnswerStream:
    """Bytes of a `text/event-stream` in, pieces of the answer out."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")("replace")
        self._line = ""
        self._thoughts = Thoughts()
        self.begun = False
        """A first token came, if only a thought."""
        self.finished = False
        """The server said that this was all."""

    def feed(self, data: bytes) -> Iterator[str]:
        """The words of each line that is whole now. Raises `ChatFailure` at the one that is wrong."""
        *lines, self._line = re.split(r"\r\n|\n|\r(?!$)", self._line + self._decoder.decode(data))
        yield from filter(None, map(self._words, lines))
        if len(self._line) > LONGEST_LINE:
            raise not_an_answer("a line without end")

    def end(self) -> Iterator[str]:
        """The connection is over. Raises `ChatFailure` where it ended inside an event."""
        last, self._line = self._line.strip(), ""
        yield from filter(None, (self._words(last), self._thoughts.flush()))

    def _words(self, line: str) -> str:
        if self.finished or not line.startswith("data:"):
            return ""  # comments, event names, and the empty lines between events
        payload = line[5:].strip()
        if payload == "[DONE]":
            self.finished = True
            return ""
        words = words_of(payload) if payload else ""
        self.begun = self.begun or bool(words)
        return self._thoughts.feed(words)


def words_of(payload: str | bytes) -> str:
    """The text in one event, or in a whole answer. Raises `ChatFailure` for anything else."""
    try:
        event = msgspec.json.decode(payload, type=_Event)
    except (msgspec.MsgspecError, UnicodeError):
        raise not_an_answer("no JSON of a chat answer") from None
    if event.error is not None:
        detail = f"error in the answer ({error_code(event.error)})"
        raise ChatFailure("My language model's server reported an error of its own.", detail)
    if not event.choices:
        return ""
    choice = event.choices[0]
    said = choice.delta or choice.message
    return (said.content if said else choice.text) or ""


def error_code(error: object) -> str:
    """An error's type or code, for the log; its message may repeat the key or the user's words."""
    try:
        known = msgspec.convert(error, _Error)
    except msgspec.ValidationError:
        return "no code"
    return re.sub(r"[^\w.-]", "", str(known.code or known.type or "no code"))[:40]


def not_an_answer(detail: str) -> ChatFailure:
    """What came is no chat answer at all."""
    return ChatFailure(
        "What my language model's server sent is no answer. Is it an OpenAI-compatible one?", detail
    )


def without_thoughts(text: str) -> str:
    """What of a whole answer is to be said."""
    thoughts = Thoughts()
    return thoughts.feed(text) + thoughts.flush()


class Thoughts:
    """Leaves out what a reasoning model thinks aloud between `<think>` and `</think>`."""

    def __init__(self) -> None:
        self._held = ""
        self._thinking = False
        self._begun = False

    def feed(self, text: str) -> str:
        """What of the text so far is to be said; the beginning of a tag is held back."""
        text, self._held = self._held + text, ""
        said = ""
        while found := _THOUGHT.search(text):
            said += "" if self._thinking else text[: found.start()]
            self._thinking = not found[1]
            text = text[found.end() :]
        begun = text.rfind("<")
        if begun >= 0 and any(tag.startswith(text[begun:].lower()) for tag in _TAGS):
            text, self._held = text[:begun], text[begun:]
        return self._said(said if self._thinking else said + text)

    def flush(self) -> str:
        """What was held back, once it is clear that it is no tag."""
        held, self._held = self._held, ""
        return "" if self._thinking else self._said(held)

    def _said(self, text: str) -> str:
        """Without the white space between the thoughts and the answer."""
        if not self._begun:
            text = text.lstrip()
            self._begun = bool(text)
        return text
