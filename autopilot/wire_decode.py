"""Frames to messages, faster: what pymavlink's own decoder decides anew for every frame stands in a table here.

For unsigned MAVLink 2 frames of messages that hold no arrays, which is nearly all telemetry and every
item of a list; the rest goes to pymavlink. Of a datagram of whole frames nothing is read but heads and checksums until
somebody asks for a field: of fifty reports a second few are looked at. A fleet of a thousand fits on a core with it.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from operator import itemgetter
from typing import Any, NamedTuple

from pymavlink.dialects.v20 import ardupilotmega as mav

__all__ = ["Unread", "boot_ms_of", "checksum", "decoded", "place_of", "read", "unread", "whole_frames"]

_V2 = 0xFD
_HEAD, _CHECKSUM = 10, 2
_CRC_START = 0xFFFF
_PLACE = struct.Struct("<ii")  # of GLOBAL_POSITION_INT, behind its time
_PLACE_AT = _HEAD + 4
_crc: Callable[[bytes, int], int] | None = mav.mcrf4xx
"""CRC-16/MCRF4XX, where the fast one is installed that pymavlink takes too."""


class _Plan(NamedTuple):
    """How a message is made of its payload."""

    kind: Any
    name: str
    unpack_from: Callable[[Any], Any]
    size: int
    extra: bytes
    in_order: Callable[[Any], Any]
    boot_at: int | None
    """Where ``time_boot_ms`` stands in the payload."""
    figures: tuple[str, ...]
    """Names of its fields, as they travel; none where one is a text, which pymavlink's message makes of bytes."""


def _plan(kind: Any) -> _Plan | None:
    """None where it has arrays."""
    if sum(kind.lengths) != len(kind.lengths) or len(kind.orders) < 2:
        return None
    boot_at = None
    if "time_boot_ms" in kind.ordered_fieldnames:
        before = kind.ordered_fieldnames.index("time_boot_ms")
        boot_at = struct.calcsize(kind.unpacker.format[: 1 + before])
    unpacker = kind.unpacker
    extra = bytes([kind.crc_extra])
    figures = () if b"c" in kind.native_format else tuple(kind.ordered_fieldnames)
    in_order = itemgetter(*kind.orders)
    return _Plan(kind, kind.msgname, unpacker.unpack_from, unpacker.size, extra, in_order, boot_at, figures)


_PLANS = {number: plan for number, kind in mav.mavlink_map.items() if (plan := _plan(kind)) is not None}


class Unread:
    """A message of which head and checksum are known; its fields are read when the first of them is asked for.

    It has all that pymavlink's message has, which is made when something else than a field is asked for.
    """

    __slots__ = ("__dict__", "_frame", "_message", "_plan")

    def __init__(self, frame: bytes, plan: _Plan) -> None:
        self._frame = frame
        self._plan = plan
        self._message: Any = None

    def get_type(self) -> str:
        """Its name."""
        return self._plan.name

    def get_srcSystem(self) -> int:  # noqa: N802  pymavlink's
        """System id of its sender."""
        return self._frame[5]

    def get_srcComponent(self) -> int:  # noqa: N802
        """Component id of its sender."""
        return self._frame[6]

    @property
    def boot_ms(self) -> int | None:
        """Its ``time_boot_ms``; None where it has none."""
        at = self._plan.boot_at
        if at is None:
            return None
        return int.from_bytes(self._frame[_HEAD + at : min(_HEAD + at + 4, len(self._frame) - _CHECKSUM)], "little")

    @property
    def place(self) -> tuple[int, int]:
        """Latitude and longitude of a GLOBAL_POSITION_INT."""
        if len(self._frame) < _PLACE_AT + _PLACE.size + _CHECKSUM:
            return self.lat, self.lon  # zeros at its end were not sent
        lat, lon = _PLACE.unpack_from(self._frame, _PLACE_AT)
        return lat, lon

    @property
    def message(self) -> Any:
        """Pymavlink's message."""
        if self._message is None:
            self._message = _made(bytearray(self._frame), self._plan)
        return self._message

    def __getattr__(self, name: str) -> Any:
        names = self._plan.figures
        if name in names:
            # Python looks here only for what it has not found: from now on it finds all fields.
            fields = self.__dict__
            fields.update(zip(names, _unpacked(self._frame[_HEAD:-_CHECKSUM], self._plan), strict=True))
            return fields[name]
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self.message, name)

    def __str__(self) -> str:
        return str(self.to_dict())


