"""What is truly in a video: boxes in its frames, and where the objects stood on the ground.

Three forms are read.

- MOT Challenge text (``.txt``): ``frame,id,x,y,w,h,conf,class,visibility``, frames from 1; commas, six columns or more.
  An id of -1 is a box without identity. A `conf` of 0 marks what is not to be judged. The MOT15 form has coordinates
  of the world, with fractions, where later ones have the class: then all boxes are persons.
- The simulator's ``.truth.json``: boxes of every frame with its time, and crossings.
- The simulator's ``.tracks.geojson``: the way of each actor on the ground, with times.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geo import shorter_turn, unwrap_longitudes
from vision.errors import VisionError

__all__ = ["TrueBox", "TrueTrack", "TruthBoxes", "load_boxes", "load_tracks"]

Floats = NDArray[np.float64]

_SIM_KINDS = ("person", "vehicle", "bicycle", "animal")
# Less of an object than this share leaves a detector nothing to find, and nobody to say what a right box is.
_LEAST_VISIBLE = 0.25
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class TrueBox:
    """A labelled box, pixels; `id` None where the label has no identity; `judged` False where it counts neither way."""

    id: int | None
    kind: str
    x1: float
    y1: float
    x2: float
    y2: float
    judged: bool = True


@dataclass(frozen=True, eq=False)
class TruthBoxes:
    """Labelled boxes of one video.

    Parameters
    ----------
    path
        Where they were read.
    frames
        By number of the frame, from 0. A frame that is absent holds nobody.
    last
        Number of the last labelled frame: what comes after it is not judged.
    kinds
        Kinds that were labelled. Detections of others are not judged: nobody looked for such.
    times_us
        When each frame was exposed, microseconds UTC, by its number; None where the form does not tell.
    """

    path: Path
    frames: Mapping[int, Sequence[TrueBox]]
    last: int
    kinds: frozenset[str]
    times_us: NDArray[np.int64] | None = None

    @property
    def has_identity(self) -> bool:
        """Whether every box that is judged says which object it is."""
        return all(box.id is not None for boxes in self.frames.values() for box in boxes if box.judged)


@dataclass(frozen=True, eq=False)
class TrueTrack:
    """Where an object stood: times, microseconds UTC, increasing, shape (n,); degrees WGS 84, shape (n,).

    Longitudes do not jump at the antimeridian. Between two positions the object moves evenly.
    """

    id: int
    kind: str
    times_us: NDArray[np.int64]
    lat_deg: Floats
    lon_deg: Floats

    def at(self, time_us: int) -> tuple[float, float] | None:
        """Latitude and longitude, degrees, at a time; None outside the track."""
        if not self.times_us[0] <= time_us <= self.times_us[-1]:
            return None
        since = (self.times_us - self.times_us[0]).astype(float)
        when = float(time_us - self.times_us[0])
        lon = float(np.interp(when, since, self.lon_deg))
        return float(np.interp(when, since, self.lat_deg)), shorter_turn(lon)


def load_boxes(path: Path, classes: Mapping[int, str] | None = None) -> TruthBoxes:
    """Read labelled boxes: MOT text, or the simulator's truth where the name ends in ``.json``.

    Parameters
    ----------
    path
        The file.
    classes
        Kind by the number in MOT's column `class`; boxes of other numbers are not judged. Without it 1 is a person,
        as in MOT Challenge and in the simulator's text, and any other number is refused: programs disagree on those.

    Raises
    ------
    VisionError
        When it cannot be read, or a line or a member is not what it should be; the message says which.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise VisionError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise VisionError(f"{path}: not text: give MOT text or the simulator's .truth.json") from error
    return _simulated(path, text) if path.suffix == ".json" else _mot(path, text, classes)


# -------------------------------------------------------------------------------------------------------- MOT text


def _mot(path: Path, text: str, classes: Mapping[int, str] | None) -> TruthBoxes:
    rows = [(n, _numbers(path, n, line)) for n, line in enumerate(text.splitlines(), start=1) if line.strip()]
    if not rows:
        raise VisionError(f"{path}: holds no box: an empty truth judges nothing")
    # Coordinates of the world where later forms have the class: MOT15.
    flat = any(len(row) > 7 and row[7] != int(row[7]) for _, row in rows)
    frames: dict[int, list[TrueBox]] = {}
    seen: dict[tuple[int, int], int] = {}
    kinds = set()
    for number, row in rows:
        kind = _kind(path, number, None if flat or len(row) < 8 else int(row[7]), classes)
        frame, identity = int(row[0]) - 1, None if row[1] < 0 else int(row[1])
        if identity is not None and (frame, identity) in seen:
            raise VisionError(
                f"{path}, line {number}: object {identity} is in frame {frame + 1} twice, first in line "
                f"{seen[frame, identity]}: an object has one box a frame"
            )
        if identity is not None:
            seen[frame, identity] = number
        judged = kind is not None and not (len(row) > 6 and row[6] == 0)
        if judged and kind is not None:
            kinds.add(kind)
        x, y, width, height = row[2:6]
        box = TrueBox(identity, kind or "other", x, y, x + width, y + height, judged)
        frames.setdefault(frame, []).append(box)
    if not kinds:
        raise VisionError(
            f"{path}: no box in it is to be judged: its conf is 0, or --classes names none of its classes"
        )
    return TruthBoxes(path, frames, max(frames), frozenset(kinds | set((classes or {}).values())))


