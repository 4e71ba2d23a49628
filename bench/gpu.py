"""What the models cost on this GPU, at full size, with random weights: nothing is downloaded.

    python -m bench.gpu                       # Ultravox 8B and whisper-large-v3-turbo in bf16, Chatterbox Turbo
    python -m bench.gpu --precision int8
    python -m bench.gpu --only whole          # one part: language, speech, or whole (both, in a conversation)
    python -m bench.gpu --profile             # and where the time goes
    python -m bench.gpu --tiny --device cpu   # that the program runs; its figures mean nothing

Wants an environment with the extra `gpu` and Chatterbox (docs/deploy/gpu.md). The models run through the same code
as in their workers; only the tokenizers are stand-ins, and what they write has the length that is asked for.

*language*. TTFT: from the request to the reply's first text, the sound's own embedding within it. *reused*: history
and system prompt were prefilled while the user spoke. *cold*: the model has never seen this conversation, so all its
sounds are embedded and all of it is prefilled.

*speech*. ms/token: of T3 alone. First sound: from the clause to its first block. Real-time factor: the time in which a
clause was made, divided by how long it lasts. The guard is there and has nothing to say: lengths are forced.

*whole*. Both models in processes of their own, as the server has them; the server's own engines, sessions, turn-taking
and playout over them; callers with a recorded voice on transports of memory. Voice to voice is what the server itself
counts: from the last sample of speech to the first frame sent.
"""

import argparse
import platform
import sys
from collections.abc import Sequence

import torch
import transformers
from rich.console import Console

from bench.gpu_replies import language
from bench.gpu_speech import speech
from bench.gpu_whole import whole
from ultraandchat.engines.base import EngineUnavailable
from ultraandchat.engines.ultravox.memory import GB

PARTS = {"language": language, "speech": speech, "whole": whole}


def versions(arguments: argparse.Namespace, console: Console) -> None:
    cuda = arguments.device.startswith("cuda")
    console.print(
        f"Python {platform.python_version()}, torch {torch.__version__}, CUDA {torch.version.cuda},"
        f" transformers {transformers.__version__}, {platform.machine()} {platform.system()}"
    )
    if cuda:
        about = torch.cuda.get_device_properties(arguments.device)
        console.print(
            f"{about.name}, {about.total_memory / GB:.0f} GB,"
            f" compute capability {about.major}.{about.minor}"
        )
    console.print(
        f"{'tiny' if arguments.tiny else '8B'} in {arguments.precision}, window {arguments.window},"
        f" {arguments.runs} runs of {arguments.tokens} tokens,"
        f" {torch.get_num_threads()} threads on the processor"
    )


def parsed(given: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.gpu", description=__doc__.split("\n")[0])
    parser.add_argument("--only", choices=PARTS, help="one part alone")
    parser.add_argument("--device", default="cuda:0", help="cuda:NUMBER or cpu")
    parser.add_argument("--precision", default="bf16", choices=["bf16", "int8", "fp32"])
    parser.add_argument("--voice-precision", default="bf16", choices=["bf16", "fp32"], help="of T3")
    parser.add_argument("--window", type=int, default=4096, help="tokens")
    parser.add_argument("--runs", type=int, default=10, help="replies or clauses for each figure")
    parser.add_argument(
        "--tokens", type=int, default=60, help="of each reply (language), of each clause (T3 alone)"
    )
    parser.add_argument("--rounds", type=int, default=10, help="turns of each conversation (whole)")
    parser.add_argument("--conversations", type=int, nargs="+", default=[1, 2, 4, 8], help="whole")
    parser.add_argument("--tiny", action="store_true", help="only to see that it runs")
    parser.add_argument("--profile", action="store_true", help="also where the time goes")
    return parser.parse_args(given)


def main() -> None:
    arguments = parsed()
    console = Console(width=120)
    if arguments.device.startswith("cuda"):
        if not torch.cuda.is_available():
            sys.exit(
                "no GPU is there, or this torch is built without CUDA; --tiny --device cpu runs anywhere"
            )
        torch.cuda.set_device(torch.device(arguments.device))
    if arguments.tiny:
        torch.set_num_threads(1)
    versions(arguments, console)
    for name, measure in PARTS.items():
        if arguments.only in (None, name):
            measure(arguments, console)
            if arguments.device.startswith("cuda"):
                torch.cuda.empty_cache()


if __name__ == "__main__":
    try:
        main()
    except EngineUnavailable as error:
        sys.exit(str(error))
