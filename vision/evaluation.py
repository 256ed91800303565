"""How well a detector does on labelled images: average precision by class, object size and tag.

Whole images go through the ONNX file as a user would run it, so that anyone can repeat the figures of a model card
with NumPy and ONNX Runtime alone.
"""

from __future__ import annotations

import ast
import csv
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import onnxruntime

from vision.average_precision import IOU_LEVELS, average_precision, overlap
from vision.errors import ModelError, VisionError
from vision.training_data import CLASSES, class_id, read_labels

__all__ = ["SIZES", "Score", "evaluate_model", "markdown"]

Floats = npt.NDArray[np.float64]

SIZES: Mapping[str, tuple[float, float]] = {
    "all": (0, math.inf),
    "small": (0, 16),
    "medium": (16, 48),
    "large": (48, math.inf),
}
"""Range of the side of an object, the square root of its box, in pixels *of the network's input*."""
_LOWEST_SCORE = 0.001  # average precision needs the whole curve, far below the score at which one would alarm
_OVERLAP = 0.7  # of two boxes of one class that overlap more, the better stays
_MOST_BOXES = 300
_GREY = 114
_STRIDE = 32


@dataclass(frozen=True)
class Score:
    """Figures of one class, one range of sizes, in the images of one tag.

    Attributes
    ----------
    tag, kind, size : str
        Tag of the images (``all`` for all), class, and key of `SIZES`.
    images, objects : int
        How many were labelled so.
    ap50, ap50_95 : float
        Average precision, 0 to 1; not a number where there are no objects.
    precision, recall : float
        At IoU 0.5, of the detections that score at least `evaluate_model`'s `alarm`.
    """

    tag: str
    kind: str
    size: str
    images: int
    objects: int
    ap50: float
    ap50_95: float
    precision: float
    recall: float


@dataclass(frozen=True)
class _Image:
    """What was labelled and what was found in one image, input pixels: boxes (n, 4) as x1 y1 x2 y2."""

    tags: frozenset[str]
    label_boxes: Floats
    label_kinds: npt.NDArray[np.int64]
    boxes: Floats
    kinds: npt.NDArray[np.int64]
    scores: Floats


def evaluate_model(
    model: Path,
    data: Path,
    *,
    image_size: int = 640,
    alarm: float = 0.25,
    tags: Sequence[str] | None = None,
    threads: int = 0,
) -> tuple[Score, ...]:
    """Measure a detector on the held-out images of a prepared data set.

    Parameters
    ----------
    model : Path
        ONNX file: input ``images`` (N, 3, H, W) float32 RGB 0 to 1, output (N, 4 + classes, anchors), boxes as centre
        x, centre y, width, height in input pixels. Class names in the metadata are matched to ours, so a model
        trained on COCO can be measured.
    data : Path
        ``data.yaml`` that `vision.training_data.prepare` wrote, or its folder.
    image_size : int
        The longer side of every image is scaled to this, px; the shorter is padded to a multiple of 32.
    alarm : float
        Score for `Score.precision` and `Score.recall`.
    tags : sequence of str, optional
        Measure images of these tags only; all by default.
    threads : int
        Threads of ONNX Runtime, 0 for its own choice.

    Returns
    -------
    tuple of Score
        For every tag and ``all``, every class and every size of which there are objects.

    Raises
    ------
    ModelError
        The model cannot be read or has another shape.
    VisionError
        The data set has no ``val.csv``, or an image or label file in it is broken.
    """
    root = data if data.is_dir() else data.parent
    listing = root / "val.csv"
    if not listing.is_file():
        raise VisionError(f"{listing} is missing: evaluation needs a data set that `vision.train.prepare` wrote")
    session, kind_of_channel = _open(model, threads)
    identity = {number: number for number in range(len(CLASSES))}
    images: list[_Image] = []
    with listing.open(newline="", encoding="utf-8") as stream:
        for row in csv.DictReader(stream):
            have = frozenset(row["tags"].split())
            if tags is not None and not have & set(tags):
                continue
            path = root / row["image"]
            pixels = cv2.imread(str(path), cv2.IMREAD_COLOR)
            if pixels is None:
                raise VisionError(f"{path}: not a readable image")
            tensor, scale = letterbox(pixels.astype(np.uint8), image_size)
            output = session.run(None, {session.get_inputs()[0].name: tensor})[0]
            boxes, kinds, scores = decode(np.asarray(output, np.float64)[0], kind_of_channel)
            labels = read_labels(path, identity)
            size = np.array([pixels.shape[1], pixels.shape[0]] * 2) * scale
            corners = np.c_[labels[:, 1:3] - labels[:, 3:5] / 2, labels[:, 1:3] + labels[:, 3:5] / 2] * size
            images.append(_Image(have, corners, labels[:, 0].astype(np.int64), boxes, kinds, scores))
    return tuple(_scores(images, alarm))


def markdown(scores: Iterable[Score]) -> str:
    """The scores as a Markdown table."""
    head = (
        "| images | class | size | objects | AP50 | AP50-95 | precision | recall |\n|---|---|---|--:|--:|--:|--:|--:|\n"
    )
    return head + "".join(
        f"| {s.tag} ({s.images}) | {s.kind} | {s.size} | {s.objects} | {s.ap50:.3f} | {s.ap50_95:.3f} "
        f"| {s.precision:.2f} | {s.recall:.2f} |\n"
        for s in scores
    )


# ---------------------------------------------------------------------------------------------------- running a model


