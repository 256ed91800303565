"""Elevation of the ground, and where a ray meets it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geo.bilinear import bilinear, in_pieces
from geo.camera import CameraModel, CameraPose
from geo.errors import TerrainError
from geo.frames import LocalFrame
from geo.hgt import HgtTile
from geo.raster import LAND_M

__all__ = ["MEAN_RADIUS_M", "FlatTerrain", "GridTerrain", "Terrain", "footprint", "intersect"]

Floats = NDArray[np.float64]
Integers = NDArray[np.intp]

_AT_ONCE = 512
"""Points of rays looked up at once."""
MEAN_RADIUS_M = 6_371_009.0
"""Of the earth, (2a + b) / 3 of WGS 84."""


class Terrain(Protocol):
    """Anything that knows the elevation of the ground."""

    @property
    def resolution_m(self) -> float:
        """Distance between samples, metres; infinite for a plane."""
        ...

    def elevation_m(self, lat_deg: ArrayLike, lon_deg: ArrayLike) -> Floats:
        """Elevation, metres AMSL, at points in degrees, broadcast; raises TerrainError outside the data."""
        ...

    def known_elevation_m(self, lat_deg: ArrayLike, lon_deg: ArrayLike) -> Floats:
        """As `elevation_m`, but NaN outside the data; raises TerrainError for what is no place."""
        ...

    def lack(self, lat_deg: float, lon_deg: float) -> str:
        """Of a place without elevation: what is missing there, and what to do."""
        ...


@dataclass(frozen=True, slots=True)
class FlatTerrain:
    """Ground of one elevation.

    Parameters
    ----------
    amsl_m
        Elevation, metres above mean sea level.

    Raises
    ------
    TerrainError
        When the elevation is not finite.
    """

    amsl_m: float = 0.0

    def __post_init__(self) -> None:
        if not math.isfinite(self.amsl_m):
            raise TerrainError(f"flat terrain: amsl_m is {self.amsl_m}: give a finite elevation")

    @property
    def resolution_m(self) -> float:
        """Infinite: there is nothing between samples."""
        return math.inf

    def elevation_m(self, lat_deg: ArrayLike, lon_deg: ArrayLike) -> Floats:
        """The one elevation, in the broadcast shape of the inputs; raises TerrainError for what is not finite."""
        if not (np.isfinite(lat_deg).all() and np.isfinite(lon_deg).all()):
            raise TerrainError("no elevation at a latitude or longitude that is not finite: give finite degrees")
        shape = np.broadcast_shapes(np.shape(lat_deg), np.shape(lon_deg))
        return np.full(shape, self.amsl_m)

    known_elevation_m = elevation_m

    def lack(self, lat_deg: float, lon_deg: float) -> str:
        """Nothing: its elevation is known everywhere."""
        del lat_deg, lon_deg
        return ""


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
        Distance between rows, degrees, and between columns too where `lon_step_deg` is not given.
    lon_step_deg
        Distance between columns, degrees.

    Raises
    ------
    TerrainError
        When the grid is smaller than 2 by 2, or a figure is not finite or a step not above zero.
    """

    heights_m: Floats
    north_deg: float
    west_deg: float
    step_deg: float
    lon_step_deg: float | None = None

    def __post_init__(self) -> None:
        heights = np.ascontiguousarray(self.heights_m)
        if heights.ndim != 2 or min(heights.shape) < 2:
            raise TerrainError(f"grid of elevations: heights_m has the shape {heights.shape}: give at least 2 by 2")
        object.__setattr__(self, "heights_m", heights)
        for name in ("north_deg", "west_deg", "step_deg", "lon_step_deg"):
            value = getattr(self, name)
            if value is not None and not (math.isfinite(value) and ("step" not in name or value > 0)):
                raise TerrainError(f"grid of elevations: {name} is {value}: give a finite figure, steps above zero")

    @property
    def resolution_m(self) -> float:
        """Distance between samples, metres: the finer of both steps, as degrees of latitude."""
        return min(self.step_deg, self.lon_step_deg or self.step_deg) * 111_132.0

    @classmethod
    def from_hgt(cls, path: Path) -> GridTerrain:
        """Read an SRTM `.hgt` tile (big-endian 16-bit, named by its south-west corner, e.g. N46E008) into memory.

        Raises
        ------
        TerrainError
            When the name has no corner in it or the size is not that of a tile.
        """
        tile = HgtTile(path)
        samples = tile.load(0, 0)
        heights = samples.astype(float)
        heights[(samples == tile.void) | (heights < LAND_M[0]) | (heights > LAND_M[1])] = np.nan
        _, west, north, _ = tile.bounds
        return cls(heights, north, west, 1.0 / tile.block_rows, 1.0 / tile.block_columns)

    def elevation_m(self, lat_deg: ArrayLike, lon_deg: ArrayLike) -> Floats:
        """Bilinear elevation, metres AMSL.

        Raises
        ------
        TerrainError
            For a point that is not a place, outside the grid or next to a void; the message names the first one.
        """
        result = self.known_elevation_m(lat_deg, lon_deg)
        bad = np.isnan(result)
        if bad.any():
            raise TerrainError(f"{_first(bad, lat_deg, lon_deg)}: {self.lack(0.0, 0.0)}")
        return result

    def known_elevation_m(self, lat_deg: ArrayLike, lon_deg: ArrayLike) -> Floats:
        """As `elevation_m`, but NaN outside the grid and next to a void; raises TerrainError for what is no place."""
        result = in_pieces(self._look_up, lat_deg, lon_deg)
        none = np.isnan(result)
        if none.any():
            nowhere = none & ~(np.isfinite(lat_deg) & np.isfinite(lon_deg))
            if nowhere.any():
                raise TerrainError(f"{_first(nowhere, lat_deg, lon_deg)}: give finite degrees")
        return result

    def lack(self, lat_deg: float, lon_deg: float) -> str:
        """Of a place without elevation: what to do about it."""
        del lat_deg, lon_deg
        return "add the tile that covers it"

    def _look_up(self, lat: Floats, lon: Floats) -> Floats:
        step = self.lon_step_deg or self.step_deg
        east = lon - self.west_deg
        # A whole turn more or less is the same place; the tolerance of the west edge stays west.
        if east.size and (east.min() < -step or east.max() >= 360.0 - step):
            with np.errstate(invalid="ignore"):
                east = east - 360.0 * np.floor((east + step) / 360.0)
        return bilinear(self.heights_m, (self.north_deg - lat) / self.step_deg, east / step)


