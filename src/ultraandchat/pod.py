"""The Runpod pod that this process runs in, as its environment describes it; `Pod.local()` elsewhere.

Sound comes to a pod through its HTTPS proxy, or through a TCP port of its public address; both stand
here. Whatever the environment holds, reading it never raises: what makes no sense is left out and
said in words. Secrets of the pod (`RUNPOD_API_KEY`, `PUBLIC_KEY`) are never read.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address

LOCAL = "local"
"""The id of what is no pod, as `/health` has always called it."""

SYMMETRICAL = 70_000
"""From here on no real port is meant: Runpod picks one number for outside and inside."""

MOST_PORT = 65_535

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,55}")
"""With "-65535" behind it, it is a label of a host name: at most 63 characters (RFC 1035 §2.3.4)."""

_NAME = r"[A-Za-z0-9._-]{1,64}"

_TCP_PORT = "RUNPOD_TCP_PORT_"


@dataclass(frozen=True, slots=True)
class TcpPort:
    """A TCP port of the pod's public address, and where it leads to."""

    internal: int
    """As asked for in the pod's settings."""
    external: int
    """What callers dial; another one whenever the pod is reset."""

    @property
    def listen(self) -> int:
        """The port to listen on inside the pod."""
        return self.external if self.internal >= SYMMETRICAL else self.internal


@dataclass(frozen=True, slots=True)
class Pod:
    """Where we run."""

    id: str = LOCAL
    address: str | None = None
    """Its public address; only one that the whole internet can dial."""
    no_address: str = "this is no pod"
    """Why `address` is None."""
    tcp_ports: tuple[TcpPort, ...] = ()
    data_centre: str = ""
    gpu_count: int | None = None
    host_name: str = ""
    unread: tuple[str, ...] = ()
    """What of the environment makes no sense, each in words."""

    @classmethod
    def local(cls, *unread: str) -> "Pod":
        """No pod at all."""
        return cls(unread=unread)

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> "Pod":
        """The pod that this environment describes. Nothing makes it raise."""
        identity = _text(environ, "RUNPOD_POD_ID")
        if not identity or identity == LOCAL:
            return cls.local()
        if not _ID.fullmatch(identity):
            return cls.local(f"RUNPOD_POD_ID={_shown(identity)} is no pod's id: taken for no pod")
        unread: list[str] = []
        address, no_address = _address(_text(environ, "RUNPOD_PUBLIC_IP"))
        gpus = _word(environ, "RUNPOD_GPU_COUNT", r"[0-9]{1,4}", unread)
        return cls(
            id=identity,
            address=address,
            no_address=no_address,
            tcp_ports=_ports(environ, unread),
            data_centre=_word(environ, "RUNPOD_DC_ID", _NAME, unread),
            gpu_count=int(gpus) if gpus else None,
            host_name=_word(environ, "RUNPOD_POD_HOSTNAME", _NAME, unread),
            unread=tuple(unread),
        )

    @property
    def is_pod(self) -> bool:
        return self.id != LOCAL

    def tcp_port(self, internal: int) -> TcpPort | None:
        """Where that port of the pod's settings can be dialled, if it can."""
        return next((port for port in self.tcp_ports if port.internal == internal), None)

    def https_url(self, port: int) -> str | None:
        """Where the pod's proxy shows what listens on that port; None where there is no proxy."""
        if not self.is_pod or not 0 < port <= MOST_PORT:
            return None
        return f"https://{self.id}-{port}.proxy.runpod.net"


def _text(environ: Mapping[str, str], name: str) -> str:
    return environ.get(name, "").strip()


def _address(text: str) -> tuple[str | None, str]:
    """The address, or why there is none that callers could dial."""
    if not text:
        return None, "RUNPOD_PUBLIC_IP is not set: this pod has no public address"
    try:
        one = ip_address(text)
    except ValueError:
        return None, f"RUNPOD_PUBLIC_IP={_shown(text)} is no address"
    if isinstance(one, IPv6Address) and one.ipv4_mapped:
        one = one.ipv4_mapped
    # A multicast address counts as global there, and no one dials it.
    if not one.is_global or one.is_multicast:
        return None, f"RUNPOD_PUBLIC_IP={one} is no address of the public internet"
    return str(one), ""


def _ports(environ: Mapping[str, str], unread: list[str]) -> tuple[TcpPort, ...]:
    """Every mapped port, by its internal number."""
    found: dict[int, TcpPort] = {}
    for name in sorted(name for name in environ if name.startswith(_TCP_PORT)):
        internal = _number(name.removeprefix(_TCP_PORT))
        external = _number(_text(environ, name))
        if internal is None or not (0 < internal <= MOST_PORT or internal >= SYMMETRICAL):
            unread.append(f"{_shown(name)} names no port")
        elif external is None or not 0 < external <= MOST_PORT:
            unread.append(f"{name}={_shown(_text(environ, name))} is no port")
        else:
            found[internal] = TcpPort(internal, external)
    return tuple(found[internal] for internal in sorted(found))


def _number(text: str) -> int | None:
    """A whole number as a shell writes it: ASCII digits, and not many."""
    return int(text) if re.fullmatch(r"[0-9]{1,6}", text) else None


def _word(environ: Mapping[str, str], name: str, form: str, unread: list[str]) -> str:
    """A value of that form, which may be shown as it is; empty where there is none."""
    text = _text(environ, name)
    if not text or re.fullmatch(form, text):
        return text
    unread.append(f"{name}={_shown(text)} makes no sense")
    return ""


def _shown(text: str) -> str:
    """A value that makes no sense, short and without control characters."""
    return repr(text if len(text) <= 40 else f"{text[:40]}…")
