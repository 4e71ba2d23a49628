"""What every answer carries, and requests that fail by our own error."""

import logging

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from ultraandchat.server.headers import add_headers, answering_errors
from ultraandchat.server.metrics import Metrics


async def fails(request: web.Request) -> web.Response:
    raise ZeroDivisionError("a secret")


def application(metrics: Metrics) -> web.Application:
    app = web.Application(middlewares=[answering_errors(metrics)])
    app.on_response_prepare.append(add_headers)
    app.router.add_get("/fails", fails)
    return app


async def test_an_error_of_ours_is_500_counted_and_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    metrics = Metrics()
    async with TestClient(TestServer(application(metrics))) as client:
        with caplog.at_level(logging.ERROR, "ultraandchat"):
            answer = await client.get("/fails")
        assert answer.status == 500
        assert await answer.json() == {"error": "the server made an error"}
    assert "ultraandchat_http_faults_total 1.0" in metrics.text(()).decode()
    assert "ZeroDivisionError" in caplog.text


@pytest.mark.parametrize("path", ["/fails", "/nothing"])
async def test_every_answer_carries_the_policy(path: str) -> None:
    async with TestClient(TestServer(application(Metrics()))) as client:
        headers = (await client.get(path)).headers
        policy = headers["Content-Security-Policy"].split("; ")
        assert "default-src 'none'" in policy
        assert "script-src 'self'" in policy
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert "microphone=(self)" in headers["Permissions-Policy"]
        assert headers["Server"] == "ultraandchat"
