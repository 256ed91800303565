"""Small objects: parts of a picture are looked at once more, larger, where the distance makes objects small.

A network sees a whole picture scaled to its input. What is far away is then a few pixels wide and missed, although the
picture itself may show it. Cutting every picture into slices finds it (Akyon et al. 2022, arXiv 2202.06934) and costs
as many times the work. Here the pose of the camera says how large a metre of ground is in each part of the picture, and
only those parts are cut out in which an object would be smaller than the network finds; looking down from low, none.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from geo import CameraModel, CameraPose, Datum, Terrain, TerrainError
from vision.detecting import FramesDetector
from vision.errors import ModelError
from vision.records import ModelRef
from vision.types import Detection, Frame

__all__ = ["SliceRule", "SlicingDetector", "Tile", "tiles_for"]

Image = NDArray[np.uint8]
Floats = NDArray[np.float64]

_CELL_PX = 32
_LEAST_DEPRESSION = math.sin(math.radians(10.0))
_EDGE_PX = 2.0
_CONTAINED = 0.8
"""Of two boxes of a kind one is that of a part of the other where this share of the smaller lies in the larger."""


@dataclass(frozen=True, slots=True)
class SliceRule:
    """When and how pictures are sliced.

    Parameters
    ----------
    least_px
        Size at which the network finds an object well, pixels of its input: that of most objects that it was trained
        on. Where one would be smaller the part is enlarged until it has that size.
    object_m
        Size of the smallest object that matters, metres: a person from above and aside.
    most_zoom
        Picture pixels are enlarged by this at most: more shows nothing more.
    most_tiles
        Slices of one picture; where more are wanted they are taken larger, and so less enlarged.
    far_m
        Parts that are farther away are not sliced, metres.

    Raises
    ------
    ModelError
        When a figure is not above 0.
    """

    least_px: float = 8.0
    object_m: float = 1.0
    most_zoom: float = 2.0
    most_tiles: int = 12
    far_m: float = 2000.0

    def __post_init__(self) -> None:
        for name in ("least_px", "object_m", "most_zoom", "most_tiles", "far_m"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0):
                raise ModelError(f"slicing: {name} is {value!r}: give a number above 0")


@dataclass(frozen=True, slots=True)
class Tile:
    """A part of a picture, pixels: from (x, y), `width` by `height`."""

    x: int
    y: int
    width: int
    height: int


class ImageDetector(Protocol):
    """What finds objects in pictures, such as `vision.Detector`."""

    @property
    def model(self) -> ModelRef:
        """Which model it runs."""
        ...

    @property
    def image_size(self) -> int:
        """Longer side of its input, pixels."""
        ...

    def detect(self, images: Sequence[Any]) -> list[list[Detection]]:
        """Detections of each picture; one with `detect_frames` takes frames among them."""
        ...


def tiles_for(frame: Frame, image_size: int, rule: SliceRule, terrain: Terrain | None = None) -> tuple[Tile, ...]:
    """The slices that a frame needs for a network with an input of `image_size` pixels; none without a pose.

    Parameters
    ----------
    frame
        With pose and camera; without `terrain` its height above ground has to follow from itself.
    image_size
        Longer side of the network's input, pixels.
    rule
        When to slice.
    terrain
        The ground; its elevation below the camera is taken for that of the whole picture, which a choice of slices can
        bear.
    """
    width, height = frame.size_px
    above_m = _above_ground_m(frame, terrain)
    if frame.pose is None or frame.camera is None or above_m is None or above_m <= 0:
        return ()
    columns, rows = -(-width // _CELL_PX), -(-height // _CELL_PX)
    sizes = _pixels_a_metre(frame.pose, frame.camera, (width, height), above_m, rule.far_m)
    whole = image_size / max(width, height)
    zoom = np.full((rows, columns), 0.0)
    seen = sizes > 0
    zoom[seen] = rule.least_px / (rule.object_m * sizes[seen])
    small = seen & (zoom > whole * 1.01)
    if not small.any() or whole >= rule.most_zoom:
        return ()
    # The largest enlargement that is asked for anywhere serves all: few parts are wanted, and near each other.
    scale = min(float(zoom[small].max()), rule.most_zoom)
    while True:
        tiles = tuple(_covering(small, (width, height), image_size / scale, rule.object_m * float(sizes[small].max())))
        if len(tiles) <= rule.most_tiles:
            return tiles
        scale *= 0.9
        if scale <= whole * 1.01:
            return ()


class SlicingDetector:
    """A detector that looks once more, larger, where objects are small.

    Parameters
    ----------
    detector
        What finds objects in a picture.
    rule
        When to slice.
    terrain
        The ground, for cameras whose height is above sea level.

    Attributes
    ----------
    frames, sliced, tiles
        Pictures looked at so far, those that were sliced, and slices in all.
    """

    def __init__(self, detector: ImageDetector, rule: SliceRule | None = None, terrain: Terrain | None = None) -> None:
        self._detector, self._rule, self._terrain = detector, rule or SliceRule(), terrain
        self.frames = self.sliced = self.tiles = 0

    @property
    def model(self) -> ModelRef:
        """Which model it runs."""
        return self._detector.model

    def detect(self, images: Sequence[Image]) -> list[list[Detection]]:
        """Detections of pictures without a pose: whole."""
        return self._detector.detect(images)

    def detect_frames(self, frames: Sequence[Frame]) -> list[list[Detection]]:
        """Detections of frames, best first, each object once, in the pixels of the whole picture."""
        cut = [tiles_for(frame, self._detector.image_size, self._rule, self._terrain) for frame in frames]
        parts = [
            np.ascontiguousarray(frame.image[tile.y : tile.y + tile.height, tile.x : tile.x + tile.width])
            for frame, tiles in zip(frames, cut, strict=True)
            for tile in tiles
        ]
        given = frames if isinstance(self._detector, FramesDetector) else [frame.image for frame in frames]
        found = self._detector.detect([*given, *parts])
        self.frames += len(frames)
        self.sliced += sum(bool(tiles) for tiles in cut)
        self.tiles += len(parts)
        out, at = [], len(frames)
        for frame, tiles, whole in zip(frames, cut, found[: len(frames)], strict=True):
            size = frame.size_px
            more = [
                moved
                for tile, own in zip(tiles, found[at : at + len(tiles)], strict=True)
                for moved in _moved(own, tile, size)
            ]
            at += len(tiles)
            out.append(_each_once([*whole, *more]) if more else whole)
        return out


def _above_ground_m(frame: Frame, terrain: Terrain | None) -> float | None:
    """Height of the camera above the ground below it, metres; None where that is not known."""
    pose = frame.pose
    if pose is None:
        return None
    if pose.altitude.datum is Datum.AGL:
        return pose.altitude.metres
    ground = frame.ground_amsl_m
    if terrain is not None:
        try:
            ground = float(terrain.elevation_m(pose.lat_deg, pose.lon_deg))
        except TerrainError:
            return None
    return None if ground is None else float(pose.altitude.amsl_m(ground_amsl_m=ground)) - ground


def _pixels_a_metre(
    pose: CameraPose, camera: CameraModel, size: tuple[int, int], above_m: float, far_m: float
) -> Floats:
    """Pixels that a metre across the line of sight has in each cell of a picture, shape (rows, columns); 0 for none.

    A ray that falls by s a metre meets level ground at the range h / s, where a pixel spans the range over the focal
    length.
    """
    width, height = size
    x, y = np.meshgrid(
        np.minimum(np.arange(0, width, _CELL_PX) + _CELL_PX / 2, width),
        np.minimum(np.arange(0, height, _CELL_PX) + _CELL_PX / 2, height),
    )
    pixels = np.stack([x, y], axis=-1) * (camera.width_px / width, camera.height_px / height)
    fall = -(camera.rays(pixels) @ pose.rotation_enu_from_camera().T)[..., 2]
    ground = fall > _LEAST_DEPRESSION
    range_m = above_m / np.where(ground, fall, 1.0)
    return np.where(ground & (range_m <= far_m), camera.focal_px * (width / camera.width_px) / range_m, 0.0)


def _covering(small: NDArray[np.bool_], size: tuple[int, int], side_px: float, object_px: float) -> Iterator[Tile]:
    """Tiles over the cells of small objects, of a side, overlapping by what an object may be large."""
    width, height = size
    side_x, side_y = (min(math.ceil(side_px), whole) for whole in size)
    rows, columns = np.nonzero(small)
    low = np.array([columns.min(), rows.min()]) * _CELL_PX
    high = np.minimum(np.array([columns.max(), rows.max()]) * _CELL_PX + _CELL_PX, size)
    overlap = math.ceil(2 * object_px) + _CELL_PX // 2
    for y in _starts(int(low[1]), int(high[1]), side_y, overlap, height):
        for x in _starts(int(low[0]), int(high[0]), side_x, overlap, width):
            within = small[y // _CELL_PX : -(-(y + side_y) // _CELL_PX), x // _CELL_PX : -(-(x + side_x) // _CELL_PX)]
            if within.any():
                yield Tile(x, y, side_x, side_y)


def _starts(low: int, high: int, side: int, overlap: int, whole: int) -> list[int]:
    """Where tiles of a side begin that cover a span evenly, within a picture."""
    span = max(high - low, 1)
    step = max(side - overlap, side // 2, 1)
    count = 1 if span <= side else 1 + math.ceil((span - side) / step)
    begins = np.linspace(low, max(high - side, low), count)
    return [int(min(max(round(float(begin)), 0), whole - side)) for begin in begins]


def _moved(found: Sequence[Detection], tile: Tile, size: tuple[int, int]) -> Iterator[Detection]:
    """Detections of a tile in the whole picture; what its edge cuts is left to its neighbour and the whole picture."""
    width, height = size
    for one in found:
        cut = (
            (tile.x > 0 and one.x1 < _EDGE_PX)
            or (tile.y > 0 and one.y1 < _EDGE_PX)
            or (tile.x + tile.width < width and one.x2 > tile.width - _EDGE_PX)
            or (tile.y + tile.height < height and one.y2 > tile.height - _EDGE_PX)
        )
        if not cut:
            yield Detection(one.x1 + tile.x, one.y1 + tile.y, one.x2 + tile.x, one.y2 + tile.y, one.kind, one.score)


def _each_once(found: Sequence[Detection]) -> list[Detection]:
    """The best of all boxes that are of one object: of a kind, and most of the smaller within the larger."""
    ranked = sorted(found, key=lambda one: -one.score)
    boxes = np.array([(one.x1, one.y1, one.x2, one.y2) for one in ranked])
    area = np.maximum((boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]), 1e-9)
    kinds = np.array([one.kind for one in ranked])
    left = np.ones(len(ranked), dtype=bool)
    kept = []
    for k, one in enumerate(ranked):
        if not left[k]:
            continue
        kept.append(one)
        wide = np.minimum(boxes[k, 2], boxes[:, 2]) - np.maximum(boxes[k, 0], boxes[:, 0])
        tall = np.minimum(boxes[k, 3], boxes[:, 3]) - np.maximum(boxes[k, 1], boxes[:, 1])
        inside = np.maximum(wide, 0.0) * np.maximum(tall, 0.0)
        same = (kinds == one.kind) & (
            (inside > _CONTAINED * np.minimum(area, area[k])) | (inside > 0.5 * (area + area[k] - inside))
        )
        left &= ~same
    return kept
