"""What of the band the cameras see along the flown legs, and what they do not, and why."""

from __future__ import annotations

import math
from collections.abc import Iterable
from itertools import pairwise

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import MultiPoint, Polygon
from shapely.geometry import LineString
from shapely.geometry.base import BaseGeometry
from shapely.ops import split

from geo import Altitude, CameraPose, Datum, LocalFrame, Terrain, intersect, locate
from missions.border import BorderSegment, Side
from missions.fleet import Camera
from missions.flightline import FlightLine, extended
from missions.observation import Observation
from missions.patrol import Coverage, Leg, Sortie, Uncovered
from missions.plane import Plane

__all__ = ["band_polygon", "cover", "view_quad"]

Floats = NDArray[np.float64]

_TURN_STEP_DEG = 8.0
_SLIVER_M2 = 10.0
_TERRAIN_STEP_M = 60.0


def band_polygon(line_xy: Floats, side: Side, own_m: float, far_m: float) -> BaseGeometry:
    """The ground within `own_m` of a line on its own side and within `far_m` on the other, metres.

    Each half is the part of a flat-capped buffer that lies on its side of the line.
    """
    line = LineString(line_xy)
    halves = []
    for depth, sign in ((own_m, side.sign), (far_m, -side.sign)):
        if depth <= 0:
            continue
        around = line.buffer(depth, cap_style="flat")
        if line.is_ring:
            enclave = Polygon(line.coords)
            inside = (sign > 0) == enclave.exterior.is_ccw
            halves.append(around.intersection(enclave) if inside else around.difference(enclave))
            continue
        pieces = split(around, LineString(extended(line_xy, 2.0, 50.0))).geoms
        inner = np.array([piece.representative_point().coords[0] for piece in pieces])
        on_side = locate(line_xy, inner).offset_m * sign > 0
        halves.append(shapely.union_all([piece for piece, good in zip(pieces, on_side, strict=True) if good]))
    return shapely.union_all(halves)


def view_quad(camera: Camera, pose: CameraPose, terrain: Terrain, gsd_m: float) -> Floats:
    """Corners, east and north of the camera, metres, shape (4, 2), of what it sees at a GSD or better.

    The part of the picture below the row at which flat ground has that GSD: the whole footprint where the top row has.
    """
    ground = float(terrain.elevation_m(pose.lat_deg, pose.lon_deg))
    amsl = pose.altitude.amsl_m(ground_amsl_m=ground)
    model, down = camera.model, math.radians(-pose.pitch_deg)
    # depth z = h / (sin p + v cos p) with v = (row - middle) / f, and GSD = z / f
    needed = (amsl - ground) / (gsd_m * model.focal_px)
    cosine = math.cos(down)
    v = (needed - math.sin(down)) / cosine if cosine > 1e-9 else -math.inf
    top = min(max(0.0, model.height_px / 2 + model.focal_px * v), float(model.height_px))
    corners = [(0, top), (model.width_px, top), (model.width_px, model.height_px), (0, model.height_px)]
    rays = model.rays(corners) @ pose.rotation_enu_from_camera().T
    frame = LocalFrame(pose.lat_deg, pose.lon_deg, amsl)
    return intersect(frame, (0, 0, 0), rays, terrain)[:, :2]


def cover(
    border: BorderSegment,
    *,
    border_xy: Floats,
    line: FlightLine,
    sorties: Iterable[Sortie],
    camera: Camera,
    observation: Observation,
    terrain: Terrain,
    plane: Plane,
    gsd_m: float,
    unreached: list[tuple[float, float]],
) -> Coverage:
    """Measure coverage.

    Parameters
    ----------
    unreached
        Stretches of the flight line, metres along it, that no aircraft can reach.
    """
    band = band_polygon(border_xy, border.own_side, border.band_own_m, border.band_far_m)
    eyes = _Eyes(camera, observation.gimbal_pitch_deg, terrain, plane, gsd_m)
    views: list[Floats] = []
    for sortie in sorties:
        views += eyes.along(sortie.patrol, sortie.look)
    hulls = [Polygon(v) if len(v) == 4 else MultiPoint(v).convex_hull for v in views]
    seen: BaseGeometry = shapely.union_all(hulls) if hulls else Polygon()
    missing = band.difference(seen)
    pieces = [p for p in getattr(missing, "geoms", [missing]) if isinstance(p, Polygon) and p.area > 0]
    large = [p for p in pieces if p.area >= _SLIVER_M2]
    uncovered = [
        _explain(p, border_xy=border_xy, line=line, observation=observation, plane=plane, unreached=unreached)
        for p in large
    ]
    small = [p for p in pieces if p.area < _SLIVER_M2]
    if small:
        at = np.concatenate([np.array(p.exterior.coords) for p in small])
        along = locate(border_xy, at).along_m
        lat, lon = plane.lat_lon(at[0])
        uncovered.append(
            Uncovered(
                float(along.min()),
                float(along.max()),
                float(sum(p.area for p in small)),
                float(lat),
                float(lon),
                f"{len(small)} slivers of less than {_SLIVER_M2:.0f} square metres each, where the course bends",
            )
        )
    uncovered.sort(key=lambda u: (u.from_m, u.to_m))
    return Coverage(float(band.area), float(band.area - missing.area), tuple(uncovered))


