"""A network of its own for tests and benchmarks: client, router and server, each in a network namespace.

    client 198.51.100.2 ── 198.51.100.1 router 10.77.2.1 ── 10.77.2.2 server
           2001:db8:1::2 ── 2001:db8:1::1      fd77:2::1 ── fd77:2::2

The router is a rented pod's front: it maps the page's port and one TCP port of another number to the
server, and hides both sides' addresses from each other (DNAT and masquerade); what else may pass is
its caller's choice. Namespaces have no names: each is held by a process that ends when its standard
input closes, so a run that crashes leaves nothing behind, and runs beside each other do not meet.
Linux, as root, with iproute2 and nftables.
"""

import ctypes
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

HTTP_PORT = 7860
"""Of the page, on both sides of the router."""
MEDIA_PORT = 8189
"""Where the server listens for ICE-TCP."""
MAPPED_PORT = 31877
"""What the router calls it: a pod's outer ports are not its inner ones."""

CLIENT, CLIENT_MOVED = "198.51.100.2", "198.51.100.3"
FRONT = "198.51.100.1"
CLIENT6, FRONT6 = "2001:db8:1::2", "2001:db8:1::1"
"""Networks set aside for documentation (RFC 5737, RFC 3849): nothing real answers there."""
SERVER, SERVER6 = "10.77.2.2", "fd77:2::2"
GATE, GATE6 = "10.77.2.1", "fd77:2::1"

MAPPED = (
    f"webrtc.tcp_port={MEDIA_PORT}",
    f"webrtc.tcp_announce={FRONT}:{MAPPED_PORT}",
)
MAPPED6 = (
    f"webrtc.tcp_port={MEDIA_PORT}",
    f"webrtc.tcp_announce=[{FRONT6}]:{MAPPED_PORT}",
)
"""Settings of a server that knows its router."""

_CLONE_NEWNET = 0x4000_0000
_libc = ctypes.CDLL(None, use_errno=True)

# No duplicate address detection: a second after its link went up it would declare the link-local address
# usable, at which Chromium aborts all that it is loading (ERR_NETWORK_CHANGED).
_NO_DETECTION = "for one in all default; do echo 0 >/proc/sys/net/ipv6/conf/$one/accept_dad; done"

_RULES = """
table inet front {{
  chain mapped {{
    type nat hook prerouting priority dstnat
    iifname outside ip daddr {front} tcp dport {http} dnat ip to {server}
    iifname outside ip6 daddr {front6} tcp dport {http} dnat ip6 to {server6}
    iifname outside ip daddr {front} tcp dport {mapped} dnat ip to {server}:{media}
    iifname outside ip6 daddr {front6} tcp dport {mapped} dnat ip6 to [{server6}]:{media}
  }}
  chain hidden {{
    type nat hook postrouting priority srcnat
    oifname inside ct status dnat masquerade
  }}
  chain through {{
    type filter hook forward priority filter; policy drop
    {lost}
    meta l4proto udp {udp}
    {ice_tcp}
    ct status dnat accept
  }}
  chain own {{
    type filter hook input priority filter; policy drop
    meta l4proto {{ icmp, icmpv6 }} accept
  }}
}}
"""

_HOLE = """
table inet hole {
  chain everything {
    type filter hook prerouting priority raw; policy drop
  }
}
"""


class Unavailable(RuntimeError):
    """Namespaces cannot be made here; says why, and what would help."""


