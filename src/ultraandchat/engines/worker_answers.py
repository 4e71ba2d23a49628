"""The answers of one job on their way from the child's messages to whoever reads them."""

import asyncio

from ultraandchat.engines.base import EngineError
from ultraandchat.engines.worker_link import LinkLost
from ultraandchat.engines.worker_wire import Done, Item


class Answers:
    """A job that the child knows, until the child says that it is over."""

    def __init__(self, number: int, ahead: int, *, background: bool) -> None:
        self.number = number
        self.ahead = ahead
        self.background = background
        # Bounded by credits: `ahead` items and the end. A child that sends more is broken.
        self.outcomes: asyncio.Queue[Item | Done | EngineError] = asyncio.Queue(ahead + 1)
        self.wanted = True

    def put(self, outcome: Item | Done | EngineError) -> None:
        if not self.wanted:
            return
        if isinstance(outcome, Item) and self.outcomes.qsize() >= self.ahead:
            raise LinkLost("its process sent more than it was asked for")
        self.outcomes.put_nowait(outcome)
