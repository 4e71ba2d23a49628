"""The sizes of a checkpoint's three parts as its `config.json` gives them, and the tensors they mean.

What the configuration leaves out is what transformers would put there (tests/models compares). Kinds that
we cannot compute are refused here, by name. No torch.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ultraandchat.engines.base import EngineUnavailable
from ultraandchat.engines.ultravox.tensors import ENGINE
from ultraandchat.engines.weights.tensors import Shape

SERVED_INSTEAD = "Serve it with vLLM instead (engines.language=ultravox-server)."

WHISPER: dict[str, Any] = {
    "num_mel_bins": 80, "d_model": 384, "encoder_layers": 4, "encoder_attention_heads": 6,
    "encoder_ffn_dim": 1536, "max_source_positions": 1500, "activation_function": "gelu",
    "scale_embedding": False,
}  # fmt: skip
"""transformers' WhisperConfig."""

TEXT: dict[str, dict[str, Any]] = {
    "llama": {
        "vocab_size": 32_000, "hidden_size": 4096, "intermediate_size": 11_008,
        "num_hidden_layers": 32, "num_attention_heads": 32, "max_position_embeddings": 2048,
        "tie_word_embeddings": False,
    },
    "qwen3": {
        "vocab_size": 151_936, "hidden_size": 4096, "intermediate_size": 22_016,
        "num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": 32,
        "head_dim": 128, "max_position_embeddings": 32_768, "tie_word_embeddings": False,
    },
    "gemma3_text": {
        "vocab_size": 262_208, "hidden_size": 2304, "intermediate_size": 9216,
        "num_hidden_layers": 26, "num_attention_heads": 8, "num_key_value_heads": 4,
        "head_dim": 256, "max_position_embeddings": 131_072, "tie_word_embeddings": True,
    },
}  # fmt: skip
"""transformers' LlamaConfig, Qwen3Config and Gemma3TextConfig: the language models of v0.4 to v0.6."""


@dataclass(frozen=True, slots=True)
class AudioShape:
    """A Whisper encoder."""

    mel_bins: int
    """80 (v0.4) or 128 (whisper-large-v3-turbo)."""
    width: int
    layers: int
    heads: int
    inner: int
    """Width of the feed-forward layers."""
    positions: int
    """Longest output: 1500 steps of 20 ms, which is 30 s."""

    def tensors(self) -> dict[str, Shape]:
        """Name → shape, as transformers' WhisperEncoder names them."""
        wide, inner = self.width, self.inner
        found: dict[str, Shape] = {
            "conv1.weight": (wide, self.mel_bins, 3), "conv1.bias": (wide,),
            "conv2.weight": (wide, wide, 3), "conv2.bias": (wide,),
            "embed_positions.weight": (self.positions, wide),
            "layer_norm.weight": (wide,), "layer_norm.bias": (wide,),
        }  # fmt: skip
        for index in range(self.layers):
            layer: dict[str, Shape] = {
                "self_attn.k_proj.weight": (wide, wide),
                "fc1.weight": (inner, wide), "fc1.bias": (inner,),
                "fc2.weight": (wide, inner), "fc2.bias": (wide,),
            }  # fmt: skip
            for name in ("self_attn.q_proj", "self_attn.v_proj", "self_attn.out_proj"):
                layer |= {f"{name}.weight": (wide, wide), f"{name}.bias": (wide,)}
            for name in ("self_attn_layer_norm", "final_layer_norm"):
                layer |= {f"{name}.weight": (wide,), f"{name}.bias": (wide,)}
            found |= {f"layers.{index}.{name}": shape for name, shape in layer.items()}
        return found


@dataclass(frozen=True, slots=True)
class ProjectorShape:
    """From stacked encoder steps to the language model's width."""

    stack: int
    """Encoder steps in one token: 8, so a token is 160 ms."""
    inner: int
    """Width before SwiGLU, which halves it."""
    norm_in_the_middle: bool
    """v0.5 on: the second norm is `ln_mid`; up to v0.4.1 `ln_post`."""

    def tensors(self, audio_width: int, text_width: int) -> dict[str, Shape]:
        stacked, half = audio_width * self.stack, self.inner // 2
        norm: dict[str, Shape] = (
            {"ln_mid.weight": (half,)}
            if self.norm_in_the_middle
            else {"ln_post.weight": (text_width,)}
        )
        return {
            "ln_pre.weight": (stacked,),
            "linear_1.weight": (self.inner, stacked),
            "linear_2.weight": (text_width, half),
            **norm,
        }


