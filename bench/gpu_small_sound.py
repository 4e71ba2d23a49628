"""What `S3Gen` has of the parts that speak, of the package's own classes, some hundred times smaller."""

from types import SimpleNamespace
from typing import Any

import torch


def small_s3gen(device: Any) -> Any:
    """Turbo's, with random weights."""
    from chatterbox.models.s3gen.configs import CFM_PARAMS
    from chatterbox.models.s3gen.decoder import ConditionalDecoder
    from chatterbox.models.s3gen.f0_predictor import ConvRNNF0Predictor
    from chatterbox.models.s3gen.flow import CausalMaskedDiffWithXvec
    from chatterbox.models.s3gen.flow_matching import CausalConditionalCFM
    from chatterbox.models.s3gen.hifigan import HiFTGenerator
    from chatterbox.models.s3gen.transformer.upsample_encoder import UpsampleConformerEncoder

    encoder = UpsampleConformerEncoder(
        attention_heads=2, linear_units=64, num_blocks=1, pos_enc_layer_type="rel_pos_espnet"
    )
    encoder.up_encoders = encoder.up_encoders[:1]
    estimator = ConditionalDecoder(
        channels=[32],
        n_blocks=1,
        num_mid_blocks=1,
        num_heads=2,
        attention_head_dim=16,
        meanflow=True,
    )
    decoder = CausalConditionalCFM(spk_emb_dim=80, cfm_params=CFM_PARAMS, estimator=estimator)
    flow = CausalMaskedDiffWithXvec(encoder=encoder, decoder=decoder)
    vocoder = HiFTGenerator(
        base_channels=32,
        sampling_rate=24_000,
        upsample_rates=[8, 5, 3],
        upsample_kernel_sizes=[16, 11, 7],
        source_resblock_kernel_sizes=[7, 7, 11],
        source_resblock_dilation_sizes=[[1, 3, 5], [1, 3, 5], [1, 3, 5]],
        f0_predictor=ConvRNNF0Predictor(cond_channels=32),
    )
    rise = (torch.cos(torch.linspace(torch.pi, 0, 480)) + 1) / 2
    return SimpleNamespace(
        flow=flow.to(device).eval(),
        mel2wav=vocoder.to(device).eval(),
        meanflow=True,
        trim_fade=torch.cat([torch.zeros(480), rise]).to(device),
        eval=lambda: None,
    )
