"""From a request to the prompt: what of the history fits, in which form, as elements."""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from ultraandchat.engines.base import EngineError
from ultraandchat.engines.ultravox.request import Message, Request, Sound, Text
from ultraandchat.engines.ultravox.slots import Element
from ultraandchat.engines.ultravox.template import Audio, Content, Template, Turn
from ultraandchat.engines.ultravox.window import Weight, marks

UNKNOWN = "(What the user said here is no longer known.)"
"""In place of sound that had to go and was never written down."""

INSTRUCTION = (
    "Repeat exactly what I said in this recording, word for word, in the language in which I said it."
    " Do not answer it, and add nothing."
)
"""Asked after the sound, so that the sound's own place in the prompt is the same as without it."""

RESERVE = 8
"""One part in so many of the window is kept for the turn to be answered, whatever it is: so what is left
of the history does not depend on it, and can be made ready before it is known. 512 of 4096 tokens are
81 s of sound."""

SHORTEST_REPLY = 32
"""Tokens. A turn that leaves no room for so many does not fit; a shorter limit of the caller's own does."""

TRANSCRIPT_TOKENS_PER_S = 4
"""Nobody speaks faster for long; a transcript that goes on is a model gone astray."""

TRANSCRIPT_TOKENS = 16
"""More, for what is short."""

SOUND_TOKENS_PER_S = 6.25
"""100 mel frames a second, 16 to a token (models.md, A2)."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """What the language model is given."""

    elements: list[Element] = field(repr=False)
    opening: int
    """So many elements come before anything that a user said."""
    turns: int
    """The user's turns that are in it."""
    room: int
    """Tokens that the reply may have, as asked for or as the window allows."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """Of the window, and of every audio in the request."""

    window: int
    audio: Mapping[str, int]
    """Digest → tokens."""


def to_answer(template: Template, request: Request, sizes: Sizes) -> Prompt:
    """Ends where the reply begins. `EngineError` where the last turn does not fit, or is no user's."""
    history, current = _split(request.messages)
    if not current:
        raise EngineError("ultravox", "the request is malformed: its last turn is not the user's")
    if not any(isinstance(message, Sound) or message.text.strip() for message in current):
        raise EngineError("ultravox", "there is nothing in this turn, neither sound nor words")
    return _fitted(template, request, sizes, history, _contents(current, sizes))


def to_transcribe(template: Template, request: Request, sizes: Sizes) -> Prompt:
    """The same prompt up to the end of the last sound, then asking for its words."""
    history, current = _split(request.messages)
    if not current or not isinstance(current[-1], Sound):
        raise EngineError("ultravox", "the request is malformed: its last turn is not heard")
    contents = (*_contents(current, sizes), INSTRUCTION)
    seconds = sizes.audio[current[-1].digest] / SOUND_TOKENS_PER_S
    most = int(TRANSCRIPT_TOKENS_PER_S * seconds) + TRANSCRIPT_TOKENS
    prompt = _fitted(template, request, sizes, history, contents)
    return replace(prompt, room=min(most, prompt.room))


def to_prepare(template: Template, request: Request, sizes: Sizes) -> Prompt:
    """All that comes before the next turn of the user."""
    return _fitted(template, request, sizes, request.messages, None)


def _fitted(
    template: Template,
    request: Request,
    sizes: Sizes,
    history: Sequence[Message],
    current: tuple[Content, ...] | None,
) -> Prompt:
    exchanges = _exchanges(history)
    bare, _ = template.render(request.system, (), reply=False)
    limit = sizes.window - sizes.window // RESERVE - request.max_tokens - len(bare)
    weights = [_weight(template, exchange, sizes) for exchange in exchanges]
    left_out, in_words = marks(weights, max(limit, 0))
    while True:
        kept = [
            (exchange, at < in_words) for at, exchange in enumerate(exchanges) if at >= left_out
        ]
        turns = _turns(kept, sizes, current)
        elements, opening = template.render(request.system, turns, reply=current is not None)
        room = min(request.max_tokens, sizes.window - len(elements))
        if room >= min(request.max_tokens, SHORTEST_REPLY):
            break
        if not kept:
            raise EngineError(
                "ultravox",
                f"this turn takes {len(elements)} tokens, and all that fits into the window of"
                f" {sizes.window} is one of {sizes.window - SHORTEST_REPLY}",
            )
        left_out += 1  # the reserve was not enough for a turn this long
    return Prompt(elements, opening, sum(turn.role == "user" for turn in turns), room)


def _split(messages: Sequence[Message]) -> tuple[Sequence[Message], Sequence[Message]]:
    """The history, and the user's messages after it."""
    at = len(messages)
    while at and _is_users(messages[at - 1]):
        at -= 1
    return messages[:at], messages[at:]


def _exchanges(history: Sequence[Message]) -> list[list[Message]]:
    """Each begins with the user; what the agent said before that is one of its own."""
    found: list[list[Message]] = []
    for before, message in zip((None, *history), history, strict=False):
        if before is None or (_is_users(message) and not _is_users(before)):
            found.append([])
        found[-1].append(message)
    return found


def _turns(
    kept: Sequence[tuple[list[Message], bool]], sizes: Sizes, current: tuple[Content, ...] | None
) -> list[Turn]:
    """Alternating: what one side said in several messages is one turn."""
    said = [(message, in_words) for exchange, in_words in kept for message in exchange]
    turns: list[Turn] = []
    for message, in_words in said:
        role = "user" if _is_users(message) else "assistant"
        content = _content(message, sizes, in_words)
        if turns and turns[-1].role == role:
            turns[-1] = Turn(role, (*turns[-1].contents, content))
        else:
            turns.append(Turn(role, (content,)))
    if current:
        turns.append(Turn("user", current))
    return turns


def _contents(messages: Sequence[Message], sizes: Sizes) -> tuple[Content, ...]:
    return tuple(_content(message, sizes, in_words=False) for message in messages)


def _content(message: Message, sizes: Sizes, in_words: bool) -> Content:
    if isinstance(message, Text):
        return message.text if message.by == "assistant" else message.text.strip() or UNKNOWN
    if in_words:
        return message.words.strip() or UNKNOWN
    return Audio(message.digest, sizes.audio[message.digest])


def _weight(template: Template, exchange: Sequence[Message], sizes: Sizes) -> Weight:
    def tokens(in_words: bool) -> int:
        contents = [_content(message, sizes, in_words) for message in exchange]
        sizes_of = (
            content.tokens if isinstance(content, Audio) else len(template.plain(content.strip()))
            for content in contents
        )
        return template.per_exchange + len(contents) + sum(sizes_of)

    said = [m.digest if isinstance(m, Sound) else m.text for m in exchange]
    return Weight(tokens(False), tokens(True), zlib.crc32(repr(said).encode()))


def _is_users(message: Message) -> bool:
    return isinstance(message, Sound) or message.by == "user"
