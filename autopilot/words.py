"""What MAVLink result codes mean, in words and with what to do about them."""

from __future__ import annotations

from enum import IntEnum
from types import MappingProxyType

__all__ = [
    "COMMAND_WORDS",
    "MISSION_WORDS",
    "MissionKind",
    "command_name",
    "command_words",
    "mission_words",
    "parameter_error_words",
]

from pymavlink.dialects.v20 import ardupilotmega as mav


class MissionKind(IntEnum):
    """MAV_MISSION_TYPE: which of a vehicle's three lists."""

    MISSION = 0
    FENCE = 1
    RALLY = 2

    def __str__(self) -> str:
        return self.name.lower()


MISSION_WORDS = MappingProxyType(
    {
        0: "accepted",
        1: "general error: the vehicle cannot take a list now",
        2: "unsupported frame: send positions in a global frame that this autopilot knows",
        3: "unsupported command: this autopilot does not know an item's command",
        4: "no space: the list is longer than the vehicle's storage",
        5: "invalid: an item makes no sense to the vehicle",
        6: "invalid parameter 1 of an item",
        7: "invalid parameter 2 of an item",
        8: "invalid parameter 3 of an item",
        9: "invalid parameter 4 of an item",
        10: "invalid parameter 5, the latitude, of an item",
        11: "invalid parameter 6, the longitude, of an item",
        12: "invalid parameter 7, the height, of an item",
        13: "invalid sequence: an item came out of order",
        14: "denied: another ground station is transferring, or the vehicle takes no list from this one",
        15: "cancelled: the transfer was given up by the vehicle",
    }
)
"""MAV_MISSION_RESULT in words (MAVLink common.xml)."""

COMMAND_WORDS = MappingProxyType(
    {
        0: "accepted",
        1: "temporarily rejected: valid, but not in the vehicle's present state",
        2: "denied: the parameters are not allowed",
        3: "unsupported: the autopilot does not know this command",
        4: "failed: valid, but it did not work",
        5: "in progress",
        6: "cancelled",
        7: "accepted only as COMMAND_LONG",
        8: "accepted only as COMMAND_INT",
        9: "unsupported frame",
    }
)
"""MAV_RESULT in words (MAVLink common.xml)."""

_PARAMETER_WORDS = MappingProxyType(
    {
        1: "the vehicle does not have it",
        2: "the value is out of its range",
        3: "this ground station may not set it",
        4: "the component is not there",
        5: "it can only be read",
        6: "values of this type are not taken",
        7: "the value is of another type",
        8: "the vehicle failed to read it",
    }
)


def parameter_error_words(error: int) -> str:
    """MAV_PARAM_ERROR `error` in words (MAVLink common.xml)."""
    return _PARAMETER_WORDS.get(error, f"error {error}, which this version does not know")


def mission_words(result: int) -> str:
    """MAV_MISSION_RESULT `result` in words."""
    return MISSION_WORDS.get(result, f"result {result}, which this version does not know")


def command_words(result: int) -> str:
    """MAV_RESULT `result` in words."""
    return COMMAND_WORDS.get(result, f"result {result}, which this version does not know")


def command_name(command: int) -> str:
    """Name of a MAV_CMD, or its number where the dialect has none."""
    entry = mav.enums["MAV_CMD"].get(command)
    return f"command {command}" if entry is None else str(entry.name)
