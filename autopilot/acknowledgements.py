"""Of which order an acknowledgement is, on a link that is slow, loses, or brings things twice and out of order.

COMMAND_ACK names a command, and not which of several orders of it (MAVLink common.xml). An order that was repeated
before its acknowledgement came has two of them under way, and the second would be taken for that of the next order of
that command: a mode that was never heard of is "accepted", a stream that nobody asked for is believed to come. So those
that are still owed are counted, and let pass while they may come.

On a slow link one that comes in less than half of the shortest round trip is of an order before, too: what is brought
twice is acknowledged twice.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from pymavlink.dialects.v20 import ardupilotmega as mav

from autopilot.link import Link
from autopilot.pace import Pace
from autopilot.timing import Timing
from autopilot.wire import Message

__all__ = ["Acknowledgements", "Order"]

_ROUND_TRIPS = 1.5
_SLOW_S, _TOO_SOON = 0.25, 0.5  # on a link of that round trip, which no busy machine makes, sooner than so much of it
_FORGETS = 1.05
_TWICE_S = 1.0  # within this a link brings a packet again
_LAST = 4  # acknowledgements that are known again


@dataclass(slots=True)
class _Owed:
    count: int
    until_s: float


@dataclass(slots=True)
class Order:
    """One order, from its first sending to its acknowledgement.

    Attributes
    ----------
    sent
        How often it was sent.
    came
        How many acknowledgements came meanwhile, of whichever order.
    stale, stale_until_s
        How many of orders before may still come, and until when.
    is_long
        Whether the vehicle said that it is at work: the last word takes as long as the work.
    """

    command: int
    stale: int
    stale_until_s: float
    sent: int = 0
    came: int = 0
    first_s: float = 0.0
    last_s: float = 0.0
    is_long: bool = False


@dataclass(slots=True)
class Acknowledgements:
    """The acknowledgements of one vehicle to us.

    Parameters
    ----------
    link, sysid, component
        Who gives them.
    timing
        How long to wait where nothing was measured.
    """

    link: Link
    sysid: int
    component: int
    timing: Timing
    _shortest_s: float = 0.0
    _pace: Pace = field(init=False)
    _owed: dict[int, _Owed] = field(default_factory=dict)
    _asked: Counter[int] = field(default_factory=Counter)
    _last: deque[tuple[float, bytes]] = field(default_factory=lambda: deque(maxlen=_LAST))
    close: Callable[[], None] = field(init=False)
    """Stop listening."""

    def __post_init__(self) -> None:
        self._pace = Pace(self.timing, self.timing.retry_floor_s)
        self.close = self.link.listen(self._heard, sysid=self.sysid, types=("COMMAND_ACK",))

    @property
    def retry_s(self) -> float:
        """Wall seconds before an order is repeated."""
        return self._pace.longest_s

    @contextmanager
    def order(self, command: int) -> Iterator[Order]:
        """An order that is sent until it is acknowledged, or given up."""
        self._asked[command] += 1
        owed = self._owed.get(command, _Owed(0, 0.0))
        order = Order(command, owed.count, owed.until_s)
        try:
            yield order
        finally:
            self._asked[command] -= 1
            self._closed(order)

    def sent(self, order: Order) -> None:
        """It was sent, once more."""
        order.last_s = _now_s()
        if not order.sent:
            order.first_s = order.last_s
        order.sent += 1

    def told(self, command: int) -> None:
        """An order was sent of which no acknowledgement is awaited; one comes all the same."""
        owed = self._owed.setdefault(command, _Owed(0, 0.0))
        known_s = self._pace.round_trip_s or self.retry_s
        owed.count, owed.until_s = owed.count + 1, max(owed.until_s, _now_s() + _ROUND_TRIPS * known_s)

    def is_of(self, order: Order, answer: Message) -> bool:
        """Whether a COMMAND_ACK is the last word on an order that is being asked for."""
        if not self._to_us(answer) or answer.command != order.command or self._came_before(answer):
            return False
        order.came += 1
        if self._shortest_s > _SLOW_S and _now_s() - order.first_s < _TOO_SOON * self._shortest_s:
            return False
        # Longer than a round trip after the first sending none of those is under way any more.
        if order.sent == 1 and order.stale and _now_s() < order.stale_until_s:
            order.stale -= 1
            return False
        return True

    def is_at_work(self, order: Order, answer: Message) -> bool:
        """Whether a COMMAND_ACK says that it is at work on that order."""
        if answer.result != mav.MAV_RESULT_IN_PROGRESS or answer.command != order.command or not self._to_us(answer):
            return False
        order.is_long = True
        return True

    def refuses(self, command: int, answer: Message) -> bool:
        """Whether a COMMAND_ACK, to us, refuses a command, of whichever order."""
        done = (mav.MAV_RESULT_ACCEPTED, mav.MAV_RESULT_IN_PROGRESS)
        return answer.command == command and answer.result not in done and self._to_us(answer)

    def _heard(self, answer: Message) -> None:
        """One that comes while nobody asks is of an order before."""
        owed = self._owed.get(answer.command)
        if owed is None or self._asked[answer.command] or answer.result == mav.MAV_RESULT_IN_PROGRESS:
            return
        if self._to_us(answer) and not self._came_before(answer):
            owed.count = max(owed.count - 1, 0)

    def _closed(self, order: Order) -> None:
        if order.came and order.sent == 1 and not order.is_long:
            self._measured(_now_s() - order.first_s)
        elif order.came:
            self._pace.answered_vaguely()
        owed = self._owed.setdefault(order.command, _Owed(0, 0.0))
        owed.count = max(owed.count + order.sent - order.came, 0)
        if order.sent > order.came:
            known_s = self._pace.round_trip_s or _now_s() - order.first_s
            owed.until_s = order.last_s + _ROUND_TRIPS * known_s

    def _to_us(self, answer: Message) -> bool:
        return (
            answer.get_srcComponent() == self.component
            and answer.target_system in (0, self.link.system_id)
            and answer.target_component in (0, self.link.component_id)
        )

    def _came_before(self, answer: Message) -> bool:
        """Whether the link has brought this packet already: its number among all packets is the same."""
        now_s, packet = _now_s(), bytes(answer.get_msgbuf())
        if any(one == packet and now_s - came_s < _TWICE_S for came_s, one in self._last):
            return True
        self._last.append((now_s, packet))
        return False

    def _measured(self, seconds: float) -> None:
        self._pace.measured(seconds)
        self._shortest_s = min(seconds, _FORGETS * self._shortest_s) if self._shortest_s else seconds


def _now_s() -> float:
    return asyncio.get_running_loop().time()
