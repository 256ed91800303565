"""The detector: coordinates, suppression, both runtimes, real pictures, and models that are none."""

import hashlib
import itertools
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tests.asked import few
from tests.vision.tiny_models import ANSWER, tiny_model
from vision import SHIPPED_MODEL, Detector, ModelError, bare_rate, letterbox, open_source, read_model_file
from vision.engine_choice import pick_backend
from vision.runtime import open_session
from vision.yolo_output import decode_output, suppress

YOLO11, YOLO26 = "weights/coco-yolo11n.onnx", "weights/coco-yolo26n.onnx"


def iou(a, b):
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    union = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - width * height
    return width * height / union


@pytest.mark.parametrize(
    ("size", "image_size", "input_size"),
    [
        ((640, 512), 640, (640, 512)),  # thermal: nothing is padded
        ((768, 576), 640, (640, 480)),
        ((1920, 1080), 640, (640, 384)),
        ((1920, 1080), 1280, (1280, 736)),
        ((100, 1000), 640, (64, 640)),
    ],
)
def test_the_input_is_the_smallest_that_holds_the_picture(size, image_size, input_size):
    box = letterbox(size, image_size)
    assert (box.width, box.height) == input_size


@given(
    st.tuples(st.integers(16, 4000), st.integers(16, 4000)),
    st.sampled_from([320, 640, 1280]),
    st.sampled_from([(None, None), (640, 640), (384, 640)]),
    st.data(),
)
def test_boxes_go_to_the_input_and_back(size, image_size, fixed, data):
    box = letterbox(size, image_size, fixed=fixed)
    x, y = data.draw(st.floats(0, size[0] - 1)), data.draw(st.floats(0, size[1] - 1))
    boxes = np.array([[x, y, size[0], size[1]], [0, 0, x, y]], dtype=np.float32)
    inside = boxes * np.tile([box.scale_x, box.scale_y], 2)
    inside += np.tile([box.left, box.top], 2)
    assert np.allclose(box.to_picture(inside), boxes, atol=max(size) * 1e-4)
    assert (inside >= -0.01).all()
    assert (inside[:, 0::2] <= box.width + 0.01).all()
    assert (inside[:, 1::2] <= box.height + 0.01).all()
    # The picture keeps its shape to half a pixel, and touches two opposite sides of the input or misses by the stride.
    assert abs(box.scale_x / box.scale_y - 1) <= 1 / min(size[0] * box.scale_x, size[1] * box.scale_y)


def naive(boxes, scores, groups, limit):
    """Greedy suppression by its definition, box by box."""
    left, kept = sorted(range(len(boxes)), key=lambda i: (-scores[i], i)), []
    while left:
        best = left.pop(0)
        kept.append(best)
        left = [i for i in left if groups[i] != groups[best] or iou(boxes[i], boxes[best]) <= limit]
    return kept


@settings(max_examples=few(60), deadline=None)
@given(st.integers(0, 40), st.floats(0.1, 0.9), st.randoms(use_true_random=False))
def test_suppression_is_the_greedy_one(count, limit, random):
    corners = np.array([[random.uniform(0, 60), random.uniform(0, 60)] for _ in range(count)]).reshape(-1, 2)
    sizes = np.array([[random.uniform(5, 40), random.uniform(5, 40)] for _ in range(count)]).reshape(-1, 2)
    boxes = np.concatenate([corners, corners + sizes], axis=1).astype(np.float32)
    scores = np.array([random.choice([0.3, 0.5, random.uniform(0.25, 1)]) for _ in range(count)], dtype=np.float32)
    groups = np.array([random.randrange(3) for _ in range(count)], dtype=np.intp)
    assert suppress(boxes, scores, groups, limit).tolist() == naive(boxes.tolist(), scores, groups, limit)


