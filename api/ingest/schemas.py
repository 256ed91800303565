"""Records as they come in: crossings and cues."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import AwareDatetime, Field, model_validator

from api.wire import CueKind, Id, Kind, Label, Lat, Lon, Metres, Name, Sha256, Status, Wire

__all__ = ["CrossingIn", "CueIn"]


class Ellipse(Wire):
    """95 % error ellipse on the ground; orientation in degrees clockwise from north of the major axis."""

    semi_major_m: Metres
    semi_minor_m: Metres
    orientation_deg: float = Field(ge=-360, le=360)


class TrackPoint(Wire):
    """A point of the ground track; `sigma_m` is one standard deviation."""

    time: AwareDatetime
    lat: Lat
    lon: Lon
    sigma_m: Metres


class EvidenceNames(Wire):
    """The files of the evidence by name, and the SHA-256 of the clip."""

    manifest: Name
    clip: Name
    sha256: Sha256
    thumbnail: Name | None = None


class Model(Wire):
    """The detector that saw it."""

    name: Label
    sha256: Sha256


class AlsoSeen(Wire):
    """Another report of the same event."""

    source: Label
    source_id: Label


class CrossingIn(Wire):
    """A crossing as `vision` reports it. A null marking means that nobody outside may see it."""

    source: Label
    source_id: Label
    time: AwareDatetime
    update_time: AwareDatetime
    kind: Kind
    direction: Literal["inbound", "outbound"]
    status: Status
    method: Literal["ground", "homography", "pixel"]
    lat: Lat | None
    lon: Lon | None
    ellipse: Ellipse | None
    border: Label
    confidence: float = Field(ge=0, le=1)
    track: list[TrackPoint] = Field(max_length=5000)
    evidence: EvidenceNames | None
    model: Model | None
    purpose: Label
    owner: Label
    marking: Label | None
    retention_days: int = Field(ge=1, le=36500)
    also_seen: list[AlsoSeen] = Field(default_factory=list, max_length=50)

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.lat is None) != (self.lon is None):
            raise ValueError("lat and lon come together or not at all")
        if self.ellipse is not None and self.lat is None:
            raise ValueError("an ellipse needs lat and lon")
        _check_marking(self.marking)
        return self


def _check_marking(marking: str | None) -> None:
    if marking is not None and marking.upper() == "UNMARKED":
        raise ValueError("an unmarked record has marking null")


class CuePlace(Wire):
    """GeoJSON Point, lon then lat."""

    type: Literal["Point"]
    coordinates: tuple[Lon, Lat]


class CueParameters(Wire):
    """What else a sensor measured: the bearing with one standard deviation, degrees clockwise from north."""

    model: Label | None = None
    azimuth_deg: float | None = Field(default=None, ge=0, lt=360)
    azimuth_sigma_deg: float | None = Field(default=None, ge=0, le=180)


class CustodyIn(Wire):
    """What a cue carries as every record does."""

    owner: Label
    purpose: Label
    marking: Label | None
    retention_days: int = Field(ge=1, le=36500)

    @model_validator(mode="after")
    def _marked(self) -> Self:
        _check_marking(self.marking)
        return self


class CueIn(Wire):
    """A cue as a ground sensor reports it; names as in OGC SensorThings 1.1 where they mean the same.

    `uncertainty_m` is one standard deviation of a coordinate of the location.
    """

    type: Literal["cue"]
    id: Id
    sensor: Name
    kind: CueKind
    phenomenon_time: AwareDatetime = Field(alias="phenomenonTime")
    result_time: AwareDatetime = Field(alias="resultTime")
    location: CuePlace
    uncertainty_m: Metres
    confidence: float = Field(ge=0, le=1)
    parameters: CueParameters = CueParameters()
    custody: CustodyIn
