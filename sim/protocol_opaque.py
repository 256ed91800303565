"""Opaque ids: a number for each list that changes with it, in fields that pymavlink's message definitions lack.

MISSION_COUNT and the MISSION_ACK of an upload carry that of their list, MISSION_CURRENT those of all three, as
extension fields at the end (MAVLink common.xml). The number is a checksum of the items, as PX4 makes it.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

from pymavlink.dialects.v20 import ardupilotmega as mav

from sim.flight_items import Item

__all__ = ["OpaqueIds"]


class OpaqueIds:
    """Numbers of a vehicle's lists.

    Parameters
    ----------
    lists
        MAV_MISSION_TYPE to the items, read live.
    given
        Whether the vehicle gives numbers at all.
    """

    def __init__(self, lists: Mapping[int, Sequence[Item]], *, given: bool) -> None:
        self._lists = lists
        self._given = given

    def number(self, kind: int) -> int:
        """Number of a list; 0 where it is empty."""
        items = self._lists[kind]
        return zlib.crc32(repr(list(items)).encode()) or 1 if items else 0

    def marked(self, message: Any) -> Any:
        """A message that is about to be sent, with the numbers that belong to it."""
        if not self._given:
            return message
        name = message.get_type()
        accepted = name == "MISSION_ACK" and message.type == mav.MAV_MISSION_ACCEPTED
        if (name == "MISSION_COUNT" or accepted) and message.mission_type in self._lists:
            return _Longer(message, struct.pack("<I", self.number(message.mission_type)))
        if name == "MISSION_CURRENT":
            return _Longer(message, struct.pack("<III", *(self.number(kind) for kind in range(3))))
        return message


class _Longer:
    """A message with fields behind those that its definition has."""

    def __init__(self, message: Any, tail: bytes) -> None:
        self._message = message
        self._tail = tail

    def pack(self, link: Any) -> bytes:
        """The packet, as `MAVLink_message.pack` makes it."""
        message, own = self._message, type(self._message)._pack  # noqa: SLF001

        def longer(mav_link: Any, crc_extra: int, payload: bytes, **more: Any) -> bytes:
            return bytes(own(message, mav_link, crc_extra, payload + self._tail, **more))

        message._pack = longer  # noqa: SLF001
        return bytes(message.pack(link))
