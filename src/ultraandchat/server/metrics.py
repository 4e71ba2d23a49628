"""Every metric, declared in one place, and how events become numbers."""

import math

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
from ultraandchat.server.gpu import GpuUse
from ultraandchat.turn import events as turns

LATENCY_BUCKETS_S = (0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.7, 1.0, 1.5, 2.0, 3.0, 5.0, 8.0)
"""Dense around 0.5 s, the goal for a whole turn; 8 s is where a reply is given up."""

ROUND_TRIP_BUCKETS_S = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0)

READ_BUCKETS_S = (0.005, 0.01, 0.02, 0.03, 0.04, 0.06, 0.1, 0.2, 0.5, 1.0, 2.0)
"""Dense around 40 ms, the goal with the beginning of the conversation read before."""

JITTER_BUCKETS_S = (0.001, 0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2)
BUFFER_BUCKETS_S = (0.01, 0.02, 0.04, 0.06, 0.08, 0.12, 0.2, 0.4, 1.0)

LONGEST_ROUND_TRIP_MS = 60_000
MOST_UNDERRUNS = 100
MOST_PACKETS = 1_000
MOST_CONCEALED_MS = 10_000
LONGEST_BUFFERED_MS = 10_000
"""What one report of a caller may add or say: it is the caller's word, once a second, of 20 ms frames."""

NO_GPU = GpuUse()


