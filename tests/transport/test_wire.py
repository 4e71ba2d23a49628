"""Control messages: what is one, what is not and why; nothing else can come of any text."""

import json
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ultraandchat.transport.wire import (
    BadMessage,
    ClientMessage,
    Closing,
    Codec,
    Error,
    Hello,
    Mute,
    Ping,
    Say,
    Settings,
)

KINDS = get_args(ClientMessage)
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=10,
)


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("", "not_json", "not a JSON"),
        ("{", "not_json", "not a JSON"),
        (b"\xff\xfe", "not_json", "not a JSON"),
        ('{"type":"say","text":' + "[" * 16_000, "bad_message", "text"),
        ('{"type":"say","more":' + "[" * 16_000, "bad_message", "more"),
        ("[]", "bad_message", "object"),
        ("{}", "bad_message", "type"),
        ('{"type":"dance"}', "unknown_type", "dance"),
        ('{"type":7}', "bad_message", "type"),
        ('{"type":"mute"}', "bad_message", "muted"),
        ('{"type":"mute","muted":"yes"}', "bad_message", "muted"),
        ('{"type":"mute","muted":true,"x":1}', "bad_message", "x"),
        ('{"type":"welcome"}', "unknown_type", "welcome"),
    ],
)
def test_what_is_no_message_is_refused_with_the_reason(
    text: str | bytes, code: str, words: str
) -> None:
    with pytest.raises(BadMessage, match=words) as refused:
        Codec.decode(text)
    assert refused.value.answer.code == code


def test_fields_that_may_be_absent_have_their_default() -> None:
    assert Codec.decode('{"type":"hello"}') == Hello()
    assert Codec.decode('{"type":"settings","speed":2}') == Settings(speed=2.0)


@pytest.mark.parametrize(
    "message", [Hello(timezone="Europe/Berlin"), Mute(True), Say("so"), Ping(1, 2.5), Settings()]
)
def test_a_callers_message_survives_the_wire(message: ClientMessage) -> None:
    assert Codec.decode(Codec.encode(message)) == message


def test_a_servers_message_survives_the_wire() -> None:
    closing = Closing("full", "try again", 5.0)
    assert Codec.decode_server(Codec.encode(closing)) == closing


def understood(text: str | bytes) -> None:
    try:
        item: object = Codec.decode(text)
    except BadMessage as error:
        item = error.answer
    assert isinstance(item, (*KINDS, Error))


@given(st.text(max_size=300))
def test_no_text_does_more_than_be_refused(text: str) -> None:
    understood(text.encode("utf-8", "surrogatepass"))


@given(st.binary(max_size=300))
def test_no_bytes_do_more_than_be_refused(data: bytes) -> None:
    understood(data)


@given(
    st.sampled_from([kind.__struct_config__.tag for kind in KINDS]),
    st.dictionaries(st.sampled_from(["muted", "text", "id", "speed", "voice", "rtt_ms"]), ANY_JSON),
)
def test_no_fields_do_more_than_be_refused(kind: str, given_fields: dict[str, object]) -> None:
    understood(json.dumps({"type": kind, **given_fields}))
