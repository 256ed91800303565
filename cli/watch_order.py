"""What ``vedette watch`` was asked for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

import vision
from geo import PoseSigma, Terrain

__all__ = ["WatchOrder"]


@dataclass(frozen=True, eq=False)
class WatchOrder:
    """What to watch for, and how; the same for all videos.

    Parameters
    ----------
    border, line, homography
        See `vision.watch`.
    pose, hfov_deg, start, calibration, fps, back_off, attitude, home_amsl_m, undulation_m, sigma, zone
        See `vision.open_source`.
    clock_offset_s
        Seconds from a picture to its pose; None: by the motion that both show.
    model, sensor
        Detector, a file or a name as `vision.find_model` takes it, or what to choose one for.
    engine, precision, decode
        What runs the detector, a name of `vision.ENGINES`, with the number of a card behind a colon; how exactly, see
        `vision.Detector`; and what decodes the videos, see `vision.open_source`.
    slice_px
        `least_px` of `vision.SliceRule`; None: pictures are not sliced.
    ground
        Of all videos; None takes what each tells.
    custody
        Of the records.
    evidence, key
        Folder for it, and what signs it; None: nothing does.
    keep_live_s
        Seconds of each live stream that are kept for clips.
    together
        Recordings that are watched at once.
    """

    border: vision.BorderLine | None
    line: vision.PixelLine | None
    pose: str | None
    hfov_deg: float | None
    start: datetime | None
    calibration: vision.Calibration | None
    clock_offset_s: float | None
    fps: float | None
    model: str | None
    sensor: str
    slice_px: float | None
    ground: Terrain | None
    custody: vision.Custody
    evidence: Path
    keep_live_s: float
    together: int
    back_off: vision.BackOff
    engine: str = "auto"
    precision: str = "f32"
    decode: str = "auto"
    homography: vision.Homography | None = None
    attitude: tuple[float, float, float] | None = None
    home_amsl_m: float | None = None
    undulation_m: float | None = None
    sigma: PoseSigma | None = None
    zone: tzinfo | None = None
    key: Ed25519PrivateKey | None = None

    def opening(self) -> dict[str, Any]:
        """How each video is opened: arguments of `vision.open_source`."""
        return {
            "pose": self.pose,
            "hfov_deg": self.hfov_deg,
            "start_time": self.start,
            "calibration": self.calibration,
            "fps": self.fps,
            "back_off": self.back_off,
            "decode": self.decode,
            "attitude": self.attitude,
            "home_amsl_m": self.home_amsl_m,
            "undulation_m": self.undulation_m,
            "sigma": self.sigma,
            "zone": self.zone,
        }
