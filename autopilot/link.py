"""One link to any number of vehicles, over one socket or port, or over several at once."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Collection
from types import TracebackType
from typing import Any, Self

from pymavlink.dialects.v20 import ardupilotmega as mav

from autopilot.channel import Channel
from autopilot.errors import LinkError
from autopilot.link_account import LinkEvent, LinkStatistics, unheard
from autopilot.link_choice import Choice
from autopilot.mailbox import Mailbox
from autopilot.prompt import Prompt
from autopilot.px4_events import event_in
from autopilot.repeats import Copies
from autopilot.wire import Message, Recorder, is_unknown
from autopilot.wire_decode import unread

__all__ = ["Link"]

_FRESH_S = 5.0  # of a heartbeat that comes once a second
_NO_AUTOPILOT = mav.MAV_AUTOPILOT_INVALID
_MOST_EVENTS = 1000
_OWN_BEATS: deque[bytes] = deque(maxlen=1024)
"""Heartbeats of this program over any of its links: vehicles and routers hand them on, and they come back."""

Listener = Callable[[Message], None]


class Link:
    """One or more channels, the vehicles heard on them, and who listens to them. Made by `open_link`.

    An async context manager. A connection or a port that ends is opened again, and the link stays what it is: who
    waits, waits on for as long as it would in a silence.

    With several channels each vehicle is spoken to over one that it is heard on. When that is silent for `failover_s`,
    and another brings the vehicle, the other takes its place. One that is silent on all is spoken to over all.

    Parameters
    ----------
    url
        What it is opened with.
    system_id, component_id
        Our own identity.
    recorder
        Writes all packets, or None.
    failover_s
        Wall seconds.

    Attributes
    ----------
    url
        What it was opened with.
    system_id, component_id
        Our own identity on the wire.
    channels
        Its sockets and ports.
    vehicles
        System id to the last HEARTBEAT of its autopilot.
    events
        What became of the channels, the last thousand, oldest first.
    has_twin
        Whether another program was heard that speaks with our system id.
    """

    def __init__(
        self, url: str, system_id: int, component_id: int, recorder: Recorder | None, *, failover_s: float = 2.5
    ) -> None:
        self.url = url
        self.system_id = system_id
        self.component_id = component_id
        self.channels: list[Channel] = []
        self.vehicles: dict[int, Message] = {}
        self.events: list[LinkEvent] = []
        self.has_twin = False
        self._recorder = recorder
        self._choice = Choice(self.channels, failover_s)
        self._copies = Copies()
        self._repeated: dict[int, int] = {}
        self._beats: dict[int, float] = {}
        self._listeners: dict[int | None, list[tuple[frozenset[str] | None, Listener]]] = {}
        self._audiences: dict[tuple[int, str], tuple[Listener, ...]] = {}
        self._witnesses: list[Callable[[LinkEvent], None]] = []
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
        """Close the channels and the recording; whoever waits on the link gets a LinkError."""
        if self._closed:
            return
        self._closed = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for channel in self.channels:
            await channel.close()
        await asyncio.sleep(0)  # lets the transports close their sockets
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
        """Whether the link is open; a channel that was lost is opened again."""
        return not self._closed

    def check(self) -> None:
        """Raise LinkError where the link is closed, or was lost for good."""
        if self._closed:
            raise LinkError(f"{self.url}: {self._trouble or 'the link is closed'}: open it again")

    @property
    def trouble(self) -> str | None:
        """What is wrong with its channels, in words; None where nothing is known to be."""
        told = [
            channel.trouble if len(self.channels) == 1 else f"{channel.url}: {channel.trouble}"
            for channel in self.channels
            if channel.trouble
        ]
        return self._trouble or "; ".join(told) or None

    def send(self, message: Message, sysid: int | None = None, *, everywhere: bool = False) -> list[bytes]:
        """Send a message to where vehicle `sysid` was last heard, or to everybody on the link.

        What is sent while the channel is down is lost, as it is on any radio.

        Parameters
        ----------
        message, sysid
            What, and to whom; None for everybody.
        everywhere
            Over every channel: what was not answered over one may be over another.

        Returns its packet on each channel.

        Raises
        ------
        LinkError
            When the link is closed, or was lost for good.
        """
        if self._closed:
            self.check()
        over = self.channels
        if sysid is not None and not everywhere and len(over) > 1:
            over = self._choice.ways(sysid, asyncio.get_running_loop().time())
        packets = [channel.send(message, sysid) for channel in over]
        packet = packets[0]
        if self._recorder is not None:
            self._recorder.write(packet)
        if self._logs:
            self._log(sysid, packet)
        return packets

    def beat(self, heartbeat: Message) -> None:
        """Send everybody a heartbeat of ours, and know it where it comes back. Raises as `send` does."""
        _OWN_BEATS.extend(self.send(heartbeat))

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
        self._audiences.clear()

        def stop() -> None:
            if entry in entries:
                entries.remove(entry)
                self._audiences.clear()

        return stop

    def foresee(self, prompt: Prompt) -> Callable[[], None]:
        """Have what a conversation foresees answered before anything else is done; returns what ends that.

        On a signed link, and on several channels, where it is to be seen first who is believed, nothing is answered so.
        """
        return self.channels[0].foresee(prompt) if len(self.channels) == 1 else lambda: None

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
        raise LinkError(f"{self.url}: {unheard(sysid, self.channels, self.trouble, timeout_s)}")

    def rivals(self, sysid: int) -> tuple[str, ...]:
        """Addresses that speak with the system id of vehicle `sysid` beside it, in words; they are not believed.

        A socket that many send to tells them apart by their addresses; two channels, by what they say they are.
        """
        strangers = self._choice.strangers(sysid, asyncio.get_running_loop().time())
        return tuple(_address(route) for one in self.channels for route in one.routes.rivals(sysid)) + strangers

    def moves(self, sysid: int) -> int:
        """How often vehicle `sysid` came to be heard from another address, after 10 s of silence from its own."""
        return sum(channel.routes.moves(sysid) for channel in self.channels)

    def check_alone(self, sysid: int) -> None:
        """Raise LinkError where another speaks with the system id of vehicle `sysid`."""
        rivals = self.rivals(sysid)
        if rivals:
            raise LinkError(
                f"{self.url}: system id {sysid} is used by {self._home(sysid)} and by "
                f"{', '.join(rivals)}: give each vehicle a system id of its own"
            )

    def _home(self, sysid: int) -> str:
        best = self._choice.of(sysid)
        route = best.routes.of(sysid, None)
        return best.url if route is None else _address(route)

    def statistics(self, sysid: int) -> LinkStatistics:
        """Packet counts of vehicle `sysid` so far."""
        counters = [
            counter for channel in self.channels for (system, _), counter in channel.counters.items() if system == sysid
        ]
        repeated = self._repeated.get(sysid, 0)
        return LinkStatistics(
            sum(c.received for c in counters) - repeated,
            sum(c.lost for c in counters),
            sum(c.late for c in counters),
            repeated,
        )

    def transfer_lock(self, sysid: int) -> asyncio.Lock:
        """The lock that keeps two list transfers with one vehicle apart."""
        return self._locks.setdefault(sysid, asyncio.Lock())

    def on_event(self, witness: Callable[[LinkEvent], None]) -> Callable[[], None]:
        """Call `witness` when a channel is lost or open again; returns what ends that."""
        self._witnesses.append(witness)
        return lambda: self._witnesses.remove(witness)

    def on_change(self, sysid: int, changed: Callable[[], None]) -> Callable[[], None]:
        """Call `changed` when vehicle `sysid` is heard over another channel, or over one that was opened again.

        What it was asked to send is asked for once more then: it may know us there only by our heartbeat.

        Returns
        -------
        Callable
            Ends it.
        """
        return self._choice.on_change(sysid, changed)

    # What the channels tell: `autopilot.channel.Above`.

    def took(self, channel: Channel, system: int, message: Message, packet: bytes, *, is_old: bool = False) -> None:
        """A message of a system came over a channel: hand it to whoever listens, where none overtook it."""
        now = asyncio.get_running_loop().time()
        self._choice.heard(system, channel, now)
        if len(self.channels) > 1 and self._copies.is_copy(channel, packet, now):
            self._repeated[system] = self._repeated.get(system, 0) + 1
        else:
            if self._recorder is not None:
                self._recorder.write(packet)
            if self._logs:
                self._log(system, packet)
        if is_unknown(message):
            message = event_in(packet)
            if message is None:
                return
        if system == self.system_id and message.get_type() == "HEARTBEAT" and packet not in _OWN_BEATS:
            self.has_twin = True
        if not is_old and self._choice.believes(system, channel, message, self.vehicles.get(system), now):
            self._dispatch(system, message.get_type(), message, now)

    def answered(self, channel: Channel, system: int, packet: bytes, answer: bytes, prompt: Prompt) -> None:
        """A request of a system came that was foreseen, and its answer has gone: write both down, and tell of it."""
        now = asyncio.get_running_loop().time()
        self._choice.heard(system, channel, now)
        if self._recorder is not None:
            self._recorder.write(packet)
            self._recorder.write(answer)
        if self._logs:
            self._log(system, packet)
            self._log(system, answer)
        others = [one for one in self._audience(system, prompt.kind) if one is not prompt.listener]
        if others:
            message = unread(packet)
            for listener in others:
                listener(message)

    def _dispatch(self, system: int, kind: str, message: Message, now: float) -> None:
        if kind == "HEARTBEAT" and message.autopilot != _NO_AUTOPILOT:
            self.vehicles[system] = message
            self._beats[system] = now
        for listener in self._audience(system, kind):
            listener(message)

    def _audience(self, system: int, kind: str) -> tuple[Listener, ...]:
        """Who listens to messages of a system and a kind: found once, until somebody comes or goes."""
        found = self._audiences.get((system, kind))
        if found is None:
            entries = (entry for key in (system, None) for entry in self._listeners.get(key, ()))
            found = tuple(listener for types, listener in entries if types is None or kind in types)
            self._audiences[system, kind] = found
        return found

    def told(self, channel: Channel, text: str) -> None:
        """A channel was lost, or is open again."""
        event = LinkEvent(time.time_ns() // 1000, channel.url, channel.up, text)
        self.events.append(event)
        del self.events[:-_MOST_EVENTS]
        for witness in tuple(self._witnesses):
            witness(event)

    def ended(self, what: str) -> None:
        """The only channel is gone for good."""
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
