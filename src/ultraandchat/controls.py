"""What a caller asks for beside speaking: the control messages of a conversation, carried out."""

from collections.abc import Callable

from ultraandchat.engines.base import Engines, Voice
from ultraandchat.events import CallerReported, SessionEvent
from ultraandchat.floor import FASTEST, LOUDEST, SLOWEST, Floor, within
from ultraandchat.transport import wire
from ultraandchat.transport.base import CloseReason
from ultraandchat.turn.activity import LOUDEST_NOISE, QUIETEST_SPEECH


class Controls:
    """The buttons, the keyboard and the reports of one conversation's caller. Only `listen` calls it."""

    def __init__(
        self,
        floor: Floor,
        engines: Engines,
        *,
        now: Callable[[], float],
        send: Callable[[wire.ServerMessage], None],
        tell: Callable[[SessionEvent], None],
        stop: Callable[[CloseReason], None],
    ) -> None:
        self._floor = floor
        self._engines = engines
        self._now = now
        self._send = send
        self._tell = tell
        self._stop = stop

    async def take(self, message: wire.ClientMessage) -> None:
        """Do what it says."""
        now, floor = self._now(), self._floor
        match message:
            case wire.Mute(muted=muted):
                floor.ear.muted = muted
            case wire.Interrupt():
                await floor.act(floor.taking.interrupt(now))
            case wire.Say(text=text):
                await self._typed(text.strip())
            case wire.Press():
                await floor.act(floor.taking.press(now))
            case wire.Release():
                await floor.act(floor.taking.release(now))
            case wire.Settings():
                self._set(message)
            case wire.Forget():
                await floor.forget()
            case wire.Ping(id=number, rtt_ms=rtt_ms):
                self._send(wire.Pong(number))
                self._tell(CallerReported(now, rtt_ms=rtt_ms))
            case wire.Playback(buffered_ms=buffered, underruns=underruns):
                self._tell(CallerReported(now, buffered_ms=buffered, underruns=underruns))
            case wire.Stats():
                self._tell(_reported(now, message))
            case wire.Bye():
                self._stop(CloseReason.PEER_LEFT)
            case wire.UsePath(path="websocket"):
                pass  # it goes there; the transport knows in which codec
            case wire.Offer() | wire.UsePath() | wire.PathReport():
                self._send(wire.Error("no_path", "this connection has no WebRTC path"))
            case wire.Hello():
                self._send(wire.Error("bad_message", "the conversation has begun already"))
            case wire.IceCandidate():
                pass  # where there is a WebRTC path, it took it

    def greet(self, hello: wire.Hello) -> None:
        """How this caller wants it, from the first word on. A voice that is gone meanwhile is not worth a word."""
        voice = hello.voice if hello.voice in self._engines.speech.voices else None
        self._set(wire.Settings(voice=voice, speed=hello.speed, sensitivity=hello.sensitivity))

    async def _typed(self, text: str) -> None:
        if 0 < len(text) <= wire.MAX_TYPED_CHARS:
            await self._floor.act(self._floor.taking.typed(text, self._now()))
        else:
            most = wire.MAX_TYPED_CHARS
            self._send(wire.Error("bad_message", f"a typed turn has 1 to {most} characters"))

    def _set(self, settings: wire.Settings) -> None:
        floor = self._floor
        if settings.voice is not None and settings.voice not in self._engines.speech.voices:
            self._send(wire.Error("bad_message", "there is no such voice here"))
            return
        name = floor.voice.name if settings.voice is None else settings.voice
        speed = floor.voice.speed if settings.speed is None else settings.speed
        floor.voice = Voice(name, within(speed, SLOWEST, FASTEST))
        if settings.volume is not None:
            floor.playout.volume = within(settings.volume, 0.0, LOUDEST)
        if settings.sensitivity is not None:
            own = settings.sensitivity == 0
            bounded = within(settings.sensitivity, QUIETEST_SPEECH, LOUDEST_NOISE)
            floor.ear.sensitivity = None if own else bounded


def _reported(now: float, stats: wire.Stats) -> CallerReported:
    return CallerReported(
        now,
        rtt_ms=stats.rtt_ms,
        buffered_ms=stats.buffered_ms,
        jitter_ms=stats.jitter_ms,
        received=stats.received,
        lost=stats.lost,
        concealed_ms=stats.concealed_ms,
    )
