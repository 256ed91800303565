"""What straight pieces take: time, energy, and what wings may climb and descend on them."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geo import true_per_equivalent
from missions.fleet import Aircraft
from missions.wind import CALM, Wind

__all__ = ["effort", "leg_effort", "rises", "steep_for"]

Floats = NDArray[np.float64]

_SPARE = 1.02
"""How much faster than planned, or than they must, wings are taken to fly where slopes are measured: legs are rounded
to places a centimetre apart."""

_FOR_EVER_S = 1e6


def effort(
    aircraft: Aircraft,
    step_xy: Floats,
    rise_m: Floats,
    *,
    speed_m_s: float,
    wind: Wind,
    patrol: bool,
    amsl_m: ArrayLike | None = None,
) -> tuple[Floats, Floats]:
    """Time and energy of straight pieces.

    A climb adds `Aircraft.climb_more_w` for as long as the climb takes at `climb_m_s`; a descent costs and saves
    nothing. The slowest of the three, flying, climbing and descending, sets the time. Wings that would have to fly
    slower than they can for it circle for the rest of the time.

    Wings hold an equivalent airspeed: over the ground they are faster by the true by the equivalent one. Rotors hold
    their speed over the ground. `Aircraft.power_w` says what thin air takes of both.

    Parameters
    ----------
    aircraft
        What flies.
    step_xy
        East and north of each piece, metres, shape (n, 2); (0, 0) for a climb on the spot.
    rise_m
        Its rise, metres, shape (n,).
    speed_m_s
        In a transit the airspeed; on patrol the ground speed that is wanted, which the aircraft's lowest and highest
        airspeed in this wind may change.
    wind
        The wind.
    patrol
        Whether the speed is one over the ground.
    amsl_m
        Height of the pieces above mean sea level, metres, broadcast over them; by default that of the wind.

    Returns
    -------
    tuple of ndarray
        Seconds and watt hours, each of shape (n,); infinite where the wind is too strong to fly the piece.
    """
    step, rise = np.asarray(step_xy, dtype=float), np.asarray(rise_m, dtype=float)
    length = np.hypot(*step.T)
    level = length > 0
    course = step / np.where(level, length, 1.0)[:, None]
    thin = wind.true_per_equivalent if amsl_m is None else true_per_equivalent(amsl_m)
    true = thin if aircraft.has_wings else 1.0
    ground = _ground_m_s(aircraft, course, speed_m_s, wind, true, patrol=patrol)
    flown_s = np.where(level, length / np.where(ground > 0, ground, np.nan), 0.0)
    climb_s, descent_s = np.maximum(rise, 0.0) / aircraft.climb_m_s, np.maximum(-rise, 0.0) / aircraft.descent_m_s
    time = np.maximum(flown_s, np.maximum(climb_s, descent_s))
    # What a climb or descent makes slower is flown slower.
    air = wind.airspeed(course, np.where(time > 0, length / np.where(time > 0, time, 1.0), 0.0))
    power = np.where(level, aircraft.power_w(air, thin=thin), aircraft.power_w(0.0, level=False, thin=thin))
    more = np.where(level, aircraft.climb_more_w(), aircraft.climb_more_w(level=False))
    joules = power * time + more * climb_s
    stuck = ~np.isfinite(time)
    return np.where(stuck, np.inf, time), np.where(stuck, np.inf, joules / 3600)


def _ground_m_s(
    aircraft: Aircraft, course: Floats, speed_m_s: float, wind: Wind, true: Floats | float, *, patrol: bool
) -> Floats:
    """Speed over the ground along courses, unit vectors, shape (n, 2), as `effort` takes speeds.

    `true` is the true airspeed by the equivalent one, for all courses or each.
    """
    if not patrol:
        return wind.ground_speed(course, speed_m_s * true)
    ground = np.minimum(speed_m_s, wind.ground_speed(course, aircraft.max_m_s * true))
    if aircraft.min_m_s > 0:
        slow = wind.airspeed(course, ground) < aircraft.min_m_s * true
        ground = np.where(slow, wind.ground_speed(course, aircraft.min_m_s * true), ground)
    return ground


def rises(
    aircraft: Aircraft, step_xy: Floats, speed_m_s: float, wind: Wind, *, patrol: bool
) -> tuple[Floats, Floats, Floats, Floats]:
    """What wings may climb and descend on straight pieces: at their speed, and at the lowest, metres, each shape (n,).

    The parameters are those of `effort`. Where the wind is too strong to fly a piece, nothing bounds them: its time
    says so.
    """
    length = np.hypot(*step_xy.T)
    course = step_xy / np.where(length > 0, length, 1.0)[:, None]
    true = aircraft.true_m_s(1.0, wind)
    speeds = (
        _ground_m_s(aircraft, course, speed_m_s, wind, true, patrol=patrol) * _SPARE,
        wind.ground_speed(course, aircraft.min_m_s * true * _SPARE),
    )
    planned_s, slowest_s = (np.where(v > 0, length / np.where(v > 0, v, 1.0), _FOR_EVER_S) for v in speeds)
    slowest_s = np.maximum(slowest_s, planned_s)
    climb, descent = aircraft.climb_m_s, aircraft.descent_m_s
    return planned_s * climb, planned_s * descent, slowest_s * climb, slowest_s * descent


def steep_for(aircraft: Aircraft) -> str:
    """An aircraft with the figures that bound its slopes, in words."""
    return (
        f"{aircraft.kind!r} (climb_m_s {aircraft.climb_m_s:g}, descent_m_s {aircraft.descent_m_s:g}, "
        f"min_m_s {aircraft.min_m_s:g})"
    )


def leg_effort(
    aircraft: Aircraft, distance_m: float, rise_m: float, speed_m_s: float, wind: Wind = CALM
) -> tuple[float, float]:
    """Time, seconds, and energy, watt hours, of a straight piece to the east."""
    time, energy = effort(
        aircraft, np.array([[distance_m, 0.0]]), np.array([rise_m]), speed_m_s=speed_m_s, wind=wind, patrol=False
    )
    return float(time[0]), float(energy[0])
