"""What a watch hands on, and what each record of it carries: crossings, passages that are open, where, by whom kept.

Times: microseconds UTC since the Unix epoch, of exposure.
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

__all__ = [
    "CHI_95",
    "Crossing",
    "Custody",
    "Direction",
    "Ellipse",
    "EvidenceRef",
    "Method",
    "ModelRef",
    "OpenPassage",
    "Status",
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
