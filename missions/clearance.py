"""What an aircraft keeps beyond the stand-off, because it is never just where its plan has it.

The words are those of performance-based navigation (ICAO Doc 9613, PBN Manual, vol. II, part A, chapter 2), all lateral
and at 95 % of the flight time:

navigation system error (NSE)
    How far the aircraft is from where it believes to be.
flight technical error (FTE)
    How far it believes to be from its way: gusts, and bends that are cut or overshot.
path definition error (PDE)
    How far the way that is flown is from what was meant. Here the straightened flight line: `PlanOptions.margin_m`.
total system error (TSE)
    The root of the sum of their squares. Twice as much contains an aircraft for all but one part in 10⁵ of its flight
    time, as the containment of RNP operations has it.

From the border outwards there are three gaps, and each is eaten by an error of its own:

    border --- stand-off --- fence --- way
                        guard     room

A fence acts on where the aircraft *believes* to be. So the NSE eats the guard: an aircraft that stands at its fence is
in truth beyond the stand-off for 95 % of the time. And the FTE eats the room: twice the FTE, or gusts alone would
breach the fence. Of both together the way keeps the larger of their sum and twice the TSE. A patrol of wings bends with
the border, and keeps what they cut off a bend besides, from the stand-off and from the fence.

Sources of the figures
----------------------
NSE: a receiver that finds 50 % of its positions within 2 m (NEO-M9N data sheet), normal on each axis: 2 m / 1.1774 is
the deviation, 1.96 of it is 95 %, 3.3 m. FTE of rotors: makers give 1.5 m for a hover by satellites alone (DJI Matrice
300 RTK), in wind up to 12 m/s; ArduCopter held a line to 2.5 m in a wind that it could barely fly against
(ardupilot#19508), here 2.5 m are reached in gusts of 17 m/s. FTE of wings: one to two metres beside a straight line
without any wind (ardupilot#2650), which gusts add to. Measured figures of your own aircraft belong in the fleet file.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, fields

from missions.fleet import Aircraft, AircraftForm, Vehicle
from missions.wind import Wind

__all__ = ["FRESH_M_S", "Clearance", "clearance_of", "fleet_clearance", "form_clearance"]

FRESH_M_S = 10.0
"""Gusts in which the FTE of an aircraft is stated, metres a second. A plan for less wind than that keeps as much: a
forecast may be wrong, and most plans have none."""

_NAVIGATION_M = 3.5
_TECHNICAL_M = {AircraftForm.MULTIROTOR: 1.5, AircraftForm.FIXED_WING: 3.0, AircraftForm.VTOL: 3.0}
_CONTAINMENT = 2.0


@dataclass(frozen=True, slots=True)
class Clearance:
    """What lies between the stand-off and a way, metres.

    Parameters
    ----------
    guard_m
        From the stand-off to the fence at least.
    room_m
        From the fence to the way at least.
    margin_m
        From the stand-off to the way at least: not less than both together.
    bend_m
        What patrol legs keep more than that, from the stand-off and from the fence: what is cut off a bend.
    """

    guard_m: float
    room_m: float
    margin_m: float
    bend_m: float = 0.0


def clearance_of(aircraft: Aircraft, wind: Wind) -> Clearance:
    """What an aircraft keeps beyond the stand-off in a wind.

    Parameters
    ----------
    aircraft
        Its NSE and FTE, or by default those of its form.
    wind
        Its gusts; the FTE grows in proportion to them above `FRESH_M_S`.
    """
    navigation, technical = aircraft.navigation_error_m, aircraft.technical_error_m
    nse = _NAVIGATION_M if navigation is None else navigation
    fte = _TECHNICAL_M[aircraft.form] if technical is None else technical
    return _gaps(nse, fte * max(1.0, wind.gusts_m_s / FRESH_M_S), aircraft.stray_in(wind))


def form_clearance(form: AircraftForm) -> Clearance:
    """What an aircraft of which nothing but its form is known keeps on straight ways, in gusts up to `FRESH_M_S`."""
    return _gaps(_NAVIGATION_M, _TECHNICAL_M[form], 0.0)


def fleet_clearance(vehicles: Iterable[Vehicle], wind: Wind) -> Clearance:
    """The widest of some vehicles, gap by gap: they share a flight line."""
    found = [clearance_of(aircraft, wind) for aircraft in dict.fromkeys(v.aircraft for v in vehicles)]
    widest = (max(getattr(one, gap.name) for one in found) for gap in fields(Clearance))
    return Clearance(*widest)


def _gaps(nse_m: float, fte_m: float, cut_m: float) -> Clearance:
    """The gaps of a NSE, a FTE and what is cut off a bend, which is no error that comes and goes."""
    room = _CONTAINMENT * fte_m
    return Clearance(nse_m, room, max(_CONTAINMENT * math.hypot(nse_m, fte_m), nse_m + room), cut_m)
