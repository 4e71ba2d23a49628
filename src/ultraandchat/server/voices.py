"""`/voices`: what the voices of reference clips are, and adding and removing them.

Whoever has access may do all of it; the guard in front of every route (`access.py`) sees to that, and to pages of
other servers. A file is taken in bounded time and size, one at a time, and looked at in a process apart, so nobody's
conversation waits for it. What goes wrong is told in one sentence, `{"error": "…"}`.
"""

import asyncio
import logging
from typing import Any

from aiohttp import web
from aiohttp.http import HttpProcessingError

from ultraandchat.engines.chatterbox.clips import UnfitClip
from ultraandchat.engines.chatterbox.library import (
    MOST_BYTES,
    MOST_VOICES,
    BadName,
    DiskFull,
    Library,
    LibraryError,
    NameTaken,
    NoSuchVoice,
    TooMany,
    VoiceFile,
    WithLibrary,
)
from ultraandchat.server.conversations import Conversations
from ultraandchat.server.logs import fields

LOG = logging.getLogger("ultraandchat.server")

BODY_S = 60.0
"""For 20 MB over 3 Mbit/s."""

CHUNK = 65_536
"""Bytes taken off the connection at once."""

AGAIN_S = 2
"""After which somebody else's upload is over, most likely."""

STATUS: dict[type[LibraryError], int] = {
    BadName: 400,
    NoSuchVoice: 404,
    NameTaken: 409,
    TooMany: 409,
    DiskFull: 507,
}
"""How each error is answered; any other one by 500."""

NO_LIBRARY = "The voice of this server cannot be changed."
LOADING = "The models are still loading."
BUSY = "Another voice is being added; try again in a moment."
TOO_LARGE = f"The file has more than {MOST_BYTES // 1_000_000} MB."
TOO_SLOW = f"The file did not come within {BODY_S:.0f} s."
BROKEN_OFF = "The file did not come whole."


class Refused(Exception):
    """Why it is not done."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence


class Voices:
    """The routes of one server."""

    def __init__(self, conversations: Conversations) -> None:
        """`conversations` has the engines, once they are there."""
        self._conversations = conversations
        self._adding = asyncio.Lock()

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/voices", self.listed),
            web.put("/voices/{name}", self.add),
            web.delete("/voices/{name}", self.remove),
        ]

    async def listed(self, request: web.Request) -> web.Response:
        """The names that can be chosen, and every clip with what is known of it."""
        try:
            library = self._library()
        except Refused as refused:
            return _told(refused)
        files = [_shown(file) for file in library.voices()]
        bounds = {"most": MOST_VOICES, "max_bytes": MOST_BYTES}
        return web.json_response({"voices": self._names(), "files": files} | bounds)

    async def add(self, request: web.Request) -> web.Response:
        """The body is a sound file; 201 with the voice made of it."""
        name = request.match_info["name"]
        try:
            library = self._library()
            if self._adding.locked():
                raise Refused(429, BUSY)
            async with self._adding:
                data = await _body(request)
                added = await asyncio.to_thread(library.add, name, data)
        except Refused as refused:
            return _told(refused)
        except UnfitClip as unfit:
            return _told(Refused(422, f"This clip cannot be a voice: {unfit.reason}."))
        except LibraryError as error:
            return _told(_of_library(error))
        LOG.info("a voice was added", extra=fields(voice=name, seconds=added.seconds))
        return web.json_response(_shown(added) | {"voices": self._names()}, status=201)

    async def remove(self, request: web.Request) -> web.Response:
        """Its file is deleted."""
        name = request.match_info["name"]
        try:
            await asyncio.to_thread(self._library().remove, name)
        except Refused as refused:
            return _told(refused)
        except LibraryError as error:
            return _told(_of_library(error))
        LOG.info("a voice was removed", extra=fields(voice=name))
        return web.json_response({"voices": self._names()})

    def _library(self) -> Library:
        engines = self._conversations.engines
        if engines is None:
            raise Refused(503, LOADING)
        if not isinstance(engines.speech, WithLibrary):
            raise Refused(404, NO_LIBRARY)
        return engines.speech.library

    def _names(self) -> list[str]:
        engines = self._conversations.engines
        return [] if engines is None else list(engines.speech.voices)


async def _body(request: web.Request) -> bytearray:
    """All of it, or `Refused`. The application's own bound on bodies is for small JSON objects."""
    if (request.content_length or 0) > MOST_BYTES:
        raise Refused(413, TOO_LARGE)
    data = bytearray()
    try:
        async with asyncio.timeout(BODY_S):
            async for chunk in request.content.iter_chunked(CHUNK):
                data += chunk
                if len(data) > MOST_BYTES:
                    raise Refused(413, TOO_LARGE)
    except TimeoutError:
        raise Refused(408, TOO_SLOW) from None
    except (ConnectionError, HttpProcessingError):
        raise Refused(400, BROKEN_OFF) from None
    return data


def _shown(file: VoiceFile) -> dict[str, Any]:
    return {
        "name": file.name,
        "seconds": file.seconds,
        "fault": file.fault,
        "remark": file.remark,
    }


def _of_library(error: LibraryError) -> Refused:
    text = str(error)
    return Refused(STATUS.get(type(error), 500), f"{text[0].upper()}{text[1:]}.")


def _told(refused: Refused) -> web.Response:
    response = web.json_response({"error": refused.sentence}, status=refused.status)
    if refused.status in (429, 503):
        response.headers["Retry-After"] = str(AGAIN_S)
    return response
