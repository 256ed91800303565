"""How much the lists of an autopilot have room for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import inf

__all__ = ["Room", "by_bytes"]

_MOST_BYTES = 65535
_HEAD_BYTES, _ITEM_BYTES, _VERTEX_BYTES, _RALLY_BYTES = 4, 15, 8, 15


@dataclass(frozen=True, slots=True)
class Room:
    """Items of each list that fit, and what those of a fence may take together.

    Parameters
    ----------
    mission, fence, rally
        Items.
    fence_bytes
        Bytes (`fence_bytes` of ``flight_items``).
    """

    mission: int
    fence: int
    rally: int
    fence_bytes: float = inf


def by_bytes(mission: int, fence: int, rally: int) -> Callable[[Mapping[str, float]], Room]:
    """ArduPilot's, by the bytes of its board's storage (StorageManager.cpp), or by those of a card in their place.

    A mission takes 4 bytes and 15 an item, rally points 15 each (AP_Mission.cpp, AP_Rally.h). Of a fence as many items
    are taken as there is room for vertices, and the bytes are counted when it is written (AC_PolyFence_loader.cpp).
    """

    def room(params: Mapping[str, float]) -> Room:
        listed = _card_bytes(params["BRD_SD_MISSION"]) or mission
        fenced = _card_bytes(params["BRD_SD_FENCE"]) or fence
        return Room((listed - _HEAD_BYTES) // _ITEM_BYTES, fenced // _VERTEX_BYTES, rally // _RALLY_BYTES, fenced)

    return room


def _card_bytes(kilobytes: float) -> int:
    return min(int(max(0.0, kilobytes) * 1024), _MOST_BYTES)