class Namespace:
    """One host of the network. Use `entered` to be there."""

    def __init__(self) -> None:
        script = f"ip link set lo up && {_NO_DETECTION} && echo made && exec cat"
        self._holder = subprocess.Popen(
            ["unshare", "--net", "sh", "-c", script],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        assert self._holder.stdout
        first = self._holder.stdout.readline().decode().strip()
        if first != "made":
            raise Unavailable(f"no network namespace can be made here: {first}")
        self.pid = self._holder.pid

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Sockets that this thread opens and processes that it starts meanwhile belong to this host."""
        before = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        there = os.open(f"/proc/{self.pid}/ns/net", os.O_RDONLY)
        try:
            _set_namespace(there)
            try:
                yield
            finally:
                _set_namespace(before)
        finally:
            os.close(before)
            os.close(there)

    def run(self, *command: str, given: str | None = None) -> str:
        """A command on this host; what it printed."""
        with self.entered():
            done = subprocess.run(command, input=given, capture_output=True, text=True, timeout=10)
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()}")
        return done.stdout

    def close(self) -> None:
        """The namespace goes when the last of its processes has."""
        self._holder.communicate(timeout=10)


class Network:
    """Three hosts, and what happens between them."""

    def __init__(self, client: Namespace, router: Namespace, server: Namespace) -> None:
        self.client = client
        self.router = router
        self.server = server
        self._address = CLIENT
        _wire(router, "outside", client, ((FRONT, CLIENT, 24), (FRONT6, CLIENT6, 64)))
        _wire(router, "inside", server, ((GATE, SERVER, 24), (GATE6, SERVER6, 64)))
        with router.entered():
            for switch in ("ipv4/ip_forward", "ipv6/conf/all/forwarding"):
                Path("/proc/sys/net", switch).write_text("1")

    def let_through(
        self, *, udp: bool = False, ice_tcp: bool = False, loss_percent: int = 0
    ) -> None:
        """HTTP always; the rest as said. What may not pass is dropped without a word."""
        lost = f"numgen random mod 100 < {loss_percent} drop" if loss_percent else ""
        names = {"front": FRONT, "front6": FRONT6, "server": SERVER, "server6": SERVER6}
        ports = {"http": HTTP_PORT, "mapped": MAPPED_PORT, "media": MEDIA_PORT}
        blocked = "" if ice_tcp else f"tcp dport {MEDIA_PORT} drop"
        allowed = {"udp": "accept" if udp else "drop", "ice_tcp": blocked, "lost": lost}
        rules = _RULES.format(**names, **ports, **allowed)
        self.router.run("nft", "-f", "-", given=f"flush ruleset\n{rules}")

    @contextmanager
    def black_hole(self) -> Iterator[None]:
        """Every packet vanishes in the router, both ways."""
        self.router.run("nft", "-f", "-", given=_HOLE)
        try:
            yield
        finally:
            self.router.run("nft", "delete", "table", "inet", "hole")

    def reset(self, port: int) -> int:
        """Abort every TCP connection at this port of the server; both ends are told. How many there were."""

        def callers(kill: str = "") -> set[str]:
            found = self.server.run("ss", f"-Htn{kill}", "state", "established", f"sport = :{port}")
            return {line.split()[3] for line in found.splitlines()}

        killed = callers("K")
        if killed & callers():
            raise Unavailable("this kernel cannot abort connections (CONFIG_INET_DIAG_DESTROY)")
        return len(killed)

    def move_client(self) -> None:
        """The client is given another address, as on the way from one access point to the next:
        nobody is told, and what was connected from the old one never hears anything again."""
        old, new = self._address, CLIENT_MOVED if self._address == CLIENT else CLIENT
        self.client.run("ip", "addr", "del", f"{old}/24", "dev", "eth0")
        self.client.run("ip", "addr", "add", f"{new}/24", "dev", "eth0")
        self.client.run("ip", "route", "add", "default", "via", FRONT)
        self._address = new


@contextmanager
def network() -> Iterator[Network]:
    """A new network through which HTTP passes, and nothing else."""
    if os.geteuid() != 0:
        raise Unavailable("network namespaces are made as root only")
    missing = [name for name in ("unshare", "ip", "ss", "nft") if not shutil.which(name)]
    if missing:
        raise Unavailable(f"no {missing[0]} here: apt install util-linux iproute2 nftables")
    with ExitStack() as stack:
        hosts = []
        for _ in range(3):
            hosts.append(Namespace())
            stack.callback(hosts[-1].close)
        made = Network(*hosts)
        made.let_through()
        yield made


def _set_namespace(descriptor: int) -> None:
    if _libc.setns(descriptor, _CLONE_NEWNET):
        raise Unavailable(f"cannot enter a network namespace: {os.strerror(ctypes.get_errno())}")


def _wire(
    router: Namespace, name: str, host: Namespace, addresses: tuple[tuple[str, str, int], ...]
) -> None:
    """A cable between a port of the router and the `eth0` of a host, whose way out is the router."""
    router.run(
        *("ip", "link", "add", name, "type", "veth", "peer", "name", "eth0", "netns"), str(host.pid)
    )
    for end, device in ((router, name), (host, "eth0")):
        end.run("ip", "link", "set", device, "up")
    for near, far, bits in addresses:
        # nodad: an address is of use at once, not after a second of asking whether it is another's.
        option = ("nodad",) if ":" in near else ()
        router.run("ip", "addr", "add", f"{near}/{bits}", "dev", name, *option)
        host.run("ip", "addr", "add", f"{far}/{bits}", "dev", "eth0", *option)
        host.run("ip", "route", "add", "default", "via", near)
