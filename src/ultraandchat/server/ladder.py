"""The ladder: which ways sound may take between a page and this server, and why others are not there.

UDP, ICE-TCP and TURN are tried by the page at once (one ICE race), the WebSocket is always there.
Worked out once, from where we run and what is configured; nothing is tried here, and nothing raises.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ultraandchat.config import Config
from ultraandchat.pod import SYMMETRICAL, Pod, TcpPort
from ultraandchat.server.addresses import is_loopback
from ultraandchat.transport.webrtc_config import WebRtcConfig, can_be_dialled

POD_TCP_PORTS = (70_000, 8_189)
"""Where a pod's settings may give us a port for ICE-TCP, unless `webrtc.tcp_port` names one: the
symmetrical form first, then the port of our template's older form."""

NO_UDP = "Runpod pods take no UDP from outside"
OFF = "webrtc.enabled is off: every caller's sound goes over the WebSocket"


@dataclass(frozen=True, slots=True)
class Rung:
    """One way, and in one sentence why it is or is not there and what would change that."""

    name: str
    there: bool
    why: str


@dataclass(frozen=True, slots=True)
class TcpListening:
    """Where ICE-TCP is to listen, and what callers are told to dial."""

    host: str
    port: int
    """0: a free one."""
    announce: tuple[str, int] | None
    """None: the addresses at which it listens, and that port."""


@dataclass(frozen=True, slots=True)
class Ladder:
    """The rungs from the quickest to the surest."""

    udp: Rung
    ice_tcp: Rung
    turn: Rung
    websocket: Rung
    tcp: TcpListening | None
    """There when `ice_tcp` is."""
    https_url: str | None
    """A pod's page with TLS, so that browsers give it the microphone: by the pod's proxy, as a rule."""

    @classmethod
    def of(cls, pod: Pod, config: Config) -> "Ladder":
        """The ladder of a server with this configuration that runs there."""
        webrtc = config.webrtc
        listening, why = _ice_tcp(pod, config) if webrtc.enabled else (None, OFF)
        return cls(
            udp=(udp := _udp(pod, webrtc)),
            ice_tcp=Rung("ICE-TCP", listening is not None, why),
            turn=_turn(webrtc, udp),
            websocket=_websocket(pod, config),
            tcp=listening,
            https_url=_https_url(pod, config),
        )

    @property
    def has_webrtc(self) -> bool:
        """Whether it is worth a page's while to offer."""
        return self.udp.there or self.ice_tcp.there or self.turn.there

    @property
    def relays_us(self) -> bool:
        """Whether this end must be relayed too: a relay sends UDP, which does not come here."""
        return self.turn.there and not self.udp.there

    def __iter__(self) -> Iterator[Rung]:
        return iter((self.udp, self.ice_tcp, self.turn, self.websocket))

    def line(self) -> str:
        """The whole of it for the log."""
        there = ", ".join(f"{rung.name} ({rung.why})" for rung in self if rung.there)
        missing = "".join(f"; no {rung.name} ({rung.why})" for rung in self if not rung.there)
        return f"ways for sound: {there}{missing}"

    def for_pages(self, ice_tcp: str | None) -> dict[str, Any]:
        """As `/config.json` has it; `ice_tcp` is what callers dial, known once it listens."""
        return {
            "udp": self.udp.there,
            "ice_tcp": ice_tcp if self.ice_tcp.there else None,
            "turn": self.turn.there,
            "websocket": True,
            "why": {"udp": self.udp.why, "ice_tcp": self.ice_tcp.why, "turn": self.turn.why},
        }


def _udp(pod: Pod, webrtc: WebRtcConfig) -> Rung:
    match webrtc.udp:
        case _ if not webrtc.enabled:
            return Rung("UDP", False, OFF)
        case "off":
            return Rung("UDP", False, "webrtc.udp is off; auto offers it where there is UDP")
        case "auto" if pod.is_pod:
            return Rung("UDP", False, f"{NO_UDP}; webrtc.udp=on offers it all the same")
        case "on" if pod.is_pod:
            return Rung("UDP", True, f"webrtc.udp is on, although {NO_UDP}; auto leaves it out")
        case _:
            return Rung("UDP", True, "wherever the caller's network lets it through")


