"""The image of `deploy/Dockerfile`, built in a fresh Debian root and started with a pod's environment."""

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager

import pytest

from bench.serving import free_port
from tests.image import building, pods, roots
from tests.image.building import Image
from tests.image.pods import Started

pytestmark = pytest.mark.timeout(900)

SPEECH = roots.ROOT / "tests/data/speech/goforward.wav"


@pytest.fixture(scope="module")
def image() -> Iterator[Image]:
    with roots.folder() as folder:
        yield building.build(folder)


def starting(image: Image) -> AbstractContextManager[Started]:
    port, tcp_port = free_port(), free_port()
    command = image.starting(pods.pod_environment(port, tcp_port))
    return pods.started(command, port, tcp_port)


@pytest.fixture(scope="module")
def pod(image: Image) -> Iterator[Started]:
    """One pod for the tests that only look."""
    with starting(image) as pod:
        pod.wait_ready()
        yield pod


def test_it_is_ready_in_seconds(image: Image) -> None:
    with starting(image) as pod:
        assert pod.wait_ready() < 60


def test_a_pod_that_is_killed_leaves_nothing_behind(image: Image) -> None:
    """This machine has other things to do than to serve the pods of tests that are over."""
    with starting(image) as pod:
        pod.wait_ready()
        namespace = (pod.process() / "ns/pid").readlink()
        assert pods.users_in(namespace)
    deadline = time.monotonic() + pods.STOP_S
    while pods.users_in(namespace):
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_nothing_in_it_runs_as_root(pod: Started) -> None:
    assert pod.users() == {10001}


def test_its_user_can_write_to_the_volume_and_not_to_the_server(image: Image) -> None:
    ids = [
        (image.root / path).stat().st_uid
        for path in ("workspace", "opt/ultraandchat", "opt/deploy")
    ]
    assert ids == [10001, 0, 0]


def test_health_knows_the_pod_and_tells_strangers_nothing_of_it(pod: Started) -> None:
    assert pod.asked("/health", pod.token())["runpod"]["pod_id"] == "abc123xyz"
    assert set(pod.asked("/health")["runpod"].values()) == {None}


def test_pages_are_told_the_pods_tcp_port_and_no_udp(pod: Started) -> None:
    rungs = pod.asked("/config.json", pod.token())["rungs"]
    assert rungs["ice_tcp"] == f"{pods.ADDRESS}:{pod.tcp_port}"
    assert not rungs["udp"]


def test_the_page_is_served(pod: Started) -> None:
    status, page = pod.ask("/")
    assert status == 200
    assert b"UltraAndChat" in page


def test_a_wav_file_as_the_caller_gets_an_answer(pod: Started) -> None:
    said = pod.talk(SPEECH, pod.token())
    assert "ten meters" in said.lower()


def test_the_health_check_says_healthy(image: Image, pod: Started) -> None:
    environ = {**image.environ, "ULTRAANDCHAT_SERVER__PORT": str(pod.port)}
    assert roots.run(image.root, image.health, environ, image.user).strip() == "healthy"


def test_the_health_check_fails_where_nothing_answers(image: Image) -> None:
    environ = {**image.environ, "ULTRAANDCHAT_SERVER__PORT": str(free_port())}
    with pytest.raises(AssertionError, match="no answer on port"):
        roots.run(image.root, image.health, environ, image.user)


def test_the_log_shows_no_secret_of_the_pod(pod: Started) -> None:
    assert "nobody-may-see" not in pod.output()


def test_sigterm_ends_it_before_docker_would_kill_it(image: Image) -> None:
    with starting(image) as pod:
        pod.wait_ready()
        assert pod.stop() < pods.STOP_S
        assert pod.outer.returncode == 0, pod.output()


def test_the_image_holds_no_file_of_the_checkout_beyond_the_server(image: Image) -> None:
    found = {
        path.relative_to(image.root / "opt/deploy")
        for path in (image.root / "opt/deploy").rglob("*")
    }
    names = {path.name for path in found if path.suffix != ".whl"}
    assert names == {
        "LICENSE",
        "THIRD_PARTY.md",
        "health.py",
        "install.sh",
        "runpod",
        "start.sh",
        "wheel",
    }
