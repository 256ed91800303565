"""What a plan is: sorties of legs, what they see, and how often."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from geo import Altitude, Datum
from missions.airspace import Airspace, Zone
from missions.band import BandLine
from missions.border import BorderSegment, Side
from missions.clearance import Clearance, fleet_clearance
from missions.fleet import Fleet, Vehicle
from missions.network import BorderNetwork, Branch
from missions.network_lines import band_of, joined_borders, joined_branches
from missions.observation import Observation
from missions.options import PlanOptions
from missions.risk import RiskTable

__all__ = [
    "BENDING",
    "Bound",
    "Coverage",
    "Flight",
    "GsdShare",
    "Leg",
    "LegKind",
    "PatrolPlan",
    "Period",
    "Roster",
    "Run",
    "Sortie",
    "Uncovered",
    "Waypoint",
]


class LegKind(StrEnum):
    """What a leg is for."""

    TAKEOFF = "takeoff"
    TRANSIT = "transit"
    PATROL = "patrol"
    STATION = "station"
    """On station: it stays where a spot is seen that was reported, or circles there."""
    RETURN = "return"
    LANDING = "landing"


BENDING = frozenset({LegKind.PATROL, LegKind.STATION})
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


@dataclass(frozen=True, slots=True)
class Flight:
    """One take-off of the schedule.

    Parameters
    ----------
    start_s
        Take-off, seconds after the start of the shift.
    sortie
        Number of the sortie in the plan, from 0.
    sysid
        The aircraft that flies it: it need not be the one that flies it first.
    round
        Its number among the rounds of that aircraft, from 1.
    """

    start_s: float
    sortie: int
    sysid: int
    round: int


@dataclass(frozen=True, slots=True)
class Roster:
    """Aircraft of one type at one base that relieve each other, by system id, and the numbers of their sorties, from 0.

    Each of them flies all of these in turn, or at the pace of chargers every so many-th turn; of one that is alone some
    may come several times in it, by risk.
    """

    sysids: tuple[int, ...]
    sorties: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Period:
    """A part of the shift in which the same rosters are flown.

    Aircraft that are in the air as it begins end their sorties first.

    Parameters
    ----------
    start_s
        When it begins, seconds after the start of the shift; it ends with the next one or the shift.
    rosters
        Who flies what in it; together they watch everything that the plan watches.
    """

    start_s: float
    rosters: tuple[Roster, ...]


@dataclass(frozen=True, slots=True)
class Uncovered:
    """A part of the band that no sortie sees: metres along its line, area, where it is, why, and of which line."""

    from_m: float
    to_m: float
    area_m2: float
    lat_deg: float
    lon_deg: float
    reason: str
    line: str


@dataclass(frozen=True, slots=True)
class GsdShare:
    """Share of the band, 0 to 1, that is seen at a GSD, metres a pixel, or finer."""

    gsd_m: float
    share: float


@dataclass(frozen=True, slots=True)
class Coverage:
    """What the plan sees of the band at the required GSD, by the footprints of its cameras on the terrain.

    Parameters
    ----------
    band_area_m2, seen_area_m2
        Area of the band and of what is seen of it, square metres.
    uncovered
        Every part that is not seen, along each line.
    by_gsd
        Which share is seen at which GSD, rising; the last is the coarsest that counts.
    step_m
        How far apart along its line the band was looked at, metres: what is shorter than this may have been missed.
    """

    band_area_m2: float
    seen_area_m2: float
    uncovered: tuple[Uncovered, ...]
    by_gsd: tuple[GsdShare, ...]
    step_m: float

    @property
    def share(self) -> float:
        """Share of the band that is seen, 0 to 1."""
        return self.seen_area_m2 / self.band_area_m2


@dataclass(frozen=True, slots=True)
class Bound:
    """A figure that no plan of a kind is below.

    Parameters
    ----------
    name
        Its name.
    seconds
        No such plan has a shorter revisit interval, or a smaller one times risk, or an earlier last landing of a
        single coverage.
    claim
        Which plans that speaks of, after the words "no plan": all fly this line at this patrol speed with these
        aircraft, and watch what this plan watches.
    """

    name: str
    seconds: float
    claim: str


@dataclass(frozen=True, slots=True)
class PatrolPlan:
    """All flights of a fleet along a border or a network.

    Parameters
    ----------
    border, fleet, options
        What was planned for.
    airspace, risk
        The zones that it keeps out of, and what it was weighted by.
    observations
        Height, offset, pitch and speed, and why, for each type of aircraft and camera.
    flight_line
        Latitude and longitude, degrees, of the vertices of the course: the flight line with its detours.
    sorties
        Along the course, each with the aircraft and time of its first flight.
    flights
        The schedule of the shift, in the order of take-off.
    coverage
        What is seen.
    revisit_s
        Revisit interval: the longest time for which a point of the covered band is unobserved, seconds, from the
        schedule with its turn-rounds. For one coverage the time until the last landing.
    bounds
        Lower bounds of several kinds of plan: for the revisit interval, or for `risk_s` where that is given.
    notes
        What the reader must know, one sentence each.
    network
        The network that is patrolled, where it is one; `border` is then the longest of its borders.
    periods
        Which sorties are flown when; more than one where the risk changes within the shift.
    risk_s
        Where it is planned by risk, the longest time within the shift for which a point is unobserved after a look,
        times its risk weight meanwhile, seconds.
    """

    border: BorderSegment
    fleet: Fleet
    options: PlanOptions
    airspace: Airspace
    risk: RiskTable
    observations: tuple[Observation, ...]
    flight_line: tuple[tuple[float, float], ...]
    sorties: tuple[Sortie, ...]
    flights: tuple[Flight, ...]
    coverage: Coverage
    revisit_s: float
    bounds: tuple[Bound, ...]
    notes: tuple[str, ...] = field(default_factory=tuple)
    network: BorderNetwork | None = None
    periods: tuple[Period, ...] = ()
    risk_s: float | None = None

    @property
    def borders(self) -> tuple[BorderSegment, ...]:
        """All lines that the stand-off holds against: the border, or those of the network, the longest first."""
        return (self.border,) if self.network is None else joined_borders(self.network)

    @property
    def branches(self) -> tuple[Branch, ...]:
        """The other lines that are watched, whole."""
        return () if self.network is None else joined_branches(self.network)

    @property
    def name(self) -> str:
        """What people call what is patrolled."""
        return self.border.name if self.network is None else self.network.name

    def watched_lines(self) -> tuple[BandLine, ...]:
        """Every line with the band beside it: borders, then branches."""
        return (*map(band_of, self.borders), *map(band_of, self.branches))

    @property
    def observation(self) -> Observation:
        """The observation of the first type of aircraft and camera: the only one of most fleets."""
        return self.observations[0]

    @property
    def figure_s(self) -> float:
        """What the plan made small, and its bounds are for, seconds: the revisit interval, times risk if by risk."""
        return self.revisit_s if self.risk_s is None else self.risk_s

    @property
    def bound(self) -> Bound:
        """The greatest of the lower bounds."""
        return max(self.bounds, key=lambda bound: bound.seconds)

    @property
    def revisit_bound_s(self) -> float:
        """No plan of the kind that the greatest bound speaks of has a shorter revisit interval, seconds."""
        return self.bound.seconds

    @property
    def gap(self) -> float:
        """Share of the bound by which the figure is above it that it is for; 0 where there is nothing to bound."""
        return self.gap_to(self.bound) or 0.0

    def gap_to(self, bound: Bound) -> float | None:
        """Share of a bound by which the figure is above it; None where the bound is nothing to speak of."""
        return self.figure_s / bound.seconds - 1 if bound.seconds > 0 else None

    def observation_of(self, sortie: Sortie) -> Observation:
        """Height, offset, pitch and speed of a sortie."""
        return self.observations[sortie.observation]

    @property
    def clearance(self) -> Clearance:
        """What its ways keep beyond the stand-off, and where its fences lie: the widest of the fleet."""
        return fleet_clearance(self.fleet.vehicles, self.options.wind)

    @property
    def keep_off_m(self) -> float:
        """What every way keeps from the border: stand-off and margin, metres."""
        return self.border.stand_off_m + self.clearance.margin_m

    def blocking_zones(self) -> tuple[Zone, ...]:
        """The zones that this plan keeps out of, for the heights at which it flies."""
        lowest = min(look.height_agl_m for look in self.observations)
        # Over slopes wings fly lower than that; what rounding does is no height.
        winged = [sortie for sortie in self.sorties if sortie.vehicle.aircraft.has_wings]
        ground = {LegKind.TAKEOFF, LegKind.LANDING}
        heights = [leg.end.agl_m for sortie in winged for leg in sortie.legs if leg.kind not in ground]
        lowest = min([lowest, *(round(height, 1) for height in heights)])
        return self.airspace.blocking(lowest, self.options.ceiling_agl_m)

    def roster_of(self, sortie: Sortie) -> Roster:
        """Who flies a sortie, in the first period in which it is flown."""
        number = self.sorties.index(sortie)
        return next(r for period in self.periods for r in period.rosters if number in r.sorties)

    def round_s(self, roster: Roster) -> float:
        """One whole round of a roster over its aircraft, seconds: after it each of its sorties was flown again."""
        own = [self.sorties[k] for k in roster.sorties]
        whole = sum(s.duration_s + s.vehicle.aircraft.turn_round_s for s in own)
        return whole / len(roster.sysids)
