"""Standard Webhooks: what a call is signed with, and how (https://www.standardwebhooks.com, v1: HMAC-SHA256)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets

__all__ = ["new_secret", "signed_headers"]

_PREFIX = "whsec_"


def new_secret() -> str:
    """256 random bits, as the standard writes them: `whsec_` and base64."""
    return _PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def signed_headers(secret: str, message_id: str, time_us: int, body: bytes) -> dict[str, str]:
    """The three headers of a call: id, time, and a signature over id, time and body.

    Parameters
    ----------
    secret
        As `new_secret` makes it.
    message_id
        The same for every attempt at one message.
    time_us
        Of this attempt, UTC microseconds since the Unix epoch.
    body
        As it is sent.
    """
    seconds = time_us // 1_000_000
    key = base64.b64decode(secret.removeprefix(_PREFIX))
    digest = hmac.new(key, f"{message_id}.{seconds}.".encode() + body, hashlib.sha256).digest()
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(seconds),
        "webhook-signature": "v1," + base64.b64encode(digest).decode(),
    }
