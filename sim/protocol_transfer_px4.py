"""The mission protocol as PX4 speaks it, for missions, fences and rally points.

One transfer at a time for all three lists. An upload goes into a list of its own and replaces the old one when it is
whole, with an id (MAVLink's opaque id): one that stops half-way leaves the old list. Items of a download have to be
asked for in their order. What this side says and when is that of PX4's mavlink_mission.cpp. Timers run on the wall
clock as those of `sim.protocol_transfer`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from pymavlink.dialects.v20 import ardupilotmega as mav

from sim.flight_items import Item, StoreRules, stored
from sim.flight_state import Severity
from sim.protocol_ids import id_with, with_ids
from sim.protocol_transfer import Peer, wall_timer_s

__all__ = ["Desk", "Px4Transfer"]

RETRY_S, RETRY_FLOOR_S = 0.25, 0.25
GIVE_UP_S, GIVE_UP_FLOOR_S = 5.0, 2.0
# What a frame is called to someone who asks for floats.
_FLOAT_FRAMES = {
    mav.MAV_FRAME_GLOBAL_INT: mav.MAV_FRAME_GLOBAL,
    mav.MAV_FRAME_GLOBAL_RELATIVE_ALT_INT: mav.MAV_FRAME_GLOBAL_RELATIVE_ALT,
}


@dataclass(slots=True)
class Desk:
    """The one transfer of a vehicle: who has it, of which list, and how far it is.

    Attributes
    ----------
    owner
        The list that is being sent or received; None when idle.
    latest
        The list that was spoken of last.
    sending
        Whether it is being downloaded.
    as_float
        Whether the other side spoke last in floats: it is asked for the next item in those.
    """

    owner: Px4Transfer | None = None
    latest: Px4Transfer | None = None
    sending: bool = False
    peer: Peer | None = None
    count: int = 0
    next_seq: int = 0
    last_sent_s: float = 0.0
    last_heard_s: float = 0.0
    draft: list[Item] = field(default_factory=list)
    draft_id: int = 0
    as_float: bool = False

    def idle(self) -> None:
        """Done, or given up."""
        self.owner = None

    def refuse(self, peer: Peer) -> None:
        """MISSION_ACK with an error: it names the list that was spoken of last, not the one that it is about."""
        assert self.latest is not None
        self.latest.acknowledge(peer, mav.MAV_MISSION_ERROR)

    def is_with(self, peer: Peer) -> bool:
        """Whether the transfer is with this peer."""
        return self.peer is not None and (self.peer.sysid, self.peer.compid) == (peer.sysid, peer.compid)


class Px4Transfer:
    """One store (missions, fence or rally) and the transfers of it.

    Parameters
    ----------
    mission_type
        MAV_MISSION_TYPE.
    desk
        The one transfer, shared by the three stores.
    capacity
        How many items fit.
    rules
        What is stored of items.
    changed
        Called when the store has changed as a whole.
    say
        Called with a text for the ground station, and its severity where that is not critical.
    speedup
        Of the simulation, for the timers.
    reject
        Returns the MAV_MISSION_RESULT that refuses an upload now, or None.
    current
        Returns the number of the mission's present item.

    Attributes
    ----------
    items, list_id
        The store itself, and its id.
    """

    def __init__(
        self,
        mission_type: int,
        desk: Desk,
        *,
        capacity: Callable[[], int],
        rules: StoreRules,
        changed: Callable[[], None],
        say: Callable[..., None],
        speedup: float,
        reject: Callable[[], int | None] = lambda: None,
        current: Callable[[], int] = lambda: 0,
    ) -> None:
        self.items: list[Item] = []
        self.list_id = 0
        self._type = mission_type
        self._desk = desk
        self._capacity = capacity
        self._rules = rules
        self._changed = changed
        self._say = say
        self._reject = reject
        self._current = current
        self._retry_s = wall_timer_s(RETRY_S, RETRY_FLOOR_S, speedup)
        self._give_up_s = wall_timer_s(GIVE_UP_S, GIVE_UP_FLOOR_S, speedup)

    def count(self, peer: Peer, count: int, wall_s: float) -> None:
        """MISSION_COUNT: someone wants to upload."""
        desk = self._desk
        if desk.owner is not None:
            again = not desk.sending and desk.is_with(peer) and desk.next_seq == 0
            if not again:
                if desk.sending:
                    self._say("WPM: IGN MISSION_COUNT: Busy")
                elif desk.is_with(peer):
                    self._say("WPM: REJ. CMD: Busy")
                desk.refuse(peer)
                return
            desk.last_heard_s = wall_s
            desk.owner.request_next(wall_s)
            return
        desk.latest, desk.peer, desk.next_seq, desk.draft_id = self, peer, 0, 0
        refusal = self._reject()
        if refusal is not None:
            self.acknowledge(peer, refusal)
        elif count > self._capacity():
            self.acknowledge(peer, mav.MAV_MISSION_NO_SPACE)
        elif count == 0:
            self._keep([], 0)
            self.acknowledge(peer, mav.MAV_MISSION_ACCEPTED)
        else:
            desk.owner, desk.sending, desk.last_heard_s = self, False, wall_s
            desk.count, desk.draft = count, []
            self.request_next(wall_s)

    def item(self, peer: Peer, seq: int, item: Item, wall_s: float, *, as_float: bool = False) -> None:
        """MISSION_ITEM_INT of an upload, or MISSION_ITEM when `as_float`."""
        desk = self._desk
        desk.as_float = as_float
        if not desk.is_with(peer):
            self._say("REJ. MIS ITEM: partner id mismatch")
            return
        if desk.latest is not self or desk.owner is None or desk.sending:
            self._pass_over(peer, seq)
            return
        desk.last_heard_s = wall_s
        if seq != desk.next_seq:
            return
        result, kept = stored(item, self._type, self._rules)
        if result != mav.MAV_MISSION_ACCEPTED:
            self._say("IGN MISSION_ITEM: Invalid item")
            desk.idle()
            self.acknowledge(peer, result)
            return
        desk.draft.append(kept)
        desk.draft_id = id_with(item, desk.draft_id)
        desk.next_seq += 1
        if desk.next_seq < desk.count:
            self.request_next(wall_s)
            return
        self._keep(desk.draft, desk.draft_id)
        desk.idle()
        self.acknowledge(peer, mav.MAV_MISSION_ACCEPTED, self.list_id)

    def _pass_over(self, peer: Peer, seq: int) -> None:
        """Answer an item that is none of an upload of this list; whatever else goes on, goes on."""
        desk = self._desk
        if desk.latest is self and desk.owner is None and seq + 1 == desk.next_seq:
            # The last acknowledgement may have been lost.
            self.acknowledge(peer, mav.MAV_MISSION_ACCEPTED, desk.draft_id)
            return
        if desk.latest is self:
            self._say(f"IGN MISSION_ITEM: {'No transfer' if desk.owner is None else 'Busy'}")
        desk.refuse(peer)

    def update(self, wall_s: float) -> None:
        """Ask again, or give up without a word on the protocol: only a text says so."""
        desk = self._desk
        if desk.owner is not self:
            return
        if wall_s - desk.last_heard_s > self._give_up_s:
            self._say("Mission sync timeout")
            desk.idle()
        elif not desk.sending and wall_s - desk.last_sent_s > self._retry_s:
            self.request_next(wall_s)

    def cancel(self, peer: Peer, result: int) -> None:
        """MISSION_ACK of the other side: any ends a download of this list, and one that cancels ends any upload."""
        desk = self._desk
        if not desk.is_with(peer):
            self._say("REJ. WP CMD: partner id mismatch")
        elif desk.owner is self if desk.sending else result == mav.MAV_MISSION_OPERATION_CANCELLED:
            desk.idle()

    def partial(self, peer: Peer, first: int, last: int, wall_s: float) -> None:
        """MISSION_WRITE_PARTIAL_LIST: PX4 has no ear for it."""

    def request_list(self, peer: Peer, wall_s: float = 0.0) -> None:
        """MISSION_REQUEST_LIST: someone wants to download."""
        desk = self._desk
        whole = desk.sending and desk.next_seq == desk.count
        if desk.owner is not None and not whole and not (desk.sending and desk.owner is self and desk.is_with(peer)):
            self._say("Mission download request ignored, already active", Severity.INFO)
            return
        desk.owner, desk.latest, desk.sending, desk.peer = self, self, True, peer
        desk.count, desk.next_seq, desk.last_heard_s = len(self.items), 0, wall_s
        message = mav.MAVLink_mission_count_message(peer.sysid, peer.compid, len(self.items), self._type)
        peer.send(with_ids(message, opaque_id=self.list_id))

    def request(self, peer: Peer, seq: int, *, as_float: bool, wall_s: float = 0.0) -> None:
        """MISSION_REQUEST_INT, or MISSION_REQUEST when `as_float`: the next item, or the last one again."""
        desk = self._desk
        if desk.owner is None:
            return
        if desk.owner is not self or not desk.sending or not desk.is_with(peer):
            self._say("WPM: REJ. CMD: Busy")
            return
        desk.last_heard_s, desk.as_float = wall_s, as_float
        if seq == desk.next_seq < desk.count:
            desk.next_seq += 1
        elif seq != desk.next_seq - 1:
            desk.idle()
            self.acknowledge(peer, mav.MAV_MISSION_ERROR)
            self._say("WPM: REJ. CMD: Req. WP was unexpected")
            return
        item = self.items[seq]
        if as_float:
            item = replace(item, frame=_FLOAT_FRAMES.get(item.frame, item.frame))
        current = int(seq == self._current())  # of the mission, whichever list it is
        head = (peer.sysid, peer.compid, seq, item.frame, item.command, current, int(item.autocontinue), *item.params)
        if as_float:
            peer.send(mav.MAVLink_mission_item_message(*head, item.x / 1e7, item.y / 1e7, item.z, self._type))
        else:
            peer.send(mav.MAVLink_mission_item_int_message(*head, item.x, item.y, item.z, self._type))

    def clear(self, peer: Peer) -> None:
        """MISSION_CLEAR_ALL."""
        if self._desk.owner is not None:
            self._say("WPM: IGN CLEAR CMD: Busy")
            return
        self._desk.latest = self
        self._keep([], 0)
        self.acknowledge(peer, mav.MAV_MISSION_ACCEPTED)

    def forget(self) -> None:
        """The autopilot starts anew: a transfer is over, what is stored stays."""
        self._desk.idle()

    def _keep(self, items: list[Item], list_id: int) -> None:
        """Take a list over, unless it is the same."""
        if list_id != self.list_id or len(items) != len(self.items):
            self.items[:] = items
            self.list_id = list_id
            self._changed()

    def request_next(self, wall_s: float) -> None:
        """Ask for the next item of the upload."""
        desk = self._desk
        assert desk.peer is not None
        desk.last_sent_s = wall_s
        peer = desk.peer
        kind = mav.MAVLink_mission_request_message if desk.as_float else mav.MAVLink_mission_request_int_message
        peer.send(kind(peer.sysid, peer.compid, desk.next_seq, self._type))

    def acknowledge(self, peer: Peer, result: int, list_id_: int = 0) -> None:
        """MISSION_ACK of this list."""
        message: Any = mav.MAVLink_mission_ack_message(peer.sysid, peer.compid, result, self._type)
        peer.send(with_ids(message, opaque_id=list_id_))
