"""What the values of the parameter mean that says what a vehicle does by itself when its battery is low."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

__all__ = ["COPTER_BATTERY", "GOES_ON", "PLANE_BATTERY", "PX4_BATTERY", "LowBattery"]

GOES_ON = "goes on with its mission"


@dataclass(frozen=True, slots=True)
class LowBattery:
    """What is done when the battery is low.

    Parameters
    ----------
    parameter
        Which says so.
    acts
        What each value makes the vehicle do, in words.
    returns
        Values that bring it home.
    levels
        Parameters of which one is above 0 where anything is done at all; empty where it always is.
    """

    parameter: str
    acts: Mapping[int, str]
    returns: frozenset[int]
    levels: tuple[str, ...] = ()


# Copter's and Plane's `Parameters` of AP_BattMonitor: BATT_FS_LOW_ACT. Those that end the flight are elsewhere.
_LEVELS = ("BATT_LOW_VOLT", "BATT_LOW_MAH")
COPTER_BATTERY = LowBattery(
    "BATT_FS_LOW_ACT",
    MappingProxyType(
        {
            0: GOES_ON,
            1: "lands where it is",
            2: "returns",
            3: "returns the way it came, or straight",
            4: "returns the way it came, or lands",
            5: "stops its motors",
            6: "goes to the landing of its mission, or returns",
            7: "stops, or lands where it is",
        }
    ),
    returns=frozenset({2, 3, 6}),
    levels=_LEVELS,
)
PLANE_BATTERY = LowBattery(
    "BATT_FS_LOW_ACT",
    MappingProxyType(
        {
            0: GOES_ON,
            1: "returns",
            2: "goes to the landing of its mission, or returns",
            3: "ends its flight",
            4: "lands where it is, on its rotors",
            5: "opens its parachute",
            6: "circles down and lands on its rotors",
            7: "lands in mode AUTOLAND, or returns",
        }
    ),
    returns=frozenset({1, 2, 7}),
    levels=_LEVELS,
)
# Failsafe.cpp, ``fromBatteryWarningActParam``: at BAT_CRIT_THR, after COM_FAIL_ACT_T in HOLD. PX4 comes with 0.
PX4_BATTERY = LowBattery(
    "COM_LOW_BAT_ACT",
    MappingProxyType(
        {0: GOES_ON, 1: "returns", 2: "lands where it is", 3: "returns, and lands where it is when it is nearly empty"}
    ),
    returns=frozenset({1, 3}),
)
