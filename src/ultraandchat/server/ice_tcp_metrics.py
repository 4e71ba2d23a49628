"""The port of ICE-TCP as numbers. Asked when `/metrics` is, so that no packet pays for it."""

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from ultraandchat.transport.ice_tcp.listener import IceTcp

REFUSED = "refused: "


class IceTcpMetrics:
    """A collector for a registry."""

    def __init__(self, listener: IceTcp) -> None:
        self._listener = listener

    def collect(self) -> Iterator[Metric]:
        counts = self._listener.counts
        what = "Connections of ICE-TCP, by what became of them."
        came = CounterMetricFamily("ultraandchat_ice_tcp_connections", what, labels=["what"])
        for name in ("accepted", "bound", "redialled"):
            came.add_metric([name], counts[name])
        yield came
        what = "Connections of ICE-TCP that were closed without having been a caller's, by reason."
        refused = CounterMetricFamily("ultraandchat_ice_tcp_refused", what, labels=["reason"])
        for name, count in sorted(counts.items()):
            if name.startswith(REFUSED):
                refused.add_metric([name.removeprefix(REFUSED)], count)
        yield refused
        yield CounterMetricFamily(
            "ultraandchat_ice_tcp_media_dropped",
            "Packets that were not sent: a caller did not read, or was not connected.",
            value=self._listener.dropped,
        )
        yield GaugeMetricFamily(
            "ultraandchat_ice_tcp_bound", "Callers' connections now.", value=self._listener.bound
        )
        yield GaugeMetricFamily(
            "ultraandchat_ice_tcp_pending",
            "Connections that have not shown whose they are.",
            value=self._listener.pending,
        )
