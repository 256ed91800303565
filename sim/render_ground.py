"""Ground as seen from above: a texture locked to the world, made tile by tile, each tile at the resolution asked for.

Noise is a sum of octaves of value noise on lattices whose values are hashes of their world coordinates, so that any
tile of any resolution shows the same ground; octaves finer than a pixel are left out, which is what keeps distant
ground from flickering.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from sim.world import Road

__all__ = ["BASE_M", "TILE_PX", "Ground", "Obstacle"]

Singles = NDArray[np.float32]
Floats = NDArray[np.float64]

TILE_PX = 512
BASE_M = 0.05
"""Resolution of level 0, metres a pixel; each level doubles it."""
_KEPT_TILES = 64
_CELL_M = 4.0
_BLOCK_M = 16 * _CELL_M
_SPECK_CELL_M = 1.6

_SOIL = np.array([176.0, 152.0, 122.0], np.float32)
_DRY_SOIL = np.array([205.0, 188.0, 160.0], np.float32)
_GRASS = np.array([112.0, 116.0, 74.0], np.float32)
_ROAD = np.array([214.0, 200.0, 178.0], np.float32)


@dataclass(frozen=True, slots=True)
class Obstacle:
    """A bush or a rock: a clump on the ground that can hide what is behind it.

    Parameters
    ----------
    east_m, north_m
        Its middle, metres.
    radius_m, height_m
        Its size, metres.
    material
        "leaf" or "rock".
    seed
        Chooses its shape.
    """

    east_m: float
    north_m: float
    radius_m: float
    height_m: float
    material: str
    seed: int


def _hash(seed: int, x: NDArray[np.int64], y: NDArray[np.int64]) -> Singles:
    """Uniform numbers in [0, 1) for integer coordinates (the finaliser of SplitMix64 over a linear mix)."""
    with np.errstate(over="ignore"):
        h = (
            x.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
            ^ y.astype(np.uint64) * np.uint64(0xC2B2AE3D27D4EB4F)
            ^ np.uint64((seed * 0x165667B19E3779F9) & 0xFFFFFFFFFFFFFFFF)
        )
        h = (h ^ (h >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        h = (h ^ (h >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        h ^= h >> np.uint64(31)
    return np.asarray((h >> np.uint64(40)).astype(np.float32) / np.float32(1 << 24))


def _weights(start: float, step: float, count: int) -> tuple[int, Singles]:
    """First lattice index and the matrix (count, lattice points) of a cubic B-spline at start + i * step."""
    at = start + step * np.arange(count)
    cell = np.floor(at).astype(int)
    f = (at - cell).astype(np.float32)
    first = int(cell[0]) - 1
    matrix = np.zeros((count, int(cell[-1]) - first + 3), np.float32)
    rows = np.arange(count)
    spline = ((1 - f) ** 3, 3 * f**3 - 6 * f**2 + 4, -3 * f**3 + 3 * f**2 + 3 * f + 1, f**3)
    for offset, weight in enumerate(spline):
        matrix[rows, cell - first - 1 + offset] = weight / 6
    return first, matrix


def _octave(seed: int, wavelength_m: float, west_m: float, north_m: float, res_m: float) -> Singles:
    """One octave of noise on a tile, about unit variance; the tile's north-west corner is given."""
    period = wavelength_m / res_m
    if period >= 32 or period != round(period):
        ix, across = _weights(west_m / wavelength_m + 0.5 / period, 1 / period, TILE_PX)
        iy, down = _weights(-north_m / wavelength_m + 0.5 / period, 1 / period, TILE_PX)
        return _product(_product(down, _lattice(seed, ix, iy, across.shape[1], down.shape[1])), across.T)
    # The lattice repeats every few pixels: one small matrix serves all cells.
    phases, cells = round(period), TILE_PX // round(period)
    _, kernel = _weights(0.5 / period, 1 / period, phases)
    ix, iy = (round(v / wavelength_m) - 1 for v in (west_m, -north_m))
    lattice = _lattice(seed, ix, iy, cells + 3, cells + 3)
    rows = _product(kernel, np.stack([lattice[k : k + cells].ravel() for k in range(4)]))
    rows = rows.reshape(phases, cells, -1).transpose(1, 0, 2).reshape(TILE_PX, cells + 3)
    both = _product(kernel, np.stack([rows[:, k : k + cells].ravel() for k in range(4)]))
    return np.asarray(both.reshape(phases, TILE_PX, cells).transpose(1, 2, 0).reshape(TILE_PX, TILE_PX))


