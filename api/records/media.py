"""Media types of evidence."""

from __future__ import annotations

__all__ = ["media_type_of", "media_types"]

_TYPES = {
    ".ts": "video/mp2t",
    ".mp4": "video/mp4",
    ".webm": "video/webm",
    ".json": "application/json",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".png": "image/png",
    ".webp": "image/webp",
}
_UNKNOWN = "application/octet-stream"


def media_type_of(name: str) -> str:
    """Media type by the ending of a file's name."""
    return _TYPES.get("." + name.rpartition(".")[2].lower(), _UNKNOWN)


def media_types() -> tuple[str, ...]:
    """All that `media_type_of` may answer."""
    return (*sorted(set(_TYPES.values())), _UNKNOWN)
