"""A certificate of the server's own: for the names it has, kept over restarts, made anew when it must be."""

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from ultraandchat.config import ConfigError
from ultraandchat.server.own_certificate import LIVES, OWN, RENEWED, kept, made, names_of


def at(folder: Path) -> dict[str, str]:
    return {"XDG_STATE_HOME": str(folder)}


def test_it_is_for_the_names_it_was_asked_for() -> None:
    now = datetime.now(UTC)
    certificate = x509.load_pem_x509_certificate(made([*OWN, "192.168.1.5", "room.local"], now))
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["localhost", "room.local"]
    addresses = [str(one) for one in names.get_values_for_type(x509.IPAddress)]
    assert addresses == ["127.0.0.1", "::1", "192.168.1.5"]
    lives = certificate.not_valid_after_utc - certificate.not_valid_before_utc
    assert lives < timedelta(days=398)


def test_a_server_for_everybody_is_called_by_all_its_names() -> None:
    assert names_of("0.0.0.0")[:3] == list(OWN)
    assert names_of("192.168.1.5") == [*OWN, "192.168.1.5"]
    assert names_of("127.0.0.1") == list(OWN)


def test_it_is_kept_for_this_user_alone(tmp_path: Path) -> None:
    file = kept(OWN, at(tmp_path))
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700
    assert list(file.parent.iterdir()) == [file]
    before = file.read_bytes()
    assert kept(OWN, at(tmp_path)).read_bytes() == before
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(file)


def test_a_name_less_does_not_change_it_and_a_name_more_does(tmp_path: Path) -> None:
    before = kept([*OWN, "192.168.1.5"], at(tmp_path)).read_bytes()
    assert kept(OWN, at(tmp_path)).read_bytes() == before
    assert kept([*OWN, "192.168.1.6"], at(tmp_path)).read_bytes() != before


@pytest.mark.parametrize("spoiled", ["empty", "half", "another key", "readable", "old", "junk"])
def test_one_that_is_not_good_is_made_anew(spoiled: str, tmp_path: Path) -> None:
    file = kept(OWN, at(tmp_path))
    good = file.read_bytes()
    late = datetime.now(UTC) - LIVES + RENEWED - timedelta(hours=1)
    key = made(OWN, datetime.now(UTC)).partition(b"-----BEGIN CERTIFICATE")[0]
    file.write_bytes(
        {
            "empty": b"",
            "half": good[: len(good) // 2],
            "another key": key + good[good.index(b"-----BEGIN CERTIFICATE") :],
            "readable": good,
            "old": made(OWN, late),
            "junk": b"\xff\x00" * 100,
        }[spoiled]
    )
    if spoiled == "readable":
        file.chmod(0o644)
    before = file.read_bytes()
    again = kept(OWN, at(tmp_path))
    assert again.read_bytes() != before
    assert again.stat().st_mode & 0o777 == 0o600
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(again)


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "ultraandchat").write_text("a file where the folder belongs")
    with pytest.raises(ConfigError, match=r"^tls.self_signed: cannot keep .*XDG_STATE_HOME[^\n]*$"):
        kept(OWN, at(tmp_path))
