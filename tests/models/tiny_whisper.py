"""A Whisper of 100,000 random weights, converted as the real ones are: its words are nonsense, all else is real.

The vocabulary is bytes and Whisper's own special tokens. The decoder's positions outweigh what it hears
and said before, and letters outweigh all other tokens, so it says letters, a different one each time.
"""

import json
from pathlib import Path

import torch
from ctranslate2.converters import TransformersConverter
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from transformers import (
    WhisperConfig,
    WhisperFeatureExtractor,
    WhisperForConditionalGeneration,
)
from transformers.models.whisper.tokenization_whisper import LANGUAGES

LETTERS = "abcdefghijklmnopqrstuvwxyz"
WIDTH = 32


def make(folder: Path) -> Path:
    """A folder as faster-whisper opens it."""
    tokenizer = _tokenizer()
    original = folder / "original"
    model = _model(tokenizer)
    model.save_pretrained(original)
    _say_what_it_is(original, tokenizer)
    converted = folder / "converted"
    copied = ["tokenizer.json", "preprocessor_config.json"]
    TransformersConverter(str(original), copy_files=copied).convert(str(converted))
    return converted


def _tokenizer() -> Tokenizer:
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {letter: index for index, letter in enumerate(alphabet)}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    names = ["endoftext", "startoftranscript", *LANGUAGES, "translate", "transcribe", "startoflm"]
    names += ["startofprev", "nospeech", "notimestamps", *(f"{i * 0.02:.2f}" for i in range(1501))]
    tokenizer.add_special_tokens(
        [AddedToken(f"<|{name}|>", special=True, normalized=False) for name in names]
    )
    return tokenizer


def _model(tokenizer: Tokenizer) -> WhisperForConditionalGeneration:
    end = tokenizer.token_to_id("<|endoftext|>")
    config = WhisperConfig(
        vocab_size=tokenizer.get_vocab_size(),
        d_model=WIDTH,
        encoder_layers=1,
        decoder_layers=1,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=2 * WIDTH,
        decoder_ffn_dim=2 * WIDTH,
        num_mel_bins=80,
        pad_token_id=end,
        bos_token_id=end,
        eos_token_id=end,
        decoder_start_token_id=tokenizer.token_to_id("<|startoftranscript|>"),
        suppress_tokens=[],
        begin_suppress_tokens=[end],
    )
    random = torch.Generator().manual_seed(7)
    torch.manual_seed(7)
    model = WhisperForConditionalGeneration(config).eval()
    letters = [tokenizer.token_to_id(letter) for letter in LETTERS]
    with torch.no_grad():
        embedding = model.model.decoder.embed_tokens.weight
        embedding[letters] = 4 * torch.randn(len(letters), WIDTH, generator=random)
        positions = model.model.decoder.embed_positions.weight
        positions.copy_(40 * torch.randn(positions.shape, generator=random))
    return model


def _say_what_it_is(folder: Path, tokenizer: Tokenizer) -> None:
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text('{"tokenizer_class": "WhisperTokenizer"}')
    WhisperFeatureExtractor(feature_size=80).save_pretrained(folder)
    file = folder / "generation_config.json"
    generation = json.loads(file.read_text())
    languages = {name: tokenizer.token_to_id(name) for name in (f"<|{one}|>" for one in LANGUAGES)}
    generation |= {
        "no_timestamps_token_id": tokenizer.token_to_id("<|notimestamps|>"),
        "lang_to_id": languages,
        "alignment_heads": [[0, 0]],
    }
    file.write_text(json.dumps(generation))
