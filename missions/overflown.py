"""What wings may be flown above the ceiling, where between floor and ceiling there was no room to plan lower."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from geo import Terrain
from missions.headroom import flown_above
from missions.options import PlanOptions
from missions.plane import Plane
from missions.sortie import LegKind, Sortie

__all__ = ["OVERFLOWN", "overflown"]

OVERFLOWN = " may be flown "
"""What such a note says first, after the name of its sortie."""

_STEP_M = 5.0
"""Between samples, metres: of 20 ground with a spread of 23 m from post to post hid 2.5 m."""
_MOST_M = 1.0
"""Less than this above the ceiling is not told, metres: the ground between samples is known to that."""

Floats = NDArray[np.float64]


def overflown(sorties: Iterable[Sortie], options: PlanOptions, terrain: Terrain) -> list[str]:
    """A note for each sortie that autopilots may fly above the ceiling: by how much at most, and where."""
    notes: list[str] = []
    if not np.isfinite(terrain.resolution_m):
        return notes
    for sortie in sorties:
        if not sortie.vehicle.aircraft.has_wings:
            continue
        lat, lon, height_m, took_s = _line(sortie)
        plane = Plane.at(float(lat[0]), float(lon[0]))
        points = plane.xy(lat, lon)

        def beside(samples: NDArray[np.int64], offsets: Floats, plane: Plane = plane, at: Floats = points) -> Floats:
            return terrain.known_elevation_m(*plane.lat_lon(at[samples][:, None] + offsets))

        by = sortie.vehicle.aircraft, options.wind
        ground_m = np.asarray(terrain.elevation_m(lat, lon))
        agl_m = flown_above(np.diff(points, axis=0), ground_m, height_m, took_s, by=by, beside=beside)
        worst = int(np.argmax(agl_m))
        over_m = float(agl_m[worst]) - options.ceiling_agl_m
        if over_m > _MOST_M:
            notes.append(
                f"{sortie.name}{OVERFLOWN}up to {over_m:.0f} m above ceiling_agl_m {options.ceiling_agl_m:g} at "
                f"{lat[worst]:.5f}, {lon[worst]:.5f}: autopilots come late to what descends and swing out of turns, "
                "and the ground leaves no room to plan lower; raise the ceiling, lower the floor, or send rotors"
            )
    return notes


def _line(sortie: Sortie) -> tuple[Floats, Floats, Floats, Floats]:
    """Latitude, longitude, height AMSL of places along a sortie between take-off and landing, and seconds between."""
    columns, took_s = [], []
    for leg in sortie.legs:
        if leg.kind in {LegKind.TAKEOFF, LegKind.LANDING} or leg.distance_m <= 0:
            continue
        count = int(leg.distance_m / _STEP_M) + 1
        start, end = (np.array([at.lat_deg, at.lon_deg, at.amsl_m]) for at in (leg.start, leg.end))
        columns.append(np.linspace(start, end, count, endpoint=False))
        took_s.append(np.full(count, leg.duration_s / count))
        last = leg.end
    columns.append(np.array([[last.lat_deg, last.lon_deg, last.amsl_m]]))
    lat, lon, height_m = np.concatenate(columns).T
    return lat, lon, height_m, np.concatenate(took_s)
