"""The parameter table: names, defaults and types of the few parameters that the simulation obeys."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite

from pymavlink.dialects.v20 import ardupilotmega as mav

from sim.errors import ConfigError
from sim.flight_power import PowerModel

__all__ = ["LEGACY_NAMES", "ftp_enabled", "parameter_table", "parameter_type"]

# ArduCopter 4.7 defaults, centimetres and seconds as there.
_DEFAULTS = {
    "MAV_SYSID": 1.0,
    "MAV_GCS_SYSID": 255.0,
    "FRAME_CLASS": 1.0,
    "AUTO_OPTIONS": 0.0,
    "MIS_RESTART": 0.0,
    "WPNAV_SPEED": 1000.0,
    "WPNAV_SPEED_UP": 250.0,
    "WPNAV_SPEED_DN": 150.0,
    "WPNAV_ACCEL": 250.0,
    "WPNAV_ACCEL_Z": 100.0,
    "WPNAV_RADIUS": 200.0,
    "RTL_ALT": 1500.0,
    "RTL_SPEED": 0.0,
    "RTL_LOIT_TIME": 5000.0,
    "RALLY_INCL_HOME": 1.0,
    "RALLY_LIMIT_KM": 0.3,
    "LAND_SPEED": 50.0,
    "LAND_SPEED_HIGH": 0.0,
    "LAND_ALT_LOW": 1000.0,
    "DISARM_DELAY": 10.0,
    "FENCE_ENABLE": 0.0,
    "FENCE_ACTION": 1.0,
    "FENCE_TYPE": 7.0,
    "FENCE_ALT_MAX": 100.0,
    "FENCE_RADIUS": 300.0,
    "FENCE_MARGIN": 2.0,
    "FS_GCS_ENABLE": 0.0,
    "FS_GCS_TIMEOUT": 5.0,
    "BATT_FS_LOW_ACT": 2.0,
    "BATT_FS_CRT_ACT": 1.0,
    "BATT_CAPACITY": 0.0,
    "BATT_LOW_MAH": 0.0,
    "BATT_CRT_MAH": 0.0,
    "BRD_OPTIONS": 1.0,
    "BRD_SD_MISSION": 0.0,
}
_NO_FTP = 2  # a bit of BRD_OPTIONS
# What ArduCopter 4.6 calls them.
LEGACY_NAMES = {"MAV_SYSID": "SYSID_THISMAV", "MAV_GCS_SYSID": "SYSID_MYGCS"}
_INT8 = frozenset(
    ("FRAME_CLASS", "FENCE_ENABLE", "FENCE_ACTION", "FENCE_TYPE", "FS_GCS_ENABLE", "DISARM_DELAY", "RALLY_INCL_HOME",
     "MIS_RESTART", "BATT_FS_LOW_ACT", "BATT_FS_CRT_ACT")
)  # fmt: skip
_INT16 = frozenset(("MAV_SYSID", "MAV_GCS_SYSID", "LAND_SPEED", "LAND_SPEED_HIGH", "LAND_ALT_LOW", "BRD_SD_MISSION"))
_INT32 = frozenset(("BRD_OPTIONS", "BATT_CAPACITY", "RTL_LOIT_TIME", "RTL_ALT", "AUTO_OPTIONS"))


def parameter_table(sysid: int, power: PowerModel, changes: Mapping[str, float]) -> dict[str, float]:
    """The table of one vehicle.

    Raises
    ------
    ConfigError
        When `changes` names an unknown parameter or gives a figure that is not finite.
    """
    modern = {old: new for new, old in LEGACY_NAMES.items()}
    params = dict(_DEFAULTS)
    params["MAV_SYSID"] = float(sysid)
    params["BATT_CAPACITY"] = float(round(power.capacity_mah))
    params["BATT_LOW_MAH"] = float(round(power.capacity_mah * power.low_pct / 100.0))
    params["BATT_CRT_MAH"] = float(round(power.capacity_mah * power.critical_pct / 100.0))
    for given, value in changes.items():
        name = modern.get(given, given)
        if name not in params:
            raise ConfigError(f"parameter {given} is not simulated: give one of {', '.join(sorted(params))}")
        if not isfinite(value):
            raise ConfigError(f"parameter {given} is {value}: give a finite figure")
        params[name] = float(value)
    return params


def parameter_type(name: str) -> int:
    """MAV_PARAM_TYPE under which a parameter is reported."""
    if name in _INT8:
        return int(mav.MAV_PARAM_TYPE_INT8)
    if name in _INT16:
        return int(mav.MAV_PARAM_TYPE_INT16)
    return int(mav.MAV_PARAM_TYPE_INT32 if name in _INT32 else mav.MAV_PARAM_TYPE_REAL32)


def ftp_enabled(params: Mapping[str, float]) -> bool:
    """Whether the vehicle serves MAVLink FTP."""
    return not int(params["BRD_OPTIONS"]) & _NO_FTP
