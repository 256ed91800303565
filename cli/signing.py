"""Signing keys of the command line."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import autopilot

__all__ = ["secret_of", "signing_of"]


def signing_of(path: Path | None) -> autopilot.Signing | None:
    """Signing by the key in a file, with the clock that all programs of this user share; None for no file.

    Raises LinkError where the file holds no key, or the clock cannot be kept.
    """
    if path is None:
        return None
    import autopilot  # noqa: PLC0415 - pymavlink takes half a second to load, and most vehicles sign nothing

    return autopilot.Signing(autopilot.SigningKey.read(path), autopilot.SigningClock(autopilot.signing_clock_file()))


def secret_of(path: Path | None) -> bytes | None:
    """The 32 bytes of the key in a file; None for no file. Raises LinkError."""
    if path is None:
        return None
    import autopilot  # noqa: PLC0415 - as above

    return autopilot.SigningKey.read(path).secret
