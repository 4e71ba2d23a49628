"""Where benchmark callers send their WebRTC offer, and messages beside the sound: our WebSocket, or the
plain POST of others' servers."""

import asyncio
import json
from typing import Protocol

import aiohttp

from ultraandchat.transport import wire


class Line(Protocol):
    """Where offer and answer go, and messages beside the sound."""

    async def answer(self, offer: str) -> str:
        """The server's answer."""
        ...

    async def tell(self, message: wire.ClientMessage) -> None: ...

    async def hear(self) -> str:
        """Until it ends; why it did. Run it beside the caller."""
        ...

    async def aclose(self) -> None: ...


class ControlLine:
    """Our own: a WebSocket."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def answer(self, offer: str) -> str:
        await self.tell(wire.Hello())
        await self.tell(wire.Offer(offer))
        return await self._answer

    async def tell(self, message: wire.ClientMessage) -> None:
        await self._socket.send_str(wire.Codec.encode(message))

    async def hear(self) -> str:
        async for message in self._socket:
            if message.type is not aiohttp.WSMsgType.TEXT:
                continue
            told = json.loads(message.data)
            match told["type"]:
                case "answer":
                    self._answer.set_result(told["sdp"])
                case "path_lost" | "closing" | "error":
                    return f"{told['type']}: {told['text']}"
        return "the WebSocket ended"

    async def aclose(self) -> None:
        await self._socket.close()


class OfferLine:
    """Of others: one POST of the offer, and nothing beside the sound."""

    def __init__(self, http: aiohttp.ClientSession, url: str) -> None:
        self._http = http
        self._url = url

    async def answer(self, offer: str) -> str:
        async with self._http.post(self._url, json={"sdp": offer, "type": "offer"}) as answer:
            return str((await answer.json())["sdp"])

    async def tell(self, message: wire.ClientMessage) -> None:
        """They have no such messages."""

    async def hear(self) -> str:
        await asyncio.Event().wait()
        return ""

    async def aclose(self) -> None:
        """Nothing is open."""
