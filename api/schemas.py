"""What comes in over the wire: strict models, unknown members refused, times with a zone."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from api.roles import Role

__all__ = [
    "AgreementTerms",
    "CrossingIn",
    "CueIn",
    "CueKind",
    "EndIn",
    "KeyIn",
    "PartnerIn",
    "ReleaseField",
    "ReleaseIn",
    "ReviewIn",
]

_PLAIN = r"^[^\x00-\x1f\x7f]*$"
Text = Annotated[str, StringConstraints(min_length=1, max_length=500, pattern=_PLAIN, strip_whitespace=True)]
Label = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=_PLAIN, strip_whitespace=True)]
Name = Annotated[str, StringConstraints(max_length=200, pattern=r"^[A-Za-z0-9_][A-Za-z0-9._-]*$")]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Id = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
Lat = Annotated[float, Field(ge=-90, le=90)]
Lon = Annotated[float, Field(ge=-180, le=180)]
Metres = Annotated[float, Field(ge=0, le=1e7)]
Kind = Literal["person", "vehicle", "bicycle"]
Status = Literal["confirmed", "probable"]
CueKind = Literal["motion", "infrared", "acoustic", "radar", "person"]


class Wire(BaseModel):
    """Base of what comes in: closed, finite, immutable."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


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


class ReviewIn(Wire):
    """A person's verdict; a dismissal says why."""

    verdict: Literal["confirm", "dismiss"]
    reason: Text | None = None

    @model_validator(mode="after")
    def _reasoned(self) -> Self:
        if self.verdict == "dismiss" and self.reason is None:
            raise ValueError("a dismissal needs a reason")
        return self


class ReleaseField(StrEnum):
    """What an agreement may share beyond time, purpose, owner, marking and retention, which always go along."""

    KIND = "kind"
    DIRECTION = "direction"
    STATUS = "status"
    METHOD = "method"
    POSITION = "position"
    ELLIPSE = "ellipse"
    TRACK = "track"
    BORDER = "border"
    CONFIDENCE = "confidence"
    MODEL = "model"
    SOURCE = "source"
    CLIP = "clip"


_TELLS_POSITION = {ReleaseField.ELLIPSE, ReleaseField.TRACK, ReleaseField.CLIP}


class Polygon(Wire):
    """GeoJSON Polygon, lon then lat; a ring that crosses the antimeridian is cut there (RFC 7946, 3.1.9)."""

    type: Literal["Polygon"]
    coordinates: list[Annotated[list[tuple[Lon, Lat]], Field(min_length=4, max_length=10_000)]] = Field(
        min_length=1, max_length=100
    )


class MultiPolygon(Wire):
    """GeoJSON MultiPolygon."""

    type: Literal["MultiPolygon"]
    coordinates: list[
        Annotated[
            list[Annotated[list[tuple[Lon, Lat]], Field(min_length=4, max_length=10_000)]],
            Field(min_length=1, max_length=100),
        ]
    ] = Field(min_length=1, max_length=100)


class AgreementTerms(Wire):
    """What may be shared with one partner. An absent area is everywhere; every list allows what it names, no more.

    `delay_s` holds a crossing back until so many seconds after its time. `clip` shares all files of evidence, whose
    telemetry tells the position.
    """

    partner_id: Id
    kinds: list[Kind] = Field(min_length=1, max_length=10)
    purposes: list[Label] = Field(min_length=1, max_length=50)
    markings: list[Label] = Field(min_length=1, max_length=50)
    fields: list[ReleaseField] = Field(max_length=len(ReleaseField))
    area: Annotated[Polygon | MultiPolygon, Field(discriminator="type")] | None = None
    delay_s: int = Field(default=0, ge=0, le=10 * 366 * 86400)
    valid_until: AwareDatetime | None = None

    @model_validator(mode="after")
    def _honest(self) -> Self:
        telling = sorted(_TELLS_POSITION & set(self.fields))
        if telling and ReleaseField.POSITION not in self.fields:
            raise ValueError(f"{', '.join(telling)} would tell the position, which is not among the fields")
        return self


class PartnerIn(Wire):
    """A new partner."""

    name: Label


class ReleaseIn(Wire):
    """One crossing to one partner; without an agreement the partner's first that covers it is taken."""

    crossing_id: Id
    partner_id: Id
    agreement_id: Id | None = None
    reason: Text | None = None


class KeyIn(Wire):
    """A new key."""

    name: Label
    role: Role
    partner_id: Id | None = None
    expires: AwareDatetime | None = None


class EndIn(Wire):
    """Why something ends."""

    reason: Text
