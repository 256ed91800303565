"""Where a spot on the ground is seen from, lawfully, and which of these places is reached first.

A camera that is pointed at a spot sees it well enough within a ring about it: not so far that the GSD is too coarse at
the far rim of what the spot may be, not so near that its gimbal cannot look down so steeply. Of the ring that is left
which lies on the own side, beyond the stand-off and outside every zone; the way there is the shortest that stays so.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property, partial

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import Geometry

from geo import Terrain, check_coordinates
from missions.effort import effort
from missions.errors import PlanError
from missions.fleet import Vehicle
from missions.observation import Observation
from missions.patrol import PatrolPlan
from missions.profile import sampled
from missions.recourse import ground_of, surroundings_of
from missions.routing import Router
from missions.sortie import Waypoint
from missions.surroundings import Region, rough_distance_m
from missions.voids import avoided, beside_voids, unknown_on

__all__ = ["Sight", "Spot", "Viewing"]

Floats = NDArray[np.float64]

_AROUND_M = 2000.0
_RIM = 48
_INSIDE_M = 0.5
_ROUND = 12
"""At so many places of a circle it is looked whether they show the spot."""


@dataclass(frozen=True, slots=True)
class Spot:
    """A place on the ground that is to be looked at.

    Parameters
    ----------
    lat_deg, lon_deg
        Where, degrees WGS 84.
    uncertainty_m
        Radius about it within which it is, metres.

    Raises
    ------
    PlanError
        When a figure is impossible.
    """

    lat_deg: float
    lon_deg: float
    uncertainty_m: float = 0.0

    def __post_init__(self) -> None:
        check_coordinates(self.lat_deg, self.lon_deg, "the spot to look at")
        if not (math.isfinite(self.uncertainty_m) and self.uncertainty_m >= 0):
            raise PlanError(f"uncertainty of the spot to look at is {self.uncertainty_m}: give metres, 0 or more")


@dataclass(frozen=True, slots=True, eq=False)
class Sight:
    """A place from which a spot is seen, and the way there.

    Parameters
    ----------
    at
        The place in the air.
    way
        Vertices of the way, ends included, metres in the plane of `region`, shape (n, 2).
    region
        What lies around.
    time_s, energy_wh
        What the way takes in level flight, in the wind of the plan.
    distance_m
        Ground distance of the place from the spot.
    highest_amsl_m
        The highest ground below the way and below the circle about the place, metres AMSL.
    voids
        Areas round which it was led because the elevation of the ground is not known there, metres in that plane.
    """

    at: Waypoint
    way: Floats
    region: Region
    time_s: float
    energy_wh: float
    distance_m: float
    highest_amsl_m: float
    voids: tuple[Geometry, ...] = ()

    @property
    def straight(self) -> bool:
        """Whether the way is one straight piece."""
        return len(self.way) == 2


class Viewing:
    """Finds places from which to look.

    Parameters
    ----------
    plan
        Gives borders, airspace, limits, wind and cameras.
    terrain
        The ground; level, as in the plan, by default.
    """

    def __init__(self, plan: PatrolPlan, terrain: Terrain | None = None) -> None:
        self.plan = plan
        self.terrain = ground_of(plan, terrain)
        self._around = surroundings_of(plan)

    def observation(self, vehicle: Vehicle) -> Observation:
        """How aircraft of a vehicle's type and camera patrol in this plan. Raises PlanError where none does."""
        fleet = self.plan.fleet
        for sortie in self.plan.sorties:
            own = sortie.vehicle
            if own.aircraft == vehicle.aircraft and fleet.camera_of(own) == fleet.camera_of(vehicle):
                return self.plan.observation_of(sortie)
        raise PlanError(f"{vehicle.name}: no aircraft of its type and camera patrols in this plan")

    def ring_m(self, vehicle: Vehicle, spot: Spot, height_m: float) -> tuple[float, float]:
        """Least and greatest ground distance from which all of a spot is seen at the GSD from a height over it.

        Raises
        ------
        PlanError
            When there is none.
        """
        camera = self.plan.fleet.camera_of(vehicle)
        wanted = self.plan.options.gsd_m
        gsd_m = camera.max_gsd_m if wanted is None else min(wanted, camera.max_gsd_m)
        # Pointed at a point, a pixel spans the slant range over the focal length.
        reach_m = gsd_m * camera.model.focal_px
        far = math.sqrt(max(reach_m**2 - height_m**2, 0.0))
        if camera.pitch_max_deg < 0:
            far = min(far, height_m / math.tan(math.radians(-camera.pitch_max_deg)))
        far -= spot.uncertainty_m
        near = 0.0
        if camera.pitch_min_deg > -90:
            near = height_m / math.tan(math.radians(-camera.pitch_min_deg)) + spot.uncertainty_m
        if far <= near:
            raise PlanError(
                f"{vehicle.name}: from {height_m:.0f} m above it no place shows a spot of {spot.uncertainty_m:.0f} m "
                f"around at {gsd_m:.3f} m a pixel: find out more exactly where it is"
            )
        return near, far

    def sights(
        self,
        vehicle: Vehicle,
        start: tuple[float, float],
        spot: Spot,
        height_agl_m: float,
        *,
        straight: bool = False,
        circle_m: float = 0.0,
    ) -> list[Sight]:
        """Places from which a spot is seen, soonest first.

        Parameters
        ----------
        vehicle
            Who flies and looks.
        start
            Where it is, latitude and longitude, degrees.
        spot
            What to look at.
        height_agl_m
            Height above ground from which to look, metres.
        straight
            Only places to which a straight way leads.
        circle_m
            Radius of circles about the place, metres: all round them it is lawful and the spot is seen; 0 to stay
            there.

        Raises
        ------
        PlanError
            When there is none: no lawful place near enough, or no lawful way there; the message says which.
        """
        ground = float(self.terrain.elevation_m(spot.lat_deg, spot.lon_deg))
        ring_m = _narrowed(self.ring_m(vehicle, spot, height_agl_m), circle_m)
        if ring_m is None:
            raise PlanError(
                f"{vehicle.name}: from {height_agl_m:.0f} m above it a spot is not seen all the way round a circle of "
                f"{circle_m:.0f} m: send a multirotor, or a camera with a longer lens"
            )
        region = self._region(start, spot)
        middle = region.plane.xy(spot.lat_deg, spot.lon_deg)
        places = self._places(region, middle, ring_m, region.plane.xy(*start), circle_m)
        if not len(places):
            raise PlanError(
                f"{spot.lat_deg:.6f}, {spot.lon_deg:.6f} is seen from no lawful place: within {ring_m[1]:.0f} m of it "
                "is only the other side, the stand-off or a no-fly zone"
            )
        rails = [] if straight else self._rails(region, spot, start)
        voids, lengths, ways = self._ways(region, region.plane.xy(*start), places, rails)
        found = [
            replace(sight, voids=voids)
            for length, way in zip(lengths, ways, strict=True)
            if np.isfinite(length) and not (straight and len(way) != 2)
            for sight in self._sight(vehicle, region, way, height_agl_m, (spot, middle, ground, circle_m))
        ]
        if not found:
            kind = "straight lawful way" if straight else "lawful way within the wind"
            kind += " and over ground that is known" if voids else ""
            raise PlanError(f"{vehicle.name}: no {kind} leads to a place from which it is seen")
        return sorted(found, key=lambda sight: sight.time_s)

    def _ways(
        self, region: Region, start: Floats, places: Floats, rails: list[Floats]
    ) -> tuple[tuple[Geometry, ...], Floats, list[Floats]]:
        """Shortest lawful ways to places, round ground that is not known: its areas, lengths and vertices of ways."""
        terrain, plane = self.terrain, region.plane
        around: list[Geometry] = []
        lengths, ways = np.empty(0), list[Floats]()

        def seek(voids: list[Geometry]) -> Floats:
            nonlocal around, lengths, ways
            around = voids
            router = Router(
                [*region.obstacles, *voids],
                corners_of=[*(shape for _, shape in region.zones), *voids],
                rails=[part for rail in rails for part in beside_voids(rail, voids)] if voids else rails,
            )
            lengths, ways = router.ways(start, places)
            if math.isinf(terrain.resolution_m):
                return np.empty((0, 2))
            over = [unknown_on(way, terrain, plane) for way in ways if len(way)]
            return np.array([place for place in over if place is not None]).reshape(-1, 2)

        if len(seek([])):
            avoided(terrain, plane, np.concatenate([way for way in ways if len(way)]), seek)
        return tuple(around), lengths, ways

    def _region(self, start: tuple[float, float], spot: Spot) -> Region:
        """The surroundings of the spot, out to where the vehicle is and some way around."""
        region = self._around.region(spot.lat_deg, spot.lon_deg, _AROUND_M)
        away = float(np.hypot(*region.plane.xy(*start)))
        return self._around.region(spot.lat_deg, spot.lon_deg, away + _AROUND_M)

    def _rails(self, region: Region, spot: Spot, start: tuple[float, float]) -> list[Floats]:
        """The courses of sorties that come near: lawful all along, they lead round the bends of the border."""
        within_m = float(np.hypot(*region.plane.xy(*start))) + _AROUND_M
        out = []
        for lat, lon in self._courses:
            if (rough_distance_m(spot.lat_deg, spot.lon_deg, lat, lon) <= within_m).any():
                line = region.plane.xy(lat, lon)
                out.append(line[np.concatenate([[True], np.hypot(*np.diff(line, axis=0).T) > _INSIDE_M])])
        return out

    @cached_property
    def _courses(self) -> list[tuple[Floats, Floats]]:
        """Latitude and longitude of the vertices of each sortie, degrees."""
        points = (sortie.way for sortie in self.plan.sorties)
        return [(np.array([p.lat_deg for p in own]), np.array([p.lon_deg for p in own])) for own in points]

    def _places(
        self, region: Region, middle: Floats, ring_m: tuple[float, float], start: Floats, circle_m: float
    ) -> Floats:
        """Points of the lawful part of a ring: the nearest of each piece, and its rim, shape (n, 2)."""
        near, far = ring_m
        spot = shapely.Point(*middle)
        ring: Geometry = spot.buffer(far - _INSIDE_M, quad_segs=_RIM // 4)
        if near > 0:
            ring = shapely.difference(ring, spot.buffer(near + _INSIDE_M, quad_segs=_RIM // 4))
        margin_m = self.plan.options.margin_m
        if circle_m > 0:
            margin_m += circle_m + self.plan.clearance.bend_m
        shut = shapely.union_all([shapely.buffer(one, margin_m, quad_segs=4) for one in region.obstacles])
        here = shapely.Point(*start)
        out: list[Floats] = []
        for part in shapely.get_parts(shapely.difference(ring, shut)):
            if part.area < 1.0:
                continue
            lat, lon = region.plane.lat_lon(np.array(part.representative_point().coords[0]))
            if not self._around.own_side(float(lat), float(lon)):
                continue
            nearest = shapely.get_coordinates(shapely.shortest_line(part, here))[0]
            rim = shapely.get_coordinates(shapely.segmentize(part.exterior, max(part.length / _RIM, 1.0)))
            out += [nearest[None], rim]
        return np.concatenate(out) if out else np.empty((0, 2))

    def _sight(
        self,
        vehicle: Vehicle,
        region: Region,
        way: Floats,
        height_agl_m: float,
        seen: tuple[Spot, Floats, float, float],
    ) -> list[Sight]:
        """The sight at the end of a way; none where wind or ground do not let it be, or the ground is not known."""
        spot, middle, spot_ground, circle_m = seen
        steps = np.diff(way, axis=0)
        times, energies = effort(
            vehicle.aircraft,
            steps,
            np.zeros(len(steps)),
            speed_m_s=vehicle.aircraft.cruise_m_s,
            wind=self.plan.options.wind,
            patrol=False,
        )
        distance = float(np.hypot(*(way[-1] - middle)))
        angles = np.arange(_ROUND if circle_m > 0 else 1) * (2 * math.pi / _ROUND)
        ring = way[-1] + circle_m * np.stack([np.cos(angles), np.sin(angles)], axis=-1)
        below = sampled(way, self.terrain.resolution_m)
        grounds = self.terrain.known_elevation_m(*region.plane.lat_lon(np.concatenate([below, ring])))
        if not (np.isfinite(times).all() and np.isfinite(grounds).all()):
            return []
        there, around = grounds[len(below) - 1], grounds[len(below) :]
        away = np.hypot(*(ring - middle).T)
        if not all(map(partial(self._shows, vehicle, spot), around + height_agl_m - spot_ground, away)):
            return []
        lat, lon = region.plane.lat_lon(way[-1])
        at = Waypoint.above(round(float(lat), 7), round(float(lon), 7), height_agl_m, round(float(there), 3))
        taken = float(times.sum()), float(energies.sum())
        return [Sight(at, way, region, *taken, distance, float(grounds.max()))]

    def _shows(self, vehicle: Vehicle, spot: Spot, height_m: float, distance_m: float) -> bool:
        """Whether a spot is seen from a height over it, which on slopes is not that over the place."""
        try:
            near, far = self.ring_m(vehicle, spot, height_m)
        except PlanError:
            return False
        return height_m > 0 and near - _INSIDE_M <= distance_m <= far + _INSIDE_M


def _narrowed(ring_m: tuple[float, float], circle_m: float) -> tuple[float, float] | None:
    """Where the middle of a circle may be so that all of it lies in a ring; None for nowhere."""
    near, far = ring_m
    # Beside the hole of the ring, if it has one, else round it.
    outer = near + circle_m if near > 0 else 0.0
    if far - circle_m > outer:
        return outer, far - circle_m
    inner = min(circle_m - near, far - circle_m)
    return (0.0, inner) if inner > 0 else None