def _product(a: Singles, b: Singles) -> Singles:
    """The matrix product without the threads of BLAS, which fight over the cores when several processes render."""
    return np.asarray(cv2.gemm(np.ascontiguousarray(a), np.ascontiguousarray(b), 1.0, None, 0.0))


def _lattice(seed: int, ix: int, iy: int, columns: int, rows: int) -> Singles:
    x, y = np.meshgrid(np.arange(ix, ix + columns), np.arange(iy, iy + rows))
    return (_hash(seed, x, y) - np.float32(0.5)) * np.float32(6.9)  # a B-spline of U(-.5, .5) has deviation .145


def _fractal(seed: int, span_m: tuple[float, float], gain: float, corner: tuple[float, float], res_m: float) -> Singles:
    """Octaves over the `span_m` of wavelengths, coarse to fine (or two pixels), amplitudes falling by `gain`."""
    total = np.zeros((TILE_PX, TILE_PX), np.float32)
    (wavelength, finest_m), amplitude, power, index = span_m, 1.0, 0.0, 0
    while wavelength >= finest_m:
        if wavelength >= 2.4 * res_m:
            total += np.float32(amplitude) * _octave(seed * 131 + index, wavelength, *corner, res_m)
        power += amplitude**2
        wavelength, amplitude, index = wavelength / 2, amplitude * gain, index + 1
    return total / np.float32(math.sqrt(power))


def _step(value: Singles, middle: float, width: float) -> Singles:
    """A smooth step from 0 to 1 about `middle`."""
    t = np.clip((value - np.float32(middle - width / 2)) / np.float32(width), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)


