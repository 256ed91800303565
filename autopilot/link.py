"""One link to any number of vehicles, over UDP or TCP."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from pymavlink.dialects.v20 import ardupilotmega as mav

from autopilot.errors import LinkError
from autopilot.mailbox import Mailbox
from autopilot.routes import Routes
from autopilot.wire import Codec, Message, Recorder, SequenceCounter, identity, is_unknown

__all__ = ["Link", "LinkStatistics"]

_FRESH_S = 5.0  # of a heartbeat that comes once a second
_NO_AUTOPILOT = mav.MAV_AUTOPILOT_INVALID

Listener = Callable[[Message], None]


@dataclass(frozen=True, slots=True)
class LinkStatistics:
    """Packets of one vehicle, all its components together.

    Parameters
    ----------
    received, lost, late
        Packets received, missing by gaps in the sequence numbers, and received out of order or twice.
    """

    received: int
    lost: int
    late: int


class Link:
    """A socket, the vehicles heard on it, and who listens to them. Made by `open_link`; an async context manager.

    Attributes
    ----------
    url
        What it was opened with.
    system_id, component_id
        Our own identity on the wire.
    vehicles
        System id to the last HEARTBEAT of its autopilot.
    """

    def __init__(self, url: str, codec: Codec, system_id: int, component_id: int, recorder: Recorder | None) -> None:
        self.url = url
        self.system_id = system_id
        self.component_id = component_id
        self.vehicles: dict[int, Message] = {}
        self._codec = codec
        self._recorder = recorder
        self._write: Callable[[bytes, Any], None] | None = None
        self._shut: Callable[[], None] = lambda: None
        self._default_route: Any = None
        self._routes = Routes()
        self._beats: dict[int, float] = {}
        self._counters: dict[tuple[int, int], SequenceCounter] = {}
        self._listeners: dict[int | None, list[tuple[frozenset[str] | None, Listener]]] = {}
        self._closers: list[Callable[[], None]] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._trouble: str | None = None
        self._closed = False
        self._locks: dict[int, asyncio.Lock] = {}
        self._logs: list[tuple[int, Recorder]] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the socket and the recording; whoever waits on the link gets a LinkError."""
        if self._closed:
            return
        self._closed = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._shut()
        await asyncio.sleep(0)  # lets the transport close its socket
        if self._recorder is not None:
            self._recorder.close()
        for closer in tuple(self._closers):
            closer()

    @property
    def log_failure(self) -> str | None:
        """Why the recording is not whole, in words; None where it is, or where there is none."""
        return None if self._recorder is None else self._recorder.failure

    @property
    def alive(self) -> bool:
        """Whether the link can carry messages."""
        return not self._closed

    def check(self) -> None:
        """Raise LinkError where the link is closed or was lost."""
        if self._closed:
            raise LinkError(f"{self.url}: {self._trouble or 'the link is closed'}: open it again")

    def send(self, message: Message, sysid: int | None = None) -> None:
        """Send a message to where vehicle `sysid` was last heard, or to everybody on the link.

        Raises
        ------
        LinkError
            When the link is closed or was lost.
        """
        self.check()
        assert self._write is not None
        packet = self._codec.encode(message)
        if self._recorder is not None:
            self._recorder.write(packet)
        self._log(sysid, packet)
        if self._default_route is not None:
            self._write(packet, self._default_route)
            return
        route = None if sysid is None else self._routes.of(sysid, getattr(message, "target_component", None))
        for each in self._routes.every() if route is None else (route,):
            self._write(packet, each)

    def listen(
        self, listener: Listener, *, sysid: int | None = None, types: Collection[str] | None = None
    ) -> Callable[[], None]:
        """Call `listener` with every message of one vehicle (None: of all) and of some types (None: of all).

        Returns
        -------
        Callable
            Ends the listening.
        """
        entry = (None if types is None else frozenset(types), listener)
        entries = self._listeners.setdefault(sysid, [])
        entries.append(entry)

        def stop() -> None:
            if entry in entries:
                entries.remove(entry)

        return stop

    def record(self, sysid: int, recorder: Recorder) -> Callable[[], None]:
        """Write what vehicle `sysid` says and is told, as well as what all are told; returns what ends that."""
        entry = sysid, recorder
        self._logs.append(entry)
        return lambda: self._logs.remove(entry)

    def _log(self, sysid: int | None, packet: bytes) -> None:
        for one, recorder in self._logs:
            if sysid in (None, one):
                recorder.write(packet)

    def on_close(self, closer: Callable[[], None]) -> Callable[[], None]:
        """Call `closer` when the link is closed or lost; returns what ends that."""
        self._closers.append(closer)
        return lambda: self._closers.remove(closer)

    def mailbox(self, sysid: int | None, types: Collection[str]) -> Mailbox:
        """A queue of the messages of one vehicle and some types, from now on; a context manager."""
        return Mailbox(self, sysid, types)

    async def wait_vehicle(self, sysid: int | None = None, *, timeout_s: float = 10.0) -> Message:
        """A HEARTBEAT of the autopilot of vehicle `sysid`, or of any vehicle, not older than 5 wall seconds.

        Raises
        ------
        LinkError
            When none comes within `timeout_s` wall seconds; the message says what was heard instead.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout_s
        with self.mailbox(sysid, ("HEARTBEAT",)) as box:
            while True:
                fresh = (
                    one for one, beat in self._beats.items() if sysid in (None, one) and loop.time() - beat < _FRESH_S
                )
                known = next(fresh, None)
                if known is not None:
                    return self.vehicles[known]
                if await box.get(deadline - loop.time()) is None:
                    break
        heard = sorted({system for system, _ in self._counters})
        who = "no vehicle" if sysid is None else f"vehicle {sysid}"
        if heard:
            what = f"only systems {', '.join(map(str, heard))} are heard: check the system id"
        elif self._codec.refused:
            what = f"{self._codec.refused} packets failed the signature check: give the vehicle's passphrase"
        elif self._codec.bad_bytes:
            what = f"{self._codec.bad_bytes} bytes came that are not MAVLink: check the port and the baud rate"
        else:
            what = f"{self._trouble or 'the link is silent'}: check the address and that the vehicle is powered"
        raise LinkError(f"{self.url}: {who} within {timeout_s:g} s; {what}")

    def rivals(self, sysid: int) -> tuple[str, ...]:
        """Addresses that speak with the system id of vehicle `sysid` beside it, in words; they are not believed.

        Only a socket that many send to tells them apart.
        """
        return tuple(_address(route) for route in self._routes.rivals(sysid))

    def moves(self, sysid: int) -> int:
        """How often vehicle `sysid` came to be heard from another address, after 10 s of silence from its own."""
        return self._routes.moves(sysid)

    def check_alone(self, sysid: int) -> None:
        """Raise LinkError where another speaks with the system id of vehicle `sysid`."""
        rivals = self.rivals(sysid)
        if rivals:
            raise LinkError(
                f"{self.url}: system id {sysid} is used by {_address(self._routes.of(sysid, None))} and by "
                f"{', '.join(rivals)}: give each vehicle a system id of its own"
            )

    def statistics(self, sysid: int) -> LinkStatistics:
        """Packet counts of vehicle `sysid` so far."""
        counters = [counter for (system, _), counter in self._counters.items() if system == sysid]
        return LinkStatistics(
            sum(c.received for c in counters), sum(c.lost for c in counters), sum(c.late for c in counters)
        )

    def transfer_lock(self, sysid: int) -> asyncio.Lock:
        """The lock that keeps two list transfers with one vehicle apart."""
        return self._locks.setdefault(sysid, asyncio.Lock())

    # What the socket tells: `autopilot.transports.Carrier`.

    def started(self, write: Callable[[bytes, Any], None], shut: Callable[[], None], route: Any) -> None:
        """The socket is open."""
        self._write, self._shut, self._default_route = write, shut, route

    def received(self, data: bytes, route: Any, *, datagram: bool) -> None:
        """Bytes came: hand their messages to whoever listens."""
        for message, packet in self._codec.feed(data, route, datagram=datagram):
            if self._recorder is not None:
                self._recorder.write(packet)
            system, component, seq = identity(packet)
            kind = message.get_type()
            # Radios speak for themselves, and unsigned on a signed link: they have no route.
            radio = kind == "RADIO_STATUS"
            if route is not None and not radio and not self._routes.takes(system, component, route):
                continue
            if self._logs:
                self._log(system, packet)
            counter = self._counters.get((system, component))
            if counter is None:
                counter = self._counters[system, component] = SequenceCounter()
            counter.add(seq)
            if not is_unknown(message):
                self._dispatch(system, kind, message)

    def _dispatch(self, system: int, kind: str, message: Message) -> None:
        if kind == "HEARTBEAT" and message.autopilot != _NO_AUTOPILOT:
            self.vehicles[system] = message
            self._beats[system] = asyncio.get_running_loop().time()
        for key in (system, None):
            listeners = self._listeners.get(key)
            if listeners:
                for types, listener in tuple(listeners):
                    if types is None or kind in types:
                        listener(message)

    def troubled(self, what: str) -> None:
        """Note an error of a datagram socket: the other end may yet come up."""
        self._trouble = what

    def lost(self, what: str) -> None:
        """The connection is gone for good."""
        if self._closed:
            return
        self._trouble = what
        self._closed = True
        for task in self._tasks:
            task.cancel()
        if self._recorder is not None:
            self._recorder.close()
        for closer in tuple(self._closers):
            closer()

    def every(self, period_s: float, send: Callable[[], bool]) -> None:
        """Call `send` every `period_s` wall seconds while it returns True."""

        async def repeat() -> None:
            while not self._closed and send():  # noqa: ASYNC110  a period, not a wait for something
                await asyncio.sleep(period_s)

        self._tasks.append(asyncio.create_task(repeat()))


def _address(route: Any) -> str:
    return f"{route[0]}:{route[1]}" if isinstance(route, tuple) else str(route)
