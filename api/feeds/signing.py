"""Standard Webhooks: what a call is signed with, and how (https://www.standardwebhooks.com, v1: HMAC-SHA256)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterable

__all__ = ["new_secret", "signed_headers"]

_PREFIX = "whsec_"


def new_secret() -> str:
    """256 random bits, as the standard writes them: `whsec_` and base64."""
    return _PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def signed_headers(known: Iterable[str], message_id: str, time_us: int, body: bytes) -> dict[str, str]:
    """The three headers of a call: id, time, and a signature over id, time and body with each secret.

    Parameters
    ----------
    known
        As `new_secret` makes them: whoever receives knows one of them.
    message_id
        The same for every attempt at one message.
    time_us
        Of this attempt, UTC microseconds since the Unix epoch.
    body
        As it is sent.
    """
    seconds = time_us // 1_000_000
    signed = f"{message_id}.{seconds}.".encode() + body
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(seconds),
        "webhook-signature": " ".join(_signature(secret, signed) for secret in known),
    }


def _signature(secret: str, signed: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(_PREFIX))
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
