"""Errors of ``geo``.

::

    VedetteError            anything that Vedette itself refuses; message says what, where, what to do
    ├── FileWriteError      a file that could not be written: disk full, no permission
    └── GeoError            geometry that cannot be computed
        ├── DatumError      heights of two datums met without the undulation that joins them
        ├── CoordinateError a latitude, longitude or angle outside its range, or not a number
        └── TerrainError    elevation asked for outside the data, or a broken elevation file
"""

from __future__ import annotations


class VedetteError(Exception):
    """Base of every error that Vedette raises on purpose.

    The message is one line for a person: what was wrong, where, and what to do. The command line prints it as it is.
    """


class FileWriteError(VedetteError):
    """A file that could not be written whole; nothing of it was left behind."""


class GeoError(VedetteError):
    """Geometry that cannot be computed."""


class DatumError(GeoError):
    """Heights of two datums met without the undulation or elevation that joins them."""


class CoordinateError(GeoError):
    """A latitude, longitude or angle outside its range, or not a number."""


class TerrainError(GeoError):
    """Elevation asked for outside the data, or a broken elevation file."""
