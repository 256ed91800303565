"""Average precision against hand-counted cases and pycocotools; decoding; a whole evaluation of a tiny network."""

import csv
import math

import cv2
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from vision.average_precision import IOU_LEVELS, average_precision, overlap
from vision.errors import ModelError, VisionError
from vision.evaluation import decode, evaluate_model, letterbox, markdown

BOX = np.array([[0.0, 0.0, 20.0, 20.0]])
FAR = np.array([[100.0, 100.0, 120.0, 120.0]])


def found(*boxes_scores):
    return np.array([box for box, _ in boxes_scores]).reshape(-1, 4), np.array([score for _, score in boxes_scores])


def test_overlap_by_hand():
    other = np.array([[10.0, 0, 30, 20], [0, 0, 20, 20], [50, 50, 60, 60]])
    np.testing.assert_allclose(overlap(BOX, other), [[1 / 3, 1, 0]])


def test_perfect_detector_has_one():
    figures = average_precision([BOX, FAR], [found((BOX[0], 0.9)), found((FAR[0], 0.8))])
    assert figures == {"ap": pytest.approx(1), "precision": 1, "recall": 1, "objects": 2}


def test_one_of_two_found_after_a_false_alarm():
    """Precision 1/2 at recalls 0 to 0.5, which are 51 of the 101 levels, and 0 beyond."""
    figures = average_precision([np.r_[BOX, FAR]], [found((BOX[0] + 300, 0.9), (BOX[0], 0.5))])
    assert figures["ap"] == pytest.approx(0.5 * 51 / 101)
    assert figures["precision"] == 0.5
    assert figures["recall"] == 0.5


def test_a_second_detection_of_one_object_is_a_false_alarm():
    figures = average_precision([BOX], [found((BOX[0], 0.9), (BOX[0] + 1, 0.8))])
    assert figures["ap"] == pytest.approx(1)
    assert figures["precision"] == 0.5


def test_the_level_of_overlap_decides():
    shifted = found((BOX[0] + [4, 0, 4, 0], 0.9))  # IoU 16/24
    assert average_precision([BOX], [shifted], 0.65)["ap"] == pytest.approx(1)
    assert average_precision([BOX], [shifted], 0.7)["ap"] == 0


def test_objects_of_other_sizes_count_neither_way():
    small = np.array([[200.0, 200, 208, 208]])
    labels = [np.r_[BOX, small]]
    seen = [found((BOX[0], 0.9), (small[0] + 200, 0.8))]  # hits the large one; alarms falsely at a small size
    large, little = average_precision(labels, seen, 0.5, (16, math.inf)), average_precision(labels, seen, 0.5, (0, 16))
    assert (large["ap"], large["precision"], large["objects"]) == (pytest.approx(1), 1, 1)
    assert (little["ap"], little["precision"], little["objects"]) == (0, 0, 1)


def test_scores_below_the_alarm_count_for_the_curve_only():
    figures = average_precision([BOX], [found((BOX[0], 0.1))], alarm=0.25)
    assert figures["ap"] == pytest.approx(1)
    assert figures["recall"] == 0
    assert math.isnan(figures["precision"])


def test_nothing_labelled_is_no_number_and_nothing_found_is_nought():
    empty = np.empty((0, 4))
    assert math.isnan(average_precision([empty], [found((BOX[0], 0.9))])["ap"])
    assert average_precision([BOX], [(empty, np.empty(0))])["ap"] == 0


def scene(seed, images=20):
    """Labels, and detections that hit some of them more or less well and alarm falsely now and then."""
    rng = np.random.default_rng(seed)
    labels, seen = [], []
    for _ in range(images):
        n = int(rng.integers(0, 9))
        xy, wh = rng.uniform(0, 500, (n, 2)), rng.uniform(10, 60, (n, 2))
        boxes = np.c_[xy, xy + wh]
        near = boxes[rng.random(n) < 0.8]
        near = near + rng.normal(0, 1, near.shape) * rng.choice([0.3, 1, 2.5], (len(near), 1))
        m = int(rng.integers(0, 6))
        xy = rng.uniform(0, 500, (m, 2))
        given = np.r_[near, np.c_[xy, xy + rng.uniform(5, 60, (m, 2))]]
        score = np.r_[rng.beta(4, 2, len(near)), rng.beta(2, 4, m)]
        order = np.argsort(-score)
        labels.append(boxes)
        seen.append((given[order], score[order]))
    return labels, seen


