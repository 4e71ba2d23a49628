"""How long a chat server is waited for: until its first word, and altogether."""

import asyncio
from types import TracebackType
from typing import Protocol

from ultraandchat.engines.chat_stream import ChatFailure

_NO_WORD = "My language model has not begun to answer in time. Please try again."
_TOO_LONG = "My language model took too long."


class Timeouts(Protocol):
    """The settings that say how long."""

    @property
    def first_token_timeout_s(self) -> float: ...
    @property
    def total_timeout_s(self) -> float: ...


class Patience:
    """Bounds the waiting for the server: for its first word, and altogether.

    Only time spent waiting counts: a listener who takes a minute to hear an answer is not the
    server's fault, and a timeout that ran while the reader is elsewhere would hit the reader.
    """

    def __init__(self, settings: Timeouts) -> None:
        self._first_s = settings.first_token_timeout_s
        self._total_s = settings.total_timeout_s
        self._waited = 0.0
        self._began = 0.0
        self._limit: asyncio.Timeout | None = None
        self.answered = False
        """The first word is there."""

    async def __aenter__(self) -> None:
        allowed = self._total_s if self.answered else min(self._first_s, self._total_s)
        self._began = asyncio.get_running_loop().time()
        self._limit = asyncio.timeout(max(allowed - self._waited, 0.0))
        await self._limit.__aenter__()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        assert self._limit is not None
        self._waited += asyncio.get_running_loop().time() - self._began
        try:
            await self._limit.__aexit__(kind, error, traceback)
        except TimeoutError:
            raise self._failure() from None

    def _failure(self) -> ChatFailure:
        said = _TOO_LONG if self.answered else _NO_WORD
        return ChatFailure(said, f"no word in time after {self._waited:.1f} s of waiting")
