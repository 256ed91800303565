"""Small ONNX networks: one answers every picture with the same output, one finds what is bright."""

import numpy as np
import onnx
from onnx import TensorProto, helper

NAMES = {0: "person", 1: "car", 2: "kite"}


def tiny_model(path, output, *, names=NAMES, extra=None):
    """An ONNX network that answers every picture with the same output."""
    value = helper.make_tensor("answer", TensorProto.FLOAT, output.shape, output.astype(np.float32).ravel())
    zero = helper.make_tensor("zero", TensorProto.FLOAT, [1], [0.0])
    graph = helper.make_graph(
        [
            helper.make_node("ReduceMean", ["images"], ["mean"], keepdims=0),
            helper.make_node("Mul", ["mean", "zero"], ["nothing"]),
            helper.make_node("Add", ["answer", "nothing"], ["output0"]),
        ],
        "tiny",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, [1, 3, "height", "width"])],
        [helper.make_tensor_value_info("output0", TensorProto.FLOAT, list(output.shape))],
        [value, zero],
    )
    return _save(path, graph, names, extra)


ANSWER = np.array(
    [
        [20.0, 20, 10, 10, 0.9, 0.0, 0.0],
        [21.0, 20, 10, 10, 0.8, 0.0, 0.0],  # the same person again
        [40.0, 40, 10, 10, 0.0, 0.7, 0.0],
        [5.0, 5, 20, 20, 0.0, 0.6, 0.0],  # reaches over the corner
        [50.0, 20, 10, 10, 0.0, 0.0, 0.9],  # a kite is nobody's business
        [30.0, 30, 10, 10, 0.2, 0.1, 0.0],  # too faint
        [0, 0, 0, 0, 0, 0, 0],
    ]
).T[None]


def bright_model(path):
    """An ONNX network that finds the one bright thing in a picture, a person, whatever its place and size."""
    names, make = {0: "person"}, helper.make_node
    axes = {"x": [1, 2], "y": [1, 3]}
    nodes = [
        make("Greater", ["images", "threshold"], ["bright"]),
        make("Cast", ["bright"], ["mask"], to=TensorProto.FLOAT),
        make("ReduceMax", ["mask"], ["any"], axes=[1, 2, 3], keepdims=0),
    ]
    for side, others in axes.items():
        nodes += [
            make("ReduceMax", ["mask"], [f"{side} shade"], axes=others, keepdims=0),
            make("ArgMax", [f"{side} shade"], [f"{side} begin"], axis=1, keepdims=0),
            make("ArgMax", [f"{side} shade"], [f"{side} last"], axis=1, keepdims=0, select_last_index=1),
            make("Cast", [f"{side} begin"], [f"{side}1"], to=TensorProto.FLOAT),
            make("Cast", [f"{side} last"], [f"{side}2"], to=TensorProto.FLOAT),
            make("Add", [f"{side}1", f"{side}2"], [f"{side} sum"]),
            make("Mul", [f"{side} sum", "half"], [f"{side} middle"]),
            make("Sub", [f"{side}2", f"{side}1"], [f"{side} size"]),
        ]
    nodes += [
        make("Mul", ["any", "sure"], ["score"]),
        make("Concat", ["x middle", "y middle", "x size", "y size", "score"], ["row"], axis=0),
        make("Reshape", ["row", "shape"], ["output0"]),
    ]
    constants = {"threshold": 0.8, "half": 0.5, "sure": 0.9}
    made = [helper.make_tensor(name, TensorProto.FLOAT, [1], [value]) for name, value in constants.items()]
    made += [helper.make_tensor("shape", TensorProto.INT64, [3], [1, 5, 1])]
    images = helper.make_tensor_value_info("images", TensorProto.FLOAT, [1, 3, "height", "width"])
    found = helper.make_tensor_value_info("output0", TensorProto.FLOAT, [1, 5, 1])
    return _save(path, helper.make_graph(nodes, "bright", [images], [found], made), names)


def _save(path, graph, names, extra=None):
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    metadata = {"names": repr(names), "stride": "32", "imgsz": "[64, 64]", "task": "detect", **(extra or {})}
    for key, text in metadata.items():
        if text is not None:
            entry = model.metadata_props.add()
            entry.key, entry.value = key, text
    onnx.save(model, str(path))
    return path