def _numbers(path: Path, number: int, line: str) -> list[float]:
    """The columns of a line that count: six to nine numbers, checked."""
    where = f"{path}, line {number}"
    parts = line.split(",")
    if len(parts) < 6:
        raise VisionError(f"{where}: {len(parts)} columns: MOT text has frame,id,x,y,w,h and more, commas between")
    try:
        row = [float(part) for part in parts[:8]]
    except ValueError as error:
        raise VisionError(f"{where}: {error}: MOT text has numbers in frame,id,x,y,w,h,conf,class") from error
    if not all(math.isfinite(value) for value in row):
        raise VisionError(f"{where}: a value is not finite: remove the line or put it right")
    if row[0] < 1 or row[0] != int(row[0]):
        raise VisionError(f"{where}: frame {row[0]:g}: frames are whole numbers from 1")
    if row[1] != int(row[1]):
        raise VisionError(f"{where}: id {row[1]:g}: ids are whole numbers, -1 for none")
    if row[4] <= 0 or row[5] <= 0:
        raise VisionError(f"{where}: a box {row[4]:g} wide and {row[5]:g} high: both are above 0")
    return row


def _kind(path: Path, number: int, label: int | None, classes: Mapping[int, str] | None) -> str | None:
    """Kind of a class; None for one that is not judged."""
    if label is None:
        return "person"
    if classes is not None:
        return classes.get(label)
    if label in {1, -1}:  # -1: MOT15 in two dimensions
        return "person"
    raise VisionError(
        f"{path}, line {number}: class {label} has no name: say which is which, as in --classes 0=person,1=vehicle"
    )


# --------------------------------------------------------------------------------------------------- the simulator's


def _simulated(path: Path, text: str) -> TruthBoxes:
    frames: dict[int, list[TrueBox]] = {}
    times = []
    try:
        document = json.loads(text)
        for number, frame in enumerate(document["frames"]):
            times.append(int(frame["time_us"]))
            frames[number] = [_true_box(box) for box in frame["boxes"]]
    except (KeyError, TypeError, ValueError) as error:
        where = f"in frame {len(times)}" if times else "in the document"
        raise VisionError(f"{path}: not a truth file, {where}: {error!r}: write it again with the simulator") from error
    if not times:
        raise VisionError(f"{path}: holds no frame: an empty truth judges nothing")
    if any(later <= earlier for earlier, later in pairwise(times)):
        raise VisionError(f"{path}: times of its frames do not increase: write it again with the simulator")
    return TruthBoxes(path, frames, len(times) - 1, frozenset(_SIM_KINDS), np.array(times, dtype=np.int64))


def _true_box(record: Mapping[str, Any]) -> TrueBox:
    x1, y1, x2, y2 = (float(record[name]) for name in ("x1", "y1", "x2", "y2"))
    if not (math.isfinite(x1 + y1 + x2 + y2) and x1 < x2 and y1 < y2):
        raise ValueError(f"box {x1} {y1} {x2} {y2}")
    judged = float(record["visible"]) >= _LEAST_VISIBLE
    return TrueBox(int(record["id"]), str(record["kind"]), x1, y1, x2, y2, judged)


def load_tracks(path: Path) -> dict[int, TrueTrack]:
    """Read the ways of the actors on the ground, by their ids.

    Raises
    ------
    VisionError
        When it cannot be read or is not that; the message names file and feature.
    """
    tracks: list[TrueTrack] = []
    try:
        for feature in json.loads(path.read_text(encoding="utf-8"))["features"]:
            tracks.append(_track(feature))  # noqa: PERF401 - the message counts them
    except OSError as error:
        raise VisionError(f"{path}: cannot be read: {error.strerror}") from error
    except (KeyError, TypeError, ValueError, IndexError) as error:
        where = f"after {len(tracks)} good features"
        raise VisionError(f"{path}: not a file of tracks, {where}: {error!r}: write it with the simulator") from error
    return {track.id: track for track in tracks}


def _track(feature: Mapping[str, Any]) -> TrueTrack:
    geometry, properties = feature["geometry"], feature["properties"]
    places, moments = geometry["coordinates"], properties["coordTimes"]
    if geometry["type"] == "MultiLineString":  # cut at the antimeridian
        places, moments = [p for line in places for p in line], [m for line in moments for m in line]
    if len(places) != len(moments) or not places:
        raise ValueError(f"{len(places)} positions at {len(moments)} times")
    times = np.array([_microseconds(moment) for moment in moments], dtype=np.int64)
    lon, lat = np.array([place[:2] for place in places], dtype=float).T
    later = np.concatenate([[True], np.diff(times) > 0])  # the seam is in the file twice, on both sides
    if np.any(np.diff(times) < 0):
        raise ValueError("coordTimes do not increase")
    return TrueTrack(
        int(feature["id"]), str(properties["kind"]), times[later], lat[later], unwrap_longitudes(lon)[later]
    )


def _microseconds(moment: str) -> int:
    when = datetime.fromisoformat(moment)
    if when.tzinfo is None:
        raise ValueError(f"time {moment!r} has no zone")
    return (when - datetime.fromtimestamp(0, when.tzinfo)) // _MICROSECOND