# COCOeval of pycocotools 2.0.11 on the same scenes, areaRng at the squares of these sides: AP50, AP75, AP50-95.
PYCOCOTOOLS = [
    (1, (0, math.inf), (0.698171, 0.544777, 0.496406)),
    (1, (0, 16), (0.378713, 0.042079, 0.122030)),
    (1, (16, 48), (0.728146, 0.592375, 0.526053)),
    (1, (48, math.inf), (1.0, 1.0, 1.0)),
    (2, (0, math.inf), (0.578574, 0.369781, 0.395767)),
    (2, (0, 16), (1.0, 1.0, 0.8)),
    (2, (16, 48), (0.540335, 0.312415, 0.357709)),
    (2, (48, math.inf), (0.779978, 0.779978, 0.644664)),
]


@pytest.mark.parametrize(("seed", "sides", "expected"), PYCOCOTOOLS)
def test_same_as_pycocotools(seed, sides, expected):
    labels, seen = scene(seed)
    by_level = [average_precision(labels, seen, level, sides)["ap"] for level in IOU_LEVELS]
    assert (by_level[0], by_level[5], np.mean(by_level)) == pytest.approx(expected, abs=1e-6)


# ------------------------------------------------------------------------------------------------------ running a model


def test_letterbox_scales_pads_and_swaps_colours():
    image = np.zeros((100, 200, 3), np.uint8)
    image[..., 0] = 255  # blue
    tensor, scale = letterbox(image, 320)
    assert scale == 1.6
    assert tensor.shape == (1, 3, 160, 320)
    np.testing.assert_array_equal(tensor[0, :, 80, 160], [0, 0, 1])
    tensor, scale = letterbox(image, 200)
    assert tensor.shape == (1, 3, 128, 224)
    assert tensor[0, 0, 127, 0] == pytest.approx(114 / 255)
    assert scale == 1


def test_decode_suppresses_within_a_class_only_and_joins_channels():
    output = np.zeros((7, 5))
    output[:4] = np.array([50, 50, 20, 20])[:, None]
    output[:4, 1] += [1, 0, 0, 0]  # almost the same box
    output[4] = [0.9, 0.8, 0, 0, 0]  # person
    output[5] = [0, 0, 0.7, 0, 0.0005]  # car
    output[6] = [0, 0, 0.2, 0.6, 0]  # truck: the same class for us
    boxes, kinds, scores = decode(output, np.array([0, 1, 1]))
    assert kinds.tolist() == [0, 1]
    assert scores.tolist() == [0.9, 0.7]
    np.testing.assert_array_equal(boxes[0], [40, 40, 60, 60])
    assert decode(output, np.array([-1, 1, -1]))[1].tolist() == [1]
    with pytest.raises(ModelError, match=r"\(7, 5\)"):
        decode(output, np.array([0, 1]))


