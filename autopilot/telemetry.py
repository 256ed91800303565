"""What a vehicle says of itself, collected into one snapshot with units and times."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from pymavlink.dialects.v20 import ardupilotmega as mav

from autopilot.long_texts import SAYING, Said
from autopilot.wire import Message
from autopilot.wire_decode import boot_ms_of, place_of, read
from geo import Altitude, Datum

__all__ = ["Telemetry", "TelemetryState", "Text", "on_earth"]

_POSITION_GOOD = mav.ESTIMATOR_POS_HORIZ_ABS  # 0x10
_POSITION_CONSTANT = mav.ESTIMATOR_CONST_POS_MODE  # 0x80: it assumes that it stands still
_POSITION_BY_GNSS = mav.ESTIMATOR_PRED_POS_HORIZ_ABS  # 0x200: and measures where all the same
_PREARM = mav.MAV_SYS_STATUS_PREARM_CHECK
_ARMED = mav.MAV_MODE_FLAG_SAFETY_ARMED
_GPS_3D = mav.GPS_FIX_TYPE_3D_FIX
_UNKNOWN_U16 = 0xFFFF
_CLOCK_RANGE_MS = 1 << 32  # time_boot_ms starts anew after 49.7 days
_MOST_TEXTS = 10_000
_UNIT_TOLERANCE = 0.05
_MOST_LAT_E7, _MOST_LON_E7 = 900_000_000, 1_800_000_000
_STEP_BACK_MS = 1000  # more than the messages of one vehicle overtake each other


@dataclass(frozen=True, slots=True)
class Text:
    """A STATUSTEXT.

    Parameters
    ----------
    time_us
        When it arrived, UTC microseconds since the Unix epoch.
    severity
        MAV_SEVERITY: 0 emergency to 7 debug.
    text
        What the vehicle said, all chunks joined, without white space about it (PX4 marks with a tab what it tells as an
        event too); "..." stands where some did not come.
    """

    time_us: int
    severity: int
    text: str


@dataclass(frozen=True, slots=True)
class Telemetry:
    """Snapshot of a vehicle. A field is None until the vehicle has said it, and where it says what is no number.

    Parameters
    ----------
    time_us
        Arrival of the newest message, UTC microseconds since the Unix epoch.
    vehicle_s
        The vehicle's own clock, seconds since it booted; runs at the time scale of a simulation.
    lat_deg, lon_deg
        Position, WGS 84 degrees.
    altitude
        Height above mean sea level.
    above_home_m
        Height above the home position, metres: above ground only where the ground is as high as home.
    agl
        Height above ground, where the vehicle has terrain data.
    velocity_ned_m_s
        Velocity north, east, down, metres a second.
    roll_deg, pitch_deg, yaw_deg
        Attitude of the airframe, degrees; yaw from true north, 0 to 360.
    battery_percent, battery_v
        Charge that remains, and voltage.
    mode, custom_mode
        Flight mode by name and by HEARTBEAT.custom_mode.
    armed
        Whether the motors may turn.
    system_status
        MAV_STATE.
    item, last_reached
        Current mission item, and the last that was reported as reached.
    landed
        True on the ground, False in the air.
    gps_fix, satellites
        GPS_FIX_TYPE (3 is a 3-D fix) and satellites used.
    estimator_flags
        ESTIMATOR_STATUS_FLAGS or EKF_STATUS_FLAGS: the bits used here are the same.
    prearm_good
        The pre-arm bit of SYS_STATUS; None where the vehicle has none, or none for its present mode. Alone it is not
        readiness.
    home
        Latitude and longitude of home, degrees, and its height AMSL, metres.
    gimbal_deg
        Attitude of the gimbal, degrees: yaw to the right, pitch up against the horizon, roll.
    gimbal_from_north
        True where that yaw is from true north, False where it is from the nose.
    boots
        How often its clock stepped back since it was first heard: each time it booted anew, or another spoke for it.
    """

    time_us: int = 0
    vehicle_s: float | None = None
    lat_deg: float | None = None
    lon_deg: float | None = None
    altitude: Altitude | None = None
    above_home_m: float | None = None
    agl: Altitude | None = None
    velocity_ned_m_s: tuple[float, float, float] | None = None
    roll_deg: float | None = None
    pitch_deg: float | None = None
    yaw_deg: float | None = None
    battery_percent: float | None = None
    battery_v: float | None = None
    mode: str | None = None
    custom_mode: int | None = None
    armed: bool | None = None
    system_status: int | None = None
    item: int | None = None
    last_reached: int | None = None
    landed: bool | None = None
    gps_fix: int | None = None
    satellites: int | None = None
    estimator_flags: int | None = None
    prearm_good: bool | None = None
    home: tuple[float, float, float] | None = None
    gimbal_deg: tuple[float, float, float] | None = None
    gimbal_from_north: bool | None = None
    boots: int = 0

    def not_ready(self) -> tuple[str, ...]:
        """Why the vehicle is not ready to arm, in words; empty where it is.

        The pre-arm bit turns healthy before there is a position, so the estimator's flags and the GPS decide with it.
        """
        return (*self.not_located(), *(("pre-arm checks fail",) if self.prearm_good is False else ()))

    @property
    def is_untold(self) -> bool:
        """Whether something that readiness is judged by was never told."""
        return self.gps_fix is None or self.estimator_flags is None or self.lat_deg is None

    def not_located(self) -> tuple[str, ...]:
        """Why it is not known where the vehicle is, in words; empty where it is.

        A vehicle without a fix reports a position too: 0 north 0 east, or where it was when it was switched off. One
        that assumes that it stands still measures nothing (ArduPilot), or is at rest and uses its GNSS, which it says
        beside it (PX4 ekf_helper.cpp, ``get_ekf_soln_status``: ``vehicle_at_rest``, ``gnss_pos``).
        """
        reasons = []
        if self.gps_fix is None or self.gps_fix < _GPS_3D:
            reasons.append("no GPS report" if self.gps_fix is None else f"GPS fix is {self.gps_fix}, 3 is needed")
        flags = self.estimator_flags
        if flags is None:
            reasons.append("no estimator report")
        elif not flags & _POSITION_GOOD or (flags & _POSITION_CONSTANT and not flags & _POSITION_BY_GNSS):
            reasons.append(f"the estimator has no absolute position (flags {flags:#x})")
        if self.lat_deg is None:
            reasons.append("no position report")
        return tuple(reasons)


class TelemetryState:
    """Takes messages in, gives a `Telemetry` out.

    Most are only kept until somebody looks: a newer one takes the place of an older one of its type unread.

    Parameters
    ----------
    mode_name
        Name of a HEARTBEAT.custom_mode: `Dialect.mode_name`.
    prearm_unlisted
        `Dialect.prearm_unlisted`.
    """

    def __init__(self, mode_name: Callable[[int], str], *, prearm_unlisted: bool = False) -> None:
        self._mode_name = mode_name
        self._prearm_unlisted = prearm_unlisted
        self._by_hand = True
        self._values: dict[str, object] = {}
        self._heard = Said()
        self._unread: dict[str, Message] = {}  # in the order in which they came
        self._boot_ms: int | None = None
        self._boots = 0
        self.texts: list[Text] = []
        self.said = 0  # texts so far, those too that are not kept any more

    def snapshot(self) -> Telemetry:
        """What is known now."""
        for kind, message in self._unread.items():
            self._read(kind, message)
        self._unread.clear()
        telemetry = Telemetry(**self._values)  # type: ignore[arg-type]  # the table below fills it by name
        # Whether it could be flown by hand, where nobody may stand with a radio control, says nothing of a mission.
        return replace(telemetry, prearm_good=None) if self._prearm_unlisted and self._by_hand else telemetry

    def take(self, message: Message, now_s: float | None = None) -> bool:
        """Take a message in, at a time on any clock of seconds or else now; whether it changed the snapshot."""
        kind = message.get_type()
        if kind in SAYING:
            self._heard.take(message, time.monotonic() if now_s is None else now_s)
            self._take_texts()
            return True
        if kind == "HEARTBEAT" and self._heard.look(time.monotonic() if now_s is None else now_s):
            self._take_texts()
        if kind in _WHOLE:
            self._unread.pop(kind, None)
            self._unread[kind] = message
        elif kind in _READERS:
            self._read(kind, message)
        else:
            return False
        boot_ms = boot_ms_of(message)
        if boot_ms is not None:
            self._values["vehicle_s"] = boot_ms / 1000
            self._watch_clock(boot_ms)
        self._values["time_us"] = time.time_ns() // 1000
        return True

    def _read(self, kind: str, message: Message) -> None:
        message = read(message)
        self._values.update(_READERS[kind](message))
        if kind == "HEARTBEAT":
            self._values["mode"] = self._mode_name(message.custom_mode)
            self._by_hand = bool(message.base_mode & mav.MAV_MODE_FLAG_MANUAL_INPUT_ENABLED)
        elif kind == "SYS_STATUS" and self._prearm_unlisted:
            self._values["prearm_good"] = bool(message.onboard_control_sensors_health & _PREARM)

    def _watch_clock(self, boot_ms: int) -> None:
        if self._boot_ms is not None:
            back_ms = (self._boot_ms - boot_ms) % _CLOCK_RANGE_MS
            if _STEP_BACK_MS < back_ms < _CLOCK_RANGE_MS // 2:
                self._boots += 1
                self._values["boots"] = self._boots
        self._boot_ms = boot_ms

    def _take_texts(self) -> None:
        now_us = time.time_ns() // 1000
        whole = self._heard.finished()
        self.texts.extend(Text(now_us, severity, text) for severity, text in whole)
        self.said += len(whole)
        del self.texts[:-_MOST_TEXTS]


Values = dict[str, object]


def _heartbeat(m: Message) -> Values:
    return {"custom_mode": m.custom_mode, "armed": bool(m.base_mode & _ARMED), "system_status": m.system_status}


def on_earth(m: Message) -> bool:
    """Whether a GLOBAL_POSITION_INT names a place; the largest number stands for one that is not known."""
    lat_e7, lon_e7 = place_of(m)
    return abs(lat_e7) <= _MOST_LAT_E7 and abs(lon_e7) <= _MOST_LON_E7


def _global_position(m: Message) -> Values:
    if not on_earth(m):
        return {}
    return {
        "lat_deg": m.lat / 1e7,
        "lon_deg": m.lon / 1e7,
        "altitude": Altitude(m.alt / 1000, Datum.AMSL),
        "above_home_m": m.relative_alt / 1000,
        "velocity_ned_m_s": (m.vx / 100, m.vy / 100, m.vz / 100),
    }


def _attitude(m: Message) -> Values:
    yaw_deg = _degrees(m.yaw)
    return {
        "roll_deg": _degrees(m.roll),
        "pitch_deg": _degrees(m.pitch),
        "yaw_deg": None if yaw_deg is None else yaw_deg % 360,
    }


def _degrees(radians: float) -> float | None:
    return math.degrees(radians) if math.isfinite(radians) else None


def _terrain(m: Message) -> Values:
    return {"agl": Altitude(m.current_height, Datum.AGL) if math.isfinite(m.current_height) else None}


def _home(m: Message) -> Values:
    if not (abs(m.latitude) <= _MOST_LAT_E7 and abs(m.longitude) <= _MOST_LON_E7):
        return {}
    if m.latitude == m.longitude == 0:  # none is set
        return {}
    return {"home": (m.latitude / 1e7, m.longitude / 1e7, m.altitude / 1000)}


def _sys_status(m: Message) -> Values:
    values: Values = {}
    if m.battery_remaining >= 0:
        values["battery_percent"] = float(m.battery_remaining)
    if m.voltage_battery != _UNKNOWN_U16:
        values["battery_v"] = m.voltage_battery / 1000
    if m.onboard_control_sensors_present & _PREARM:
        values["prearm_good"] = bool(m.onboard_control_sensors_health & _PREARM)
    return values


def _battery_status(m: Message) -> Values:
    return {"battery_percent": float(m.battery_remaining)} if m.id == 0 and m.battery_remaining >= 0 else {}


def _extended(m: Message) -> Values:
    ground, air = mav.MAV_LANDED_STATE_ON_GROUND, (
        mav.MAV_LANDED_STATE_IN_AIR, mav.MAV_LANDED_STATE_TAKEOFF, mav.MAV_LANDED_STATE_LANDING
    )  # fmt: skip
    if m.landed_state == ground:
        return {"landed": True}
    return {"landed": False} if m.landed_state in air else {}


def _gimbal(m: Message) -> Values:
    # Quaternion to yaw, pitch, roll in this order of turns (Z-Y-X), as MAVLink's gimbal protocol v2 means it.
    w, x, y, z = m.q
    if not abs(math.hypot(w, x, y, z) - 1) < _UNIT_TOLERANCE:  # NaN where it does not know
        return {}
    in_earth, in_vehicle, locked = (
        bool(m.flags & flag)
        for flag in (
            mav.GIMBAL_DEVICE_FLAGS_YAW_IN_EARTH_FRAME,
            mav.GIMBAL_DEVICE_FLAGS_YAW_IN_VEHICLE_FRAME,
            mav.GIMBAL_DEVICE_FLAGS_YAW_LOCK,
        )
    )
    yaw = math.atan2(2 * (w * z + x * y), 1 - 2 * (y * y + z * z))
    pitch = math.asin(max(-1.0, min(1.0, 2 * (w * y - z * x))))
    roll = math.atan2(2 * (w * x + y * z), 1 - 2 * (x * x + y * y))
    angles = (math.degrees(yaw), math.degrees(pitch), math.degrees(roll))
    return {"gimbal_deg": angles, "gimbal_from_north": in_earth or (locked and not in_vehicle)}


_READERS: dict[str, Callable[[Message], Values]] = {
    "HEARTBEAT": _heartbeat,
    "GLOBAL_POSITION_INT": _global_position,
    "ATTITUDE": _attitude,
    "SYS_STATUS": _sys_status,
    "BATTERY_STATUS": _battery_status,
    "EXTENDED_SYS_STATE": _extended,
    "GPS_RAW_INT": lambda m: {"gps_fix": m.fix_type, "satellites": m.satellites_visible},
    "EKF_STATUS_REPORT": lambda m: {"estimator_flags": m.flags},
    "ESTIMATOR_STATUS": lambda m: {"estimator_flags": m.flags},
    "MISSION_CURRENT": lambda m: {"item": m.seq},
    "MISSION_ITEM_REACHED": lambda m: {"last_reached": m.seq},
    "TERRAIN_REPORT": _terrain,
    "HOME_POSITION": _home,
    "GIMBAL_DEVICE_ATTITUDE_STATUS": _gimbal,
    "SYSTEM_TIME": lambda _: {},
}

_WHOLE = frozenset(_READERS) - {
    "SYS_STATUS",
    "BATTERY_STATUS",
    "EXTENDED_SYS_STATE",
    "GIMBAL_DEVICE_ATTITUDE_STATUS",
}
"""Messages that always say the same fields, which none of the others says: of these only the newest counts."""
