"""Crossings of a border on the ground in rendered flights: precision and recall of the whole watch.

Each scenario is another flight over other people: its height, the camera's pitch, the speed and the size of a pixel on
the ground are drawn at random; a third of its recordings hold decoys or nobody. Beside it, in the same run, the same
watch is given the true boxes, so that what the detector misses stands apart from what tracker and rules do.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bench.rows import Row, wanted
from geo import CameraModel, LocalFrame
from sim import FlightTrack, Scenario, record, stage
from vision import (
    BorderLine,
    Crossing,
    Detection,
    Detector,
    Frame,
    FrameDetector,
    ModelRef,
    Outcome,
    TrackerSettings,
    VideoTruth,
    load_video_truth,
    open_source,
    score,
    watch,
)

__all__ = ["rows"]

_SCENARIOS, _CROSSINGS, _WINDOWS, _WINDOW_S, _HZ = 4, 10, 14, 14.0, 5
_GOAL = 0.99
_LAT, _LON, _GROUND_M, _EPOCH_US = 31.333, -110.94, 1180.0, 1_780_000_000_000_000
_BORDER = ((_LON - 0.06, _LAT), (_LON + 0.06, _LAT))
_SIZE = 640, 512
# Of the flight and its camera: metres, degrees down, metres a second, metres of ground a pixel.
_HEIGHT_M, _PITCH_DEG, _SPEED_MPS, _PIXEL_M = (50.0, 120.0), (-75.0, -40.0), (4.0, 12.0), (0.04, 0.09)


class _Known:
    """A detector that is told what is true: whatever of an object is mostly to be seen."""

    model = ModelRef("truth", "0" * 64)

    def __init__(self, truth: VideoTruth) -> None:
        self._frames = truth.boxes.frames

    def detect(self, images: Sequence[Any]) -> list[list[Detection]]:
        raise NotImplementedError

    def detect_frames(self, frames: Sequence[Frame]) -> list[list[Detection]]:
        return [
            [Detection(b.x1, b.y1, b.x2, b.y2, b.kind, 0.8) for b in self._frames.get(frame.index, ()) if b.judged]
            for frame in frames
        ]


def rows(only: str | None) -> Iterator[Row]:
    """Precision and recall over `_SCENARIOS` scenarios by the shipped thermal detector."""
    if not any(wanted(f"crossings/rendered {what}", only) for what in ("precision", "recall")):
        return
    detector = Detector(confidence=TrackerSettings().low_score, several=True)
    border = BorderLine("parallel", _BORDER, "left")
    truths: dict[str, Any] = {}
    found: tuple[dict[str, Sequence[Crossing]], ...] = ({}, {})
    undecided = 0
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(_SCENARIOS):
            for recording in record(_scenario(seed), Path(folder) / str(seed), fps=_HZ):
                truth = load_video_truth(recording.truth)
                name = f"{seed} {recording.video.stem}"
                truths[name] = truth.crossings or ()
                finders: tuple[FrameDetector, ...] = (detector, _Known(truth))
                for own, finder in zip(found, finders, strict=True):
                    with open_source(recording.video) as source:
                        result = watch(source, finder, border=border, name=name)
                    own[name] = result.crossings
                    undecided += result.outcomes.get(Outcome.OPEN, 0) if finder is detector else 0
    ours, known = (score(one, truths) for one in found)
    for what in ("precision", "recall"):
        a, b = getattr(ours, what), getattr(known, what)
        who = f"true boxes; {ours.truth} true, {ours.found} found, {ours.false} false, {undecided} told as open"
        yield Row(f"crossings/rendered {what}", a, "", who, b, a / b if b else None, f"at least {_GOAL}", a >= _GOAL)


def _scenario(seed: int) -> Scenario:
    rng = np.random.default_rng([seed, 77])
    height_m, pitch_deg, speed_mps, pixel_m = (
        float(rng.uniform(*bounds)) for bounds in (_HEIGHT_M, _PITCH_DEG, _SPEED_MPS, _PIXEL_M)
    )
    down = np.sin(np.radians(-pitch_deg))
    time_s = np.arange(0.0, 400.0, 0.2)
    level = np.zeros(time_s.shape)
    # Eastwards along the border, which lies in the middle of the picture.
    north = np.full(time_s.shape, height_m / np.tan(np.radians(-pitch_deg)))
    lat, lon, _ = LocalFrame(_LAT, _LON, _GROUND_M).to_geodetic(speed_mps * (time_s - 200.0), north, height_m)
    flown = [time_s, lat, lon, level + _GROUND_M + height_m, level + 90, level - 3, level, level + 90]
    return stage(
        _BORDER,
        "left",
        [FlightTrack(1, 1, _EPOCH_US, np.stack([*flown, level + pitch_deg], axis=1))],
        CameraModel(*_SIZE, height_m / down / pixel_m),
        seed,
        crossings=_CROSSINGS,
        windows=_WINDOWS,
        window_s=_WINDOW_S,
        patrol_pitch_deg=pitch_deg,
        ground_amsl_m=_GROUND_M,
    )
