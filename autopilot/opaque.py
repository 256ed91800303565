"""Opaque ids: a vehicle's own numbers of the lists that it holds, a cheap proof that one is still what it was.

They are younger than the message definitions of pymavlink: read from the packet where the extension fields lie
(MAVLink common.xml).
"""

from __future__ import annotations

from autopilot.wire import Message

__all__ = ["held_ids", "opaque_id"]

_V2 = 0xFD
_HEAD = 10
_PLACES = {"MISSION_COUNT": 5, "MISSION_ACK": 4}
_LISTS_PLACE = 6
_ID = 4


def opaque_id(message: Message) -> int:
    """The id in a MISSION_COUNT or MISSION_ACK; 0 where there is none."""
    return _number(message, _PLACES[message.get_type()])


def held_ids(message: Message) -> tuple[int, int, int]:
    """Ids of mission, fence and rally points in a MISSION_CURRENT; 0 where there is none."""
    first, second, third = (_number(message, _LISTS_PLACE + _ID * kind) for kind in range(3))
    return first, second, third


def _number(message: Message, place: int) -> int:
    packet = bytes(message.get_msgbuf())
    if packet[0] != _V2:
        return 0
    payload = packet[_HEAD : _HEAD + packet[1]]  # zeros at its end are not sent
    return int.from_bytes(payload[place : place + _ID], "little")
