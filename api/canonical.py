"""Canonical JSON: one text for one value, so that it can be hashed and compared."""

from __future__ import annotations

import hashlib
import json
import secrets
from typing import Any

__all__ = ["canonical", "new_id", "sha256_hex"]

_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def canonical(value: Any) -> str:
    """JSON with sorted keys, no spaces, no NaN, and characters as themselves.

    Examples
    --------
    >>> canonical({"b": 1, "a": "é"})
    '{"a":"é","b":1}'
    """
    return _ENCODER.encode(value)


def sha256_hex(text: str) -> str:
    """SHA-256 of the UTF-8 bytes of `text`, in hex."""
    return hashlib.sha256(text.encode()).hexdigest()


def new_id() -> str:
    """A random 128 bit id in hex: says nothing of order or number, cannot be guessed."""
    return secrets.token_hex(16)
