"""A sortie as the apps of pilots fly it: places in a row, each with height, speed and the way the nose points.

Such apps turn the aircraft, not the gimbal: on patrol the nose is square to the course, at the border. They fly to one
height over the take-off place after another and hold no fence, so what is handed to them must keep clear by itself:
every piece, every rounded corner and every shortcut is measured against border and zones here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from pyproj import Geod
from shapely import MultiPoint

from geo import shorter_turn
from missions.app_limits import CLOSE_M, AppLimits
from missions.errors import MissionError
from missions.free_ground import FreeGround
from missions.mission import ACCEPT_RADIUS_M
from missions.patrol import PatrolPlan
from missions.plane import Plane
from missions.sortie import LegKind, Sortie

__all__ = ["AppRoute", "RoutePoint", "app_route"]

Floats = NDArray[np.float64]

_GEOD = Geod(ellps="WGS84")
_TURN_IN_M = 15.0
"""Length of way over which the nose turns at a bend, metres, on each side of it."""
_STEPS = ((0.0, 5.0), (1.0, 5.0), (2.0, 5.0), (5.0, 5.0), (5.0, 10.0), (5.0, 20.0))
"""What is given up so that a way fits, the least that is enough: how far it may leave the planned one, metres in three
dimensions, and how far the nose may point past square at the end of a piece, degrees, before the turn gets waypoints.
Waypoints closer than `CLOSE_M` are joined in any case."""
_SAME_SPEED_M_S = 0.5
_CUT_M = 10.0
"""Farthest before a waypoint that a turn begins, metres."""
_LEAST_CUT_M = 0.2


@dataclass(frozen=True, slots=True)
class RoutePoint:
    """One waypoint.

    Parameters
    ----------
    lat_deg, lon_deg
        Degrees WGS 84.
    above_start_m
        Height over the take-off place, metres: the difference of two heights AMSL.
    speed_m_s
        Over the ground from here to the next, metres a second.
    heading_deg
        Where the nose points, degrees from true north, 0 to 360; it turns evenly to that of the next.
    watching
        Whether the way from here to the next is watched.
    cut_m
        How far before it the turn begins, metres; 0 where the aircraft stops.
    """

    lat_deg: float
    lon_deg: float
    above_start_m: float
    speed_m_s: float
    heading_deg: float
    watching: bool
    cut_m: float = 0.0


@dataclass(frozen=True, slots=True)
class AppRoute:
    """The way of a sortie from above its base to above its base.

    Parameters
    ----------
    points
        In the order of flight.
    pitch_deg
        Pitch of the camera while watching, degrees.
    straight_home
        Whether a straight way home from any place of it keeps clear of border and zones: apps fly home so.
    thinned_m, off_square_deg
        How far it leaves the planned way at most, metres, and how far the nose points past square at the ends of a
        watched piece, degrees, bends apart.
    """

    points: tuple[RoutePoint, ...]
    pitch_deg: float
    straight_home: bool
    thinned_m: float
    off_square_deg: float

    @property
    def notes(self) -> tuple[str, ...]:
        """What the pilot must know of it, one sentence each."""
        said = []
        if self.thinned_m > 0:
            said.append(f"thinned: leaves the planned way by up to {self.thinned_m:.0f} m")
        if self.off_square_deg > _STEPS[0][1]:
            said.append(f"the camera looks up to {self.off_square_deg:.0f} degrees past square")
        if not self.straight_home:
            said.append("no straight way home everywhere: never press return-to-home half-way, fly back as it came")
        return tuple(said)

    @property
    def begins(self) -> tuple[int, ...]:
        """Numbers of the points at which watching begins."""
        return tuple(i for i, (a, b) in self._steps() if b and not a)

    @property
    def ends(self) -> tuple[int, ...]:
        """Numbers of the points at which it ends."""
        return tuple(i for i, (a, b) in self._steps() if a and not b)

    def _steps(self) -> enumerate[tuple[bool, bool]]:
        watching = [False, *(point.watching for point in self.points)]
        return enumerate(pairwise(watching))


def app_route(plan: PatrolPlan, sortie: Sortie, limits: AppLimits) -> AppRoute:
    """The way of a sortie within the limits of an app.

    A sortie of more waypoints than the app takes is thinned, never split: at the end of a part an app flies straight
    home, across whatever border lies between. Shortcuts stay as far from the border as the stand-off.

    Raises
    ------
    MissionError
        When the aircraft has wings or is in the air, or the way does not fit: too many waypoints, too fast, too slow,
        too high, too low, too long, or nearer to the border than the stand-off. The message says what to do.
    """
    if sortie.vehicle.aircraft.has_wings:
        raise MissionError(
            f"{sortie.name}: {sortie.vehicle.aircraft.kind} has wings and cannot fly sideways as {limits.name} "
            "would have it: fly its .plan from a ground station"
        )
    if sortie.airborne:
        raise MissionError(
            f"{sortie.name}: begins in the air, and {limits.name} begins at the take-off: fly its .plan from a ground "
            "station, or resume it from the ground"
        )
    room = FreeGround(plan, sortie)
    way = _Way.of(sortie, room.plane)
    points: list[RoutePoint] = []
    for thinned_m, square_deg in _STEPS:
        points = _points(_thinned(way, room, thinned_m), room.plane, limits, square_deg)
        if len(points) <= limits.most:
            break
    else:
        raise MissionError(
            f"{sortie.name}: {len(points)} waypoints even when thinned by {thinned_m:.0f} m, {limits.name} takes "
            f"{limits.most}: plan more and shorter sorties, or straighten the border line"
        )
    lat, lon = [p.lat_deg for p in points], [p.lon_deg for p in points]
    heights = np.array([p.above_start_m for p in points])
    limits.check(sortie.name, heights, [p.speed_m_s for p in points[:-1]], np.array(_GEOD.line_lengths(lon, lat)))
    xy = room.plane.xy(lat, lon)
    room.keeps_clear(xy, sortie.name)
    if limits.turns:
        points = _rounded(points, xy, room)
    return AppRoute(
        tuple(points),
        round(plan.observation_of(sortie).gimbal_pitch_deg, 2),
        room.straight_home(xy),
        thinned_m,
        square_deg,
    )


@dataclass(frozen=True)
class _Way:
    """A way in a plane.

    Parameters
    ----------
    points
        East, north, height over the take-off place, metres, shape (n, 3).
    speeds
        Speed of each piece, shape (n - 1,).
    watched
        Whether each piece is watched.
    turn
        From the course to the nose while watching, degrees.
    """

    points: Floats
    speeds: Floats
    watched: NDArray[np.bool_]
    turn: float

    @classmethod
    def of(cls, sortie: Sortie, plane: Plane) -> _Way:
        """From above the base after take-off to there before landing."""
        legs = [leg for leg in sortie.legs if leg.kind not in {LegKind.TAKEOFF, LegKind.LANDING}]
        places = [legs[0].start, *(leg.end for leg in legs)]
        ground_m = sortie.home.amsl_m
        xy = plane.xy([p.lat_deg for p in places], [p.lon_deg for p in places])
        up = np.array([[p.amsl_m - ground_m] for p in places])
        return cls(
            np.concatenate([xy, up], axis=1),
            np.array([leg.speed_m_s for leg in legs]),
            np.array([leg.kind is LegKind.PATROL for leg in legs]),
            # -90 is left.
            90.0 * -sortie.look.sign,
        )


def _thinned(way: _Way, room: FreeGround, by_m: float) -> _Way:
    """A way of fewer points: each piece reaches as far as it may."""
    kept, i, last = [0], 0, len(way.points) - 1
    while i < last:
        j = i + 1
        while j < last and _may_pass(way, room, i, j + 1, by_m):
            j += 1
        kept.append(j)
        i = j
    pieces = list(pairwise(kept))
    length = np.linalg.norm(np.diff(way.points, axis=0), axis=1)
    time = length / way.speeds
    return replace(
        way,
        points=way.points[kept],
        speeds=np.array([length[a:b].sum() / time[a:b].sum() for a, b in pieces]),
        watched=way.watched[[a for a, _ in pieces]],
    )


def _may_pass(way: _Way, room: FreeGround, i: int, j: int, by_m: float) -> bool:
    """Whether one piece may go from point i to point j."""
    if len(set(way.watched[i:j].tolist())) > 1 or (by_m == 0 and j - i > 2):
        return False
    points = way.points[i : j + 1]
    close = np.linalg.norm(np.diff(points, axis=0), axis=1).min() < CLOSE_M
    limit = max(by_m, CLOSE_M) if close else by_m
    if not close and (by_m == 0 or np.ptp(way.speeds[i:j]) > _SAME_SPEED_M_S):
        return False
    step = points[-1] - points[0]
    norm = float(step @ step)
    along = np.clip((points - points[0]) @ step / norm, 0.0, 1.0) if norm > 0 else np.zeros(len(points))
    away = np.linalg.norm(points - points[0] - along[:, None] * step, axis=1)
    return float(away.max()) <= limit and room.is_free(MultiPoint(points[:, :2]).convex_hull)


def _points(way: _Way, plane: Plane, limits: AppLimits, square_deg: float) -> list[RoutePoint]:
    """Waypoints of a way, with those at which the nose turns and those that an app needs between distant ones."""
    nose = _noses(way, plane)
    last = len(way.speeds) - 1
    at = [_at_vertex(nose, way.watched, k) for k in range(last + 2)]
    spots: list[tuple[Floats, float, int]] = []
    for k, (a, b) in enumerate(pairwise(way.points)):
        spots.append((a, at[k], k))
        length = float(np.hypot(*(b - a)[:2]))
        if length < 3 * CLOSE_M:
            continue
        turn_in = min(_TURN_IN_M, length / 3) / length
        marks = [turn_in] if abs(shorter_turn(at[k] - nose[k])) > square_deg else []
        marks += [1 - turn_in] if abs(shorter_turn(at[k + 1] - nose[k])) > square_deg else []
        ends = [0.0, *marks, 1.0]
        between = [at[k], *(nose[k] for _ in marks), at[k + 1]]
        for (s, t), (u, v) in zip(pairwise(ends), pairwise(between), strict=True):
            count = max(1, math.ceil((t - s) * float(np.linalg.norm(b - a)) / (0.999 * limits.apart_m)))
            if s > 0:
                spots.append((a + s * (b - a), u, k))
            for part in range(1, count):
                f = part / count
                spots.append((a + (s + f * (t - s)) * (b - a), u + f * shorter_turn(v - u), k))
    spots.append((way.points[-1], at[-1], last))
    lat, lon = plane.lat_lon(np.array([spot[:2] for spot, _, _ in spots]))
    final = len(spots) - 1
    return [
        RoutePoint(
            round(float(a), 7),
            round(float(o), 7),
            float(round(spot[2])) if limits.whole_metres else round(float(spot[2]), 2),
            round(float(way.speeds[k]), 3),
            round(heading % 360.0, 2) % 360.0,
            bool(way.watched[k]) and number < final,
        )
        for number, (a, o, (spot, heading, k)) in enumerate(zip(lat, lon, spots, strict=True))
    ]


def _noses(way: _Way, plane: Plane) -> list[float]:
    """Where the nose points on each piece, degrees from true north. On the spot it is that of the next piece."""
    lat, lon = plane.lat_lon(way.points[:, :2])
    ahead, behind, length = _GEOD.inv(lon[:-1], lat[:-1], lon[1:], lat[1:])
    # Over a long piece the azimuth of the straight line changes a little: its middle serves.
    course = ahead + ((behind - ahead) % 360.0 - 180.0) / 2
    nose = np.where(way.watched, course + way.turn, course)
    level = np.flatnonzero(np.asarray(length) >= CLOSE_M)
    if not len(level):
        return [0.0] * len(nose)
    following = np.minimum(np.searchsorted(level, np.arange(len(nose))), len(level) - 1)
    return [float(v) for v in nose[level[following]]]


def _at_vertex(nose: list[float], watched: NDArray[np.bool_], k: int) -> float:
    """Where the nose points at a vertex: half-way between two pieces, but square where watching begins or ends."""
    if k in {0, len(nose)}:
        return nose[min(k, len(nose) - 1)]
    before, after = nose[k - 1], nose[k]
    if watched[k - 1] != watched[k]:
        return after if watched[k] else before
    return before + shorter_turn(after - before) / 2


def _rounded(points: list[RoutePoint], xy: Floats, room: FreeGround) -> list[RoutePoint]:
    """The same with corners cut as far as stand-off and zones allow, where nothing is done that needs a stop.

    Whatever curve the aircraft flies lies in the triangle of the corner and the two places where the turn begins and
    ends. It stays within the radius in which an autopilot counts a waypoint as reached.
    """
    at = np.concatenate([xy, [[point.above_start_m] for point in points]], axis=1)
    out = list(points)
    for k in range(1, len(points) - 1):
        before, after = at[k - 1] - at[k], at[k + 1] - at[k]
        level = min(float(np.hypot(*before[:2])), float(np.hypot(*after[:2]))) >= CLOSE_M
        if points[k - 1].watching != points[k].watching or not level:
            continue
        lengths = float(np.linalg.norm(before)), float(np.linalg.norm(after))
        u, v = before / lengths[0], after / lengths[1]
        # Half the angle between the two pieces: the chord passes the corner at its cosine times the cut.
        depth = math.sqrt(max(0.0, (1 + float(u @ v)) / 2))
        cut = min(_CUT_M, 0.45 * min(lengths), ACCEPT_RADIUS_M / depth if depth > 0 else _CUT_M)
        while cut >= _LEAST_CUT_M:
            if room.is_free(MultiPoint([at[k, :2], (at[k] + cut * u)[:2], (at[k] + cut * v)[:2]]).convex_hull):
                out[k] = replace(points[k], cut_m=math.floor(cut * 100) / 100)
                break
            cut /= 2
    return out
