"""What an ONNX detector says about itself: class names, stride, image size, hash; read without a runtime.

Only the top level of the file is walked (ONNX `ModelProto`: field 7 is the graph, field 14 the metadata), by the
protocol buffers wire format, so that it takes no time and no further dependency.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from vision.errors import ModelError

__all__ = ["KINDS", "ModelFile", "input_sides", "read_model_file"]

_CLASSES_OF: Mapping[str, str] = {
    "person": "person pedestrian people",
    "vehicle": "vehicle car van truck bus motorcycle motor tricycle awning-tricycle othervehicle boat",
    "bicycle": "bicycle bike",
    "animal": "animal bird cat dog horse sheep cow elephant bear zebra giraffe",
}

KINDS: Mapping[str, str] = MappingProxyType({name: kind for kind, line in _CLASSES_OF.items() for name in line.split()})
"""Our kind for the class names of COCO, VisDrone and HIT-UAV; a name that is not here is not reported."""

_READ = frozenset({"task", "names", "imgsz", "stride"})
_GRAPH, _METADATA = 7, 14
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


@dataclass(frozen=True, slots=True)
class ModelFile:
    """An ONNX detector in the Ultralytics manner.

    Parameters
    ----------
    path, name, sha256
        Where it lies, its file name without suffix, and its hash in hexadecimal.
    names
        Class names by class number.
    stride
        Pixels to which the input's sides are rounded up.
    image_size
        Longer side of the pictures it was made for, pixels.
    about
        What else the file says of itself: licence, data, date, sensor, description where it does.
    """

    path: Path
    name: str
    sha256: str
    names: Mapping[int, str]
    stride: int
    image_size: int
    about: Mapping[str, str] = field(default_factory=dict)


def read_model_file(path: str | Path) -> ModelFile:
    """Read the metadata of an ONNX detector.

    Raises
    ------
    ModelError
        When the file is missing, is not ONNX, or carries no class names.
    """
    path = Path(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path}: the model cannot be read ({error.strerror}): give an ONNX file") from error
    try:
        fields = list(_fields(data))
        metadata = dict(_entry(value) for number, value in fields if number == _METADATA)
    except (ValueError, UnicodeDecodeError) as error:
        raise ModelError(f"{path}: is not an ONNX model ({error}): export the detector to ONNX") from error
    if not any(number == _GRAPH for number, _ in fields):
        raise ModelError(f"{path}: is not an ONNX model (no graph): export the detector to ONNX")
    if metadata.get("task", "detect") != "detect":
        raise ModelError(f"{path}: is a model for {metadata['task']!r}: give a detection model")
    try:
        names = {int(number): str(name) for number, name in ast.literal_eval(metadata["names"]).items()}
        size = ast.literal_eval(metadata.get("imgsz", "[640, 640]"))
        stride = int(metadata.get("stride", "32"))
        about = {key: text for key, text in metadata.items() if key not in _READ}
        return ModelFile(path, path.stem, hashlib.sha256(data).hexdigest(), names, stride, int(max(size)), about)
    except (KeyError, ValueError, SyntaxError, AttributeError, TypeError) as error:
        raise ModelError(
            f"{path}: has no class names in its metadata ({type(error).__name__}): it is not a YOLO detector as "
            "Ultralytics exports it"
        ) from error


def input_sides(*shape: int | None) -> tuple[int | None, int | None]:
    """Height and width of a network's input by its shape; None for a dimension that is open.

    Raises
    ------
    ModelError
        When it is not the input of a detector.
    """
    if len(shape) != 4 or shape[1] not in {3, None} or shape[0] not in {1, None}:
        told = ", ".join("any" if dimension is None else str(dimension) for dimension in shape)
        raise ModelError(f"its input has the shape [{told}]: a detector takes one picture, [1, 3, height, width]")
    return shape[2], shape[3]


def _fields(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Field numbers and, for those of bytes, contents of a protocol buffers message."""
    view, at = memoryview(data), 0
    while at < len(data):
        key, at = _varint(data, at)
        number, wire = key >> 3, key & 7
        if wire == _VARINT:
            _, at = _varint(data, at)
            continue
        if wire == _BYTES:
            size, at = _varint(data, at)
        elif wire in (_FIXED64, _FIXED32):
            size = 8 if wire == _FIXED64 else 4
        else:
            raise ValueError(f"wire type {wire} at byte {at}")
        if number == 0 or at + size > len(data):
            raise ValueError(f"field {number} of {size} bytes at byte {at} runs past the end")
        yield number, b"" if number == _GRAPH else bytes(view[at : at + size])
        at += size


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(data):
            raise ValueError("ends in the middle of a number")
        value |= (data[at] & 0x7F) << shift
        at += 1
        if data[at - 1] < 0x80:
            return value, at
    raise ValueError(f"number at byte {at} is too long")


def _entry(data: bytes) -> tuple[str, str]:
    """A `StringStringEntryProto`: field 1 the key, field 2 the value."""
    parts = {number: value.decode() for number, value in _fields(data)}
    return parts.get(1, ""), parts.get(2, "")
