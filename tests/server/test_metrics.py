"""Events become numbers, once each."""

import math

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.server.told import EVENTS, TURN
from ultraandchat import events as ev
from ultraandchat.engines.base import EngineStatus
from ultraandchat.playout.heard import ClauseHeard, Heard
from ultraandchat.server.gpu import GpuUse
from ultraandchat.server.metrics import MOST_UNDERRUNS, ConversationMetrics, Metrics

Numbers = dict[tuple[str, tuple[str, ...]], float]


def numbers(metrics: Metrics, *engines: EngineStatus) -> Numbers:
    text = metrics.text(engines).decode()
    return {
        (sample.name.removeprefix("ultraandchat_"), tuple(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def told(*events: ev.SessionEvent) -> Numbers:
    metrics = Metrics()
    one = ConversationMetrics(metrics)
    for event in events:
        one.observe(event)
    return numbers(metrics)


def test_every_event_is_understood_and_counted_once() -> None:
    counted = told(*EVENTS)
    for name, labels in [
        ("conversations_opened_total", ("websocket",)),
        ("turns_total", ("spoken",)),
        ("turns_total", ("typed",)),
        ("turn_latency_seconds_count", ("total",)),
        ("turn_latency_seconds_count", ("end silence",)),
        ("speech_started_total", ()),
        ("replies_total", ("cut",)),
        ("barge_ins_total", ()),
        ("overlaps_passed_total", ()),
        ("reply_timeouts_total", ()),
        ("speculations_total", ()),
        ("speculations_dropped_total", ()),
        ("engine_failures_total", ("flite",)),
        ("round_trip_seconds_count", ()),
        ("page_underruns_total", ()),
    ]:
        assert counted[name, labels] == 1.0, name
    assert counted["dropped_total", ("late frames",)] == 2.0
    assert counted["turn_latency_seconds_sum", ("total",)] == 0.7
    tokens = {
        what: counted["model_tokens_total", (what,)] for what in ("reused", "read", "written")
    }
    assert tokens == {"reused": 512.0, "read": 28.0, "written": 31.0}
    assert counted["model_read_seconds_sum", ()] == 0.02


def test_a_reply_is_whole_cut_or_unheard() -> None:
    def closed(heard: int, cut: bool) -> ev.ReplyClosed:
        account = Heard(TURN, (ClauseHeard(0, heard, 960, True),), cut)
        return ev.ReplyClosed(0.0, TURN, "", "", account)

    counted = told(closed(960, False), closed(480, True), closed(0, True))
    assert [counted["replies_total", (how,)] for how in ("whole", "cut", "unheard")] == [1, 1, 1]


def test_underruns_are_told_as_totals_and_counted_as_differences() -> None:
    counted = told(*(ev.CallerReported(0.0, underruns=total) for total in (2, 2, 5)))
    assert counted["page_underruns_total", ()] == 5


def test_a_path_counts_from_its_own_beginning() -> None:
    counted = told(
        ev.CallerReported(0.0, received=100, lost=3, concealed_ms=60.0, jitter_ms=4.0),
        ev.TransportAttached(0.0, "webrtc"),
        ev.CallerReported(0.0, received=50, lost=1, concealed_ms=20.0),
    )
    assert counted["page_rtp_packets_total", ("received",)] == 150
    assert counted["page_rtp_packets_total", ("lost",)] == 4
    assert counted["page_rtp_concealed_seconds_total", ()] == pytest.approx(0.08)
    assert counted["page_rtp_jitter_seconds_count", ()] == 1


def test_what_became_of_the_callers_packets_is_counted() -> None:
    counted = told(
        ev.PathMeasured(0.0, ev.Quality(received=49, lost=1, recovered=1, concealed_s=0.02)),
        ev.PathMeasured(0.0, ev.Quality(late=2, refused=7)),
    )
    assert [
        counted["rtp_packets_total", (what,)]
        for what in ("received", "lost", "recovered", "late", "refused")
    ] == [49, 1, 1, 2, 7]
    assert counted["rtp_concealed_seconds_total", ()] == pytest.approx(0.02)
    assert counted["rtp_jitter_seconds_count", ()] == 1  # not for a second in which nothing came


def test_a_caller_cannot_report_nonsense_into_the_numbers() -> None:
    counted = told(
        ev.CallerReported(0.0, rtt_ms=-1.0, underruns=-5),
        ev.CallerReported(0.0, rtt_ms=float("nan")),
        ev.CallerReported(0.0, rtt_ms=1e12, underruns=10**9),
        ev.CallerReported(0.0, lost=-3, concealed_ms=float("nan"), jitter_ms=float("nan")),
    )
    assert counted["round_trip_seconds_count", ()] == 0
    assert counted["page_underruns_total", ()] == MOST_UNDERRUNS


def test_engines_are_told_as_they_are_now() -> None:
    metrics = Metrics()
    flite = EngineStatus("speech", "flite", "restarting", rss_bytes=1_000, restarts=2, pid=7)
    counted = numbers(metrics, flite)
    assert counted["engine_restarts", ("speech", "flite")] == 2
    assert counted["engine_ready", ("speech", "flite")] == 0
    assert counted["engine_resident_bytes", ("speech", "flite")] == 1_000
    gone = EngineStatus("speech", "flite", "restarting", restarts=3)
    assert ("engine_resident_bytes", ("speech", "flite")) not in numbers(metrics, gone)


def test_jobs_and_failures_of_an_engine_are_told() -> None:
    status = EngineStatus("language", "ultravox", "ready", running=2, waiting=5, failures=3)
    counted = numbers(Metrics(), status)
    assert counted["engine_jobs", ("language", "ultravox", "running")] == 2
    assert counted["engine_jobs", ("language", "ultravox", "waiting")] == 5
    assert counted["engine_job_failures", ("language", "ultravox")] == 3


def test_what_the_gpu_does_is_told_and_what_nobody_knows_is_no_number() -> None:
    engines = [
        EngineStatus("language", name, "ready", pid=pid) for name, pid in (("a", 7), ("b", 8))
    ]
    use = GpuUse(memory_used=20, utilisation=0.4, by_process={7: 12})
    samples = {
        (sample.name, sample.labels.get("name")): sample.value
        for family in text_string_to_metric_families(Metrics().text(tuple(engines), use).decode())
        for sample in family.samples
    }
    assert samples["ultraandchat_engine_gpu_bytes", "a"] == 12
    assert math.isnan(samples["ultraandchat_engine_gpu_bytes", "b"])
    assert samples["ultraandchat_gpu_used_bytes", None] == 20
    assert samples["ultraandchat_gpu_utilisation_ratio", None] == 0.4
    assert math.isnan(numbers(Metrics())["gpu_used_bytes", ()])
