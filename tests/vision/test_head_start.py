"""What a network keeps of the one that it begins with; nothing here needs torch."""

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from vision import head_start
from vision.errors import VisionError
from vision.head_start import keep_classes, mix_back, mixed, rows_kept
from vision.training_data import CLASSES

COCO = {0: "person", 1: "bicycle", 2: "car", 3: "motorcycle", 17: "horse", 19: "cow"}


def test_rows_of_like_classes_in_our_order():
    assert rows_kept(COCO) == [0, 2, 1, 19]
    assert rows_kept(dict(enumerate(CLASSES))) == [0, 1, 2, 3]
    with pytest.raises(VisionError, match="the weights know no animal and no cow"):
        rows_kept({number: name for number, name in COCO.items() if name != "cow"})


class Array(np.ndarray):
    """An array with the one name of torch that is needed."""

    def clone(self):
        return self.copy()


def array(values):
    return np.asarray(values, np.float32).view(Array)


class Network(SimpleNamespace):
    def float(self):
        return self


def network(classes):
    """A head with two branches whose last layers tell their class by their numbers."""
    layers = [
        SimpleNamespace(
            weight=SimpleNamespace(data=array([[branch + n, 0.5] for n in range(classes)])),
            bias=SimpleNamespace(data=array([-branch - n for n in range(classes)])),
            out_channels=classes,
        )
        for branch in (100, 200)
    ]
    head = SimpleNamespace(cv3=[["before", layer] for layer in layers], nc=classes, no=classes + 64, reg_max=16)
    names = {number: COCO.get(number, f"thing {number}") for number in range(classes)}
    return Network(model=["backbone", head], names=names, yaml={"nc": classes}, nc=classes)


def test_the_head_keeps_the_rows_and_the_original_is_left_alone():
    coco = network(20)
    ours = keep_classes(coco)
    head = ours.model[-1]
    for branch, (_, layer) in zip((100, 200), head.cv3, strict=True):
        np.testing.assert_array_equal(layer.weight.data[:, 0], branch + np.array([0, 2, 1, 19]))
        np.testing.assert_array_equal(layer.bias.data, -branch - np.array([0, 2, 1, 19]))
        assert layer.out_channels == 4
    assert (head.nc, head.no, ours.nc, ours.yaml["nc"]) == (4, 68, 4, 4)
    assert tuple(ours.names.values()) == CLASSES
    assert (coco.nc, coco.model[-1].no, len(coco.model[-1].cv3[0][1].bias.data)) == (20, 84, 20)


def test_mixing_is_the_mean_by_share_and_counters_stay():
    rng = np.random.default_rng(4)
    a, b = ({"w": rng.normal(size=(3, 4)), "bn.num_batches_tracked": np.array(n)} for n in (7, 0))
    for keep in (0.0, 0.25, 1.0):
        out = mixed(a, b, keep)
        np.testing.assert_allclose(out["w"], a["w"] + keep * (b["w"] - a["w"]), rtol=0, atol=1e-12)
        assert out["bn.num_batches_tracked"] == 7
    with pytest.raises(VisionError, match=r"keep 1\.5"):
        mixed(a, b, 1.5)
    with pytest.raises(VisionError, match="other layers"):
        mixed(a, {**b, "w": b["w"][:2]}, 0.5)
    with pytest.raises(VisionError, match="other layers"):
        mixed(a, {"w": b["w"]}, 0.5)


def test_mixing_back_writes_a_file(tmp_path, monkeypatch):
    class Model:
        def __init__(self, arrays):
            self.arrays = arrays

        def float(self):
            return self

        def state_dict(self):
            return self.arrays

        def load_state_dict(self, arrays):
            self.arrays = arrays

    class Yolo:
        def __init__(self, path):
            self.model = Model({"w": np.full(2, float(Path(path).read_text()))})

        def save(self, path):
            Path(path).write_text(str(self.model.arrays["w"][0]))

    ultralytics = ModuleType("ultralytics")
    ultralytics.YOLO = Yolo
    monkeypatch.setitem(sys.modules, "ultralytics", ultralytics)
    monkeypatch.setattr(head_start, "keep_classes", lambda model: model)
    for name, value in (("trained", "8"), ("begun", "4")):
        (tmp_path / name).write_text(value)
    assert mix_back(tmp_path / "trained", tmp_path / "begun", 0.25, tmp_path / "out") == tmp_path / "out"
    assert (tmp_path / "out").read_text() == "7.0"
