"""A conversation as an OpenAI-compatible chat server wants it: alternating, bounded, as heard."""

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias, TypeVar

from ultraandchat.dialogue.history import Conversation, Exchange

T = TypeVar("T")
Content: TypeAlias = str | list[Any]
"""Text, or content parts: those made by `text_part`, and others that are not looked into here."""
Message: TypeAlias = dict[str, Any]

LONGEST_CHARS = 24_000
"""Of all earlier exchanges together, about 6,000 tokens; the oldest are left out first."""
CUT_SHORT = " …"
_CUT_NOTE = 'An earlier answer of yours that ends in "…" was cut off there by the user.'


def messages(
    system_prompt: str,
    question: Content | None,
    conversation: Conversation,
    max_exchanges: int,
    said: Callable[[Exchange], Content] = lambda exchange: exchange.words,
) -> list[Message]:
    """System prompt, history and question, where there is one. `said` is what the user said in an
    earlier exchange. Many chat templates refuse anything but turns that alternate and begin with the
    user, so neighbours are joined and a greeting is left out."""
    earlier: list[Message] = []
    any_cut = False
    for exchange in newest(conversation.exchanges, max_exchanges):
        if content := said(exchange):
            _add(earlier, "user", content)
        if exchange.reply:
            any_cut |= exchange.cut_short
            _add(earlier, "assistant", exchange.reply + (CUT_SHORT if exchange.cut_short else ""))
    earlier = _bounded(earlier)
    if question is not None:
        _add(earlier, "user", question)
    system = f"{system_prompt} {_CUT_NOTE}".strip() if any_cut else system_prompt
    return [{"role": "system", "content": system}, *earlier] if system else earlier


def newest(items: Sequence[T], count: int) -> Sequence[T]:
    """The last `count`, which may be none of them."""
    return items[-count:] if count > 0 else ()


def text_part(text: str) -> Message:
    """A text among content parts."""
    return {"type": "text", "text": text}


def _add(found: list[Message], role: str, content: Content) -> None:
    if found and found[-1]["role"] == role:
        found[-1] = {"role": role, "content": _joined(found[-1]["content"], content)}
    else:
        found.append({"role": role, "content": content})


def _joined(first: Content, second: Content) -> Content:
    if isinstance(first, str) and isinstance(second, str):
        return f"{first}\n{second}"
    return [*_parts(first), *_parts(second)]


def _parts(content: Content) -> list[Any]:
    return [text_part(content)] if isinstance(content, str) else content


def _bounded(earlier: Sequence[Message]) -> list[Message]:
    kept: list[Message] = []
    room = LONGEST_CHARS
    for message in reversed(earlier):
        room -= _chars(message["content"])
        if room < 0:
            break
        kept.insert(0, message)
    while kept and kept[0]["role"] != "user":
        del kept[0]
    return kept


def _chars(content: Content) -> int:
    if isinstance(content, str):
        return len(content)
    return sum(len(part["text"]) for part in content if isinstance(part, dict))
