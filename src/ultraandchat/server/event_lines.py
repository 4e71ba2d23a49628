"""Session events as log lines. What a person said is left out above debug.

`WordsHeard`, `ClauseSpoken` and `ReplyClosed` carry words, so only their sizes are told at info.
"""

import logging
from dataclasses import asdict

from ultraandchat import events as ev
from ultraandchat.server.logs import Mark, fields
from ultraandchat.turn import events as turns

WEBRTC = logging.getLogger("ultraandchat.webrtc")
AUDIO = logging.getLogger("ultraandchat.audio")
MODEL = logging.getLogger("ultraandchat.model")
TURN = logging.getLogger("ultraandchat.turn")
SERVER = logging.getLogger("ultraandchat.server")


def log_event(mark: Mark, event: ev.SessionEvent) -> None:
    """Write what happened, and remember in `mark` the turn that lines from now on belong to."""
    turn = getattr(event, "turn", None)
    if isinstance(turn, int):
        mark.turn = max(mark.turn, turn)
    match event:
        case ev.SessionOpened():
            SERVER.info("conversation opened")
        case ev.TransportAttached(name=name):
            SERVER.info("transport attached", extra=fields(transport=name))
        case ev.TransportLeft(reason=reason):
            SERVER.info("transport left", extra=fields(reason=reason))
        case ev.Stalled(stalled=stalled):
            AUDIO.info("sound is held up" if stalled else "sound gets through again")
        case ev.SessionClosed(reason=reason):
            SERVER.info("conversation closed", extra=fields(reason=reason))
        case ev.StateChanged(state=state):
            TURN.debug("state changed", extra=fields(state=state))
        case ev.TurnNoticed(event=noticed):
            _log_turn(mark, noticed)
        case ev.Dropped(what=what, count=count):
            AUDIO.warning("dropped", extra=fields(what=what, count=count))
        case ev.Failed(engine=engine, reason=reason):
            MODEL.warning("engine failed", extra=fields(engine=engine, reason=reason))
        case ev.ReplyWritten(reading=reading):
            MODEL.info("reply written", extra=fields(**asdict(reading)))
        case ev.TurnTimed():
            parts = {
                part.name.replace(" ", "_"): part.end_ms - part.start_ms for part in event.parts
            }
            TURN.info(
                "reply audible",
                extra=fields(total_ms=event.total_ms, endpoint_ms=event.endpoint_ms, **parts),
            )
        case ev.CallerReported() if AUDIO.isEnabledFor(logging.DEBUG):  # it comes each second
            AUDIO.debug(
                "caller reported",
                extra=fields(
                    rtt_ms=event.rtt_ms,
                    buffered_ms=event.buffered_ms,
                    underruns=event.underruns,
                    jitter_ms=event.jitter_ms,
                    lost=event.lost,
                    concealed_ms=event.concealed_ms,
                ),
            )
        case ev.PathMeasured(quality=quality) if WEBRTC.isEnabledFor(logging.DEBUG):
            WEBRTC.debug("path measured", extra=fields(**asdict(quality)))
        case ev.CallerReported() | ev.PathMeasured():
            pass
        case _:
            _log_words(event)


def _log_turn(mark: Mark, event: turns.TurnEvent) -> None:
    match event:
        case turns.UtterancePaused(utterance=utterance):
            mark.turn = max(mark.turn, utterance.turn)
            TURN.debug("utterance paused", extra=fields(seconds=utterance.seconds))
        case turns.TurnEnded(said=turns.Utterance() as said):
            mark.turn = max(mark.turn, said.turn)
            TURN.info("turn ended", extra=fields(kind="spoken", seconds=said.seconds))
        case turns.TurnEnded(said=said):
            mark.turn = max(mark.turn, said.turn)
            TURN.info("turn ended", extra=fields(kind="typed"))
        case turns.BargedIn(turn=turn):
            TURN.info("barged in", extra=fields(cut=turn))
        case turns.FloorFreed(turn=turn, timed_out=True):
            TURN.warning("reply timed out", extra=fields(reply=turn))
        case _:
            mark.turn = max(mark.turn, event.turn)
            TURN.debug(_name(event))


def _log_words(event: ev.SessionEvent) -> None:
    match event:
        case ev.WordsHeard(text=text, final=final, source=source):
            MODEL.debug("words heard", extra=fields(text=text, final=final, source=source))
        case ev.ClauseSpoken(clause=clause, text=text):
            AUDIO.debug("clause spoken", extra=fields(clause=clause, text=text))
        case ev.ReplyClosed(heard=heard, text=text, unheard=unheard):
            AUDIO.info("reply closed", extra=fields(cut=heard.cut, samples=heard.samples))
            AUDIO.debug("reply was", extra=fields(heard=text, unheard=unheard))
        case _:
            MODEL.debug(_name(event))


def _name(event: object) -> str:
    """`ReplyBegun` as "reply begun"."""
    name = type(event).__name__
    return "".join(f" {c.lower()}" if c.isupper() else c for c in name).strip()