def constant_network(path, output, names):
    """A network that finds the same boxes in every image."""
    graph = helper.make_graph(
        [
            helper.make_node("ReduceMin", ["images"], ["least"], axes=[1, 2, 3], keepdims=0),
            helper.make_node("Mul", ["least", "nought"], ["zero"]),
            helper.make_node("Reshape", ["zero", "shape"], ["spread"]),
            helper.make_node("Add", ["boxes", "spread"], ["output0"]),
        ],
        "constant",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, ["batch", 3, "height", "width"])],
        [helper.make_tensor_value_info("output0", TensorProto.FLOAT, ["batch", *output.shape])],
        [
            numpy_helper.from_array(output[None].astype(np.float32), "boxes"),
            numpy_helper.from_array(np.array(0, np.float32), "nought"),
            numpy_helper.from_array(np.array([-1, 1, 1]), "shape"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    if names is not None:
        helper.set_model_props(model, {"names": str(names)})
    onnx.save(model, path)
    return path


def prepared(root):
    """Two images; a person of 10 by 20 px at (50, 60) in each, a car in the second, which is twice as large."""
    for kind in ("images", "labels"):
        (root / kind / "val").mkdir(parents=True)
    rows = []
    for name, factor, text in (("a", 1, ""), ("b", 2, "1 0.75 0.5 0.25 0.5\n")):
        cv2.imwrite(str(root / "images/val" / f"{name}.png"), np.zeros((128 * factor, 256 * factor, 3), np.uint8))
        person = f"0 {50 / 256} {60 / 128} {10 / 256} {20 / 128}\n"
        (root / "labels/val" / f"{name}.txt").write_text(person + text)
        rows.append((f"images/val/{name}.png", "s", "thermal night" if factor == 1 else "rgb"))
    with (root / "val.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows([("image", "source", "tags"), *rows])
    return root / "data.yaml"


def test_evaluation_end_to_end(tmp_path):
    data = prepared(tmp_path / "data")
    output = np.array(
        [[50, 60, 10, 20, 0.9, 0.1], [192, 64, 64, 64, 0, 0.8]]
    ).T  # in the car's scores also a weak person
    model = constant_network(tmp_path / "model.onnx", output, {0: "person", 1: "car"})
    scores = {(s.tag, s.kind, s.size): s for s in evaluate_model(model, data, image_size=256, threads=1)}
    assert {key[0] for key in scores} == {"all", "thermal", "night", "rgb"}
    assert scores["all", "person", "all"].ap50 == pytest.approx(1)
    assert scores["all", "person", "small"].objects == 2
    assert scores["rgb", "vehicle", "large"].ap50_95 == pytest.approx(1)
    assert scores["all", "vehicle", "all"].precision == 0.5  # found in the first image too, where none is
    assert ("all", "bicycle", "all") not in scores
    only = evaluate_model(model, tmp_path / "data", image_size=256, tags=["night"])
    assert {s.images for s in only} == {1}
    table = markdown(only)
    assert table.splitlines()[2].startswith("| all (1) | person | all | 1 | 1.000 | 1.000 |")


def test_refusals(tmp_path):
    data = prepared(tmp_path / "data")
    output = np.zeros((6, 3))
    with pytest.raises(ModelError, match="no class names"):
        evaluate_model(constant_network(tmp_path / "bare.onnx", output, None), data)
    (tmp_path / "text.onnx").write_text("no model")
    with pytest.raises(ModelError, match="not a model that can be run"):
        evaluate_model(tmp_path / "text.onnx", data)
    model = constant_network(tmp_path / "model.onnx", output, {0: "person", 1: "car"})
    with pytest.raises(VisionError, match=r"val\.csv is missing"):
        evaluate_model(model, tmp_path)
    (tmp_path / "data/images/val/b.png").write_bytes(b"")
    with pytest.raises(VisionError, match=r"b\.png: not a readable image"):
        evaluate_model(model, data)


@pytest.mark.parametrize("sensor", ["thermal", "daylight"])
def test_shipped_model_keeps_its_promise(sensor):
    """Shape, names and metadata that the rest of the program relies on."""
    import onnxruntime

    import vision

    path = next(iter(vision.__path__)) + f"/models/vedette-{sensor}-yolo11n.onnx"
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    meta = session.get_modelmeta().custom_metadata_map
    assert meta["names"] == "{0: 'person', 1: 'vehicle', 2: 'bicycle', 3: 'animal'}"
    assert (meta["stride"], meta["licence"]) == ("32", "AGPL-3.0-or-later")
    for height, width, batch in ((256, 320, 1), (64, 96, 2)):
        output = session.run(None, {"images": np.zeros((batch, 3, height, width), np.float32)})[0]
        assert output.shape == (batch, 8, height * width * 21 // 1024)
