"""Training batches that are put together on the device that trains.

A small network on a large GPU is fed more slowly by the processor's cores than it learns. Here the images lie on the
device as bytes; mosaics, scale, shift, flips, light and colour are made there, and the cores are free. Their lists are
read anew at the start of each epoch, so that images that are rendered meanwhile are trained on too.

A training image shows one tile, or four in a mosaic whose corners meet at a point. Each tile comes into it by
``out = scale * flip * in + offset``: boxes stay upright.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from vision.errors import VisionError
from vision.training_data import CLASSES, read_labels

__all__ = ["Blend", "DeviceBatches", "Panes", "boxes_in", "lay_out"]

Floats = npt.NDArray[np.float64]

_GREY = 114
_SHIFT = 0.1  # of the side
_SATURATION, _LIGHT = 0.5, 0.4  # most that colours and brightness are changed by, as shares
_LEAST_VISIBLE = 0.25  # a box of which less is in its part of the image is not learned
_LEAST_SIDE_PX = 2.0
_READERS = 4


@dataclass(frozen=True)
class Blend:
    """How tiles become training images.

    Attributes
    ----------
    size : int
        Side of the training image, px.
    mosaic : float
        Chance that it is put together from four tiles.
    zoom : float
        Each is scaled by ``1 - zoom`` to ``1 + zoom``.
    """

    size: int = 640
    mosaic: float = 0.5
    zoom: float = 0.5


@dataclass(frozen=True)
class Panes:
    """Tiles in training images: one row for each.

    Attributes
    ----------
    image : ndarray of int, shape (n,)
        The training image that it is part of.
    tile : ndarray of int, shape (n,)
        The tile.
    scale : ndarray, shape (n, 2)
        Pixels to one pixel of the tile along x and y; negative where it is flipped.
    offset : ndarray, shape (n, 2)
        Where its first corner comes to lie, px.
    part : ndarray, shape (n, 4)
        The part of the training image that it may fill: x1, y1, x2, y2, px.
    """

    image: npt.NDArray[np.int64]
    tile: npt.NDArray[np.int64]
    scale: Floats
    offset: Floats
    part: Floats


def lay_out(
    tiles: npt.NDArray[np.int64], sizes: npt.NDArray[np.int64], blend: Blend, rng: np.random.Generator
) -> Panes:
    """Choose how the tiles of a batch are laid out, as ultralytics' mosaic, scaling, shift and flips would.

    Parameters
    ----------
    tiles : ndarray of int, shape (batch, 4)
        Tiles for each training image; the last three are for a mosaic.
    sizes : ndarray of int, shape (all tiles, 2)
        Width and height of every tile, px.
    blend : Blend
    rng : Generator
    """
    count, side = len(tiles), blend.size
    four = rng.random(count) < blend.mosaic
    image, place = np.nonzero(np.c_[np.ones(count, np.bool_), np.repeat(four[:, None], 3, axis=1)])
    zoom = rng.uniform(1 - blend.zoom, 1 + blend.zoom, (count, 1))
    middle = side / 2 + side * rng.uniform(-_SHIFT, _SHIFT, (count, 2))
    meet = np.clip(middle + zoom * rng.uniform(-side / 2, side / 2, (count, 2)), 0, side)[image]
    tile, joined = tiles[image, place], four[image][:, None]
    extent = sizes[tile] * zoom[image]
    beyond = np.stack([place % 2, place // 2], axis=1) == 1  # right of where they meet; below it
    start = np.where(joined, np.where(beyond, meet, meet - extent), middle[image] - extent / 2)
    low = np.where(joined & beyond, meet, 0.0)
    high = np.where(joined & ~beyond, meet, float(side))
    flip = np.where(rng.random((len(image), 2)) < 0.5, -1.0, 1.0)
    return Panes(image, tile, flip * zoom[image], np.where(flip > 0, start, start + extent), np.c_[low, high])


def boxes_in(panes: Panes, labels: Sequence[Floats]) -> Floats:
    """Labels of the training images of a batch.

    Parameters
    ----------
    panes : Panes
    labels : sequence of ndarray, shape (n, 5)
        For every tile: class, then x1, y1, x2, y2 in its pixels.

    Returns
    -------
    ndarray, shape (n, 6)
        Training image, class, x1, y1, x2, y2 in pixels; those cut off too far are left out.
    """
    shown_in = np.repeat(np.arange(len(panes.tile)), [len(labels[tile]) for tile in panes.tile.tolist()])
    mine = np.concatenate([np.empty((0, 5)), *(labels[tile] for tile in panes.tile.tolist())])
    ends = mine[:, 1:].reshape(-1, 2, 2) * panes.scale[shown_in, None] + panes.offset[shown_in, None]
    low, high = ends.min(axis=1), ends.max(axis=1)
    part = panes.part[shown_in]
    cut_low, cut_high = (np.clip(one, part[:, :2], part[:, 2:]) for one in (low, high))
    shown = cut_high - cut_low
    kept = (shown.min(axis=1) >= _LEAST_SIDE_PX) & (shown.prod(axis=1) >= _LEAST_VISIBLE * (high - low).prod(axis=1))
    return np.asarray(np.c_[panes.image[shown_in], mine[:, :1], cut_low, cut_high][kept], np.float64)


class DeviceBatches:
    """Batches in the form that the trainer of ultralytics takes, without end in number of epochs.

    Parameters
    ----------
    mix : Mapping of Path to float
        Lists of tiles, as `prepare` writes them, to how often an epoch shows each tile on average.
    root : Path
        What the names in the lists are relative to.
    batch : int
        Images a batch.
    blend : Blend
    device : torch.device or str
    seed : int

    Raises
    ------
    VisionError
        A list names no image, or an image cannot be read or is larger than the training image.
    """

    drop_last = True
    num_workers = 0

    def __init__(
        self, mix: Mapping[Path, float], root: Path, *, batch: int, blend: Blend, device: Any, seed: int
    ) -> None:
        import torch  # noqa: PLC0415 - the extra is large; only training needs it

        self._torch, self._mix, self._root, self._blend, self._device = torch, mix, root, blend, device
        self.batch_size = batch
        self._rng = np.random.default_rng(seed)
        self._pixels: list[Any] = []  # of each tile, uint8 on the device, shape (3, side, side)
        self._known: dict[str, int] = {}
        self._labels: list[Floats] = []
        self._sizes = np.zeros((0, 2), np.int64)
        self._chance = np.zeros(0)
        self.read()
        self._steps = math.ceil(float(self._chance.sum()) / batch)

    def __len__(self) -> int:
        return self._steps

    @property
    def dataset(self) -> Sequence[Floats]:
        """Labels of every tile, for its length."""
        return self._labels

    @property
    def sampler(self) -> Sequence[Floats]:
        """As `dataset`."""
        return self._labels

    def reset(self) -> None:
        """Nothing to begin anew; ultralytics asks for it."""

    def read(self) -> None:
        """Read the lists, and the images in them that are not here yet."""
        torch = self._torch
        weight: dict[int, float] = {}
        for listing, share in self._mix.items():
            names = listing.read_text(encoding="utf-8").splitlines()
            fresh = [name for name in dict.fromkeys(names) if name not in self._known]
            with ThreadPoolExecutor(_READERS) as pool:
                loaded = list(pool.map(self._load, fresh))
            for name, (pixels, labels, _) in zip(fresh, loaded, strict=True):
                self._known[name] = len(self._labels)
                self._labels.append(labels)
                self._pixels.append(torch.from_numpy(pixels).to(self._device))
            self._sizes = np.concatenate(
                [self._sizes, np.array([size for *_, size in loaded], np.int64).reshape(-1, 2)]
            )
            for name in names:
                weight[self._known[name]] = weight.get(self._known[name], 0.0) + share
        if not weight:
            raise VisionError(f"{', '.join(str(one) for one in self._mix)}: no image is named; prepare the data first")
        self._chance = np.array([weight.get(number, 0.0) for number in range(len(self._labels))])

    def __iter__(self) -> Iterator[dict[str, Any]]:
        self.read()
        chance = self._chance / self._chance.sum()
        for _ in range(self._steps):
            tiles = self._rng.choice(len(chance), (self.batch_size, 4), p=chance)
            yield self.made(lay_out(tiles, self._sizes, self._blend, self._rng))

    def made(self, panes: Panes) -> dict[str, Any]:
        """A batch: ``img`` (batch, 3, side, side) 0 to 255, ``batch_idx``, ``cls``, and ``bboxes`` in shares."""
        torch, side = self._torch, self._blend.size
        boxes = boxes_in(panes, self._labels)
        images = self._coloured(self._painted(panes))
        corners = boxes[:, 2:] / side
        centre_size = np.c_[(corners[:, :2] + corners[:, 2:]) / 2, corners[:, 2:] - corners[:, :2]]
        told = {"batch_idx": boxes[:, 0], "cls": boxes[:, 1:2], "bboxes": centre_size}
        return {"img": images} | {name: torch.tensor(one, dtype=torch.float32) for name, one in told.items()}

    def _painted(self, panes: Panes) -> Any:
        torch, side = self._torch, self._blend.size
        images = torch.full((self.batch_size, 3, side, side), float(_GREY), device=self._device)
        nth = np.arange(len(panes.image)) - np.searchsorted(panes.image, panes.image)
        for turn in range(int(nth.max()) + 1):  # one tile of each training image at a time
            mine = np.flatnonzero(nth == turn)
            tiles = panes.tile[mine]
            part = panes.part[mine]
            x, y = (
                self._axis(panes.scale[mine, one], panes.offset[mine, one], part[:, one::2], self._sizes[tiles, one])
                for one in (0, 1)
            )
            shape = (len(mine), side, side)
            grid = torch.stack([x[0][:, None, :].expand(shape), y[0][:, :, None].expand(shape)], dim=-1)
            pixels = torch.stack([self._pixels[tile] for tile in tiles.tolist()]).float()
            sampled = torch.nn.functional.grid_sample(pixels, grid, mode="bilinear", align_corners=False)
            shown = (x[1][:, None, :] & y[1][:, :, None])[:, None]
            target = torch.from_numpy(panes.image[mine]).to(self._device, non_blocking=True)
            images[target] = torch.where(shown, sampled, images[target])
        return images

    def _axis(self, scale: Floats, offset: Floats, part: Floats, length: Floats) -> tuple[Any, Any]:
        """Along one axis, for each tile (rows) and pixel: where to take it from, -1 to 1; and whether it is shown."""
        torch, side = self._torch, self._blend.size
        pixel = torch.arange(side, device=self._device) + 0.5
        numbers = self._sent(np.c_[scale, offset, part, length])
        at = (pixel - numbers[:, 1:2]) / numbers[:, :1]
        end = numbers[:, 4:]
        shown = (at >= 0) & (at <= end) & (pixel >= numbers[:, 2:3]) & (pixel < numbers[:, 3:4])
        # beyond the middle of a tile's outermost pixel lies its border, which belongs to no picture
        inner = torch.minimum(at.clamp(min=0.5), end - 0.5)
        return inner * 2 / side - 1, shown

    def _coloured(self, images: Any) -> Any:
        """Colours more or less vivid, the whole brighter or darker."""
        shape = (self.batch_size, 1, 1, 1)
        vivid, light = (self._sent(self._rng.uniform(1 - most, 1 + most, shape)) for most in (_SATURATION, _LIGHT))
        grey = images.mean(dim=1, keepdim=True)
        return ((grey + (images - grey) * vivid) * light).clamp_(0, 255)

    def _sent(self, numbers: Floats) -> Any:
        return self._torch.from_numpy(numbers.astype(np.float32)).to(self._device, non_blocking=True)

    def _load(self, name: str) -> tuple[npt.NDArray[np.uint8], Floats, tuple[int, int]]:
        path = self._root / name
        pixels = cv2.imread(str(path), cv2.IMREAD_COLOR)
        side = self._blend.size
        if pixels is None or max(pixels.shape[:2]) > side:
            raise VisionError(f"{path}: not a readable image of at most {side} pixels a side; prepare the data anew")
        height, width = pixels.shape[:2]
        padded = np.full((3, side, side), _GREY, np.uint8)
        padded[:, :height, :width] = pixels[..., ::-1].transpose(2, 0, 1)
        labels = read_labels(path, {number: number for number in range(len(CLASSES))})
        size = np.array([width, height] * 2)
        corners = np.c_[labels[:, 1:3] - labels[:, 3:5] / 2, labels[:, 1:3] + labels[:, 3:5] / 2] * size
        return padded, np.c_[labels[:, :1], corners], (width, height)
