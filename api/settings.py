"""What a service is started with."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from pathlib import Path

from api.account.settings import AccountSettings
from api.errors import SettingsError
from api.trail.settings import HeadSettings

__all__ = ["Settings"]


@dataclass(frozen=True, slots=True)
class Settings:
    """What a service is started with.

    Parameters
    ----------
    directory
        Folder of the store: `vedette.sqlite` and `objects/`. Made when absent, readable by its owner alone.
    host, port
        Where to listen. Port 0 takes a free one.
    tls_certificate, tls_key
        PEM files; both or neither.
    plain_http_beyond_loopback
        True allows a host other than loopback without TLS, for a service behind a proxy that terminates TLS.
    max_body_bytes, max_bulk_bytes, max_evidence_bytes
        Largest JSON body, largest body of many records, and largest piece of evidence.
    busy_timeout_s
        How long a writer waits for another process's write.
    stop_timeout_s
        How long a stop waits for requests in progress.
    heads
        How the head of the audit is signed, and where the signed heads are kept.
    account
        How erasure and the public page go about their work.

    Raises
    ------
    SettingsError
        When a figure is out of range, TLS is half given, or keys would travel in the clear beyond this machine.
    """

    directory: Path
    host: str = "127.0.0.1"
    port: int = 8470
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    plain_http_beyond_loopback: bool = False
    max_body_bytes: int = 1 << 20
    max_bulk_bytes: int = 32 << 20
    max_evidence_bytes: int = 256 << 20
    busy_timeout_s: float = 10.0
    stop_timeout_s: int = 10
    heads: HeadSettings = field(default_factory=HeadSettings)
    account: AccountSettings = field(default_factory=AccountSettings)

    def __post_init__(self) -> None:
        if not 0 <= self.port <= 65535:
            raise SettingsError(f"port {self.port} does not exist: give 0 to 65535")
        if min(self.max_body_bytes, self.max_bulk_bytes, self.max_evidence_bytes) <= 0:
            raise SettingsError("body limits must be positive: give bytes")
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise SettingsError("TLS needs both a certificate and a key: give tls_certificate and tls_key")
        if self.tls_certificate is None and not self.plain_http_beyond_loopback and not _is_loopback(self.host):
            raise SettingsError(
                f"host {self.host} would carry keys in the clear beyond this machine: "
                "give TLS files, or plain_http_beyond_loopback for a service behind a TLS proxy"
            )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
