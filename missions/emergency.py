"""Where each part of a sortie comes down in an emergency: the nearest site that it can fly straight to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import Geometry, LineString

from geo import Terrain, TerrainError, geodesic_length_m, longitude_between, shorter_turn
from missions.airspace import LandingSite
from missions.errors import PlanError
from missions.figures import store_figures
from missions.fleet import Aircraft
from missions.patrol import PatrolPlan
from missions.recourse import surroundings_of
from missions.sortie import Sortie
from missions.surroundings import Region, Surroundings

__all__ = [
    "EmergencyRules",
    "EmergencyStretch",
    "Outlook",
    "emergency_reach_m",
    "emergency_sites",
    "heights_m",
    "summary",
    "usable_sites",
]

Floats = NDArray[np.float64]

_STEP_M = 100.0
_PROFILE_M = 90.0
_NONE = -1
_NAMED = 5


@dataclass(frozen=True, slots=True)
class EmergencyRules:
    """What counts as within reach.

    Parameters
    ----------
    reserve_share
        Share of the reserve that the way to a site may take, above 0 and at most 1.
    farthest_m
        Longest way to a site in any case, metres.
    clearance_m
        What the way, flown at the height at which it begins, leaves to the ground below, metres.
    wing_radius_m
        Radius of a site on which wings come down, metres: they roll out in any direction. A base takes what is based
        there.
    """

    reserve_share: float = 0.5
    farthest_m: float = 3000.0
    clearance_m: float = 15.0
    wing_radius_m: float = 100.0

    def __post_init__(self) -> None:
        limits = {
            "reserve_share": (0.01, 1.0),
            "farthest_m": (1.0, 1e5),
            "clearance_m": (0.0, 1000.0),
            "wing_radius_m": (0.1, 1000.0),
        }
        store_figures(self, limits, "emergency rule", PlanError)


@dataclass(frozen=True, slots=True)
class EmergencyStretch:
    """A part of a sortie, and where it comes down.

    Parameters
    ----------
    sortie
        Name of the sortie.
    from_leg, from_m, to_leg, to_m
        Where the part begins and ends: number of the leg, from 0, and metres along it.
    site
        The landing site, which may be the base; None where there is none.
    farthest_m
        Longest way to it from the part, metres; None without a site.
    reason
        Why there is none; empty otherwise.
    way
        Latitude and longitude, degrees, of places along the part.
    """

    sortie: str
    from_leg: int
    from_m: float
    to_leg: int
    to_m: float
    site: LandingSite | None
    farthest_m: float | None
    reason: str = ""
    way: tuple[tuple[float, float], ...] = field(default=(), repr=False)


def emergency_sites(
    plan: PatrolPlan, terrain: Terrain | None = None, rules: EmergencyRules | None = None
) -> tuple[EmergencyStretch, ...]:
    """For each sortie of a plan the site of each part of it, in the order of flight.

    Sites are the bases and the landing sites of the airspace. A site counts where the straight way there is within
    reach, keeps the stand-off and out of no-fly zones, and passes over the ground at the height at which it begins.
    Looked at every 100 m at least.

    Parameters
    ----------
    plan
        The plan.
    terrain
        The ground; without it no ground is in the way.
    rules
        What counts as within reach.
    """
    rules = rules or EmergencyRules()
    around = surroundings_of(plan)
    found: list[EmergencyStretch] = []
    for sortie in plan.sorties:
        sites = usable_sites(plan, sortie, plan.airspace.landing_sites, rules)
        outlook = Outlook(plan, sortie, around, terrain, rules)
        found += outlook.stretches(sites, outlook.assigned(sites))
    return tuple(found)


def emergency_reach_m(aircraft: Aircraft, plan: PatrolPlan, rules: EmergencyRules) -> float:
    """How far an aircraft flies against the wind at cruise with its share of the reserve less a landing, metres."""
    # Against the wind a metre takes wings most in the thickest air, at the sea or below, and rotors in the thinnest.
    thin = plan.options.wind.true_per_equivalent
    air = min(thin, 1.0) if aircraft.has_wings else thin
    cruise_m_s = aircraft.cruise_m_s * (air if aircraft.has_wings else 1.0)
    cruise_w = float(aircraft.power_w(cruise_m_s, thin=air))
    descent_s = plan.options.ceiling_agl_m / aircraft.descent_m_s + aircraft.landing_s + aircraft.transition_s
    power_w = max(thin, 1.0) * max(aircraft.hover_power_w, aircraft.climb_power_w if aircraft.transition_s else 0.0)
    spare_wh = aircraft.battery_wh * aircraft.reserve_fraction * rules.reserve_share - descent_s * power_w / 3600
    speed_m_s = max(cruise_m_s - plan.options.wind.speed_m_s, 0.0)
    flown_m = max(spare_wh, 0.0) * 3600 / cruise_w * speed_m_s
    return min(flown_m, rules.farthest_m)


def summary(stretches: Sequence[EmergencyStretch]) -> tuple[str, ...]:
    """What a reader must know of these parts, one sentence each: the share without a site, and the longest of them."""
    lengths = [(_length_m(part), part) for part in stretches]
    whole = sum(length for length, _ in lengths)
    without = [(length, part) for length, part in lengths if part.site is None]
    lost = sum(length for length, _ in without)
    if not without:
        return ("from every part of every sortie an emergency landing site is within reach",)
    longest = sorted(without, key=lambda one: -one[0])[:_NAMED]
    return (
        f"{lost / whole:.1%} of the way flown, in {len(without)} parts, has no emergency landing site within reach",
        *(
            f"{part.sortie}, leg {part.from_leg} at {part.from_m:.0f} m to leg {part.to_leg} at {part.to_m:.0f} m "
            f"({length / 1000:.1f} km): {part.reason}"
            for length, part in longest
        ),
    )


def _length_m(part: EmergencyStretch) -> float:
    lat, lon = np.array(part.way).T
    return geodesic_length_m(lat, lon)


def usable_sites(
    plan: PatrolPlan, sortie: Sortie, sites: Sequence[LandingSite], rules: EmergencyRules
) -> list[LandingSite]:
    """The bases of aircraft of this form, and those sites that are wide enough for it."""
    wings = sortie.vehicle.aircraft.has_wings
    bases = dict.fromkeys(v.base for v in plan.fleet.vehicles if v.aircraft.has_wings >= wings)
    least_m = rules.wing_radius_m if wings else 0.0
    return [
        *(LandingSite(base.name, base.lat_deg, base.lon_deg) for base in bases),
        *(site for site in sites if site.radius_m >= least_m),
    ]


def heights_m(terrain: Terrain, lat_deg: Floats, lon_deg: Floats) -> Floats:
    """Elevations of rows of points, metres AMSL, shape (n, k); NaN in rows that reach beyond the data."""
    try:
        return terrain.elevation_m(lat_deg, lon_deg)
    except TerrainError:
        if len(lat_deg) == 1:
            return np.full(lat_deg.shape, np.nan)
    cut = len(lat_deg) // 2
    parts = (slice(None, cut), slice(cut, None))
    return np.concatenate([heights_m(terrain, lat_deg[part], lon_deg[part]) for part in parts])


class Outlook:
    """One sortie, and what it could reach from each place of it.

    Attributes
    ----------
    region
        Border and zones beside it.
    xy
        Places of it in the plane of the region, metres, shape (n, 2).
    reach_m
        How far it gets.
    """

    def __init__(
        self, plan: PatrolPlan, sortie: Sortie, around: Surroundings, terrain: Terrain | None, rules: EmergencyRules
    ) -> None:
        self._plan, self._sortie, self._rules = plan, sortie, rules
        self._terrain = None if terrain is None or np.isinf(terrain.resolution_m) else terrain
        self.reach_m = emergency_reach_m(sortie.vehicle.aircraft, plan, rules)
        # One that is resumed over its base has nothing but the way down: it is over one place.
        onward = [number for number, leg in enumerate(sortie.legs) if leg.distance_m > 0] or [0]
        rows = [row for number in onward for row in _rows(sortie, number)]
        self._leg, self._along_m, self.lat, self.lon, self._amsl = np.array(rows).T
        middle = (self.lat.min() + self.lat.max()) / 2, self.lon[0] + np.ptp(_turned(self.lon)) / 2 + _west(self.lon)
        size = float(np.hypot(np.ptp(self.lat), np.ptp(_turned(self.lon)) * np.cos(np.radians(middle[0])))) * 111_320
        self.region: Region = around.region(float(middle[0]), float(middle[1]), size / 2 + self.reach_m + 1000.0)
        self.xy = self.region.plane.xy(self.lat, self.lon)
        self._blocked = _blocked(self.region, plan.options.zone_margin_m)

    def assigned(self, sites: Sequence[LandingSite], among: NDArray[np.intp] | None = None) -> NDArray[np.intp]:
        """Number of the nearest site that each place can fly straight to, or of those `among` them; -1 for none."""
        places = np.arange(len(self.xy)) if among is None else among
        best = np.full(len(self.xy), _NONE)
        if not sites:
            return best
        at = self.region.plane.xy([s.lat_deg for s in sites], [s.lon_deg for s in sites])
        away = np.hypot(*np.moveaxis(self.xy[places, None] - at, -1, 0))
        ranked = np.argsort(away, axis=1, kind="stable")
        for rank in ranked.T:
            open_to = np.flatnonzero((best[places] == _NONE) & (away[np.arange(len(places)), rank] <= self.reach_m))
            if open_to.size:
                who, where = places[open_to], rank[open_to]
                lawful = self.flyable(who, at[where])
                best[who[lawful]] = where[lawful]
        return best

    def flyable(self, places: NDArray[np.intp], to_xy: Floats) -> NDArray[np.bool_]:
        """Whether the straight ways from places to points, metres, shape (n, 2), are lawful and clear of the ground."""
        ends = np.stack([self.xy[places], to_xy], axis=1)
        # Of no length where a place is a site.
        lawful = ~np.asarray(shapely.intersects(self._blocked, shapely.linestrings(ends)))
        which = np.flatnonzero(lawful)
        if self._terrain is not None and which.size:
            lawful[which] = self._over_ground(places[which], to_xy[which])
        return lawful

    def _over_ground(self, places: NDArray[np.intp], to_xy: Floats) -> NDArray[np.bool_]:
        """Whether ways at the height of their places pass over the ground; where that is not known they do not."""
        assert self._terrain is not None
        longest = float(np.hypot(*(to_xy - self.xy[places]).T).max())
        # Its own place is as high above the ground as the plan says.
        t = np.linspace(0, 1, int(longest / max(self._terrain.resolution_m, _PROFILE_M)) + 3)[1:]
        lat, lon = self.region.plane.lat_lon(to_xy)
        start_lat, start_lon = self.lat[places], self.lon[places]
        way_lat = start_lat[:, None] + t * (lat - start_lat)[:, None]
        way_lon = longitude_between(start_lon[:, None], lon[:, None], t)
        ground = heights_m(self._terrain, way_lat, way_lon)
        return np.asarray((ground <= (self._amsl[places] - self._rules.clearance_m)[:, None]).all(axis=1))

    def stretches(self, sites: Sequence[LandingSite], assigned: NDArray[np.intp]) -> list[EmergencyStretch]:
        """The sortie in parts of one site each."""
        edges = [0, *(np.flatnonzero(np.diff(assigned)) + 1).tolist(), len(assigned)]
        found = []
        for first, stop in pairwise(edges):
            number = int(assigned[first])
            # Between two places a part without a site takes the gap.
            start = first - 1 if number == _NONE and first > 0 else first
            last = min(stop, len(assigned) - 1)
            if number != _NONE and assigned[last] == _NONE:
                last = stop - 1
            if last <= start:
                continue
            part = slice(start, last + 1)
            site = None if number == _NONE else sites[number]
            found.append(
                EmergencyStretch(
                    self._sortie.name,
                    int(self._leg[start]),
                    round(float(self._along_m[start]), 1),
                    int(self._leg[last]),
                    round(float(self._along_m[last]), 1),
                    site,
                    None if site is None else round(self._farthest(part, site), 1),
                    self._why_none(part, sites) if site is None else "",
                    tuple(zip(self.lat[part].tolist(), self.lon[part].tolist(), strict=True)),
                )
            )
        return found

    def _farthest(self, part: slice, site: LandingSite) -> float:
        at = self.region.plane.xy(site.lat_deg, site.lon_deg)
        return float(np.hypot(*(self.xy[part] - at).T).max())

    def _why_none(self, part: slice, sites: Sequence[LandingSite]) -> str:
        at = self.region.plane.xy([s.lat_deg for s in sites], [s.lon_deg for s in sites])
        away = np.hypot(*np.moveaxis(self.xy[part, None] - at, -1, 0))
        near = int((away.min(axis=0) <= self.reach_m).sum())
        if near == 0:
            return f"no site within {self.reach_m:.0f} m"
        return (
            f"{near} sites come within {self.reach_m:.0f} m, and the straight ways to them cross a zone, the stand-off "
            "or high ground"
        )


def _rows(sortie: Sortie, number: int) -> list[tuple[float, float, float, float, float]]:
    """Leg, metres along it, latitude, longitude and height AMSL of places along a leg."""
    leg = sortie.legs[number]
    share = np.linspace(0.0, 1.0, int(leg.distance_m / _STEP_M) + 2)
    along = (column.tolist() for column in (share * leg.distance_m, *leg.at(share)))
    return [(number, *row) for row in zip(*along, strict=True)]


def _turned(lon: Floats) -> Floats:
    """Longitudes from the first, within half a turn."""
    return np.asarray(shorter_turn(lon - lon[0]))


def _west(lon: Floats) -> float:
    return float(_turned(lon).min())


def _blocked(region: Region, margin_m: float) -> Geometry:
    """What no way to a site may touch: a little less than what legs keep out of, since they run along its edges."""
    shapes: list[Geometry] = [shapely.buffer(shape, -1.0) for shape in region.keep_out]
    shapes += [region.beyond, *(LineString(line) for line in region.wall)]
    shapes += [shapely.buffer(shape, -margin_m / 2) for _, shape in region.zones]
    blocked = shapely.union_all(shapes)
    shapely.prepare(blocked)
    return blocked
