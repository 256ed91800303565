"""Records as they come in. Each carries whose it is, what for, who may see it, and for how long."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from api.records.cameras import SEEN, Camera, Footprint, VideoLink
from api.times import iso_of_text
from api.wire import CueKind, Id, Kind, Label, Lat, Lon, Metres, Moment, Name, Sha256, Status, Wire

__all__ = [
    "COPIES",
    "CrossingIn",
    "CueIn",
    "CustodyIn",
    "FleetIn",
    "Motion",
    "PlanIn",
    "RecordIn",
    "SeeingIn",
    "SegmentIn",
    "Sensitivity",
    "SensorIn",
    "SortieIn",
    "VehicleIn",
]

Sensitivity = Literal["clear", "green", "amber", "red"]
"""Colours of the Traffic Light Protocol 2.0 (FIRST), which EU CISE calls sensitivity."""
_USUAL: Sensitivity = "amber"
COPIES = ("blurred", "redacted")
"""Copies of evidence that the service makes: the part of a copy is named `COPY-PART`, and nobody delivers one."""

Degrees = Annotated[float, Field(ge=0, lt=360)]
Place = tuple[Lon, Lat]
Way = Annotated[list[Place], Field(min_length=2, max_length=50_000)]


def _check_marking(marking: str | None) -> None:
    if marking is not None and marking.upper() == "UNMARKED":
        raise ValueError("an unmarked record has marking null")


class CustodyIn(Wire):
    """What every record carries. A null marking means that nobody outside may see it."""

    owner: Label
    purpose: Label
    marking: Label | None
    retention_days: int = Field(ge=1, le=36500)
    sensitivity: Sensitivity = _USUAL
    personal_data: bool = True
    """Whether it tells of persons (LED art. 3): the usual answer at a border."""

    @model_validator(mode="after")
    def _marked(self) -> Self:
        _check_marking(self.marking)
        return self


class RecordIn(CustodyIn):
    """What is common to records: (source, source_id) names one, and update_time advances with each change of it."""

    source: Label
    source_id: Label
    time: Moment
    update_time: Moment

    def document(self) -> dict[str, Any]:
        """What was delivered as JSON values, times in UTC microseconds, without members left at their usual value."""
        found = self.model_dump(mode="json", exclude=self._left_out())
        for name in ("time", "update_time"):
            found[name] = iso_of_text(found[name])
        return found

    def _left_out(self) -> set[str]:
        # What was stored before there were such members has the same digest as ever.
        usual = {"sensitivity": _USUAL, "personal_data": True}
        return {name for name, value in usual.items() if getattr(self, name) == value}


class Ellipse(Wire):
    """95 % error ellipse on the ground; orientation in degrees clockwise from north of the major axis."""

    semi_major_m: Metres
    semi_minor_m: Metres
    orientation_deg: float = Field(ge=-360, le=360)


class TrackPoint(Wire):
    """A point of the ground track; `sigma_m` is one standard deviation."""

    time: Moment
    lat: Lat
    lon: Lon
    sigma_m: Metres


class EvidenceNames(Wire):
    """The files of the evidence by name, and the SHA-256 of the clip; `others` are all that the manifest lists."""

    manifest: Name
    clip: Name
    sha256: Sha256
    thumbnail: Name | None = None
    others: list[Name] = Field(default_factory=list, max_length=100)

    @model_validator(mode="after")
    def _told_apart(self) -> Self:
        named = [self.manifest, self.clip, *self.others, *([] if self.thumbnail is None else [self.thumbnail])]
        if len(set(named)) != len(named):
            raise ValueError("two files of evidence have one name")
        if {"manifest", "clip", "thumbnail"} & set(self.others):
            raise ValueError("manifest, clip and thumbnail are parts: name other files otherwise")
        if any(name.startswith(tuple(f"{copy}-" for copy in COPIES)) for name in self.others):
            raise ValueError("blurred- and redacted- begin the names of copies, which the service makes alone")
        return self


class Model(Wire):
    """The detector that saw it."""

    name: Label
    sha256: Sha256


class AlsoSeen(Wire):
    """Another report of the same event."""

    source: Label
    source_id: Label


class CrossingIn(RecordIn):
    """A crossing as `vision` reports it."""

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
    also_seen: list[AlsoSeen] = Field(default_factory=list, max_length=50)

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.lat is None) != (self.lon is None):
            raise ValueError("lat and lon come together or not at all")
        if self.ellipse is not None and self.lat is None:
            raise ValueError("an ellipse needs lat and lon")
        return self

    def document(self) -> dict[str, Any]:
        """As `RecordIn.document`, the times of the track too."""
        found = super().document()
        for point in found["track"]:
            point["time"] = iso_of_text(point["time"])
        if found["evidence"] is not None and not found["evidence"]["others"]:
            del found["evidence"]["others"]
        return found

    def _left_out(self) -> set[str]:
        return super()._left_out() | (set() if self.also_seen else {"also_seen"})


class CuePlace(Wire):
    """GeoJSON Point, lon then lat."""

    type: Literal["Point"]
    coordinates: Place


class CueParameters(Wire):
    """What else a sensor measured: the bearing with one standard deviation, degrees clockwise from north."""

    model: Label | None = None
    azimuth_deg: Degrees | None = None
    azimuth_sigma_deg: float | None = Field(default=None, ge=0, le=180)


class CueIn(Wire):
    """A cue as a ground sensor reports it; names as in OGC SensorThings 1.1 where they mean the same.

    `uncertainty_m` is one standard deviation of a coordinate of the location. The sensor is the record's source, `id`
    its source_id, `resultTime` its update_time.
    """

    type: Literal["cue"]
    id: Id
    sensor: Name
    kind: CueKind
    phenomenon_time: Moment = Field(alias="phenomenonTime")
    result_time: Moment = Field(alias="resultTime")
    location: CuePlace
    uncertainty_m: Metres
    confidence: float = Field(ge=0, le=1)
    parameters: CueParameters = CueParameters()
    custody: CustodyIn

    def document(self) -> dict[str, Any]:
        """What was delivered as JSON values, times in UTC microseconds."""
        found = self.model_dump(mode="json", by_alias=True, exclude_unset=True)
        for name in ("phenomenonTime", "resultTime"):
            found[name] = iso_of_text(found[name])
        return found


class SegmentIn(RecordIn):
    """A stretch of the border: a line with its own side, seen in the line's direction."""

    name: Label
    authority: Label | None = None
    line: Way
    own_side: Literal["left", "right"]
    priority: float = Field(default=1.0, gt=0, le=1000)
    stand_off_m: Metres
    band_depth_m: Metres