@given(hnp.arrays(np.float32, (1, 7, 20), elements=st.floats(0, 1, width=32)), st.floats(0.05, 0.95))
def test_both_output_forms_mean_the_same(raw, confidence):
    """What the classic form says, laid out as the end-to-end form, decodes to the same boxes."""
    boxes, scores, numbers = decode_output(raw, 3, confidence)
    rows = np.concatenate([boxes, scores[:, None], numbers[:, None]], axis=1)[None].astype(np.float32)
    again = decode_output(rows, 3, confidence)
    assert np.array_equal(again[0], boxes.astype(np.float32))
    assert np.array_equal(again[1], scores)
    assert np.array_equal(again[2], numbers)
    over = np.flatnonzero(raw[0, 4:].max(axis=0) > confidence)
    assert len(boxes) == len(over)
    assert np.allclose((boxes[:, :2] + boxes[:, 2:]) / 2, raw[0, :2, over], atol=1e-6)


@given(
    hnp.arrays(np.float32, (1, 9, 20), elements=st.floats(0, 1, width=32)),
    st.sets(st.integers(0, 4), min_size=1),
    st.floats(0.05, 0.95),
)
def test_boxes_of_wanted_classes_are_what_they_are_among_all(raw, wanted, confidence):
    numbers = np.array(sorted(wanted))
    every, some = decode_output(raw, 5, confidence), decode_output(raw, 5, confidence, numbers)
    for whole, part in zip(every, some, strict=True):
        np.testing.assert_array_equal(whole[np.isin(every[2], numbers)], part[np.isin(some[2], numbers)])


def test_as_many_rows_as_the_other_form_has_are_rows():
    row = [10.0, 20.0, 30.0, 60.0, 0.9, 2.0]
    boxes, scores, numbers = decode_output(np.array([[row] * 7], np.float32), 3, 0.5)
    assert boxes.tolist() == [row[:4]] * 7
    assert numbers.tolist() == [2] * 7
    assert scores == pytest.approx([0.9] * 7)


def test_an_output_of_another_shape_is_no_detector():
    with pytest.raises(ModelError, match=r"shape \[1, 1000\].*\[1, 7, n\]"):
        decode_output(np.zeros((1, 1000), np.float32), 3, 0.5)


@pytest.mark.parametrize("backend", ["onnxruntime", "openvino"])
def test_boxes_come_in_the_pictures_own_pixels(tmp_path, backend):
    detector = Detector(tiny_model(tmp_path / "tiny.onnx", ANSWER), backend=backend)
    found = detector.detect([np.zeros((128, 128, 3), np.uint8)])[0]
    assert [(d.kind, round(d.score, 3)) for d in found] == [("person", 0.9), ("vehicle", 0.7), ("vehicle", 0.6)]
    assert (found[0].x1, found[0].y1, found[0].x2, found[0].y2) == pytest.approx((30, 30, 50, 50))
    assert (found[2].x1, found[2].y1, found[2].x2, found[2].y2) == pytest.approx((0, 0, 30, 30))


def test_names_of_an_unknown_model_can_be_said(tmp_path):
    path = tiny_model(tmp_path / "tiny.onnx", ANSWER, names={0: "smuggler", 1: "mule", 2: "kite"})
    with pytest.raises(ModelError, match=r"none of its classes \(smuggler, mule, kite\)"):
        Detector(path, backend="onnxruntime")
    detector = Detector(path, backend="onnxruntime", classes={"smuggler": "person", "mule": "animal"})
    assert [d.kind for d in detector.detect([np.zeros((64, 64, 3), np.uint8)])[0]] == ["person"]
    detector = Detector(path, backend="onnxruntime", classes={"mule": "animal"}, kinds=["animal"])
    assert [d.kind for d in detector.detect([np.zeros((64, 64, 3), np.uint8)])[0]] == ["animal", "animal"]


def test_the_model_file_is_read_as_the_onnx_library_reads_it(shared_data):
    for path in (shared_data(YOLO11), shared_data(YOLO26), SHIPPED_MODEL):
        ours = read_model_file(path)
        theirs = {p.key: p.value for p in onnx.load(str(path), load_external_data=False).metadata_props}
        assert repr(dict(ours.names)) == theirs["names"]
        assert str(ours.stride) == theirs["stride"]
        assert ours.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda _: None, "cannot be read"),
        (lambda path: path.write_bytes(b""), "no graph"),
        (lambda path: path.write_bytes(b"MZ this is a program" * 20), "is not an ONNX model"),
        (lambda path: path.write_bytes(SHIPPED_MODEL.read_bytes()[:100_000]), "is not an ONNX model"),
        (lambda path: tiny_model(path, ANSWER, extra={"names": None}), "no class names"),
        (lambda path: tiny_model(path, ANSWER, extra={"names": "person, car"}), "no class names"),
        (lambda path: tiny_model(path, ANSWER, extra={"task": "segment"}), "model for 'segment'"),
    ],
    ids=["missing", "empty", "program", "cut short", "no names", "bad names", "segments"],
)
def test_what_is_no_detector_is_refused_in_one_line(tmp_path, make, message):
    path = tmp_path / "model.onnx"
    make(path)
    with pytest.raises(ModelError, match=message) as error:
        Detector(path, backend="onnxruntime")
    assert "model.onnx" in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("backend", ["onnxruntime", "openvino"])
