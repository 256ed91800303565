"""How the pixels of one frame relate to a plane in which still things stand still.

With the camera's pose, or known points of a fixed one, that plane is the ground. Without, it is a picture: the one in
which a fixed camera's line was drawn, however the wind shakes its mast, or the moving camera's picture of the moment,
into which everything is carried that was in the one before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from geo import CameraModel, CameraPose, LocalFrame
from vision.errors import TrackError
from vision.types import Detection, PicturePoint

__all__ = ["CameraMotion", "GroundPlane", "SlidingPicture", "SteadyPicture", "StillCamera", "through"]

Floats = NDArray[np.float64]


class CameraMotion(Protocol):
    """How one frame's pixels relate to a plane that stands still."""

    @property
    def metric(self) -> bool:
        """Whether the plane's unit is the metre; else the pixel."""
        ...

    @property
    def sigma_px(self) -> float:
        """One sigma of the motion itself, pixels each way, new in every frame."""
        ...

    def absolute(self, pixels: Floats) -> Floats:
        """Points of the plane, shape (n, 2), at pixels, shape (n, 2); NaN above the horizon."""
        ...

    def relative(self, points: Floats) -> Floats:
        """Pixels, shape (n, 2), of points of the plane, shape (n, 2); NaN behind the camera."""
        ...


@dataclass(frozen=True, slots=True)
class StillCamera:
    """A camera that does not move: the plane is its picture, the unit the pixel."""

    metric: ClassVar[bool] = False
    sigma_px: ClassVar[float] = 0.0

    def absolute(self, pixels: Floats) -> Floats:
        """The pixels themselves."""
        return pixels

    def relative(self, points: Floats) -> Floats:
        """The points themselves."""
        return points


@dataclass(frozen=True, slots=True, eq=False)
class GroundPlane:
    """The ground as a level plane seen by a pinhole camera, or by a fixed one of known homography.

    Parameters
    ----------
    to_plane
        Homography from pixels to metres east and north, shape (3, 3), signed so that the third coordinate of what
        lies below the horizon is positive.
    camera
        The camera whose lens bends the picture, or None: the homography is of straightened pixels.
    sigma_px
        One sigma of what is new in this frame, pixels: where the picture's own motion stands in for a pose.
    """

    metric: ClassVar[bool] = True
    to_plane: Floats
    camera: CameraModel | None = None
    sigma_px: float = 0.0

    @classmethod
    def of_pose(cls, camera: CameraModel, pose: CameraPose, frame: LocalFrame, ground_amsl_m: float) -> GroundPlane:
        """The plane at an elevation, metres AMSL: that of the ground in the middle of the picture.

        Raises
        ------
        TrackError
            When the camera is not above it.
        """
        height = pose.altitude.amsl_m(ground_amsl_m=ground_amsl_m) - ground_amsl_m
        if height <= 0:
            raise TrackError(f"camera at {height:.1f} m above the ground: its height or the terrain is wrong")
        east, north, _ = frame.to_enu(pose.lat_deg, pose.lon_deg, frame.height_m)
        to_ray = pose.rotation_enu_from_camera() @ np.array(
            [[1, 0, -camera.width_px / 2], [0, 1, -camera.height_px / 2], [0, 0, camera.focal_px]]
        )
        # A ray (e, n, u) meets the plane at the camera's foot plus height * (e, n) / -u.
        to_plane = np.array([[height, 0, -east], [0, height, -north], [0, 0, -1.0]]) @ to_ray
        return cls(to_plane, camera if camera.distortion else None)

    def absolute(self, pixels: Floats) -> Floats:
        """Metres east and north at pixels."""
        return through(self.to_plane, pixels if self.camera is None else self.camera.straighten(pixels))

    def relative(self, points: Floats) -> Floats:
        """Pixels of points on the plane."""
        pixels = through(np.asarray(np.linalg.inv(self.to_plane), dtype=np.float64), points)
        return pixels if self.camera is None else self.camera.bend(pixels)

    def seen_from(self, to_here: Floats, sigma_px: float) -> GroundPlane | None:
        """The plane through another picture, which `to_here` takes to this one's pixels, known to `sigma_px`.

        None for a lens that bends: a homography holds between straightened pictures alone.
        """
        if self.camera is not None:
            return None
        return replace(self, to_plane=self.to_plane @ to_here, sigma_px=float(np.hypot(self.sigma_px, sigma_px)))


@dataclass(frozen=True, slots=True, eq=False)
class SteadyPicture:
    """A fixed camera that shakes: the plane is its picture at rest, the one in which a line was drawn.

    Parameters
    ----------
    to_rest
        Homography from pixels of this frame to those at rest, shape (3, 3).
    sigma_px
        One sigma of it, pixels each way.
    """

    metric: ClassVar[bool] = False
    to_rest: Floats
    sigma_px: float = 0.0

    def absolute(self, pixels: Floats) -> Floats:
        """Pixels at rest."""
        return through(self.to_rest, pixels)

    def relative(self, points: Floats) -> Floats:
        """Pixels of this frame."""
        return through(np.asarray(np.linalg.inv(self.to_rest), dtype=np.float64), points)

    def feet(self, detections: Sequence[Detection]) -> list[PicturePoint]:
        """Where the boxes' feet are in the picture at rest."""
        if not detections:
            return []
        places = self.absolute(np.array([d.bottom for d in detections]))
        return [PicturePoint(float(x), float(y), self.sigma_px) for x, y in places]


@dataclass(frozen=True, slots=True, eq=False)
class SlidingPicture:
    """A moving camera of which no pose is known: the plane is its picture of the moment.

    Its pixels do not stay with what they show, so what was there in the frame before is carried here: no error of the
    motion ever adds up.

    Parameters
    ----------
    step
        Homography from pixels of the frame before to those of this one, shape (3, 3).
    step_sigma_px
        One sigma of it, pixels each way.
    size_px
        Width and height of the picture; None where nobody says.
    """

    metric: ClassVar[bool] = False
    sigma_px: ClassVar[float] = 0.0  # places of this moment are exact: what was carried here is not
    step: Floats
    step_sigma_px: float = 0.0
    size_px: tuple[int, int] | None = None

    def absolute(self, pixels: Floats) -> Floats:
        """The pixels themselves."""
        return pixels

    def relative(self, points: Floats) -> Floats:
        """The points themselves."""
        return points

    def shows(self, place: Floats) -> bool:
        """Whether a place, shape (2,), is in the picture."""
        return self.size_px is None or bool((place >= 0).all() and (place <= self.size_px).all())

    def carry(self, place: Floats) -> tuple[Floats, Floats]:
        """Where a place in the frame before, shape (2,), is in this one, and how steps about it turn, shape (2, 2)."""
        x, y, scale = self.step @ np.array([place[0], place[1], 1.0])
        here = np.array([x, y]) / scale
        return here, np.asarray((self.step[:2, :2] - np.outer(here, self.step[2, :2])) / scale)


def through(homography: Floats, points: Floats) -> Floats:
    """Points, shape (n, 2), under a homography, (3, 3), or under each of several, (..., 3, 3); shape (..., n, 2).

    NaN where the third coordinate is not positive.
    """
    mapped = points @ np.swapaxes(homography[..., :2], -1, -2) + homography[..., None, :, 2]
    scale = np.where(mapped[..., 2:] > 0, mapped[..., 2:], np.nan)
    return np.asarray(mapped[..., :2] / scale)
