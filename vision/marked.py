"""The picture of a crossing with the object marked, for people to look at; the evidence itself stays untouched."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from geo import write_bytes
from vision.errors import EvidenceError

__all__ = ["write_marked_picture"]

_COLOUR = (0, 200, 255)  # amber, blue-green-red
_INSET_PX, _ZOOM = 40, 4


def write_marked_picture(evidence: Path, out: Path) -> None:
    """Draw the box of a crossing into a copy of its picture, with the object enlarged in a corner.

    Parameters
    ----------
    evidence
        Folder that `EvidenceWriter` wrote.
    out
        JPEG file to write.

    Raises
    ------
    EvidenceError
        When the folder lacks the picture, the boxes or the record, or they do not fit each other.
    FileWriteError
        When the file cannot be written.
    """
    try:
        record = json.loads((evidence / "record.json").read_text(encoding="utf-8"))
        tracks = json.loads((evidence / "overlay.json").read_text(encoding="utf-8"))["tracks"]
        box = _box_at([box for track in tracks for box in track["boxes"]], str(record["time"]))
    except OSError as error:
        raise EvidenceError(f"{evidence}: {error.filename} cannot be read: {error.strerror}") from error
    except (KeyError, TypeError, ValueError) as error:
        raise EvidenceError(f"{evidence}: record and boxes do not fit: {error!r}; watch the recording again") from error
    picture = cv2.imread(str(evidence / "crossing.png"), cv2.IMREAD_COLOR)
    if picture is None:
        raise EvidenceError(f"{evidence}: crossing.png cannot be read; watch the recording again")
    marked = _marked(np.asarray(picture, dtype=np.uint8), box)
    write_bytes(out, cv2.imencode(".jpg", marked, [cv2.IMWRITE_JPEG_QUALITY, 88])[1].tobytes())


def _box_at(boxes: list[dict[str, Any]], time: str) -> tuple[int, int, int, int]:
    """The box nearest in time, whole pixels, a little larger. ISO 8601 of one form compares as text does."""
    later = [box for box in boxes if box["time"] >= time]
    nearest = min(later, key=lambda box: box["time"]) if later else max(boxes, key=lambda box: box["time"])
    return (
        int(nearest["x1"]) - 4,
        int(nearest["y1"]) - 4,
        int(np.ceil(nearest["x2"])) + 4,
        int(np.ceil(nearest["y2"])) + 4,
    )


def _marked(picture: NDArray[np.uint8], box: tuple[int, int, int, int]) -> NDArray[np.uint8]:
    marked = picture.copy()
    height, width = picture.shape[:2]
    x1, y1, x2, y2 = box
    cv2.rectangle(marked, (x1, y1), (x2, y2), _COLOUR, 1, cv2.LINE_AA)
    side = max(_INSET_PX, x2 - x1, y2 - y1)
    if side * 2 > min(height, width):
        return marked  # so large already that an inset would only cover it
    left = int(np.clip((x1 + x2 - side) // 2, 0, width - side))
    top = int(np.clip((y1 + y2 - side) // 2, 0, height - side))
    zoom = max(1, min(_ZOOM, min(height, width) // (2 * side)))
    inset = cv2.resize(
        picture[top : top + side, left : left + side], None, fx=zoom, fy=zoom, interpolation=cv2.INTER_CUBIC
    )
    # In the corner that is farthest from the object.
    across = 0 if (x1 + x2) / 2 > width / 2 else width - inset.shape[1]
    down = 0 if (y1 + y2) / 2 > height / 2 else height - inset.shape[0]
    marked[down : down + inset.shape[0], across : across + inset.shape[1]] = inset
    cv2.rectangle(
        marked, (across, down), (across + inset.shape[1] - 1, down + inset.shape[0] - 1), _COLOUR, 1, cv2.LINE_AA
    )
    return marked