def _first(bad: NDArray[np.bool_], lat_deg: ArrayLike, lon_deg: ArrayLike) -> str:
    """That there is no elevation at the first of some points."""
    lat, lon = np.broadcast_arrays(np.asarray(lat_deg, dtype=float), np.asarray(lon_deg, dtype=float))
    first = int(np.argmax(bad.ravel()))
    return f"no elevation at {lat.ravel()[first]:.5f}, {lon.ravel()[first]:.5f}"


def intersect(
    frame: LocalFrame,
    origin_enu: ArrayLike,
    rays_enu: ArrayLike,
    terrain: Terrain,
    max_range_m: float = 5000.0,
    *,
    voids: bool = False,
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
    voids
        Whether a ray may come over ground whose elevation is unknown. It ends there, since nobody knows whether it
        meets it.

    Returns
    -------
    ndarray
        Points in ENU, metres, shape (n, 3); NaN for rays that do not meet the ground in range.

    Raises
    ------
    TerrainError
        When a ray comes over ground whose elevation is unknown, unless `voids` are allowed.
    """
    elevation_m = terrain.known_elevation_m if voids else terrain.elevation_m
    origin = np.asarray(origin_enu, dtype=float)
    rays = np.atleast_2d(np.asarray(rays_enu, dtype=float))

    def clearance(which: Integers, distance: Floats) -> Floats:
        points = origin + distance[:, None] * rays[which]
        lat, lon, height = frame.to_geodetic(*points.T)
        return np.asarray(height - elevation_m(lat, lon))

    every = np.arange(len(rays))
    result = np.full((len(rays), 3), np.nan)
    above = float(clearance(every[:1], np.zeros(1))[0]) if len(rays) else 0.0
    if not len(rays) or above < 0:
        return result  # the camera is below the ground: no ray of it means anything
    if math.isinf(terrain.resolution_m):
        at = _level(clearance, rays[:, 2], above, max_range_m)
        return np.asarray(origin + at[:, None] * rays, dtype=np.float64)
    near, far, hit = _march(clearance, len(rays), max_range_m, terrain.resolution_m / 2)
    which = np.flatnonzero(hit)
    if not which.size:
        return result
    near, far = near[which], far[which]
    low, high = clearance(which, near), clearance(which, far)
    middle, value = near, low
    # Illinois variant of false position: a slope is met in a few steps.
    for _ in range(60):
        span = low - high
        middle = np.where(span > 0, near + (far - near) * low / np.where(span > 0, span, 1.0), near)
        value = clearance(which, middle)
        below = value <= 0
        high = np.where(below, value, high / 2)
        low = np.where(below, low / 2, value)
        far, near = np.where(below, middle, far), np.where(below, near, middle)
        if not np.any(np.abs(value) >= 1e-3):
            break
    met = which[~np.isnan(value)]
    result[met] = origin + middle[~np.isnan(value), None] * rays[met]
    return result


def _level(clearance: Callable[[Integers, Floats], Floats], rise: Floats, above_m: float, max_range_m: float) -> Floats:
    """Distances, metres, at which rays that rise by `rise` a metre meet level ground; NaN beyond the range.

    Where the ground falls away as a sphere does, a ray is ``above + rise t + (1 - rise²) t² / 2R`` over it. The first
    root of that is near the ellipsoid's, and Newton's steps from there end it.
    """
    bend = (1.0 - rise**2) / (2.0 * MEAN_RADIUS_M)
    with np.errstate(invalid="ignore", divide="ignore"):
        at = 2.0 * above_m / (np.sqrt(rise**2 - 4.0 * bend * above_m) - rise)
    at[~((rise < 0) & (at <= 1.01 * max_range_m))] = np.nan
    for _ in range(10):
        which = np.flatnonzero((at >= 0) & (at <= 2.0 * max_range_m))
        value = clearance(which, at[which])
        with np.errstate(divide="ignore"):
            at[which] -= value / (rise[which] + 2.0 * bend[which] * at[which])
        if np.all(np.abs(value) < 1e-3):
            break
    # A ray that all but touches the ground has no definite end: what the steps have not brought onto it is none.
    left = np.flatnonzero((at >= 0) & (at <= max_range_m))
    met = left[np.abs(clearance(left, at[left])) < 1e-3]
    out = np.full(len(at), np.nan)
    out[met] = at[met]
    return out


def _march(
    clearance: Callable[[Integers, Floats], Floats], count: int, max_range_m: float, step_m: float
) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """Walk rays outward in equal steps until each is below the ground; return the bracket of each, and which meet it.

    A ray over unknown ground ends there. Several steps at once, so that few rays are as quick a step as many; one at a
    time where that leaves the data.
    """
    near, far = np.zeros(count), np.full(count, max_range_m)
    hit, over = np.zeros(count, dtype=bool), np.zeros(count, dtype=bool)
    steps = np.append(np.arange(step_m, max_range_m, step_m), max_range_m)
    done = 0
    while done < len(steps) and not over.all():
        on = np.flatnonzero(~over)
        ahead = steps[done : done + max(1, _AT_ONCE // len(on))]
        try:
            cleared = _cleared(clearance, on, ahead)
        except TerrainError:
            ahead = ahead[:1]
            cleared = _cleared(clearance, on, ahead)
        ends = ~(cleared > 0)
        ended = ends.any(axis=1)
        at = np.argmax(ends, axis=1)[ended]
        first = done + at
        far[on[ended]] = steps[first]
        near[on[ended]] = np.where(first > 0, steps[first - 1], 0.0)
        hit[on[ended]] = ~np.isnan(cleared[ended, at])
        over[on[ended]] = True
        done += len(ahead)
    return near, far, hit


def _cleared(clearance: Callable[[Integers, Floats], Floats], which: Integers, steps: Floats) -> Floats:
    """How far rays are above the ground at each of some distances, metres, shape (rays, steps); NaN where unknown."""
    cleared = clearance(np.repeat(which, len(steps)), np.tile(steps, len(which)))
    return np.asarray(cleared.reshape(len(which), len(steps)))


def footprint(camera: CameraModel, pose: CameraPose, terrain: Terrain, max_range_m: float = 5000.0) -> Floats:
    """Corners of what the camera sees on the ground: latitude, longitude in degrees, shape (4, 2).

    Order: top left, top right, bottom right, bottom left of the image. NaN where a corner looks above the horizon or
    beyond `max_range_m`, or a distorted lens shows nothing there.
    """
    ground = float(terrain.elevation_m(pose.lat_deg, pose.lon_deg))
    frame = LocalFrame(pose.lat_deg, pose.lon_deg, pose.altitude.amsl_m(ground_amsl_m=ground))
    w, h = camera.width_px, camera.height_px
    rays = camera.rays([(0, 0), (w, 0), (w, h), (0, h)]) @ pose.rotation_enu_from_camera().T
    points = np.full((4, 3), np.nan)
    there = ~np.isnan(rays[:, 0])
    points[there] = intersect(frame, (0, 0, 0), rays[there], terrain, max_range_m)
    lat, lon, _ = frame.to_geodetic(*points.T)
    return np.stack([lat, lon], axis=-1)
