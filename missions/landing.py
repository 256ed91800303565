"""Emergency landing sites: whether given ones are lawful, and where the ground offers others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import LineString

from geo import Terrain
from missions.airspace import LandingSite
from missions.emergency import (
    EmergencyRules,
    EmergencyStretch,
    Outlook,
    emergency_sites,
    heights_m,
    summary,
    usable_sites,
)
from missions.errors import AirspaceError, PlanError
from missions.figures import length_told, store_figures
from missions.patrol import PatrolPlan
from missions.plane import Chart
from missions.recourse import surroundings_of
from missions.surroundings import Region, Surroundings

__all__ = [
    "LandingProposal",
    "LandingRules",
    "check_landing_sites",
    "propose_landing_sites",
    "slope_deg",
    "with_landing_sites",
]

Floats = NDArray[np.float64]

_LATTICE_M = 50.0
_TRIED = 40
"""Candidates that are tried for one place of a sortie, the most useful first."""


@dataclass(frozen=True, slots=True)
class LandingRules:
    """What a site must be.

    Parameters
    ----------
    radius_m
        Radius of the disc that must be flat, metres; for wings that of `EmergencyRules.wing_radius_m`.
    slope_deg
        Steepest slope in it, degrees.
    aside_m
        How far beside the sorties to look, metres.
    reach
        What counts as within reach.
    """

    radius_m: float = 10.0
    slope_deg: float = 5.0
    aside_m: float = 500.0
    reach: EmergencyRules = field(default_factory=EmergencyRules)

    def __post_init__(self) -> None:
        limits = {"radius_m": (0.1, 1000.0), "slope_deg": (0.1, 45.0), "aside_m": (0.1, 5000.0)}
        store_figures(self, limits, "landing rule", PlanError)


@dataclass(frozen=True, slots=True)
class LandingProposal:
    """Sites that the ground offers.

    Parameters
    ----------
    sites
        New ones, named ``landing-1`` and so on; no building, wood or water is known to whoever proposes them.
    stretches
        Every part of every sortie with its site, of those given and proposed.
    notes
        What the reader must know, one sentence each.
    """

    sites: tuple[LandingSite, ...]
    stretches: tuple[EmergencyStretch, ...]
    notes: tuple[str, ...]


def check_landing_sites(around: Surroundings, sites: Sequence[LandingSite]) -> None:
    """Refuse a site that no aircraft could lawfully come down at.

    Raises
    ------
    AirspaceError
        When a site lies beyond the border, within the stand-off or in a no-fly zone, or so near to one that none can be
        flown to, nearer to the stand-off than the margin; the message names it.
    """
    for site in sites:
        what = f"landing site {site.name!r}"
        if not around.own_side(site.lat_deg, site.lon_deg):
            told = length_told(around.distance_m(site.lat_deg, site.lon_deg))
            raise AirspaceError(
                f"{what} lies on the far side of the border, {told} from it: take it out, or correct own_side"
            )
        region = around.region(site.lat_deg, site.lon_deg, around.borders[0].stand_off_m + 1000.0)
        here = shapely.points(0.0, 0.0)
        away = min((float(LineString(line).distance(here)) for line in region.border), default=np.inf)
        stand_off_m = around.borders[0].stand_off_m
        margin_m = around.clearance.margin_m + around.fence_m
        if away < stand_off_m + margin_m:
            raise AirspaceError(
                f"{what} is {away:.1f} m from the border, the stand-off is {stand_off_m:.0f} m, and {margin_m:.1f} m "
                "more are for what an aircraft may be off its way and for its fence: take it out"
            )
        zone = next((name for name, shape in region.zones if shapely.intersects(shape, here)), None)
        if zone is not None:
            raise AirspaceError(f"{what} lies in {around.airspace.told(zone)}, or within the margin of it: take it out")


def with_landing_sites(plan: PatrolPlan, sites: Sequence[LandingSite]) -> PatrolPlan:
    """The plan with more landing sites. Raises AirspaceError as `check_landing_sites` does."""
    check_landing_sites(surroundings_of(plan), sites)
    return replace(plan, airspace=replace(plan.airspace, landing_sites=(*plan.airspace.landing_sites, *sites)))


def propose_landing_sites(plan: PatrolPlan, terrain: Terrain, rules: LandingRules | None = None) -> LandingProposal:
    """Propose landing sites on the terrain, so that each place of each sortie has one within reach where it can.

    Given sites and bases are kept and count first. A proposed site is flat, on the own side, beyond the stand-off and
    outside no-fly zones, and lies beside a sortie. Parts of sorties that have none are told.

    Parameters
    ----------
    plan
        The plan.
    terrain
        The ground. Of level ground without samples there is nothing to judge: nothing is proposed.
    rules
        What a site must be.

    Raises
    ------
    AirspaceError
        When a given site is not lawful.
    """
    rules = rules or LandingRules()
    around = surroundings_of(plan)
    check_landing_sites(around, plan.airspace.landing_sites)
    if np.isinf(terrain.resolution_m):
        stretches = emergency_sites(plan, None, rules.reach)
        nothing = "no landing site is proposed: level ground without samples cannot be judged, give a terrain"
        return LandingProposal((), stretches, (nothing, *summary(stretches)))
    names = {site.name for site in plan.airspace.landing_sites}
    made: list[LandingSite] = []
    for sortie in plan.sorties:
        outlook = Outlook(plan, sortie, around, terrain, rules.reach)
        radius_m = rules.reach.wing_radius_m if sortie.vehicle.aircraft.has_wings else rules.radius_m
        usable = usable_sites(plan, sortie, (*plan.airspace.landing_sites, *made), rules.reach)
        bare = outlook.assigned(usable) < 0
        if not bare.any():
            continue
        for lat, lon in _chosen(outlook, bare, _flat(outlook, terrain, radius_m, rules)):
            number = len(made) + 1
            while f"landing-{number}" in names:
                number += 1
            names.add(f"landing-{number}")
            made.append(LandingSite(f"landing-{number}", round(lat, 7), round(lon, 7), radius_m))
    everything = replace(plan.airspace, landing_sites=(*plan.airspace.landing_sites, *made))
    stretches = emergency_sites(replace(plan, airspace=everything), terrain, rules.reach)
    flat = f"{len(made)} landing sites proposed from the slope of the terrain alone: look at each before it is used"
    return LandingProposal(tuple(made), stretches, ((flat,) if made else ()) + summary(stretches))


def slope_deg(terrain: Terrain, lat_deg: Floats, lon_deg: Floats, radius_m: float) -> Floats:
    """Steepest slope between any two of 19 points of a disc about each place, degrees; NaN where the ground is unknown.

    The disc is at least as wide as the terrain is fine: between its samples it knows nothing.
    """
    radius = max(radius_m, terrain.resolution_m)
    turn = np.concatenate([np.arange(12) / 12, np.arange(6) / 6]) * 2 * np.pi
    away = np.repeat([radius, radius / 2], [12, 6])
    disc = np.concatenate([[[0.0, 0.0]], np.stack([away * np.cos(turn), away * np.sin(turn)], axis=-1)])
    chart = Chart(float(lat_deg[0]), float(lon_deg[0]))
    # An offset in metres of each place, not of the first.
    stretched = np.cos(np.radians(lat_deg[0])) / np.cos(np.radians(lat_deg))
    offset = disc * np.stack([stretched, np.ones_like(stretched)], axis=-1)[:, None]
    lat, lon = chart.lat_lon(chart.xy(lat_deg, lon_deg)[:, None] + offset)
    height = heights_m(terrain, lat, lon)
    i, j = np.triu_indices(len(disc), 1)
    apart = np.hypot(*(disc[i] - disc[j]).T)
    return np.asarray(np.degrees(np.arctan((np.abs(height[:, i] - height[:, j]) / apart).max(axis=1))))


def _flat(outlook: Outlook, terrain: Terrain, radius_m: float, rules: LandingRules) -> Floats:
    """Flat and lawful places beside a sortie in its plane, metres, shape (m, 2), from a lattice."""
    way = LineString(outlook.xy)
    west, south, east, north = way.bounds
    step, room = max(_LATTICE_M, radius_m), rules.aside_m
    x, y = np.meshgrid(np.arange(west - room, east + room, step), np.arange(south - room, north + room, step))
    points = np.stack([x.ravel(), y.ravel()], axis=-1)
    points = points[_open(outlook.region, points, way, radius_m, room)]
    if len(points):
        steepest = slope_deg(terrain, *outlook.region.plane.lat_lon(points), radius_m)
        points = points[steepest <= rules.slope_deg]
    return points


def _open(region: Region, points: Floats, way: LineString, radius_m: float, room_m: float) -> NDArray[np.bool_]:
    """Whether points lie beside the way, on its side of the border, with their discs clear of stand-off and zones."""
    walls = [LineString(line).buffer(1.0) for line in region.wall]
    open_to = shapely.difference(way.simplify(1.0).buffer(room_m), shapely.union_all([*region.obstacles, *walls]))
    own = [part for part in shapely.get_parts(open_to) if part.intersects(way)]
    inner = shapely.buffer(shapely.union_all(own), -radius_m)
    shapely.prepare(inner)
    return np.asarray(shapely.contains_xy(inner, points))


def _chosen(outlook: Outlook, bare: NDArray[np.bool_], flat: Floats) -> list[tuple[float, float]]:
    """Latitude and longitude of few places from among the flat ones, so that all bare places of a sortie have one.

    Along the sortie, for the first place without a site the one that serves most of the places that follow.
    """
    bare = bare.copy()
    found = []
    for place in range(len(bare)):
        if not bare[place] or not len(flat):
            continue
        near = flat[np.hypot(*(flat - outlook.xy[place]).T) <= outlook.reach_m]
        if not len(near):
            continue
        ahead = np.arange(place, len(bare))
        away = np.hypot(*np.moveaxis(outlook.xy[ahead, None] - near, -1, 0))
        served = np.cumprod((away <= outlook.reach_m) | ~bare[ahead, None], axis=0).sum(axis=0)
        best = np.lexsort((away.min(axis=0), -served))[:_TRIED]
        lawful = outlook.flyable(np.full(len(best), place), near[best])
        if not lawful.any():
            continue
        site = near[best[int(np.argmax(lawful))]]
        open_to = ahead[np.hypot(*(outlook.xy[ahead] - site).T) <= outlook.reach_m]
        bare[open_to[outlook.flyable(open_to, np.broadcast_to(site, (len(open_to), 2)))]] = False
        lat, lon = outlook.region.plane.lat_lon(site)
        found.append((float(lat), float(lon)))
    return found
