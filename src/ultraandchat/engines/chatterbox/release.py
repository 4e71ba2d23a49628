"""The files of a release of Chatterbox at the hub, and how large they are. No torch: `check` asks, too."""

from ultraandchat.engines.chatterbox.variants import Variant, VariantName

VOICE = "conds.pt"
"""The voice that comes with a release. Not every copy has it."""

BESIDE = ("added_tokens.json", "special_tokens_map.json", "tokenizer.json")
"""What else the tokenizer of Turbo reads, where it is there."""

BYTES: dict[VariantName, int] = {
    "turbo": 2_990_000_000,
    "original": 3_200_000_000,
    "multilingual": 3_210_000_000,
}
"""Of what is downloaded, about: the parameters of T3 (Turbo's word embedding among them), S3Gen and the encoder of
voices, in float32."""


def patterns(variant: Variant) -> tuple[str, ...]:
    """What to fetch of a repository."""
    return (*needed(variant), *BESIDE, VOICE)


def needed(variant: Variant) -> tuple[str, ...]:
    """Names without which nothing can be loaded."""
    weights = (variant.tokens_file, variant.sound_file, variant.voice_file)
    return (*weights, *variant.tokenizer_files)


def download_bytes(variant: Variant) -> int:
    """About how many: no hub is asked."""
    return BYTES[variant.name]
