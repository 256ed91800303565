"""What it takes to fly along a course: time and energy, before any sortie is built."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geo import Terrain, geodesic_distance_m
from missions.course import Course
from missions.effort import effort
from missions.fleet import Aircraft
from missions.observation import Observation
from missions.options import PlanOptions
from missions.profile import filled
from missions.way_rises import (
    UNFLYABLE,
    circles_beside,
    course_followed,
)

__all__ = ["Along", "fly_along", "reach_m", "steps_between", "vertical"]

Floats = NDArray[np.float64]

_E2 = 0.00669437999014
"""Square of the eccentricity of the ellipsoid of WGS 84."""


@dataclass(frozen=True, slots=True)
class Along:
    """Time, seconds, and energy, watt hours, from the first station to each, shape (n,): forwards and backwards.

    `steep` is where wings cannot follow the ground either way, and `blank` where its elevation is not known, shape
    (n - 1,): both cost more than there is.
    """

    time_s: Floats
    energy_wh: Floats
    back_time_s: Floats
    back_energy_wh: Floats
    steep: NDArray[np.bool_]
    blank: NDArray[np.bool_]


def steps_between(lat: Floats, lon: Floats) -> Floats:
    """Pieces of a line as vectors, metres east and north of their own middle, shape (n - 1, 2)."""
    length = geodesic_distance_m(lat[:-1], lon[:-1], lat[1:], lon[1:])
    middle = np.radians((lat[:-1] + lat[1:]) / 2)
    # As long as they are, degrees of latitude are shorter than those of longitude at the equator, by 0.7 %.
    north = np.diff(lat) * (1 - _E2) / (1 - _E2 * np.sin(middle) ** 2)
    east = np.diff(lon) * np.cos(middle)
    norm = np.hypot(east, north)
    unit = np.stack([east, north], axis=-1) / np.where(norm > 0, norm, 1.0)[:, None]
    return np.asarray(unit * length[:, None])


def fly_along(
    course: Course,
    stations: Floats,
    terrain: Terrain,
    *,
    aircraft: Aircraft,
    look: Observation,
    options: PlanOptions,
    layer_agl_m: float,
) -> Along:
    """Effort of flying the whole course, both ways, at stations given in metres along it.

    `layer_agl_m` is the height above ground to which long unwatched pieces climb.
    """
    at = [course.along_m, stations]
    if math.isfinite(terrain.resolution_m):
        at.append(np.arange(0.0, course.length_m, terrain.resolution_m))
    along = np.unique(np.concatenate(at))
    lat, lon = course.at(along)
    ground, unknown = filled(along, terrain.known_elevation_m(lat, lon))
    blank = unknown[:-1] | unknown[1:]
    step, rise = steps_between(lat, lon), np.diff(ground)
    legs = course.legs_between(along)
    watched = course.watched[legs]
    climbs = np.searchsorted(along, course.long_empty())
    climb = layer_agl_m - look.height_agl_m
    up_down = vertical(aircraft, climb, options) + vertical(aircraft, -climb, options)
    wings = aircraft.has_wings and math.isfinite(terrain.resolution_m)
    sums: list[Floats] = []
    steep: list[NDArray[np.bool_]] = []
    for backward in (False, True):
        # In the order of flight.
        order, sign = (slice(None, None, -1), -1.0) if backward else (slice(None), 1.0)
        steps, rises_m, patrol = sign * step[order], sign * rise[order], watched[order]
        shut, more = np.zeros(len(step), dtype=bool), np.zeros((2, len(step)))
        if wings:
            # A border lies where the camera looks: circles are on the other side.
            sides = -int(sign) * course.look[legs][order]
            circles = circles_beside(lat[order], lon[order], sides, terrain, by=(aircraft, options.wind))
            found = course_followed(steps, ground[order], patrol, circles, look=look, options=options)
            rises_m, shut, more = found.rise_m, found.blocked[:-1] | found.blocked[1:], found.more
        time, energy = more
        for mask, speed_m_s in ((patrol, look.speed_m_s), (~patrol, aircraft.cruise_m_s)):
            if mask.any():
                some = effort(
                    aircraft,
                    steps[mask],
                    rises_m[mask],
                    speed_m_s=speed_m_s,
                    wind=options.wind,
                    patrol=mask is patrol,
                )
                time[mask], energy[mask] = time[mask] + some[0], energy[mask] + some[1]
        none = shut | blank[order]
        time[none] = energy[none] = np.inf
        steep.append(np.add.reduceat(shut[order], np.searchsorted(along, stations[:-1])) > 0)
        for values, extra in zip((time[order], energy[order]), up_down, strict=True):
            values[climbs] += extra
            # What the wind does not let through is left to `passable`; a sum must stay finite.
            total = np.concatenate([[0.0], np.cumsum(np.where(np.isfinite(values), values, UNFLYABLE))])
            sums.append(np.interp(stations, along, total))
    time_s, energy_wh, back_time_s, back_energy_wh = sums
    pieces = np.add.reduceat(blank, np.searchsorted(along, stations[:-1])) > 0
    return Along(time_s, energy_wh, back_time_s, back_energy_wh, steep[0] & steep[1] & ~pieces, pieces)


def reach_m(aircraft: Aircraft, options: PlanOptions) -> float:
    """No aircraft of the type gets farther from its base and back, metres."""
    # No metre takes wings less for their being higher up, but what the wind carries them.
    fastest = aircraft.cruise_m_s + options.wind.speed_m_s
    return 3600 * aircraft.usable_wh / float(aircraft.power_w(aircraft.cruise_m_s)) * fastest / 2


def vertical(aircraft: Aircraft, rise_m: float, options: PlanOptions) -> Floats:
    """Time and energy of a climb or descent on the spot, shape (2,)."""
    time, energy = effort(
        aircraft, np.zeros((1, 2)), np.array([rise_m]), speed_m_s=aircraft.cruise_m_s, wind=options.wind, patrol=False
    )
    return np.array([time[0], energy[0]])
