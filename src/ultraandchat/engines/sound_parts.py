"""Utterances as OpenAI's content parts: a WAV file in base64, made once for each and kept beside it."""

import asyncio
import binascii
import struct
from weakref import WeakKeyDictionary

import msgspec

from ultraandchat.audio.frame import HEARING_RATE, Pcm16
from ultraandchat.turn.events import Utterance

PIECE = 3 * 2**16
"""Bytes encoded before the loop may do something else: 6 s of sound. A multiple of three, so that the
pieces of base64 can be put together."""

_BEFORE = b'{"type":"input_audio","input_audio":{"data":"'
_AFTER = b'","format":"wav"}}'


class SoundParts:
    """What was encoded, for as long as somebody else has the utterance: the history of its conversation."""

    def __init__(self) -> None:
        self._made: WeakKeyDictionary[Utterance, msgspec.Raw] = WeakKeyDictionary()

    async def part(self, utterance: Utterance) -> msgspec.Raw:
        """The part as JSON that is only to be copied. Other tasks run between its pieces."""
        if (made := self._made.get(utterance)) is None:
            made = self._made[utterance] = await _encoded(utterance.pcm)
        return made


async def _encoded(pcm: Pcm16) -> msgspec.Raw:
    wav = memoryview(_wav(pcm))
    pieces = [_BEFORE]
    for start in range(0, len(wav), PIECE):
        pieces.append(binascii.b2a_base64(wav[start : start + PIECE], newline=False))
        await asyncio.sleep(0)
    pieces.append(_AFTER)
    return msgspec.Raw(b"".join(pieces))


def _wav(pcm: Pcm16) -> bytes:
    """A whole WAV file: mono, 16 bits, 16 kHz."""
    sound = pcm.astype("<i2", copy=False).tobytes()
    layout = struct.pack("<HHIIHH", 1, 1, HEARING_RATE, 2 * HEARING_RATE, 2, 16)
    chunks = b"WAVE" + _chunk(b"fmt ", layout) + struct.pack("<4sI", b"data", len(sound)) + sound
    return _chunk(b"RIFF", chunks)


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack("<4sI", name, len(content)) + content
