"""Talks to a running server without a browser and prints where the milliseconds of each turn went.

    ultraandchat serve --profile scripted &
    python examples/headless_client.py http://localhost:7860 question.wav

The address is the one that the server prints; its token, if there is one, goes along as a bearer.

It is the protocol of `/ws` (docs/protocol.md) in its shortest form.
"""

import asyncio
import sys
from pathlib import Path

import aiohttp
import numpy as np

from ultraandchat.audio.frame import FRAME_MS, HEARING_RATE, Samples, to_pcm16
from ultraandchat.commands.address import ServerAddress
from ultraandchat.commands.wav import read_wav
from ultraandchat.transport.wire import (
    CODEC_PCM16_16K,
    HEADER,
    KIND_SOUND,
    Bye,
    Codec,
    Hello,
    ReplyDone,
    TurnTiming,
)

STEP = HEARING_RATE * FRAME_MS // 1000


async def speak(socket: aiohttp.ClientWebSocketResponse, speech: Samples) -> None:
    """The file in real time, then silence for as long as anybody listens."""
    loop = asyncio.get_running_loop()
    begun, position = loop.time(), 0
    while True:
        frame = np.zeros(STEP, np.float32)
        piece = speech[position : position + STEP]
        frame[: len(piece)] = piece
        header = HEADER.pack(KIND_SOUND, CODEC_PCM16_16K, 0, position)
        await socket.send_bytes(header + to_pcm16(frame).tobytes())
        position += STEP
        await asyncio.sleep(begun + position / HEARING_RATE - loop.time())


async def main(address: ServerAddress, file: Path) -> None:
    speech = read_wav(file, HEARING_RATE).samples
    async with (
        aiohttp.ClientSession(headers=address.headers) as client,
        client.ws_connect(address.ws) as socket,
    ):
        await socket.send_str(Codec.encode(Hello()))
        async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
            speaking = tasks.create_task(speak(socket, speech))
            async for message in socket:
                if message.type is not aiohttp.WSMsgType.TEXT:
                    continue  # sound: a page would play it
                match Codec.decode_server(message.data):
                    case TurnTiming(turn=turn, total_ms=total, parts=parts):
                        print(f"turn {turn}: first sound after {total:.0f} ms")
                        for part in parts:
                            print(f"  {part.name:<12} {part.start_ms:6.0f} – {part.end_ms:.0f} ms")
                    case ReplyDone(heard=heard) if heard:
                        print(f"  {heard}")
                        break
            speaking.cancel()
        await socket.send_str(Codec.encode(Bye()))


if __name__ == "__main__":
    asyncio.run(main(ServerAddress.read(sys.argv[1]), Path(sys.argv[2])))
