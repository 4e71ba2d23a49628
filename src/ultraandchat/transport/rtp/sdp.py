"""Offers are judged before aiortc sees them, and its answers say what we hear best (RFC 8866, RFC 7587)."""

from ipaddress import ip_address

from aiortc import RTCIceCandidate
from aiortc.sdp import SessionDescription, candidate_from_sdp

MOST_CANDIDATES = 32
"""Of one peer. A browser with two networks and two address families sends about a dozen."""
MOST_LINES = 256
"""Of what is read of an offer; Chromium's for one voice has 33. aiortc's parser takes time with their square."""
MOST_ICE_CHARS = 256
"""Of an ICE name or password (RFC 8839 §5.4)."""

UNREAD = ("a=end-of-candidates", "a=rtcp:", "a=rtcp-fb:", "a=ssrc", "a=extmap", "c=")
"""What is left out of an offer. With the first aioice gives up at once where we have nothing to check (our
peers come to us). Firefox puts names into `a=rtcp:` where aiortc wants addresses; media goes where ICE
says, `c=` and `a=rtcp:` have no meaning (RFC 8839 §4.2.1). The others are of no use here, and many."""


class BadOffer(ValueError):
    """The peer's fault: it is told this text, and the connection stays."""


def judged(sdp: str) -> str:
    """The offer as it may be applied: one audio stream with Opus, candidates within bounds."""
    lines = _read(sdp)
    if len(lines) > MOST_LINES:
        raise BadOffer(f"an offer may have {MOST_LINES} lines")
    offer = "\r\n".join(lines) + "\r\n"
    description = _parsed(offer)
    kinds = [media.kind for media in description.media]
    if kinds.count("audio") != 1:
        raise BadOffer("an offer must have exactly one audio stream")
    if set(kinds) - {"audio", "application"} or kinds.count("application") > 1:
        raise BadOffer(
            "only sound is understood here: one audio stream, and a data channel at most"
        )
    audio = description.media[kinds.index("audio")]
    if audio.port == 0:
        raise BadOffer("the audio stream is switched off")
    if not any(codec.mimeType.lower() == "audio/opus" for codec in audio.rtp.codecs):
        raise BadOffer("sound must be Opus")
    if not audio.rtcp_mux:
        raise BadOffer("RTP and RTCP must share a port (a=rtcp-mux)")
    _check_transports(description)
    return offer


def candidate(text: str) -> RTCIceCandidate | None:
    """The address in `candidate:…` (RFC 8839 §5.1), where it is one that can be checked from here.

    Not those with names of the peer's own network, nor TCP: such peers come to us, and their first
    check tells the address. What cannot be read is passed over.
    """
    try:
        one = candidate_from_sdp(text.removeprefix("candidate:"))
        ip_address(one.ip)
    except (ValueError, LookupError, AssertionError):
        return None
    usable = one.component == 1 and one.protocol.lower() == "udp" and 0 < one.port < 65_536
    return one if usable else None


def heard_best(answer: str, *, bitrate: int, fec: bool) -> str:
    """The answer, told how we like Opus: mono, wide band (models hear 16 kHz), with FEC, no extensions."""
    description = SessionDescription.parse(answer)
    for media in description.media:
        if media.kind != "audio":
            continue
        media.rtp.headerExtensions = []
        for codec in media.rtp.codecs:
            codec.parameters = {
                "minptime": 10,
                "useinbandfec": int(fec),
                "stereo": 0,
                "maxplaybackrate": 16_000,
                "maxaveragebitrate": bitrate,
            }
    return str(description)


def payload_type(answer: str) -> int:
    """The one that both sides use for Opus."""
    description = SessionDescription.parse(answer)
    audio = next(media for media in description.media if media.kind == "audio")
    number = audio.rtp.codecs[0].payloadType
    assert isinstance(number, int)
    return number


def _read(sdp: str) -> list[str]:
    """The lines of an offer that mean something here."""
    lines = []
    candidates = 0
    for line in sdp.splitlines():
        if line.startswith("a=candidate:"):
            candidates += 1
            if candidates > MOST_CANDIDATES or candidate(line.removeprefix("a=")) is None:
                continue
        elif line.startswith(UNREAD):
            continue
        lines.append(line)
    return lines


def _parsed(sdp: str) -> SessionDescription:
    """aiortc's parser trusts its input; whatever it stumbles over is the peer's fault."""
    try:
        return SessionDescription.parse(sdp)
    except (
        ValueError,
        LookupError,
        TypeError,
        AttributeError,
        AssertionError,
        StopIteration,
    ) as error:
        raise BadOffer(f"this is no SDP that can be read ({type(error).__name__})") from None


def _check_transports(description: SessionDescription) -> None:
    """What ICE and DTLS need, and that streams which share a transport say whose it is."""
    for media in description.media:
        if media.dtls is None or not media.dtls.fingerprints:
            raise BadOffer("an offer must have a DTLS fingerprint")
        ice = media.ice
        if ice is None or not all(map(_is_ice_word, (ice.usernameFragment, ice.password))):
            raise BadOffer("an offer must have an ICE name and password")
    mids = [media.rtp.muxId for media in description.media]
    bundled = [mid for g in description.group if g.semantic == "BUNDLE" for mid in g.items]
    if len(set(mids)) < len(mids) or set(bundled) - set(mids):
        raise BadOffer("the streams of an offer must have names of their own (a=mid)")


def _is_ice_word(word: str | None) -> bool:
    return word is not None and 0 < len(word) <= MOST_ICE_CHARS and word.isascii()