def _turn(webrtc: WebRtcConfig, udp: Rung) -> Rung:
    if not webrtc.enabled:
        return Rung("TURN", False, OFF)
    if not webrtc.turn:
        return Rung("TURN", False, "webrtc.turn names no server; few networks need one")
    ends = "" if udp.there else ", from both ends, as this one has no UDP"
    return Rung("TURN", True, f"through {', '.join(webrtc.turn)}{ends}")


def _websocket(pod: Pod, config: Config) -> Rung:
    url, host = _https_url(pod, config), config.server.host
    why = "always, wherever the page itself comes through"
    if pod.is_pod and config.tls.on:
        why = "always, but not through the pod's proxy, which cannot call a server with TLS of its own"
    elif url is not None and is_loopback(host):
        why = f"but server.host is {host}, where the pod's proxy cannot call; set it to 0.0.0.0"
    elif url is not None:
        why = f"always, through the pod's proxy, {url}"
    return Rung("WebSocket", True, why)


def _https_url(pod: Pod, config: Config) -> str | None:
    """The pod's proxy brings TLS to a server without; one with TLS is reached by a TCP port alone."""
    port = config.server.port
    if not config.tls.on:
        return pod.https_url(port)
    bare = pod.tcp_port(port)
    return f"https://{joined(pod.address, bare.external)}" if bare and pod.address else None


def _ice_tcp(pod: Pod, config: Config) -> tuple[TcpListening | None, str]:
    """Where to listen, if ICE-TCP can be reached at all, and the sentence about it."""
    webrtc, host = config.webrtc, config.server.host
    if webrtc.tcp == "off":
        return None, "webrtc.tcp is off; auto offers it where a TCP port can be reached"
    if announce := webrtc.announced():
        port = _mapped(pod, webrtc.tcp_port)
        listen = port.listen if port else _real(webrtc.tcp_port)
        return TcpListening(host, listen, announce), f"webrtc.tcp_announce={webrtc.tcp_announce}"
    if pod.is_pod:
        listening, why = _on_pod(pod, host, webrtc.tcp_port)
        if listening is not None or webrtc.tcp == "auto":
            return listening, why
        why = f"webrtc.tcp is on, at this pod's own addresses only: {why}"
        return TcpListening(host, _real(webrtc.tcp_port), None), why
    return TcpListening(host, _real(webrtc.tcp_port), None), f"where {host} can be reached"


def _on_pod(pod: Pod, host: str, configured: int) -> tuple[TcpListening | None, str]:
    """Through the pod's public address, if it has one and a port of it leads here."""
    if pod.address is None:
        return None, f"{pod.no_address}; Secure Cloud pods have one, others if asked for"
    port = _mapped(pod, configured)
    if port is None:
        wanted = configured or POD_TCP_PORTS[0]
        return None, (
            f"no TCP port of the pod leads here (RUNPOD_TCP_PORT_{wanted} is not set);"
            f" expose TCP port {wanted} in the pod's settings"
        )
    if is_loopback(host):
        return None, f"server.host is {host}, where no port of the pod leads; set it to 0.0.0.0"
    address = joined(pod.address, port.external)
    if not can_be_dialled(port.external):
        return None, f"browsers dial no port as low as that of {address}; expose another"
    if ":" in pod.address and host == "0.0.0.0":
        host = "::"
    where = f"TCP port {port.internal} of the pod's settings is {address}"
    return TcpListening(host, port.listen, (pod.address, port.external)), where


def _mapped(pod: Pod, configured: int) -> TcpPort | None:
    """The pod's port for ICE-TCP: the configured one, else the first of those that are looked for."""
    wanted = (configured,) if configured else POD_TCP_PORTS
    return next((port for one in wanted if (port := pod.tcp_port(one))), None)


def _real(port: int) -> int:
    """A port to listen on where nothing is mapped; one in the symmetrical form is none."""
    return 0 if port >= SYMMETRICAL else port


def joined(address: str, port: int) -> str:
    """An address and a port as they are written."""
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
