"""What a plan is: sorties, what they see, and how often."""

from __future__ import annotations

from dataclasses import dataclass, field

from missions.airspace import Airspace, Zone
from missions.band import BandLine
from missions.border import BorderSegment
from missions.clearance import Clearance, fleet_clearance
from missions.fleet import Fleet
from missions.network import BorderNetwork, Branch
from missions.network_lines import band_of, joined_borders, joined_branches
from missions.observation import Observation
from missions.options import PlanOptions
from missions.risk import RiskTable
from missions.sortie import LegKind, Sortie
from missions.turns import turns_of

__all__ = [
    "PATROL_ALONE",
    "Bound",
    "Coverage",
    "Flight",
    "GsdShare",
    "PatrolPlan",
    "Period",
    "Roster",
    "Uncovered",
]


PATROL_ALONE = "patrol alone"
"""Name of the bound of a plan that resumes another."""


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
    """Aircraft that relieve each other, by system id, and the numbers of their sorties, from 0.

    Each of them flies all of these that are of its type and base in turn, or at the pace of chargers every so many-th
    turn; of one that is alone some may come several times in it, by risk. Where they are of several types or bases,
    each kind has as many sorties, over the same stretches in the same order (`missions.turns`).
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
        schedule with its turn-rounds; before its first look, until somebody takes off for it. For one coverage the time
        until the last landing.
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
    def rest(self) -> bool:
        """Whether it resumes another plan: its coverage is that of the whole round, what was flown included."""
        return any(bound.name == PATROL_ALONE for bound in self.bounds)

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
        if any(vehicle.aircraft.has_wings for vehicle in self.fleet.vehicles):
            legs = [leg for sortie in self.sorties for leg in sortie.legs]
            # Over slopes wings may come down to the floor, also where this plan has none that does: its course was
            # laid round what is shut there, and whatever is planned anew for it may.
            if any(leg.end.ground_amsl_m != legs[0].end.ground_amsl_m for leg in legs):
                lowest = min(lowest, self.options.floor_agl_m)
            ground = {LegKind.TAKEOFF, LegKind.LANDING}
            winged = [sortie for sortie in self.sorties if sortie.vehicle.aircraft.has_wings]
            heights = [leg.end.agl_m for sortie in winged for leg in sortie.legs if leg.kind not in ground]
            # What rounding does is no height.
            lowest = min([lowest, *(round(height, 1) for height in heights)])
        return self.airspace.blocking(lowest, self.options.ceiling_agl_m)

    def round_s(self, roster: Roster) -> float:
        """One whole round of a roster over its aircraft, seconds: after it each of its sorties was flown again."""
        if not roster.sorties:
            return 0.0
        return float(turns_of(roster.sorties, self.sorties).slots_s.sum()) / len(roster.sysids)
