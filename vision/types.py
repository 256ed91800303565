"""The values that travel through the vision pipeline: frame, detection, track, ground track, crossing.

Pixels: x to the right, y down, (0, 0) at the corner of the image. Ground: east and north in metres of one `LocalFrame`
a run. Times: microseconds UTC since the Unix epoch, of exposure.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geo import CameraModel, CameraPose

__all__ = [
    "Crossing",
    "Custody",
    "Detection",
    "Direction",
    "Ellipse",
    "EvidenceRef",
    "Frame",
    "GroundPoint",
    "GroundTrack",
    "Method",
    "ModelRef",
    "Observation",
    "PicturePoint",
    "Status",
    "Track",
    "TrackPoint",
    "iso_time",
]

Floats = NDArray[np.float64]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# 95 % of a two-dimensional normal distribution lies within this many sigmas (chi-square, 2 degrees of freedom).
CHI_95 = math.sqrt(-2 * math.log(0.05))


def iso_time(time_us: int) -> str:
    """ISO 8601 UTC with six decimals and Z of microseconds since the Unix epoch."""
    moment = _EPOCH + timedelta(microseconds=time_us)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class Direction(StrEnum):
    """Which way a border was crossed."""

    INBOUND = "inbound"
    """Into the own side."""
    OUTBOUND = "outbound"
    """Out of the own side."""


class Status(StrEnum):
    """How sure a crossing is."""

    CONFIRMED = "confirmed"
    """The 95 % error ellipse had cleared the line before and after."""
    PROBABLE = "probable"
    """The track passed over, but its error ellipse touches the line on one side at least."""


class Method(StrEnum):
    """How a crossing was decided."""

    GROUND = "ground"
    """From camera pose and terrain, in metres."""
    HOMOGRAPHY = "homography"
    """Fixed camera with four known points, in metres."""
    PIXEL = "pixel"
    """Fixed camera with a line in its image, in pixels."""


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

    image: NDArray[np.uint8]
    time_us: int
    index: int = 0
    pts_s: float = 0.0
    pose: CameraPose | None = None
    camera: CameraModel | None = None
    ground_amsl_m: float | None = None


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


@dataclass(frozen=True, slots=True)
class Ellipse:
    """Ellipse that holds the true place with 95 %.

    Parameters
    ----------
    semi_major_m, semi_minor_m
        Half axes, metres.
    orientation_deg
        Azimuth of the major axis, degrees clockwise from north, 0 to 180.
    """

    semi_major_m: float
    semi_minor_m: float
    orientation_deg: float

    @classmethod
    def of(cls, covariance: Floats) -> Ellipse:
        """The ellipse of an east-north covariance, square metres, shape (2, 2)."""
        values, vectors = np.linalg.eigh(covariance)
        minor, major = CHI_95 * np.sqrt(np.maximum(values, 0.0))
        east, north = vectors[:, 1]
        return cls(float(major), float(minor), math.degrees(math.atan2(east, north)) % 180.0)

    def to_json(self) -> dict[str, float]:
        """As the service takes it."""
        return {
            "semi_major_m": round(self.semi_major_m, 3),
            "semi_minor_m": round(self.semi_minor_m, 3),
            "orientation_deg": round(self.orientation_deg, 2),
        }


@dataclass(frozen=True, slots=True)
class TrackPoint:
    """A point of a crossing's track: degrees WGS 84, and one sigma in metres (root mean of both axes)."""

    time_us: int
    lat_deg: float
    lon_deg: float
    sigma_m: float

    def to_json(self) -> dict[str, Any]:
        """As the service takes it."""
        return {
            "time": iso_time(self.time_us),
            "lat": round(self.lat_deg, 8),
            "lon": round(self.lon_deg, 8),
            "sigma_m": round(self.sigma_m, 3),
        }


