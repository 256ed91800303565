"""Preparing data, the recipe, and weights in half precision; nothing here needs ultralytics."""

import csv
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np
import onnx
import onnxruntime
import openvino
import pytest
import yaml
from onnx import TensorProto, helper, numpy_helper

from vision import SHIPPED_MODELS
from vision.errors import MissingExtra, VisionError
from vision.export import export, halve_weights
from vision.recipe import RECIPES, Recipe, Stage
from vision.train import _arguments as arguments
from vision.train import _mix as mix
from vision.train import _Pace as Pace
from vision.train import learning_rate, train
from vision.training_data import CLASSES, Source, class_id, known_sources, prepare, read_labels


def flat_source(folder, labels, classes="car\ntruck\nPedestrian\ncyclist", size=(400, 300)):
    """A flat YOLO folder with one image a label text; the image is noise of width and height `size`."""
    folder.mkdir(parents=True)
    (folder / "classes.txt").write_text(classes)
    rng = np.random.default_rng(0)
    for name, text in labels.items():
        cv2.imwrite(str(folder / f"{name}.png"), rng.integers(0, 255, (size[1], size[0], 3)).astype(np.uint8))
        if text is not None:
            (folder / f"{name}.txt").write_text(text)
    return folder


def yaml_source(folder, names, train_text="0 0.5 0.5 0.1 0.1\n"):
    for split in ("train", "val"):
        (folder / "images" / split).mkdir(parents=True)
        (folder / "labels" / split).mkdir(parents=True)
        cv2.imwrite(str(folder / "images" / split / f"{split}_a.png"), np.zeros((512, 640, 3), np.uint8))
        (folder / "labels" / split / f"{split}_a.txt").write_text(train_text)
    told = {"path": ".", "train": "images/train", "val": "images/val", "names": names}
    (folder / "data.yaml").write_text(yaml.safe_dump(told))
    return folder


def lines(path):
    return path.read_text().split("\n")[:-1]


@pytest.mark.parametrize(
    ("name", "number"),
    [("person", 0), ("People", 0), (" Car ", 1), ("minibus", 1), ("bike", 2), ("Cyclist", 2), ("airplane", None)],
)
def test_classes_are_known_by_name(name, number):
    assert class_id(name) == number


def test_flat_folder_and_yaml_folder_become_one_data_set(tmp_path):
    flat = flat_source(tmp_path / "flat", {"a1": "0 0.5 0.5 0.1 0.1\n2 0.2 0.2 0.05 0.1\n", "b1": "3 0.5 0.5 0.1 0.1"})
    folder = yaml_source(tmp_path / "tree", ["person", "bicycle"])
    sources = (Source("flat", flat, held_out=("b*",), tags={"rgb": "*", "bees": "b*"}), Source("tree", folder))
    data = prepare(sources, tmp_path / "out", tile_px=128)
    told = yaml.safe_load(data.read_text())
    assert tuple(told["names"].values()) == CLASSES
    assert told["train"] == ["train-flat.txt", "train-tree.txt"]
    kinds = {name: {line[0] for line in lines(label(tmp_path / "out" / name))} for name in all_train(tmp_path / "out")}
    assert set().union(*(kinds[name] for name in kinds if "/flat/" in name)) == {"1", "0"}
    assert set().union(*(kinds[name] for name in kinds if "/tree/" in name)) == {"0"}
    rows = list(csv.DictReader(lines(tmp_path / "out" / "val.csv")))
    assert [(row["source"], row["tags"]) for row in rows] == [("flat", "rgb bees"), ("tree", "")]
    assert lines(label(tmp_path / "out" / rows[0]["image"])) == ["2 0.500000 0.500000 0.100000 0.100000"]


def all_train(out):
    return [name[2:] for path in sorted(out.glob("train-*.txt")) for name in lines(path)]


def label(image):
    return Path(str(image).replace("/images/", "/labels/")).with_suffix(".txt")


