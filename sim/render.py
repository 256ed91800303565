"""What a camera sees of a world: an image and the exact box of everything in it.

Frames: world ENU in metres; pixels with (0, 0) at the corner of the image, as in `geo.CameraModel`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from geo import CameraModel, CameraPose
from sim.errors import WorldError
from sim.render_clumps import Clumps, draw_clumps
from sim.render_figures import Shape, actor_shape, obstacle_shape, palette
from sim.render_ground import BASE_M, Ground, Obstacle
from sim.render_sensor import DAY_LOOK, Look, Sensor
from sim.render_sprite import Sprite, View, draw_shadow, rasterise
from sim.world import KINDS, Actor, World

__all__ = ["MODALITIES", "Box", "Rendered", "Renderer"]

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]

MODALITIES = ("thermal", "day")
_BODIES = frozenset({"skin", "hair", "coat", "trousers", "shin", "pack", "fur", "muzzle"})
_FAR_M = 900.0
_MOVED_M = 1.0
_OBSTACLES_FAR_M = 320.0
_MIN_OBSTACLE_PX = 2.0


@dataclass(frozen=True, slots=True)
class Box:
    """Where an actor is in an image.

    Parameters
    ----------
    id, kind
        The actor's.
    x1, y1, x2, y2
        Edges of its whole silhouette, hidden parts included, clipped to the image; pixels.
    visible
        Share of the silhouette that is in the image and that nothing hides, 0 to 1.
    """

    id: int
    kind: str
    x1: float
    y1: float
    x2: float
    y2: float
    visible: float


@dataclass(frozen=True, slots=True)
class Rendered:
    """An image with its truth.

    Parameters
    ----------
    image
        Grey (thermal, white-hot), shape (h, w), or RGB (day), shape (h, w, 3); uint8.
    boxes
        One for each actor of which any part falls into the image, in order of their ids.
    """

    image: NDArray[np.uint8]
    boxes: tuple[Box, ...]


class Renderer:
    """Renders one world for one camera; keeps the ground that it has made.

    Parameters
    ----------
    world
        What there is to see.
    camera
        The camera.
    modality
        "thermal" or "day".
    look
        How the sensor renders; the usual one of the modality by default.
    background
        An image to use in place of the ground: RGB, or grey for thermal, of the camera's size, uint8.
    ground
        Ground to share between renderers of worlds with the same seed, roads and bushes.

    Raises
    ------
    WorldError
        When the modality is unknown or the background does not fit the camera.
    """

    def __init__(
        self,
        world: World,
        camera: CameraModel,
        modality: str = "thermal",
        look: Look | None = None,
        *,
        background: NDArray[np.uint8] | None = None,
        ground: Ground | None = None,
    ) -> None:
        if modality not in MODALITIES:
            raise WorldError(f"modality {modality!r} is unknown: use one of {', '.join(MODALITIES)}")
        size = (camera.height_px, camera.width_px)
        shape = size if modality == "thermal" else (*size, 3)
        if background is not None and background.shape != shape:
            raise WorldError(f"background of shape {background.shape} does not fit the camera: give {shape}")
        self._world = world
        self._frame = world.frame
        self._camera = camera
        self._modality = modality
        self._look = look or (Look() if modality == "thermal" else DAY_LOOK)
        self._background = background
        self._ground = ground or Ground(world.seed, world.roads, world.bushes)
        self._sensor = Sensor(camera.width_px, camera.height_px, self._look, world.seed)
        self._tones = lru_cache(maxsize=8192)(self._make_tones)
        self._clumps = Clumps.of([], self._tones)

    def frame(self, pose: CameraPose, time_us: int) -> Rendered:
        """What the camera sees from a pose at a time, UTC microseconds since the Unix epoch.

        Raises
        ------
        WorldError
            When the camera is not above the ground or looks at or above the horizon with its whole image.
        """
        view = self._view(pose)
        time_s = self._world.seconds(time_us)
        picture = self._picture(view)
        actors = self._actors(view, time_s)
        clumps, seen = self._clumps_in(view)
        if self._look.shade > 0:
            self._cast_shadows(picture, view, [shape for _, shape in actors], clumps, seen)
        draw_clumps(picture, view, clumps, seen)
        sprites: list[tuple[float, Actor | None, Sprite]] = []
        for actor, shape in actors:
            moving = actor.path.length_m > _MOVED_M
            sprite = rasterise(shape, self._tones(actor.seed, shape.materials, moving), view)
            if sprite is not None:
                sprites.append((sprite.range_m, actor, sprite))
        sprites += [(sprite.range_m, None, sprite) for sprite in self._in_front(view, sprites, clumps, seen)]
        sprites.sort(key=lambda entry: -entry[0])
        boxes = _paint(picture, [(actor, sprite) for _, actor, sprite in sprites])
        return Rendered(self._sensor.expose(picture, time_us), tuple(sorted(boxes, key=lambda box: box.id)))

    def _view(self, pose: CameraPose) -> View:
        amsl_m = pose.altitude.amsl_m(ground_amsl_m=self._world.ground_amsl_m)
        east, north, up = self._frame.to_enu(pose.lat_deg, pose.lon_deg, amsl_m)
        if not up > 0:
            raise WorldError(f"camera is {float(up):.1f} m above the ground: it must be above it")
        return View(self._camera, np.array([east, north, up], dtype=float), pose.rotation_enu_from_camera())

    def _picture(self, view: View) -> Singles:
        if self._background is None:
            picture = _warp_ground(self._ground, self._modality, view)
        else:
            picture = self._background.astype(np.float32)
            if self._modality == "thermal":
                picture = (picture - np.float32(self._look.level)) / np.float32(self._look.gain)
        if self._modality == "thermal" and self._look.ground_contrast != 1:
            picture *= np.float32(self._look.ground_contrast)
        return picture

    def _actors(self, view: View, time_s: float) -> list[tuple[Actor, Shape]]:
        """Every actor that may be in the image, with its shape."""
        found = []
        for actor in self._world.actors:
            size = KINDS[actor.kind]
            pixel, depth = view.project(np.array([[*actor.path.at(time_s), size.height_m / 2]]))
            reach = 1.5 * max(size.length_m, size.height_m) * self._camera.focal_px / max(float(depth[0]), 1.0)
            if depth[0] > 1 and self._camera.contains(pixel, -reach)[0]:
                found.append((actor, actor_shape(actor, time_s)))
        return found

    def _clumps_in(self, view: View) -> tuple[Clumps, NDArray[np.int64]]:
        """Bushes and rocks of the neighbourhood, and which of them may be in the image, far ones first."""
        if self._world.bushes <= 0 or self._background is not None:
            return self._clumps, np.zeros(0, np.int64)
        obstacles = self._ground.obstacles(*view.footprint_box(_OBSTACLES_FAR_M))
        if self._clumps.obstacles is not obstacles:
            self._clumps = Clumps.of(obstacles, self._tones)
        return self._clumps, self._clumps.in_view(view, _MIN_OBSTACLE_PX)

    def _in_front(
        self, view: View, sprites: list[tuple[float, Actor | None, Sprite]], clumps: Clumps, seen: NDArray[np.int64]
    ) -> list[Sprite]:
        """Sprites of the bushes and rocks that may hide a part of an actor."""
        found = []
        if sprites and seen.size:
            ranges = np.linalg.norm(clumps.feet_m[seen] - view.centre_m, axis=1)
            pixels, depth = view.project(clumps.middles_m[seen])
            reach = clumps.reach_m[seen] * self._camera.focal_px / depth
            boxes = np.array([sprite.box for _, _, sprite in sprites])
            apart = np.maximum(boxes[:, None, :2] - pixels, pixels - boxes[:, None, 2:]).max(axis=-1)
            near = ((apart < reach) & (np.array([r for r, _, _ in sprites])[:, None] > ranges)).any(axis=0)
            for i in seen[near].tolist():
                shape = _obstacle_shape(clumps.obstacles[i])
                sprite = rasterise(shape, self._tones(clumps.obstacles[i].seed, shape.materials), view)
                if sprite is not None:
                    found.append(sprite)
        return found

    def _make_tones(self, seed: int, materials: tuple[str, ...], moving: bool = False) -> Singles:
        """Tones of a shape's materials, shape (n, channels)."""
        table = palette(seed, self._modality, moving=moving)
        tones = np.stack([table[name] for name in materials])
        if self._modality == "thermal" and self._look.body_contrast != 1:
            bodies = np.array([name in _BODIES for name in materials])
            tones[bodies] *= np.float32(self._look.body_contrast)
        return tones

    def _cast_shadows(
        self, picture: Singles, view: View, shapes: list[Shape], clumps: Clumps, seen: NDArray[np.int64]
    ) -> None:
        """Darken the ground in the shadow of everything that stands on it."""
        mask = np.zeros(picture.shape[:2], np.uint8)
        for shape in shapes + [_obstacle_shape(clumps.obstacles[i]) for i in seen.tolist()]:
            draw_shadow(mask, shape.flattened(self._look.sun), view)
        dark = mask.astype(np.float32) / np.float32(255)
        dark = np.asarray(cv2.GaussianBlur(dark, (0, 0), 0.8)) * np.float32(self._look.shade)
        if self._modality == "thermal":
            picture -= dark
        else:
            picture *= (1 - dark)[..., None]


