"""What every flight needs on the ground: its links, a display that does no harm, vehicles that are heard."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import AsyncExitStack

from autopilot.errors import AutopilotError, FlightError, LinkError
from autopilot.limits import FlightProgress
from autopilot.link import Link
from autopilot.link_open import check_urls, open_link
from autopilot.signing import Signing
from autopilot.sortie import Flight
from autopilot.steadfast import unless
from autopilot.terrain_answers import TerrainAnswers
from autopilot.timing import Timing
from autopilot.vehicle import Vehicle
from geo import Terrain

__all__ = ["Display", "all_heard", "connected", "now_us", "open_links"]


async def open_links(
    urls: Iterable[str],
    stack: AsyncExitStack,
    *,
    system_id: int,
    heartbeat: bool,
    time_scale: float,
    signing: Signing | None,
    terrain: Terrain | None = None,
    told: Callable[[str], None] = lambda _: None,
) -> dict[str, Link | AutopilotError]:
    """Each link once, for as long as `stack` lasts; the error of one that does not open.

    Vehicles that ask for heights of the ground get them from `terrain`; what it lacks is told.

    Raises LinkError where a URL is not understood, or two links would share a socket or a port.
    """
    links: dict[str, Link | AutopilotError] = {}
    each = dict.fromkeys(urls)
    check_urls(each)
    for url in each:
        try:
            link = await open_link(
                url, system_id=system_id, heartbeat=heartbeat, time_scale=time_scale, signing=signing
            )
        except AutopilotError as error:
            links[url] = error
        else:
            links[url] = await stack.enter_async_context(link)
            if terrain is not None:
                stack.callback(TerrainAnswers(link, terrain, Timing(time_scale=time_scale), told).close)
    return links


async def all_heard(links: Mapping[int, Link | AutopilotError], flight: Flight) -> None:
    """Wait until every vehicle was heard, by system id; no longer than its connection may take, nor after a stop.

    Who is not heard by then, or whose link did not open, is missed when its flight is due.
    """

    async def heard(sysid: int, link: Link) -> None:
        with contextlib.suppress(LinkError):
            await unless(flight.stop, link.wait_vehicle(sysid, timeout_s=flight.limits.connect_s))

    async with asyncio.TaskGroup() as group:
        for sysid, link in links.items():
            if isinstance(link, Link):
                group.create_task(heard(sysid, link))


async def connected(link: Link, sysid: int, flight: Flight) -> Vehicle:
    """A vehicle of a link, once it is heard. Raises FlightError when the flight is stopped first, else as `connect`."""
    connecting = Vehicle.connect(link, sysid, timing=flight.timing, wait_s=flight.limits.connect_s)
    vehicle = await unless(flight.stop, connecting)
    if vehicle is None:
        raise FlightError(f"vehicle {sysid} on {link.url}: the flight was stopped before it was heard")
    if flight.met is not None:
        try:
            flight.met(vehicle)
        except Exception as error:  # noqa: BLE001  whatever the caller does there
            flight.notes.append(f"vehicle {sysid} flies unwatched by who wanted to watch: {error!r}")
    return vehicle


class Display:
    """Tells the caller of progress, and never lets the caller's trouble come back into a flight."""

    def __init__(self, progress: Callable[[FlightProgress], None] | None) -> None:
        self._progress = progress
        self.failure: str | None = None

    def show(self, now: FlightProgress) -> None:
        """Show where a vehicle is; nothing once that has failed."""
        if self._progress is None:
            return
        try:
            self._progress(now)
        except Exception as error:  # noqa: BLE001  whatever the caller does there
            self._progress = None
            self.failure = f"progress was shown no further: {error!r}"


def now_us() -> int:
    """UTC microseconds since the Unix epoch."""
    return time.time_ns() // 1000
