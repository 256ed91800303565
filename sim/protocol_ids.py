"""Ids of mission, fence and rally lists: how they are made and how they travel.

MAVLink's MISSION_ACK, MISSION_COUNT and MISSION_CURRENT end in them. pymavlink's definitions may be older: the bytes
are put behind the payload, as an extension field is, and a receiver that does not know them passes over them.
"""

from __future__ import annotations

import struct
import zlib
from typing import Any

from sim.flight_items import Item

__all__ = ["id_with", "with_ids"]

_ITEM = struct.Struct("<BHB7f")
_ALL_BITS = 0xFFFFFFFF


def id_with(item: Item, before: int) -> int:
    """Id of a list that goes on with an item, from that of what is before it, 0 of nothing.

    CRC-32 of the item as it came. Opaque: a receiver compares it and makes nothing else of it.
    """
    x, y = struct.unpack("<2f", struct.pack("<2i", item.x, item.y))
    raw = _ITEM.pack(item.frame & 0xFF, item.command, int(item.autocontinue), *item.params, x, y, item.z)
    # Begins with 0 and is not inverted, as PX4's crc32part.
    return zlib.crc32(raw, before ^ _ALL_BITS) ^ _ALL_BITS


def with_ids(message: Any, **ids: int) -> Any:
    """The message with these unsigned 32-bit fields, the last ones of it, in their order."""
    if all(hasattr(message, name) for name in ids):
        for name, value in ids.items():
            setattr(message, name, value)
    elif any(ids.values()):
        tail = struct.pack(f"<{len(ids)}I", *ids.values())
        pack = message._pack  # noqa: SLF001 (pymavlink has no public way to add a field)
        message._pack = lambda mav, crc_extra, payload, **more: pack(mav, crc_extra, payload + tail, **more)  # noqa: SLF001
    return message
