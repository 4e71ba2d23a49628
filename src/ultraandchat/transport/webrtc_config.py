"""The settings of WebRTC: what browsers are told about reaching us, and how sound is packed for them."""

import re
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_address
from typing import Any, Literal

from ultraandchat.transport.ice_server import ice_server
from ultraandchat.transport.relay_account import RelayAccount, relay_account

SCHEMES = {"stun": ("stun:", "stuns:"), "turn": ("turn:", "turns:")}


@dataclass(frozen=True, slots=True)
class WebRtcConfig:
    """Sound over WebRTC (RFC 8825); where it cannot connect, pages use the WebSocket."""

    enabled: bool = True
    """false: every caller's sound goes over the WebSocket."""
    udp: Literal["auto", "on", "off"] = "auto"
    """auto: on, but for Runpod pods, which take no UDP from outside."""
    tcp: Literal["auto", "on", "off"] = "auto"
    """ICE over TCP (RFC 6544), for callers whose network lets no UDP through. auto: where a TCP port can be reached."""
    tcp_port: int = 0
    """The TCP port all of them dial; 0: a free one, on a Runpod pod the one that leads to 70000 or 8189. From 70000 on: Runpod's symmetrical form."""
    tcp_announce: str = ""
    """`address:port` that callers are told to dial instead, where a router or proxy leads it here; `[v6]:port` for IPv6."""
    stun: tuple[str, ...] = ("stun:stun.l.google.com:19302", "stun:stun.cloudflare.com:3478")
    """STUN servers that pages ask for their public address (RFC 8489). They see the callers' addresses; empty: none."""
    turn: tuple[str, ...] = ()
    """TURN servers for pages behind strict firewalls, as `turn:host:3478?transport=udp` or `turns:…` (RFC 7065)."""
    turn_username: str = ""
    """The account on those servers."""
    turn_credential: str = ""
    """Its password. Pages need it, so whoever may open the page can read it."""
    turn_secret: str = ""
    """Instead of both: the secret of those servers (coturn: `use-auth-secret`), from which each page is given an account for `turn_ttl_s`."""
    turn_ttl_s: float = 86_400.0
    """So long such an account is good. A server asks for it again while a conversation goes on: as long as the longest."""
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
                try:
                    ice_server(url)
                except ValueError as error:
                    raise ValueError(f"webrtc.{kind}: {error}") from None
        account = bool(self.turn_username or self.turn_credential)
        if account and self.turn_secret:
            raise ValueError("webrtc.turn_secret makes accounts: no webrtc.turn_username beside it")
        if self.turn and not (self.turn_secret or (self.turn_username and self.turn_credential)):
            raise ValueError(
                "webrtc.turn needs webrtc.turn_secret, or webrtc.turn_username and .turn_credential"
            )
        if not 60 <= self.turn_ttl_s <= 366 * 86_400:
            raise ValueError("webrtc.turn_ttl_s must be a minute to a year")
        if self.ice_transport_policy == "relay" and not self.turn:
            raise ValueError("webrtc.ice_transport_policy=relay needs a server in webrtc.turn")
        if not (0 <= self.tcp_port <= 65_535 or 70_000 <= self.tcp_port <= 79_999):
            raise ValueError("webrtc.tcp_port must be 0…65535, or 70000…79999 on a Runpod pod")
        if self.tcp_announce:
            _check_announced(self.tcp_announce)
        if not 0 <= self.ice_candidate_pool_size <= 255:
            raise ValueError("webrtc.ice_candidate_pool_size must be 0…255")
        if not 6_000 <= self.bitrate <= 128_000 or not 0 <= self.complexity <= 10:
            raise ValueError("webrtc.bitrate must be 6000…128000, webrtc.complexity 0…10")
        if not 0 < self.fallback_s < self.connect_timeout_s:
            raise ValueError("webrtc.fallback_s must be above 0 and below webrtc.connect_timeout_s")

    def relay_account(self, now: datetime) -> RelayAccount:
        """The account on the TURN servers: one for a while where there is a secret."""
        if self.turn_secret:
            return relay_account(self.turn_secret, now, self.turn_ttl_s)
        return RelayAccount(self.turn_username, self.turn_credential)

    def for_pages(self, now: datetime) -> dict[str, Any] | None:
        """What `/config.json` says: a browser's `RTCConfiguration`, and how long to wait for media."""
        if not self.enabled:
            return None
        servers: list[dict[str, Any]] = [{"urls": [url]} for url in self.stun]
        if self.turn:
            servers.append({"urls": list(self.turn), **self.relay_account(now)._asdict()})
        return {
            "iceServers": servers,
            "iceTransportPolicy": self.ice_transport_policy,
            "iceCandidatePoolSize": self.ice_candidate_pool_size,
            "fallback_ms": round(1000 * self.fallback_s),
        }

    def announced(self) -> tuple[str, int] | None:
        """`tcp_announce` in its parts."""
        if not self.tcp_announce:
            return None
        address, _, port = self.tcp_announce.rpartition(":")
        return address.removeprefix("[").removesuffix("]"), int(port)


def _check_announced(text: str) -> None:
    """An address that may stand in a candidate, not a name (RFC 8839 §5.1), and a port that is dialled."""
    address, _, port = text.rpartition(":")
    try:
        version = ip_address(address.removeprefix("[").removesuffix("]")).version
    except ValueError:
        raise ValueError(f"webrtc.tcp_announce: {text} is not address:port") from None
    if address.startswith("[") != address.endswith("]") or (address[0] == "[") != (version == 6):
        raise ValueError(f"webrtc.tcp_announce: {text} is not address:port or [v6]:port")
    if not re.fullmatch(r"[0-9]{1,5}", port) or not can_be_dialled(int(port)):
        raise ValueError(f"webrtc.tcp_announce: browsers dial no port {port}; 80, 443, 1024…65535")


def can_be_dialled(port: int) -> bool:
    """Chromium and Safari (libwebrtc) dial no TCP candidate on another port."""
    return port in (80, 443) or 1024 <= port <= 65_535
