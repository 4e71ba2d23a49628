"""TLS for the HTTP port: the operator's certificate, or one of the server's own making.

Whatever is wrong with the files is said in one line that names the setting, before anything listens.
"""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from ultraandchat.access_config import TlsConfig
from ultraandchat.config import ConfigError
from ultraandchat.server.own_certificate import kept, names_of


@dataclass(frozen=True, slots=True)
class Tls:
    """What the port is opened with."""

    context: ssl.SSLContext
    fingerprint: str
    """SHA-256 of the certificate, as browsers show it and `converse --fingerprint` takes it."""
    self_signed: bool

    def remark(self) -> str | None:
        """What to know before the page is opened."""
        if not self.self_signed:
            return None
        return (
            "Nobody vouches for its certificate: browsers warn once, and may go on if they show the"
            f" SHA-256 fingerprint {self.fingerprint}"
        )


def opened(config: TlsConfig, host: str, environ: Mapping[str, str]) -> Tls | None:
    """None where TLS is off. `host` is `server.host`."""
    if not config.on:
        return None
    if config.self_signed:
        file = kept(names_of(host), environ)
        return Tls(_context(file, file), _fingerprint(file), self_signed=True)
    certificate, key = Path(config.certificate).expanduser(), Path(config.key).expanduser()
    for setting, path in (("certificate", certificate), ("key", key)):
        try:
            path.read_bytes()
        except OSError as error:
            raise ConfigError(f"tls.{setting}: {path}: {error.strerror}") from None
    fingerprint = _fingerprint(certificate)
    return Tls(_context(certificate, key), fingerprint, self_signed=False)


def _context(certificate: Path, key: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2  # RFC 8996 retired the older ones
    context.set_alpn_protocols(["http/1.1"])  # WebSockets over HTTP/2 are not spoken here
    try:
        # OpenSSL would ask the terminal for a passphrase; this answers for it.
        context.load_cert_chain(certificate, key, password=lambda: "")
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            why = f"it is not the key of the certificate in {certificate}"
        else:
            why = "there is no private key in it that can be read without a passphrase"
        raise ConfigError(f"tls.key: {key}: {why}") from None
    return context


def _fingerprint(file: Path) -> str:
    """Of the first certificate in it, which is the server's own."""
    try:
        certificate, *_ = x509.load_pem_x509_certificates(file.read_bytes())
    except ValueError:
        raise ConfigError(
            f"tls.certificate: {file}: there is no certificate in PEM form in it"
        ) from None
    return certificate.fingerprint(hashes.SHA256()).hex(":").upper()
