"""A certificate that nobody vouches for, kept over restarts so that a browser that trusts it once goes on to."""

import os
import re
import socket
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from ultraandchat.config import ConfigError
from ultraandchat.server.links import EVERYWHERE, own_addresses

LIVES = timedelta(days=365)
"""Apple's browsers take no certificate that lives longer than 398 days."""
RENEWED = timedelta(days=30)
"""So long before its end it is made anew, at a start."""
CLOCKS_DIFFER = timedelta(days=1)
"""A phone whose clock is behind shall not find it too young."""

OWN = ("localhost", "127.0.0.1", "::1")
MOST_ADDRESSES = 32
HOST_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,62}[A-Za-z0-9])?")


def names_of(host: str) -> list[str]:
    """What a server that listens on `host` may be called by."""
    if host not in EVERYWHERE:
        return list(dict.fromkeys([*OWN, host]))
    named = socket.gethostname()
    called = [named, f"{named.partition('.')[0]}.local"] if HOST_NAME.fullmatch(named) else []
    return [*OWN, *called, *own_addresses(ipv6=True, most=MOST_ADDRESSES)]


def kept(names: Sequence[str], environ: Mapping[str, str]) -> Path:
    """The file with certificate and key; made where there is none that is good for these names."""
    state = environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    file = Path(state) / "ultraandchat" / "self-signed.pem"
    try:
        if not _is_good(file, names, datetime.now(UTC)):
            _write(file, made(names, datetime.now(UTC)))
    except OSError as error:
        raise ConfigError(
            f"tls.self_signed: cannot keep the certificate in {file.parent}: {error.strerror}; "
            "XDG_STATE_HOME names another folder"
        ) from None
    return file


def made(names: Sequence[str], now: datetime) -> bytes:
    """A new certificate and its key, in PEM form."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "UltraAndChat")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - CLOCKS_DIFFER)
        .not_valid_after(now + LIVES)
        .add_extension(x509.SubjectAlternativeName(list(map(_general, names))), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return secret + certificate.public_bytes(serialization.Encoding.PEM)


def _is_good(file: Path, names: Sequence[str], now: datetime) -> bool:
    """It is whole, nobody else could read it, it will not end soon, and these names stand in it."""
    try:
        if file.stat().st_mode & 0o077:
            return False
        pem = file.read_bytes()
        key = serialization.load_pem_private_key(pem, None)
        certificate = x509.load_pem_x509_certificate(pem)
        said = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except FileNotFoundError:
        return False
    except (ValueError, TypeError, x509.ExtensionNotFound):
        return False
    ours = key.public_key() == certificate.public_key()
    return (
        ours
        and now < certificate.not_valid_after_utc - RENEWED
        and {_general(name) for name in names} <= set(said)
    )


def _write(file: Path, pem: bytes) -> None:
    """Whole or not at all, and for this user alone."""
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    new = file.with_suffix(f".{os.getpid()}")
    new.unlink(missing_ok=True)
    with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:  # noqa: PTH123 - a descriptor
        out.write(pem)
    new.replace(file)


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)
