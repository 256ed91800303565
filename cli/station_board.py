"""What a ground station tells a service of itself: which vehicles it hears, whether they are ready, what it flies."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import api
import autopilot
import missions

__all__ = ["Board"]

_LOOK_S = 1.0
_MOST_REASONS, _MOST_VEHICLES = 20, 250


class Board:
    """How the vehicles of a ground station stand; written by its loop, read by the thread that tells the service.

    Parameters
    ----------
    dialect, limits
        What is flown, and within what.
    """

    def __init__(self, dialect: missions.Dialect, limits: autopilot.FlightLimits) -> None:
        self._dialect, self._limits = dialect, limits
        self._busy: str | None = None
        self._readings: Mapping[int, autopilot.Readiness] = {}
        self._names: Mapping[int, str] = {}
        self._following: set[asyncio.Task[None]] = set()

    def name(self, plan: missions.PatrolPlan | None) -> None:
        """Call vehicles by the names of a plan; None for none."""
        self._names = {} if plan is None else {vehicle.sysid: vehicle.name for vehicle in plan.fleet.vehicles}

    def stand_by(self, readings: Iterable[autopilot.Readiness]) -> list[autopilot.Readiness]:
        """The station flies nothing, and its vehicles stand so; those that were not ready before, or are no more."""
        before, self._busy = self._readings, None
        self._readings = {one.sysid: one for one in readings}
        return [
            one
            for sysid, one in self._readings.items()
            if sysid not in before or before[sysid].ready != one.ready or before[sysid].heard != one.heard
        ]

    def fly(self, words: str, plan: missions.PatrolPlan) -> None:
        """The station flies a plan: `words` say so. Those that are not of its fleet are not listened to meanwhile."""
        self.name(plan)
        self._busy, sysids = words, self._names.keys()
        # How they stood when the links were closed says nothing of now.
        other, own = "not listened to while this ground station flies others", "not connected again yet"
        self._readings = {
            sysid: replace(one, heard=False, why_not=(own if sysid in sysids else other,))
            for sysid, one in self._readings.items()
        }

    def follow(self, vehicle: autopilot.Vehicle) -> None:
        """Go on telling how a vehicle stands, for as long as the loop runs that this is called in."""
        task = asyncio.get_running_loop().create_task(self._follow(vehicle))
        self._following.add(task)
        task.add_done_callback(self._following.discard)

    async def _follow(self, vehicle: autopilot.Vehicle) -> None:
        while True:
            now = autopilot.readiness(vehicle, self._dialect, self._limits)
            self._readings = {**self._readings, vehicle.sysid: now}
            await asyncio.sleep(_LOOK_S)

    def state(self) -> dict[str, Any]:
        """As `PUT /stations/{source}` takes it."""
        vehicles = [self._wire(one) for _, one in sorted(self._readings.items())]
        return {
            "busy": None if self._busy is None else api.plain(self._busy),
            "vehicles": vehicles[:_MOST_VEHICLES],
        }

    def _wire(self, one: autopilot.Readiness) -> dict[str, Any]:
        name = self._names.get(one.sysid)
        return {
            "sysid": one.sysid,
            "name": None if name is None else api.plain(name)[:200] or None,
            "autopilot": one.autopilot,
            "heard": one.heard,
            "ready": one.ready,
            "why_not": [api.plain(words) for words in one.why_not[:_MOST_REASONS]],
            "battery_left": _share(one.battery_percent),
            "lat": one.lat_deg,
            "lon": one.lon_deg,
        }


def _share(percent: float | None) -> float | None:
    """None for what is no share of a battery: one vehicle that says it so would silence the whole station."""
    return percent / 100 if percent is not None and 0 <= percent <= 100 else None
