"""The parameter table: the few parameters that the simulation obeys, and how they travel."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from math import copysign, inf, isfinite, trunc

from pymavlink.dialects.v20 import ardupilotmega as mav

from sim.dialect import Dialect
from sim.dialect_ardupilot import ARDUCOPTER
from sim.errors import ConfigError
from sim.flight_power import PowerModel

__all__ = ["from_wire", "ftp_enabled", "parameter_table", "to_wire"]

_MOST_INT32 = 2**31 - 1
# Beyond these ArduPilot keeps the nearest (``AP_Param::set_float``).
_ENDS = {int(mav.MAV_PARAM_TYPE_INT8): 2**7, int(mav.MAV_PARAM_TYPE_INT16): 2**15}
_NEARLY = 0.01  # added before what is behind the point is dropped
_NO_FTP = 2  # a bit of BRD_OPTIONS


def parameter_table(
    sysid: int, power: PowerModel, changes: Mapping[str, float], dialect: Dialect = ARDUCOPTER
) -> dict[str, float]:
    """The table of one vehicle.

    Raises
    ------
    ConfigError
        When `changes` names an unknown parameter or gives a figure that is not finite.
    """
    modern = {old: new for new, old in dialect.legacy_names.items()}
    params = {name: row.default for name, row in dialect.params.items()}
    params[dialect.sysid_param] = float(sysid)
    for name, share in dialect.from_power.items():
        params[name] = share(power.capacity_mah, power.low_pct, power.critical_pct)
    for given, figure in changes.items():
        name, value = dialect.in_units(modern.get(given, given), figure)
        if name not in params:
            raise ConfigError(f"parameter {given} is not simulated: give one of {', '.join(sorted(params))}")
        # As the vehicle holds it, and gets it: what is asked for by the same figure is not beyond it.
        held = _single(value) if dialect.params[name].kind == mav.MAV_PARAM_TYPE_REAL32 else float(value)
        if not isfinite(held):
            raise ConfigError(f"parameter {given} is {value}: give a finite figure of 32 bits")
        params[name] = held
    return params


def _single(value: float) -> float:
    """A figure in 32 bits; not finite where it does not fit."""
    try:
        return float(struct.unpack("<f", struct.pack("<f", value))[0])
    except OverflowError:
        return inf


def to_wire(value: float, kind: int, dialect: Dialect) -> float:
    """A value as the float field of PARAM_VALUE carries it."""
    if not dialect.bytewise or kind == mav.MAV_PARAM_TYPE_REAL32:
        return value
    return float(struct.unpack("<f", struct.pack("<i", int(value)))[0])


def from_wire(value: float, kind: int, dialect: Dialect) -> float | None:
    """The value that a float field of PARAM_SET carries; None where it is none that can be kept."""
    if kind == mav.MAV_PARAM_TYPE_REAL32:
        return float(value) if isfinite(value) else None
    if dialect.bytewise:
        return float(struct.unpack("<i", struct.pack("<f", value))[0])
    if not isfinite(value) or abs(value) > _MOST_INT32:
        return None
    end = _ENDS.get(kind, _MOST_INT32 + 1)
    return float(max(-end, min(end - 1, trunc(value + copysign(_NEARLY, value)))))


def ftp_enabled(params: Mapping[str, float]) -> bool:
    """Whether the vehicle answers MAVLink FTP: ArduPilot may be told not to."""
    return not int(params.get("BRD_OPTIONS", 0.0)) & _NO_FTP
