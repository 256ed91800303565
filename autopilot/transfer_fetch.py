"""Reading a list from a vehicle."""

from __future__ import annotations

import asyncio

from pymavlink.dialects.v20 import ardupilotmega as mav

from autopilot.errors import RejectedError, TransferTimeoutError
from autopilot.transfer_peer import RETRY_S, TRIES, Peer, Progress, converse, from_message
from autopilot.wire import Message
from autopilot.words import mission_words
from missions import MissionItem

__all__ = ["fetch_list"]

_LIST = -1
_REFUSALS = 3
"""Refusals in a row that end it: fewer may answer what came late or twice of the upload before."""


async def fetch_list(peer: Peer, window: int, progress: Progress | None) -> tuple[MissionItem, ...]:
    """Read the list, asking for up to `window` items at once. Raises as `autopilot.transfer.download` does."""
    fetching = _Fetching(peer, window, progress)
    await converse(peer, ("MISSION_COUNT", "MISSION_ITEM_INT", "MISSION_ACK"), fetching)
    peer.send(mav.MAVLink_mission_ack_message(peer.sysid, peer.component, mav.MAV_MISSION_ACCEPTED, peer.kind))
    return fetching.items


class _Fetching:
    """What was asked for and what came."""

    def __init__(self, peer: Peer, window: int, progress: Progress | None) -> None:
        self._peer = peer
        self._window = window
        self._clock = asyncio.get_running_loop().time
        self._progress = progress
        self._count: int | None = None
        self._items: dict[int, MissionItem] = {}
        self._asked: dict[int, float] = {}  # number of an item, or _LIST, to when it is asked for again
        self._tries: dict[int, int] = {}
        self._refusals = 0

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
        now = self._clock()
        for seq in self._due(now):
            self._tries[seq] = self._tries.get(seq, 0) + 1
            if self._tries[seq] > TRIES:
                what = "the list" if seq == _LIST else f"item {seq}"
                raise TransferTimeoutError(
                    f"{self._peer}: no answer when asked for {what}: check the link and read again"
                )
            self._peer.send(self._request(seq))
            self._asked[seq] = now + self._peer.timing.retry_s(RETRY_S)

    def _due(self, now: float) -> list[int]:
        if self._count is None:
            return [_LIST] if self._asked.get(_LIST, now) <= now else []
        overdue = [seq for seq, when in self._asked.items() if when <= now]
        fresh = max((*self._asked, *self._tries, _LIST)) + 1
        return overdue + list(range(fresh, min(self._count, fresh + self._window - len(self._asked))))

    def _request(self, seq: int) -> Message:
        peer = self._peer
        if seq == _LIST:
            return mav.MAVLink_mission_request_list_message(peer.sysid, peer.component, peer.kind)
        return mav.MAVLink_mission_request_int_message(peer.sysid, peer.component, seq, peer.kind)

    def take(self, message: Message) -> None:
        """Take whatever came, and ask for more."""
        if self._peer.is_ours(message):
            self._take(message)
            if not self.complete:
                self.look()

    def _take(self, message: Message) -> None:
        kind = message.get_type()
        if kind == "MISSION_COUNT":
            if self._count is None:
                self._refusals = 0
                self._count = message.count
                self._asked.clear()
        elif kind == "MISSION_ACK":
            if message.type != mav.MAV_MISSION_ACCEPTED:
                self._refused(message.type)
        elif message.seq in self._asked:
            self._refusals = 0
            self._items[message.seq] = from_message(message)
            del self._asked[message.seq]
            if self._progress is not None:
                self._progress(f"read back {self._peer.kind}", len(self._items), self._count or 0)

    def _refused(self, result: int) -> None:
        self._refusals += 1
        if self._refusals == _REFUSALS:
            raise RejectedError(
                f"{self._peer}: reading refused: {mission_words(result)} (MISSION_ACK {result})", result
            )
        # One that is meant is repeated when the question is.
        oldest = min(self._asked, key=self._asked.__getitem__)
        self._asked[oldest] = self._clock()
