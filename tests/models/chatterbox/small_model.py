"""The factory of Chatterbox's worker, with a T3 of two layers."""

from typing import Any

import torch

from tests.models.chatterbox.checkpoints import small
from ultraandchat.engines.chatterbox.model import open_model as open_real
from ultraandchat.engines.chatterbox.speaking import Chatterbox
from ultraandchat.engines.worker_wire import Progress


def open_model(progress: Progress, **arguments: Any) -> Chatterbox:
    torch.set_num_threads(1)
    with small():
        return open_real(progress, **arguments)
