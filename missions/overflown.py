"""What may be flown above the ceiling, where between floor and ceiling there was no room to plan lower."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from geo import Terrain, longitude_between
from missions.headroom import flown_above
from missions.options import PlanOptions
from missions.plane import Plane
from missions.sortie import Leg, LegKind, Sortie

__all__ = ["OVERFLOWN", "overflown"]

OVERFLOWN = " may be flown "
"""What such a note says first, after the name of its sortie."""

_STEP_M = 5.0
"""Between samples, metres: of 20 ground with a spread of 23 m from post to post hid 2.5 m."""
_CLOSER = 11
"""Samples from one of these to the next where rotors are above the ceiling, both of them counted."""
_MOST_M = 1.0
"""Less than this above the ceiling is not told, metres: the ground between samples is known to that."""

_WINGS = (
    "autopilots come late to what descends and swing out of turns, and the ground leaves no room to plan lower; raise "
    "the ceiling, lower the floor, or send rotors"
)
_ROTORS = (
    "between two of its places the ground falls away, and leaves no room to plan lower; raise the ceiling or lower the "
    "floor"
)

Floats = NDArray[np.float64]


def overflown(sorties: Iterable[Sortie], options: PlanOptions, terrain: Terrain) -> list[str]:
    """A note for each sortie that autopilots may fly above the ceiling: by how much at most, and where."""
    notes: list[str] = []
    if not np.isfinite(terrain.resolution_m):
        return notes
    for sortie in sorties:
        if not any(map(_is_way, sortie.legs)):
            # It comes down where it is.
            continue
        line = lat, lon, _, _ = _line(sortie)
        ground_m = np.asarray(terrain.elevation_m(lat, lon))
        if sortie.vehicle.aircraft.has_wings:
            agl_m, why = _above_wings_m(sortie, options, terrain, line, ground_m), _WINGS
        else:
            agl_m, why = _above_rotors_m(options, terrain, line, ground_m), _ROTORS
        worst = int(np.argmax(agl_m))
        over_m = float(agl_m[worst]) - options.ceiling_agl_m
        if over_m > _MOST_M:
            notes.append(
                f"{sortie.name}{OVERFLOWN}up to {over_m:.0f} m above ceiling_agl_m {options.ceiling_agl_m:g} at "
                f"{lat[worst]:.5f}, {lon[worst]:.5f}: {why}"
            )
    return notes


def _above_wings_m(
    sortie: Sortie,
    options: PlanOptions,
    terrain: Terrain,
    line: tuple[Floats, Floats, Floats, Floats],
    ground_m: Floats,
) -> Floats:
    """How high above ground autopilots may fly wings at places along a sortie, metres."""
    lat, lon, height_m, took_s = line
    plane = Plane.at(float(lat[0]), float(lon[0]))
    points = plane.xy(lat, lon)

    def beside(samples: NDArray[np.int64], offsets: Floats) -> Floats:
        return terrain.known_elevation_m(*plane.lat_lon(points[samples][:, None] + offsets))

    by = sortie.vehicle.aircraft, options.wind
    return flown_above(np.diff(points, axis=0), ground_m, height_m, took_s, by=by, beside=beside)


def _above_rotors_m(
    options: PlanOptions, terrain: Terrain, line: tuple[Floats, Floats, Floats, Floats], ground_m: Floats
) -> Floats:
    """How high above ground rotors fly at most near places along a sortie, metres: above the ceiling looked at closer.

    Most are well below it.
    """
    lat, lon, height_m, _ = line
    agl_m = height_m - ground_m
    above = np.flatnonzero(agl_m > options.ceiling_agl_m)
    before, after = (np.clip(above + step, 0, len(lat) - 1) for step in (-1, 1))
    for other in (before, after):
        share = np.linspace(0.0, 1.0, _CLOSER)[1:-1, None]
        between = lat[above] + share * (lat[other] - lat[above]), longitude_between(lon[above], lon[other], share)
        closer_m = height_m[above] + share * (height_m[other] - height_m[above]) - terrain.elevation_m(*between)
        agl_m[above] = np.maximum(agl_m[above], closer_m.max(axis=0, initial=0.0))
    return agl_m


def _is_way(leg: Leg) -> bool:
    return leg.kind not in {LegKind.TAKEOFF, LegKind.LANDING} and leg.distance_m > 0


def _line(sortie: Sortie) -> tuple[Floats, Floats, Floats, Floats]:
    """Latitude, longitude, height AMSL of places along a sortie between take-off and landing, and seconds between."""
    columns, took_s = [], []
    for leg in sortie.legs:
        if not _is_way(leg):
            continue
        count = int(leg.distance_m / _STEP_M) + 1
        columns.append(np.column_stack(leg.at(np.arange(count) / count)))
        took_s.append(np.full(count, leg.duration_s / count))
        last = leg.end
    columns.append(np.array([[last.lat_deg, last.lon_deg, last.amsl_m]]))
    lat, lon, height_m = np.concatenate(columns).T
    return lat, lon, height_m, np.concatenate(took_s)
