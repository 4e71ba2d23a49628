"""A conversation in the language model's own chat template, with what people said kept out of its reach.

The template is given a mark where each content belongs. What lies between the marks is its own and may
be special tokens; the contents are put in afterwards, as plain text or as sound. So whatever somebody
types, "<|audio|>" or "<|eot_id|>", is only characters.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeAlias

from jinja2 import TemplateError

from ultraandchat.engines.base import EngineUnavailable
from ultraandchat.engines.ultravox.slots import Element

MARK = "\ue000{}\ue001"
"""Private characters: no template has them, and what people said never meets the template."""

BEGINS = "(The conversation begins.)"
"""Said for the user where a template does not let the agent speak first."""


@dataclass(frozen=True, slots=True)
class Audio:
    """A sound among the contents of a message."""

    digest: str
    tokens: int
    """As many places it takes."""


Content: TypeAlias = str | Audio


@dataclass(frozen=True, slots=True)
class Turn:
    """One side's turn: everything it said until the other side did."""

    role: str
    contents: tuple[Content, ...]


class Template:
    """The chat template of a tokenizer. `EngineUnavailable` where it cannot hold a conversation."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self._control = _control_tokens(tokenizer)
        self.plain = lru_cache(maxsize=4096)(self._plain)
        self._literal = lru_cache(maxsize=1024)(self._encode)
        said = Turn("user", ("",)), Turn("assistant", ("",))
        if not tokenizer.chat_template:
            raise EngineUnavailable(
                "ultravox",
                "the language model's tokenizer has no chat template",
                "Set engines.ultravox.text_model to an instruction-tuned model.",
            )
        self._agent_may_begin = True
        try:
            self.render("x", (said[0],))
        except TemplateError as error:
            raise EngineUnavailable(
                "ultravox",
                f"the language model's chat template takes no system prompt ({error})",
                "Set engines.ultravox.text_model to a model whose template does.",
            ) from None
        try:
            self.render("x", (said[1], said[0]))
        except TemplateError:
            self._agent_may_begin = False
        one, two = (len(self.render("x", turns)[0]) for turns in ((said[0],), (*said, said[0])))
        self.per_exchange = two - one
        """Tokens that the template itself adds for each exchange."""

    def render(
        self, system: str, turns: Sequence[Turn], *, reply: bool = True
    ) -> tuple[list[Element], int]:
        """The elements, and where the first user's content begins (at the end, where there is none).

        `turns` alternate. With `reply` they end where the assistant's begins, else where the next
        user's content would.
        """
        if not reply and not (turns and turns[-1].role == "user"):
            turns = (*turns, Turn("user", ("",)))
        if turns and turns[0].role == "assistant" and not self._agent_may_begin:
            turns = (Turn("user", (BEGINS,)), *turns)
        contents: list[tuple[Content, ...]] = [turn.contents for turn in turns]
        messages = [
            {"role": turn.role, "content": MARK.format(at)} for at, turn in enumerate(turns)
        ]
        if system:
            messages.insert(0, {"role": "system", "content": MARK.format(len(contents))})
            contents.append((system,))
        text: str = self._tokenizer.apply_chat_template(
            messages,
            tokenize=False,
            add_generation_prompt=reply,
            enable_thinking=False,  # for templates that know it: nobody wants to hear a model think
        )
        pieces = re.split("\ue000([0-9]+)\ue001", text)
        self._check(pieces[1::2], len(turns), bool(system))
        elements: list[Element] = []
        opening: int | None = None
        for at, piece in enumerate(pieces):
            if at % 2 == 0:
                elements += self._literal(piece)
                continue
            number = int(piece)
            if opening is None and number < len(turns) and turns[number].role == "user":
                opening = len(elements)
            elements += self.elements(contents[number])
            if not reply and number == len(turns) - 1:
                break
        return elements, len(elements) if opening is None else opening

    def elements(self, contents: Iterable[Content]) -> list[Element]:
        """Of one turn's contents, each on a line of its own."""
        found: list[Element] = []
        for content in contents:
            if found:
                found += self._literal("\n")
            if isinstance(content, str):
                found += self.plain(content.strip())
            else:
                found += [(content.digest, at) for at in range(content.tokens)]
        return found

    def _check(self, numbers: Sequence[str], turns: int, system: bool) -> None:
        expected = [str(turns)] if system else []
        expected += [str(at) for at in range(turns)]
        if list(numbers) != expected:
            raise EngineUnavailable(
                "ultravox",
                "the language model's chat template does not show every message once, in order",
                "Set engines.ultravox.text_model to a model whose template does.",
            )

    def _plain(self, text: str) -> tuple[int, ...]:
        """`text` as characters: nothing in it is a special token, or one of the template's."""
        found: list[int] = []
        start = 0
        for match in self._control.finditer(text) if self._control else ():
            # Cut after its first character, it is nowhere to be seen, nor is one that overlaps it.
            found += self._encode(text[start : match.start() + 1])
            start = match.start() + 1
        return (*found, *self._encode(text[start:]))

    def _encode(self, text: str) -> tuple[int, ...]:
        return tuple(self._tokenizer.encode(text, add_special_tokens=False))


def _control_tokens(tokenizer: Any) -> re.Pattern[str] | None:
    """Special tokens, and added ones that the chat template writes."""
    template = str(tokenizer.chat_template)
    control = {
        token.content
        for token in tokenizer.added_tokens_decoder.values()
        if len(token.content) > 1 and (token.special or token.content in template)
    }
    if not control:
        return None
    return re.compile(f"(?={'|'.join(re.escape(content) for content in control)})")
