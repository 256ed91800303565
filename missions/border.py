"""A border segment: the line, whose side is ours, and the rules that go with it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from geo import LocalFrame, densify, geodesic_length_m, wrap_longitudes
from missions.border_line import checked_line, self_crossings, unwrapped
from missions.errors import BorderError

__all__ = ["BorderSegment", "Side"]

Floats = NDArray[np.float64]


class Side(StrEnum):
    """A side of a directed line."""

    LEFT = "left"
    RIGHT = "right"

    @property
    def sign(self) -> int:
        """+1 for left, -1 for right: the sign of `geo.LinePosition.offset_m`."""
        return 1 if self is Side.LEFT else -1

    @property
    def other(self) -> Side:
        """The opposite side."""
        return Side.RIGHT if self is Side.LEFT else Side.LEFT


@dataclass(frozen=True, slots=True)
class BorderSegment:
    """A polyline of the border.

    Parameters
    ----------
    name
        What people call it.
    own, neighbour
        ISO 3166 alpha-3 codes (or names) of the own and the other country.
    coordinates
        Vertices (longitude, latitude), degrees WGS 84 within ±180, in order. Between two vertices the border runs
        straight in these degrees, as RFC 7946 has it, and the short way round where they jump at the antimeridian.
        Repeated vertices and those in which the line runs back on itself are left out. A ring (an enclave) repeats
        its first vertex at the end. The line may touch itself.
    own_side
        Which side of the line, seen along it, is the own country.
    authority
        Who is responsible for it.
    priority
        1 is watched first.
    stand_off_m
        Distance from the line that no aircraft may come within, metres.
    band_own_m, band_far_m
        How much ground beside the line is watched, metres, on the own and on the far side.
    note
        What a reader of the plan must know about this line, such as that it is shorter than was asked for or that
        vertices were left out.

    Raises
    ------
    BorderError
        When there are fewer than two distinct vertices, a figure is not finite or out of range, or the side is none.

    Examples
    --------
    >>> line = BorderSegment("test", "USA", "MEX", ((-110.95, 31.333), (-110.93, 31.333)), "left")
    >>> round(line.length_m())
    1903
    """

    name: str
    own: str
    neighbour: str
    coordinates: tuple[tuple[float, float], ...]
    own_side: Side
    authority: str = ""
    priority: int = 1
    stand_off_m: float = 60.0
    band_own_m: float = 25.0
    band_far_m: float = 25.0
    note: str = ""

    def __post_init__(self) -> None:
        what = f"border {self.name!r}"
        for field in ("name", "own", "neighbour", "authority", "note"):
            if not isinstance(getattr(self, field), str):
                raise BorderError(f"{what}: {field} is {getattr(self, field)!r}: give text")
        try:
            object.__setattr__(self, "own_side", Side(self.own_side))
        except ValueError:
            raise BorderError(
                f"{what}: own_side is {self.own_side!r}: give 'left' or 'right', as seen along the line"
            ) from None
        line, left_out = checked_line(self.coordinates, what)
        object.__setattr__(self, "coordinates", line)
        if left_out:
            object.__setattr__(self, "note", f"{self.note}; {left_out}" if self.note else left_out)
        for field, low in (("stand_off_m", 1.0), ("band_own_m", 0.0), ("band_far_m", 0.0)):
            value = getattr(self, field)
            if not (isinstance(value, int | float) and math.isfinite(value) and low <= value <= 10_000):
                raise BorderError(f"{what}: {field} is {value!r}: give metres between {low:g} and 10000")
            object.__setattr__(self, field, float(value))
        if self.band_own_m + self.band_far_m <= 0:
            raise BorderError(f"{what}: the band has no depth: give band_own_m or band_far_m")
        if isinstance(self.priority, bool) or not isinstance(self.priority, int) or not 1 <= self.priority <= 1_000_000:
            raise BorderError(f"{what}: priority is {self.priority!r}: give a whole number, 1 is watched first")

    @property
    def is_ring(self) -> bool:
        """Whether the line closes on itself (the border of an enclave)."""
        (x0, y0), (x1, y1) = self.coordinates[0], self.coordinates[-1]
        return len(self.coordinates) > 3 and y0 == y1 and (x0 - x1) % 360 == 0

    def length_m(self) -> float:
        """Geodesic length through the vertices, metres."""
        lon, lat = np.array(self.coordinates).T
        return geodesic_length_m(lat, lon)

    def unwrapped(self) -> Floats:
        """Vertices (longitude, latitude), degrees, shape (n, 2), without a jump at the antimeridian: for geometry.

        The first is as in `coordinates`; others may lie beyond ±180 degrees.
        """
        return unwrapped(self.coordinates)

    def self_crossings(self) -> tuple[tuple[float, float], ...]:
        """Where the line passes through itself: latitude and longitude, degrees. There its sides change places."""
        return self_crossings(self.coordinates)

    def centre(self) -> tuple[float, float]:
        """Latitude and longitude, degrees, of the middle of the bounding box: the origin of the plan's local frame."""
        lon, lat = self.unwrapped().T
        return float(lat.min() + lat.max()) / 2, float(wrap_longitudes((lon.min() + lon.max()) / 2))

    def local_line(self, frame: LocalFrame, step_m: float = 500.0) -> Floats:
        """The line in a local frame: east, north, metres, shape (n, 2), with points at most about `step_m` apart.

        The points between vertices lie on the line that is straight in degrees, so a long edge keeps its true course.
        """
        lon, lat = np.array(self.coordinates).T
        east, north, _ = frame.to_enu(*densify(lat, lon, step_m))
        return np.stack([east, north], axis=-1)
