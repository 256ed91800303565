"""What every model of the wire is made of: strict, closed, finite; texts without control characters."""

from __future__ import annotations

from datetime import MAXYEAR, MINYEAR, UTC, datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

__all__ = [
    "CueKind",
    "Id",
    "Kind",
    "Label",
    "Lat",
    "Lon",
    "Metres",
    "Moment",
    "MultiPolygon",
    "Name",
    "Polygon",
    "Sha256",
    "Status",
    "Text",
    "Wire",
]

_PLAIN = r"^[^\x00-\x1f\x7f]*$"
Text = Annotated[str, StringConstraints(min_length=1, max_length=500, pattern=_PLAIN, strip_whitespace=True)]
Label = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=_PLAIN, strip_whitespace=True)]
Name = Annotated[str, StringConstraints(max_length=200, pattern=r"^[A-Za-z0-9_][A-Za-z0-9._-]*$")]


def _in_utc(moment: datetime) -> datetime:
    if MINYEAR < moment.year < MAXYEAR:  # no zone is a year away
        return moment
    try:
        moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("in UTC it is outside the years 1 to 9999") from None
    return moment


Moment = Annotated[AwareDatetime, AfterValidator(_in_utc)]
"""A moment with its zone."""
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
