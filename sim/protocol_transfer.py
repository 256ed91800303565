"""The mission protocol as ArduPilot speaks it, for missions, fences and rally points.

An upload of a mission or of rally points goes straight into storage, item by item: one that stops half-way leaves a
mixture of new and old items. A fence is checked as a whole before it replaces the old one.
Timers run on the wall clock: a timer of T simulated seconds takes ``T / speedup`` wall seconds, but never less than
a floor that a real sender can meet. In lock-step they run on simulated time, with a speedup of 1 and no floor.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any

from pymavlink.dialects.v20 import ardupilotmega as mav

from sim.flight_items import ARDUPILOT_RULES, Item, StoreRules, fence_bytes, fence_is_whole, stored

__all__ = ["Peer", "Transfer", "wall_timer_s"]

_MISSION, _FENCE, _RALLY = (
    int(mav.MAV_MISSION_TYPE_MISSION),
    int(mav.MAV_MISSION_TYPE_FENCE),
    int(mav.MAV_MISSION_TYPE_RALLY),
)
_TIMEOUTS = {_MISSION: "Mission upload timeout", _FENCE: "Fence upload timeout", _RALLY: "Rally upload timeout"}
_RECEIVED = {_MISSION: b"Flight plan received", _RALLY: b"Rally points received"}
REQUEST_S, REQUEST_FLOOR_S = 1.0, 0.25
ABORT_S, ABORT_FLOOR_S = 8.0, 2.0


def wall_timer_s(sim_s: float, floor_s: float, speedup: float) -> float:
    """Wall seconds of a protocol timer of `sim_s` simulated seconds."""
    return max(sim_s / speedup, min(sim_s, floor_s))


@dataclass(frozen=True, slots=True)
class Peer:
    """Who is at the other end: system, component and the way to send to them."""

    sysid: int
    compid: int
    send: Callable[[Any], None]


@dataclass(slots=True)
class _Upload:
    peer: Peer
    count: int
    next_seq: int
    room: int
    """Items beyond so many are out of order."""
    last_item_s: float
    last_request_s: float


class Transfer:
    """One store (missions, fence or rally) and the upload into it.

    Parameters
    ----------
    mission_type
        MAV_MISSION_TYPE.
    items
        The store itself.
    capacity
        Returns how many items fit now.
    home
        For missions, returns item 0 as it reads back (None before there is a home); otherwise None.
    changed
        Called when the store has changed as a whole.
    say
        Called with a warning for the ground station.
    speedup
        Of the simulation, for the timers.
    reject
        Returns the MAV_MISSION_RESULT that refuses an upload now, or None.
    rules
        What is stored of items; ArduCopter's by default.
    most_bytes
        Returns what a fence may take; no bound by default.
    """

    def __init__(
        self,
        mission_type: int,
        items: list[Item],
        *,
        capacity: Callable[[], int],
        home: Callable[[], Item | None] | None,
        changed: Callable[[], None],
        say: Callable[[str], None],
        speedup: float,
        reject: Callable[[], int | None] = lambda: None,
        rules: StoreRules = ARDUPILOT_RULES,
        most_bytes: Callable[[], float] = lambda: inf,
    ) -> None:
        self.items = items
        self._most_bytes = most_bytes
        self._rules = rules
        self._type = mission_type
        self._capacity = capacity
        self._home = home
        self._changed = changed
        self._say = say
        self._reject = reject
        self._request_s = wall_timer_s(REQUEST_S, REQUEST_FLOOR_S, speedup)
        self._abort_s = wall_timer_s(ABORT_S, ABORT_FLOOR_S, speedup)
        self._upload: _Upload | None = None
        self._draft: list[Item] = []

    @property
    def _target(self) -> list[Item]:
        return self._draft if self._type == _FENCE else self.items

    def count(self, peer: Peer, count: int, wall_s: float) -> None:
        """MISSION_COUNT: someone wants to upload."""
        if self._upload is not None and (peer.sysid, peer.compid) != (
            self._upload.peer.sysid,
            self._upload.peer.compid,
        ):
            self._ack(peer, mav.MAV_MISSION_DENIED)
            return
        refusal = self._reject()
        if refusal is not None:
            self._ack(peer, refusal)
            return
        if count > self._capacity():
            self._ack(peer, mav.MAV_MISSION_NO_SPACE)
            self._say(f"Only {self._capacity()} items are supported")
            return
        self._draft = []
        del self._target[count:]
        self._upload = _Upload(peer, count, 0, count, wall_s, wall_s)
        if self._type == _RALLY:
            self._changed()
        if count == 0:
            self._complete()
        else:
            self._request()

    def partial(self, peer: Peer, first: int, last: int, wall_s: float) -> None:
        """MISSION_WRITE_PARTIAL_LIST: someone wants to replace some items, or to add one; nobody is denied."""
        if not 0 <= first <= last <= len(self.items):
            self._say("Flight plan update rejected")
            self._ack(peer, mav.MAV_MISSION_ERROR)
            return
        self._draft = list(self.items)
        # A fence is made anew with as many items as it has.
        room = len(self.items) if self._type == _FENCE else self._capacity()
        self._upload = _Upload(peer, last + 1, first, room, wall_s, wall_s)
        self._request()

    def item(self, peer: Peer, seq: int, item: Item, wall_s: float) -> None:
        """MISSION_ITEM_INT of an upload."""
        upload = self._upload
        if upload is None:
            self._ack(peer, mav.MAV_MISSION_ERROR)
            return
        if seq != upload.next_seq:
            self._ack(peer, mav.MAV_MISSION_INVALID_SEQUENCE)
            return
        if (peer.sysid, peer.compid) != (upload.peer.sysid, upload.peer.compid):
            self._ack(peer, mav.MAV_MISSION_DENIED)
            return
        is_home = self._home is not None and seq == 0
        result, kept = (mav.MAV_MISSION_ACCEPTED, item) if is_home else stored(item, self._type, self._rules)
        if result == mav.MAV_MISSION_ACCEPTED and seq >= upload.room:
            result = mav.MAV_MISSION_INVALID_SEQUENCE if self._type == _FENCE else mav.MAV_MISSION_ERROR
        if item.command == mav.MAV_CMD_DO_JUMP and not 0 < item.params[0] < max(len(self.items), upload.count):
            result = mav.MAV_MISSION_ERROR
        if result != mav.MAV_MISSION_ACCEPTED:
            self._upload = None
            self._ack(peer, result)
            return
        self._target[seq : seq + 1] = [kept]
        if self._type == _RALLY:
            self._changed()
        upload.next_seq += 1
        upload.last_item_s = upload.last_request_s = wall_s
        if upload.next_seq == upload.count:
            self._complete()
        else:
            self._request()

    def update(self, wall_s: float) -> None:
        """Ask again, or give up."""
        upload = self._upload
        if upload is None:
            return
        if wall_s - upload.last_item_s > self._abort_s:
            self._upload = None
            self._say(_TIMEOUTS[self._type])
            self._ack(upload.peer, mav.MAV_MISSION_OPERATION_CANCELLED)
        elif wall_s - upload.last_request_s > self._request_s:
            upload.last_request_s = wall_s
            self._request()

    def cancel(self, peer: Peer, result: int) -> None:
        """MISSION_ACK of the other side: nothing that this side waits for."""

    def request_list(self, peer: Peer, wall_s: float = 0.0) -> None:  # noqa: ARG002 (as PX4's)
        """MISSION_REQUEST_LIST: someone wants to download."""
        if self._upload is not None:
            self._ack(peer, mav.MAV_MISSION_DENIED)
            return
        self._tell_count(peer)

    def _tell_count(self, peer: Peer) -> None:
        peer.send(mav.MAVLink_mission_count_message(peer.sysid, peer.compid, len(self.items), self._type))

    def request(self, peer: Peer, seq: int, *, as_float: bool, wall_s: float = 0.0) -> None:  # noqa: ARG002 (as PX4's)
        """MISSION_REQUEST_INT, or MISSION_REQUEST when `as_float`."""
        if self._upload is not None and not as_float:
            self._ack(peer, mav.MAV_MISSION_DENIED)
            return
        if not 0 <= seq < len(self.items):
            mission = self._type == _MISSION
            if mission:
                # It says how long the mission is, for a station that has it wrong.
                self._tell_count(peer)
            self._ack(peer, mav.MAV_MISSION_ERROR if mission else mav.MAV_MISSION_INVALID_SEQUENCE)
            return
        item = self.listing()[seq]
        head = (peer.sysid, peer.compid, seq, item.frame, item.command, 0, 1, *item.params)
        if as_float:
            peer.send(mav.MAVLink_mission_item_message(*head, item.x / 1e7, item.y / 1e7, item.z, self._type))
        else:
            peer.send(mav.MAVLink_mission_item_int_message(*head, item.x, item.y, item.z, self._type))

    def clear(self, peer: Peer) -> None:
        """MISSION_CLEAR_ALL: who uploads breaks that off by it (4.7-dev; up to May 2024 it was refused)."""
        upload = self._upload
        if upload is not None and (peer.sysid, peer.compid) != (upload.peer.sysid, upload.peer.compid):
            for result in (mav.MAV_MISSION_DENIED, mav.MAV_MISSION_ERROR):
                self._ack(peer, result)
            return
        self._upload = None
        self.items.clear()
        self._changed()
        self._ack(peer, mav.MAV_MISSION_ACCEPTED)

    def forget(self) -> None:
        """The autopilot starts anew: an upload is over, what is stored stays."""
        self._upload = None
        self._draft = []

    def listing(self) -> list[Item]:
        """The items as they read back."""
        home = self._home() if self._home is not None and self.items else None
        return self.items if home is None else [home, *self.items[1:]]

    def load(self, items: Sequence[Item], *, start: int = 0, keep: bool = False) -> bool:
        """Take a list out of a file, the way that ArduPilot does when the file is closed; whether all of it was taken.

        Parameters
        ----------
        items
            What the file holds.
        start, keep
            Number of the first, and whether the old ones stay: for missions only.
        """
        if self._reject() is not None or (keep and self._type != _MISSION):
            return False
        if self._type == _FENCE:
            return self._load_whole(items)
        if not keep:
            self.items.clear()
        taken = all(self._load_one(number, item, len(items)) for number, item in enumerate(items, start))
        self._changed()
        return taken

    def _load_whole(self, items: Sequence[Item]) -> bool:
        kept = [stored(item, self._type, self._rules) for item in items]
        fence = [item for _, item in kept]
        if len(kept) > self._capacity() or any(result for result, _ in kept) or not self._can_be_written(fence):
            return False
        self.items[:] = fence
        self._changed()
        return True

    def _load_one(self, number: int, item: Item, count: int) -> bool:
        is_home = self._home is not None and number == 0
        result, kept = (mav.MAV_MISSION_ACCEPTED, item) if is_home else stored(item, self._type, self._rules)
        jumps_out = item.command == mav.MAV_CMD_DO_JUMP and not 0 < item.params[0] < count
        if result != mav.MAV_MISSION_ACCEPTED or jumps_out or not number <= len(self.items):
            return False
        if number >= self._capacity():
            return False
        self.items[number : number + 1] = [kept]
        return True

    def _complete(self) -> None:
        assert self._upload is not None
        peer = self._upload.peer
        self._upload = None
        if self._type == _FENCE:
            if not self._can_be_written(self._draft):
                self._ack(peer, mav.MAV_MISSION_ERROR)
                return
            self.items[:] = self._draft
        self._changed()
        if self._type in _RECEIVED:
            # To those on the link of the upload alone.
            peer.send(mav.MAVLink_statustext_message(mav.MAV_SEVERITY_INFO, _RECEIVED[self._type]))
        self._ack(peer, mav.MAV_MISSION_ACCEPTED)

    def _can_be_written(self, fence: Sequence[Item]) -> bool:
        """Whether a fence replaces the old one; if not it says why."""
        if not fence_is_whole(fence):
            self._say("Fence validation failed")
            return False
        if fence_bytes(fence) > self._most_bytes():
            self._say("Fence exceeds storage size")
            return False
        return True

    def _request(self) -> None:
        assert self._upload is not None
        peer = self._upload.peer
        peer.send(mav.MAVLink_mission_request_message(peer.sysid, peer.compid, self._upload.next_seq, self._type))

    def _ack(self, peer: Peer, result: int) -> None:
        peer.send(mav.MAVLink_mission_ack_message(peer.sysid, peer.compid, result, self._type))
