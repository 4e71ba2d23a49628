"""The package's S3Gen with random weights: whole, or of the same classes with fewer and narrower layers.

Random weights alone make a hiss without pitch, in which no joint could be heard. So the pitch is set to that of a
voice (80…300 Hz) and the spectrum falls as that of speech does.
"""

from types import SimpleNamespace
from typing import Any

import torch
from chatterbox.models.s3gen import S3Gen
from chatterbox.models.s3gen.configs import CFM_PARAMS
from chatterbox.models.s3gen.decoder import ConditionalDecoder
from chatterbox.models.s3gen.f0_predictor import ConvRNNF0Predictor
from chatterbox.models.s3gen.flow import CausalMaskedDiffWithXvec
from chatterbox.models.s3gen.flow_matching import CausalConditionalCFM
from chatterbox.models.s3gen.hifigan import HiFTGenerator
from chatterbox.models.s3gen.transformer.upsample_encoder import UpsampleConformerEncoder

from ultraandchat.engines.chatterbox.roles import PreparedVoice
from ultraandchat.engines.chatterbox.variants import SPEECH_TOKENS, TURBO, Variant


def whole(variant: Variant) -> Any:
    """The package's own class, full size: 1 GB."""
    torch.manual_seed(1)
    return _alive(S3Gen(meanflow=variant is TURBO).eval())


def small(variant: Variant) -> Any:
    """What `S3Gen` has of the parts that speak, some hundred times faster."""
    torch.manual_seed(1)
    mean = variant is TURBO
    encoder = UpsampleConformerEncoder(
        attention_heads=2,
        linear_units=64,
        num_blocks=1,
        pos_enc_layer_type="rel_pos_espnet",
    )
    encoder.up_encoders = encoder.up_encoders[:1]
    estimator = ConditionalDecoder(
        channels=[32],
        n_blocks=1,
        num_mid_blocks=1,
        num_heads=2,
        attention_head_dim=16,
        meanflow=mean,
    )
    decoder = CausalConditionalCFM(spk_emb_dim=80, cfm_params=CFM_PARAMS, estimator=estimator)
    hift = HiFTGenerator(
        base_channels=32,
        sampling_rate=24_000,
        upsample_rates=[8, 5, 3],
        upsample_kernel_sizes=[16, 11, 7],
        source_resblock_kernel_sizes=[7, 7, 11],
        source_resblock_dilation_sizes=[[1, 3, 5], [1, 3, 5], [1, 3, 5]],
        f0_predictor=ConvRNNF0Predictor(cond_channels=32),
    )
    fade = torch.cat([torch.zeros(480), (torch.cos(torch.linspace(torch.pi, 0, 480)) + 1) / 2])
    parts = torch.nn.ModuleDict(
        {"flow": CausalMaskedDiffWithXvec(encoder=encoder, decoder=decoder), "mel2wav": hift}
    ).eval()
    return _alive(
        SimpleNamespace(
            flow=parts["flow"],
            mel2wav=parts["mel2wav"],
            meanflow=mean,
            trim_fade=fade,
            eval=parts.eval,
        )
    )


def voice(seed: int = 1, tokens: int = 40) -> PreparedVoice:
    """What `embed_ref` makes of a clip, in its shapes."""
    numbers = torch.Generator().manual_seed(seed)
    return PreparedVoice(
        name="somebody",
        digest="",
        writer={},
        sounder={
            "prompt_token": torch.randint(0, SPEECH_TOKENS, (1, tokens), generator=numbers),
            "prompt_token_len": torch.tensor([tokens]),
            "prompt_feat": torch.randn(1, 2 * tokens, 80, generator=numbers) - 3,
            "prompt_feat_len": None,
            "embedding": torch.randn(1, 192, generator=numbers),
        },
    )


def tokens(count: int, seed: int = 2) -> list[int]:
    numbers = torch.Generator().manual_seed(seed)
    return torch.randint(0, SPEECH_TOKENS, (count,), generator=numbers).tolist()


@torch.no_grad()
def _alive(s3gen: Any) -> Any:
    hift, numbers = s3gen.mel2wav, torch.Generator().manual_seed(3)
    mel = torch.randn(1, 80, 200, generator=numbers)
    predictor = hift.f0_predictor
    predictor.classifier.bias.zero_()
    predictor.classifier.weight *= 30 / predictor(mel).std()
    predictor.classifier.bias += 180 - predictor(mel).mean()
    bins = hift.istft_params["n_fft"] // 2 + 1
    hift.conv_post.bias[:bins] -= 1.5 * torch.arange(bins)
    return s3gen
