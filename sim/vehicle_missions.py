"""The mission protocol of a vehicle: which of its lists a message is for, and the oldest way to say "go there"."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import isfinite
from typing import Any

from pymavlink.dialects.v20 import ardupilotmega as mav

from sim.flight import Flight
from sim.flight_items import Item
from sim.protocol_transfer import Peer, Transfer
from sim.protocol_transfer_px4 import Px4Transfer
from sim.vehicle_lists import Lists

__all__ = ["LIST_MESSAGES", "take_item", "take_list_message"]

_GO_THERE = 2
_MISSION_MESSAGES: dict[int, Callable[[Transfer | Px4Transfer, Peer, Any, float], None]] = {
    mav.MAVLINK_MSG_ID_MISSION_COUNT: lambda store, peer, m, now: store.count(peer, m.count, now),
    mav.MAVLINK_MSG_ID_MISSION_WRITE_PARTIAL_LIST: lambda store, peer, m, now: store.partial(
        peer, m.start_index, m.end_index, now
    ),
    mav.MAVLINK_MSG_ID_MISSION_REQUEST_LIST: lambda store, peer, _, now: store.request_list(peer, now),
    mav.MAVLINK_MSG_ID_MISSION_REQUEST_INT: lambda store, peer, m, now: store.request(
        peer, m.seq, as_float=False, wall_s=now
    ),
    mav.MAVLINK_MSG_ID_MISSION_REQUEST: lambda store, peer, m, now: store.request(
        peer, m.seq, as_float=True, wall_s=now
    ),
    mav.MAVLINK_MSG_ID_MISSION_CLEAR_ALL: lambda store, peer, _, __: store.clear(peer),
    mav.MAVLINK_MSG_ID_MISSION_ACK: lambda store, peer, m, _: store.cancel(peer, m.type),
}
LIST_MESSAGES = tuple(_MISSION_MESSAGES)
"""Messages that `take_list_message` takes."""


def take_list_message(lists: Lists, peer: Peer, message: Any, now_s: float) -> None:
    """Take a message about a list as a whole, or a request for an item; a list that there is not is refused."""
    transfer = lists.get(message.mission_type)
    if transfer is not None:
        _MISSION_MESSAGES[message.get_msgId()](transfer, peer, message, now_s)
        return
    result: int | None = mav.MAV_MISSION_UNSUPPORTED
    if message.mission_type == mav.MAV_MISSION_TYPE_ALL and message.get_msgId() == mav.MAVLINK_MSG_ID_MISSION_CLEAR_ALL:
        result = _clear_all(lists, peer)
    if result is not None:
        peer.send(mav.MAVLink_mission_ack_message(peer.sysid, peer.compid, result, message.mission_type))


def _clear_all(lists: Lists, peer: Peer) -> int | None:
    """PX4 clears all its lists at once, and answers nothing while it is busy; ArduPilot knows no list of that kind."""
    answers: list[Any] = []
    for each in lists.values():
        if not isinstance(each, Px4Transfer):
            return int(mav.MAV_MISSION_UNSUPPORTED)
        each.clear(replace(peer, send=answers.append))
        if not answers:
            return None
    return int(mav.MAV_MISSION_ACCEPTED)


def take_item(lists: Lists, flight: Flight, peer: Peer, message: Any, now_s: float) -> None:
    """Take an item of an upload, or the older way to say: go there in GUIDED."""
    as_float = message.get_msgId() == mav.MAVLINK_MSG_ID_MISSION_ITEM
    if as_float:
        message = _as_int(message)
    item = _item(message)
    if message.current == _GO_THERE:
        done = flight.steering.go_to(item)
        result = mav.MAV_MISSION_ACCEPTED if done else mav.MAV_MISSION_ERROR
        peer.send(mav.MAVLink_mission_ack_message(peer.sysid, peer.compid, result, 0))
    elif isinstance(one := lists.get(message.mission_type), Px4Transfer):
        one.item(peer, message.seq, item, now_s, as_float=as_float)
    elif one is not None:
        one.item(peer, message.seq, item, now_s)


def _item(message: Any) -> Item:
    params = (message.param1, message.param2, message.param3, message.param4)
    return Item(message.command, message.frame, params, message.x, message.y, message.z, bool(message.autocontinue))


def _as_int(message: Any) -> Any:
    """A MISSION_ITEM as MISSION_ITEM_INT: degrees to 1e-7 degrees; what is no place at all becomes out of range."""
    place = [round(v * 1e7) if isfinite(v) and abs(v) < 200.0 else 2_000_000_000 for v in (message.x, message.y)]
    return mav.MAVLink_mission_item_int_message(
        message.target_system, message.target_component, message.seq, message.frame, message.command,
        message.current, message.autocontinue, message.param1, message.param2, message.param3, message.param4,
        *place, message.z, message.mission_type,
    )  # fmt: skip
