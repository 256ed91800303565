"""Live states as they come in."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from api.records.cameras import Camera, Footprint
from api.records.schemas import Motion
from api.times import iso, microseconds
from api.wire import Label, Lat, Lon, Moment, Wire

__all__ = ["MEMBERS", "StateIn", "StatesIn"]


class StateIn(Motion):
    """Where one vehicle is at `update_time`, and how it fares. `source` and `source_id` are those of its record.

    It is whole by itself: what is left out is not known, whatever the state before it said.
    """

    source: Label
    source_id: Label
    update_time: Moment
    state: Label
    lat: Lat
    lon: Lon
    camera: Camera | None = None
    footprint: Footprint | None = None

    def document(self) -> dict[str, Any]:
        """What is kept, as JSON values: the members of a vehicle's record that are live, and `time`."""
        found = self.model_dump(mode="json", include=set(MEMBERS))
        return found | {"time": iso(microseconds(self.update_time))}


MEMBERS = tuple(name for name in StateIn.model_fields if name not in {"source", "source_id", "update_time"})
"""Members of a vehicle's record whose place a live state takes."""


class StatesIn(Wire):
    """States of many vehicles in one call, in any order."""

    states: list[StateIn] = Field(min_length=1, max_length=1000)