def _open(model: Path, threads: int) -> tuple[onnxruntime.InferenceSession, npt.NDArray[np.int64]]:
    """The session, and for each class channel of its output our class, -1 for one we do not look for."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    try:
        session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
        told = session.get_modelmeta().custom_metadata_map["names"]
        names: dict[int, str] = dict(ast.literal_eval(told))
    except KeyError:
        raise ModelError(f"{model}: its metadata has no class names; export it with `vedette export`") from None
    except Exception as error:  # ONNX Runtime's own errors share no base but Exception
        raise ModelError(f"{model}: not a model that can be run: {error}") from error
    channels = np.full(len(names), -1, np.int64)
    for number, name in names.items():
        channels[number] = -1 if (found := class_id(name)) is None else found
    return session, channels


def letterbox(image: npt.NDArray[np.uint8], longer_side: int) -> tuple[npt.NDArray[np.float32], float]:
    """Scale an image and pad it on the right and below with grey to what the network takes.

    Parameters
    ----------
    image : ndarray of uint8, shape (height, width, 3)
        Blue, green, red.
    longer_side : int
        Length of its longer side afterwards, px.

    Returns
    -------
    tensor : ndarray of float32, shape (1, 3, H, W)
        Red, green, blue, 0 to 1; H and W multiples of 32.
    scale : float
        Input pixels to one pixel of `image`.
    """
    scale = longer_side / max(image.shape[:2])
    height, width = (max(1, round(side * scale)) for side in image.shape[:2])
    if scale != 1:
        way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        image = np.asarray(cv2.resize(image, (width, height), interpolation=way), np.uint8)
    rows, columns = (math.ceil(side / _STRIDE) * _STRIDE for side in (height, width))
    padded = np.full((rows, columns, 3), _GREY, np.uint8)
    padded[:height, :width] = image
    tensor = np.ascontiguousarray(padded[None, :, :, ::-1].transpose(0, 3, 1, 2), np.float32)
    return tensor / np.float32(255), scale


def decode(output: Floats, kind_of_channel: npt.NDArray[np.int64]) -> tuple[Floats, npt.NDArray[np.int64], Floats]:
    """Boxes of one image out of the raw output of the network, best score first.

    Parameters
    ----------
    output : ndarray, shape (4 + channels, anchors)
    kind_of_channel : ndarray of int, shape (channels,)
        Our class of each channel, -1 for none; the best of several channels of one class counts.

    Returns
    -------
    boxes : ndarray, shape (n, 4)
        x1, y1, x2, y2, input pixels; n is at most 300.
    kinds : ndarray of int, shape (n,)
    scores : ndarray, shape (n,)

    Raises
    ------
    ModelError
        The output has another number of rows than there are class names.
    """
    if output.ndim != 2 or len(output) != 4 + len(kind_of_channel):
        channels = len(kind_of_channel)
        raise ModelError(f"the model's output is {output.shape}; {channels} classes need ({4 + channels}, anchors)")
    found: list[tuple[Floats, npt.NDArray[np.int64], Floats]] = []
    for kind in sorted(set(kind_of_channel.tolist()) - {-1}):
        scores = output[4:][kind_of_channel == kind].max(axis=0)
        chosen = np.flatnonzero(scores > _LOWEST_SCORE)
        chosen = chosen[np.argsort(-scores[chosen], kind="stable")]
        centre, half = output[:2, chosen].T, output[2:4, chosen].T / 2
        boxes = np.hstack([centre - half, centre + half])
        keep = _suppress(boxes)
        found.append((boxes[keep], np.full(len(keep), kind, np.int64), scores[chosen][keep]))
    boxes = np.concatenate([np.empty((0, 4)), *(one[0] for one in found)])
    kinds = np.concatenate([np.empty(0, np.int64), *(one[1] for one in found)])
    scores = np.concatenate([np.empty(0), *(one[2] for one in found)])
    order = np.argsort(-scores, kind="stable")[:_MOST_BOXES]
    return boxes[order], kinds[order], scores[order]


def _suppress(boxes: Floats) -> list[int]:
    """Indices, in order, of the boxes that do not overlap an earlier one that stayed."""
    waiting = np.arange(len(boxes))
    keep: list[int] = []
    while len(waiting) and len(keep) < _MOST_BOXES:
        first, waiting = int(waiting[0]), waiting[1:]
        keep.append(first)
        waiting = waiting[overlap(boxes[first : first + 1], boxes[waiting])[0] <= _OVERLAP]
    return keep


# ------------------------------------------------------------------------------------------------------------ scores


def _scores(images: Sequence[_Image], alarm: float) -> Iterable[Score]:
    for tag in ["all", *sorted({tag for image in images for tag in image.tags})]:
        chosen = [image for image in images if tag == "all" or tag in image.tags]
        for kind, name in enumerate(CLASSES):
            labels = [image.label_boxes[image.label_kinds == kind] for image in chosen]
            found = [(image.boxes[image.kinds == kind], image.scores[image.kinds == kind]) for image in chosen]
            for size, sides in SIZES.items():
                figures = [average_precision(labels, found, level, sides, alarm) for level in IOU_LEVELS]
                if figures[0]["objects"]:
                    first, mean = figures[0], float(np.mean([one["ap"] for one in figures]))
                    yield Score(
                        tag,
                        name,
                        size,
                        len(chosen),
                        int(first["objects"]),
                        first["ap"],
                        mean,
                        first["precision"],
                        first["recall"],
                    )
