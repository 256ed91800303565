"""Places that a watch gave to objects, each beside the place where the object truly stood."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geo import LocalFrame
from vision.average_precision import overlap
from vision.place_scores import PlaceSample
from vision.true_boxes import TrueBox, TrueTrack
from vision.types import Detection, Frame, GroundTrack, Observation

__all__ = ["LabelledFrame", "sightings_of"]

Floats = NDArray[np.float64]

_HALF = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class LabelledFrame:
    """A frame, its labels, and the elevation of the ground in its middle, metres; None without a pose."""

    frame: Frame
    labels: Sequence[TrueBox]
    ground_amsl_m: float | None


def sightings_of(
    recording: str,
    observations: Sequence[Observation],
    way: GroundTrack | None,
    *,
    frames: Mapping[int, LabelledFrame],
    tracks: Mapping[int, TrueTrack],
    local: LocalFrame,
) -> Iterator[tuple[PlaceSample, PlaceSample | None]]:
    """Each sighting of one track, as it was measured in its frame, and as the smoothed track has it.

    Which object it is the labels of its frame say, by an overlap of 0.5: never the place itself, which is what is
    judged.

    Parameters
    ----------
    recording
        Name of the recording.
    observations, way
        Of the track; its smoothed way, None where there is none.
    frames
        By their numbers.
    tracks
        Where objects truly stood, by their ids.
    local
        Frame of the places.
    """
    smoothed = {} if way is None else {int(t): i for i, t in enumerate(way.times_us)}
    for seen in observations:
        labelled = frames.get(seen.frame_index)
        if labelled is None or seen.ground is None:
            continue
        identity = _identity(seen.detection, labelled.labels)
        true = tracks[identity].at(seen.time_us) if identity in tracks else None
        if true is None:
            continue
        east, north, _ = local.to_enu(*true, local.height_m)
        place = np.array([float(east), float(north)])
        height, look = _view(labelled, place, local)
        one = PlaceSample(recording, seen.ground.xy - place, seen.ground.covariance, height, look)
        other = None
        if way is not None and (i := smoothed.get(seen.time_us)) is not None:
            other = PlaceSample(recording, way.xy[i] - place, way.covariance[i], height, look)
        yield one, other


def _identity(found: Detection, labels: Sequence[TrueBox]) -> int:
    """Id of the label that a box hits; -1 for none."""
    if not labels:
        return -1
    corners = np.array([(b.x1, b.y1, b.x2, b.y2) for b in labels])
    shared = overlap(np.array([[found.x1, found.y1, found.x2, found.y2]]), corners)[0]
    best = int(shared.argmax())
    identity = labels[best].id
    return identity if shared[best] >= _HALF and identity is not None else -1


def _view(labelled: LabelledFrame, place: Floats, local: LocalFrame) -> tuple[float, float]:
    """Height of the camera above the ground, metres, and depression of the sight, degrees; NaN where unknown."""
    pose, ground = labelled.frame.pose, labelled.ground_amsl_m
    if pose is None or ground is None:
        return math.nan, math.nan
    height = float(pose.altitude.amsl_m(ground_amsl_m=ground)) - ground
    east, north, _ = local.to_enu(pose.lat_deg, pose.lon_deg, local.height_m)
    away = math.hypot(float(east) - place[0], float(north) - place[1])
    return height, math.degrees(math.atan2(height, away))
