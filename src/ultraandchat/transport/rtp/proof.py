"""Silence on a new path whose caller has not begun a conversation: the proof that media comes through.

Pages say hello once they have seen it, and what paces a conversation's sound runs only from then on.
"""

import asyncio
from collections.abc import Callable

from ultraandchat.audio.frame import FRAME_MS
from ultraandchat.transport.rtp.path import RtpPath
from ultraandchat.transport.rtp.sender import FRAME

BEFORE = -(2**30)
"""Position of the first of it. A conversation begins at 0, which lies ahead of it however long it takes
(2³⁰ samples are 6 h): a jitter buffer drops what lies behind, and goes on at once after a leap."""


async def prove(path: RtpPath, enough: Callable[[], bool]) -> None:
    """Send it each 20 ms until that is `enough`."""
    position = BEFORE
    while not enough():
        path.tick()
        path.silence(position)
        position += FRAME
        await asyncio.sleep(FRAME_MS / 1000)
