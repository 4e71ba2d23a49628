"""A conversation as an OpenAI-compatible chat server wants it: alternating, bounded, as heard."""

from collections.abc import Sequence
from typing import TypeAlias

from ultraandchat.dialogue.history import Conversation

Message: TypeAlias = dict[str, str]

LONGEST_CHARS = 24_000
"""Of all earlier exchanges together, about 6,000 tokens; the oldest are left out first."""
CUT_SHORT = " …"
_CUT_NOTE = 'An earlier answer of yours that ends in "…" was cut off there by the user.'


def messages(
    system_prompt: str, words: str, conversation: Conversation, max_exchanges: int
) -> list[Message]:
    """System prompt, history and question. Many chat templates refuse anything but turns that
    alternate and begin with the user, so neighbours are joined and a greeting is left out."""
    earlier: list[Message] = []
    any_cut = False
    recent = conversation.exchanges[-max_exchanges:] if max_exchanges > 0 else ()
    for exchange in recent:
        if exchange.words:
            _add(earlier, "user", exchange.words)
        if exchange.reply:
            any_cut |= exchange.cut_short
            _add(earlier, "assistant", exchange.reply + (CUT_SHORT if exchange.cut_short else ""))
    earlier = _newest(earlier)
    _add(earlier, "user", words)
    system = f"{system_prompt} {_CUT_NOTE}".strip() if any_cut else system_prompt
    return [{"role": "system", "content": system}, *earlier] if system else earlier


def _add(found: list[Message], role: str, content: str) -> None:
    if found and found[-1]["role"] == role:
        found[-1] = {"role": role, "content": f"{found[-1]['content']}\n{content}"}
    else:
        found.append({"role": role, "content": content})


def _newest(earlier: Sequence[Message]) -> list[Message]:
    kept: list[Message] = []
    room = LONGEST_CHARS
    for message in reversed(earlier):
        room -= len(message["content"])
        if room < 0:
            break
        kept.insert(0, message)
    while kept and kept[0]["role"] != "user":
        del kept[0]
    return kept
