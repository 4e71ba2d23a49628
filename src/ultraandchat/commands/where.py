"""Rows about where we are: the pod, if it is one, and the ways sound may take from here."""

import os
from collections.abc import Iterable, Mapping

from ultraandchat.commands.report import Row
from ultraandchat.config import Config
from ultraandchat.pod import Pod
from ultraandchat.server.ladder import Ladder


def ladder_rows(config: Config, environ: Mapping[str, str] = os.environ) -> Iterable[Row]:
    """Where we are, and the ways sound may take from here."""
    pod = Pod.read(environ)
    ladder = Ladder.of(pod, config)
    yield _pod(pod)
    for rung in ladder:
        yield Row(f"sound over {rung.name}", rung.there or None, rung.why)
    if ladder.https_url:
        yield Row("address", True, f"{ladder.https_url}, from everywhere")


def _pod(pod: Pod) -> Row:
    odd = "; ".join(pod.unread)
    if not pod.is_pod:
        return Row("Runpod pod", None, odd or "this is none")
    where = f"{pod.id} in {pod.data_centre}" if pod.data_centre else pod.id
    gpus = "" if pod.gpu_count is None else f", {pod.gpu_count} GPU"
    address = f", address {pod.address}" if pod.address else f"; {pod.no_address}"
    return Row("Runpod pod", True, f"{where}{gpus}{address}", odd)
