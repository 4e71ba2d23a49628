"""The settings of WebRTC: what browsers are told about reaching us, and how sound is packed for them."""

from dataclasses import dataclass
from typing import Any, Literal

SCHEMES = {"stun": ("stun:", "stuns:"), "turn": ("turn:", "turns:")}


@dataclass(frozen=True, slots=True)
class WebRtcConfig:
    """Sound over WebRTC (RFC 8825); where it cannot connect, pages use the WebSocket."""

    enabled: bool = True
    """false: every caller's sound goes over the WebSocket."""
    stun: tuple[str, ...] = ("stun:stun.l.google.com:19302", "stun:stun.cloudflare.com:3478")
    """STUN servers that pages ask for their public address (RFC 8489). They see the callers' addresses; empty: none."""
    turn: tuple[str, ...] = ()
    """TURN servers for pages behind strict firewalls, as `turn:host:3478?transport=udp` or `turns:…` (RFC 7065)."""
    turn_username: str = ""
    """The account on those servers."""
    turn_credential: str = ""
    """Its password. Pages need it, so whoever may open the page can read it."""
    ice_transport_policy: Literal["all", "relay"] = "all"
    """relay: pages connect through a TURN server only."""
    ice_candidate_pool_size: int = 10
    """Candidates that pages gather before they are asked for (RFC 9429 §3.5.4)."""
    connect_timeout_s: float = 15.0
    """A WebRTC path that is not connected after so long is given up."""
    fallback_s: float = 2.5
    """After the answer: a page to which no media came in this time sends its sound over the WebSocket."""
    bitrate: int = 32_000
    """Bits a second of the agent's voice; less is sent to callers who report loss."""
    complexity: int = 2
    """Of the Opus encoder, 0…10. 5 costs a third more and measured no better; below 2 there is no error correction for light loss."""
    fec: bool = True
    """Opus carries each frame's sound a second time, coarsely, to callers who report loss (RFC 6716 §2.1.7)."""

    def __post_init__(self) -> None:
        """Refuse what no browser or encoder takes."""
        for kind, schemes in SCHEMES.items():
            for url in getattr(self, kind):
                if not url.startswith(schemes):
                    raise ValueError(f"webrtc.{kind}: {url} must begin with {' or '.join(schemes)}")
        if self.turn and not (self.turn_username and self.turn_credential):
            raise ValueError("webrtc.turn needs webrtc.turn_username and webrtc.turn_credential")
        if self.ice_transport_policy == "relay" and not self.turn:
            raise ValueError("webrtc.ice_transport_policy=relay needs a server in webrtc.turn")
        if not 0 <= self.ice_candidate_pool_size <= 255:
            raise ValueError("webrtc.ice_candidate_pool_size must be 0…255")
        if not 6_000 <= self.bitrate <= 128_000 or not 0 <= self.complexity <= 10:
            raise ValueError("webrtc.bitrate must be 6000…128000, webrtc.complexity 0…10")
        if not 0 < self.fallback_s < self.connect_timeout_s:
            raise ValueError("webrtc.fallback_s must be above 0 and below webrtc.connect_timeout_s")

    def for_pages(self) -> dict[str, Any] | None:
        """What `/config.json` says: a browser's `RTCConfiguration`, and how long to wait for media."""
        if not self.enabled:
            return None
        servers: list[dict[str, Any]] = [{"urls": [url]} for url in self.stun]
        if self.turn:
            account = {"username": self.turn_username, "credential": self.turn_credential}
            servers.append({"urls": list(self.turn), **account})
        return {
            "iceServers": servers,
            "iceTransportPolicy": self.ice_transport_policy,
            "iceCandidatePoolSize": self.ice_candidate_pool_size,
            "fallback_ms": round(1000 * self.fallback_s),
        }
