"""Ground stations as they tell of themselves, launches as they come in, and what a station tells of one."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from api.orders.schemas import Outcome
from api.wire import Id, Label, Lat, Lon, Text, Wire

__all__ = ["MOST_VEHICLES", "LaunchIn", "LaunchOutcomeIn", "StationIn", "StationVehicleIn"]

MOST_VEHICLES = 250
"""System ids that vehicles may have, MAVLink's 255 without those of ground stations."""


class StationVehicleIn(Wire):
    """A vehicle as its ground station hears it.

    `ready` says that it could take off now, `why_not` what is in its way. `battery_left` is a share, `lat` and `lon`
    WGS 84; null is not known.
    """

    sysid: int = Field(ge=1, le=255)
    name: Label | None = None
    autopilot: Literal["ardupilot", "px4"] | None = None
    heard: bool
    ready: bool
    why_not: list[Text] = Field(default_factory=list, max_length=20)
    battery_left: float | None = Field(default=None, ge=0, le=1)
    lat: Lat | None = None
    lon: Lon | None = None


class StationIn(Wire):
    """What a ground station tells of itself.

    `run` is a random id of the running station: who takes a launch is the one to tell of it. `busy` says in words what
    it flies now, null that it stands by.
    """

    run: Id
    busy: Text | None = None
    vehicles: list[StationVehicleIn] = Field(max_length=MOST_VEHICLES)

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        known = [each.sysid for each in self.vehicles]
        twice = sorted({sysid for sysid in known if known.count(sysid) > 1})
        if twice:
            raise ValueError(f"vehicle {twice[0]} is there twice: give each vehicle a system id of its own")
        return self


class LaunchIn(Wire):
    """A pilot's order that a ground station flies the plan of a planning.

    `client_id` is the caller's own name for the launch: the same given again under it is given once. `checklist` has
    the keys of the items that a person has ticked, all of them; `confirmed` says that the person was asked and meant
    it. `hours` is the length of the shift, null that of the plan. A launch that no station has taken within `expires_s`
    is not flown any more.
    """

    client_id: Label
    station: Label
    planning_id: Id
    checklist: Annotated[list[Label], Field(max_length=100)]
    hours: float | None = Field(default=None, gt=0, le=24)
    confirmed: bool = False
    expires_s: float = Field(default=60.0, ge=1, le=300)
    reason: Text | None = None

    @model_validator(mode="after")
    def _meant(self) -> Self:
        if not self.confirmed:
            raise ValueError("a launch makes vehicles take off: ask the pilot, and say confirmed: true")
        return self


class LaunchOutcomeIn(Outcome):
    """What a ground station tells of a launch: that it takes it, then what came of it.

    `run` is that of the running station. That a launch failed may also be told by a later run of the station, which
    finds that it was broken off.
    """

    run: Id
