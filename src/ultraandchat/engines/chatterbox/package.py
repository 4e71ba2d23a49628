"""chatterbox-tts's classes, imported once, and quiet from then on.

The package prints from within its models, shows progress bars, writes to the root logger and warns of what its
dependencies will drop one day. None of that is for an operator. Its errors are raised, and those come through.
"""

import logging
import warnings
from dataclasses import dataclass
from functools import cache
from typing import Any

from ultraandchat.engines.chatterbox.fitness import (
    EXTRA,
    NO_DEPS,
    SETUPTOOLS,
    installed,
    require,
    unfit,
)

NOISY = "chatterbox|perth|pkg_resources|s3tokenizer|conformer|diffusers|librosa|omegaconf|audioread"
"""Modules whose warnings are about their dependencies and their future."""


OF_TORCH = r".?torch\.backends\.cuda\.sdp_kernel"
"""What torch says of T3's perceiver, as if contextlib had called it."""


@dataclass(frozen=True, slots=True)
class Package:
    """What is used of it."""

    T3: Any
    T3Config: Any
    T3Cond: Any
    S3Gen: Any
    VoiceEncoder: Any
    EnTokenizer: Any
    MTLTokenizer: Any
    backbones: dict[str, dict[str, Any]]
    """`LLAMA_CONFIGS`, which T3 reads when it is made."""
    punc_norm: dict[str, Any]
    """Of each variant, by its name: text as it was in training."""
    Cangjie: Any
    """`ChineseCangjieConverter`: Chinese characters as the keys that write them."""
    rewrite: dict[str, Any]
    """Language → what rewrites its text, and gives it back as it was where a library lacks."""
    set_loudness: Any
    """`ChatterboxTurboTTS.norm_loudness`: (self, wav, rate) → wav; it does not look at self."""
    Watermarker: Any
    """`perth.PerthImplicitWatermarker`."""


@cache
def package() -> Package:
    """Imports it: some seconds. `EngineUnavailable` where a package is missing, or of a wrong version."""
    require(installed())
    warnings.filterwarnings("ignore", module=f"({NOISY})(\\.|$)")
    warnings.filterwarnings("ignore", message=OF_TORCH, category=FutureWarning)
    try:
        found = _imported()
    except (ImportError, OSError, RuntimeError) as error:
        first = str(error).partition("\n")[0]
        raise unfit(
            f"chatterbox-tts cannot be imported ({first})", f"{EXTRA} && {NO_DEPS}"
        ) from error
    if found.Watermarker is None:
        raise unfit("resemble-perth cannot be imported, as it lacks pkg_resources", SETUPTOOLS)
    _be_quiet()
    return found


def _imported() -> Package:
    import perth
    from chatterbox import mtl_tts, tts, tts_turbo
    from chatterbox.models.t3.llama_configs import LLAMA_CONFIGS
    from chatterbox.models.tokenizers import tokenizer

    return Package(
        T3=tts.T3,
        T3Config=tts_turbo.T3Config,
        T3Cond=tts.T3Cond,
        S3Gen=tts.S3Gen,
        VoiceEncoder=tts.VoiceEncoder,
        EnTokenizer=tts.EnTokenizer,
        MTLTokenizer=mtl_tts.MTLTokenizer,
        backbones=LLAMA_CONFIGS,
        punc_norm={
            "turbo": tts_turbo.punc_norm,
            "original": tts.punc_norm,
            "multilingual": mtl_tts.punc_norm,
        },
        Cangjie=tokenizer.ChineseCangjieConverter,
        rewrite={"ja": tokenizer.hiragana_normalize, "he": tokenizer.add_hebrew_diacritics},
        set_loudness=tts_turbo.ChatterboxTurboTTS.norm_loudness,
        Watermarker=perth.PerthImplicitWatermarker,
    )


def _be_quiet() -> None:
    """Where a module of the package prints, shows a bar or uses the root logger, its own names are replaced:
    nothing that others share is touched, and nothing is caught."""
    from chatterbox import tts_turbo
    from chatterbox.models.s3gen import flow, flow_matching, hifigan, s3gen
    from chatterbox.models.s3gen.utils import mask
    from diffusers.utils import logging as diffusers_logging
    from perth.perth_net.perth_net_implicit.model import perth_net
    from transformers.utils import logging as transformers_logging

    for module in (flow_matching, hifigan, s3gen, perth_net, tts_turbo):
        module.print = _say_nothing
    flow_matching.tqdm = _no_bar
    log = logging.getLogger("chatterbox")
    log.setLevel(logging.ERROR)
    for module in (flow, mask, s3gen):
        module.logging = log  # logging.info() and the like, which also set up the root logger
    transformers_logging.set_verbosity_error()
    diffusers_logging.set_verbosity_error()


def _say_nothing(*words: object, **how: object) -> None:
    """In the place of `print`."""


def _no_bar(steps: Any, **how: object) -> Any:
    """In the place of `tqdm`."""
    return steps
