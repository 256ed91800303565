"""The border that video is held against: from any file that a patrol can be planned for."""

from __future__ import annotations

from pathlib import Path

import vision

__all__ = ["border_line"]

_OF_PLANS = frozenset({".kml", ".kmz", ".gpkg", ".shp"})
"""What planning reads beside the GeoJSON that both read."""


def border_line(file: Path | None, own_side: str | None = None) -> vision.BorderLine | None:
    """The one line of a file, with its own side, or with `own_side` in its place; None without a file.

    Raises
    ------
    BorderError, FormatError
        When the file cannot be read, or is not that.
    """
    if file is None:
        return None
    if own_side is None and file.suffix.lower() not in _OF_PLANS:
        return vision.load_border(file)
    import missions  # noqa: PLC0415 - planning takes half a second to load

    border = missions.read_border(file, own_side)
    return vision.BorderLine(border.name, border.coordinates, border.own_side.value)
