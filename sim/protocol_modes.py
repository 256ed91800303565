"""The modes that a vehicle has, as it tells them itself (AVAILABLE_MODES).

ArduPilot has names of its own alone, and says ACCEPTED whatever number is asked for (GCS_MAVLINK_Copter and _Plane,
``send_available_mode``). PX4 names the modes that MAVLink knows by that (``lib/modes/standard_modes.hpp``,
``AVAILABLE_MODES.hpp``), the others as its own displays do (``lib/modes/ui.hpp``). Of both only the modes that are
simulated are told. pymavlink does not have it among ArduPilot's messages: it is put together here.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from pymavlink.dialects.v20 import ardupilotmega as mav

from sim.dialect import Dialect
from sim.dialect_terms import Form, ModeSpec
from sim.flight import Flight
from sim.flight_modes import Mode
from sim.protocol_order import ACCEPTED, Order

__all__ = ["AVAILABLE_MODES", "tell_modes"]

AVAILABLE_MODES = 435
_LAYOUT = struct.Struct("<IIBBB35s")
_EXTRA = 134  # CRC_EXTRA of its definition
_ADVANCED = 1  # MAV_MODE_PROPERTY
_NON_STANDARD, _POSITION_HOLD, _ORBIT, _CRUISE, _ALTITUDE_HOLD = range(5)  # MAV_STANDARD_MODE
_SAFE_RECOVERY, _MISSION, _LAND, _TAKEOFF = range(5, 9)

# PX4's navigation states, by which its modes are in order, and their names where MAVLink has none for them.
_PX4: Mapping[Mode, tuple[int, str]] = MappingProxyType(
    {
        Mode.MANUAL: (0, "Manual"),
        Mode.ALT_HOLD: (1, "Altitude"),
        Mode.POSITION: (2, "Position"),
        Mode.AUTO: (3, "Mission"),
        Mode.LOITER: (4, "Hold"),
        Mode.RTL: (5, "Return"),
        Mode.OFFBOARD: (14, "Offboard"),
        Mode.STABILIZE: (15, "Stabilized"),
        Mode.TAKEOFF: (17, "Takeoff"),
        Mode.LAND: (18, "Land"),
        Mode.ORBIT: (21, "Orbit"),
    }
)
_STANDARD: Mapping[Mode, int] = MappingProxyType(
    {
        Mode.ALT_HOLD: _ALTITUDE_HOLD,
        Mode.AUTO: _MISSION,
        Mode.RTL: _SAFE_RECOVERY,
        Mode.TAKEOFF: _TAKEOFF,
        Mode.LAND: _LAND,
        Mode.ORBIT: _ORBIT,
    }
)
# What holding a position means depends on the airframe; for a VTOL nothing.
_POSITION: Mapping[Form, int] = MappingProxyType({Form.ROTOR: _POSITION_HOLD, Form.WING: _CRUISE})
_SIMPLE = frozenset({Mode.ALT_HOLD, Mode.POSITION})


class _AvailableModes(mav.MAVLink_message):  # type: ignore[misc]  # pymavlink has no types
    """The message, of its fields as they travel."""

    def __init__(self, *fields: int | bytes) -> None:
        super().__init__(AVAILABLE_MODES, "AVAILABLE_MODES")
        self._fields = fields

    def pack(self, packer: Any, *, force_mavlink1: bool = False) -> bytes:
        """Its frame."""
        return bytes(self._pack(packer, _EXTRA, _LAYOUT.pack(*self._fields), force_mavlink1=force_mavlink1))


def tell_modes(flight: Flight, order: Order) -> int:
    """Answer REQUEST_MESSAGE for AVAILABLE_MODES: parameter 2 is the mode's place in the list from 1, or 0 for all."""
    dialect = flight.dialect
    rows = _in_order(dialect)
    wanted = order.item.params[1]
    number = round(wanted) if 0.0 <= wanted <= len(rows) else None
    for index, row in enumerate(rows, 1):
        if number in (0, index):
            order.reply(_available(dialect, row, index, len(rows)))
    return dialect.unsent if number is None and _is_px4(dialect) else ACCEPTED


def _available(dialect: Dialect, row: ModeSpec, index: int, count: int) -> Any:
    standard = _standard(dialect, row.mode)
    name, properties = row.name, 0
    if _is_px4(dialect):
        name = "" if standard else _PX4[row.mode][1]
        properties = 0 if row.mode in _SIMPLE else _ADVANCED
    return _AvailableModes(row.number, properties, count, index, standard, name.encode())


def _standard(dialect: Dialect, mode: Mode) -> int:
    if not _is_px4(dialect):
        return _NON_STANDARD
    return _POSITION.get(dialect.form, _NON_STANDARD) if mode is Mode.POSITION else _STANDARD.get(mode, _NON_STANDARD)


def _in_order(dialect: Dialect) -> list[ModeSpec]:
    return sorted(dialect.modes, key=lambda row: _PX4[row.mode][0]) if _is_px4(dialect) else list(dialect.modes)


def _is_px4(dialect: Dialect) -> bool:
    return bool(dialect.autopilot == mav.MAV_AUTOPILOT_PX4)
