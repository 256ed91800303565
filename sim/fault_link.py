"""What faults do to datagrams: a fleet's sockets with a bad radio before them.

Whether a datagram is lost, late, doubled or held back is a function of the seed, the fault, the vehicle, the direction,
the peer and the number of the datagram among those of that peer and direction: the same seed takes the same datagrams,
however fast or slow the machine is. Only what a datagram overtakes while it is under way depends on the clock, which is
the wall's, or simulated time in lock-step.
"""

from __future__ import annotations

import heapq
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, Protocol

from sim.fault_station import Station
from sim.faults import Delay, Duplication, LinkCut, LinkFault, PacketLoss, Reordering

__all__ = ["FaultLinks", "Play", "Wire", "draw"]

Datagram = tuple[int, Any, bytes]


class Wire(Protocol):
    """Sockets of a fleet, as `sim.fleet_link.Links` has them."""

    def send(self, index: int, address: Any, data: bytes) -> None:
        """Send a datagram from a vehicle."""
        ...

    def poll(self, timeout_s: float) -> list[Datagram]:
        """Datagrams that have come: (vehicle, address, bytes)."""
        ...


class Play(Protocol):
    """What a vehicle's faults say of its links, as `sim.fault_play.FaultPlay` does."""

    sysid: int

    @property
    def link_faults(self) -> Sequence[tuple[int, LinkFault]]:
        """Faults that are on now, with their numbers."""
        ...

    @property
    def silent(self) -> bool:
        """Whether the autopilot neither hears nor speaks."""
        ...

    @property
    def stations(self) -> Sequence[Station]:
        """Second ground stations that are there now."""
        ...


def draw(seed: int, number: int, sysid: int, *, up: bool, peer: int, datagram: int) -> float:
    """A number in [0, 1) for one fault and one datagram, the same at every call.

    Parameters
    ----------
    seed
        Of the fleet.
    number
        Of the fault in its scenario.
    sysid, up, peer
        Vehicle, whether the datagram goes to it, and which peer of the vehicle it is, in the order of their first
        datagrams.
    datagram
        Its number among those of that peer and direction, from 0.
    """
    key = f"{seed}/{number}/{sysid}/{int(up)}/{peer}/{datagram}".encode()
    return int.from_bytes(blake2b(key, digest_size=7).digest()) / 2**56


@dataclass(slots=True)
class _Held:
    """A datagram that waits to be overtaken."""

    left: int
    until_s: float
    delay_s: float
    data: bytes


@dataclass(slots=True)
class _Fate:
    """What becomes of a datagram: how late, how often, held back or not."""

    delay_s: float = 0.0
    copies: int = 1
    back: Reordering | None = None


_LOST = _Fate(copies=0)


@dataclass(slots=True)
class _Lane:
    """One direction of one peer of one vehicle."""

    index: int
    address: Any
    peer: int
    up: bool
    count: int = 0
    held: list[_Held] = field(default_factory=list)


