"""Our `Vehicle` on a connection that DroneKit has open, for people who have DroneKit code.

DroneKit says that a mission was uploaded when the vehicle has refused it, and waits for ever on a vehicle that asks
with MISSION_REQUEST_INT. Over the same connection this sends and proves lists by our own transfer. It needs the
distribution ``dronekit2``, the one whose ``dronekit`` imports on today's Python (``pip install vedette[dronekit]``).
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Any, Self, TypeVar

from pymavlink.dialects.v20 import ardupilotmega as mav

from autopilot.channel import Channel
from autopilot.errors import LinkError
from autopilot.link import Link
from autopilot.timing import Timing
from autopilot.transfer import Verified
from autopilot.vehicle import Vehicle
from autopilot.wire import Codec
from missions import Mission

__all__ = ["DroneKitVehicle", "over_dronekit"]

_LOOK_WALL_S = 0.25
_ONLY_ROUTE = "dronekit"
_CLOSE_WALL_S = 10.0

Result = TypeVar("Result")


@contextlib.asynccontextmanager
async def over_dronekit(
    drone: Any, *, timing: Timing | None = None, streams: bool = True, wait_s: float | None = None
) -> AsyncIterator[Vehicle]:
    """A `Vehicle` over the connection of a connected ``dronekit.Vehicle``, in an event loop.

    We speak with DroneKit's system id and a component id of our own, so that the sequence numbers of each are whole.
    DroneKit goes on sending the heartbeat of a ground station; its ``commands`` know nothing of what is uploaded here.

    Parameters
    ----------
    drone
        What ``dronekit.connect`` gave.
    timing, streams, wait_s
        As for `Vehicle.connect`; without `streams` the vehicle sends what DroneKit asked for.

    Raises
    ------
    LinkError
        When DroneKit's connection is closed or silent; later, when it ends.
    AutopilotError
        As `Vehicle.connect` does.
    """
    handler = drone._handler  # noqa: SLF001  DroneKit has no public way to its connection
    master = handler.master
    url = f"dronekit:{getattr(master, 'address', 'connection')}"
    if not _is_alive(handler):
        raise LinkError(f"{url}: DroneKit's connection is closed: connect it again")
    system_id, component_id = int(master.source_system), mav.MAV_COMP_ID_MISSIONPLANNER
    link = Link(url, system_id, component_id, None)
    channel = Channel(url, Codec(system_id, component_id), link)
    link.channels.append(channel)
    loop = asyncio.get_running_loop()

    def heard(_: Any, name: str, message: Any) -> None:
        """In DroneKit's thread; its parser and ours need not have the same messages, so bytes are handed over."""
        if name != "BAD_DATA":
            with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
                loop.call_soon_threadsafe(_take, link, channel, bytes(message.get_msgbuf()))

    def watch() -> bool:
        if _is_alive(handler):
            return True
        channel.lost("DroneKit's connection has ended")
        return False

    # DroneKit's own thread writes what is in its queue, which it may replace.
    channel.started(lambda packet, _: handler.out_queue.put(packet), lambda: None, _ONLY_ROUTE)
    drone.add_message_listener("*", heard)
    try:
        async with link:
            link.every(_LOOK_WALL_S, watch)
            sysid = int(handler.target_system) or None
            async with await Vehicle.connect(link, sysid, timing=timing, streams=streams, wait_s=wait_s) as vehicle:
                yield vehicle
    finally:
        drone.remove_message_listener("*", heard)


def _take(link: Link, channel: Channel, packet: bytes) -> None:
    if link.alive:
        channel.received(packet, None, datagram=True)


def _is_alive(handler: Any) -> bool:
    return bool(handler._alive)  # noqa: SLF001  it has no public word for it


class DroneKitVehicle:
    """`over_dronekit` for programs without an event loop, as DroneKit's are; a context manager.

    Parameters
    ----------
    drone, timing, streams, wait_s
        As for `over_dronekit`.

    Raises
    ------
    AutopilotError
        As `over_dronekit` does, when the context is entered.

    Examples
    --------
    ::

        drone = dronekit.connect("udpin:0.0.0.0:14550")
        with DroneKitVehicle(drone) as vehicle:
            vehicle.upload(mission)                       # proved by read-back, or an error that says why
            vehicle.do(lambda ours: ours.wait_ready())
            vehicle.do(lambda ours: ours.start_mission())
    """

    def __init__(
        self, drone: Any, *, timing: Timing | None = None, streams: bool = True, wait_s: float | None = None
    ) -> None:
        self._open: Callable[[], AbstractAsyncContextManager[Vehicle]] = lambda: over_dronekit(
            drone, timing=timing, streams=streams, wait_s=wait_s
        )
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="vedette over dronekit", daemon=True)
        self._stack = contextlib.AsyncExitStack()
        self._vehicle: Vehicle | None = None

    def __enter__(self) -> Self:
        self._thread.start()
        try:
            self._vehicle = self._wait(self._stack.enter_async_context(self._open()))
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._wait(self._stack.aclose())
        finally:
            self._end()

    def _end(self) -> None:
        self._vehicle = None
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_CLOSE_WALL_S)
        self._loop.close()

    def _wait(self, what: Awaitable[Result]) -> Result:
        async def done() -> Result:
            return await what

        future = asyncio.run_coroutine_threadsafe(done(), self._loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()  # as by Ctrl-C: an upload that is broken off is repaired
            raise

    @property
    def vehicle(self) -> Vehicle:
        """The vehicle, for its telemetry; its coroutines are run by `do`. Raises LinkError outside the context."""
        if self._vehicle is None:
            raise LinkError("the DroneKit vehicle is not open: use it inside its with block")
        return self._vehicle

    def do(self, order: Callable[[Vehicle], Awaitable[Result]]) -> Result:
        """Run a coroutine of the vehicle, such as ``lambda ours: ours.arm()``, to its end; raises as it does."""
        vehicle = self.vehicle

        async def ordered() -> Result:
            return await order(vehicle)

        return self._wait(ordered())

    def upload(self, mission: Mission) -> tuple[Verified, ...]:
        """`Vehicle.upload`: acknowledged and read back, or an error that says why."""
        return self.do(lambda vehicle: vehicle.upload(mission))
