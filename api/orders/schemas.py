"""Orders as they come in, and what a ground station tells of them."""

from __future__ import annotations

from typing import Literal, Self, get_args

from pydantic import Field, model_validator

from api.wire import Id, Label, Lat, Lon, Metres, Text, Wire

__all__ = ["KINDS", "OrderIn", "OrderKind", "Outcome", "OutcomeIn", "PlaceIn", "VehicleName"]

OrderKind = Literal["pause", "resume", "return", "land", "dispatch"]
KINDS: tuple[OrderKind, ...] = get_args(OrderKind)
_OFF_ITS_PLAN = frozenset({"dispatch", "land"})
"""Kinds after which a vehicle is where its plan never was: a person says that this is meant."""


class VehicleName(Wire):
    """A vehicle by the names of its record."""

    source: Label
    source_id: Label


class PlaceIn(Wire):
    """A place on the ground, WGS 84; `uncertainty_m` is one standard deviation of a coordinate."""

    lat: Lat
    lon: Lon
    uncertainty_m: Metres = 0.0


class OrderIn(Wire):
    """What a pilot tells one vehicle to do.

    `client_id` is the caller's own name for the order: the same order given again under it is given once. An order that
    no ground station has taken within `expires_s` is not carried out any more. `cue_id` or `place`, and `station_s`
    (seconds to stay where the place is seen from), are of a dispatch alone. `confirmed` says that a person was asked
    and meant it: a dispatch and a landing are not given without.
    """

    client_id: Label
    vehicle: VehicleName
    kind: OrderKind
    confirmed: bool = False
    cue_id: Id | None = None
    place: PlaceIn | None = None
    station_s: float | None = Field(default=None, ge=1, le=3600)
    expires_s: float = Field(default=30.0, ge=1, le=300)
    reason: Text | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.kind in _OFF_ITS_PLAN and not self.confirmed:
            raise ValueError(f"a {self.kind} takes the vehicle off its plan: ask the pilot, and say confirmed: true")
        where = (self.cue_id is not None) + (self.place is not None)
        if self.kind == "dispatch" and where != 1:
            raise ValueError("a dispatch goes to a cue or to a place: give one of cue_id and place")
        if self.kind != "dispatch" and (where or self.station_s is not None):
            raise ValueError(f"cue_id, place and station_s are of a dispatch: a {self.kind} has none of them")
        return self


class Outcome(Wire):
    """What became of an order, as a ground station tells it.

    `words` say why it is refused or failed, as the vehicle, its fence or its patrol says it.
    """

    state: Literal["taken", "accepted", "refused", "done", "failed"]
    words: Text | None = None

    @model_validator(mode="after")
    def _said_why(self) -> Self:
        if self.state in {"refused", "failed"} and self.words is None:
            raise ValueError(f"what is {self.state} says why: give words")
        return self


class OutcomeIn(Outcome):
    """What a ground station tells of an order: that it takes it, then what came of it.

    `station` is a random id of the running ground station: who took an order is the one to tell of it. That an order
    failed may also be told by a later run of the station, which finds that it was broken off.
    """

    station: Id
