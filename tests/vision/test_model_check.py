"""Models that can be used, and those that cannot: what is wrong is said of each engine."""

import re
from types import SimpleNamespace

import numpy as np
import onnx
import openvino.preprocess
import pytest
from onnx import TensorProto, helper

import vision.model_check
import vision.processor_sessions
from tests.vision.tiny_models import ANSWER, tiny_model
from vision import SHIPPED_MODELS, ModelError, check_model
from vision.processor_sessions import BACKENDS

COCO = ("weights/coco-yolo11n.onnx", "weights/coco-yolo26n.onnx")


@pytest.mark.parametrize("sensor", SHIPPED_MODELS)
def test_shipped_models_can_be_used_and_the_engines_agree(sensor):
    done = check_model(SHIPPED_MODELS[sensor])
    assert done.problems == ()
    assert [one.engine for one in done.engines] == list(BACKENDS)
    assert {one.output_shape for one in done.engines} == {(1, 8, 8400)}
    assert 0 < done.box_px < 0.1
    assert 0 <= done.score < 1e-4
    assert done.kinds == {kind: kind for kind in ("person", "vehicle", "bicycle", "animal")}


def test_an_engine_is_given_the_picture_in_the_form_in_which_a_watch_hands_it_over(monkeypatch):
    """OpenVINO takes bytes: what mixes up their colours is seen."""
    taken = vision.processor_sessions._of_bytes
    red = openvino.preprocess.ColorFormat.RGB

    def mixed_up(model):
        with monkeypatch.context() as swapped:
            swapped.setattr(openvino.preprocess, "ColorFormat", SimpleNamespace(BGR=red, RGB=red))
            return taken(model)

    monkeypatch.setattr(vision.processor_sessions, "_of_bytes", mixed_up)
    (problem,) = check_model(SHIPPED_MODELS["daylight"]).problems
    assert "onnxruntime and openvino differ by" in problem


@pytest.mark.parametrize("name", COCO)
def test_both_forms_of_output(shared_data, name):
    done = check_model(shared_data(name))
    assert done.problems == ()
    assert len(done.engines) == 2
    assert done.kinds["car"] == "vehicle"
    assert done.kinds["kite"] is None


def test_the_sample_is_the_same_everywhere_and_has_something_in_it():
    sample = vision.model_check.sample_input(96, 64)
    assert sample.shape == (1, 3, 64, 96)
    assert sample.dtype == np.float32
    assert (sample.min() >= 0) and (sample.max() <= 1)  # noqa: PT018 - one range
    assert np.array_equal(sample, vision.model_check.sample_input(96, 64))
    assert sample.std() > 0.05


