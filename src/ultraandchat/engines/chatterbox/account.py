"""What one clause cost, as its last item tells."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

from ultraandchat.engines.chatterbox.variants import RATE


@dataclass(slots=True)
class Account:
    """Of one call of `synthesize`."""

    tokens: int = 0
    """Written, those that were thrown away among them."""
    seconds: float = 0.0
    """Of sound that was handed out."""
    first_block_ms: float = 0.0
    """Until it was made, the steps of others in between among it; 0 where there was none."""
    writing_ms: float = 0.0
    """In T3."""
    sounding_ms: float = 0.0
    """In S3Gen, the vocoder and the watermark."""
    attempts: int = 0
    """Utterances begun: one for each piece of the text, and one for each time that it was spoken again."""
    _begun: float = field(default_factory=time.perf_counter)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Its time counts; what others did in between does not."""
        begun = time.perf_counter()
        yield
        self.writing_ms += (time.perf_counter() - begun) * 1000

    @contextmanager
    def sounding(self) -> Iterator[None]:
        """The same."""
        begun = time.perf_counter()
        yield
        self.sounding_ms += (time.perf_counter() - begun) * 1000

    def made(self, samples: int) -> None:
        """A block is handed out."""
        if not self.seconds:
            self.first_block_ms = (time.perf_counter() - self._begun) * 1000
        self.seconds += samples / RATE

    def item(self) -> dict[str, Any]:
        told = asdict(self)
        del told["_begun"]
        return {"account": told}
