"""Canonical JSON: one text for one value, so that it can be hashed and compared."""

from __future__ import annotations

import hashlib
import json
import secrets
from typing import Any, Final

import orjson

__all__ = ["LARGEST", "canonical", "canonical_bytes", "new_id", "sha256_hex"]

_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
LARGEST: Final = 1e15
"""Beyond this, `canonical_bytes` does not promise to write numbers as `canonical` does."""
_OPTIONS: Final = (
    orjson.OPT_SORT_KEYS
    | orjson.OPT_PASSTHROUGH_SUBCLASS
    | orjson.OPT_PASSTHROUGH_DATACLASS
    | orjson.OPT_PASSTHROUGH_DATETIME
)
# Numbers near zero are the only ones that it writes in another way: 0.00001 and 1e-7 in place of 1e-05 and 1e-07.
# Most texts have neither e- nor 0.0000 in them, and the others are searched again: times have such zeros too.
_NEAR_ZERO = (b":0.0000", b",0.0000", b"[0.0000", b"-0.0000")


def canonical(value: Any) -> str:
    """JSON with sorted keys, no spaces, no NaN, and characters as themselves.

    Examples
    --------
    >>> canonical({"b": 1, "a": "é"})
    '{"a":"é","b":1}'
    """
    return _ENCODER.encode(value)


def canonical_bytes(value: Any) -> bytes:
    """`canonical` in UTF-8, in a sixth of the time, of what was made of JSON: it holds no NaN and no infinity.

    Nor does it hold a number beyond `LARGEST`, as no record does.
    """
    try:
        found = orjson.dumps(value, option=_OPTIONS)
    except TypeError:  # it is deeper or has larger integers than orjson takes
        return canonical(value).encode()
    if b"e-" in found or (b"0.0000" in found and (found[:1] == b"0" or any(mark in found for mark in _NEAR_ZERO))):
        return canonical(value).encode()
    return found


def sha256_hex(text: str | bytes) -> str:
    """SHA-256 of `text`, in UTF-8, in hex."""
    return hashlib.sha256(text.encode() if isinstance(text, str) else text).hexdigest()


def new_id() -> str:
    """A random 128 bit id in hex: says nothing of order or number, cannot be guessed."""
    return secrets.token_hex(16)
