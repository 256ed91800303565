"""Elevation of the ground, and where a ray meets it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geo.camera import CameraModel, CameraPose
from geo.errors import TerrainError
from geo.frames import LocalFrame

__all__ = ["FlatTerrain", "GridTerrain", "Terrain", "footprint", "intersect"]

Floats = NDArray[np.float64]


class Terrain(Protocol):
    """Anything that knows the elevation of the ground."""

    @property
    def resolution_m(self) -> float:
        """Distance between samples, metres; infinite for a plane."""
        ...

    def elevation_m(self, lat_deg: ArrayLike, lon_deg: ArrayLike) -> Floats:
        """Elevation, metres AMSL, at points in degrees, broadcast; raises TerrainError outside the data."""
        ...


@dataclass(frozen=True, slots=True)
class FlatTerrain:
    """Ground of one elevation.

    Parameters
    ----------
    amsl_m
        Elevation, metres above mean sea level.
    """

    amsl_m: float = 0.0

    @property
    def resolution_m(self) -> float:
        """Infinite: there is nothing between samples."""
        return math.inf

    def elevation_m(self, lat_deg: ArrayLike, lon_deg: ArrayLike) -> Floats:
        """The one elevation, in the broadcast shape of the inputs."""
        shape = np.broadcast_shapes(np.shape(lat_deg), np.shape(lon_deg))
        return np.full(shape, self.amsl_m)


@dataclass(frozen=True)
class GridTerrain:
    """Elevation on a regular grid of degrees, bilinear between its samples.

    Parameters
    ----------
    heights_m
        Elevations, metres AMSL, shape (rows, columns): row 0 is the northernmost; NaN where there is no data.
    north_deg, west_deg
        Latitude and longitude of the centre of sample (0, 0), degrees.
    step_deg
        Distance between samples, degrees, the same both ways.
    """

    heights_m: Floats
    north_deg: float
    west_deg: float
    step_deg: float

    @property
    def resolution_m(self) -> float:
        """Distance between rows, metres."""
        return self.step_deg * 111_132.0

    @classmethod
    def from_hgt(cls, path: Path) -> GridTerrain:
        """Read an SRTM `.hgt` tile (big-endian 16-bit, square, named by its south-west corner, e.g. N46E008).

        Raises
        ------
        TerrainError
            When the name has no corner in it or the size is not a square of samples.
        """
        name = path.stem.upper()
        try:
            south = int(name[1:3]) * {"N": 1, "S": -1}[name[0]]
            west = int(name[4:7]) * {"E": 1, "W": -1}[name[3]]
        except (KeyError, ValueError, IndexError):
            raise TerrainError(f"{path}: an SRTM tile is named by its south-west corner, as N46E008.hgt") from None
        raw = np.fromfile(path, dtype=">i2")
        side = math.isqrt(raw.size)
        if side < 2 or side * side != raw.size:
            raise TerrainError(f"{path}: {raw.size} samples are not a square: the tile is cut off; fetch it again")
        heights = raw.reshape(side, side).astype(float)
        heights[heights == -32768] = np.nan
        return cls(heights, south + 1.0, float(west), 1.0 / (side - 1))

    def elevation_m(self, lat_deg: ArrayLike, lon_deg: ArrayLike) -> Floats:
        """Bilinear elevation, metres AMSL.

        Raises
        ------
        TerrainError
            For a point outside the grid or next to a void; the message names the first one.
        """
        lat, lon = np.broadcast_arrays(np.asarray(lat_deg, dtype=float), np.asarray(lon_deg, dtype=float))
        row = (self.north_deg - lat) / self.step_deg
        column = (lon - self.west_deg) / self.step_deg
        rows, columns = self.heights_m.shape
        # Half a millionth of a step: corners of a tile computed in floating point belong to it.
        slack = 5e-7
        inside = (row >= -slack) & (row <= rows - 1 + slack) & (column >= -slack) & (column <= columns - 1 + slack)
        r0 = np.clip(np.floor(np.where(inside, row, 0)), 0, rows - 2).astype(int)
        c0 = np.clip(np.floor(np.where(inside, column, 0)), 0, columns - 2).astype(int)
        fr, fc = row - r0, column - c0
        h = self.heights_m
        top = h[r0, c0] * (1 - fc) + h[r0, c0 + 1] * fc
        bottom = h[r0 + 1, c0] * (1 - fc) + h[r0 + 1, c0 + 1] * fc
        result = np.asarray(top * (1 - fr) + bottom * fr)
        bad = np.flatnonzero(~inside | np.isnan(result))
        if bad.size:
            raise TerrainError(
                f"no elevation at {lat.ravel()[bad[0]]:.5f}, {lon.ravel()[bad[0]]:.5f}: add the tile that covers it"
            )
        return result


def intersect(
    frame: LocalFrame, origin_enu: ArrayLike, rays_enu: ArrayLike, terrain: Terrain, max_range_m: float = 5000.0
) -> Floats:
    """First points where rays meet the ground.

    Parameters
    ----------
    frame
        Local frame of `origin_enu` and the result; its heights are AMSL.
    origin_enu
        Start of the rays, metres, shape (3,).
    rays_enu
        Unit directions, shape (n, 3).
    terrain
        The ground.
    max_range_m
        Where to stop looking, metres along the ray.

    Returns
    -------
    ndarray
        Points in ENU, metres, shape (n, 3); NaN for rays that do not meet the ground in range.
    """
    origin = np.asarray(origin_enu, dtype=float)
    rays = np.atleast_2d(np.asarray(rays_enu, dtype=float))

    def clearance(distance: Floats) -> Floats:
        points = origin + distance[:, None] * rays
        lat, lon, height = frame.to_geodetic(*points.T)
        return np.asarray(height - terrain.elevation_m(lat, lon))

    near = np.zeros(len(rays))
    if math.isinf(terrain.resolution_m):
        # One sign change at most, so the whole range is one bracket.
        far = np.full(len(rays), max_range_m)
        hit = clearance(far) <= 0
    else:
        near, far, hit = _march(clearance, len(rays), max_range_m, terrain.resolution_m / 2)
    if (clearance(np.zeros(len(rays))) < 0).any():
        hit[:] = False  # the camera is below the ground: no ray of it means anything
    low, high = clearance(near), clearance(far)
    # Illinois variant of false position: a plane is met in two steps, a slope in a few.
    for _ in range(60):
        span = low - high
        middle = np.where(span > 0, near + (far - near) * low / np.where(span > 0, span, 1.0), near)
        value = clearance(middle)
        below = value <= 0
        high = np.where(below, value, high / 2)
        low = np.where(below, low / 2, value)
        far, near = np.where(below, middle, far), np.where(below, near, middle)
        if np.all(np.abs(value[hit]) < 1e-3):
            break
    points = origin + middle[:, None] * rays
    points[~hit] = np.nan
    return np.asarray(points)


def _march(
    clearance: Callable[[Floats], Floats], count: int, max_range_m: float, step_m: float
) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """Walk all rays outward in equal steps until each is below the ground; return the bracket of each."""
    near, far = np.zeros(count), np.full(count, max_range_m)
    hit = np.zeros(count, dtype=bool)
    steps = np.append(np.arange(step_m, max_range_m, step_m), max_range_m)
    previous = 0.0
    for distance in steps:
        below = (clearance(np.full(count, distance)) <= 0) & ~hit
        near[below], far[below] = previous, distance
        hit |= below
        previous = float(distance)
        if hit.all():
            break
    return near, far, hit


def footprint(camera: CameraModel, pose: CameraPose, terrain: Terrain, max_range_m: float = 5000.0) -> Floats:
    """Corners of what the camera sees on the ground: latitude, longitude in degrees, shape (4, 2).

    Order: top left, top right, bottom right, bottom left of the image. NaN where a corner looks above the horizon or
    beyond `max_range_m`.
    """
    ground = float(terrain.elevation_m(pose.lat_deg, pose.lon_deg))
    frame = LocalFrame(pose.lat_deg, pose.lon_deg, pose.altitude.amsl_m(ground_amsl_m=ground))
    w, h = camera.width_px, camera.height_px
    rays = camera.rays([(0, 0), (w, 0), (w, h), (0, h)]) @ pose.rotation_enu_from_camera().T
    lat, lon, _ = frame.to_geodetic(*intersect(frame, (0, 0, 0), rays, terrain, max_range_m).T)
    return np.stack([lat, lon], axis=-1)