@lru_cache(maxsize=8192)
def _obstacle_shape(obstacle: Obstacle) -> Shape:
    return obstacle_shape(obstacle)


def _paint(picture: Singles, sprites: list[tuple[Actor | None, Sprite]]) -> list[Box]:
    """Lay sprites, far ones first, over the picture; the boxes of the actors among them."""
    unhidden: list[tuple[Actor, Sprite, Singles]] = []
    for actor, sprite in sprites:
        window = sprite.window(picture.shape)
        if window is None:
            continue
        image, patch = window
        alpha = sprite.alpha[patch]
        cover = alpha if picture.ndim == 2 else alpha[..., None]
        area = picture[image]
        area *= 1 - cover
        area += (sprite.light[..., 0] if picture.ndim == 2 else sprite.light)[patch]
        for _, other, left in unhidden:
            other.cover(left, sprite)
        if actor is not None:
            inside = np.zeros_like(sprite.alpha)
            inside[patch] = alpha
            unhidden.append((actor, sprite, inside))
    height, width = picture.shape[:2]
    boxes = []
    for actor, sprite, left in unhidden:
        x1, y1, x2, y2 = sprite.box
        edges = (max(0.0, x1), max(0.0, y1), min(float(width), x2), min(float(height), y2))
        if edges[2] > edges[0] and edges[3] > edges[1]:
            visible = float(left.sum() / max(float(sprite.alpha.sum()), 1e-6))
            boxes.append(Box(actor.id, actor.kind, *edges, round(min(1.0, visible), 4)))
    return boxes