def test_a_graph_that_does_not_load_or_is_no_detector_is_refused(tmp_path, backend):
    path = tiny_model(tmp_path / "odd.onnx", np.zeros((1, 1000)))
    with pytest.raises(ModelError, match="not a YOLO detector"):
        Detector(path, backend=backend).detect([np.zeros((64, 64, 3), np.uint8)])
    model = onnx.load(str(path))
    model.graph.node[0].op_type = "NoSuchThing"
    onnx.save(model, str(path))
    with pytest.raises(ModelError, match=f"{backend} cannot load"):
        Detector(path, backend=backend)


def test_arguments_out_of_range_are_refused(tmp_path):
    path = tiny_model(tmp_path / "tiny.onnx", ANSWER)
    for arguments, message in (
        ({"backend": "abacus"}, "'abacus' is unknown"),
        ({"confidence": 0.0}, "between 0 and 1"),
        ({"iou": 1.5}, "between 0 and 1"),
    ):
        with pytest.raises(ModelError, match=message):
            Detector(path, **{"backend": "onnxruntime", **arguments})
    with pytest.raises(ModelError, match=r"shape \(64, 64\)"):
        Detector(path, backend="onnxruntime").detect([np.zeros((64, 64), np.uint8)])
    assert Detector(path, backend="onnxruntime").detect([]) == []


def test_the_choice_of_a_runtime_is_measured_once_and_kept(tmp_path):
    path, cache = tiny_model(tmp_path / "tiny.onnx", ANSWER), tmp_path / "cache"
    image = np.zeros((64, 64, 3), np.uint8)
    first = Detector(path, cache_dir=cache)
    assert first.backend == "auto"
    found = first.detect([image])
    kept = json.loads((cache / "backends.json").read_text())
    (entry,) = kept.values()
    assert first.backend == entry["choice"] == min(entry["least_ms"], key=entry["least_ms"].get)
    # A kept choice is obeyed, not measured again.
    other = ({"onnxruntime", "openvino"} - {first.backend}).pop()
    entry["choice"] = other
    (cache / "backends.json").write_text(json.dumps(kept))
    second = Detector(path, cache_dir=cache)
    assert second.detect([image]) == found
    assert second.backend == other
    # A broken or foreign file is no obstacle.
    (cache / "backends.json").write_text("[not json")
    assert Detector(path, cache_dir=cache).detect([image]) == found
    assert json.loads((cache / "backends.json").read_text())


def test_who_hands_over_several_pictures_gets_the_engine_that_takes_less_of_the_processor(tmp_path, monkeypatch):
    passed = {"clock": 0.0, "processor": 0.0}
    monkeypatch.setattr(
        "vision.engine_choice.time",
        SimpleNamespace(perf_counter=lambda: passed["clock"], process_time=lambda: passed["processor"]),
    )

    class Engine:
        """Seconds by the clock for a run, and of the processor for a picture; the first runs while others run too."""

        def __init__(self, clock_s, processor_s):
            self.clock_s, self.processor_s, self.late_s = clock_s, processor_s, 9.0

        def run(self, tensors):
            passed["clock"] += self.clock_s + self.late_s
            passed["processor"] += self.processor_s * len(tensors)
            self.late_s = max(0.0, self.late_s - 3.0)

    engines = {"sparing": lambda: Engine(2.0, 1.0), "soon": lambda: Engine(1.0, 3.0)}
    cache = tmp_path / "cache"

    def look(engine, count):
        engine.run([None] * count)

    for _ in range(2):  # measured, then kept
        assert pick_backend(engines, ("model",), look, cache, 1)[0] == "soon"
        assert pick_backend(engines, ("model",), look, cache, 4)[0] == "sparing"