def test_every_object_is_whole_in_some_tile_and_at_its_place(tmp_path):
    """Each object is a patch of its own grey: the tile's label must enclose exactly that grey."""
    folder = tmp_path / "source"
    folder.mkdir()
    (folder / "classes.txt").write_text("person\n")
    rng = np.random.default_rng(3)
    image = np.zeros((512, 640, 3), np.uint8)
    text = []
    for number in range(12):
        x, y = int(rng.integers(0, 25)) * 25, int(rng.integers(0, 20)) * 25
        image[y : y + 20, x : x + 10] = 20 * number + 20
        text.append(f"0 {(x + 5) / 640} {(y + 10) / 512} {10 / 640} {20 / 512}")
    cv2.imwrite(str(folder / "a.png"), image)
    (folder / "a.txt").write_text("\n".join(text))
    prepare([Source("s", folder)], tmp_path / "out", tile_px=160)
    seen = set()
    for name in all_train(tmp_path / "out"):
        tile = cv2.imread(str(tmp_path / "out" / name))
        assert tile.shape == (160, 160, 3)
        for line in lines(label(tmp_path / "out" / name)):
            x, y, w, h = (float(word) * 160 for word in line.split()[1:])
            box = tile[round(y - h / 2) : round(y + h / 2), round(x - w / 2) : round(x + w / 2)]
            assert np.median(box) > 15
            if round(w) == 10 and round(h) == 20:
                seen.add(round((np.median(box) - 20) / 20))  # JPEG changes a grey by a few levels
    assert seen == {int(grey - 20) // 20 for grey in np.unique(image[image > 0])}


def test_zoom_halves_the_objects(tmp_path):
    flat = flat_source(tmp_path / "flat", {"a": "0 0.5 0.5 0.1 0.1"}, size=(800, 600))
    prepare([Source("flat", flat, zooms=(0.5,))], tmp_path / "out", tile_px=320)
    name = all_train(tmp_path / "out")[0]
    _, _, _, w, h = lines(label(tmp_path / "out" / name))[0].split()
    assert float(w) * 320 == pytest.approx(40, abs=1e-3)
    assert float(h) * 300 == pytest.approx(30, abs=1e-3)  # a tile is no higher than the picture


def test_tile_is_no_larger_than_the_picture_and_a_turned_one_shows_the_same(tmp_path):
    """A white object in the dark: whatever the turn, its label encloses exactly what is white."""
    folder = tmp_path / "flat"
    folder.mkdir()
    (folder / "classes.txt").write_text("car\n")
    image = np.zeros((120, 200, 3), np.uint8)
    image[30:50, 100:160] = 255
    cv2.imwrite(str(folder / "a.png"), image)
    (folder / "a.txt").write_text(f"0 {130 / 200} {40 / 120} {60 / 200} {20 / 120}")
    prepare([Source("flat", folder, turned=True)], tmp_path / "out", tile_px=320)
    shapes = []
    for name in all_train(tmp_path / "out"):
        tile = cv2.imread(str(tmp_path / "out" / name), cv2.IMREAD_GRAYSCALE)
        shapes.append(tile.shape)
        (line,) = lines(label(tmp_path / "out" / name))
        x, y, w, h = np.array(line.split()[1:], float) * np.tile([tile.shape[1], tile.shape[0]], 2)
        rows, columns = np.nonzero(tile > 127)
        edges = columns.min(), rows.min(), columns.max() + 1, rows.max() + 1
        np.testing.assert_allclose((x - w / 2, y - h / 2, x + w / 2, y + h / 2), edges, atol=1)
    assert set(shapes) == {(120, 200), (200, 120)}


def test_same_seed_same_tiles_whatever_the_other_sources(tmp_path):
    flat = flat_source(tmp_path / "flat", {f"a{i}": "0 0.3 0.6 0.1 0.1\n1 0.9 0.1 0.1 0.1" for i in range(4)})
    tree = yaml_source(tmp_path / "tree", {0: "person"})
    prepare([Source("flat", flat)], tmp_path / "one", tile_px=128)
    prepare([Source("tree", tree), Source("flat", flat)], tmp_path / "two", tile_px=128)
    names = lines(tmp_path / "one" / "train-flat.txt")
    assert names == lines(tmp_path / "two" / "train-flat.txt")
    assert all((tmp_path / "one" / n).read_bytes() == (tmp_path / "two" / n).read_bytes() for n in names)


def test_image_without_label_file_shows_nothing(tmp_path):
    flat = flat_source(tmp_path / "flat", {"a": None, "b": ""})
    assert read_labels(flat / "a.png", {0: 0}).shape == (0, 5)
    assert read_labels(flat / "b.png", {0: 0}).shape == (0, 5)


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("0 0.5 0.5 0.1", "not five numbers"),
        ("0 0.5 0.5 0.1 0.1 0.9", "not five numbers"),
        ("0 0.5 0.5 0.1 x", "not five numbers"),
        ("0.5 0.5 0.5 0.1 0.1", "not five numbers"),
        ("0 nan 0.5 0.1 0.1", "not five numbers"),
        ("9 0.5 0.5 0.1 0.1", "class 9 has no name"),
        ("0 320 200 40 40", "outside the image"),
        ("0 0.5 0.5 0 0.1", "outside the image"),
        ("0 -0.1 0.5 0.1 0.1", "outside the image"),
    ],
)
def test_bad_label_names_file_and_line(tmp_path, text, wrong):
    flat = flat_source(tmp_path / "flat", {"good": "0 0.5 0.5 0.1 0.1", "ugly": f"0 0.5 0.5 0.1 0.1\n{text}\n"})
    with pytest.raises(VisionError, match=wrong) as caught:
        prepare([Source("flat", flat)], tmp_path / "out")
    assert str(flat / "ugly.txt") + ", line 2" in str(caught.value)


