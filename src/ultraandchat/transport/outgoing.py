"""What waits to be sent to one caller: bounded, in order, the oldest sound dropped first. No socket."""

from collections import deque

SOUND_QUEUE = 20
"""Frames of 20 ms kept for a peer that is behind: at 400 ms the page would drop them itself."""

CONTROL_QUEUE = 256
"""Messages kept for a peer that is behind; one that lets more gather reads too slowly."""


class Outgoing:
    """Sound (bytes) and messages (str) in the order in which they were put."""

    def __init__(self) -> None:
        self._items: deque[bytes | str] = deque()  # bounded by the two limits above
        self.sounds = 0
        """Frames that wait."""
        self._dropped = 0

    def put_sound(self, packed: bytes) -> None:
        """One frame; when there are too many, the oldest one goes and is counted."""
        if self.sounds >= SOUND_QUEUE:
            oldest = next(i for i, item in enumerate(self._items) if isinstance(item, bytes))
            del self._items[oldest]
            self.sounds -= 1
            self._dropped += 1
        self._items.append(packed)
        self.sounds += 1

    def put_message(self, text: str) -> bool:
        """One message; False, and nothing is put, when `CONTROL_QUEUE` of them wait."""
        if len(self._items) - self.sounds >= CONTROL_QUEUE:
            return False
        self._items.append(text)
        return True

    def pop(self) -> bytes | str | None:
        """What is to be sent next, or None."""
        if not self._items:
            return None
        item = self._items.popleft()
        self.sounds -= isinstance(item, bytes)
        return item

    def drop_sound(self) -> None:
        """Take all sound back, as a flush does; messages stay."""
        if self.sounds:
            self._items = deque(item for item in self._items if isinstance(item, str))
            self.sounds = 0

    def dropped(self) -> int:
        """Frames lost to a slow peer since the last call."""
        count, self._dropped = self._dropped, 0
        return count
