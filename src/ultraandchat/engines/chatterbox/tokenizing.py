"""Text into the numbers that T3 reads, with the package's tokenizers and its clean-up of punctuation.

Some languages are first rewritten by a library of their own, and the package goes on without it where it is
missing, with words that the model never saw. Here such a language is not offered, and refused when asked for.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tokenizers import Tokenizer as Vocabulary
from transformers import AutoTokenizer

from ultraandchat.engines.base import EngineError, EngineUnavailable
from ultraandchat.engines.chatterbox.package import Package
from ultraandchat.engines.chatterbox.variants import ENGINE, Variant
from ultraandchat.engines.weights.tensors import FETCH_AGAIN

SPECIAL = ("[START]", "[STOP]", "[UNK]", "[SPACE]")
"""What a vocabulary must have: the package writes spaces so, and checks for the first two itself."""

FRONT_ENDS: Mapping[str, str] = {"zh": "spacy-pkuseg", "ja": "pykakasi", "he": "dicta-onnx"}
"""Language → the package that its text front end needs. (Russian has one for stress, and is spoken without.)"""

SAMPLES: Mapping[str, str] = {"zh": "你好世界", "ja": "漢字", "he": "שלום"}
"""Words that a front end which works writes otherwise. zh is not asked for: see `SEGMENTER`."""

SEGMENTER: Final = "spacy_ontonotes"
"""The folder of spacy-pkuseg's model in PKUSEG_HOME (else ~/.pkuseg). Where it lacks the library downloads it
without asking, so Chinese is spoken only where it is there."""

CANGJIE: Final = "Cangjie5_TC.json"


@dataclass(frozen=True, slots=True)
class TextTokenizer:
    """A variant's tokenizer: the role `Tokenizer`."""

    variant: Variant
    inner: Any
    """transformers' tokenizer of GPT-2, or the package's EnTokenizer or MTLTokenizer."""
    clean: Any
    """The package's `punc_norm` of this variant."""
    vocabulary: int
    """Numbers that it may give: 0 … vocabulary - 1."""
    spoken: tuple[str, ...]

    @classmethod
    def read(cls, folder: Path, variant: Variant, package: Package) -> "TextTokenizer":
        """From the checkpoint's files. `EngineUnavailable` where they are no tokenizer of this variant."""
        clean = package.punc_norm[variant.name]
        if variant.name == "turbo":
            inner = _of_gpt2(folder)
            return cls(variant, inner, clean, len(inner), variant.languages)
        file = folder / variant.tokenizer_files[0]
        vocabulary = _vocabulary(file)
        if variant.name == "original":
            inner = package.EnTokenizer(str(file))
            return cls(variant, inner, clean, vocabulary.get_vocab_size(), variant.languages)
        inner = _multilingual(package, vocabulary, folder / CANGJIE)
        spoken = tuple(each for each in variant.languages if _works(package, inner, each))
        return cls(variant, inner, clean, vocabulary.get_vocab_size(), spoken)

    def __call__(self, text: str, language: str) -> list[int]:
        """The numbers of one clause, without start and stop.

        `EngineError` for a language that cannot be written here.
        """
        if language not in self.spoken:
            raise EngineError(ENGINE, self._unspoken(language))
        cleaned = self.clean(text)
        if self.variant.name == "turbo":
            return [int(each) for each in self.inner(cleaned, truncation=True)["input_ids"]]
        if self.variant.name == "original":
            return [int(each) for each in self.inner.encode(cleaned)]
        return [int(each) for each in self.inner.encode(cleaned, language_id=language)]

    def languages(self) -> tuple[str, ...]:
        """Codes of those that can be spoken with what is installed."""
        return self.spoken

    def require_rows(self, rows: int) -> None:
        """`EngineUnavailable` where T3's embedding of text (of so many rows) is another vocabulary's: a number past
        its end would spoil the device, and Turbo's tags are its last rows."""
        fits = self.vocabulary == rows if self.variant.name == "turbo" else self.vocabulary <= rows
        if not fits:
            raise EngineUnavailable(
                ENGINE,
                f"the tokenizer has {self.vocabulary} tokens, and T3 was made for {rows}",
                f"Use all files of one release. {FETCH_AGAIN}",
            )

    def _unspoken(self, language: str) -> str:
        if language in self.variant.languages and (package := FRONT_ENDS.get(language)):
            return (
                f"{language} cannot be spoken here, as {package} is not installed or does not work"
            )
        known = " ".join(self.spoken)
        return f"Chatterbox {self.variant.name} does not speak {language}, but {known}"


def _of_gpt2(folder: Path) -> Any:
    try:
        return AutoTokenizer.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError, KeyError) as error:
        raise EngineUnavailable(
            ENGINE, f"{folder} holds no tokenizer that can be read", FETCH_AGAIN
        ) from error


def _vocabulary(file: Path) -> Vocabulary:
    """The library raises bare exceptions, so the file is looked at first."""
    try:
        model = json.loads(file.read_text("utf-8"))["model"]
        missing = [each for each in SPECIAL if each not in model["vocab"]]
    except (OSError, ValueError, KeyError, TypeError):
        missing = ["a vocabulary"]
    if missing:
        raise EngineUnavailable(ENGINE, f"{file} lacks {' and '.join(missing)}", FETCH_AGAIN)
    return Vocabulary.from_file(str(file))


def _multilingual(package: Package, vocabulary: Vocabulary, cangjie: Path) -> Any:
    """The package's MTLTokenizer, made of parts: its own way downloads the table for Chinese."""
    inner = package.MTLTokenizer.__new__(package.MTLTokenizer)
    inner.tokenizer = vocabulary
    inner.cangjie_converter = _chinese(package, cangjie)
    return inner


def _chinese(package: Package, table: Path) -> Any:
    kind = package.Cangjie
    converter = kind.__new__(kind)
    converter.word2cj, converter.cj2word, converter.segmenter = {}, {}, None
    try:
        entries: list[str] = json.loads(table.read_text("utf-8"))
        for entry in entries[:]:  # of anything but a list that is an error
            word, code = entry.split("\t")[:2]
            converter.word2cj[word] = code
            converter.cj2word.setdefault(code, []).append(word)
    except (OSError, ValueError, AttributeError, TypeError, KeyError) as error:
        raise EngineUnavailable(
            ENGINE, f"{table} is no table of Cangjie codes", FETCH_AGAIN
        ) from error
    home = Path(os.environ.get("PKUSEG_HOME", "~/.pkuseg")).expanduser()
    if (home / SEGMENTER).is_dir():
        converter._init_segmenter()
    return converter


def _works(package: Package, inner: Any, language: str) -> bool:
    """That the language's own front end is there and does something; true for those without one."""
    if language not in FRONT_ENDS:
        return True
    if language == "zh":
        return inner.cangjie_converter.segmenter is not None
    return bool(package.rewrite[language](SAMPLES[language]) != SAMPLES[language])
