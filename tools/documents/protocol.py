"""docs/protocol.md: the messages, the binary header, the close codes, and a conversation in them."""

from typing import get_args

import msgspec

from documents import NOTE
from documents.page_types import literals, parts_of, tag
from documents.source import Field, constants, described
from ultraandchat.access_config import AccessConfig
from ultraandchat.config import ServerConfig
from ultraandchat.engines.chatterbox.library import MOST_BYTES, MOST_VOICES
from ultraandchat.transport import frames, websocket, wire
from ultraandchat.turn.taking import TurnState

HEAD = f"""# The protocol of `/ws`

<!-- {NOTE} -->

One WebSocket is one conversation. Text frames carry JSON objects whose `type` names the message; binary frames
carry sound. This is version {wire.PROTOCOL_VERSION}.

1. The caller connects to `/ws`. A browser's `Origin` must be the server's own page, or stand in
   [`access.origins`](configuration.md#access). Where the server has a token, a program sends it along, `Authorization:
   Bearer TOKEN`. A page, which cannot, asks `POST /ticket` first and connects to `/ws?ticket=…`; a ticket is good once,
   for {AccessConfig().ticket_s} s. For tickets it has shown the token to `POST /access` (`{{"token": "…"}}`) before, and got a
   cookie. Without access the answer is 401; 429 to who tried too many tokens.
2. A caller that can, sends `offer` first, takes the `answer`, and says `use_path` once sound can flow over WebRTC
   (a browser does all of that in a few hundred milliseconds). Without it sound goes over the WebSocket. After
   `path_lost`, or when the caller says so, it does so too.
3. The caller sends `hello`; the server answers `welcome`. Before that, sound is not heard.
4. The caller streams its microphone without a pause: silence is sound too, and it is what ends a turn. The server
   sends sound when there is some, and messages as things happen, in order with the sound.
5. Sound on the WebSocket is PCM16, which every server and caller has, or Opus, where `/config.json` names it among
   `websocket.codecs`: a seventh of the bytes. A caller sends either as it likes; how it wants to hear the agent it says
   with `use_path` and a `codec`, at any time. An Opus decoder goes on from packet to packet, across gaps too, and is
   made anew behind a `flush`, as the server's encoder is.
6. Either side may end it: the caller with `bye` or by closing, the server with `closing`.

Before all that, `GET /config.json` tells a page what is there: `ready` (a caller would be let in), and of each of the
`engines` its `kind`, `name`, `state` ("loading", "ready", "restarting", "failed"), a `detail` and a `remedy` in plain
words, and while a model loads its `progress`: the `stage` ("start", "download", "load", "capture", "warm-up", …) with
`done` of a `total` (bytes of a download, parts of anything else; 0 where nobody knows). `/health` has the same, and the
seconds that each stage took. `protocol` and `page` are what the server speaks and which version of the page's files it
has; a page that was loaded of another offers to load the new one, and a `hello` of another protocol is answered by the
`error` "other_version". `start` is another one after each start of the server. `gate_dbfs` is the level below which no sound
is speech here, for a page that shows or sets a caller's own (`settings`).

Where `/config.json` says `library`, the voices are a [folder of clips](voices.md), and whoever has access changes it;
an answer from 400 on is `{{"error": "one sentence"}}`:

| request | what it does |
| --- | --- |
| `GET /voices` | `voices`, the names that can be chosen now, and `files`, each with `name`, `seconds`, a `fault` where it cannot be a voice, and a `remark` on what will be heard |
| `PUT /voices/NAME` | the body is a sound file, {MOST_BYTES // 1_000_000} MB at most; 201 with the voice made of it and the new `voices`; 400 for a name that is none, 409 where it is taken or there are {MOST_VOICES}, 413 and 408 for too much and too slow, 422 where the clip cannot be a voice, 429 while another is added, 507 where the disk is full |
| `DELETE /voices/NAME` | its file is deleted; 404 where there is none |

A voice that was added can be chosen at once, by running conversations too (`settings`). One that was removed while
somebody speaks with it is replaced by the usual one from the next clause on.

A message that is not understood has no effect; the server answers `error` and the connection stays. A field that
a message does not have makes it a message that is not understood.
"""

SAMPLE: tuple[tuple[str, wire.ClientMessage | wire.ServerMessage | str], ...] = (
    ("→", wire.Hello(timezone="Europe/Berlin", language="en-GB")),
    (
        "←",
        wire.Welcome(
            session="7f3a91c0",
            server="0.1.0",
            transport="websocket",
            voices=["slt", "rms"],
            engines=[wire.EngineInfo("speech", "flite", "ready", "flite, voice slt")],
            about="A small offline recogniser and a rule-based responder.",
        ),
    ),
    ("→", "binary: 20 ms of sound, fifty times a second, until the end"),
    ("←", wire.State(state="user speaking", turn=1)),
    ("←", wire.UserCaption(turn=1, text="go forward", final=False, source="stream")),
    ("←", wire.State(state="user paused", turn=1)),
    ("←", wire.UserCaption(turn=1, text="go forward ten meters", final=True, source="grammar")),
    ("←", wire.State(state="replying", turn=1)),
    (
        "←",
        wire.TurnTiming(
            turn=1,
            total_ms=655.0,
            endpoint_ms=600,
            speculative=True,
            parts=[
                wire.TimingPart("end silence", 0.0, 608.0),
                wire.TimingPart("words", 192.0, 260.0),
                wire.TimingPart("first clause", 260.0, 261.0),
                wire.TimingPart("first sound", 261.0, 320.0),
                wire.TimingPart("playout", 608.0, 655.0),
            ],
        ),
    ),
    ("←", wire.State(state="agent speaking", turn=1)),
    ("←", wire.AgentCaption(turn=1, clause=0, text="Going forward ten meters.")),
    ("←", "binary: the reply, 20 ms a frame, in real time"),
    ("←", wire.ReplyDone(turn=1, heard="Going forward ten meters.", unheard="", cut=False)),
    ("←", wire.State(state="listening", turn=1)),
    ("→", wire.Bye()),
    ("←", wire.Closing(reason="peer_left", text="the caller left")),
)
"""One turn, as it might go. Real messages, so that this cannot go out of date."""


