"""The data set on disk."""

import errno
import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from geo import FileWriteError
from sim import dataset
from sim.dataset import CLASSES, write_dataset
from sim.errors import WorldError


def files(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
    }


def test_layout_labels_and_repetition(tmp_path):
    photos = tmp_path / "photos"
    photos.mkdir()
    noise = np.random.default_rng(1).integers(0, 255, (600, 700, 3), np.uint8)
    cv2.imwrite(str(photos / "a.png"), cv2.GaussianBlur(noise, (0, 0), 4))
    done = []
    out = tmp_path / "set"
    summary = write_dataset(
        out, 4, 3, backgrounds=photos, val_share=0.25, progress=lambda number, total: done.append((number, total))
    )
    written = files(out)
    assert sum(name.startswith("images/train/") for name in written) == 3
    assert sum(name.startswith("images/val/") for name in written) == 1
    assert done[-1] == (4, 4)
    counted = dict.fromkeys(CLASSES, 0)
    for name in written:
        if name.startswith("labels/"):
            image = cv2.imread(str(out / name.replace("labels", "images").replace(".txt", ".jpg")))
            assert image.shape == (512, 640, 3)
            for line in written[name].decode().splitlines():
                number, *box = line.split()
                x, y, w, h = map(float, box)
                counted[CLASSES[int(number)]] += 1
                assert 0 < w <= 1
                assert 0 < h <= 1
                assert x - w / 2 >= -1e-6
                assert x + w / 2 <= 1 + 1e-6
                assert y - h / 2 >= -1e-6
                assert y + h / 2 <= 1 + 1e-6
    assert counted == dict(summary.labels)
    assert counted["person"] > 0
    again = tmp_path / "again"
    write_dataset(again, 4, 3, backgrounds=photos, val_share=0.25)
    assert files(again) == written
    assert "2: bicycle" in written["data.yaml"].decode()


def test_animals_have_a_class_of_their_own(tmp_path):
    summary = write_dataset(tmp_path / "set", 8, 4, thermal_share=0.0)
    assert summary.labels["animal"] > 0
    numbers = [
        line.split()[0]
        for name, text in files(tmp_path / "set").items()
        if name.startswith("labels/")
        for line in text.decode().splitlines()
    ]
    assert numbers.count("3") == summary.labels["animal"]
    assert "3: animal" in (tmp_path / "set" / "data.yaml").read_text()


@pytest.mark.parametrize(("kind", "share"), [("person", 0.88), ("vehicle", 0.5), ("bicycle", 0.45), ("animal", 0.45)])
def test_rare_kinds_are_shown_often_enough_to_be_learned(kind, share):
    """The model card names these shares; bicycles and animals in a quarter of the images were too few."""
    rng = np.random.default_rng(11)
    numbers = np.array([dataset._count(rng, dataset._COUNTS[kind]) for _ in range(4000)])
    assert (numbers > 0).mean() == pytest.approx(share, abs=0.03)
    if kind in ("bicycle", "animal"):
        assert set(numbers) == {0, 1, 2, 3, 4}


def test_refuses_and_leaves_nothing(tmp_path):
    taken = tmp_path / "taken"
    taken.mkdir()
    (taken / "file").write_text("mine")
    with pytest.raises(WorldError, match="empty"):
        write_dataset(taken, 1, 0)
    with pytest.raises(WorldError, match="count"):
        write_dataset(tmp_path / "new", 0, 0)
    with pytest.raises(WorldError, match="shares"):
        write_dataset(tmp_path / "new", 1, 0, thermal_share=1.5)
    with pytest.raises(WorldError, match="background"):
        write_dataset(tmp_path / "new", 1, 0, backgrounds=tmp_path / "absent")
    photos = tmp_path / "photos"
    photos.mkdir()
    (photos / "broken.png").write_text("no image")
    with pytest.raises(WorldError, match="broken"):
        write_dataset(tmp_path / "new", 3, 0, backgrounds=photos, background_share=1.0)
    with pytest.raises(FileWriteError, match=r"cannot write .*\.jpg: a part of the path is a file"):
        write_dataset(taken / "file" / "new", 1, 0)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["photos", "taken"]


def test_a_disk_that_fills_up_leaves_nothing(tmp_path, monkeypatch):
    real, calls = Path.replace, []

    def full(path, target):
        calls.append(target)
        if len(calls) > 3:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(path, target)

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(FileWriteError, match=r"cannot write .*\.txt: the disk is full: free some room"):
        write_dataset(tmp_path / "new", 3, 0)
    assert not list(tmp_path.iterdir())
