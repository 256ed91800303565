"""Bushes and rocks of a neighbourhood, projected and drawn all at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from sim.render_figures import obstacle_shape
from sim.render_ground import Obstacle
from sim.render_sprite import View

__all__ = ["Clumps", "draw_clumps"]

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]

_BALLS = 24
_FINE = 2


@dataclass(frozen=True, eq=False)
class Clumps:
    """Obstacles as balls, padded with balls of no size.

    Parameters
    ----------
    obstacles
        The obstacles.
    feet_m, middles_m
        Their foot and their middle, ENU metres, shape (n, 3).
    reach_m
        Radius about the middle that holds all of each, metres, shape (n,).
    balls_m, radii_m, tones
        Centres (n, 24, 3), radii (n, 24), and tones (n, 24, channels) of their balls.
    """

    obstacles: list[Obstacle]
    feet_m: Floats
    middles_m: Floats
    reach_m: Floats
    balls_m: Floats
    radii_m: Floats
    tones: Singles

    @classmethod
    def of(cls, obstacles: list[Obstacle], tones_of: Callable[[int, tuple[str, ...]], Singles]) -> Clumps:
        """The balls of obstacles; `tones_of` gives the tones of an individual's materials."""
        count = len(obstacles)
        balls, radii = np.zeros((count, _BALLS, 3)), np.zeros((count, _BALLS))
        channels = tones_of(0, ("leaf0",)).shape[1]
        tones = np.zeros((count, _BALLS, channels), np.float32)
        for i, obstacle in enumerate(obstacles):
            shape = obstacle_shape(obstacle)
            n = len(shape.radii_m)
            balls[i, :n], radii[i, :n] = shape.ends_m[:, 0], shape.radii_m
            tones[i, :n] = tones_of(obstacle.seed, shape.materials)
        feet = np.array([(o.east_m, o.north_m, 0.0) for o in obstacles]).reshape(-1, 3)
        heights = np.array([o.height_m for o in obstacles])
        middles = feet.copy()
        middles[:, 2] = heights / 2
        reach = np.array([o.radius_m for o in obstacles]) + heights / 2
        return cls(obstacles, feet, middles, reach, balls, radii, tones)

    def in_view(self, view: View, smallest_px: float) -> NDArray[np.int64]:
        """Indices of those that touch the image and are not too small to see, far ones first."""
        pixels, depth = view.project(self.middles_m)
        reach = self.reach_m * view.camera.focal_px / np.maximum(depth, 1.0)
        size = (view.camera.width_px, view.camera.height_px)
        inside = ((pixels > -reach[:, None]) & (pixels < size + reach[:, None])).all(axis=1)
        seen = np.flatnonzero((depth > 1) & inside & (2 * reach > smallest_px))
        ranges = np.linalg.norm(self.feet_m[seen] - view.centre_m, axis=1)
        return seen[np.argsort(-ranges, kind="stable")]


def draw_clumps(picture: Singles, view: View, clumps: Clumps, seen: NDArray[np.int64]) -> None:
    """Draw the obstacles of the given indices over a picture, in that order."""
    if not seen.size:
        return
    pixels, depth = view.project(clumps.balls_m[seen])
    radii = clumps.radii_m[seen] * view.camera.focal_px / depth
    points = np.round((np.clip(pixels, -8000, 8000) * _FINE - 0.5) * 8).astype(np.int64)
    sizes = np.round(radii * _FINE * 8).astype(np.int64)
    height, width = picture.shape[:2]
    # Day tones fit into bytes, which are drawn and shrunk in a third of the time.
    form = np.float32 if picture.ndim == 2 else np.uint8
    fine = np.zeros((height * _FINE, width * _FINE, *picture.shape[2:]), form)
    mask = np.zeros(fine.shape[:2], np.uint8)
    tones = clumps.tones[seen].astype(float)
    order = np.argsort(-depth, axis=1, kind="stable")
    flat = (np.arange(len(seen))[:, None] * _BALLS + order)[np.take_along_axis(sizes, order, 1) > 0]
    centres, sizes = points.reshape(-1, 2)[flat].tolist(), np.maximum(sizes.ravel()[flat], 4).tolist()
    for centre, size, tone in zip(centres, sizes, tones.reshape(-1, tones.shape[-1])[flat].tolist(), strict=True):
        cv2.circle(fine, centre, size, tone, -1, cv2.LINE_8, 3)
        cv2.circle(mask, centre, size, 255, -1, cv2.LINE_8, 3)
    cover = np.asarray(cv2.resize(mask, (width, height), interpolation=cv2.INTER_AREA)).astype(np.float32)
    cover /= np.float32(255)
    picture *= 1 - (cover if picture.ndim == 2 else cover[..., None])
    picture += np.asarray(cv2.resize(fine, (width, height), interpolation=cv2.INTER_AREA))
