"""Whether a model file can be used: every engine opens it, runs a picture, and they say the same.

The picture is made by arithmetic and always the same. The whole output is compared, not only what would be reported.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vision.errors import ModelError
from vision.letterboxes import letterbox
from vision.model_file import KINDS, ModelFile, read_model_file
from vision.processor_sessions import BACKENDS
from vision.runtime import open_session
from vision.yolo_output import decode_output

__all__ = ["EngineCheck", "ModelCheck", "check_model"]

Floats = NDArray[np.float32]

_BOX_PX, _SCORE = 0.5, 0.01  # 32-bit floats summed in another order differ by less; another network by more
_SIDE_PX = 640
_SURE = 0.5  # end-to-end models rank their rows: faint ones change places for nothing


@dataclass(frozen=True, slots=True)
class EngineCheck:
    """One engine with a model: its name, shapes of input and output, and milliseconds of the second run.

    Without an output shape it failed; the model's `problems` say why.
    """

    engine: str
    input_shape: tuple[int, ...]
    output_shape: tuple[int, ...]
    milliseconds: float


@dataclass(frozen=True, slots=True)
class ModelCheck:
    """What was found.

    Parameters
    ----------
    file
        What the model says of itself.
    kinds
        Our kind of each of its class names; None for one that is not reported.
    engines
        Those that ran it.
    box_px, score
        Largest difference between engines in a box, input pixels, and in a score; None with fewer than two engines.
    problems
        Why it cannot be used; none where it can.
    """

    file: ModelFile
    kinds: Mapping[str, str | None]
    engines: tuple[EngineCheck, ...]
    box_px: float | None
    score: float | None
    problems: tuple[str, ...]


def check_model(path: str | Path) -> ModelCheck:
    """Open a model with every engine, run a picture twice, and compare.

    Raises
    ------
    ModelError
        When the file is no ONNX detector at all; what else is wrong is among the `problems`.
    """
    file = read_model_file(path)
    kinds = {name: KINDS.get(name.lower()) for name in file.names.values()}
    problems = []
    if not any(kinds.values()):
        problems.append(f"none of its classes ({', '.join(kinds)[:80]}) is of a kind that is looked for")
    engines, outputs = [], []
    for engine in BACKENDS:
        try:
            found, output = _run(file, engine)
        except ModelError as error:
            problems.append(str(error).removeprefix(f"{file.path}: "))
            continue
        engines.append(found)
        outputs.append(output)
    box_px = score = None
    if len(outputs) > 1:
        try:
            box_px, score = _difference(outputs[0], outputs[1], len(file.names))
        except ModelError as error:
            problems.append(str(error))
        else:
            names = " and ".join(one.engine for one in engines)
            if not (box_px <= _BOX_PX and score <= _SCORE):
                problems.append(f"{names} differ by {box_px:.3g} px in a box and {score:.3g} in a score")
    return ModelCheck(file, kinds, tuple(engines), box_px, score, tuple(problems))


def sample_input(width: int, height: int) -> Floats:
    """The picture as a network takes it, shape (1, 3, height, width), 0 to 1 in steps of a byte.

    Grainy ground with waves, and on it upright and lying spots, bright and dark: enough like people and vehicles from
    above for scores that are not all nothing.
    """
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    shade = 0.35 + 0.05 * np.sin(x / 23) * np.cos(y / 17)
    for k in range(12):
        at_x, at_y = width * (0.08 + (0.37 * k) % 0.85), height * (0.08 + (0.61 * k) % 0.85)
        wide, high = ((5, 12), (22, 12), (4, 8))[k % 3]
        inside = ((x - at_x) / wide) ** 2 + ((y - at_y) / high) ** 2 < 1
        shade[inside] = 0.95 if k % 4 else 0.1
    tint = np.array([1.0, 0.97, 0.93], np.float32)[:, None, None]
    grain = np.random.default_rng(11).random((3, height, width), dtype=np.float32) * 0.06
    levels = np.rint(np.clip(shade * tint + grain, 0, 1)[None] * 255)
    return np.ascontiguousarray(levels / 255, dtype=np.float32)


def _as_bytes(tensor: Floats) -> NDArray[np.uint8]:
    """The same picture for a session that takes it as it is, see `Session.takes_bytes`."""
    return np.ascontiguousarray(np.rint(tensor[:, ::-1] * 255).transpose(0, 2, 3, 1), dtype=np.uint8)


def _run(file: ModelFile, engine: str) -> tuple[EngineCheck, Floats]:
    """Run the sample twice. Raises ModelError where that fails, or the output is no detector's."""
    session = open_session(engine, file.path, 1)
    side = min(file.image_size, _SIDE_PX)
    box = letterbox((side, side), side, file.stride, session.input_shape)
    tensor = sample_input(box.width, box.height)
    given = _as_bytes(tensor) if session.takes_bytes else tensor  # as a watch hands it over
    try:
        first = session.run([given])[0]
        start = time.perf_counter()
        again = session.run([given])[0]
        milliseconds = (time.perf_counter() - start) * 1e3
    except Exception as error:  # the engines raise a dozen types, RuntimeError among them
        line = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise ModelError(f"{engine} cannot run it on {tensor.shape} ({line[:160]})") from error
    decode_output(first, len(file.names), _SURE)  # raises where the shape is another
    if not np.isfinite(first).all():
        raise ModelError(f"{engine}: its output holds numbers that are none (NaN or infinite)")
    scores = _scores(first, len(file.names))
    if scores.size and not (scores.min() >= -1e-3 and scores.max() <= 1 + 1e-3):
        raise ModelError(
            f"{engine}: its scores run from {scores.min():.3g} to {scores.max():.3g}, not from 0 to 1: export it with "
            "its last layer"
        )
    if not np.array_equal(first, again):
        raise ModelError(f"{engine}: the same picture gives another output the second time")
    return EngineCheck(engine, tensor.shape, first.shape, milliseconds), first


def _is_rows(output: Floats) -> bool:
    """Whether it is of the end-to-end form, a row a box."""
    return bool(output.shape[2] == 6)


def _scores(output: Floats, classes: int) -> Floats:
    return output[0, :, 4] if _is_rows(output) else output[0, 4 : 4 + classes]


def _difference(one: Floats, other: Floats, classes: int) -> tuple[float, float]:
    """Largest differences of boxes and of scores."""
    if one.shape != other.shape:
        raise ModelError(f"the engines give outputs of the shapes {one.shape} and {other.shape}")
    if not _is_rows(one):
        apart = np.abs(one[0] - other[0])
        return float(apart[:4].max(initial=0.0)), float(apart[4:].max(initial=0.0))
    sure, others = (decode_output(output, classes, _SURE) for output in (one, other))
    scores = np.sort(one[0, :, 4]) - np.sort(other[0, :, 4])
    boxes = 0.0
    for box in sure[0]:
        boxes = max(boxes, float(np.abs(others[0] - box).max(axis=1).min()) if len(others[0]) else np.inf)
    return boxes, float(np.abs(scores).max(initial=0.0))