def test_a_cache_that_cannot_be_written_is_told_and_no_obstacle(tmp_path, caplog):
    path = tiny_model(tmp_path / "tiny.onnx", ANSWER)
    (tmp_path / "file").write_text("in the way")
    detector = Detector(path, cache_dir=tmp_path / "file" / "cache")
    assert detector.detect([np.zeros((64, 64, 3), np.uint8)])[0]
    assert "backends.json: cannot be read" in caplog.text
    assert "cannot write" in caplog.text
    assert "backends are measured at each start" in caplog.text


@pytest.fixture(scope="module")
def street(shared_data):
    """Fifteen pictures of the crossing and the people in them: number, boxes."""
    with open_source(shared_data("videos/vtest.avi"), fps=10 / 50) as source:
        frames = [(f.index, f.image) for f in source][:15]
    rows = np.loadtxt(shared_data("videos/vtest.gt.txt"), delimiter=",")
    truth = {i: [(x, y, x + w, y + h) for n, _, x, y, w, h, *_ in rows if n == i + 1] for i, _ in frames}
    return frames, truth


def matched(found, wanted):
    """How many of the wanted boxes a found one overlaps by half, each found one used once, best first."""
    left, hits = list(wanted), 0
    for box in found:
        best = max(left, key=lambda other: iou(box, other), default=None)
        if best is not None and iou(box, best) >= 0.5:
            left.remove(best)
            hits += 1
    return hits


@pytest.mark.parametrize(("weights", "count", "recall", "precision"), [(YOLO11, 15, 0.85, 0.8), (YOLO26, 5, 0.7, 0.8)])
def test_people_are_found_in_real_pictures(shared_data, street, weights, count, recall, precision):
    """Both output forms, against people marked by hand. The model's published AP50 here is 0.92 and 0.90."""
    frames, truth = street
    detector = Detector(shared_data(weights), backend="onnxruntime")
    hits = found = wanted = 0
    for (index, _), detections in zip(frames[:count], detector.detect([f for _, f in frames[:count]]), strict=True):
        people = [(d.x1, d.y1, d.x2, d.y2) for d in detections if d.kind == "person"]
        assert [d.score for d in detections] == sorted((d.score for d in detections), reverse=True)
        hits, found, wanted = hits + matched(people, truth[index]), found + len(people), wanted + len(truth[index])
    assert hits / wanted > recall
    assert hits / found > precision


def test_the_runtimes_agree_and_repeat_themselves(shared_data, street):
    frames = [image for _, image in street[0][:2]]
    ours, theirs = (Detector(shared_data(YOLO11), backend=b, threads=2) for b in ("onnxruntime", "openvino"))
    first, second = ours.detect(frames), theirs.detect(frames)
    for a, b in zip(first, second, strict=True):
        assert [d.kind for d in a] == [d.kind for d in b]
        for x, y in zip(a, b, strict=True):
            assert (x.x1, x.y1, x.x2, x.y2, x.score) == pytest.approx((y.x1, y.y1, y.x2, y.y2, y.score), abs=0.1)
    assert ours.detect(frames) == first
    assert theirs.detect(frames) == second
    # One at a time or several together: the same, to rounding.
    for single, together in zip(
        (d for f in frames for d in ours.detect([f])[0]), (d for s in first for d in s), strict=True
    ):
        assert single.score == pytest.approx(together.score, abs=1e-4)


def test_the_shipped_model_finds_people_in_thermal_pictures(shared_data):
    name = "videos/1_60_50_0_00281-00407"
    with open_source(shared_data(f"{name}.mp4"), fps=0.5) as source:
        frames = [(f.index, f.image) for f in source][:6]
    rows = [line.split(",") for line in shared_data(f"{name}.gt.txt").read_text().splitlines()]
    detector = Detector(backend="onnxruntime")
    assert detector.model.name == Path(SHIPPED_MODEL).stem
    hits = wanted = 0
    for (index, _), found in zip(frames, detector.detect([image for _, image in frames]), strict=True):
        boxes = [tuple(map(float, r[2:6])) for r in rows if int(r[0]) == index + 1 and r[7] == "0"]
        truth = [(x, y, x + w, y + h) for x, y, w, h in boxes]
        hits += matched([(d.x1, d.y1, d.x2, d.y2) for d in found if d.kind == "person"], truth)
        wanted += len(truth)
    assert wanted > 10
    assert hits / wanted > 0.6


