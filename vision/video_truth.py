"""What is true of one recording, from the files that tell it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from vision.errors import VisionError
from vision.evaluate import TrueCrossing, load_truth
from vision.true_boxes import TrueTrack, TruthBoxes, load_boxes, load_tracks

__all__ = ["VideoTruth", "find_truth", "load_video_truth"]

# Beside a video, the first of these that is there.
_BESIDE = (".truth.json", ".gt.txt")


@dataclass(frozen=True, eq=False)
class VideoTruth:
    """What is true of one recording.

    Parameters
    ----------
    boxes
        Labels of its frames.
    crossings
        Crossings of the border; None where they are to be found from the labels.
    tracks
        Where the objects stood, by the ids of the labels; None where nobody knows.
    """

    boxes: TruthBoxes
    crossings: tuple[TrueCrossing, ...] | None = None
    tracks: Mapping[int, TrueTrack] | None = None


def find_truth(video: Path) -> Path:
    """The truth that lies beside a video under the same name: ``.truth.json``, else ``.gt.txt``.

    Raises
    ------
    VisionError
        When there is none.
    """
    for suffix in _BESIDE:
        path = video.with_suffix(suffix)
        if path.exists():
            return path
    names = " or ".join(video.with_suffix(suffix).name for suffix in _BESIDE)
    raise VisionError(f"{video}: no truth beside it ({names}): give one with --truth")


def load_video_truth(truth: Path, tracks: Path | None = None, classes: Mapping[int, str] | None = None) -> VideoTruth:
    """Read the truth of a recording.

    Parameters
    ----------
    truth
        MOT text, or the simulator's ``.truth.json`` with its crossings.
    tracks
        The simulator's ``.tracks.geojson``; None takes that which lies beside the truth under the same name.
    classes
        As in `load_boxes`.

    Raises
    ------
    VisionError
        When a file cannot be read or is broken.
    """
    stem = truth.name
    for suffix in _BESIDE:
        stem = stem.removesuffix(suffix)
    beside = truth.with_name(f"{stem}.tracks.geojson")
    if tracks is None and beside.exists():
        tracks = beside
    return VideoTruth(
        load_boxes(truth, classes),
        load_truth(truth) if truth.suffix == ".json" else None,
        None if tracks is None else load_tracks(tracks),
    )
