"""The values that travel through the vision pipeline: frame, detection, track, ground track.

Pixels: x to the right, y down, (0, 0) at the corner of the image. Ground: east and north in metres of one `LocalFrame`
a run. Times: microseconds UTC since the Unix epoch, of exposure.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from geo import CameraModel, CameraPose

__all__ = [
    "Detection",
    "Frame",
    "GroundPoint",
    "GroundTrack",
    "Observation",
    "PicturePoint",
    "Track",
]

Floats = NDArray[np.float64]
Image = NDArray[np.uint8]
Grey = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One picture of a video with what is known about its exposure.

    Parameters
    ----------
    image
        Pixels, shape (height, width, 3), uint8, blue-green-red.
    time_us
        Time of exposure, microseconds UTC since the Unix epoch.
    index
        Number of the frame in its source, from 0.
    pts_s
        Presentation time in the source, seconds.
    pose, camera
        Pose interpolated to `time_us` and camera model; None where the source does not tell.
    ground_amsl_m
        Elevation at the centre of the picture as the sensor reports it (ST 0601 tag 25), metres AMSL.
    """

    image: Image
    time_us: int
    index: int = 0
    pts_s: float = 0.0
    pose: CameraPose | None = None
    camera: CameraModel | None = None
    ground_amsl_m: float | None = None

    @property
    def size_px(self) -> tuple[int, int]:
        """Width and height of the picture, pixels."""
        return int(self.image.shape[1]), int(self.image.shape[0])

    @property
    def grey(self) -> Grey:
        """The picture without colours, shape (height, width), to be read only: green, which carries most of it."""
        green = self.image[..., 1]
        green.flags.writeable = False
        return green

    def scaled(self, size: tuple[int, int], out: Image) -> None:
        """The picture in another size (width, height), blue-green-red, into `out`, shape (height, width, 3)."""
        cv2.resize(self.image, size, dst=out, interpolation=cv2.INTER_LINEAR)


@dataclass(frozen=True, slots=True)
class Detection:
    """A box in one frame, pixels; `kind` is "person", "vehicle" or "bicycle"; `score` 0 to 1."""

    x1: float
    y1: float
    x2: float
    y2: float
    kind: str
    score: float

    @property
    def centre(self) -> tuple[float, float]:
        """Centre of the box, pixels."""
        return (self.x1 + self.x2) / 2, (self.y1 + self.y2) / 2

    @property
    def bottom(self) -> tuple[float, float]:
        """Centre of the lower edge, pixels."""
        return (self.x1 + self.x2) / 2, self.y2

    @property
    def size(self) -> tuple[float, float]:
        """Width and height, pixels."""
        return self.x2 - self.x1, self.y2 - self.y1


@dataclass(frozen=True, slots=True, eq=False)
class GroundPoint:
    """Where an object stood at one time, with its error in two parts.

    Parameters
    ----------
    time_us
        Time, microseconds UTC.
    xy
        East and north, metres, shape (2,).
    random
        Covariance of the error that is new in every frame, square metres, shape (2, 2).
    systematic
        Factor of the error that all frames of a pass share, metres, shape (2, k): column j is the shift when the
        j-th pose parameter is off by one sigma. Its covariance is ``systematic @ systematic.T``; the difference of
        two points has the factor ``a.systematic - b.systematic``.
    """

    time_us: int
    xy: Floats
    random: Floats
    systematic: Floats

    @property
    def covariance(self) -> Floats:
        """Full covariance, square metres, shape (2, 2)."""
        return np.asarray(self.random + self.systematic @ self.systematic.T)


@dataclass(frozen=True, slots=True)
class PicturePoint:
    """Where the foot of a box is in the picture of a fixed camera at rest: pixels, and one sigma each way of the shake.

    The box itself tells where it is in its own frame, which the wind may have moved.
    """

    x: float
    y: float
    sigma_px: float


@dataclass(frozen=True, slots=True, eq=False)
class Observation:
    """One detection of a track: when, in which frame, what box, and where it stood.

    `ground` is None where that is not known, `foot` where the camera's picture is not one of a fixed camera.
    """

    time_us: int
    frame_index: int
    detection: Detection
    ground: GroundPoint | None = None
    foot: PicturePoint | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Track:
    """One object over frames.

    Parameters
    ----------
    number
        Number in its run, from 1, in the order of confirmation.
    kind
        What it is, by the score-weighted vote of its detections.
    score
        Mean score of its detections.
    observations
        Its detections in the order of time.
    """

    number: int
    kind: str
    score: float
    observations: tuple[Observation, ...]

    @property
    def start_us(self) -> int:
        """Time of the first observation."""
        return self.observations[0].time_us

    @property
    def end_us(self) -> int:
        """Time of the last observation."""
        return self.observations[-1].time_us


@dataclass(frozen=True, slots=True, eq=False)
class GroundTrack:
    """One object on the ground: n estimates in the order of time.

    Parameters
    ----------
    number, kind, score
        Of the track it came from.
    times_us
        Shape (n,), int64.
    xy, velocity
        East and north, metres and metres a second, shape (n, 2).
    random
        Covariance of the position from random error alone, shape (n, 2, 2).
    systematic
        Factors of the shared error as in `GroundPoint`, shape (n, 2, k).
    cut_in, cut_off
        Whether it begins where the picture or the video does, and ends where they do; not because the object was found
        late, or lost, in the middle.
    """

    number: int
    kind: str
    score: float
    times_us: NDArray[np.int64]
    xy: Floats
    velocity: Floats
    random: Floats
    systematic: Floats
    cut_in: bool = False
    cut_off: bool = False

    @property
    def covariance(self) -> Floats:
        """Full covariance of the position, shape (n, 2, 2)."""
        return np.asarray(self.random + self.systematic @ np.swapaxes(self.systematic, 1, 2))