class Ground:
    """Texture and vegetation of flat ground, cached by tile.

    Parameters
    ----------
    seed
        Chooses the ground.
    roads
        Tracks to draw on it.
    bushes
        Share of the usual density of vegetation and rocks.
    """

    def __init__(self, seed: int, roads: tuple[Road, ...] = (), bushes: float = 1.0) -> None:
        self._seed = seed
        self.roads = roads
        self.bushes = bushes
        self._tiles: OrderedDict[tuple[str, int, int, int], NDArray[np.generic]] = OrderedDict()
        self._blocks: dict[tuple[int, int], tuple[Obstacle, ...]] = {}
        self._near: tuple[tuple[range, range], list[Obstacle]] | None = None
        self._patch: tuple[tuple[object, ...], NDArray[np.generic]] | None = None

    def patch(
        self, modality: str, level: int, box: tuple[float, float, float, float]
    ) -> tuple[NDArray[np.generic], float, float]:
        """The ground that covers a box (west, east, south, north), the east of its left edge, the north of its top.

        All in metres. Thermal ground is float32 in units of the contrast of a person, 0 for its mean; day ground is
        uint8 RGB.
        """
        west, east, south, north = box
        side = TILE_PX * BASE_M * 2**level
        columns = range(math.floor(west / side), math.floor(east / side) + 1)
        rows = range(math.floor(-north / side), math.floor(-south / side) + 1)
        key = (modality, level, columns, rows)
        if self._patch is None or self._patch[0] != key:
            tiles = [[self._tile(modality, level, c, r) for c in columns] for r in rows]
            self._patch = (key, np.concatenate([np.concatenate(row, axis=1) for row in tiles], axis=0))
        return self._patch[1], columns[0] * side, -rows[0] * side

    def obstacles(self, west: float, east: float, south: float, north: float) -> list[Obstacle]:
        """Bushes and rocks of the blocks that touch a box, metres, in a fixed order; one list for the same blocks."""
        columns = range(math.floor(west / _BLOCK_M), math.floor(east / _BLOCK_M) + 1)
        rows = range(math.floor(south / _BLOCK_M), math.floor(north / _BLOCK_M) + 1)
        if self._near is None or self._near[0] != (columns, rows):
            found = [obstacle for row in rows for column in columns for obstacle in self._block(column, row)]
            self._near = ((columns, rows), found)
        return self._near[1]

    def _block(self, column: int, row: int) -> tuple[Obstacle, ...]:
        """What stands in a block: nothing mostly, bushes in groups, rarely a rock."""
        if (column, row) in self._blocks:
            return self._blocks[column, row]
        x, y = (a.ravel() for a in np.meshgrid(column * 16 + np.arange(16), row * 16 + np.arange(16)))
        chance, kind, east, north, size, tall = (
            _hash(self._seed * 7919 + 17 + i, x, y).astype(float) for i in range(6)
        )
        group = _hash(self._seed * 7919 + 5, x // 4, y // 4)
        at = np.stack([(x + east) * _CELL_M, (y + north) * _CELL_M], axis=1)
        keep = (chance < self.bushes * (0.28 * group**2 + 0.015)) & ~self._on_road(at)
        found = []
        for i in np.flatnonzero(keep).tolist():
            seed = (int(x[i]) * 73856093 ^ int(y[i]) * 19349663 ^ self._seed) & 0x7FFFFFFF
            place = (float(at[i, 0]), float(at[i, 1]))
            if kind[i] < 0.18:
                radius = 0.2 + 0.45 * float(size[i]) ** 2
                found.append(Obstacle(*place, radius, 0.15 + 0.4 * float(size[i] * tall[i]), "rock", seed))
            else:
                radius = 0.4 + 1.5 * float(size[i]) ** 2
                found.append(Obstacle(*place, radius, radius * (0.8 + 0.8 * float(tall[i])), "leaf", seed))
        self._blocks[column, row] = tuple(found)
        return self._blocks[column, row]

    def _on_road(self, at: Floats) -> NDArray[np.bool_]:
        """Whether points, shape (n, 2), lie on a road or within a metre of one."""
        inside = np.zeros(len(at), bool)
        for road in self.roads:
            start, step = road.points_m[:-1], np.diff(road.points_m, axis=0)
            relative = at[:, None, :] - start
            share = np.clip(np.einsum("nij,ij->ni", relative, step) / np.einsum("ij,ij->i", step, step), 0, 1)
            away = np.linalg.norm(relative - share[..., None] * step, axis=-1).min(axis=1)
            inside |= away < road.width_m / 2 + 1
        return inside

    def _tile(self, modality: str, level: int, column: int, row: int) -> NDArray[np.generic]:
        key = (modality, level, column, row)
        if key in self._tiles:
            self._tiles.move_to_end(key)
            return self._tiles[key]
        while len(self._tiles) >= _KEPT_TILES:
            self._tiles.popitem(last=False)
        res = BASE_M * 2**level
        corner = (column * TILE_PX * res, -row * TILE_PX * res)
        self._tiles[key] = self._thermal(corner, res) if modality == "thermal" else self._day(corner, res)
        return self._tiles[key]

    def _layers(self, corner: tuple[float, float], res_m: float) -> tuple[Singles, Singles, Singles, Singles, Singles]:
        """Broad variation, grass (0 to 1), grain, road (0 to 1) and specks (-1 to 1) of a tile."""
        broad = _fractal(self._seed + 1, (51.2, 0.8), 0.55, corner, res_m)
        clump = _fractal(self._seed + 2, (25.6, 0.4), 0.62, corner, res_m)
        grain = _fractal(self._seed + 3, (1.6, 0.2), 0.85, corner, res_m)
        grass = _step(clump, 0.35, 0.5)
        road = _step(self._road_mask(corner, res_m) + 0.12 * clump, 0.5, 0.25)
        specks = self._specks(corner, res_m) * (1 - road)
        return broad, grass * (1 - road), grain, road, specks

    def _thermal(self, corner: tuple[float, float], res_m: float) -> Singles:
        broad, grass, grain, road, specks = self._layers(corner, res_m)
        rough = 1 - 0.7 * road
        tile = (
            0.13 * broad * rough + 0.035 * grain * rough - grass * (0.14 + 0.05 * grain) + 0.24 * road + 0.22 * specks
        )
        return np.asarray(tile + 0.02, np.float32)

    def _day(self, corner: tuple[float, float], res_m: float) -> NDArray[np.uint8]:
        broad, grass, grain, road, specks = (layer[..., None] for layer in self._layers(corner, res_m))
        colour = _SOIL + (_DRY_SOIL - _SOIL) * np.clip(0.4 + 0.35 * broad, 0, 1)
        colour = colour + (_GRASS - colour) * 0.85 * grass
        colour = colour + (_ROAD - colour) * 0.8 * road
        light = 1 + 0.05 * broad + (0.07 - 0.04 * road) * grain + 0.35 * specks
        return np.asarray(np.clip(colour * light, 0, 255), np.uint8)

    def _road_mask(self, corner: tuple[float, float], res_m: float) -> Singles:
        """1 on roads, falling through 0.5 at their edges."""
        mask = np.zeros((TILE_PX, TILE_PX), np.uint8)
        for road in self.roads:
            pixels = np.stack([road.points_m[:, 0] - corner[0], corner[1] - road.points_m[:, 1]], 1) / res_m - 0.5
            near = np.round(np.clip(pixels * 16, -(2**24), 2**24)).astype(np.int32)
            cv2.polylines(
                mask, [near], isClosed=False, color=255, thickness=max(1, round(road.width_m / res_m)), shift=4
            )
        blur = max(0.6, 0.25 / res_m)
        return np.asarray(cv2.GaussianBlur(mask.astype(np.float32) / 255, (0, 0), blur))

    def _specks(self, corner: tuple[float, float], res_m: float) -> Singles:
        """Stones and tufts too low to hide anything: dots of 0.1 to 0.4 m, light and dark."""
        if res_m > 0.4 or self.bushes <= 0:
            return np.zeros((TILE_PX, TILE_PX), np.float32)
        span = TILE_PX * res_m
        columns = np.arange(
            math.floor(corner[0] / _SPECK_CELL_M) - 1, math.ceil((corner[0] + span) / _SPECK_CELL_M) + 1
        )
        rows = np.arange(math.floor((corner[1] - span) / _SPECK_CELL_M) - 1, math.ceil(corner[1] / _SPECK_CELL_M) + 1)
        x, y = (a.ravel() for a in np.meshgrid(columns, rows))
        chance, east, north, size, tone = (_hash(self._seed * 31 + 101 + i, x, y) for i in range(5))
        keep = chance < 0.22 * self.bushes
        pixels = np.stack(
            [
                ((x + east) * _SPECK_CELL_M - corner[0]) / res_m - 0.5,
                (corner[1] - (y + north) * _SPECK_CELL_M) / res_m - 0.5,
            ],
            axis=1,
        )[keep]
        radius = ((0.06 + 0.28 * size[keep] ** 3) / res_m).astype(float)
        dots = np.full((TILE_PX, TILE_PX), 128, np.uint8)
        for (px, py), r, value in zip(np.round(pixels * 16).astype(int).tolist(), radius, tone[keep], strict=True):
            # A dot smaller than a pixel keeps its share of light: full radius, fainter.
            grey = 128 + (float(value) - 0.62) * 200 * min(1.0, (r / 0.7) ** 2)
            cv2.circle(dots, (px, py), round(max(r, 0.7) * 16), round(min(255, max(0, grey))), -1, cv2.LINE_AA, 4)
        return np.asarray((cv2.GaussianBlur(dots, (0, 0), 0.7).astype(np.float32) - 128) / 128)
