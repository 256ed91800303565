"""Reading a list from a vehicle."""

from __future__ import annotations

import asyncio

from pymavlink.dialects.v20 import ardupilotmega as mav

from autopilot.errors import RejectedError, TransferError, TransferTimeoutError
from autopilot.pace import Pace
from autopilot.transfer_peer import TRIES, Peer, Progress, converse, from_message
from autopilot.wire import Message
from autopilot.wire_decode import read
from autopilot.words import mission_words
from missions import MissionItem

__all__ = ["fetch_list"]

_LIST = -1
_REFUSALS = 3
"""Refusals in a row that end it: fewer may answer what came late or twice of the upload before."""

_PASSING = frozenset(
    {
        mav.MAV_MISSION_DENIED,
        mav.MAV_MISSION_ERROR,
        mav.MAV_MISSION_INVALID_SEQUENCE,
        mav.MAV_MISSION_OPERATION_CANCELLED,
    }
)
"""Said by a vehicle for which the transfer before is not over, until its patience ends: waited out, and then final."""

_ANEW = 3
_ANEW_AFTER = 3
"""How often the list is asked for anew: when another count of it comes, and when an item was asked for in vain for so
many of the longest waits.

PX4 hands a list out in order, and once it has given a transfer up it answers no request of it any more.
"""


async def fetch_list(
    peer: Peer, window: int, progress: Progress | None, *, most: int, whole: bool = False
) -> tuple[MissionItem, ...]:
    """Read the list, asking for up to `window` items at once. Raises as `autopilot.transfer.download` does.

    Of a list that is longer than `most` only so much is read: enough to see that it is another. Where it is wanted
    `whole`, that is an error instead.
    """
    fetching = _Fetching(peer, window, progress, most, whole=whole)
    await converse(peer, ("MISSION_COUNT", "MISSION_ITEM_INT", "MISSION_ACK"), fetching)
    ended = mav.MAVLink_mission_ack_message(peer.sysid, peer.component, mav.MAV_MISSION_ACCEPTED, peer.kind)
    peer.send(ended)
    return fetching.items


class _Fetching:
    """What was asked for and what came."""

    def __init__(self, peer: Peer, window: int, progress: Progress | None, most: int, *, whole: bool) -> None:
        self._peer = peer
        self._most, self._whole = most, whole
        self._window = window
        self._clock = asyncio.get_running_loop().time
        self._progress = progress
        self._pace = Pace(peer.timing, peer.timing.retry_floor_s)
        self._anew = 0
        self._refusals = 0
        self._doubt: int | None = None
        self._begin()

    def _begin(self) -> None:
        self._count: int | None = None  # items that are read
        self._told: int | None = None  # that there are
        self._items: dict[int, MissionItem] = {}
        self._asked: dict[int, float] = {}  # number of an item, or _LIST, to when it is asked for again
        self._first: dict[int, float] = {}  # and to when it was asked for first
        self._again: set[int] = set()
        self._fresh = 0  # number of the first item that was never asked for

    @property
    def complete(self) -> bool:
        """Whether every item came."""
        return self._count is not None and len(self._items) == self._count

    @property
    def items(self) -> tuple[MissionItem, ...]:
        return tuple(self._items[seq] for seq in sorted(self._items))

    @property
    def patience_s(self) -> float:
        """Wall seconds until something is overdue."""
        return max(0.0, min(self._asked.values()) - self._clock())

    def look(self) -> None:
        """Ask again for what is overdue, then for what the window has room for."""
        now, patience_s = self._clock(), TRIES * self._pace.longest_s
        oldest = min((self._first[seq] for seq in self._asked if seq != _LIST), default=now)
        if self._anew < _ANEW and now >= oldest + _ANEW_AFTER * self._pace.longest_s:
            self._anew += 1
            self._begin()
        for seq in self._due(now):
            if seq in self._first:
                self._again.add(seq)
            if now >= self._first.setdefault(seq, now) + patience_s:
                raise self._given_up("the list" if seq == _LIST else f"item {seq}")
            self._peer.send(self._request(seq))
            self._fresh = max(self._fresh, seq + 1)
            self._asked[seq] = min(now + self._pace.retry_s, self._first[seq] + patience_s)

    def _due(self, now: float) -> list[int]:
        if self._count is None:
            return [_LIST] if self._asked.get(_LIST, now) <= now else []
        overdue = [seq for seq, when in self._asked.items() if when <= now]
        return overdue + list(range(self._fresh, min(self._count, self._fresh + self._window - len(self._asked))))

    def _request(self, seq: int) -> Message:
        peer = self._peer
        if seq == _LIST:
            return mav.MAVLink_mission_request_list_message(peer.sysid, peer.component, peer.kind)
        return mav.MAVLink_mission_request_int_message(peer.sysid, peer.component, seq, peer.kind)

    def take(self, message: Message) -> None:
        """Take whatever came, and ask for more."""
        message = read(message)
        if self._peer.is_ours(message):
            self._take(message)
            if not self.complete:
                self.look()

    def _take(self, message: Message) -> None:
        kind = message.get_type()
        if kind == "MISSION_COUNT":
            if self._count is None:
                if self._whole and message.count > self._most:
                    raise TransferError(
                        f"{self._peer}: says that it holds {message.count} items; no more than {self._most} are read: "
                        "clear the list, or read with a higher bound"
                    )
                self._told, self._count = message.count, min(message.count, self._most)
                self._answered(_LIST)
            elif message.count != self._told and self._anew < _ANEW:
                # Another number: the list was changed as it was read, or the first was an old word.
                self._anew += 1
                self._begin()
        elif kind == "MISSION_ACK":
            if message.type != mav.MAV_MISSION_ACCEPTED:
                self._refused(message.type)
        elif message.seq in self._asked:
            self._items[message.seq] = from_message(message)
            self._answered(message.seq)
            if self._progress is not None:
                self._progress(f"read back {self._peer.kind}", len(self._items), self._count or 0)

    def _answered(self, seq: int) -> None:
        self._refusals, self._doubt = 0, None
        del self._asked[seq]
        if seq in self._again:
            self._pace.answered_vaguely()
        else:
            self._pace.measured(self._clock() - self._first[seq])

    def _refused(self, result: int) -> None:
        self._doubt = result
        if result in _PASSING:
            return
        self._refusals += 1
        if self._refusals == _REFUSALS:
            raise self._refusal(result)
        # One that is meant is repeated when the question is.
        oldest = min(self._asked, key=self._asked.__getitem__)
        self._asked[oldest] = self._clock()

    def _refusal(self, result: int) -> RejectedError:
        return RejectedError(f"{self._peer}: reading refused: {mission_words(result)} (MISSION_ACK {result})", result)

    def _given_up(self, what: str) -> TransferError:
        if self._doubt is not None:
            return self._refusal(self._doubt)
        return TransferTimeoutError(
            f"{self._peer}: no answer when asked for {what}{self._peer.doubt}: check the link and read again"
        )
