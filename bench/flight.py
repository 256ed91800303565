"""A rendered flight along a border with somebody who crosses it: what measurements of the whole watch look at."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from geo import CameraModel, LocalFrame
from sim import FlightTrack, record, stage
from vision import BorderLine

__all__ = ["RenderedFlight", "rendered_flight"]

_EPOCH_US = 1_780_000_000_000_000
_LAT, _LON, _GROUND_M, _HEIGHT_M = 31.333, -110.94, 1180.0, 90.0
_PITCH_DEG, _SPEED_MPS = -57.0, 7.5


@dataclass(frozen=True, slots=True)
class RenderedFlight:
    """A thermal recording with ST 0601 metadata, and the border in it."""

    video: Path
    border: BorderLine


def rendered_flight(folder: Path, camera: CameraModel, *, seconds: float, fps: int) -> RenderedFlight:
    """Render it into a folder: eastwards along a border 58 m to the south, 90 m above ground, one crossing."""
    frame = LocalFrame(_LAT, _LON, _GROUND_M)
    time_s = np.arange(0.0, 120.0, 0.2)
    north = _HEIGHT_M / np.tan(np.radians(-_PITCH_DEG))
    lat, lon, _ = frame.to_geodetic(_SPEED_MPS * (time_s - 60), np.full(time_s.shape, north), _HEIGHT_M)
    level = np.zeros(time_s.shape)
    flown = [time_s, lat, lon, level + _GROUND_M + _HEIGHT_M, level + 90, level - 3, level, level + 90]
    ends = ((_LON - 0.06, _LAT), (_LON + 0.06, _LAT))
    scenario = stage(
        ends,
        "left",
        [FlightTrack(1, 1, _EPOCH_US, np.stack([*flown, level + _PITCH_DEG], axis=1))],
        camera,
        3,
        crossings=1,
        windows=1,
        window_s=seconds,
        patrol_pitch_deg=_PITCH_DEG,
        ground_amsl_m=_GROUND_M,
    )
    (recording,) = record(scenario, folder / "video", fps=fps)
    return RenderedFlight(recording.video, BorderLine("parallel", ends, "left"))
