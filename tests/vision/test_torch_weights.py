"""Weights of PyTorch: made a network once, by ultralytics; here by one that stands in for it."""

import hashlib
import shutil
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from tests.vision.tiny_models import ANSWER, tiny_model
from vision import Detector, MissingExtra, ModelError

PICTURE = np.zeros((128, 128, 3), np.uint8)


@pytest.fixture
def exported(monkeypatch, tmp_path):
    """Names of the weights that were exported; of those that hold "broken" nothing can be made."""
    done = []

    class Yolo:
        def __init__(self, path):
            self.path = Path(path)
            assert self.path.parent.name != "given"  # it writes beside what it is given

        def export(self, **how):
            text = self.path.read_text()
            done.append((text, how["format"], how["dynamic"]))
            if "broken" in text:
                raise RuntimeError("PytorchStreamReader failed\nand more")
            return str(tiny_model(self.path.with_suffix(".onnx"), ANSWER))

    ultralytics = ModuleType("ultralytics")
    ultralytics.YOLO = Yolo
    monkeypatch.setitem(sys.modules, "ultralytics", ultralytics)
    return done


def weights(tmp_path, text, name="desert.pt"):
    path = tmp_path / "given" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return path


def test_weights_find_what_their_network_finds_and_are_made_one_once(exported, tmp_path):
    path, cache = weights(tmp_path, "first"), tmp_path / "cache"
    detector = Detector(path, backend="onnxruntime", cache_dir=cache)
    network = Detector(tiny_model(tmp_path / "same.onnx", ANSWER), backend="onnxruntime")
    assert detector.detect([PICTURE]) == network.detect([PICTURE]) != [[]]
    # Records name the file that somebody has, not what was made of it.
    assert (detector.model.name, detector.model.sha256) == ("desert", hashlib.sha256(b"first").hexdigest())
    Detector(shutil.copy(path, tmp_path / "desert.pt"), backend="onnxruntime", cache_dir=cache)
    assert exported == [("first", "onnx", True)]
    path.write_text("second")
    Detector(path, backend="onnxruntime", cache_dir=cache)
    assert [text for text, *_ in exported] == ["first", "second"]
    assert [one.name for one in path.parent.iterdir()] == ["desert.pt"]


def test_what_are_no_weights_is_told_in_one_line_and_nothing_is_kept(exported, tmp_path):
    path, cache = weights(tmp_path, "broken"), tmp_path / "cache"
    with pytest.raises(
        ModelError, match=r"desert\.pt: ultralytics makes no network of it \(PytorchS.*\): give"
    ) as error:
        Detector(path, cache_dir=cache)
    assert "\n" not in str(error.value)
    with pytest.raises(ModelError, match=r"none\.pt: the weights cannot be read"):
        Detector(tmp_path / "none.pt", cache_dir=cache)
    assert [one for one in cache.rglob("*") if one.is_file()] == []
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ModelError, match="a part of the path is a file"):
        Detector(weights(tmp_path, "sound"), cache_dir=tmp_path / "file" / "cache")


@pytest.mark.parametrize("missing", ["ultralytics", "onnx"])
def test_what_has_to_be_installed_is_said(exported, monkeypatch, tmp_path, missing):
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(MissingExtra, match=r"desert\.pt: .*pip install vedette\[train\], or give it as ONNX"):
        Detector(weights(tmp_path, "first"), cache_dir=tmp_path / "cache")
    assert exported == []
