"""TLS: files that are not right are named before anything listens; with right ones it is https."""

import asyncio
import ssl
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiohttp import ClientSession, Fingerprint
from cryptography.hazmat.primitives import serialization

from tests.support.serving import PATIENCE_S, phone, quiet_config, scripted_engines, serving
from ultraandchat.access_config import TlsConfig
from ultraandchat.config import ConfigError
from ultraandchat.server.app import Server
from ultraandchat.server.own_certificate import OWN, made
from ultraandchat.server.tls import opened


def pair(folder: Path) -> tuple[Path, Path]:
    """A certificate and its key, in a file each."""
    secret, begin, rest = made(OWN, datetime.now(UTC)).partition(b"-----BEGIN CERTIFICATE")
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    certificate.write_bytes(begin + rest)
    key.write_bytes(secret)
    return certificate, key


def refusal(certificate: Path, key: Path) -> str:
    with pytest.raises(ConfigError) as caught:
        opened(TlsConfig(str(certificate), str(key)), "127.0.0.1", {})
    message = str(caught.value)
    assert "\n" not in message
    return message


def fingerprint(text: str) -> Fingerprint:
    return Fingerprint(bytes.fromhex(text.replace(":", "")))


def test_without_a_certificate_there_is_no_tls() -> None:
    assert opened(TlsConfig(), "127.0.0.1", {}) is None


def test_files_that_are_not_there_are_named(tmp_path: Path) -> None:
    certificate, key = pair(tmp_path)
    missing = tmp_path / "missing.pem"
    assert refusal(missing, key).startswith(f"tls.certificate: {missing}: No such file")
    assert refusal(certificate, missing).startswith(f"tls.key: {missing}: No such file")
    assert refusal(tmp_path, key).startswith(f"tls.certificate: {tmp_path}: Is a directory")


def test_files_that_hold_something_else_are_named(tmp_path: Path) -> None:
    certificate, key = pair(tmp_path)
    other = tmp_path / "other"
    other.mkdir()
    assert "there is no certificate in PEM form" in refusal(key, key)
    assert refusal(certificate, certificate).startswith("tls.key: ")
    assert "not the key of the certificate" in refusal(certificate, pair(other)[1])


def test_a_key_with_a_passphrase_is_refused_and_nobody_is_asked_for_it(tmp_path: Path) -> None:
    certificate, key = pair(tmp_path)
    private = serialization.load_pem_private_key(key.read_bytes(), None)
    key.write_bytes(
        private.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"secret"),
        )
    )
    assert "without a passphrase" in refusal(certificate, key)


async def test_a_server_with_bad_files_does_not_start() -> None:
    config = quiet_config("tls.certificate=/nowhere/a.pem", "tls.key=/nowhere/b.pem")
    with pytest.raises(ConfigError, match=r"tls.certificate: /nowhere/a.pem"):
        await Server(config, open_engines=scripted_engines).run()


async def test_with_files_it_is_https_and_conversations_go_over_it(tmp_path: Path) -> None:
    certificate, key = pair(tmp_path)
    trusting = ssl.create_default_context(cafile=str(certificate))
    files = (f"tls.certificate={certificate}", f"tls.key={key}")
    async with serving(*files) as server:
        assert server.url.startswith("https://localhost:")
        async with phone(server.url, ssl=trusting) as caller:
            await caller.begins()
        async with (
            ClientSession() as session,
            session.get(f"{server.url}/health", ssl=trusting) as answer,
        ):
            assert answer.status == 200


async def test_its_own_certificate_is_the_same_after_a_restart(tmp_path: Path) -> None:
    state = {"XDG_STATE_HOME": str(tmp_path)}
    seen = set()
    for _ in range(2):
        tls = opened(TlsConfig(self_signed=True), "127.0.0.1", state)
        assert tls is not None
        assert tls.fingerprint in (tls.remark() or "")
        seen.add(tls.fingerprint)
        async with (
            serving("tls.self_signed=true", environ=state) as server,
            phone(server.url, ssl=fingerprint(tls.fingerprint)) as caller,
        ):
            await caller.begins()
    assert len(seen) == 1


async def test_a_cookie_over_tls_is_for_https_only(tmp_path: Path) -> None:
    token = "the-operators-own-token"
    settings = ("tls.self_signed=true", f"access.token={token}")
    async with (
        serving(*settings, environ={"XDG_STATE_HOME": str(tmp_path)}) as server,
        ClientSession() as session,
        session.post(f"{server.url}/access", json={"token": token}, ssl=False) as answer,
    ):
        (cookie,) = answer.cookies.values()
    assert cookie["secure"]


async def test_who_speaks_no_tls_is_let_go(tmp_path: Path) -> None:
    settings = ("tls.self_signed=true", "logs.level=info", f"logs.directory={tmp_path}/logs")
    async with serving(*settings, environ={"XDG_STATE_HOME": str(tmp_path)}) as server:
        port = int(server.url.rpartition(":")[2])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        async with asyncio.timeout(PATIENCE_S):
            with suppress(ConnectionError):
                assert b"HTTP" not in await reader.read()
        writer.close()
    assert "Traceback" not in (tmp_path / "logs" / "server.log").read_text()
