"""Tokens as text while they come: whole characters only, spaces where the tokenizer means them, and the
tokens that end a reply."""

import json
from typing import Any

UNFINISHED = "\ufffd"
"""What a decoder shows for bytes that are no whole character (yet)."""

MOST_BYTES = 8
"""Tokens. A character has at most four bytes, so one that is still unfinished after this will never be."""

SETTINGS = "generation_config.json"

ENDS_OF_TURN = ("<|eot_id|>", "<|eom_id|>", "<|im_end|>", "<end_of_turn>")
"""Of Llama 3 (a turn, a message), Qwen and Gemma."""


def end_tokens(tokenizer: Any, checkpoint: Any) -> frozenset[int]:
    """Whatever ends a reply: what the model's generation settings name, and the known ends of a turn."""
    settings: dict[str, Any] = {}
    for folder in (checkpoint.text_folder, checkpoint.folder):
        if folder is not None and not settings and (folder / SETTINGS).exists():
            settings = json.loads((folder / SETTINGS).read_bytes())
    found: set[int] = set()
    for named in (settings.get("eos_token_id"), tokenizer.eos_token_id):
        found.update(named if isinstance(named, list) else [] if named is None else [named])
    vocabulary = tokenizer.get_vocab()
    found.update(vocabulary[name] for name in ENDS_OF_TURN if name in vocabulary)
    return frozenset(found)


class Spelling:
    """One reply's text. Stop tokens and other special ones are never part of it."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        # A token may mean a leading space only when another stands before it, and one character may be
        # several tokens. So each stretch is decoded together with the one before it, and what that one
        # alone decodes to is taken off.
        self._context: list[int] = []
        self._fresh: list[int] = []

    def add(self, token: int) -> str:
        """The characters that `token` completes; often one word or a part of it, sometimes none."""
        self._fresh.append(token)
        text = self._text()
        if text.endswith(UNFINISHED) and len(self._fresh) < MOST_BYTES:
            return ""
        if text:
            self._context, self._fresh = self._fresh, []
        return text

    def finish(self) -> str:
        """What is still held back, without a character that the end cut in two."""
        text = self._text() if self._fresh else ""
        self._fresh = []
        return text.rstrip(UNFINISHED)

    def _text(self) -> str:
        before = self._decoded(self._context)
        return self._decoded(self._context + self._fresh)[len(before) :]

    def _decoded(self, tokens: list[int]) -> str:
        text: str = self._tokenizer.decode(
            tokens, skip_special_tokens=True, clean_up_tokenization_spaces=False
        )
        return text