def read(message: Any) -> Any:
    """Pymavlink's message, for whoever reads many fields of one."""
    return message.message if type(message) is Unread else message


def boot_ms_of(message: Any) -> int | None:
    """Milliseconds since its sender booted, where the message says them; nothing else of it is read."""
    if type(message) is Unread:
        return message.boot_ms
    return getattr(message, "time_boot_ms", None)


def place_of(message: Any) -> tuple[int, int]:
    """Latitude and longitude of a GLOBAL_POSITION_INT, 1e-7 degrees; nothing else of it is read."""
    return message.place if type(message) is Unread else (message.lat, message.lon)


def whole_frames(data: bytes, other: Callable[[bytearray], Any]) -> list[tuple[Any, bytes]] | None:
    """The messages of a datagram, with their frames.

    Parameters
    ----------
    data
        The datagram.
    other
        Pymavlink's decoder, for what is not in the table.

    Returns
    -------
    list or None
        None for anything but whole unsigned MAVLink 2 frames of known messages whose checksums are right.
    """
    found: list[tuple[Any, bytes]] = []
    position, end = 0, len(data)
    while position < end:
        if end - position < _HEAD + _CHECKSUM or data[position] != _V2 or data[position + 2]:
            return None
        after = position + _HEAD + _CHECKSUM + data[position + 1]
        if after > end:
            return None
        frame = data[position:after]
        number = frame[7] | frame[8] << 8 | frame[9] << 16
        plan = _PLANS.get(number)
        if plan is not None:
            if checksum(frame[1:-_CHECKSUM] + plan.extra) != frame[-2] | frame[-1] << 8:
                return None
            found.append((Unread(frame, plan), frame))
        elif number in mav.mavlink_map:
            try:
                found.append((other(bytearray(frame)), frame))
            except mav.MAVError:
                return None
        else:
            return None
        position = after
    return found


def decoded(frame: bytearray, other: Callable[[bytearray], Any]) -> Any:
    """The message in a frame.

    Parameters
    ----------
    frame
        A whole MAVLink 2 frame, not signed, as long as it says.
    other
        Pymavlink's decoder, for what is not in the table.

    Raises
    ------
    MAVError
        Where the checksum is wrong.
    """
    plan = _PLANS.get(frame[7] | frame[8] << 8 | frame[9] << 16)
    if plan is None:
        return other(frame)
    if checksum(frame[1:-_CHECKSUM] + plan.extra) != frame[-2] | frame[-1] << 8:
        raise mav.MAVError(f"invalid MAVLink CRC of message {plan.kind.id}")
    return _made(frame, plan)


def unread(frame: bytes) -> Unread:
    """The message in a frame that is known to be whole, unsigned, and of a message without arrays."""
    return Unread(frame, _PLANS[frame[7] | frame[8] << 8 | frame[9] << 16])


def checksum(covered: bytes | bytearray) -> int:
    """Of everything behind the magic byte, and of the byte that stands for the message's definition."""
    return int(mav.x25crc(covered).crc) if _crc is None else _crc(bytes(covered), _CRC_START)


def _unpacked(payload: bytes | bytearray, plan: _Plan) -> Any:
    """The values of the fields, in the order in which they travel; zeros at the end of a payload are not sent."""
    return plan.unpack_from(payload if len(payload) >= plan.size else payload.ljust(plan.size, b"\0"))


def _made(frame: bytearray, plan: _Plan) -> Any:
    end = len(frame) - _CHECKSUM
    message = plan.kind(*plan.in_order(_unpacked(frame[_HEAD:end], plan)))
    header = message._header  # noqa: SLF001  as pymavlink's decoder fills it
    header.mlen, header.incompat_flags, header.compat_flags = frame[1], frame[2], frame[3]
    header.seq, header.srcSystem, header.srcComponent = frame[4], frame[5], frame[6]
    message._msgbuf = frame  # noqa: SLF001
    message._payload = frame[6:end]  # noqa: SLF001  where pymavlink cuts it
    message._crc = frame[end] | frame[end + 1] << 8  # noqa: SLF001
    return message