def _explain(
    piece: Polygon,
    *,
    border_xy: Floats,
    line: FlightLine,
    observation: Observation,
    plane: Plane,
    unreached: list[tuple[float, float]],
) -> Uncovered:
    along = locate(border_xy, np.array(piece.exterior.coords)).along_m
    point = np.array(piece.representative_point().coords[0])
    beside = locate(line.points, point)
    distance, station = abs(float(beside.offset_m[0])), float(beside.along_m[0])
    if any(a - 1 <= station <= b + 1 for a, b in unreached):
        reason = "out of reach: no aircraft has the energy to fly there, patrol and come back"
    elif distance > observation.view_to_m:
        reason = (
            f"the stand-off keeps the aircraft {distance:.0f} m away, the view ends at {observation.view_to_m:.0f} m"
        )
    elif distance < observation.view_from_m:
        begin = observation.view_from_m
        reason = f"the border bends to within {distance:.0f} m of the course, the view begins at {begin:.0f} m"
    else:
        reason = "the course bends, and neither the view before the bend nor the one after it takes this in"
    lat, lon = plane.lat_lon(point)
    return Uncovered(float(along.min()), float(along.max()), float(piece.area), float(lat), float(lon), reason)


class _Eyes:
    """Views of one camera along legs, as corner points in the plane."""

    def __init__(self, camera: Camera, pitch_deg: float, terrain: Terrain, plane: Plane, gsd_m: float) -> None:
        self._camera, self._pitch, self._terrain, self._plane, self._gsd = camera, pitch_deg, terrain, plane, gsd_m
        self._flat = math.isinf(terrain.resolution_m)
        self._quads: dict[float, Floats] = {}

    def along(self, legs: tuple[Leg, ...], look: Side) -> list[Floats]:
        """Point sets whose convex hulls are seen: one for each leg or part of it and for each step of a turn."""
        views: list[Floats] = []
        previous: float | None = None
        for leg in legs:
            ends = self._plane.xy([leg.start.lat_deg, leg.end.lat_deg], [leg.start.lon_deg, leg.end.lon_deg])
            step = ends[1] - ends[0]
            length = float(np.hypot(*step))
            if length < 0.05:
                continue
            course = math.degrees(math.atan2(step[0], step[1]))
            yaw = course + (-90.0 if look is Side.LEFT else 90.0)
            if previous is not None:
                views += self._turn(ends[0], leg, previous, yaw)
            parts = 1 if self._flat else max(1, math.ceil(length / _TERRAIN_STEP_M))
            stops = [self._view(ends[0] + k / parts * step, leg, k / parts, yaw) for k in range(parts + 1)]
            views += [np.concatenate(pair) for pair in pairwise(stops)]
            previous = yaw
        return [v for v in views if np.isfinite(v).all()]

    def _turn(self, at: Floats, leg: Leg, before: float, after: float) -> list[Floats]:
        turn = (after - before + 180) % 360 - 180
        count = math.ceil(abs(turn) / _TURN_STEP_DEG)
        return [self._view(at, leg, 0.0, before + turn * k / count) for k in range(1, count)]

    def _view(self, at: Floats, leg: Leg, share: float, yaw: float) -> Floats:
        agl = leg.start.agl_m
        if self._flat:
            # One quadrilateral, turned: on flat ground only the yaw differs.
            if agl not in self._quads:
                pose = CameraPose(leg.start.lat_deg, leg.start.lon_deg, Altitude(agl, Datum.AGL), 0.0, self._pitch)
                self._quads[agl] = view_quad(self._camera, pose, self._terrain, self._gsd)
            c, s = math.cos(math.radians(yaw)), math.sin(math.radians(yaw))
            return np.asarray(at + self._quads[agl] @ np.array([[c, -s], [s, c]]))
        lat, lon = self._plane.lat_lon(at)
        amsl = leg.start.amsl_m + share * (leg.end.amsl_m - leg.start.amsl_m)
        pose = CameraPose(float(lat), float(lon), Altitude(amsl, Datum.AMSL), yaw, self._pitch)
        return np.asarray(at + view_quad(self._camera, pose, self._terrain, self._gsd))
