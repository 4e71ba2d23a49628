"""The worker's factory with a T3 of two layers: `WorkerSpec.factory` of tests in which a real process speaks."""

from typing import Any

import torch

from tests.models.chatterbox.checkpoints import small
from ultraandchat.engines.chatterbox import model
from ultraandchat.engines.chatterbox.speaking import Chatterbox
from ultraandchat.engines.worker_wire import Progress


def open_model(progress: Progress, **arguments: Any) -> Chatterbox:
    torch.set_num_threads(1)
    with small():
        return model.open_model(progress, **arguments)
