"""Items as mission files have them: what the formats of other programs share.

Files name a frame without "INT": a height above home is frame 3. In memory and on the wire it is frame 6, the same with
integer coordinates. Mission Planner takes any frame in a list but 3 and 10 for a height above the sea.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from missions.errors import FormatError
from missions.mission import DO_JUMP, FRAME_GLOBAL, FRAME_MISSION, FRAME_RELATIVE, NAV_WAYPOINT, MissionItem

__all__ = ["FRAME_TERRAIN", "HOME", "file_frame", "read_command", "read_frame", "read_place", "with_jump"]

FRAME_TERRAIN = 10
_LAST_COMMAND = 65_535
HOME = (FRAME_GLOBAL, NAV_WAYPOINT)
"""Frame and command of a home item."""

_FILE: Mapping[int, int] = MappingProxyType(
    {0: 0, FRAME_MISSION: FRAME_MISSION, 3: 3, 5: 0, FRAME_RELATIVE: 3, 10: 10, 11: 10}
)
"""MAV_FRAME in a file of each in memory: AMSL, no place, above home and above terrain."""
_MEMORY: Mapping[int, int] = MappingProxyType({**_FILE, 3: FRAME_RELATIVE, FRAME_RELATIVE: FRAME_RELATIVE})


def file_frame(item: MissionItem, where: str) -> int:
    """The frame of an item as files name it. Raises FormatError for one that has no latitude and longitude."""
    _known(item.frame, where)
    return _FILE[item.frame]


def read_frame(frame: float, where: str) -> int:
    """A frame of a file as it is in memory. Raises FormatError for one that has no latitude and longitude."""
    _known(frame, where)
    return _MEMORY[int(frame)]


def read_command(command: float, where: str) -> int:
    """A command of a file. Raises FormatError for one that MISSION_ITEM_INT cannot name."""
    if isinstance(command, bool) or not 0 <= command <= _LAST_COMMAND or command != int(command):
        raise FormatError(f"{where}: command is {command:g}: give a whole number from 0 to {_LAST_COMMAND}, a MAV_CMD")
    return int(command)


def read_place(frame: int, five: float, six: float, where: str) -> tuple[int, int]:
    """Parameters 5 and 6 of a file as an item has them: degrees times 1e7, or of the frame "mission" as they are.

    Raises
    ------
    FormatError
        When they are no degrees, or of the frame "mission" no whole numbers: MISSION_ITEM_INT has no room for others.
    """
    if frame == FRAME_MISSION:
        for name, value in (("parameter 5", five), ("parameter 6", six)):
            if not -(2**31) <= value < 2**31 or value != int(value):
                raise FormatError(f"{where}: {name} is {value:g}: an item without a place carries whole numbers there")
        return int(five), int(six)
    for name, value, limit in (("x", five, 90.0), ("y", six, 180.0)):
        if not abs(value) <= limit:
            raise FormatError(f"{where}: {name} is {value:g}: give degrees within ±{limit:g}")
    return round(five * 1e7), round(six * 1e7)


def with_jump(item: MissionItem, by: int) -> MissionItem:
    """An item of a list whose numbers begin elsewhere: a jump goes with the item that it leads to."""
    if item.command != DO_JUMP or not math.isfinite(item.p1):
        return item
    return replace(item, p1=item.p1 + by)


def _known(frame: float, where: str) -> None:
    if isinstance(frame, bool) or frame not in _FILE:
        raise FormatError(
            f"{where}: frame {frame:g} has no latitude and longitude: give 0 (AMSL), 3 or 6 (above home), 10 (above "
            "terrain), or 2 for a command without a place"
        )
