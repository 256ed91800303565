"""Camera and its pose: pixels to rays and back.

Frames used here: camera is OpenCV's (x right, y down, z along the optical axis); FRD is forward, right, down, with
forward along the optical axis; NED and ENU are local level frames.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geo.altitude import Altitude
from geo.distortion import Distortion
from geo.errors import CoordinateError

__all__ = [
    "CameraModel",
    "CameraPose",
    "PoseSigma",
    "attitude_from_rotation",
    "compose_attitude",
    "rotation_ned_from_frd",
]

Floats = NDArray[np.float64]

_FRD_FROM_CAMERA = np.array([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
_ENU_FROM_NED = np.array([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, -1.0]])


@dataclass(frozen=True, slots=True)
class CameraModel:
    """A pinhole camera, with the distortion of its lens where that is known.

    Parameters
    ----------
    width_px, height_px
        Image size, pixels.
    focal_px
        Focal length in pixels (focal length over pixel pitch); pixels are square.
    distortion
        How the lens departs from a perfect one; none by default.

    Raises
    ------
    CoordinateError
        When a size or the focal length is not positive.
    """

    width_px: int
    height_px: int
    focal_px: float
    distortion: Distortion = field(default_factory=Distortion)

    def __post_init__(self) -> None:
        if not (self.width_px > 0 and self.height_px > 0 and self.focal_px > 0):
            raise CoordinateError(
                f"camera {self.width_px}x{self.height_px} with focal length {self.focal_px} px: all must be positive"
            )

    @classmethod
    def from_sensor(cls, width_px: int, height_px: int, focal_mm: float, pixel_pitch_um: float) -> CameraModel:
        """A camera from its data sheet: focal length in millimetres and pixel pitch in micrometres."""
        if not pixel_pitch_um > 0:
            raise CoordinateError(f"camera pixel pitch {pixel_pitch_um} um must be positive")
        return cls(width_px, height_px, focal_mm * 1000.0 / pixel_pitch_um)

    @classmethod
    def from_fov(cls, width_px: int, height_px: int, horizontal_fov_deg: float) -> CameraModel:
        """A camera from its full horizontal field of view, degrees."""
        if not 0 < horizontal_fov_deg < 180:
            raise CoordinateError(f"camera field of view {horizontal_fov_deg} degrees must lie between 0 and 180")
        return cls(width_px, height_px, width_px / 2 / math.tan(math.radians(horizontal_fov_deg) / 2))

    @property
    def horizontal_fov_deg(self) -> float:
        """Full horizontal field of view of the lens without its distortion, degrees."""
        return 2 * math.degrees(math.atan(self.width_px / 2 / self.focal_px))

    @property
    def vertical_fov_deg(self) -> float:
        """Full vertical field of view of the lens without its distortion, degrees."""
        return 2 * math.degrees(math.atan(self.height_px / 2 / self.focal_px))

    def rays(self, pixels: ArrayLike) -> Floats:
        """Unit rays in the camera frame, shape (..., 3), through pixels (x, y), shape (..., 2).

        The principal point is the image centre, (width / 2, height / 2), with pixel (0, 0) at the corner of the image.
        NaN where a distorted lens shows nothing.
        """
        xy = np.asarray(pixels, dtype=float)
        plane = self._plane(xy)
        rays = np.concatenate([plane, np.ones((*xy.shape[:-1], 1))], axis=-1)
        return np.asarray(rays / np.linalg.norm(rays, axis=-1, keepdims=True))

    def project(self, points: ArrayLike) -> Floats:
        """Pixels, shape (..., 2), of points in the camera frame, metres, shape (..., 3).

        NaN behind the camera, and where a distorted lens shows nothing.
        """
        xyz = np.asarray(points, dtype=float)
        depth = np.where(xyz[..., 2:] > 0, xyz[..., 2:], np.nan)
        plane = xyz[..., :2] / depth
        if self.distortion:
            plane = self.distortion.distort(plane)
        return np.asarray(plane * self.focal_px + (self.width_px / 2, self.height_px / 2))

    def straighten(self, pixels: ArrayLike) -> Floats:
        """Pixels at which the same lens without distortion would show what is seen at `pixels`, shape (..., 2)."""
        xy = np.asarray(pixels, dtype=float)
        return self._plane(xy) * self.focal_px + (self.width_px / 2, self.height_px / 2) if self.distortion else xy

    def bend(self, pixels: ArrayLike) -> Floats:
        """Pixels at which what a lens without distortion would show at `pixels` is seen: undoes `straighten`."""
        xy = np.asarray(pixels, dtype=float)
        if not self.distortion:
            return xy
        middle = (self.width_px / 2, self.height_px / 2)
        return self.distortion.distort((xy - middle) / self.focal_px) * self.focal_px + middle

    def plane_step(self, pixels: ArrayLike) -> Floats:
        """How far a step of one pixel goes on the plane at distance 1: matrices, shape (..., 2, 2), at pixels."""
        xy = np.asarray(pixels, dtype=float)
        if not self.distortion:
            return np.broadcast_to(np.eye(2) / self.focal_px, (*xy.shape[:-1], 2, 2))
        return np.asarray(np.linalg.inv(self.distortion.jacobian(self._plane(xy)))) / self.focal_px

    def _plane(self, pixels: Floats) -> Floats:
        """What pixels see on the plane at distance 1."""
        shown = (pixels - (self.width_px / 2, self.height_px / 2)) / self.focal_px
        return self.distortion.undistort(shown) if self.distortion else np.asarray(shown)

    def contains(self, pixels: ArrayLike, margin_px: float = 0.0) -> NDArray[np.bool_]:
        """Whether pixels (x, y), shape (..., 2), lie in the image, at least `margin_px` from its edge. NaN does not."""
        xy = np.asarray(pixels, dtype=float)
        low = xy >= margin_px
        high = xy <= np.array([self.width_px, self.height_px]) - margin_px
        return np.asarray((low & high).all(axis=-1))


@dataclass(frozen=True, slots=True)
class PoseSigma:
    """One-sigma errors of a camera pose.

    Parameters
    ----------
    horizontal_m, vertical_m
        Position, metres; horizontal is for each of east and north.
    yaw_deg, pitch_deg, roll_deg
        Attitude of the optical axis, degrees: yaw about the vertical, pitch about the level right-hand axis, roll
        about the optical axis.
    turns_deg
        Further errors of attitude, each a turn by one sigma as a vector along its axis: forward (the optical axis),
        right and down of the camera, degrees. A calibration leaves such ones.
    """

    horizontal_m: float = 1.5
    vertical_m: float = 2.0
    yaw_deg: float = 1.0
    pitch_deg: float = 0.5
    roll_deg: float = 0.5
    turns_deg: tuple[tuple[float, float, float], ...] = ()


@dataclass(frozen=True, slots=True)
class CameraPose:
    """Where a camera is and where it looks.

    Parameters
    ----------
    lat_deg, lon_deg
        Position, degrees WGS 84.
    altitude
        Height of the camera with its datum.
    yaw_deg
        Azimuth of the optical axis, degrees clockwise from true north. At nadir: azimuth of the top of the image.
    pitch_deg
        Elevation of the optical axis, degrees: 0 at the horizon, -90 straight down.
    roll_deg
        Rotation about the optical axis, degrees, positive when the camera's right side goes down.
    sigma
        One-sigma errors of all these.
    """

    lat_deg: float
    lon_deg: float
    altitude: Altitude
    yaw_deg: float
    pitch_deg: float
    roll_deg: float = 0.0
    sigma: PoseSigma = field(default_factory=PoseSigma)

    def rotation_enu_from_camera(self) -> Floats:
        """Rotation matrix, shape (3, 3), that takes vectors from the camera frame to ENU."""
        ned_from_frd = rotation_ned_from_frd(self.yaw_deg, self.pitch_deg, self.roll_deg)
        return np.asarray(_ENU_FROM_NED @ ned_from_frd @ _FRD_FROM_CAMERA)

    def turns_enu(self) -> Floats:
        """Errors of attitude as turns by one sigma, radians: independent vectors along their axes, shape (n, 3), ENU.

        Those of yaw, pitch and roll, then `PoseSigma.turns_deg`.
        """
        yaw = math.radians(self.yaw_deg)
        frd = _ENU_FROM_NED @ rotation_ned_from_frd(self.yaw_deg, self.pitch_deg, self.roll_deg)
        turns = [
            np.array([0.0, 0.0, -1.0]) * self.sigma.yaw_deg,
            np.array([math.cos(yaw), -math.sin(yaw), 0.0]) * self.sigma.pitch_deg,
            frd[:, 0] * self.sigma.roll_deg,
            *(frd @ np.array(turn) for turn in self.sigma.turns_deg),
        ]
        return np.radians(turns)


def rotation_ned_from_frd(yaw_deg: float, pitch_deg: float, roll_deg: float) -> Floats:
    """Rotation, shape (3, 3), from FRD to NED for yaw, pitch, roll in degrees, applied in the order Z, Y, X.

    Aerospace convention, as in MISB ST 0601 tags 5 to 7 and MAVLink ATTITUDE.
    """
    (cy, cp, cr), (sy, sp, sr) = (
        [f(math.radians(a)) for a in (yaw_deg, pitch_deg, roll_deg)] for f in (math.cos, math.sin)
    )
    return np.array(
        [
            [cy * cp, cy * sp * sr - sy * cr, cy * sp * cr + sy * sr],
            [sy * cp, sy * sp * sr + cy * cr, sy * sp * cr - cy * sr],
            [-sp, cp * sr, cp * cr],
        ]
    )


def attitude_from_rotation(ned_from_frd: ArrayLike) -> tuple[float, float, float]:
    """Yaw (0 to 360), pitch, roll in degrees of a rotation from FRD to NED; at ±90 pitch the roll is taken as 0."""
    r = np.asarray(ned_from_frd, dtype=float)
    pitch = math.asin(max(-1.0, min(1.0, -r[2, 0])))
    if abs(r[2, 0]) > 1 - 1e-12:
        yaw, roll = math.atan2(-r[0, 1], r[1, 1]), 0.0
    else:
        yaw, roll = math.atan2(r[1, 0], r[0, 0]), math.atan2(r[2, 1], r[2, 2])
    return math.degrees(yaw) % 360.0, math.degrees(pitch), math.degrees(roll)


def compose_attitude(
    platform: tuple[float, float, float], sensor: tuple[float, float, float]
) -> tuple[float, float, float]:
    """Yaw, pitch, roll of a camera, degrees, from its platform's and its gimbal's relative to the platform.

    Parameters
    ----------
    platform
        Heading, pitch, roll of the airframe, degrees (MISB ST 0601 tags 5, 6, 7).
    sensor
        Azimuth, elevation, roll of the sensor relative to the airframe, degrees (tags 18, 19, 20).
    """
    return attitude_from_rotation(rotation_ned_from_frd(*platform) @ rotation_ned_from_frd(*sensor))
