"""One 20 ms tick for every conversation: a timer each would cost as much as voice activity does."""

import asyncio

from ultraandchat.audio.frame import FRAME_MS


class Ticker:
    """Wakes everybody who waits in `tick`, on a fixed 20 ms grid of the loop's clock.

    A tick that comes late (the loop was busy) is followed by the next one on the grid; how much
    sound is due is for `Playout.due(now)` to decide, which is told the time.
    """

    def __init__(self) -> None:
        self._waiting: list[asyncio.Future[float]] = []  # one for each that waits in `tick`

    async def run(self) -> None:
        """Tick until cancelled; run it as a child of the server's TaskGroup."""
        loop = asyncio.get_running_loop()
        period = FRAME_MS / 1000
        due = loop.time()
        while True:
            due += period
            now = loop.time()
            if due < now:
                due += period * int((now - due) / period)
            else:
                await asyncio.sleep(due - now)
            waiting, self._waiting = self._waiting, []
            now = loop.time()
            for one in waiting:
                if not one.done():  # who was cancelled waits no more
                    one.set_result(now)
            await asyncio.sleep(0)

    async def tick(self) -> float:
        """The next tick's instant, loop time in seconds."""
        one: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        self._waiting.append(one)
        return await one