def _warp_ground(ground: Ground, modality: str, view: View) -> Singles:
    """The ground as the camera sees it, each row from tiles of about its own resolution."""
    camera = view.camera
    height, width = camera.height_px, camera.width_px
    levels = _levels(view)
    low, high = float(levels.min()), float(levels.max())
    wanted = [round((low + high) / 2)] if high - low < 0.9 else list(range(math.floor(low), math.ceil(high) + 1))
    channels = () if modality == "thermal" else (3,)
    total: Singles = np.zeros((height, width, *channels), np.float32)
    for level in wanted:
        weight = np.ones(height) if len(wanted) == 1 else np.clip(1 - np.abs(levels - level), 0, 1)
        rows = np.flatnonzero(weight > 0)
        if not rows.size:
            continue
        top, bottom = int(rows[0]), int(rows[-1]) + 1
        corners = np.array([(0, top), (width, top), (width, bottom), (0, bottom)], dtype=float)
        points = view.on_ground(corners, _FAR_M)
        (west, south), (east, north) = points.min(axis=0), points.max(axis=0)
        res = BASE_M * 2.0**level
        box = (west - 2 * res, east + 2 * res, south - 2 * res, north + 2 * res)
        tiles, left, upper = ground.patch(modality, level, box)
        # Array indices count pixel centres, geo's pixels count from the corner: half a pixel on both sides.
        ground_from_tile = np.array([[res, 0, left + res / 2], [0, -res, upper - res / 2], [0, 0, 1]])
        index_from_pixel = np.array([[1, 0, -0.5], [0, 1, -0.5 - top], [0, 0, 1]])
        matrix = index_from_pixel @ view.pixel_from_ground() @ ground_from_tile
        warped = cv2.warpPerspective(
            tiles, matrix, (width, bottom - top), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        if len(wanted) == 1:
            return np.asarray(warped, np.float32)
        total[top:bottom] += warped * weight[top:bottom].reshape(-1, 1, *(1 for _ in channels)).astype(np.float32)
    return total


def _levels(view: View) -> Floats:
    """Tile level that each row of the image asks for, shape (height,): from 0 up."""
    camera = view.camera
    rows = np.stack([np.full(camera.height_px, camera.width_px / 2), np.arange(camera.height_px) + 0.5], axis=1)
    down = -(camera.rays(rows) @ view.enu_from_camera.T)[:, 2]
    slant = np.minimum(view.centre_m[2] / np.maximum(down, 1e-3), _FAR_M)
    # Along the view the ground is foreshortened by the sine of the depression: the geometric mean of both directions.
    metres = slant / camera.focal_px / np.sqrt(np.maximum(down, 0.02))
    return np.asarray(np.maximum(0.0, np.log2(metres / BASE_M)))