class FleetAircraft(Wire):
    """So many aircraft of one model at one base."""

    model: Label
    count: int = Field(ge=1, le=10_000)
    base: Label


class FleetIn(RecordIn):
    """Aircraft, and the bases that they fly from."""

    name: Label
    aircraft: list[FleetAircraft] = Field(min_length=1, max_length=1000)
    bases: dict[Label, Place] = Field(max_length=1000)


class PlanIn(RecordIn):
    """A patrol plan: how well it watches, and its ways. The plan file itself goes by its SHA-256."""

    name: Label
    segments: list[Label] = Field(max_length=1000)
    objective: Literal["revisit", "coverage", "risk"]
    revisit_s: float | None = Field(default=None, ge=0, le=1e10)
    lower_bound_s: float | None = Field(default=None, ge=0, le=1e10)
    seen_share: float | None = Field(default=None, ge=0, le=1)
    sorties: int = Field(ge=0, le=100_000)
    ways: list[Way] = Field(max_length=5000)
    sha256: Sha256


class SeeingIn(RecordIn):
    """A record of something that carries a camera: what it sees, and where that can be watched."""

    camera: Camera | None = None
    footprint: Footprint | None = None
    video: VideoLink | None = None

    def _left_out(self) -> set[str]:
        return super()._left_out() | {name for name in SEEN if getattr(self, name) is None}


class SortieIn(SeeingIn):
    """One flight, from take-off to landing, as planned or as flown."""

    plan: Label | None = None
    vehicle: Label
    state: Literal["planned", "launched", "on task", "returning", "landed", "aborted", "lost"]
    take_off: Moment
    landing: Moment | None = None
    way: Way
    battery_left: float | None = Field(default=None, ge=0, le=1)

    def document(self) -> dict[str, Any]:
        """As `RecordIn.document`, take-off and landing too."""
        found = super().document()
        found["take_off"] = iso_of_text(found["take_off"])
        found["landing"] = None if self.landing is None else iso_of_text(found["landing"])
        return found


LinkState = Literal["good", "weak", "lost"]
"""How a vehicle is heard."""


class Motion(Wire):
    """How a vehicle moves and fares, in its record and in its live state. Altitude above mean sea level.

    `heading_deg` is where its nose points, `course_deg` where it moves over the ground, both from true north;
    `battery_left` is a share of the whole.
    """

    altitude_amsl_m: float | None = Field(default=None, ge=-1000, le=100_000)
    heading_deg: Degrees | None = None
    course_deg: Degrees | None = None
    speed_m_s: float | None = Field(default=None, ge=0, le=1000)
    battery_left: float | None = Field(default=None, ge=0, le=1)
    link: LinkState | None = None
    mode: Label | None = None
    sortie: Label | None = None


class VehicleIn(SeeingIn, Motion):
    """A vehicle as it was at `time`: who it is and what it carries.

    Where it is now is its live state (`api.live`); its place here is where it can be found when it does not fly.
    """

    name: Label
    frame: Literal["copter", "plane", "vtol", "ground"]
    state: Label
    lat: Lat | None
    lon: Lon | None

    def _left_out(self) -> set[str]:
        return super()._left_out() | {name for name in ("course_deg", "link", "mode") if getattr(self, name) is None}

    @model_validator(mode="after")
    def _placed(self) -> Self:
        if (self.lat is None) != (self.lon is None):
            raise ValueError("lat and lon come together or not at all")
        return self


class SensorIn(RecordIn):
    """A ground sensor where it stands."""

    name: Label
    kind: CueKind
    lat: Lat
    lon: Lon
    range_m: Metres | None = None
    azimuth_deg: Degrees | None = None
    state: Literal["working", "silent", "failed", "removed"] = "working"
