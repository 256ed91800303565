"""What a sortie is: legs from one place in the air to the next, and what is watched on the way."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geo import Altitude, Datum, longitude_between
from missions.border import Side
from missions.fleet import Vehicle

__all__ = ["BENDING", "Leg", "LegKind", "Run", "Sortie", "Waypoint"]

Floats = NDArray[np.float64]


class LegKind(StrEnum):
    """What a leg is for."""

    TAKEOFF = "takeoff"
    TRANSIT = "transit"
    PATROL = "patrol"
    STATION = "station"
    """On station: it stays where a spot is seen that was reported, or circles there."""
    CLIMB = "climb"
    """Circles of wings up or down to a height that the way there does not give them."""
    RETURN = "return"
    LANDING = "landing"


BENDING = frozenset({LegKind.PATROL, LegKind.STATION, LegKind.CLIMB})
"""Kinds of legs that bend all along, with the border or in circles: beside them wings keep what they cut off a bend."""


@dataclass(frozen=True, slots=True)
class Waypoint:
    """A point in the air: degrees WGS 84, height above ground, and the ground's elevation below it, metres AMSL."""

    lat_deg: float
    lon_deg: float
    altitude: Altitude
    ground_amsl_m: float

    @property
    def amsl_m(self) -> float:
        """Height above mean sea level, metres."""
        return self.altitude.amsl_m(ground_amsl_m=self.ground_amsl_m)

    @property
    def agl_m(self) -> float:
        """Height above ground, metres."""
        return self.amsl_m - self.ground_amsl_m

    @classmethod
    def above(cls, lat_deg: float, lon_deg: float, agl_m: float, ground_amsl_m: float) -> Waypoint:
        """A waypoint from its height above ground."""
        return cls(lat_deg, lon_deg, Altitude(agl_m, Datum.AGL), ground_amsl_m)


@dataclass(frozen=True, slots=True)
class Leg:
    """One straight piece of a sortie.

    Parameters
    ----------
    kind
        What it is for; the camera looks at the border, or another line, on `LegKind.PATROL`.
    start, end
        Where it begins and ends.
    speed_m_s
        Speed over the ground (vertical speed on a vertical leg), metres a second.
    distance_m
        Horizontal length, metres.
    duration_s, energy_wh
        Time and energy that it takes.
    look
        Side of its course on which the line that it watches lies: where the camera looks. None where it watches none.
    """

    kind: LegKind
    start: Waypoint
    end: Waypoint
    speed_m_s: float
    distance_m: float
    duration_s: float
    energy_wh: float
    look: Side | None = None

    @property
    def onward_m(self) -> float:
        """How far it leads along the way: its length, or nothing for a piece of a circle, which ends where it began."""
        return 0.0 if self.kind is LegKind.CLIMB else self.distance_m

    def at(self, share: ArrayLike) -> tuple[Floats, Floats, Floats]:
        """Latitude and longitude, degrees, and height AMSL, metres, at shares of its length, each of their shape."""
        a, b, share = self.start, self.end, np.asarray(share, dtype=float)
        lat = np.asarray(a.lat_deg + share * (b.lat_deg - a.lat_deg))
        return lat, longitude_between(a.lon_deg, b.lon_deg, share), np.asarray(a.amsl_m + share * (b.amsl_m - a.amsl_m))


@dataclass(frozen=True, slots=True)
class Run:
    """A stretch of the course that a sortie patrols in one go.

    Parameters
    ----------
    from_m, to_m
        Where it begins and ends, metres along the course: the second is the lesser one where it is flown against it.
    start, stop
        Its legs are those from `start` up to but without `stop`, detours included.
    """

    from_m: float
    to_m: float
    start: int
    stop: int

    @property
    def length_m(self) -> float:
        """Length along the course, metres."""
        return abs(self.to_m - self.from_m)


@dataclass(frozen=True, slots=True)
class Sortie:
    """One take-off to landing; of one that is resumed in the air, from where the aircraft is to landing.

    Parameters
    ----------
    name
        Unique in the plan, such as ``vehicle-1-sortie-2``.
    vehicle
        Which aircraft.
    turn
        Its number among the sorties of that vehicle, from 1.
    start_s
        Planned take-off, seconds after the start of the plan.
    legs
        In the order of flight.
    runs
        The stretches of the course that it patrols, in the order of flight; none where it only flies home.
    observation
        Number of its observation in the plan.
    charge
        Share of the battery at its beginning: below 1 only where it is resumed without a fresh one.
    """

    name: str
    vehicle: Vehicle
    turn: int
    start_s: float
    legs: tuple[Leg, ...]
    runs: tuple[Run, ...]
    observation: int = 0
    charge: float = 1.0

    @property
    def from_m(self) -> float:
        """The least place that it patrols, metres along the course."""
        return min(min(run.from_m, run.to_m) for run in self.runs)

    @property
    def to_m(self) -> float:
        """The greatest place that it patrols, metres along the course."""
        return max(max(run.from_m, run.to_m) for run in self.runs)

    @property
    def way(self) -> tuple[Waypoint, ...]:
        """Where it begins, and the end of each leg."""
        return self.legs[0].start, *(leg.end for leg in self.legs)

    @property
    def airborne(self) -> bool:
        """Whether it begins in the air: its first leg is no take-off."""
        return self.legs[0].kind is not LegKind.TAKEOFF

    @property
    def layers_agl_m(self) -> tuple[float, float]:
        """Heights above ground of its way out and of its way home, metres."""
        out = [leg.end for leg in self.legs if leg.kind is LegKind.TAKEOFF] or [self.legs[0].end]
        return out[-1].agl_m, self.landing[0].start.agl_m

    @property
    def landing(self) -> tuple[Leg, ...]:
        """Its landing: down on the spot, or of a fixed wing along the line of a runway."""
        return tuple(leg for leg in self.legs if leg.kind is LegKind.LANDING)

    @property
    def home(self) -> Waypoint:
        """Where it lands, on the ground at its base: heights of its mission are above this."""
        return self.legs[-1].end

    @property
    def duration_s(self) -> float:
        """From take-off to landing, seconds."""
        return sum(leg.duration_s for leg in self.legs)

    @property
    def distance_m(self) -> float:
        """Horizontal distance flown, metres."""
        return sum(leg.distance_m for leg in self.legs)

    @property
    def energy_wh(self) -> float:
        """Energy used, watt hours."""
        return sum(leg.energy_wh for leg in self.legs)

    @property
    def reserve_left(self) -> float:
        """Share of the battery that is left at landing."""
        return self.charge - self.energy_wh / self.vehicle.aircraft.battery_wh

    @property
    def look(self) -> Side:
        """Side on which the camera looks first; along one border it never changes."""
        return next(leg.look for leg in self.legs if leg.look is not None)

    @property
    def bending(self) -> tuple[Leg, ...]:
        """The legs that bend all along."""
        return tuple(leg for leg in self.legs if leg.kind in BENDING)

    @property
    def patrol(self) -> tuple[Leg, ...]:
        """The legs on which the camera watches a line."""
        return tuple(leg for leg in self.legs if leg.kind is LegKind.PATROL)
