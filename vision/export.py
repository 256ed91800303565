"""Trained weights as an ONNX file, in half precision."""

from __future__ import annotations

import shutil
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from vision.errors import MissingExtra, VisionError
from vision.training_data import CLASSES

if TYPE_CHECKING:
    import onnx

__all__ = ["export", "halve_weights"]

_FEW = 256  # arrays with fewer numbers than this gain nothing in half precision


def export(
    weights: Path,
    out: Path,
    *,
    data: str,
    image_size: int = 640,
    licence: str = "AGPL-3.0-or-later",
    date: str | None = None,
) -> Path:
    """Write trained weights as an ONNX file of any batch, height and width, with weights in half precision.

    Input ``images``, float32 (N, 3, H, W), red, green, blue, 0 to 1, H and W multiples of 32. Output ``output0``,
    float32 (N, 4 + classes, anchors): centre x, centre y, width and height in input pixels, then a score for each
    class.

    Parameters
    ----------
    weights : Path
        ``.pt`` that `train` returned.
    out : Path
        ``.onnx`` to write.
    data : str
        What it was trained on, with licences; goes into the file's metadata.
    image_size : int
        Size that the metadata recommend, px.
    licence : str
        Licence of the model, for the metadata.
    date : str, optional
        ISO 8601; today by default.

    Returns
    -------
    Path
        `out`.

    Raises
    ------
    MissingExtra
        ultralytics or onnx is not installed.
    VisionError
        `weights` does not exist, or finds other classes than ours.
    """
    try:
        import onnx  # noqa: PLC0415 - the extra is large; only export needs it
        from ultralytics import YOLO  # noqa: PLC0415
    except ImportError as error:
        raise MissingExtra("export needs ultralytics, torch and onnx: pip install vedette[train]") from error
    if not weights.is_file():
        raise VisionError(f"{weights} does not exist: train first, or give the path of a .pt file")
    with tempfile.TemporaryDirectory() as folder:  # ultralytics writes beside the weights
        copy = shutil.copyfile(weights, Path(folder) / "model.pt")
        network = YOLO(str(copy))
        found = tuple(network.names.values())
        if found != CLASSES:
            raise VisionError(f"{weights} finds {', '.join(found[:5])} ..., not {', '.join(CLASSES)}: train it first")
        model = onnx.load(network.export(format="onnx", dynamic=True, simplify=True, opset=17, imgsz=image_size))
    model = halve_weights(model)
    del model.metadata_props[:]
    told = {
        "description": "Vedette YOLO11n: people, vehicles, bicycles and animals from the air",
        "task": "detect",
        "names": str(dict(enumerate(CLASSES))),
        "stride": "32",
        "imgsz": str([image_size, image_size]),
        "licence": licence,
        "date": date or datetime.now(UTC).date().isoformat(),
        "data": data,
    }
    onnx.helper.set_model_props(model, told)
    out.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, out)
    return out


def halve_weights(model: onnx.ModelProto) -> onnx.ModelProto:
    """Store the weights of a model as float16, each with a Cast back to float32: half the file, same arithmetic.

    ONNX Runtime and OpenVINO fold the Cast when they load the file, so that inference is as fast as before, and
    computes exactly what a float32 model with weights rounded to float16 would.

    Parameters
    ----------
    model : onnx.ModelProto
        Is not changed.

    Returns
    -------
    onnx.ModelProto
        Arrays that are small, or hold a number beyond the range of float16, stay as they are.
    """
    from onnx import ModelProto, TensorProto, helper, numpy_helper  # noqa: PLC0415 - only export needs it

    halved = ModelProto()
    halved.CopyFrom(model)
    graph = halved.graph
    replaceable = {one.name for one in graph.initializer} - {one.name for one in graph.input}
    casts = []
    for weight in graph.initializer:
        if weight.data_type != TensorProto.FLOAT or weight.name not in replaceable:
            continue
        values = numpy_helper.to_array(weight)
        with np.errstate(over="ignore"):
            small = values.astype(np.float16)
        if values.size < _FEW or not np.isfinite(small).all():
            continue
        name = weight.name
        weight.CopyFrom(numpy_helper.from_array(small, f"{name}_float16"))
        casts.append(helper.make_node("Cast", [weight.name], [name], name=f"{name}_cast", to=TensorProto.FLOAT))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
    return halved
