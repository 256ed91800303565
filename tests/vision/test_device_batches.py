"""Batches put together on the device: where tiles come to lie, and that boxes lie where the pixels are."""

import importlib.util

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vision.device_batches import Blend, DeviceBatches, Panes, boxes_in, lay_out
from vision.errors import VisionError

SIDE = 64


def laid_out(seed, mosaic, zoom=0.5, batch=8, tiles=5):
    rng = np.random.default_rng(seed)
    sizes = rng.integers(20, SIDE + 1, (tiles, 2))
    blend = Blend(SIDE, mosaic, zoom)
    return sizes, lay_out(rng.integers(0, tiles, (batch, 4)), sizes, blend, rng)


@given(st.integers(0, 2**32 - 1), st.sampled_from([0.0, 0.5, 1.0]))
def test_parts_share_a_training_image_without_gap_or_overlap(seed, mosaic):
    _, panes = laid_out(seed, mosaic)
    assert set(panes.image.tolist()) == set(range(8))
    for image in range(8):
        parts = panes.part[panes.image == image]
        assert len(parts) in ({1} if mosaic == 0 else {4} if mosaic == 1 else {1, 4})
        points = np.random.default_rng(seed).uniform(0, SIDE, (50, 1, 2))
        inside = ((points >= parts[:, :2]) & (points < parts[:, 2:])).all(axis=2)
        assert (inside.sum(axis=1) == 1).all()


@given(st.integers(0, 2**32 - 1), st.floats(0, 0.9))
def test_tiles_are_scaled_within_the_zoom_and_those_of_a_mosaic_meet_at_a_corner(seed, zoom):
    sizes, panes = laid_out(seed, 1.0, zoom)
    assert (np.abs(panes.scale) >= 1 - zoom - 1e-9).all()
    assert (np.abs(panes.scale) <= 1 + zoom + 1e-9).all()
    ends = np.stack([panes.offset, panes.offset + panes.scale * sizes[panes.tile]])
    low, high = ends.min(axis=0), ends.max(axis=0)
    for image in range(8):
        mine = panes.image == image
        meet = panes.part[mine][0, 2:]  # the first part ends where all meet
        touching = np.minimum(np.abs(low[mine] - meet), np.abs(high[mine] - meet))
        assert touching.max() < 1e-9


def test_boxes_are_scaled_flipped_and_cut():
    panes = Panes(
        np.array([0, 1, 2]),
        np.array([0, 0, 0]),
        np.array([[2.0, 2.0], [-1.0, 1.0], [1.0, 1.0]]),
        np.array([[5.0, 0.0], [40.0, 0.0], [0.0, 0.0]]),
        np.array([[0.0, 0, 64, 64], [0.0, 0, 64, 64], [0.0, 0, 12, 64]]),
    )
    labels = [np.array([[1.0, 10, 4, 20, 8], [0, 30, 4, 31, 5]])]
    assert boxes_in(panes, labels).tolist() == [
        [0, 1, 25, 8, 45, 16],
        [1, 1, 20, 4, 30, 8],
    ]
    # the second object lies beyond the first image, is one pixel wide in the second, and of the first object a fifth
    # shows in the third: none of them is learned


def listing(tmp_path, count, draw):
    names = []
    for number in range(count):
        for what in ("images", "labels"):
            (tmp_path / what).mkdir(exist_ok=True)
        pixels, label = draw(number)
        cv2.imwrite(str(tmp_path / "images" / f"{number}.png"), pixels)
        (tmp_path / "labels" / f"{number}.txt").write_text(label)
        names.append(f"./images/{number}.png\n")
    path = tmp_path / "train-a.txt"
    path.write_text("".join(names))
    return path


def red_box(number):
    """A tile of black with one box of red, and its label."""
    rng = np.random.default_rng(number)
    height, width = (int(side) for side in rng.integers(40, SIDE + 1, 2))
    x, y = int(rng.integers(0, width - 16)), int(rng.integers(0, height - 16))
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[y : y + 16, x : x + 12, 2] = 200
    return pixels, f"1 {(x + 6) / width} {(y + 8) / height} {12 / width} {16 / height}\n"


# PyTorch comes with the extra for training alone, and is not where CI runs: see docs/testing.md.
if importlib.util.find_spec("torch") is not None:

    @settings(deadline=None, max_examples=20)
    @given(st.integers(0, 1000), st.sampled_from([0.0, 1.0]))
    def test_every_box_bounds_the_pixels_of_its_object(tmp_path_factory, seed, mosaic):
        tmp_path = tmp_path_factory.mktemp("tiles")
        path = listing(tmp_path, 6, red_box)
        batches = DeviceBatches({path: 1.0}, tmp_path, batch=4, blend=Blend(SIDE, mosaic, 0.3), device="cpu", seed=seed)
        batch = next(iter(batches))
        red = batch["img"].numpy()
        red = (red[:, 0] - red[:, 1]) > 30
        centre, found = np.arange(SIDE) + 0.5, 0
        for image, (x, y, w, h) in zip(
            batch["batch_idx"].int().tolist(), (batch["bboxes"] * SIDE).tolist(), strict=True
        ):
            low, high = np.array([x - w / 2, y - h / 2]), np.array([x + w / 2, y + h / 2])
            columns, rows = ((centre > low[axis]) & (centre < high[axis]) for axis in (0, 1))
            assert red[image][np.ix_(rows, columns)].mean() > 0.7  # but for the soft edge
            if not mosaic:  # nothing else is in it
                lit = [np.flatnonzero(red[image].any(axis=axis)) for axis in (0, 1)]
                assert np.abs(low - [one[0] for one in lit]).max() < 1.01
                assert np.abs(high - [one[-1] + 1 for one in lit]).max() < 1.01
            found += 1
        assert found

    def test_lists_are_read_anew_and_shares_are_kept(tmp_path):
        path = listing(tmp_path, 2, red_box)
        other = tmp_path / "train-b.txt"
        other.write_text("./images/1.png\n")
        batches = DeviceBatches({path: 1.0, other: 3.0}, tmp_path, batch=2, blend=Blend(SIDE), device="cpu", seed=0)
        assert len(batches) == 3
        assert len(batches.dataset) == 2
        pixels, label = red_box(7)
        cv2.imwrite(str(tmp_path / "images" / "7.png"), pixels)
        (tmp_path / "labels" / "7.txt").write_text(label)
        path.write_text(path.read_text() + "./images/7.png\n")
        assert len(list(batches)) == 3
        assert len(batches.dataset) == 3

    def test_images_that_cannot_be_learned_are_told(tmp_path):
        path = listing(tmp_path, 1, lambda _: (np.zeros((SIDE, SIDE + 1, 3), np.uint8), ""))
        with pytest.raises(VisionError, match=r"0\.png: not a readable image of at most 64 pixels"):
            DeviceBatches({path: 1.0}, tmp_path, batch=2, blend=Blend(SIDE), device="cpu", seed=0)
        path.write_text("")
        with pytest.raises(VisionError, match="no image is named"):
            DeviceBatches({path: 1.0}, tmp_path, batch=2, blend=Blend(SIDE), device="cpu", seed=0)
