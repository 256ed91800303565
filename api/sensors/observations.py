"""Observations of OGC SensorThings API 1.1 (OGC 18-088) as cues. Pure.

An observation says what, when and how sure; which sensor it was, of what kind, and whose the cue is, says the table of
Datastreams in the settings: nobody can speak for another's Datastream, or mark his own cue.
"""

from __future__ import annotations

import hashlib
import math
from datetime import datetime
from typing import Annotated, Any

import shapely.geometry
from pydantic import ConfigDict, Field

from api.canonical import canonical
from api.errors import UnprocessableError
from api.records.schemas import CueIn
from api.sensors.settings import Datastream
from api.times import iso_of
from api.wire import Metres, Moment, Wire

__all__ = ["DatastreamRef", "Observation", "cue_of"]

_Text = Annotated[str, Field(max_length=200)]


class _Entity(Wire):
    """What we do not know of an entity is no error: servers add links of their own."""

    model_config = ConfigDict(extra="ignore")


class DatastreamRef(_Entity):
    """The Datastream of an observation: named by its id; its observed area where it comes along."""

    id: _Text | int | None = Field(default=None, alias="@iot.id")
    observed_area: dict[str, Any] | None = Field(default=None, alias="observedArea")


class _Interest(_Entity):
    feature: dict[str, Any] | None = None


class _Measured(_Entity):
    azimuth_deg: float | None = Field(default=None, ge=0, lt=360)
    azimuth_sigma_deg: float | None = Field(default=None, ge=0, le=180)
    uncertainty_m: Metres | None = None
    confidence: float | None = Field(default=None, ge=0, le=1)
    model: _Text | None = None


class Observation(_Entity):
    """An Observation as it is posted or published. A phenomenon's time may be an interval `begin/end`: its begin."""

    id: _Text | int | None = Field(default=None, alias="@iot.id")
    phenomenon_time: _Text = Field(alias="phenomenonTime")
    result_time: Moment | None = Field(default=None, alias="resultTime")
    result: bool | float | _Text
    parameters: _Measured = _Measured()
    datastream: DatastreamRef | None = Field(default=None, alias="Datastream")
    interest: _Interest | None = Field(default=None, alias="FeatureOfInterest")


def cue_of(observation: Observation, stream: Datastream) -> CueIn | None:
    """The cue that an observation is; None where its result says that nothing was there.

    The same observation becomes the same cue however often it comes.

    Raises
    ------
    UnprocessableError
        When a time, result or place cannot be what its Datastream says.
    """
    confidence = _confidence(observation, stream)
    if confidence is None:
        return None
    when = _moment(observation.phenomenon_time)
    (lon, lat), spread_m = _place(observation, stream)
    measured = observation.parameters
    parameters = measured.model_dump(exclude_none=True, exclude={"uncertainty_m", "confidence"})
    uncertainty_m = measured.uncertainty_m
    if uncertainty_m is None:
        uncertainty_m = stream.uncertainty_m if spread_m is None else spread_m
    return CueIn.model_validate(
        {
            "type": "cue",
            "id": _id(observation, stream),
            "sensor": stream.sensor,
            "kind": stream.kind,
            "phenomenonTime": iso_of(when),
            "resultTime": iso_of(observation.result_time or when),
            "location": {"type": "Point", "coordinates": (lon, lat)},
            "uncertainty_m": uncertainty_m,
            "confidence": confidence,
            "parameters": parameters,
            "custody": stream.custody.to_json(),
        }
    )


def _id(observation: Observation, stream: Datastream) -> str:
    """From the observation's own id, else from what it says."""
    own = observation.id
    said = own if own is not None else [observation.phenomenon_time, observation.result]
    return hashlib.sha256(canonical([stream.id, said]).encode()).hexdigest()[:32]


def _confidence(observation: Observation, stream: Datastream) -> float | None:
    result, said = observation.result, observation.parameters.confidence
    usual = stream.confidence if said is None else said
    if stream.result == "detected":
        if isinstance(result, str) or result not in {0, 1}:
            raise UnprocessableError(f"result {result!r} of Datastream {stream.id} is neither true nor false")
        return usual if result else None
    if isinstance(result, bool | str):
        raise UnprocessableError(f"result {result!r} of Datastream {stream.id} is no number")
    if stream.result == "confidence" and not 0 <= result <= 1:
        raise UnprocessableError(f"result {result!r} of Datastream {stream.id} is no confidence from 0 to 1")
    if result < stream.threshold:
        return None
    return result if stream.result == "confidence" else usual


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text.partition("/")[0].strip())
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise UnprocessableError(f"phenomenonTime {text!r} is no moment of ISO 8601 with a zone")
    return moment


def _place(observation: Observation, stream: Datastream) -> tuple[tuple[float, float], float | None]:
    """Where it was, lon and lat, and how far that may be off where the place is an area."""
    found = observation.interest.feature if observation.interest is not None else None
    if found is not None and found.get("type") == "Feature":
        found = found.get("geometry")
    if found is None and observation.datastream is not None:
        found = observation.datastream.observed_area
    if found is None and stream.location is None:
        raise UnprocessableError(f"the observation has no place, and Datastream {stream.id} of the settings neither")
    if found is None:
        assert stream.location is not None  # looked at above
        return stream.location, None
    try:
        shape = shapely.geometry.shape(found)
        west, south, east, north = shape.bounds
        middle = shape.centroid
        lon, lat = float(middle.x), float(middle.y)
    except (shapely.errors.ShapelyError, ValueError, TypeError, KeyError, AttributeError, IndexError):
        raise UnprocessableError("the place of the observation is no GeoJSON geometry") from None
    if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        raise UnprocessableError("the place of the observation is outside the world: lon, lat in degrees")
    if shape.geom_type == "Point":
        return (lon, lat), None
    half = math.hypot((east - west) * math.cos(math.radians(lat)), north - south) / 2
    return (lon, lat), math.radians(half) * 6_371_000.0 / 2  # two sigmas reach the edge