def known(value: float | None) -> float:
    return math.nan if value is None else value


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
        self.resumptions = counter(
            "resumptions_total",
            "Callers who came back to their conversation, or why not.",
            "outcome",
        )
        self.session_faults = counter(
            "session_faults_total", "Conversations ended by our own error."
        )
        self.http_faults = counter("http_faults_total", "Requests that failed by our own error.")
        self.connections_closed = counter(
            "connections_closed_total", "Connections that were of no use, by reason.", "reason"
        )
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
        self.tokens = counter(
            "model_tokens_total",
            "Tokens of prompts, by whether they had been read before, and of replies.",
            "what",
        )
        self.read = histogram(
            "model_read_seconds",
            "To hear and read what was new of a conversation, before the first word.",
            READ_BUCKETS_S,
        )
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
        self.engine_gpu_memory = gauge(
            "engine_gpu_bytes",
            "GPU memory of the engine's process, where the driver tells it.",
            "kind",
            "name",
        )
        self.engine_jobs = gauge(
            "engine_jobs",
            "Jobs of the engine's process that take turns now, and that wait for their place.",
            "kind",
            "name",
            "state",
        )
        self.engine_job_failures = gauge(
            "engine_job_failures",
            "Jobs in which the model raised an error, since the start.",
            "kind",
            "name",
        )
        self.speech_guard = counter(
            "speech_guard_total",
            "Times the guard cut the voice or had it speak again, by what it noticed.",
            "verdict",
        )
        self._guarded: dict[str, int] = {}  # what was counted of it: an engine tells totals
        self.gpu_memory = gauge("gpu_used_bytes", "Memory in use on the first GPU.")
        self.gpu_utilisation = gauge(
            "gpu_utilisation_ratio", "Share of the time in which the first GPU was at work."
        )
        self.underruns = counter("page_underruns_total", "Underruns the callers' pages reported.")
        self.round_trip = histogram(
            "round_trip_seconds", "Round trips the callers measured.", ROUND_TRIP_BUCKETS_S
        )
        self.packets = counter(
            "rtp_packets_total", "Callers' packets over WebRTC, by what became of them.", "what"
        )
        self.concealed = counter(
            "rtp_concealed_seconds_total", "Callers' sound invented for lost packets."
        )
        self.jitter = histogram(
            "rtp_jitter_seconds",
            "Interarrival jitter of callers' packets, once a second.",
            JITTER_BUCKETS_S,
        )
        self.wait = histogram(
            "rtp_reordering_wait_seconds",
            "How long a missing packet is waited for.",
            JITTER_BUCKETS_S,
        )
        self.page_packets = counter(
            "page_rtp_packets_total", "Our packets as the callers' pages counted them.", "what"
        )
        self.page_concealed = counter(
            "page_rtp_concealed_seconds_total", "Our sound that the callers' pages had to invent."
        )
        self.page_jitter = histogram(
            "page_rtp_jitter_seconds",
            "Jitter of our packets at the callers' pages.",
            JITTER_BUCKETS_S,
        )
        self.page_buffered = histogram(
            "page_buffered_seconds", "What sound waits in the callers' pages.", BUFFER_BUCKETS_S
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
            case ev.ReplyWritten(reading=reading):
                self.tokens.labels("reused").inc(reading.reused_tokens)
                self.tokens.labels("read").inc(reading.prompt_tokens - reading.reused_tokens)
                self.tokens.labels("written").inc(reading.new_tokens)
                self.read.observe((reading.encode_ms + reading.prefill_ms) / 1000)
            case ev.Failed(engine=engine):
                self.engine_failures.labels(engine).inc()
            case ev.Dropped(what=what, count=count):
                self.dropped.labels(what).inc(count)
            case ev.PathMeasured(quality=quality):
                self._observe_path(quality)
            case _:
                pass

    def text(self, engines: tuple[EngineStatus, ...], gpu: GpuUse = NO_GPU) -> bytes:
        """The exposition format of Prometheus, engines and GPU as they are now. What nobody knows is NaN."""
        for engine in engines:
            one = (engine.kind, engine.name)
            self.engine_restarts.labels(*one).set(engine.restarts)
            self.engine_ready.labels(*one).set(engine.state == "ready")
            self.engine_jobs.labels(*one, "running").set(engine.running)
            self.engine_jobs.labels(*one, "waiting").set(engine.waiting)
            self.engine_job_failures.labels(*one).set(engine.failures)
            for verdict, total in engine.verdicts:
                self.speech_guard.labels(verdict).inc(total - self._guarded.get(verdict, 0))
                self._guarded[verdict] = total
            if engine.pid is not None:
                self.engine_memory.labels(*one).set(known(engine.rss_bytes))
                self.engine_gpu_memory.labels(*one).set(known(gpu.by_process.get(engine.pid)))
            else:  # its process is gone, and its memory with it
                self.engine_memory.remove(*one)
                self.engine_gpu_memory.remove(*one)
        self.gpu_memory.set(known(gpu.memory_used))
        self.gpu_utilisation.set(known(gpu.utilisation))
        return generate_latest(self.registry)

    def _observe_path(self, quality: ev.Quality) -> None:
        for what in ("received", "lost", "recovered", "late", "refused"):
            if count := getattr(quality, what):
                self.packets.labels(what).inc(count)
        self.concealed.inc(quality.concealed_s)
        if quality.received:
            self.jitter.observe(quality.jitter_ms / 1000)
            self.wait.observe(quality.wait_ms / 1000)

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
        self._told: dict[str, float] = {}  # the last count of each kind: pages tell totals

    def observe(self, event: ev.SessionEvent) -> None:
        """Count one event."""
        if isinstance(event, ev.TransportAttached):
            self._told = {
                "underruns": self._told.get("underruns", 0)
            }  # a path counts from its beginning
        if not isinstance(event, ev.CallerReported):
            self._metrics.observe(event)
            return
        metrics = self._metrics
        if event.rtt_ms is not None and 0 <= event.rtt_ms <= LONGEST_ROUND_TRIP_MS:
            metrics.round_trip.observe(event.rtt_ms / 1000)
        metrics.underruns.inc(self._more("underruns", event.underruns, MOST_UNDERRUNS))
        for what, count in (("received", event.received), ("lost", event.lost)):
            metrics.page_packets.labels(what).inc(self._more(what, count, MOST_PACKETS))
        concealed_ms = self._more("concealed_ms", event.concealed_ms, MOST_CONCEALED_MS)
        metrics.page_concealed.inc(concealed_ms / 1000)
        if event.jitter_ms is not None and 0 <= event.jitter_ms <= LONGEST_BUFFERED_MS:
            metrics.page_jitter.observe(event.jitter_ms / 1000)
        if event.buffered_ms is not None and 0 <= event.buffered_ms <= LONGEST_BUFFERED_MS:
            metrics.page_buffered.observe(event.buffered_ms / 1000)

    def _more(self, what: str, total: float | None, most: float) -> float:
        """What a caller's total grew by, as far as it can be true."""
        if total is None or not total >= 0:  # NaN is no count either
            return 0
        before = self._told.get(what, 0)
        self._told[what] = max(total, before)
        return min(max(total - before, 0), most)
