"""The modes that a vehicle has, as it tells them itself (AVAILABLE_MODES), and that it is in (CURRENT_MODE of PX4).

ArduPilot has names of its own alone, and says ACCEPTED whatever number is asked for (GCS_MAVLINK_Copter and _Plane,
``send_available_mode``). PX4 names the modes that MAVLink knows by that (``lib/modes/standard_modes.hpp``,
``AVAILABLE_MODES.hpp``), the others as its own displays do (``lib/modes/ui.hpp``). Of both only the modes that are
simulated are told. CURRENT_MODE is PX4's alone (``CURRENT_MODE.hpp``, every two seconds): what it is in and what was
asked for are the same here. pymavlink has neither among ArduPilot's messages: they are put together here.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from pymavlink.dialects.v20 import ardupilotmega as mav

from sim.dialect import Dialect
from sim.dialect_terms import Form, ModeSpec
from sim.flight import Flight
from sim.flight_modes import Mode

if TYPE_CHECKING:
    from sim.protocol_order import Order

__all__ = ["AVAILABLE_MODES", "CURRENT_MODE", "current_mode", "tell_modes"]

AVAILABLE_MODES, CURRENT_MODE = 435, 436
_CURRENT_LAYOUT, _CURRENT_EXTRA = struct.Struct("<IIB"), 193
_LAYOUT = struct.Struct("<IIBBB35s")
_EXTRA = 134  # CRC_EXTRA of its definition
_ADVANCED, _NOT_CHOSEN = 1, 2  # MAV_MODE_PROPERTY
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
        Mode.TERMINATION: (13, "Termination"),
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


class _Packed(mav.MAVLink_message):  # type: ignore[misc]  # pymavlink has no types
    """A message, by its number, CRC_EXTRA and payload."""

    def __init__(self, number: int, name: str, extra: int, payload: bytes) -> None:
        super().__init__(number, name)
        self._extra, self._payload = extra, payload

    def pack(self, packer: Any, *, force_mavlink1: bool = False) -> bytes:
        """Its frame."""
        return bytes(self._pack(packer, self._extra, self._payload, force_mavlink1=force_mavlink1))


def tell_modes(flight: Flight, order: Order) -> int:
    """Answer REQUEST_MESSAGE for AVAILABLE_MODES: parameter 2 is the mode's place in the list from 1, or 0 for all."""
    dialect = flight.dialect
    rows = _in_order(dialect)
    wanted = order.item.params[1]
    number = round(wanted) if 0.0 <= wanted <= len(rows) else None
    for index, row in enumerate(rows, 1):
        if number in (0, index):
            order.reply(_available(dialect, row, index, len(rows)))
    return dialect.unsent if number is None and _is_px4(dialect) else int(mav.MAV_RESULT_ACCEPTED)


def _available(dialect: Dialect, row: ModeSpec, index: int, count: int) -> Any:
    standard = _standard(dialect, row.mode)
    name, properties = row.name, 0
    if _is_px4(dialect):
        name = "" if standard else _PX4[row.mode][1]
        properties = (0 if row.mode in _SIMPLE else _ADVANCED) | (0 if row.chosen else _NOT_CHOSEN)
    payload = _LAYOUT.pack(row.number, properties, count, index, standard, name.encode())
    return _Packed(AVAILABLE_MODES, "AVAILABLE_MODES", _EXTRA, payload)


def current_mode(flight: Flight) -> Any:
    """CURRENT_MODE."""
    number = flight.dialect.spec(flight.mode).number
    payload = _CURRENT_LAYOUT.pack(number, number, _standard(flight.dialect, flight.mode))
    return _Packed(CURRENT_MODE, "CURRENT_MODE", _CURRENT_EXTRA, payload)


def _standard(dialect: Dialect, mode: Mode) -> int:
    if not _is_px4(dialect):
        return _NON_STANDARD
    return _POSITION.get(dialect.form, _NON_STANDARD) if mode is Mode.POSITION else _STANDARD.get(mode, _NON_STANDARD)


def _in_order(dialect: Dialect) -> list[ModeSpec]:
    return sorted(dialect.modes, key=lambda row: _PX4[row.mode][0]) if _is_px4(dialect) else list(dialect.modes)


def _is_px4(dialect: Dialect) -> bool:
    return bool(dialect.autopilot == mav.MAV_AUTOPILOT_PX4)
