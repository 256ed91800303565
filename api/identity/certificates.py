"""Client certificates: who is at the other end of the TLS connection, by proof and not by a header.

Keys of partners may be bound to a certificate, as RFC 8705 binds access tokens. The handshake proves that the client
holds the certificate's private key and that an authority of ours signed it; this module hands its thumbprint on, from
the connection itself. Behind a proxy that ends TLS there is no such proof: a header could be written by anybody, so
none is read, and a bound key works nowhere else than on a direct connection.
"""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass
from typing import Any

from cryptography import x509
from uvicorn.protocols.http.h11_impl import H11Protocol

from api.times import microseconds

__all__ = ["STATE", "CertifiedProtocol", "PeerCertificate", "peer_certificate"]

STATE = "peer_certificate"


@dataclass(frozen=True, slots=True)
class PeerCertificate:
    """A certificate that was proved.

    Parameters
    ----------
    thumbprint
        SHA-256 of its DER form, in hex.
    until_us
        When it ends: a connection may last longer than what it was opened with.
    """

    thumbprint: str
    until_us: int


class CertifiedProtocol(H11Protocol):
    """HTTP/1.1 whose requests carry the peer's certificate in `scope["state"]["peer_certificate"]`."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Note who connected; the handshake is over by now."""
        super().connection_made(transport)
        tls = transport.get_extra_info("ssl_object")
        der = None if tls is None else tls.getpeercert(binary_form=True)
        if der is not None:  # requests get a copy of this dict as their state
            self.app_state = {**self.app_state, STATE: _certificate(der)}


def peer_certificate(state: dict[str, Any], time_us: int) -> str | None:
    """Thumbprint of the certificate that a request's connection has proved and that has not ended, or None."""
    found = state.get(STATE)
    return found.thumbprint if isinstance(found, PeerCertificate) and time_us < found.until_us else None


def _certificate(der: bytes) -> PeerCertificate:
    until = x509.load_der_x509_certificate(der).not_valid_after_utc
    return PeerCertificate(hashlib.sha256(der).hexdigest(), microseconds(until))
