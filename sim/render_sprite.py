"""Shapes to patches of image: projection, supersampled drawing, coverage."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from geo import CameraModel
from sim.render_figures import Shape

__all__ = ["Sprite", "View", "draw_shadow", "rasterise"]

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]
Window = tuple[slice, slice]

_SUN = np.array([-0.45, -0.35, 0.82])
_LARGEST_PX = 1200


@dataclass(frozen=True, slots=True)
class View:
    """A camera at a place of the world.

    Parameters
    ----------
    camera
        The camera.
    centre_m
        Its projection centre, ENU metres, height above the ground.
    enu_from_camera
        Its rotation, shape (3, 3).
    """

    camera: CameraModel
    centre_m: Floats
    enu_from_camera: Floats

    def project(self, points_m: Floats) -> tuple[Floats, Floats]:
        """Pixels, shape (..., 2), NaN behind the camera, and depths along the axis, metres, of ENU points (..., 3)."""
        points = (points_m - self.centre_m) @ self.enu_from_camera
        return self.camera.project(points), np.asarray(points[..., 2])

    def pixel_from_ground(self) -> Floats:
        """Homography, shape (3, 3), from ground (east, north, 1) to pixels."""
        half = (self.camera.width_px / 2, self.camera.height_px / 2)
        k = np.array([[self.camera.focal_px, 0, half[0]], [0, self.camera.focal_px, half[1]], [0, 0, 1]])
        camera_from_enu = self.enu_from_camera.T
        return np.asarray(k @ np.column_stack([camera_from_enu[:, :2], -camera_from_enu @ self.centre_m]))

    def on_ground(self, pixels: Floats, far_m: float) -> Floats:
        """Ground points (east, north), metres, shape (n, 2), under pixels; no farther away than `far_m`."""
        rays = self.camera.rays(pixels) @ self.enu_from_camera.T
        reach = np.where(rays[:, 2] < 0, self.centre_m[2] / np.maximum(-rays[:, 2], 1e-6), np.inf)
        return np.asarray(self.centre_m[:2] + np.minimum(reach, far_m)[:, None] * rays[:, :2])

    def footprint_box(self, far_m: float) -> tuple[float, float, float, float]:
        """West, east, south, north of the ground in view, metres, no farther away than `far_m`."""
        w, h = self.camera.width_px, self.camera.height_px
        points = self.on_ground(np.array([(0.0, 0), (w, 0), (w, h), (0, h)]), far_m)
        (west, south), (east, north) = points.min(axis=0) - 3, points.max(axis=0) + 3
        return float(west), float(east), float(south), float(north)


@dataclass(frozen=True, slots=True)
class Sprite:
    """A patch of image.

    Parameters
    ----------
    x0, y0
        Image indices of its first column and row; may lie outside the image.
    alpha
        Coverage, 0 to 1, shape (h, w).
    light
        Tones times coverage, shape (h, w, channels).
    box
        Edges x1, y1, x2, y2 of the silhouette, pixels, as fine as the supersampling.
    range_m
        Distance of its foot from the camera, metres.
    """

    x0: int
    y0: int
    alpha: Singles
    light: Singles
    box: tuple[float, float, float, float]
    range_m: float

    def window(self, shape: tuple[int, ...]) -> tuple[Window, Window] | None:
        """Slices (rows, columns) of the image and of the patch where both meet, or None."""
        height, width = self.alpha.shape
        x1, y1 = max(0, self.x0), max(0, self.y0)
        x2, y2 = min(shape[1], self.x0 + width), min(shape[0], self.y0 + height)
        if x2 <= x1 or y2 <= y1:
            return None
        image = (slice(y1, y2), slice(x1, x2))
        return image, (slice(y1 - self.y0, y2 - self.y0), slice(x1 - self.x0, x2 - self.x0))

    def cover(self, left: Singles, nearer: Sprite) -> None:
        """Take from `left`, coverage of this patch that is still to be seen, what a nearer sprite hides."""
        x1, y1 = max(self.x0, nearer.x0), max(self.y0, nearer.y0)
        x2 = min(self.x0 + left.shape[1], nearer.x0 + nearer.alpha.shape[1])
        y2 = min(self.y0 + left.shape[0], nearer.y0 + nearer.alpha.shape[0])
        if x2 > x1 and y2 > y1:
            hidden = nearer.alpha[y1 - nearer.y0 : y2 - nearer.y0, x1 - nearer.x0 : x2 - nearer.x0]
            left[y1 - self.y0 : y2 - self.y0, x1 - self.x0 : x2 - self.x0] *= 1 - hidden


def rasterise(shape: Shape, tones: Singles, view: View) -> Sprite | None:
    """Draw a shape; None where it is behind the camera, smaller than a trace or too large to be anything but a clash.

    Parameters
    ----------
    shape
        What to draw.
    tones
        Tone of each of its materials, shape (n, channels).
    view
        From where.
    """
    capsules = len(shape.radii_m)
    ends, depth = view.project(shape.ends_m)
    corners, face_depth = view.project(shape.faces_m)
    if min(depth.min(initial=np.inf), face_depth.min(initial=np.inf)) < 1:
        return None
    radii = shape.radii_m * view.camera.focal_px / (depth.mean(axis=1) if capsules else 1.0)
    low = np.concatenate([(ends - radii[:, None, None]).reshape(-1, 2), corners.reshape(-1, 2)]).min(axis=0)
    high = np.concatenate([(ends + radii[:, None, None]).reshape(-1, 2), corners.reshape(-1, 2)]).max(axis=0)
    extent = float((high - low).max())
    if extent > _LARGEST_PX or extent < 0.3:
        return None
    fine = 4 if extent < 90 else (2 if extent < 300 else 1)
    x0, y0 = math.floor(low[0]) - 1, math.floor(low[1]) - 1
    width, height = math.ceil(high[0]) + 1 - x0, math.ceil(high[1]) + 1 - y0
    marks = np.zeros((height * fine, width * fine), np.uint8)
    _draw_capsules(marks, (ends - (x0, y0)) * fine - 0.5, radii * fine, depth)
    light_of = _draw_faces(marks, (corners - (x0, y0)) * fine - 0.5, shape, view, capsules)
    if not marks.any():
        return None
    table = np.concatenate(
        [np.zeros((1, tones.shape[1]), np.float32), tones * light_of[:, None] if tones.shape[1] == 3 else tones]
    )
    light = table[marks]
    alpha = (marks > 0).astype(np.float32)
    rows, columns = np.flatnonzero(alpha.any(axis=1)), np.flatnonzero(alpha.any(axis=0))
    box = (x0 + columns[0] / fine, y0 + rows[0] / fine, x0 + (columns[-1] + 1) / fine, y0 + (rows[-1] + 1) / fine)
    if fine > 1:
        alpha = np.asarray(cv2.resize(alpha, (width, height), interpolation=cv2.INTER_AREA))
        light = np.asarray(cv2.resize(light, (width, height), interpolation=cv2.INTER_AREA))
        light = light.reshape(height, width, -1)
    foot = np.concatenate([shape.ends_m.reshape(-1, 3), shape.faces_m.reshape(-1, 3)])[:, :2].mean(axis=0)
    range_m = float(np.linalg.norm(np.array([*foot, 0.0]) - view.centre_m))
    return Sprite(x0, y0, alpha, light, (float(box[0]), float(box[1]), float(box[2]), float(box[3])), range_m)


def draw_shadow(mask: NDArray[np.uint8], flat: Shape, view: View) -> None:
    """Draw a flattened shape in white on a mask of the image's size."""
    points, depth = view.project(np.concatenate([flat.ends_m.reshape(-1, 3), flat.faces_m.reshape(-1, 3)]))
    if depth.min(initial=np.inf) < 1:
        return
    # Points far outside would overflow the fixed-point coordinates; what lies out there casts nothing into the image.
    fixed = np.round(np.clip(points - 0.5, -20000, 20000) * 8).astype(np.int32)
    count = len(flat.radii_m)
    radii = flat.radii_m * view.camera.focal_px / (depth[: 2 * count : 2] if count else 1.0)
    for (start, end), radius in zip(fixed[: 2 * count].reshape(-1, 2, 2).tolist(), radii.tolist(), strict=True):
        cv2.line(mask, start, end, 255, max(1, round(2 * radius)), cv2.LINE_AA, 3)
    for corners in fixed[2 * count :].reshape(-1, 4, 2):
        cv2.fillConvexPoly(mask, corners, 255, cv2.LINE_AA, 3)