@dataclass(frozen=True, slots=True)
class EvidenceRef:
    """Names of a crossing's manifest and clip, the clip's SHA-256 in hexadecimal, and names of all other files."""

    manifest: str
    clip: str
    sha256: str
    others: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As the service takes it."""
        names: dict[str, Any] = {"manifest": self.manifest, "clip": self.clip, "sha256": self.sha256}
        return names | ({"others": list(self.others)} if self.others else {})


@dataclass(frozen=True, slots=True)
class ModelRef:
    """The detector that saw it: name and SHA-256 of the model file in hexadecimal."""

    name: str
    sha256: str

    def to_json(self) -> dict[str, str]:
        """As the service takes it."""
        return {"name": self.name, "sha256": self.sha256}


@dataclass(frozen=True, slots=True)
class Custody:
    """What every record carries: purpose, owner, marking and retention.

    `marking` None means that nobody outside may see it.
    """

    purpose: str = "border-surveillance"
    owner: str = "unknown"
    marking: str | None = None
    retention_days: int = 30


@dataclass(frozen=True, slots=True)
class OpenPassage:
    """A track that may have passed the border line or not: no crossing, and not none.

    Parameters
    ----------
    source, source_id
        Name of the source, and an id that is the same whenever the same recording is watched again.
    time_us, update_time_us
        When it came within its error of the line and went no further across, or from when on it left it; and time of
        the last observation that this rests on.
    first_us, last_us
        When the object was first and last seen.
    kind, method, border, track_number, custody
        As of a `Crossing`.
    lat_deg, lon_deg, ellipse
        Where it was then, with its 95 % ellipse, which reaches over the line.
    became
        What it turned out to be, a value of `Outcome`: then it is taken back. None while it is open.
    """

    source: str
    source_id: str
    time_us: int
    update_time_us: int
    first_us: int
    last_us: int
    kind: str
    method: Method
    border: str
    lat_deg: float
    lon_deg: float
    ellipse: Ellipse
    track_number: int = 0
    became: str | None = None
    custody: Custody = field(default_factory=Custody)

    def to_json(self) -> dict[str, Any]:
        """As a record of a file, named as those of a crossing are."""
        return {
            "source": self.source,
            "source_id": self.source_id,
            "time": iso_time(self.time_us),
            "update_time": iso_time(self.update_time_us),
            "first_seen": iso_time(self.first_us),
            "last_seen": iso_time(self.last_us),
            "kind": self.kind,
            "status": "open" if self.became is None else "taken back",
            "became": self.became,
            "method": self.method.value,
            "lat": round(self.lat_deg, 8),
            "lon": round(self.lon_deg, 8),
            "ellipse": self.ellipse.to_json(),
            "border": self.border,
            "purpose": self.custody.purpose,
            "owner": self.custody.owner,
            "marking": self.custody.marking,
            "retention_days": self.custody.retention_days,
        }


@dataclass(frozen=True, slots=True)
class Crossing:
    """A track that passed the border line.

    Parameters
    ----------
    source, source_id
        Name of the source, and an id that is the same whenever the same recording is watched again.
    time_us, update_time_us
        Time of the passage, and of the last observation that the decision rests on.
    kind, direction, status, method, border, confidence
        See the types. `confidence` is the probability that the line was passed, given the position errors, times the
        mean detection score.
    lat_deg, lon_deg, ellipse
        Place of the passage with its 95 % ellipse; None for method "pixel".
    track
        The way over the line; empty for method "pixel".
    track_number
        Number of the track in its run.
    evidence, model, custody
        Clip, detector, and what every record carries.
    also_seen
        Source and id of other reports of the same event (`vision.one_each`).
    """

    source: str
    source_id: str
    time_us: int
    update_time_us: int
    kind: str
    direction: Direction
    status: Status
    method: Method
    border: str
    confidence: float
    lat_deg: float | None = None
    lon_deg: float | None = None
    ellipse: Ellipse | None = None
    track: Sequence[TrackPoint] = ()
    track_number: int = 0
    evidence: EvidenceRef | None = None
    model: ModelRef | None = None
    custody: Custody = field(default_factory=Custody)
    also_seen: tuple[tuple[str, str], ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As the service takes it in POST /crossings."""
        others = [{"source": source, "source_id": number} for source, number in self.also_seen]
        return {
            **({"also_seen": others} if others else {}),
            "source": self.source,
            "source_id": self.source_id,
            "time": iso_time(self.time_us),
            "update_time": iso_time(self.update_time_us),
            "kind": self.kind,
            "direction": self.direction.value,
            "status": self.status.value,
            "method": self.method.value,
            "lat": None if self.lat_deg is None else round(self.lat_deg, 8),
            "lon": None if self.lon_deg is None else round(self.lon_deg, 8),
            "ellipse": None if self.ellipse is None else self.ellipse.to_json(),
            "border": self.border,
            "confidence": round(self.confidence, 4),
            "track": [point.to_json() for point in self.track],
            "evidence": None if self.evidence is None else self.evidence.to_json(),
            "model": None if self.model is None else self.model.to_json(),
            "purpose": self.custody.purpose,
            "owner": self.custody.owner,
            "marking": self.custody.marking,
            "retention_days": self.custody.retention_days,
        }
