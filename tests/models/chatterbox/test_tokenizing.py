"""Text becomes the package's numbers, in languages that can really be written here."""

import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from tests.models.chatterbox.conftest import Release
from tests.models.chatterbox.test_load import linked
from ultraandchat.engines.base import EngineError, EngineUnavailable
from ultraandchat.engines.chatterbox.package import package
from ultraandchat.engines.chatterbox.tokenizing import SEGMENTER, TextTokenizer
from ultraandchat.engines.chatterbox.variants import VARIANTS, VariantName

pytestmark = pytest.mark.timeout(300)
"""Gigabytes of weights, on a machine that may have other things to do."""


Tokenizers = Callable[[VariantName], TextTokenizer]

NAMES: tuple[VariantName, ...] = ("turbo", "original", "multilingual")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "text", ["hello there — you said: “three”… and then", "Why?", "x", "42 — 17", "[laugh]"]
)
def test_text_becomes_the_packages_numbers(
    name: VariantName, text: str, tokenizers: Tokenizers
) -> None:
    spoken = tokenizers(name)
    cleaned = package().punc_norm[name](text)
    if name == "turbo":
        expected = spoken.inner(cleaned, return_tensors="pt", padding=False).input_ids
    elif name == "original":
        expected = spoken.inner.text_to_tokens(cleaned)
    else:
        expected = spoken.inner.text_to_tokens(cleaned, language_id="en")
    assert spoken(text, "en") == expected[0].tolist()


def test_the_language_stands_before_the_text(tokenizers: Tokenizers) -> None:
    spoken = tokenizers("multilingual")
    german, french = spoken("hallo", "de"), spoken("hallo", "fr")
    assert german[0] != french[0]
    assert german[1:] == french[1:]


def test_a_tag_of_turbo_is_one_number(tokenizers: Tokenizers) -> None:
    assert 50_257 in tokenizers("turbo")("Well [laugh] yes", "en")


def test_a_vocabulary_must_fit_its_t3(tokenizers: Tokenizers) -> None:
    for name, rows in (("turbo", 50_276), ("original", 704), ("multilingual", 2454)):
        tokenizers(name).require_rows(rows)  # type: ignore[arg-type]
    with pytest.raises(EngineUnavailable, match="has 50276 tokens, and T3 was made for 704"):
        tokenizers("turbo").require_rows(704)


@pytest.mark.parametrize("content", ["no JSON", "{}", '{"model": {"vocab": {"[START]": 255}}}'])
def test_a_file_that_is_no_tokenizer_is_refused(
    content: str, releases: Release, tmp_path: Path
) -> None:
    folder = linked(releases("original"), tmp_path / "mute", but=("tokenizer.json",))
    (folder / "tokenizer.json").write_text(content)
    with pytest.raises(EngineUnavailable, match=r"tokenizer\.json lacks"):
        TextTokenizer.read(folder, VARIANTS["original"], package())


@pytest.mark.parametrize("content", ["no JSON", "{}", "[1]", '["one word"]'])
def test_a_table_for_chinese_that_is_none_is_refused(
    content: str, releases: Release, tmp_path: Path
) -> None:
    folder = linked(releases("multilingual"), tmp_path / "mute", but=("Cangjie5_TC.json",))
    (folder / "Cangjie5_TC.json").write_text(content)
    with pytest.raises(EngineUnavailable, match=r"Cangjie5_TC\.json is no table"):
        TextTokenizer.read(folder, VARIANTS["multilingual"], package())


def test_languages_are_those_whose_front_end_works(tokenizers: Tokenizers) -> None:
    tokenizer = tokenizers("multilingual")
    spoken = set(tokenizer.languages())
    assert {"de", "en", "ko", "ru"} <= spoken
    assert "he" not in spoken  # the package's front end for it has never worked
    with pytest.raises(EngineError, match="he cannot be spoken here, as dicta-onnx"):
        tokenizer("שלום", "he")
    with pytest.raises(EngineError, match="does not speak xx"):
        tokenizer("hello", "xx")
    with pytest.raises(EngineError, match="turbo does not speak de, but en"):
        tokenizers("turbo")("guten Tag", "de")


def test_chinese_is_spoken_where_its_segmenter_and_that_ones_model_are(
    releases: Release, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = ModuleType("spacy_pkuseg")

    class Segmenter:
        def cut(self, text: str) -> list[str]:
            return [text[:2], text[2:]]

    module.pkuseg = Segmenter  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "spacy_pkuseg", module)
    monkeypatch.setenv("PKUSEG_HOME", str(tmp_path))
    folder, variant = releases("multilingual"), VARIANTS["multilingual"]
    assert "zh" not in TextTokenizer.read(folder, variant, package()).languages()
    (tmp_path / SEGMENTER).mkdir()
    spoken = TextTokenizer.read(folder, variant, package())
    assert "zh" in spoken.languages()
    assert "[cj_o][cj_n][cj_f][cj_.]" in spoken.inner.cangjie_converter("你好世界")
    assert 1 not in spoken("你好世界", "zh")  # nothing of it is unknown


def test_japanese_is_spoken_where_what_reads_it_is(
    releases: Release, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, variant = releases("multilingual"), VARIANTS["multilingual"]
    monkeypatch.setitem(sys.modules, "pykakasi", None)  # as where it is not installed
    assert "ja" not in TextTokenizer.read(folder, variant, package()).languages()
    monkeypatch.setitem(package().rewrite, "ja", lambda text: "かんじ")
    assert "ja" in TextTokenizer.read(folder, variant, package()).languages()