def test_unknown_class_names_the_file(tmp_path):
    flat = flat_source(tmp_path / "flat", {"a": "0 0.5 0.5 0.1 0.1"}, classes="zeppelin")
    with pytest.raises(VisionError, match=r"classes\.txt: class 'zeppelin'"):
        prepare([Source("flat", flat)], tmp_path / "out")


def test_refusals_name_what_is_wrong(tmp_path):
    flat = flat_source(tmp_path / "flat", {"a": "0 0.5 0.5 0.1 0.1"})
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    with pytest.raises(VisionError, match="not empty"):
        prepare([Source("flat", flat)], tmp_path / "full")
    (flat / "a.png").write_bytes(b"no image")
    with pytest.raises(VisionError, match=r"a\.png: not a readable image"):
        prepare([Source("flat", flat)], tmp_path / "out")
    (tmp_path / "empty").mkdir()
    with pytest.raises(VisionError, match=r"neither data\.yaml nor classes\.txt"):
        prepare([Source("empty", tmp_path / "empty")], tmp_path / "out2")
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "data.yaml").write_text("train: images/train\nnames: [person]\n")
    with pytest.raises(VisionError, match="does not exist"):
        prepare([Source("broken", broken)], tmp_path / "out3")
    (broken / "data.yaml").write_text("just words")
    with pytest.raises(VisionError, match="needs the keys names and train"):
        prepare([Source("broken", broken)], tmp_path / "out4")


def test_known_sources_are_those_that_are_there(tmp_path):
    with pytest.raises(VisionError, match="hit-uav, aerial-vehicles, rendered-thermal, rendered-daylight"):
        known_sources(tmp_path)
    (tmp_path / "hit-uav").mkdir()
    assert [source.name for source in known_sources(tmp_path)] == ["hit-uav"]


def test_share_alike_photographs_are_never_trained_on(tmp_path):
    """The DJI photographs are CC BY-SA: a model trained on them might have to be, too."""
    flat_source(tmp_path / "aerial-vehicles", {"DJI_0001": "", "MOS74": "", "MunichStreet02-MOS74": ""})
    prepare(known_sources(tmp_path), tmp_path / "out")
    rows = list(csv.DictReader(lines(tmp_path / "out" / "val.csv")))
    assert [Path(row["image"]).stem for row in rows] == ["DJI_0001", "MunichStreet02-MOS74"]
    assert not any("DJI" in name or "Munich" in name for name in all_train(tmp_path / "out"))


# ------------------------------------------------------------------------------------------------------------- recipe


def test_recipe_mixes_only_sources_that_are_known(tmp_path):
    for name in ("hit-uav", "aerial-vehicles", "rendered-thermal", "rendered-daylight"):
        (tmp_path / name).mkdir()
    known = {source.name for source in known_sources(tmp_path)}
    stages = [stage for recipe in RECIPES.values() for stage in recipe.stages]
    assert {name for stage in stages for name in stage.mix} == known
    assert all(stage.final_lr < stage.lr for stage in stages)
    assert all(0 <= stage.keep < 1 for stage in stages)
    assert set(RECIPES) == set(SHIPPED_MODELS)


def test_mix_repeats_and_samples(tmp_path):
    (tmp_path / "train-a.txt").write_text("".join(f"./a{i}.jpg\n" for i in range(10)))
    (tmp_path / "train-b.txt").write_text("./b0.jpg\n")
    stage = Stage("s", 1, 1e-3, 1e-4, {"a": 1.5, "b": 3})
    data, images = mix(tmp_path / "data.yaml", stage, 1, tmp_path / "run")
    names = [Path(line).name for line in lines(Path(yaml.safe_load(data.read_text())["train"][0]))]
    assert len(names) == images == 18
    assert names.count("b0.jpg") == 3
    assert {names.count(f"a{i}.jpg") for i in range(10)} == {1, 2}
    with pytest.raises(VisionError, match="wants source c"):
        mix(tmp_path / "data.yaml", Stage("s", 1, 1e-3, 1e-4, {"c": 1}), 1, tmp_path / "run")


