"""One 20 ms tick for every conversation: a timer each would cost as much as voice activity does."""

import asyncio

from ultraandchat.audio.frame import FRAME_MS


class Ticker:
    """Wakes everybody who waits in `tick`, on a fixed 20 ms grid of the loop's clock.

    A tick that comes late (the loop was busy) is followed by the next one on the grid; how much
    sound is due is for `Playout.due(now)` to decide, which is told the time.
    """

    def __init__(self) -> None:
        self._next: asyncio.Future[float] | None = None

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
            if self._next is not None:
                waiting, self._next = self._next, None
                if not waiting.done():
                    waiting.set_result(loop.time())
            await asyncio.sleep(0)

    async def tick(self) -> float:
        """The next tick's instant, loop time in seconds. One future serves all who wait."""
        if self._next is None:
            self._next = asyncio.get_running_loop().create_future()
        return await asyncio.shield(self._next)
