"""What a chat server's refusal means: whose fault it is, as a sentence for the user."""

import msgspec

from ultraandchat.engines.chat_stream import ChatFailure, error_code

_REFUSED = {
    400: "The server of my language model did not accept the question. The settings may be wrong.",
    401: "The server of my language model refused the key. Whoever runs this has to set a valid one.",
    403: "The server of my language model refused the key. Whoever runs this has to set a valid one.",
    404: "The server of my language model knows no such model or address. "
    "Whoever runs this has to correct the settings.",
    413: "The question was too large for the server of my language model.",
    429: "The server of my language model has too much to do, or the quota is used up. "
    "Please try again later.",
}
_SERVER_ERROR = "The server of my language model had an error of its own. Please try again."
_NO_SOUND = (
    "The server of my language model takes no sound. "
    "Whoever runs this has to serve a model that hears, such as Ultravox."
)
_TOO_LONG = "Our conversation has become too long for my language model."


class _Complaint(msgspec.Struct):
    message: object = None


def refusal(status: int, body: bytes) -> ChatFailure:
    """Of an answer with a status other than 200. `body` is looked into, and never repeated: it may
    hold the key or what the user said."""
    try:
        whole = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeError):
        whole = None
    error = whole.get("error", whole) if isinstance(whole, dict) else None
    if 200 <= status < 400:
        said = _REFUSED[404]
    elif status >= 500:
        said = _SERVER_ERROR
    else:
        about = _about(error) if status in (400, 415, 422) else ""
        said = about or _REFUSED.get(status, _REFUSED[400])
    return ChatFailure(said, f"HTTP {status} ({error_code(error)})", status)


def _about(error: object) -> str:
    """The sentence for a complaint that can be told from its message; empty for any other.

    vLLM's are "At most 0 audio(s) may be provided in one prompt.", "NAME is not a multimodal model"
    and "This model's maximum context length is …".
    """
    try:
        message = str(msgspec.convert(error, _Complaint).message).lower()
    except msgspec.ValidationError:
        return ""
    if "context length" in message or "context window" in message:
        return _TOO_LONG
    if "audio" in message or "multimodal" in message:
        return _NO_SOUND
    return ""