def test_arguments_carry_the_recipe(tmp_path):
    stage = Stage("s", 30, 2e-3, 2e-4, {}, freeze=4, image_size=256)
    told = arguments(Recipe((stage,), batch=8, seed=11), stage, tmp_path / "d.yaml", tmp_path, 3)
    expected = {"epochs": 3, "freeze": 4, "imgsz": 256, "batch": 8, "nbs": 8, "seed": 11, "lr0": 2e-3}
    assert expected.items() <= told.items()


def test_learning_rate_rises_then_falls_along_a_cosine():
    stage = Stage("s", 1000, 1e-3, 1e-5, {}, warmup=10)
    assert learning_rate(stage, 0, 0) == pytest.approx(1e-4)
    assert learning_rate(stage, 9, 0) == pytest.approx(1e-3)
    assert learning_rate(stage, 500, 0.5) == pytest.approx((1e-3 + 1e-5) / 2)
    assert learning_rate(stage, 1000, 1) == learning_rate(stage, 1001, 1.2) == pytest.approx(1e-5)


class FakeTrainer:
    """What `Pace` touches of the real one."""

    def __init__(self):
        self.ema = self
        self.updates = 0
        self.optimizer = self
        self.param_groups = [{"lr": 0.0}, {"lr": 0.0}]
        self.stop = False
        self.saved = []

    def save_model(self):
        self.saved.append(self.updates)


@pytest.mark.parametrize(("hours", "seconds_a_step", "steps"), [(None, 5, 120), (0.1, 5, 72), (0.1, 1, 120)])
def test_pace_ends_after_the_steps_or_in_time_and_at_a_low_rate(monkeypatch, hours, seconds_a_step, steps):
    clock = [0.0]
    monkeypatch.setattr("vision.train.time.monotonic", lambda: clock[0])
    stage, trainer = Stage("s", 120, 1e-3, 1e-5, {}, warmup=1), FakeTrainer()
    pace = Pace(stage, hours)
    while not trainer.stop:
        pace.before(trainer)
        trainer.updates += 1
        clock[0] += seconds_a_step
        pace.after(trainer)
    assert pace.steps == steps
    assert trainer.saved == [step for step in (50, 100) if step < steps]
    assert trainer.param_groups[0]["lr"] == trainer.param_groups[1]["lr"] < 2e-5


def test_stage_that_is_not_in_the_recipe(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", ModuleType("torch"))
    ultralytics = ModuleType("ultralytics")
    ultralytics.YOLO = None
    monkeypatch.setitem(sys.modules, "ultralytics", ultralytics)
    with pytest.raises(VisionError, match="daylight, together"):
        train(RECIPES["daylight"], tmp_path / "data.yaml", tmp_path / "w.pt", tmp_path, stages=["raal"])
    with pytest.raises(VisionError, match="does not exist: train first"):
        export(tmp_path / "w.pt", tmp_path / "out.onnx", data="")


@pytest.mark.parametrize(("device", "amp"), [("cpu", False), ("0", "bf16")])
def test_each_stage_begins_where_the_one_before_was_mixed_back(tmp_path, monkeypatch, device, amp):
    begun_from, asked, mixes = [], [], []

    class Yolo:
        def __init__(self, path):
            begun_from.append(Path(path))

        def add_callback(self, *_):
            pass

        def train(self, **told):
            asked.append(told)
            last = Path(told["project"]) / told["name"] / "weights" / "last.pt"
            last.parent.mkdir(parents=True)
            last.touch()

    def mix(trained, begun, keep, out):
        mixes.append((trained, begun, keep))
        return out

    ultralytics = ModuleType("ultralytics")
    ultralytics.YOLO = Yolo
    monkeypatch.setitem(sys.modules, "ultralytics", ultralytics)
    monkeypatch.setitem(sys.modules, "torch", ModuleType("torch"))
    monkeypatch.setattr("vision.train.head_start_trainer", lambda batches: "ours" if batches is None else "device's")
    monkeypatch.setattr("vision.train.mix_back", mix)
    (tmp_path / "train-a.txt").write_text("./a.jpg\n")
    stages = tuple(Stage(name, 1, 1e-3, 1e-4, {"a": 1}, keep=keep) for name, keep in (("x", 0.4), ("y", 0), ("z", 0.1)))
    out, start = tmp_path / "run", tmp_path / "coco.pt"
    left = train(Recipe(stages), tmp_path / "data.yaml", start, out, device=device, workers=3)
    weights = {name: out / name / "weights" for name in "xyz"}
    assert left == weights["z"] / "mixed.pt"
    assert begun_from == [start, weights["x"] / "mixed.pt", weights["y"] / "last.pt"]
    assert mixes == [(weights["x"] / "last.pt", start, 0.4), (weights["z"] / "last.pt", start, 0.1)]
    expected = {"trainer": "ours", "device": device, "workers": 3, "amp": amp}
    assert all(expected.items() <= told.items() for told in asked)
    train(Recipe(stages[:1]), tmp_path / "data.yaml", start, tmp_path / "other", device=device, on_device=True)
    assert asked[-1]["trainer"] == "device's"


def test_training_and_export_say_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ultralytics", None)
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingExtra, match=r"pip install vedette\[train\]"):
        train(RECIPES["daylight"], tmp_path / "data.yaml", tmp_path / "w.pt", tmp_path)
    with pytest.raises(MissingExtra, match=r"pip install vedette\[train\]"):
        export(tmp_path / "w.pt", tmp_path / "out.onnx", data="")


