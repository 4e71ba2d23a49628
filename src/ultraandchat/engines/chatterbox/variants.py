"""The releases of Chatterbox that can speak here: their files, and the numbers they were made for.

Read in chatterbox-tts 0.1.7 (`tts_turbo.py`, `tts.py`, `mtl_tts.py`). No torch.
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias

VariantName: TypeAlias = Literal["turbo", "original", "multilingual"]

ENGINE = "chatterbox"
"""As `/health` names it."""

RATE = 24_000
"""Hz of all that Chatterbox makes."""

CLIP_RATE = 16_000
"""Hz at which it hears a reference clip, but for its timbre."""

TOKEN_RATE = 25
"""Speech tokens in a second."""

FRAMES_PER_TOKEN = 2
"""Frames of the mel spectrogram."""

SAMPLES_PER_FRAME = 480
"""At `RATE`."""

SPEECH_TOKENS = 6561
"""Tokens below this number are sound."""

START_TOKEN, STOP_TOKEN = 6561, 6562

SILENCE_TOKEN = 4299
"""`S3GEN_SIL`: 40 ms of silence."""

WINDOW = 1536
"""Positions that a clause needs at most: a voice's 376, a text of 160, and the 1000 speech tokens (40 s) after
which the package stops too."""

TAGS = ("laugh", "chuckle", "cough", "sigh", "gasp", "groan", "sniff", "shush", "clear throat")
"""What Turbo makes of `[laugh]` and the like: the tags of its demonstration. Only `[laugh]`, `[cough]` and
`[chuckle]` are in its model card."""

LANGUAGES = (
    "ar", "da", "de", "el", "en", "es", "fi", "fr", "he", "hi", "it", "ja", "ko", "ms", "nl", "no", "pl", "pt",
    "ru", "sv", "sw", "tr", "zh",
)  # fmt: skip
"""Codes of `SUPPORTED_LANGUAGES`."""


@dataclass(frozen=True, slots=True)
class Variant:
    """One release."""

    name: VariantName
    repository: str
    tokens_file: str
    """T3, which writes speech tokens."""
    sound_file: str
    """S3Gen, which makes sound of them."""
    voice_file: str
    """The encoder of a speaker's voice."""
    tokenizer_files: tuple[str, ...]
    """Needed; the first of them names the tokenizer."""
    guided: bool
    """Classifier-free guidance: every pass is made twice, with and without the text."""
    emotional: bool
    """It has a measure of exaggeration."""
    steps: int
    """Of its flow decoder."""
    clip_s: float
    """Seconds of a reference clip that T3 hears; S3Gen takes its first 10."""
    shortest_clip_s: float
    """A reference clip must be longer."""
    languages: tuple[str, ...]
    tags: tuple[str, ...]
    temperature: float
    top_k: int
    """0: all."""
    top_p: float
    min_p: float
    repetition_penalty: float
    guidance: float
    exaggeration: float


TURBO = Variant(
    name="turbo",
    repository="ResembleAI/chatterbox-turbo",
    tokens_file="t3_turbo_v1.safetensors",
    sound_file="s3gen_meanflow.safetensors",
    voice_file="ve.safetensors",
    tokenizer_files=("vocab.json", "merges.txt", "tokenizer_config.json"),
    guided=False,
    emotional=False,
    steps=2,
    clip_s=15.0,
    shortest_clip_s=5.0,
    languages=("en",),
    tags=TAGS,
    temperature=0.8,
    top_k=1000,
    top_p=0.95,
    min_p=0.0,
    repetition_penalty=1.2,
    guidance=0.0,
    exaggeration=0.0,
)

ORIGINAL = Variant(
    name="original",
    repository="ResembleAI/chatterbox",
    tokens_file="t3_cfg.safetensors",
    sound_file="s3gen.safetensors",
    voice_file="ve.safetensors",
    tokenizer_files=("tokenizer.json",),
    guided=True,
    emotional=True,
    steps=10,
    clip_s=6.0,
    shortest_clip_s=3.0,
    languages=("en",),
    tags=(),
    temperature=0.8,
    top_k=0,
    top_p=1.0,
    min_p=0.05,
    repetition_penalty=1.2,
    guidance=0.5,
    exaggeration=0.5,
)

MULTILINGUAL = Variant(
    name="multilingual",
    repository="ResembleAI/chatterbox",
    tokens_file="t3_mtl23ls_v2.safetensors",
    sound_file="s3gen.pt",
    voice_file="ve.pt",
    tokenizer_files=("grapheme_mtl_merged_expanded_v1.json", "Cangjie5_TC.json"),
    guided=True,
    emotional=True,
    steps=10,
    clip_s=6.0,
    shortest_clip_s=3.0,
    languages=LANGUAGES,
    tags=(),
    temperature=0.8,
    top_k=0,
    top_p=1.0,
    min_p=0.05,
    repetition_penalty=2.0,
    guidance=0.5,
    exaggeration=0.5,
)

VARIANTS: dict[VariantName, Variant] = {one.name: one for one in (TURBO, ORIGINAL, MULTILINGUAL)}
