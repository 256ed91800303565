"""ONNX networks of three nodes that answer every picture with the same output."""

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
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    metadata = {"names": repr(names), "stride": "32", "imgsz": "[64, 64]", "task": "detect", **(extra or {})}
    for key, text in metadata.items():
        if text is not None:
            entry = model.metadata_props.add()
            entry.key, entry.value = key, text
    onnx.save(model, str(path))
    return path


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
