"""What a YOLO network answers: boxes, scores and classes out of its output, and of overlapping boxes the best."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vision.errors import ModelError

__all__ = ["decode_output", "suppress"]

Floats = NDArray[np.float32]
Ints = NDArray[np.intp]

_END_TO_END_COLUMNS = 6


def decode_output(
    output: Floats, classes: int, confidence: float, wanted: Ints | None = None
) -> tuple[Floats, Floats, Ints]:
    """Boxes (n, 4) as x1, y1, x2, y2 in input pixels, scores (n,) and class numbers (n,) above a confidence.

    Both forms: ``[1, 4 + classes, n]`` with centre, size and a score a class (YOLOv8 to YOLO11), and the end-to-end
    ``[1, n, 6]`` with corners, score and class (YOLO26). Boxes of classes that are not `wanted`, numbers (k,), may be
    left out.

    Raises
    ------
    ModelError
        When the output has another shape.
    """
    # First: as many rows as the other form has are no rarity, six places in a whole picture are.
    if output.ndim == 3 and output.shape[2] == _END_TO_END_COLUMNS:
        rows = output[0][output[0][:, 4] > confidence]
        return rows[:, :4], rows[:, 4], rows[:, 5].astype(np.intp)
    if output.ndim == 3 and output.shape[1] == 4 + classes:
        table, scores = output[0], output[0][4:]
        # Where none of those wanted is above it the best is none of them: most boxes are spared a look at 80 classes.
        asked = scores if wanted is None or not len(wanted) else scores[wanted]
        keep = np.flatnonzero(asked.max(axis=0) > confidence)
        numbers = scores[:, keep].argmax(axis=0)
        x, y, w, h = table[:4, keep]
        return np.stack([x - w / 2, y - h / 2, x + w / 2, y + h / 2], axis=1), scores[numbers, keep], numbers
    raise ModelError(
        f"the network's output has shape {list(output.shape)}; a detector of {classes} classes gives "
        f"[1, {4 + classes}, n] or [1, n, {_END_TO_END_COLUMNS}]: it is not a YOLO detector"
    )


def suppress(boxes: Floats, scores: Floats, groups: Ints, iou: float) -> Ints:
    """Numbers of the boxes that stay, best first: greedy non-maximum suppression within each group."""
    if not len(boxes):
        return np.zeros(0, dtype=np.intp)
    # Equal scores keep their order, so that the outcome does not hang on the sort.
    order = np.argsort(-scores, kind="stable")
    ranked = boxes[order]
    corners_sizes = np.concatenate([ranked[:, :2], ranked[:, 2:] - ranked[:, :2]], axis=1)
    nms: Any = cv2.dnn.NMSBoxesBatched  # its stubs want lists; arrays are what it takes without copying
    kept = nms(corners_sizes, scores[order], groups[order].astype(np.int32), 0.0, iou)
    return np.asarray(order[np.sort(np.asarray(kept, dtype=np.intp).ravel())])
