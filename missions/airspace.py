"""Where an aircraft may not fly, how high it may, and where it could land in an emergency."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray

from geo import Altitude, CoordinateError, Datum, check_coordinates, shorter_turn, unwrap_longitudes
from missions.errors import AirspaceError
from missions.plane import Chart, Plane

__all__ = ["Airspace", "LandingSite", "Zone", "ZoneKind"]

Floats = NDArray[np.float64]
Ring = tuple[tuple[float, float], ...]


class ZoneKind(StrEnum):
    """What a zone means.

    Attributes
    ----------
    NO_FLY
        No aircraft enters it between its floor and its ceiling.
    LIMITS
        Aircraft in it stay between its floor and its ceiling; a plan that flies at other heights keeps out of it.
    """

    NO_FLY = "no_fly"
    LIMITS = "limits"


@dataclass(frozen=True, slots=True)
class Zone:
    """An area with rules of its own.

    Parameters
    ----------
    name
        What people call it.
    rings
        The outline, then its holes: vertices (longitude, latitude), degrees WGS 84. The first is repeated at the
        end, or is added there.
    kind
        What it means.
    floor, ceiling
        Heights between which it holds, above ground or above mean sea level; None for the ground and for no end.

    Raises
    ------
    AirspaceError
        When an outline is not one: too few vertices, no area, a crossing of itself, a figure that is not finite; or the
        floor is not below the ceiling. A zone that cannot be understood is refused, never left out.
    """

    name: str
    rings: tuple[Ring, ...]
    kind: ZoneKind = ZoneKind.NO_FLY
    floor: Altitude | None = None
    ceiling: Altitude | None = None

    def __post_init__(self) -> None:
        what = f"zone {self.name!r}"
        try:
            object.__setattr__(self, "kind", ZoneKind(self.kind))
        except ValueError:
            kinds = ", ".join(kind.value for kind in ZoneKind)
            raise AirspaceError(f"{what}: kind is {self.kind!r}: give one of {kinds}") from None
        if not self.rings:
            raise AirspaceError(f"{what}: rings is empty: give an outline")
        object.__setattr__(self, "rings", tuple(_checked_ring(ring, what) for ring in self.rings))
        shape = self._shape()
        if not shapely.is_valid(shape):
            raise AirspaceError(f"{what}: rings: {shapely.is_valid_reason(shape)} (longitude latitude): draw it again")
        for name in ("floor", "ceiling"):
            height = getattr(self, name)
            if height is not None and height.datum not in {Datum.AGL, Datum.AMSL}:
                raise AirspaceError(f"{what}: {name} is above {height.datum.value}: give it above ground or sea level")
        low, high = self.floor, self.ceiling
        if low is not None and high is not None and low.datum is high.datum and low.metres >= high.metres:
            raise AirspaceError(f"{what}: floor {low.metres:g} m is not below ceiling {high.metres:g} m")

    def outline(self) -> Floats:
        """Vertices (longitude, latitude) of the outline, degrees, closed; longitudes run on over the antimeridian."""
        ring = np.array(self.rings[0])
        return np.stack([unwrap_longitudes(ring[:, 0]), ring[:, 1]], axis=-1)

    def polygon(self, plane: Plane | Chart) -> shapely.Polygon:
        """Its area in a plane or a chart, metres."""
        rings = [plane.xy(ring[:, 1], ring[:, 0]) for ring in (np.array(r) for r in self.rings)]
        return shapely.Polygon(rings[0], rings[1:])

    def contains(self, lat_deg: ArrayLike, lon_deg: ArrayLike) -> NDArray[np.bool_]:
        """Whether points, degrees, lie in it or on its edge, at whatever height."""
        shape = self._shape()
        middle = float(self.outline()[:, 0].mean())
        lon = middle + shorter_turn(np.asarray(lon_deg, dtype=float) - middle)
        return np.asarray(shapely.intersects_xy(shape, lon, np.asarray(lat_deg, dtype=float)))

    def _shape(self) -> shapely.Polygon:
        """Its area in degrees, longitudes running on over the antimeridian."""
        outline = self.outline()
        return shapely.Polygon(outline, [_unwrapped(ring, outline) for ring in self.rings[1:]])

    def blocks(self, lowest_agl_m: float, highest_agl_m: float) -> bool:
        """Whether flights between two heights above ground must keep out of it; in doubt they must.

        Take-off and landing pass every height from the ground up, so a no-fly zone that begins on the ground blocks in
        any case. Of a height above sea level nobody here knows what it is above ground.
        """
        if self.kind is ZoneKind.NO_FLY:
            return not (self.floor is not None and self.floor.datum is Datum.AGL and self.floor.metres > highest_agl_m)
        low_enough = self.floor is None or (self.floor.datum is Datum.AGL and self.floor.metres <= lowest_agl_m)
        high_enough = self.ceiling is None or (self.ceiling.datum is Datum.AGL and self.ceiling.metres >= highest_agl_m)
        return not (low_enough and high_enough)


@dataclass(frozen=True, slots=True)
class LandingSite:
    """A place to come down in an emergency: degrees WGS 84, and the radius that is free, metres."""

    name: str
    lat_deg: float
    lon_deg: float
    radius_m: float = 10.0

    def __post_init__(self) -> None:
        try:
            check_coordinates(self.lat_deg, self.lon_deg, f"landing site {self.name!r}")
        except CoordinateError as error:
            raise AirspaceError(str(error)) from None
        if not (math.isfinite(self.radius_m) and self.radius_m > 0):
            raise AirspaceError(f"landing site {self.name!r}: radius_m is {self.radius_m!r}: give metres above 0")


@dataclass(frozen=True, slots=True)
class Airspace:
    """Zones and landing sites.

    Raises
    ------
    AirspaceError
        When two zones have one name.
    """

    zones: tuple[Zone, ...] = ()
    landing_sites: tuple[LandingSite, ...] = ()

    def __post_init__(self) -> None:
        names = [zone.name for zone in self.zones]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise AirspaceError(f"two zones have the name {twice!r}: each needs its own")

    def blocking(self, lowest_agl_m: float, highest_agl_m: float) -> tuple[Zone, ...]:
        """The zones that flights between two heights above ground must keep out of."""
        return tuple(zone for zone in self.zones if zone.blocks(lowest_agl_m, highest_agl_m))

    def told(self, blocking: str) -> str:
        """What a zone that blocks is called, by its name: one of limits shuts what cannot keep to these."""
        if any(zone.name == blocking and zone.kind is ZoneKind.NO_FLY for zone in self.zones):
            return f"no-fly zone {blocking!r}"
        return f"zone {blocking!r}, whose limits no flight of this plan keeps"


def _checked_ring(ring: Iterable[tuple[float, float]], what: str) -> Ring:
    """The vertices of a ring as numbers, closed, without repetitions."""
    try:
        points = [(float(lon), float(lat)) for lon, lat in ring]
        check_coordinates([lat for _, lat in points], [lon for lon, _ in points], what)
    except CoordinateError as error:
        raise AirspaceError(str(error)) from None
    except (TypeError, ValueError) as error:
        raise AirspaceError(f"{what}: rings: a vertex is not (longitude, latitude): {error}") from None
    distinct = [p for i, p in enumerate(points) if i == 0 or p != points[i - 1]]
    if distinct and distinct[0] != distinct[-1]:
        distinct.append(distinct[0])
    if len(distinct) < 4:
        count = max(0, len(distinct) - 1)
        raise AirspaceError(f"{what}: rings: {count} distinct vertices: an area needs at least three")
    return tuple(distinct)


def _unwrapped(ring: Ring, beside: Floats) -> Floats:
    """A hole, its longitudes on the same turn of the earth as the outline."""
    points = np.array(ring)
    middle = float(beside[:, 0].mean())
    lon = unwrap_longitudes(points[:, 0])
    lon = lon + np.round((middle - lon.mean()) / 360.0) * 360.0
    return np.stack([lon, points[:, 1]], axis=-1)
