"""Ed25519 keys of evidence, from files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from cli.arguments import InputError

__all__ = ["private_key", "public_key"]


def private_key(path: Path, option: str) -> Ed25519PrivateKey:
    """The key that signs; raises InputError."""
    found = _load(path, option, "private", lambda content: load_pem_private_key(content, None))
    if not isinstance(found, Ed25519PrivateKey):
        raise InputError(f"{option} {path}: is not an Ed25519 key")
    return found


def public_key(path: Path, option: str) -> Ed25519PublicKey:
    """The key that proves who signed; raises InputError."""
    found = _load(path, option, "public", load_pem_public_key)
    if not isinstance(found, Ed25519PublicKey):
        raise InputError(f"{option} {path}: is not an Ed25519 key")
    return found


def _load(path: Path, option: str, which: str, load: Callable[[bytes], Any]) -> Any:
    try:
        return load(path.read_bytes())
    except (OSError, ValueError, TypeError) as error:
        raise InputError(f"{option} {path}: give an Ed25519 {which} key in PEM without a password ({error})") from error