# ----------------------------------------------------------------------------------------------------- half precision


def tiny_network(weights):
    """Convolution, then a product with a small constant: a graph like a detector's in small."""
    nodes = [
        helper.make_node("Conv", ["images", "weights", "bias"], ["hidden"], pads=[1, 1, 1, 1]),
        helper.make_node("Mul", ["hidden", "factor"], ["output0"]),
    ]
    size = ["batch", 3, "height", "width"]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, size)],
        [helper.make_tensor_value_info("output0", TensorProto.FLOAT, ["batch", 16, "height", "width"])],
        [
            numpy_helper.from_array(weights, "weights"),
            numpy_helper.from_array(np.linspace(0, 1, 16, dtype=np.float32), "bias"),
            numpy_helper.from_array(np.array([1.0001], np.float32), "factor"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    return model


def run(model, images):
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {"images": images})[0]


def test_halved_weights_compute_what_rounded_weights_compute():
    rng = np.random.default_rng(5)
    weights = rng.normal(0, 0.2, (16, 3, 3, 3)).astype(np.float32)
    images = rng.random((2, 3, 20, 24), np.float32)
    model = tiny_network(weights)
    before = model.SerializeToString()
    halved = halve_weights(model)
    onnx.checker.check_model(halved)
    assert model.SerializeToString() == before
    assert len(halved.SerializeToString()) < len(before) - 0.4 * weights.nbytes
    rounded = tiny_network(weights.astype(np.float16).astype(np.float32))
    np.testing.assert_array_equal(run(halved, images), run(rounded, images))
    assert not np.array_equal(run(halved, images), run(model, images))


def test_halved_weights_in_openvino():
    rng = np.random.default_rng(6)
    images = rng.random((1, 3, 16, 16), np.float32)
    halved = halve_weights(tiny_network(rng.normal(0, 0.2, (16, 3, 3, 3)).astype(np.float32)))
    core = openvino.Core()
    # some processors would choose bfloat16 by themselves
    network = core.compile_model(
        core.read_model(halved.SerializeToString()), "CPU", {"INFERENCE_PRECISION_HINT": "f32"}
    )
    np.testing.assert_allclose(network(images)[0], run(halved, images), atol=1e-5)


def test_small_and_huge_numbers_stay_float32():
    weights = np.full((16, 3, 3, 3), 0.1, np.float32)
    weights[0, 0, 0, 0] = 1e5  # beyond float16
    halved = halve_weights(tiny_network(weights))
    assert {one.name: one.data_type for one in halved.graph.initializer} == dict.fromkeys(
        ("weights", "bias", "factor"), TensorProto.FLOAT
    )
    halved = halve_weights(tiny_network(np.full((16, 3, 3, 3), 0.1, np.float32)))
    assert [one.name for one in halved.graph.initializer if one.data_type == TensorProto.FLOAT16] == ["weights_float16"]


@pytest.mark.parametrize("sensor", RECIPES)
def test_a_further_source_goes_into_every_stage(sensor):
    recipe = RECIPES[sensor]
    mixed = recipe.mixed_with("reviewed", 0.5)
    assert [stage.mix for stage in mixed.stages] == [{**stage.mix, "reviewed": 0.5} for stage in recipe.stages]
    assert [replace(stage, mix={}) for stage in mixed.stages] == [replace(stage, mix={}) for stage in recipe.stages]
    assert all("reviewed" not in stage.mix for stage in recipe.stages)
