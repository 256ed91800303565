"""Outlines to draw: the area of the band, and what one picture takes in."""

from __future__ import annotations

import math

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import Polygon
from shapely.geometry import LineString
from shapely.geometry.base import BaseGeometry
from shapely.ops import split

from geo import CameraPose, LocalFrame, Terrain, intersect, locate
from missions.border import Side
from missions.fleet import Camera
from missions.flightline import extended

__all__ = ["band_polygon", "view_quad"]

Floats = NDArray[np.float64]


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
