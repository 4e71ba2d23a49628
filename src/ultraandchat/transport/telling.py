"""What the page is told of a conversation: a pure mapping from `SessionEvent` to message."""

from ultraandchat.events import (
    ClauseSpoken,
    Failed,
    Forgotten,
    ReplyClosed,
    ReplyWritten,
    SessionEvent,
    StateChanged,
    TurnTimed,
    WordsHeard,
)
from ultraandchat.transport import wire
from ultraandchat.transport.wire import (
    AgentCaption,
    Notice,
    ReplyDone,
    ReplyRead,
    ServerMessage,
    State,
    TimingPart,
    TurnTiming,
    UserCaption,
)


def message_of(event: SessionEvent) -> ServerMessage | None:
    """The message that shows this event to the caller, if one does."""
    match event:
        case StateChanged(state=state, turn=turn):
            return State(state, turn)
        case WordsHeard(turn=turn, text=text, final=final, source=source):
            return UserCaption(turn, text, final, source)
        case ClauseSpoken(turn=turn, clause=clause, text=text):
            return AgentCaption(turn, clause, text)
        case ReplyClosed(turn=turn, text=text, unheard=unheard, heard=heard):
            return ReplyDone(turn, text, unheard, heard.cut)
        case ReplyWritten(turn=turn, reading=reading):
            return ReplyRead(
                turn=turn,
                prompt_tokens=reading.prompt_tokens,
                reused_tokens=reading.reused_tokens,
                new_tokens=reading.new_tokens,
                read_ms=reading.encode_ms + reading.prefill_ms,
            )
        case TurnTimed():
            return TurnTiming(
                turn=event.turn,
                total_ms=event.total_ms,
                endpoint_ms=event.endpoint_ms,
                speculative=event.speculative,
                parts=[TimingPart(p.name, p.start_ms, p.end_ms) for p in event.parts],
            )
        case Forgotten():
            return wire.Forgotten()
        case Failed(reason=reason):
            return Notice("engine_failed", reason)
        case _:
            return None
