"""What one request cost, as its last item tells."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any, Literal


@dataclass(slots=True)
class Account:
    """Of one request."""

    prompt_tokens: int = 0
    reused_tokens: int = 0
    """Of the prompt, those that need not be computed."""
    audio_tokens: int = 0
    new_tokens: int = 0
    """Written, the one that ends the reply not among them."""
    encode_ms: float = 0.0
    prefill_ms: float = 0.0
    """Until the first token of the reply is known."""
    finished: Literal["stop", "length"] = "stop"

    @contextmanager
    def encoding(self) -> Iterator[None]:
        """Its time counts; what other requests did in between does not."""
        begun = time.perf_counter()
        yield
        self.encode_ms += (time.perf_counter() - begun) * 1000

    @contextmanager
    def prefilling(self) -> Iterator[None]:
        """The same."""
        begun = time.perf_counter()
        yield
        self.prefill_ms += (time.perf_counter() - begun) * 1000

    def item(self) -> dict[str, Any]:
        return {"usage": asdict(self)}
