"""Offers are judged before aiortc sees them, and its answers say what we hear best (RFC 8866, RFC 7587)."""

from aiortc.sdp import SessionDescription

MOST_CANDIDATES = 32
"""Of one peer. A browser with two networks and two address families sends about a dozen."""
CLOCK_RATE = 48_000
"""RTP clock of Opus, whatever the codec runs at (RFC 7587 §4.1)."""


class BadOffer(ValueError):
    """The peer's fault: it is told this text, and the connection stays."""


def judged(sdp: str) -> str:
    """The offer as it may be applied: one audio stream with Opus, candidates within bounds.

    The mark that no more candidates follow is taken out: with it aioice gives up at once where we
    have nothing to check (all our peers come to us).
    """
    description = _parsed(sdp)
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
    for media in description.media:
        if media.dtls is None or not media.dtls.fingerprints:
            raise BadOffer("an offer must have a DTLS fingerprint")
        if media.ice is None or not (media.ice.usernameFragment and media.ice.password):
            raise BadOffer("an offer must have an ICE name and password")
        media.ice_candidates_complete = False
        usable = [one for one in media.ice_candidates if not one.ip.endswith(".local")]
        media.ice_candidates = usable[:MOST_CANDIDATES]
    return str(description)


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


def _parsed(sdp: str) -> SessionDescription:
    """aiortc's parser trusts its input; whatever it stumbles over is the peer's fault."""
    try:
        return SessionDescription.parse(sdp)
    except (ValueError, LookupError, TypeError, AttributeError, AssertionError) as error:
        raise BadOffer(f"this is no SDP that can be read ({type(error).__name__})") from None