class FaultLinks:
    """Sockets of a fleet whose datagrams suffer the faults of a scenario.

    Parameters
    ----------
    wire
        The sockets.
    plays
        Faults of each vehicle, in the order of the vehicles; there before the first datagram is.
    seed
        Of the fleet.
    speedup
        Simulated seconds a second: times of faults are simulated ones.
    clock
        The wall clock, seconds, or simulated time with a speedup of 1.
    """

    def __init__(
        self,
        wire: Wire,
        plays: Sequence[Play],
        *,
        seed: int,
        speedup: float,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._wire = wire
        self._plays = plays
        self._seed = seed
        self._speedup = speedup
        self._clock = clock
        self._lanes: dict[tuple[int, Any, bool], _Lane] = {}
        self._peers: Counter[int] = Counter()
        self._under_way: list[tuple[float, int, _Lane, bytes]] = []
        self._sent = 0
        self._arrived: list[Datagram] = []

    def send(self, index: int, address: Any, data: bytes) -> None:
        """Send a datagram from a vehicle, or what the faults leave of it."""
        if isinstance(address, Station):
            address.hear(data)
        else:
            self._take(self._lane(index, address, up=False), data)

    def poll(self, timeout_s: float) -> list[Datagram]:
        """Datagrams that have come to vehicles; waits at most `timeout_s`, and not beyond the next one under way."""
        due_s = self._clock() + timeout_s
        if self._under_way:
            due_s = min(due_s, self._under_way[0][0])
        for lane in self._lanes.values():
            for each in lane.held:
                due_s = min(due_s, each.until_s)
        for index, address, data in self._wire.poll(max(0.0, due_s - self._clock())):
            self._take(self._lane(index, address, up=True), data)
        self._release()
        for index, play in enumerate(self._plays):
            for station in play.stations:
                self._arrived += [(index, station, data) for data in station.say()]
        arrived, self._arrived = self._arrived, []
        return arrived

    def _lane(self, index: int, address: Any, *, up: bool) -> _Lane:
        lane = self._lanes.get((index, address, up))
        if lane is None:
            peer = self._peers[index]
            self._peers[index] += 1
            for each in (True, False):
                self._lanes[index, address, each] = _Lane(index, address, peer, each)
            lane = self._lanes[index, address, up]
        return lane

    def _take(self, lane: _Lane, data: bytes) -> None:
        """Forward, hold back or drop one datagram, and let those go that it overtakes."""
        fate = self._fate(lane)
        lane.count += 1
        copies = fate.copies - (fate.back is not None)
        for _ in range(copies):
            self._forward(lane, fate.delay_s, data)
        if copies > 0:
            for each in lane.held:
                each.left -= 1
            self._let_go(lane, lambda each: each.left <= 0)
        if fate.back is not None:
            until_s = self._clock() + fate.back.hold_s / self._speedup
            lane.held.append(_Held(fate.back.by, until_s, fate.delay_s, data))

    def _fate(self, lane: _Lane) -> _Fate:
        """What becomes of the next datagram of a lane."""
        play = self._plays[lane.index]
        fate = _Fate()
        if play.silent:
            return _LOST
        for number, fault in play.link_faults:
            if not fault.happens(up=lane.up):
                continue
            share = draw(self._seed, number, play.sysid, up=lane.up, peer=lane.peer, datagram=lane.count)
            match fault:
                case LinkCut():
                    return _LOST
                case PacketLoss() if share < fault.probability:
                    return _LOST
                case Delay():
                    fate.delay_s += max(0.0, fault.delay_s + fault.jitter_s * (2.0 * share - 1.0))
                case Duplication() if share < fault.probability:
                    fate.copies += 1
                case Reordering() if share < fault.probability:
                    fate.back = fault
        return fate

    def _let_go(self, lane: _Lane, is_over: Callable[[_Held], bool]) -> None:
        over = [each for each in lane.held if is_over(each)]
        lane.held = [each for each in lane.held if not is_over(each)]
        for each in over:
            self._forward(lane, each.delay_s, each.data)

    def _forward(self, lane: _Lane, delay_s: float, data: bytes) -> None:
        if delay_s <= 0.0:
            self._deliver(lane, data)
            return
        self._sent += 1
        heapq.heappush(self._under_way, (self._clock() + delay_s / self._speedup, self._sent, lane, data))

    def _deliver(self, lane: _Lane, data: bytes) -> None:
        if lane.up:
            self._arrived.append((lane.index, lane.address, data))
        else:
            self._wire.send(lane.index, lane.address, data)

    def _release(self) -> None:
        """Let those go that have waited for long enough, and deliver those whose way is over."""
        now_s = self._clock()
        for lane in self._lanes.values():
            if lane.held:
                self._let_go(lane, lambda each: each.until_s <= now_s)
        while self._under_way and self._under_way[0][0] <= now_s:
            _, _, lane, data = heapq.heappop(self._under_way)
            self._deliver(lane, data)
