"""True crossings out of the labels of a recording, for a line in the picture or a border on the ground."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from vision.border import GroundLine
from vision.evaluate import TrueCrossing
from vision.fixed import PixelLine
from vision.scene import FixedScene, MovingScene
from vision.true_boxes import TrueBox, TruthBoxes
from vision.true_passages import TrueWay, true_passages
from vision.types import Detection, Frame

__all__ = ["crossings_in_picture", "crossings_on_ground", "times_of_frames"]

Floats = NDArray[np.float64]

# Off the line by so much is on a side: metres, as it is in heights of a person, 1.7 m.
_CLEAR_M, _PERSON_M = 0.4, 1.7


def times_of_frames(frames: Sequence[Frame], last: int) -> NDArray[np.int64]:
    """Time of every frame from 0 to `last`, microseconds: those of the frames looked at, and evenly between."""
    index = np.array([frame.index for frame in frames], dtype=float)
    since = np.array([frame.time_us - frames[0].time_us for frame in frames], dtype=float)
    wanted = np.arange(last + 1, dtype=float)
    step = (since[-1] - since[0]) / (index[-1] - index[0]) if len(frames) > 1 else 0.0
    inner = np.interp(wanted, index, since)
    before, after = np.minimum(wanted - index[0], 0.0), np.maximum(wanted - index[-1], 0.0)
    return np.asarray(frames[0].time_us + np.rint(inner + step * (before + after)).astype(np.int64))


def crossings_in_picture(boxes: TruthBoxes, frames: Sequence[Frame], line: PixelLine) -> tuple[TrueCrossing, ...]:
    """Passages of the labelled feet over a line in the picture of a fixed camera.

    All labels count, those of frames that were not looked at too: what happened does not depend on who looked.

    Parameters
    ----------
    boxes
        Labels; each with an identity.
    frames
        Frames that were looked at: they tell the times.
    line
        The line.
    """
    times = times_of_frames(frames, boxes.last)
    ways: dict[int, list[tuple[int, TrueBox]]] = defaultdict(list)
    for number in sorted(boxes.frames):
        for box in boxes.frames[number]:
            if box.judged and box.id is not None:
                ways[box.id].append((int(times[number]), box))
    found = []
    for identity, way in ways.items():
        feet = np.array([((box.x1 + box.x2) / 2, box.y2) for _, box in way])
        heights = np.array([box.y2 - box.y1 for _, box in way])
        moments = np.array([moment for moment, _ in way], dtype=np.int64)
        clear = _CLEAR_M / _PERSON_M * heights
        for passage in true_passages(TrueWay(identity, way[0][1].kind, moments, feet, clear), line.as_ground()):
            x, y = passage.xy.tolist()
            height = float(np.interp(passage.time_us - moments[0], (moments - moments[0]).astype(float), heights))
            found.append(
                TrueCrossing(
                    passage.time_us,
                    passage.direction,
                    passage.kind,
                    in_view=passage.in_view,
                    foot_px=(x, y),
                    height_px=height,
                )
            )
    return tuple(sorted(found, key=lambda crossing: crossing.time_us))


def crossings_on_ground(
    boxes: TruthBoxes, frames: Sequence[Frame], scene: MovingScene | FixedScene
) -> tuple[TrueCrossing, ...]:
    """Passages of labelled objects over a border, put on the ground by the pose or the known points that the watch has.

    An error of those moves truth and finding alike: this judges detector, tracker and decision, not the georeference.

    Parameters
    ----------
    boxes
        Labels; each with an identity.
    frames
        Frames that were looked at, with their poses.
    scene
        The way to the ground, as the watch has it and new.
    """
    ways: dict[int, list[tuple[int, str, Floats]]] = defaultdict(list)
    for frame in frames:
        labels = [box for box in boxes.frames.get(frame.index, ()) if box.judged and box.id is not None]
        placed = scene.place(frame, [Detection(b.x1, b.y1, b.x2, b.y2, b.kind, 1.0) for b in labels])
        for box, point in zip(labels, (placed and placed[1]) or (), strict=False):
            if point is not None and box.id is not None:
                ways[box.id].append((frame.time_us, box.kind, point.xy))
    line: GroundLine | None = scene.line
    local = scene.frame
    found = []
    for identity, way in ways.items():
        moments = np.array([moment for moment, _, _ in way], dtype=np.int64)
        places = np.array([xy for _, _, xy in way])
        assert line is not None
        assert local is not None
        for passage in true_passages(TrueWay(identity, way[0][1], moments, places, np.full(len(way), _CLEAR_M)), line):
            lat, lon, _ = local.to_geodetic(*passage.xy)
            found.append(
                TrueCrossing(passage.time_us, passage.direction, passage.kind, float(lat), float(lon), passage.in_view)
            )
    return tuple(sorted(found, key=lambda crossing: crossing.time_us))
