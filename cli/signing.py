"""Signing keys of the command line."""

from __future__ import annotations

from pathlib import Path

import autopilot

__all__ = ["secret_of", "signing_of"]


def signing_of(path: Path | None) -> autopilot.Signing | None:
    """Signing by the key in a file, with the clock that all programs of this user share; None for no file.

    Raises LinkError where the file holds no key, or the clock cannot be kept.
    """
    if path is None:
        return None
    return autopilot.Signing(autopilot.SigningKey.read(path), autopilot.SigningClock(autopilot.signing_clock_file()))


def secret_of(path: Path | None) -> bytes | None:
    """The 32 bytes of the key in a file; None for no file. Raises LinkError."""
    return None if path is None else autopilot.SigningKey.read(path).secret
