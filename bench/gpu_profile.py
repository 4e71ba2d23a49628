"""Where the time of something on the GPU goes."""

from collections.abc import Callable
from typing import Any

import torch


def profile(run: Callable[[], Any], *, cuda: bool) -> None:
    """Prints what took longest while it ran."""
    activities = [torch.profiler.ProfilerActivity.CPU]
    by = "self_cpu_time_total"
    if cuda:
        activities.append(torch.profiler.ProfilerActivity.CUDA)
        by = "self_device_time_total"
    with torch.profiler.profile(activities=activities) as found:
        run()
    # Not through rich, which would break its lines.
    print(found.key_averages().table(sort_by=by, row_limit=15, max_name_column_width=60))