def text() -> str:
    """The whole document."""
    from_caller, from_server = get_args(wire.ClientMessage), get_args(wire.ServerMessage)
    return "\n".join(
        [
            HEAD,
            *_binary(),
            "## From the caller\n",
            *(part for kind in from_caller for part in _message(kind, from_caller=True)),
            "## From the server\n",
            *(part for kind in from_server for part in _message(kind, from_caller=False)),
            *_limits(),
            *_codes(),
            *_sample(),
        ]
    )


def _binary() -> list[str]:
    about = constants(wire)
    gap = constants(frames)["LONGEST_GAP"]
    return [
        "## Binary frames\n",
        f"{about['HEADER']} Then comes the sound.\n",
        "| offset | type | field | value |",
        "| --- | --- | --- | --- |",
        f"| 0 | u8 | kind | {wire.KIND_SOUND}: sound |",
        f"| 1 | u8 | codec | {wire.CODEC_PCM16_16K}: {_small(about['CODEC_PCM16_16K'])} "
        f"{wire.CODEC_PCM16_24K}: {_small(about['CODEC_PCM16_24K'])} "
        f"{wire.CODEC_OPUS}: {_small(about['CODEC_OPUS'])} |",
        "| 2 | u16 | reserved | 0 |",
        "| 4 | u32 | position | of the first sample |",
        f"| {wire.HEADER.size} | i16 … | sound | little-endian samples, or the packet (RFC 6716) |",
        "",
        "The position makes a gap in the sound visible: a frame that stands further on than the one before it ended "
        f"was preceded by that much silence. {gap} Whoever changes the codec stays on the same timeline, counted at the "
        "new codec's rate.\n",
    ]


def _message(kind: type[msgspec.Struct], *, from_caller: bool) -> list[str]:
    about = described(kind)
    lines = [f"### `{tag(kind)}`\n"]
    lines += [f"{about.meaning}\n"] if about.meaning else []
    lines += _fields(about.fields, from_caller)
    if kind is wire.State:
        lines += [f"The states are {', '.join(f'`{state.value}`' for state in TurnState)}.\n"]
    for part in parts_of(kind):
        inner = described(part)
        lines += [
            f"Of type `{part.__name__}`: {_small(inner.meaning)}\n",
            *_fields(inner.fields, from_caller),
        ]
    return lines


def _fields(fields: tuple[Field, ...], from_caller: bool) -> list[str]:
    if not fields:
        return []
    rows = [
        f"| `{field.name}` | {_json(field)}{_absence(field, from_caller)} | {field.meaning} |"
        for field in fields
    ]
    return ["| field | type | meaning |", "| --- | --- | --- |", *rows, ""]


def _absence(field: Field, from_caller: bool) -> str:
    """The caller may leave out what has a default; the server sends every field, if only as null."""
    if from_caller and field.default:
        return " (optional)"
    return " or null" if "None" in field.annotation else ""


def _json(field: Field) -> str:
    words = {"str": "string", "int": "integer", "float": "number", "bool": "boolean"}
    kind = field.annotation.removesuffix(" | None")
    if kind.startswith("list["):
        inner = kind.removeprefix("list[").removesuffix("]")
        return f"list of {words.get(inner, f'`{inner}`')}"
    if kind.startswith("Literal["):
        return " or ".join(f'`"{word}"`' for word in literals(kind))
    return words.get(kind, f"`{kind}`")


def _limits() -> list[str]:
    server = {field.name: field.meaning for field in described(ServerConfig).fields}
    settings = ("messages_per_s", "sound_speed", "heartbeat_s", "idle_timeout_s")
    return [
        "## Limits\n",
        f"- A text frame has at most {wire.MAX_TEXT_BYTES} bytes, a typed turn {wire.MAX_TYPED_CHARS} characters.",
        f"- A binary frame has at most {wire.MAX_SOUND_BYTES} bytes: one second of sound and the header; an Opus packet "
        f"at most {frames.MAX_OPUS_BYTES} bytes and 120 ms (of callers, too, 20 ms are expected).",
        *(
            f"- [`server.{name}`](configuration.md#server), {getattr(ServerConfig(), name):g}: {server[name]}"
            for name in settings
        ),
        "",
    ]


def _codes() -> list[str]:
    rows: dict[int, list[str]] = {}
    for reason, code in websocket.CLOSE_CODES.items():
        rows.setdefault(code, []).append(f"`{reason.name.lower()}`: {reason.value}")
    broken = {1008: "too much in a short time", 1009: "a frame that is too long"}
    for number, text_ in broken.items():
        rows.setdefault(number, []).append(f"`protocol`: {text_}")
    return [
        "## How it ends\n",
        "The last message is `closing`; its `reason` is one of these words. The WebSocket then closes with the code "
        "(RFC 6455 §7.4.1).\n",
        "| code | reasons |",
        "| --- | --- |",
        *(f"| {number} | {'; '.join(reasons)} |" for number, reasons in sorted(rows.items())),
        "",
    ]


def _sample() -> list[str]:
    lines = [
        f"{arrow} {item if isinstance(item, str) else wire.Codec.encode(item)}"
        for arrow, item in SAMPLE
    ]
    return ["## One turn\n", "`→` is the caller, `←` the server.\n", "```text", *lines, "```", ""]


def _small(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]
