"""ArduPilot's files of lists, ``@MISSION/mission.dat``, ``fence.dat`` and ``rally.dat``.

A head of five 16-bit numbers, little-endian (magic, MAV_MISSION_TYPE, options, number of the first item, count), then
the items, each as the payload of MISSION_ITEM_INT lies on the wire, 38 bytes (AP_Filesystem_Mission.cpp).

When a written file is closed, ArduPilot refuses it untouched if its magic or length is wrong or an item is all zeros,
which is what a piece that never came leaves. Pieces of whole items, as `pieces` cuts them, leave such an item whichever
of them is missing: a file that broke off is never acted upon.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

from autopilot.errors import TransferError
from autopilot.ftp_wire import MOST_DATA
from autopilot.words import MissionKind
from missions import MissionItem

__all__ = ["SPOIL", "items_in", "pack_list", "path_of", "pieces", "unpack_list"]

_HEAD = struct.Struct("<5H")
_ITEM = struct.Struct("<4f2if2H6B")  # parameters, x, y, z, seq, command; target twice, frame, current, go on, list
_MAGIC = 0x763D
_MOST_ITEMS = 0xFFFF

SPOIL = bytes(_HEAD.size)
"""A head that no vehicle takes."""


def path_of(kind: MissionKind) -> str:
    """Where ArduPilot has a list."""
    return f"@MISSION/{kind}.dat"


def pack_list(items: Sequence[MissionItem], kind: MissionKind, sysid: int, component: int) -> bytes:
    """The file of a whole list for a vehicle. Raises TransferError for more than 65,535 items."""
    if len(items) > _MOST_ITEMS:
        raise TransferError(f"{kind} of {len(items)} items: a file counts to {_MOST_ITEMS}: split it")
    return _HEAD.pack(_MAGIC, kind, 0, 0, len(items)) + b"".join(
        _ITEM.pack(
            item.p1, item.p2, item.p3, item.p4, item.x, item.y, item.z, item.seq, item.command,
            sysid, component, item.frame, 0, int(item.autocontinue), kind,
        )
        for item in items
    )  # fmt: skip


def unpack_list(data: bytes, kind: MissionKind) -> tuple[MissionItem, ...]:
    """The list in a file. Items are numbered by their place in it: ArduPilot leaves the number of some at 0.

    Raises
    ------
    TransferError
        When it is no such file, is of another list, or is not as long as it says.
    """
    if len(data) < _HEAD.size:
        raise TransferError(f"{path_of(kind)}: {len(data)} bytes are no list: read it again")
    magic, of, _, start, count = _HEAD.unpack_from(data)
    if magic != _MAGIC or of != kind:
        raise TransferError(f"{path_of(kind)}: begins with {magic:#06x} for list {of}: this is no file of this list")
    if start or len(data) != _HEAD.size + count * _ITEM.size:
        raise TransferError(
            f"{path_of(kind)}: {len(data)} bytes for {count} items from {start} on: "
            f"{_HEAD.size + count * _ITEM.size} from 0 on make sense; it changed while it was read: read it again"
        )
    return tuple(_item(number, fields) for number, fields in enumerate(_ITEM.iter_unpack(data[_HEAD.size :])))


def _item(number: int, fields: tuple[float, ...]) -> MissionItem:
    p1, p2, p3, p4, x, y, z, _, command, _, _, frame, _, autocontinue, _ = fields
    return MissionItem(
        number, int(frame), int(command), p1, p2, p3, p4, int(x), int(y), z, autocontinue=bool(autocontinue)
    )


def pieces(data: bytes) -> tuple[tuple[int, bytes], ...]:
    """A file cut for MAVLink FTP: offset and bytes, the head with the first items, then whole items."""
    first = _HEAD.size + (MOST_DATA - _HEAD.size) // _ITEM.size * _ITEM.size
    step = MOST_DATA // _ITEM.size * _ITEM.size
    starts = (0, *range(first, len(data), step))
    return tuple((at, data[at : first if at == 0 else at + step]) for at in starts)


def items_in(size: int) -> int:
    """Whole items in so many bytes of a file."""
    return max(0, size - _HEAD.size) // _ITEM.size
