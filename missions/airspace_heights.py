"""Heights of zones above the ground below them, from heights above sea level and the terrain; in doubt, none.

Most airspace is published above mean sea level and drones are flown above ground. A zone is brought to heights above
ground once, before a plan is made, so that it is never more lenient than as published: its floor is taken over the
highest ground in it, its ceiling over the lowest where it limits the flights in it, and over the highest where it ends
what is forbidden.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from geo import Altitude, Datum, Terrain, TerrainError, shorter_turn
from missions.airspace import Airspace, Zone, ZoneKind

__all__ = ["ceiling_within", "over_ground"]

Floats = NDArray[np.float64]

_MOST_SAMPLES = 2_000_000
_ROOM_DEG = 0.1
_M_PER_DEG = 111_132.0


def over_ground(
    airspace: Airspace, terrain: Terrain, places: Sequence[tuple[float, float]]
) -> tuple[Airspace, tuple[str, ...]]:
    """Bring zones to heights above ground.

    Parameters
    ----------
    airspace
        Zones as they were given.
    terrain
        The ground.
    places
        Latitude and longitude, degrees, of what is flown between: of a larger zone only the part near them counts.

    Returns
    -------
    tuple
        The airspace, and one sentence for each zone whose heights stay above sea level, with the reason. Such a zone
        blocks at every height.
    """
    zones, notes = [], []
    for zone in airspace.zones:
        heights = [h for h in (zone.floor, zone.ceiling) if h is not None and h.datum is Datum.AMSL]
        if not heights:
            zones.append(zone)
            continue
        try:
            ground = _ground(zone, terrain, np.array(places))
        except TerrainError as error:
            notes.append(f"zone {zone.name!r} is kept out of at every height, its ground is not known: {error}")
            zones.append(zone)
            continue
        if ground is None:
            # Far from everything: it cannot matter, and blocks if it does.
            zones.append(zone)
            continue
        zones.append(_brought(zone, *ground))
    return replace(airspace, zones=tuple(zones)), tuple(notes)


def ceiling_within(
    airspace: Airspace, places: Sequence[tuple[float, float]], patrol_agl_m: tuple[float, float], ceiling_agl_m: float
) -> tuple[float, tuple[str, ...]]:
    """The ceiling under which transits stay within the limits that a patrol keeps anyway.

    Parameters
    ----------
    airspace
        Zones with heights above ground.
    places
        Latitude and longitude, degrees, of what is flown between: zones far from them do not matter.
    patrol_agl_m
        Lowest and highest height of the patrol above ground, metres.
    ceiling_agl_m
        The ceiling without zones, metres above ground.

    Returns
    -------
    tuple
        The ceiling, metres above ground, and the names of the zones that set it. Zones that the patrol itself does not
        fit in are kept out of, and set none.
    """
    names: dict[str, float] = {}
    near = np.array(places)
    for zone in airspace.zones:
        top = zone.ceiling
        if zone.kind is not ZoneKind.LIMITS or top is None or top.datum is not Datum.AGL:
            continue
        fits = not zone.blocks(*patrol_agl_m) and top.metres < ceiling_agl_m
        if fits and not shapely.is_empty(_part_near(zone, near)):
            names[zone.name] = top.metres
    lowest = min(names.values(), default=ceiling_agl_m)
    return lowest, tuple(name for name, top in names.items() if top == lowest)


def _brought(zone: Zone, lowest_m: float, highest_m: float) -> Zone:
    def above(height: Altitude | None, ground_m: float) -> Altitude | None:
        if height is None or height.datum is not Datum.AMSL:
            return height
        return Altitude(height.metres - ground_m, Datum.AGL)

    limits = zone.kind is ZoneKind.LIMITS
    # Of limits both ends leave less room, of a forbidden zone both leave more in it.
    floor = above(zone.floor, lowest_m if limits else highest_m)
    ceiling = above(zone.ceiling, highest_m if limits else lowest_m)
    if floor is not None and floor.metres <= 0:
        floor = None
    if ceiling is not None and (ceiling.metres <= 0 or (floor is not None and floor.metres >= ceiling.metres)):
        # Limits that hold nothing for certain, or a zone under the ground, which is not understood.
        return replace(zone, kind=ZoneKind.NO_FLY, floor=None, ceiling=None)
    return replace(zone, floor=floor, ceiling=ceiling)


def _ground(zone: Zone, terrain: Terrain, places: Floats) -> tuple[float, float] | None:
    """Lowest and highest ground in the part of a zone near the places, metres AMSL; None where none of it is near."""
    part = _part_near(zone, places)
    if shapely.is_empty(part):
        return None
    if math.isinf(terrain.resolution_m):
        height = float(terrain.elevation_m(float(places[0, 0]), float(places[0, 1])))
        return height, height
    west, south, east, north = part.bounds
    step = terrain.resolution_m / 2 / _M_PER_DEG
    rows, columns = int((north - south) / step) + 2, int((east - west) / step) + 2
    if rows * columns > _MOST_SAMPLES:
        raise TerrainError(f"its part near the border spans {rows} by {columns} samples of terrain: draw it smaller")
    grid_lat, grid_lon = np.meshgrid(np.linspace(south, north, rows), np.linspace(west, east, columns), indexing="ij")
    inside = shapely.intersects_xy(shapely.buffer(part, 2 * step), grid_lon, grid_lat)
    ground = np.full(inside.shape, np.nan)
    ground[inside] = terrain.elevation_m(grid_lat[inside], grid_lon[inside])
    # A summit may stand between samples, half a step from the nearest: by no more than the steepest step rises there.
    rises = [np.abs(np.diff(ground, axis=axis)) for axis in (0, 1)]
    rise = max(float(np.nanmax(one, initial=0.0)) for one in rises)
    return float(np.nanmin(ground)) - rise, float(np.nanmax(ground)) + rise


def _part_near(zone: Zone, places: Floats) -> BaseGeometry:
    """The part of a zone in the box round some places, with some kilometres of room, in degrees."""
    outline = zone.outline()
    middle = float(outline[:, 0].mean())
    lat, lon = places[:, 0], middle + shorter_turn(places[:, 1] - middle)
    wide = _ROOM_DEG / max(math.cos(math.radians(float(np.abs(lat).max()))), 0.05)
    near = shapely.box(lon.min() - wide, lat.min() - _ROOM_DEG, lon.max() + wide, lat.max() + _ROOM_DEG)
    part: BaseGeometry = shapely.Polygon(outline).intersection(near)
    return part