@dataclass(frozen=True, slots=True)
class TextShape:
    """A dense decoder-only language model."""

    kind: str
    """transformers' `model_type`."""
    vocabulary: int
    width: int
    layers: int
    heads: int
    kv_heads: int
    head: int
    """Width of one attention head."""
    inner: int
    tied: bool
    """The output layer is the embedding itself."""
    positions: int
    """Longest context it was made for, in tokens."""


def audio_shape(config: Mapping[str, Any]) -> AudioShape:
    """`EngineUnavailable` for an encoder that is no Whisper, or not like Whisper's."""
    kind = config.get("model_type", "whisper")
    if kind != "whisper":
        raise _refused(f"its audio encoder is of type {kind!r}; only Whisper's is known here")
    full = _Full(WHISPER, config)
    if full.value("activation_function") != "gelu" or full.value("scale_embedding"):
        raise _refused("its Whisper encoder has another activation or scaled embeddings")
    return AudioShape(
        mel_bins=full.size("num_mel_bins"),
        width=full.size("d_model"),
        layers=full.size("encoder_layers"),
        heads=full.size("encoder_attention_heads"),
        inner=full.size("encoder_ffn_dim"),
        positions=full.size("max_source_positions"),
    )


def projector_shape(config: Mapping[str, Any]) -> ProjectorShape:
    """`EngineUnavailable` for a projector or an encoder mask of a newer kind."""
    if config.get("num_projector_layers"):
        raise _refused(
            f"its projector is a transformer (num_projector_layers={config['num_projector_layers']}),"
            " which this engine does not know"
        )
    if config.get("audio_latency_block_size"):
        raise _refused(
            "its encoder listens in blocks"
            f" (audio_latency_block_size={config['audio_latency_block_size']}),"
            " which this engine does not know"
        )
    activation, stack = config.get("projector_act", "swiglu"), config.get("stack_factor", 8)
    if activation != "swiglu":
        raise _refused(f"its projector's activation is {activation!r}; only 'swiglu' is known here")
    if not isinstance(stack, int) or isinstance(stack, bool) or not 1 <= stack <= 64:
        raise _refused(f"its stack_factor is {stack!r}; whole numbers from 1 to 64 are known here")
    full = _Full({"hidden_size": 4096}, config)
    return ProjectorShape(stack, full.size("hidden_size"), bool(full.value("projector_ln_mid")))


def text_shape(config: Mapping[str, Any]) -> TextShape:
    """`EngineUnavailable` for a language model of an unknown kind, or a quantised one."""
    kind = config.get("model_type", "llama")
    if not isinstance(kind, str) or kind not in TEXT:
        raise _refused(f"its language model is of type {kind!r}; {', '.join(TEXT)} are known here")
    if packed := config.get("quantization_config"):
        method = packed.get("quant_method") if isinstance(packed, dict) else packed
        raise EngineUnavailable(
            ENGINE,
            f"its language model is stored quantised ({method}), which this engine does not unpack",
            "Name an unquantised one in engines.ultravox.text_model; precision=int8 makes it smaller.",
        )
    full = _Full(TEXT[kind], config)
    width, heads = full.size("hidden_size"), full.size("num_attention_heads")
    return TextShape(
        kind=kind,
        vocabulary=full.size("vocab_size"),
        width=width,
        layers=full.size("num_hidden_layers"),
        heads=heads,
        kv_heads=full.size("num_key_value_heads", heads),
        head=full.size("head_dim", width // heads),
        inner=full.size("intermediate_size"),
        tied=bool(full.value("tie_word_embeddings")),
        positions=full.size("max_position_embeddings"),
    )


class _Full:
    """A configuration, and what stands for what it leaves out."""

    def __init__(self, defaults: Mapping[str, Any], config: Mapping[str, Any]) -> None:
        self._defaults = defaults
        self._config = config

    def value(self, key: str, default: Any = None) -> Any:
        value = self._config.get(key)
        return self._defaults.get(key, default) if value is None else value

    def size(self, key: str, default: int = 0) -> int:
        """A whole number from 1; `EngineUnavailable` for anything else."""
        value = self.value(key, default)
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise _refused(f"its config.json says {key}={value!r}, which is no size")
        return value


def _refused(reason: str) -> EngineUnavailable:
    return EngineUnavailable(
        ENGINE, f"this checkpoint is of a kind it cannot run: {reason}", SERVED_INSTEAD
    )
