"""Every metric, declared in one place, and how events become numbers."""

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.exposition import generate_latest

from ultraandchat import events as ev
from ultraandchat.engines.base import EngineStatus
from ultraandchat.turn import events as turns

LATENCY_BUCKETS_S = (0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.7, 1.0, 1.5, 2.0, 3.0, 5.0, 8.0)
"""Dense around 0.5 s, the goal for a whole turn; 8 s is where a reply is given up."""

ROUND_TRIP_BUCKETS_S = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0)

LONGEST_ROUND_TRIP_MS = 60_000
MOST_UNDERRUNS = 100
"""What one report of a caller may add: it is the caller's word, once a second, of 20 ms frames."""


class Metrics:
    """The numbers of one server."""

    def __init__(self) -> None:
        # A second series for each counter, that nobody asks for.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        registry = self.registry = CollectorRegistry()
        ProcessCollector(registry=registry)

        def counter(name: str, help: str, *labels: str) -> Counter:
            return Counter(f"ultraandchat_{name}", help, labels, registry=registry)

        def histogram(name: str, help: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
            return Histogram(
                f"ultraandchat_{name}", help, labels, registry=registry, buckets=buckets
            )

        def gauge(name: str, help: str, *labels: str) -> Gauge:
            return Gauge(f"ultraandchat_{name}", help, labels, registry=registry)

        self.conversations = gauge("conversations", "Conversations that are open now.")
        self.opened = counter(
            "conversations_opened_total", "Conversations by transport.", "transport"
        )
        self.refusals = counter("refusals_total", "Callers refused, by reason.", "reason")
        self.session_faults = counter(
            "session_faults_total", "Conversations ended by our own error."
        )
        self.http_faults = counter("http_faults_total", "Requests that failed by our own error.")
        self.messages_refused = counter(
            "messages_refused_total", "Frames and messages that were not understood.", "code"
        )
        self.turns = counter("turns_total", "User turns that ended.", "kind")
        self.latency = histogram(
            "turn_latency_seconds",
            "From the last sample of speech, by part; the part total is the whole.",
            LATENCY_BUCKETS_S,
            "part",
        )
        self.speech = counter("speech_started_total", "Times speech was believed.")
        self.replies = counter(
            "replies_total", "Replies that ended: whole, cut or unheard.", "outcome"
        )
        self.barge_ins = counter("barge_ins_total", "Replies the user cut.")
        self.overlaps_passed = counter("overlaps_passed_total", "Overlaps that were backchannels.")
        self.timeouts = counter("reply_timeouts_total", "Replies that were not audible in time.")
        self.speculations = counter(
            "speculations_total", "Replies begun before the turn had ended."
        )
        self.speculations_dropped = counter(
            "speculations_dropped_total", "Of those, thrown away unheard."
        )
        self.dropped = counter("dropped_total", "Lost by policy, by what it was.", "what")
        self.engine_failures = counter(
            "engine_failures_total", "Replies an engine failed.", "engine"
        )
        self.engine_restarts = gauge("engine_restarts", "Restarts since the start.", "kind", "name")
        self.engine_ready = gauge("engine_ready", "1 when the engine is ready.", "kind", "name")
        self.engine_memory = gauge(
            "engine_resident_bytes", "Memory of the engine's process.", "kind", "name"
        )
        self.underruns = counter("page_underruns_total", "Underruns the callers' pages reported.")
        self.round_trip = histogram(
            "round_trip_seconds", "Round trips the callers measured.", ROUND_TRIP_BUCKETS_S
        )
        self.log_lines_dropped = gauge("log_lines_dropped", "Log lines lost since the start.")

    def observe(self, event: ev.SessionEvent) -> None:
        """Count one event of a conversation."""
        match event:
            case ev.TransportAttached(name=name):
                self.opened.labels(name).inc()
            case ev.TurnNoticed(event=noticed):
                self._observe_turn(noticed)
            case ev.TurnTimed():
                self.latency.labels("total").observe(event.total_ms / 1000)
                for part in event.parts:
                    self.latency.labels(part.name).observe((part.end_ms - part.start_ms) / 1000)
            case ev.ReplyBegun(speculative=True):
                self.speculations.inc()
            case ev.ReplyDropped():
                self.speculations_dropped.inc()
            case ev.ReplyClosed(heard=heard):
                outcome = "unheard" if not heard.samples else "cut" if heard.cut else "whole"
                self.replies.labels(outcome).inc()
            case ev.Failed(engine=engine):
                self.engine_failures.labels(engine).inc()
            case ev.Dropped(what=what, count=count):
                self.dropped.labels(what).inc(count)
            case _:
                pass

    def text(self, engines: tuple[EngineStatus, ...]) -> bytes:
        """The exposition format of Prometheus, engines as they are now."""
        for engine in engines:
            self.engine_restarts.labels(engine.kind, engine.name).set(engine.restarts)
            self.engine_ready.labels(engine.kind, engine.name).set(engine.state == "ready")
            if engine.rss_bytes is not None:
                self.engine_memory.labels(engine.kind, engine.name).set(engine.rss_bytes)
        return generate_latest(self.registry)

    def _observe_turn(self, event: turns.TurnEvent) -> None:
        match event:
            case turns.SpeechStarted():
                self.speech.inc()
            case turns.TurnEnded(said=said):
                self.turns.labels("typed" if isinstance(said, turns.TypedText) else "spoken").inc()
            case turns.BargedIn():
                self.barge_ins.inc()
            case turns.OverlapPassed():
                self.overlaps_passed.inc()
            case turns.FloorFreed(timed_out=True):
                self.timeouts.inc()
            case _:
                pass


class ConversationMetrics:
    """The events of one conversation; a caller's own figures count only as far as they can be true."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._underruns = 0

    def observe(self, event: ev.SessionEvent) -> None:
        """Count one event."""
        if not isinstance(event, ev.CallerReported):
            self._metrics.observe(event)
            return
        if event.rtt_ms is not None and 0 <= event.rtt_ms <= LONGEST_ROUND_TRIP_MS:
            self._metrics.round_trip.observe(event.rtt_ms / 1000)
        if event.underruns is not None:
            more = event.underruns - self._underruns
            self._metrics.underruns.inc(min(max(more, 0), MOST_UNDERRUNS))
            self._underruns = max(event.underruns, self._underruns)
