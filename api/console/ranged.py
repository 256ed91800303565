"""A file that is read a range of bytes at a time."""

from __future__ import annotations

from starlette.responses import FileResponse

__all__ = ["Ranged"]


class Ranged(FileResponse):
    """A file, whole or by Range."""

    max_ranges = 1  # several at once cost us, and no reader of ours asks for them
