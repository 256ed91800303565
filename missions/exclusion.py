"""The polygons that a fence keeps out of: every blocked zone that comes within it, held by few vertices."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import Geometry, MultiLineString, Polygon

from geo import shorter_turn
from missions.airspace import Zone
from missions.errors import MissionError
from missions.plane import Chart
from missions.reduced import reduced

__all__ = ["exclusions", "zones_beside"]

Floats = NDArray[np.float64]

_GROWN = 0.1
"""Share of a zone's margin by which its exclusion is larger: rounding, and an aircraft that is not where it thinks."""

_CLEAR = 0.5
"""Share of the margin that an exclusion leaves between itself and the legs."""

_WINDOW_M = 1000.0
"""How far round the fence a zone is looked at: what lies beyond is fenced out as it is, metres."""


def zones_beside(zones: Iterable[Zone], chart: Chart, inclusion: Polygon) -> list[tuple[Zone, Polygon]]:
    """Zones that touch an inclusion, and their areas in a chart."""
    west, south, east, north = inclusion.bounds
    low, high = chart.lat_lon([west, south]), chart.lat_lon([east, north])
    middle, half = chart.lat_lon([(west + east) / 2, 0.0])[1], (high[1] - low[1]) % 360.0 / 2
    found = []
    for zone in zones:
        box = _box(zone)
        away = abs(shorter_turn(box.lon_deg - middle))
        if box.south_deg > high[0] or box.north_deg < low[0] or away > half + box.half_deg:
            continue
        area = zone.polygon(chart)
        if area.intersects(inclusion):
            found.append((zone, area))
    return found


@dataclass(frozen=True, slots=True)
class _Box:
    """Between which latitudes a zone lies, about which longitude, and how far to each side, degrees."""

    south_deg: float
    north_deg: float
    lon_deg: float
    half_deg: float


@lru_cache(maxsize=4096)
def _box(zone: Zone) -> _Box:
    lon, lat = zone.outline().T
    return _Box(float(lat.min()), float(lat.max()), float(lon.min() + lon.max()) / 2, float(np.ptp(lon)) / 2)


def exclusions(
    zones: Sequence[tuple[Zone, Polygon]], way: MultiLineString, inclusion: Polygon, *, margin_m: float, most: int
) -> list[Floats] | None:
    """Outlines that hold every zone as far as the inclusion reaches, and touch no leg.

    Parameters
    ----------
    zones
        Zones that touch the inclusion, and their areas, metres.
    way
        The legs.
    inclusion
        What the fence keeps in.
    margin_m
        What the legs keep from a zone, metres.
    most
        Vertices that all outlines may have together.

    Returns
    -------
    list of ndarray or None
        Vertices of each, shape (n, 2), the first not repeated; None where they take more than `most`.

    Raises
    ------
    MissionError
        When a zone is so near to a leg that no outline fits between them; the message names it.
    """
    grown_m, clear_m = _GROWN * margin_m, _CLEAR * margin_m
    reach = shapely.box(*inclusion.bounds).buffer(_WINDOW_M, join_style="mitre")
    areas = []
    for zone, area in zones:
        # Simplified by half of what it grows: it still holds the zone.
        held = shapely.intersection(_grown(area, grown_m), reach)
        if held.distance(way) < clear_m:
            raise MissionError(
                f"no-fly zone {zone.name!r} lies {area.distance(way):.0f} m from a leg, its fence needs "
                f"{clear_m + 2 * grown_m:.0f} m: plan again with this airspace"
            )
        areas.append(held)
    taken = way.buffer(clear_m * 0.99)
    parts = _simple(shapely.union_all(areas), way) if areas else []
    rings = [np.array(part.exterior.coords)[:-1] for part in parts if part.intersects(inclusion)]
    return reduced(rings, taken, most, grown_m)


def _grown(area: Polygon, by_m: float) -> Geometry:
    return shapely.buffer(shapely.simplify(area, by_m / 2), by_m, join_style="mitre", mitre_limit=2.0)


def _simple(area: Geometry, way: MultiLineString) -> list[Polygon]:
    """Polygons without holes that cover an area: a hole with legs in it is cut through, any other is filled."""
    out: list[Polygon] = []
    for part in shapely.get_parts(area):
        if not isinstance(part, Polygon) or part.is_empty:
            continue
        flown = [hole for hole in part.interiors if way.intersects(Polygon(hole))]
        if not flown:
            out.append(Polygon(part.exterior))
            continue
        middle = Polygon(flown[0]).centroid
        west, south, east, north = part.bounds
        for half in ((west, south, middle.x, north), (middle.x, south, east, north)):
            whole = Polygon(part.exterior, flown)
            out += _simple(shapely.intersection(whole, shapely.box(*half)), way)
    return out