def graph_model(path, nodes, *, shape=(1, 3, "height", "width"), kind=TensorProto.FLOAT, initial=()):
    """An ONNX file with detector's metadata around any graph from `images` to `output0`."""
    graph = helper.make_graph(
        nodes,
        "odd",
        [helper.make_tensor_value_info("images", kind, list(shape))],
        [helper.make_tensor_value_info("output0", TensorProto.FLOAT, None)],
        list(initial),
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    for key, text in {"names": "{0: 'person', 1: 'car', 2: 'kite'}", "stride": "32", "imgsz": "[64, 64]"}.items():
        entry = model.metadata_props.add()
        entry.key, entry.value = key, text
    onnx.save(model, str(path))
    return path


def with_values(change):
    answer = ANSWER.copy()
    change(answer)
    return lambda path: tiny_model(path, answer)


def random_model(path):
    random = helper.make_node("RandomUniform", [], ["chance"], shape=[1, 7, 5], low=0.0, high=1.0)
    mean = [helper.make_node("ReduceMean", ["images"], ["mean"], keepdims=0)]
    zero = helper.make_tensor("zero", TensorProto.FLOAT, [1], [0.0])
    more = [
        helper.make_node("Mul", ["mean", "zero"], ["nothing"]),
        helper.make_node("Add", ["chance", "nothing"], ["output0"]),
    ]
    return graph_model(path, [random, *mean, *more], initial=[zero])


ODD = {
    "three dimensions": (
        lambda p: graph_model(p, [helper.make_node("Identity", ["images"], ["output0"])], shape=(3, 64, 64)),
        r"its input has the shape \[3, 64, 64\]: a detector takes one picture",
    ),
    "one channel": (
        lambda p: graph_model(p, [helper.make_node("Identity", ["images"], ["output0"])], shape=(1, 1, 64, 64)),
        r"its input has the shape \[1, 1, 64, 64\]",
    ),
    "batches alone": (
        lambda p: graph_model(p, [helper.make_node("Identity", ["images"], ["output0"])], shape=(4, 3, 64, 64)),
        r"its input has the shape \[4, 3, 64, 64\]",
    ),
    "classifier": (lambda p: tiny_model(p, np.zeros((1, 1000))), r"output.*shape \[1, 1000\]"),
    "other classes": (lambda p: tiny_model(p, np.zeros((1, 84, 50))), r"output.*shape \[1, 84, 50\]"),
    "no numbers": (with_values(lambda a: a.__setitem__((0, 0, 0), np.nan)), r"numbers that are none"),
    "logits": (with_values(lambda a: a.__setitem__((0, 4, 0), 7.5)), r"scores run from .* to 7\.5, not from 0 to 1"),
    "kinds": (
        lambda p: tiny_model(p, ANSWER, names={0: "smuggler", 1: "mule", 2: "kite"}),
        r"none of its classes \(smuggler, mule, kite\)",
    ),
}


@pytest.mark.parametrize("case", ODD)
def test_what_is_wrong_is_said(tmp_path, case):
    make, message = ODD[case]
    done = check_model(make(tmp_path / "odd.onnx"))
    assert done.problems
    assert any(re.search(message, problem) for problem in done.problems), done.problems
    assert all("\n" not in problem for problem in done.problems)
    if case != "kinds":
        assert done.engines == ()
        assert len(done.problems) == len(BACKENDS)


def test_chance_in_a_model_shows(tmp_path):
    done = check_model(random_model(tmp_path / "chance.onnx"))
    assert any("gives another output the second time" in problem for problem in done.problems)


def test_a_graph_that_does_not_load_is_told_of_each_engine(tmp_path):
    path = tiny_model(tmp_path / "odd.onnx", ANSWER)
    model = onnx.load(str(path))
    model.graph.node[0].op_type = "NoSuchThing"
    onnx.save(model, str(path))
    done = check_model(path)
    assert done.engines == ()
    assert [problem.split()[0] for problem in done.problems] == list(BACKENDS)
    assert (done.box_px, done.score) == (None, None)


class Shifted:
    """An engine that computes with a coarser rule."""

    takes_bytes = False

    def __init__(self, inner, shift, rows):
        self.inner, self.shift, self.rows = inner, shift, rows

    @property
    def input_shape(self):
        return self.inner.input_shape

    def run(self, tensors):
        output = self.inner.run(tensors)[0].copy()
        part = output[0, :4] if self.rows == "boxes" else output[0, 4:]
        part += self.shift
        return [output]


@pytest.mark.parametrize(
    ("rows", "shift", "bad"),
    [("boxes", 0.2, False), ("boxes", 0.8, True), ("scores", 0.002, False), ("scores", 0.05, True)],
)
def test_engines_that_differ_show(tmp_path, monkeypatch, rows, shift, bad):
    path = tiny_model(tmp_path / "tiny.onnx", ANSWER)
    real = BACKENDS["onnxruntime"]
    engines = {"one": real, "other": lambda *arguments: Shifted(real(*arguments), shift, rows)}
    monkeypatch.setattr("vision.model_check.BACKENDS", engines)
    monkeypatch.setattr("vision.runtime.BACKENDS", engines)
    done = check_model(path)
    assert max(done.box_px, done.score) == pytest.approx(shift, abs=1e-5)
    assert any("one and other differ" in problem for problem in done.problems) is bad
    assert bool(done.problems) is bad


def test_what_is_no_model_at_all_is_refused(tmp_path):
    (tmp_path / "text.onnx").write_text("hello")
    with pytest.raises(ModelError, match=r"text\.onnx: is not an ONNX model"):
        check_model(tmp_path / "text.onnx")
    with pytest.raises(ModelError, match="cannot be read"):
        check_model(tmp_path / "absent.onnx")