def _draw_capsules(marks: NDArray[np.uint8], ends: Floats, radii: Floats, depth: Floats) -> None:
    """Draw capsules, far ones first, each with its number from 1 on."""
    points = np.round(ends * 8).astype(np.int64)
    for i in np.argsort(-depth.sum(axis=1), kind="stable").tolist():
        (ax, ay), (bx, by) = points[i].tolist()
        if (ax, ay) == (bx, by):
            cv2.circle(marks, (ax, ay), max(4, round(float(radii[i]) * 8)), i + 1, -1, cv2.LINE_8, 3)
        else:
            cv2.line(marks, (ax, ay), (bx, by), i + 1, max(1, round(2 * float(radii[i]))), cv2.LINE_8, 3)


def _draw_faces(marks: NDArray[np.uint8], corners: Floats, shape: Shape, view: View, first: int) -> Singles:
    """Draw the faces that look at the camera in their order; the light on each material by the sun."""
    light = np.ones(len(shape.materials), np.float32)
    if not len(shape.faces_m):
        return light
    a, b, c = shape.faces_m[:, 0], shape.faces_m[:, 1], shape.faces_m[:, 2]
    normals = np.cross(b - a, c - b)
    normals = normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9)
    towards = np.einsum("ij,ij->i", normals, view.centre_m - a) > 0
    light[first:] = 0.55 + 0.5 * np.maximum(0, normals @ _SUN)
    points = np.round(corners * 8).astype(np.int32)
    for i in np.flatnonzero(towards).tolist():
        cv2.fillConvexPoly(marks, points[i], first + i + 1, cv2.LINE_8, 3)
    return light
