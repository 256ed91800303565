"""Vehicles that stand by: which are heard on the links of a ground station, which could be flown now, and why not.

They are asked for their telemetry and ordered nothing. They hear our heartbeat: who flies them is their ground station
before too, and a vehicle that has heard one once does not arm without it where it acts on its loss.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from autopilot.errors import AutopilotError, LinkError
from autopilot.limits import FlightLimits
from autopilot.link import Link
from autopilot.link_open import check_urls, open_link
from autopilot.signing import Signing
from autopilot.timing import Timing
from autopilot.vehicle import Vehicle
from missions import Dialect

__all__ = ["Readiness", "Standby", "readiness", "standing_by"]

_SILENT_S = 5.0  # a heartbeat comes every second
_OLD_S = 5.0
_LOOK_S = 0.25
_AGAIN_S = 2.0
_SAID_US = 60_000_000  # ArduPilot says every half minute what keeps it from arming
_WARNING = 4  # MAV_SEVERITY


@dataclass(frozen=True, slots=True)
class Readiness:
    """How a vehicle stands.

    Parameters
    ----------
    sysid, url
        Who, and the link on which it is heard.
    autopilot
        Name of its dialect; None where it is none that is known.
    heard
        Whether it is heard now.
    why_not
        What is in the way of a take-off, in words; empty where it is ready.
    battery_percent, lat_deg, lon_deg
        As it says them; None where it does not, or not surely.
    """

    sysid: int
    url: str
    autopilot: str | None
    heard: bool
    why_not: tuple[str, ...]
    battery_percent: float | None = None
    lat_deg: float | None = None
    lon_deg: float | None = None

    @property
    def ready(self) -> bool:
        """Whether it could take off now, as far as it says."""
        return self.heard and not self.why_not


def readiness(vehicle: Vehicle, dialect: Dialect, limits: FlightLimits) -> Readiness:
    """How a vehicle stands now.

    Parameters
    ----------
    vehicle
        Connected, with its telemetry.
    dialect, limits
        The autopilot that its missions are compiled for, and what it is flown within.
    """
    now, heard = vehicle.telemetry, vehicle.silent_s <= _SILENT_S
    located = not now.not_located()
    return Readiness(
        vehicle.sysid,
        vehicle.link.url,
        vehicle.dialect.name,
        heard,
        tuple(_in_the_way(vehicle, dialect, limits)) if heard else (f"not heard for {vehicle.silent_s:.0f} s",),
        now.battery_percent,
        now.lat_deg if located else None,
        now.lon_deg if located else None,
    )


def _in_the_way(vehicle: Vehicle, dialect: Dialect, limits: FlightLimits) -> Iterator[str]:
    now = vehicle.telemetry
    if vehicle.dialect.name != dialect:
        yield f"flies {vehicle.dialect.name}, and this ground station flies {dialect}"
    for rival in vehicle.link.rivals(vehicle.sysid):
        yield f"{rival} speaks with its system id: give each vehicle one of its own"
    if now.armed is not False:
        yield "is armed"
    yield from now.not_ready()
    if now.prearm_good is False:
        yield from _said(vehicle)
    if vehicle.position_age_s > _OLD_S and now.lat_deg is not None:
        yield f"no new position for {vehicle.position_age_s:.0f} s"
    if now.battery_percent is not None and now.battery_percent < limits.battery_percent:
        yield f"battery at {now.battery_percent:g} %, {limits.battery_percent:g} % is needed"


def _said(vehicle: Vehicle) -> Iterator[str]:
    """What it warned of in the last minute, each once."""
    since_us = time.time_ns() // 1000 - _SAID_US
    recent = (said.text for said in vehicle.texts[-20:] if said.time_us >= since_us and said.severity <= _WARNING)
    for text in dict.fromkeys(recent):
        yield f"it says: {text}"


class Standby:
    """Every vehicle that is heard on some links. Made by `standing_by`.

    Attributes
    ----------
    troubles
        What is wrong with each link, in words, by its URL; None where nothing is known to be.
    """

    def __init__(
        self,
        opened: Callable[[str], Awaitable[Link]],
        timing: Timing,
        look: Callable[[Vehicle], Readiness],
        met: Callable[[Vehicle], None] | None,
    ) -> None:
        self._opened, self._timing, self._look, self._met = opened, timing, look, met
        self._vehicles: dict[tuple[int, str], Vehicle] = {}
        self._unmet: dict[tuple[int, str], Readiness] = {}
        self.troubles: dict[str, str | None] = {}

    def readiness(self) -> tuple[Readiness, ...]:
        """How each vehicle that was heard so far stands now, in order of system ids."""
        found: dict[int, Readiness] = {}
        for one in (*self._unmet.values(), *map(self._look, self._vehicles.values())):
            other = found.get(one.sysid)
            found[one.sysid] = one if other is None else _either(one, other)
        return tuple(found[sysid] for sysid in sorted(found))

    async def hold(self, url: str) -> None:
        """Listen on a link for ever; one that does not open is tried again."""
        while True:
            try:
                link = await self._opened(url)
            except AutopilotError as error:
                self.troubles[url] = str(error)
            else:
                async with link:
                    await self._listen(link)
            await asyncio.sleep(_AGAIN_S)

    async def _listen(self, link: Link) -> None:
        known: dict[int, asyncio.Task[None]] = {}
        async with asyncio.TaskGroup() as group:
            while link.alive:
                self.troubles[link.url] = link.trouble
                for sysid in link.vehicles.keys() - known.keys():
                    known[sysid] = group.create_task(self._attend(link, sysid))
                await asyncio.sleep(_LOOK_S)
            for task in known.values():
                task.cancel()
        self.troubles[link.url] = link.trouble

    async def _attend(self, link: Link, sysid: int) -> None:
        """Watch a vehicle for ever; a fault with one must not end the watch over the others."""
        while True:
            try:
                async with await Vehicle.connect(link, sysid, timing=self._timing) as vehicle:
                    await self._watch(vehicle)
            except AutopilotError as error:
                heard, why = not isinstance(error, LinkError), str(error)
            except Exception as error:  # noqa: BLE001  whatever it is
                heard, why = True, f"not watched for a fault in this program, {error!r}: report it"
            self._unmet[sysid, link.url] = Readiness(sysid, link.url, None, heard, (why,))
            await asyncio.sleep(_AGAIN_S)

    async def _watch(self, vehicle: Vehicle) -> None:
        key = vehicle.sysid, vehicle.link.url
        self._unmet.pop(key, None)
        self._vehicles[key] = vehicle
        try:
            if self._met is not None:
                self._met(vehicle)
            while True:
                await asyncio.sleep(_OLD_S)
                if vehicle.position_age_s > _OLD_S:
                    vehicle.ask_again()  # one that was switched off and on has forgotten what it was asked for
                if vehicle.telemetry.prearm_good is False and not any(_said(vehicle)):
                    vehicle.ask_why()  # PX4 tells only what has changed
        finally:
            del self._vehicles[key]


def _either(one: Readiness, other: Readiness) -> Readiness:
    """Of one vehicle on two links that on which it is heard; it is not flown while it is heard on both."""
    if one.heard and other.heard:
        both = f"is heard on {other.url} and on {one.url}: give both as one link, with a comma between"
        return replace(one, why_not=(*one.why_not, both))
    return other if other.heard else one


@asynccontextmanager
async def standing_by(
    urls: Sequence[str],
    *,
    dialect: Dialect = "ardupilot",
    limits: FlightLimits | None = None,
    time_scale: float = 1.0,
    system_id: int = 255,
    signing: Signing | None = None,
    met: Callable[[Vehicle], None] | None = None,
) -> AsyncIterator[Standby]:
    """Listen to the vehicles of some links while the context lasts; at its end the links are closed.

    Parameters
    ----------
    urls
        Links, each to any number of vehicles; one that cannot be opened now is tried again.
    dialect, limits
        The autopilot that missions are compiled for, and what is flown within.
    time_scale, system_id, signing
        As for `fly_patrol`.
    met
        Handed each vehicle once it is connected.

    Raises
    ------
    LinkError
        When the URL of a link is not understood, or two links would share a socket or a port.
    """
    check_urls(urls)
    limits = limits or FlightLimits()

    async def opened(url: str) -> Link:
        return await open_link(url, system_id=system_id, heartbeat=True, time_scale=time_scale, signing=signing)

    standby = Standby(opened, Timing(time_scale=time_scale), lambda one: readiness(one, dialect, limits), met)
    holding = {asyncio.create_task(standby.hold(url)) for url in dict.fromkeys(urls)}
    try:
        yield standby
    finally:
        for task in holding:
            task.cancel()
        await asyncio.wait(holding)
