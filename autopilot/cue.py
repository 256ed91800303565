"""A cue, how the vehicles stand when it comes, and the answer to it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

from autopilot.area import Place
from missions import CueSortie, MissionItem, Sortie, Spot, Vehicle

__all__ = ["Answer", "Cue", "Errand", "Offer", "Standing", "Visit"]

_RADIUS_95 = math.sqrt(-2 * math.log(0.05))
"""Radius of the circle in which a place is at 95 %, standard deviations of a coordinate."""


@dataclass(frozen=True, slots=True)
class Cue:
    """A report that somebody has to look at.

    Parameters
    ----------
    spot
        Where, and how sure that is.
    time_us
        When, UTC microseconds since the Unix epoch.
    station_s
        How long to stay where it is seen from, seconds.
    words
        What was reported, for people.
    """

    spot: Spot
    time_us: int
    station_s: float = 120.0
    words: str = "cue"
    middle: Spot | None = None
    """What is looked at where nobody sees the whole of `spot` at once."""

    @classmethod
    def about(cls, lat_deg: float, lon_deg: float, sigma_m: float, time_us: int, **more: Any) -> Self:
        """Something of which the place is known with a standard deviation, metres, of each of its coordinates.

        It is within the spot at 95 %, and within its middle, of a radius of one standard deviation, at 39 %: the
        distance from the mean has a Rayleigh distribution, of which the quantile p is sigma sqrt(-2 ln(1 - p)) (Forbes,
        Evans, Hastings and Peacock, Statistical Distributions, 4th ed., 2011, chapter 39).
        """
        wide = Spot(lat_deg, lon_deg, _RADIUS_95 * sigma_m)
        return cls(wide, time_us, middle=Spot(lat_deg, lon_deg, sigma_m) if sigma_m > 0 else None, **more)

    def narrowed(self) -> Cue:
        """The same, of which only the middle is looked at. Raises ValueError where it has none."""
        if self.middle is None:
            raise ValueError("the cue has no middle to look at")
        words = f"{self.words}, of which only {self.middle.uncertainty_m:.0f} m around its middle are seen"
        return replace(self, spot=self.middle, middle=None, words=words)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a vehicle stands when a cue comes.

    Parameters
    ----------
    vehicle
        Which one.
    unfit
        Why it cannot be sent, whatever the cue; None where it can.
    airborne
        Whether it is in the air.
    here
        Where it is, latitude and longitude, degrees; needed in the air.
    above_base_m
        Its height above its base, metres.
    battery
        Share of the battery that is left, 0 to 1; None where it does not say.
    ready_s
        Until it can take off, seconds.
    fence
        The fence that it was proved to hold.
    sortie
        What it flies; on the ground the sortie to a cue that it is given already.
    stays
        Where it is sent to, and stays, beside its sortie; metres above its home.
    stays_m
        Radius on which it circles there, metres; 0 where it stops in the air.
    rally
        The rally points that it was given: a return leads to the nearest of them.
    velocity_m_s
        In the air, its velocity east and north, metres a second: wings turn from it.
    """

    vehicle: Vehicle
    unfit: str | None = None
    airborne: bool = False
    here: tuple[float, float] | None = None
    above_base_m: float = 0.0
    battery: float | None = None
    ready_s: float = 0.0
    fence: tuple[MissionItem, ...] = ()
    sortie: Sortie | None = None
    stays: Place | None = None
    stays_m: float = 0.0
    rally: tuple[MissionItem, ...] = ()
    velocity_m_s: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Offer:
    """How a vehicle would answer a cue.

    Parameters
    ----------
    sysid
        Which one.
    arrival_s
        Until it sees it, seconds from now.
    lat_deg, lon_deg, above_base_m
        From where.
    reserve_left
        Share of its battery that is left when it is home again.
    flown
        The sortie, for one that takes off for it; None for one in the air.
    circle_m
        Radius on which one with wings in the air circles there, metres; 0 for what stops.
    """

    sysid: int
    arrival_s: float
    lat_deg: float
    lon_deg: float
    above_base_m: float
    reserve_left: float
    flown: CueSortie | None = None
    circle_m: float = 0.0


@dataclass(frozen=True, slots=True)
class Answer:
    """Who goes, and why each of the others does not.

    Parameters
    ----------
    cue
        The cue.
    chosen
        Who goes; None where nobody can.
    others
        Why not, in words, by system id.
    """

    cue: Cue
    chosen: Offer | None
    others: Mapping[int, str] = field(default_factory=dict)

    def words(self) -> str:
        """The answer in a sentence."""
        spot = self.cue.spot
        what = f"{self.cue.words} at {spot.lat_deg:.6f}, {spot.lon_deg:.6f}"
        reasons = "; ".join(f"vehicle {sysid}: {why}" for sysid, why in sorted(self.others.items()))
        if self.chosen is None:
            return f"{what}: nobody goes: {reasons or 'there is no vehicle'}"
        how = "takes off for it" if self.chosen.flown is not None else "flies there"
        told = f"{what}: vehicle {self.chosen.sysid} {how}, there in {self.chosen.arrival_s:.0f} s"
        return f"{told}; {reasons}" if reasons else told


@dataclass(slots=True)
class Visit:
    """How far a look at a cue has come: noted by the flight that makes it, read by whoever ordered it.

    Parameters
    ----------
    there, stayed
        Whether it got to where the cue is seen from, and stayed there for as long as it was to.
    left
        Why nothing more comes of it; None while something may, and where it stayed.
    """

    there: bool = False
    stayed: bool = False
    left: str | None = None

    def leave(self, why: str) -> None:
        """It ends here; a stay that was over before is over."""
        if not self.stayed and self.left is None:
            self.left = f"was there, and left before its time: {why}" if self.there else why


@dataclass(frozen=True, slots=True)
class Errand:
    """What a vehicle in the air is sent to look at, instead of its patrol.

    Parameters
    ----------
    place
        Where it is to be.
    spot
        What to look at.
    station_s
        How long it stays there, seconds.
    words
        What it is, for people.
    missed
        Called with the reason where it does not get there: somebody else has to.
    visit
        Where it is noted how far it has come.
    circle_m
        Radius on which wings circle about the place, metres; 0 for what stops there.
    """

    place: Place
    spot: Spot
    station_s: float
    words: str
    missed: Callable[[str], None] = lambda _why: None
    visit: Visit = field(default_factory=Visit)
    circle_m: float = 0.0
