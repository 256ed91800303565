"""What a calibration found out about a camera, and how it puts poses right.

The true attitude of a camera is taken as ``Rz(heading error) · R(pose) · R(boresight)``: the compass turns everything
about the vertical before, the mount turns the camera about its own axes after what the pose says. Both go into one
file with one covariance, because often the points cannot tell them apart: seen always at one pitch, a turn by the
compass and one by the mount look alike. Then each alone is uncertain by degrees while their sum, at that pitch, is
certain; a pose at another pitch gets the larger error that it deserves, out of the same covariance.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geo import (
    CameraModel,
    CameraPose,
    CoordinateError,
    Distortion,
    attitude_from_rotation,
    rotation_ned_from_frd,
    write_text,
)
from vision.errors import MetadataError

__all__ = ["Calibration", "PointResult", "load_calibration", "save_calibration"]

Floats = NDArray[np.float64]

_FORMAT = "vedette-calibration/1"
_SHAPE_TOLERANCE = 0.01


@dataclass(frozen=True, slots=True)
class PointResult:
    """How well one known point fits.

    Parameters
    ----------
    name
        Its name.
    residual_px
        Seen less predicted pixel, x and y.
    departure
        How far it is from where all other points put it, in sigmas; NaN where the others leave that open.
    outlier
        Whether it was left out of the fit.
    """

    name: str
    residual_px: tuple[float, float]
    departure: float
    outlier: bool

    def to_json(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "name": self.name,
            "residual_px": [round(v, 2) for v in self.residual_px],
            "departure_sigmas": None if math.isnan(self.departure) else round(self.departure, 2),
            "outlier": self.outlier,
        }


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """Corrections of a camera's pose and lens.

    Parameters
    ----------
    boresight_deg
        Yaw, pitch, roll of the camera against what its pose says, degrees: the turn ``R(boresight)`` of
        `rotation_ned_from_frd`.
    heading_error_deg
        To be added to every heading, degrees.
    covariance
        Of small turns about the camera's own axes (forward, right, down) and of the heading error, degrees², (4, 4).
    attitude_share
        Share of each attitude error of a pose that changes from picture to picture: the rest is what was calibrated.
    focal_scale
        Factor for the focal length that the telemetry or the user gives.
    distortion
        Of the lens.
    camera
        The camera that it was found with, already put right; serves where a video tells none. None: its focal length
        varied.
    points
        How each point fits; may be empty.
    notes
        What could not be told apart, in words.
    """

    boresight_deg: tuple[float, float, float]
    heading_error_deg: float
    covariance: Floats
    attitude_share: float = 0.3
    focal_scale: float = 1.0
    distortion: Distortion = field(default_factory=Distortion)
    camera: CameraModel | None = None
    points: tuple[PointResult, ...] = ()
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        spread = np.asarray(self.covariance, dtype=float)
        values = (*self.boresight_deg, self.heading_error_deg, self.focal_scale, self.attitude_share)
        if spread.shape != (4, 4) or not np.isfinite(spread).all() or not all(map(math.isfinite, values)):
            raise MetadataError("calibration: angles, scale and a 4 by 4 covariance must be finite numbers")
        if np.linalg.eigvalsh(spread).min() < -1e-9 * max(np.trace(spread), 1e-9) or not np.allclose(spread, spread.T):
            raise MetadataError("calibration: the covariance is not one: it must be symmetric and not negative")
        if not self.focal_scale > 0 or not 0 <= self.attitude_share <= 1:
            raise MetadataError(
                f"calibration: focal scale {self.focal_scale} must be positive, "
                f"attitude share {self.attitude_share} within 0 to 1"
            )

    def pose(self, pose: CameraPose) -> CameraPose:
        """A pose put right, with the errors that remain."""
        turned = (
            rotation_ned_from_frd(self.heading_error_deg, 0.0, 0.0)
            @ rotation_ned_from_frd(pose.yaw_deg, pose.pitch_deg, pose.roll_deg)
            @ rotation_ned_from_frd(*self.boresight_deg)
        )
        yaw, pitch, roll = attitude_from_rotation(turned)
        # The vertical in the camera's axes: there a heading error is a turn about it.
        effect = np.concatenate([np.eye(3), turned[2][:, None]], axis=1)
        values, axes = np.linalg.eigh(effect @ self.covariance @ effect.T)
        turns = (axes * np.sqrt(np.maximum(values, 0.0))).T
        sigma, share = pose.sigma, self.attitude_share
        return replace(
            pose,
            yaw_deg=yaw,
            pitch_deg=pitch,
            roll_deg=roll,
            sigma=replace(
                sigma,
                yaw_deg=share * sigma.yaw_deg,
                pitch_deg=share * sigma.pitch_deg,
                roll_deg=share * sigma.roll_deg,
                turns_deg=(*sigma.turns_deg, *((float(x), float(y), float(z)) for x, y, z in turns)),
            ),
        )

    def lens(self, camera: CameraModel | None, width_px: int, height_px: int) -> CameraModel | None:
        """The camera of pictures of a size, put right; None where neither the video nor the calibration tells one.

        Raises
        ------
        MetadataError
            When the calibration is of pictures of another shape: then it is one of another camera or crop.
        """
        known = self.camera
        if known is not None:
            shape, wanted = width_px / height_px, known.width_px / known.height_px
            if abs(shape / wanted - 1) > _SHAPE_TOLERANCE:
                raise MetadataError(
                    f"calibration of {known.width_px}x{known.height_px} pictures cannot serve {width_px}x{height_px}: "
                    "calibrate this camera in this mode"
                )
        if camera is not None:
            return replace(camera, focal_px=camera.focal_px * self.focal_scale, distortion=self.distortion)
        if known is None:
            return None
        return CameraModel(width_px, height_px, known.focal_px * width_px / known.width_px, self.distortion)

    def to_json(self) -> dict[str, Any]:
        """As JSON; see `load_calibration`."""
        yaw, pitch, roll = self.boresight_deg
        lens = self.distortion
        camera = self.camera
        return {
            "format": _FORMAT,
            "boresight": {"yaw_deg": yaw, "pitch_deg": pitch, "roll_deg": roll},
            "heading_error_deg": self.heading_error_deg,
            "sigmas_deg": dict(zip(("forward", "right", "down", "heading"), self.sigmas_deg, strict=True)),
            "covariance_deg2": np.asarray(self.covariance).tolist(),
            "attitude_share": self.attitude_share,
            "focal_scale": self.focal_scale,
            "distortion": {"k1": lens.k1, "k2": lens.k2, "p1": lens.p1, "p2": lens.p2},
            "camera": camera
            and {"width_px": camera.width_px, "height_px": camera.height_px, "focal_px": camera.focal_px},
            "points": [point.to_json() for point in self.points],
            "notes": list(self.notes),
        }

    @property
    def sigmas_deg(self) -> tuple[float, ...]:
        """One sigma of the turns about forward, right, down, and of the heading error, degrees."""
        return tuple(float(v) for v in np.sqrt(np.diag(self.covariance)))


def save_calibration(path: str | Path, calibration: Calibration) -> None:
    """Write a calibration as JSON. Raises `FileWriteError`."""
    write_text(Path(path), json.dumps(calibration.to_json(), indent=1) + "\n")


def load_calibration(path: str | Path) -> Calibration:
    """Read what `save_calibration` wrote.

    Raises
    ------
    MetadataError
        When the file cannot be read, is of another form, or holds figures that cannot be.
    """
    try:
        document = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise MetadataError(f"{path}: cannot be read ({error.strerror}): give a calibration file") from error
    except ValueError as error:
        raise MetadataError(f"{path}: is not JSON ({error}): give a file of vedette calibrate") from error
    if not isinstance(document, dict) or document.get("format") != _FORMAT:
        raise MetadataError(f"{path}: is not of the form {_FORMAT}: give a file of vedette calibrate")
    try:
        return _calibration(document)
    except (KeyError, TypeError, ValueError, CoordinateError, MetadataError) as error:
        raise MetadataError(f"{path}: not a sound calibration: {error!s} ({type(error).__name__})") from error


def _calibration(document: Mapping[str, Any]) -> Calibration:
    boresight, camera = document["boresight"], document["camera"]
    lens = Distortion(**{name: float(document["distortion"][name]) for name in ("k1", "k2", "p1", "p2")})
    return Calibration(
        (float(boresight["yaw_deg"]), float(boresight["pitch_deg"]), float(boresight["roll_deg"])),
        float(document["heading_error_deg"]),
        np.array(document["covariance_deg2"], dtype=float),
        float(document["attitude_share"]),
        float(document["focal_scale"]),
        lens,
        camera and CameraModel(int(camera["width_px"]), int(camera["height_px"]), float(camera["focal_px"]), lens),
        tuple(_point(point) for point in document["points"]),
        tuple(map(str, document["notes"])),
    )


def _point(point: Mapping[str, Any]) -> PointResult:
    x, y = map(float, point["residual_px"])
    departure = point["departure_sigmas"]
    return PointResult(
        str(point["name"]), (x, y), math.nan if departure is None else float(departure), bool(point["outlier"])
    )