def test_the_bare_rate_is_that_of_the_session(tmp_path):
    detector = Detector(tiny_model(tmp_path / "tiny.onnx", ANSWER), backend="onnxruntime")
    rate = bare_rate(detector, [np.zeros((64, 64, 3), np.uint8)] * 4, batch=2)
    assert rate.per_second > 0
    assert rate.cpu_ms >= 0


@settings(max_examples=20, deadline=None)
@given(st.integers(40, 90), st.integers(40, 90), st.sampled_from([(1, 3, 64, 64), (1, 3, 96, 64)]))
def test_the_input_is_the_picture_in_floats_whatever_memory_it_lands_in(tmp_path_factory, width, height, shape):
    detector = Detector(tiny_model(tmp_path_factory.mktemp("m") / "tiny.onnx", ANSWER), backend="onnxruntime")
    image = np.random.default_rng(width).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    spare = np.full(shape, np.nan, np.float32)
    tensor, _ = detector.prepare(image, spare)
    assert np.allclose(tensor[0], image[:, :, ::-1].transpose(2, 0, 1) / 255, atol=1e-6)
    other = np.full((height, width, 3), 200, np.uint8)
    tensor, box = detector.prepare(other, tensor)
    inside = tensor[0, :, box.top + 1 : box.height - box.top - 1, box.left + 1 : box.width - box.left - 1]
    assert np.allclose(inside, 200 / 255, atol=1e-6)
    assert tensor.shape == (1, 3, box.height, box.width)


@pytest.mark.parametrize("size", [(64, 64), (100, 40), (40, 100), (200, 150), (31, 77)])
def test_a_network_that_takes_bytes_sees_what_one_of_floats_sees(tmp_path, size):
    """Margins on every side, memory that held another picture; OpenVINO's own scores beside those of its floats."""
    detector = Detector(tiny_model(tmp_path / "tiny.onnx", ANSWER), backend="openvino", image_size=128, threads=1)
    rng = np.random.default_rng(7)
    image = cv2.resize(rng.integers(0, 256, (9, 9, 3), dtype=np.uint8), size, interpolation=cv2.INTER_CUBIC)
    detector.detect([np.full_like(image, 3)] * 2)  # its memory is used again
    ((laid, box),) = detector._prepared([image])
    floats, same = detector.prepare(image)
    assert box == same
    assert laid.dtype == np.uint8
    assert np.allclose(laid[0].transpose(2, 0, 1)[::-1] / 255, floats[0], atol=1e-6)
    shipped = open_session("openvino", SHIPPED_MODEL, 1)
    assert shipped.takes_bytes
    a, b = shipped.run([laid])[0], shipped.run([floats])[0]
    assert np.abs(a - b).max() < 0.02  # of places, which are pixels


def test_two_threads_get_what_one_gets(tmp_path):
    """Different pictures of different sizes, side by side in one detector, its session not yet chosen."""
    rng = np.random.default_rng(2)
    images = [rng.integers(0, 255, (96 + 32 * (k % 3), 128, 3), dtype=np.uint8) for k in range(12)]
    batches = [images[:3], images[3:5], images[5:6], images[6:]] * 4
    shared = Detector(confidence=0.01, threads=2, image_size=128, cache_dir=tmp_path)
    with ThreadPoolExecutor(2) as pool:
        got = list(pool.map(shared.detect, batches))
    expected = [shared.detect(batch) for batch in batches]
    assert sum(len(found) for batch in expected for found in batch) > 0
    for a, b in zip(itertools.chain(*expected), itertools.chain(*got), strict=True):
        assert [(one.kind, round(one.x1), round(one.y2)) for one in a] == [
            (one.kind, round(one.x1), round(one.y2)) for one in b
        ]
