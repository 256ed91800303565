"""Telemetry: what each message says, and how often each peer gets it.

Rates are asked for in simulated time; a cap on the wall rate keeps a fast simulation from flooding its peers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import atan2, cos, degrees, hypot, nan, radians, sin
from typing import Any

from pymavlink.dialects.v20 import ardupilotmega as mav

from geo import shorter_turn
from sim.dialect_terms import Form
from sim.flight import Flight
from sim.flight_home import PAD
from sim.flight_power import Battery
from sim.flight_state import Mode
from sim.protocol_body import (
    attitude_quaternion,
    local_position,
    nav_controller,
    raw_imu,
    rc_channels,
    scaled_pressure,
    servo_output,
)
from sim.protocol_gimbal import device_flags, manager_information, manager_status
from sim.protocol_ids import with_ids
from sim.protocol_modes import CURRENT_MODE, current_mode
from sim.protocol_params import ftp_enabled
from sim.protocol_terrain import terrain_report, terrain_request

__all__ = ["BUILDERS", "DATA_STREAMS", "Schedule", "Snapshot"]

_GPS_AFTER_SHARE = 0.5
_NONE_U16 = 0xFFFF
_SENSORS = (
    mav.MAV_SYS_STATUS_SENSOR_3D_GYRO
    | mav.MAV_SYS_STATUS_SENSOR_3D_ACCEL
    | mav.MAV_SYS_STATUS_SENSOR_3D_MAG
    | mav.MAV_SYS_STATUS_SENSOR_ABSOLUTE_PRESSURE
    | mav.MAV_SYS_STATUS_SENSOR_GPS
    | mav.MAV_SYS_STATUS_SENSOR_BATTERY
)


class Snapshot:
    """One vehicle at one moment, in the units of the wire; what several messages share is worked out once."""

    def __init__(
        self, flight: Flight, frame_type: int, start_time_us: int, ids: tuple[int, int, int] = (0, 0, 0)
    ) -> None:
        self.flight = flight
        self.frame_type = frame_type
        self.ids = ids
        body = flight.body
        lat, lon = flight.place
        self.boot_ms = int(flight.time_s * 1000.0)
        self.unix_us = start_time_us + round(flight.time_s * 1e6)
        self.lat_e7, self.lon_e7 = round(lat * 1e7), round(lon * 1e7)
        self.amsl_mm = round((flight.setup.home_amsl_m + body.u) * 1000.0)
        self.above_home_m = body.u - flight.course.home.up_m
        self.yaw_deg = flight.true_yaw_deg(lat, lon)
        # Grid velocity to true north-east by the convergence, a rotation of a fraction of a degree.
        turn = radians(self.yaw_deg) - body.yaw
        self.vn = body.vn * cos(turn) - body.ve * sin(turn)
        self.ve = body.ve * cos(turn) + body.vn * sin(turn)
        self.speed = hypot(self.ve, self.vn)
        # A GPS fix comes before the estimator trusts it.
        estimate = flight.estimate
        self.fix = estimate.fix and flight.time_s >= _GPS_AFTER_SHARE * flight.setup.boot.position_s
        gps_lat, gps_lon = estimate.gps_place(body, flight.setup.frame) if estimate.is_off else (lat, lon)
        self.gps_lat_e7, self.gps_lon_e7 = round(gps_lat * 1e7), round(gps_lon * 1e7)
        wind = flight.wind
        self.roll, self.pitch = (0.0, 0.0) if flight.landed else body.roll_pitch(wind.mean_e_mps, wind.mean_n_mps)


def _heartbeat(s: Snapshot) -> Any:
    flight = s.flight
    spec = flight.dialect.spec(flight.mode)
    base = spec.flags | (mav.MAV_MODE_FLAG_SAFETY_ARMED if flight.armed else 0)
    active = flight.armed if flight.dialect.active_armed else not flight.landed
    status = mav.MAV_STATE_ACTIVE if active else mav.MAV_STATE_STANDBY
    if flight.guard.breached is not None:
        status = mav.MAV_STATE_CRITICAL
    if flight.terminated:
        status = mav.MAV_STATE_FLIGHT_TERMINATION
    return mav.MAVLink_heartbeat_message(s.frame_type, flight.dialect.autopilot, base, spec.number, status, 3)


def _centiamps(battery: Battery) -> int:
    """Current as the messages have it: what their 16 bits cannot hold is their largest, as autopilots send it."""
    return min(round(battery.current_a * 100.0), 32767)


def _sys_status(s: Snapshot) -> Any:
    battery, flight = s.flight.battery, s.flight
    present = enabled = _SENSORS
    health = _SENSORS if s.fix else _SENSORS & ~mav.MAV_SYS_STATUS_SENSOR_GPS
    if flight.dialect.lists_checks:
        enabled |= mav.MAV_SYS_STATUS_PREARM_CHECK
        present = enabled | mav.MAV_SYS_STATUS_GEOFENCE
        enabled |= mav.MAV_SYS_STATUS_GEOFENCE if flight.params["FENCE_ENABLE"] else 0
        health |= mav.MAV_SYS_STATUS_GEOFENCE if flight.guard.breached is None else 0
    health |= 0 if not flight.armed and flight.reasons() else mav.MAV_SYS_STATUS_PREARM_CHECK
    return mav.MAVLink_sys_status_message(
        present, enabled, health, 100, round(battery.voltage_v * 1000.0), _centiamps(battery),
        round(battery.remaining_pct), 0, 0, 0, 0, 0, 0,
    )  # fmt: skip


def _battery_status(s: Snapshot) -> Any:
    battery = s.flight.battery
    voltages = [round(battery.voltage_v * 1000.0)] + [65535] * 9
    left_s = 0
    if battery.power_w > 0.0:
        left_s = round(battery.remaining_pct / 100.0 * battery.model.capacity_wh * 3600.0 / battery.power_w)
    return mav.MAVLink_battery_status_message(
        0, mav.MAV_BATTERY_FUNCTION_ALL, mav.MAV_BATTERY_TYPE_LIPO, 32767, voltages, _centiamps(battery),
        round(battery.used_mah), round(battery.used_j / 100.0), round(battery.remaining_pct), left_s,
        mav.MAV_BATTERY_CHARGE_STATE_OK,
    )  # fmt: skip


def _gps_raw(s: Snapshot) -> Any:
    fix = mav.GPS_FIX_TYPE_RTK_FIXED if s.fix else mav.GPS_FIX_TYPE_NO_FIX
    course = round((degrees(atan2(s.ve, s.vn)) % 360.0) * 100.0) % 36000
    return mav.MAVLink_gps_raw_int_message(
        s.boot_ms * 1000, fix, s.gps_lat_e7 if s.fix else 0, s.gps_lon_e7 if s.fix else 0, s.amsl_mm if s.fix else 0,
        80 if s.fix else 65535, 120 if s.fix else 65535, round(s.speed * 100.0), course, 14 if s.fix else 0,
    )  # fmt: skip


def _global_position(s: Snapshot) -> Any:
    # A position that is lost stays what it was, as on ArduPilot.
    known = s.flight.has_position or s.flight.estimate.last is not None
    body = s.flight.body
    return mav.MAVLink_global_position_int_message(
        s.boot_ms, s.lat_e7 if known else 0, s.lon_e7 if known else 0, s.amsl_mm if known else 0,
        round(s.above_home_m * 1000.0), round(s.vn * 100.0), round(s.ve * 100.0), round(-body.vu * 100.0),
        round(s.yaw_deg * 100.0) % 36000,
    )  # fmt: skip


def _altitude(s: Snapshot) -> Any:
    """ALTITUDE of PX4, whose filter knows no ground below without a sensor that looks down."""
    up, amsl = s.above_home_m, s.amsl_mm / 1000.0
    return mav.MAVLink_altitude_message(s.boot_ms * 1000, amsl, amsl, up, up, nan, nan)


def _attitude(s: Snapshot) -> Any:
    yaw = radians(shorter_turn(s.yaw_deg))
    return mav.MAVLink_attitude_message(s.boot_ms, s.roll, s.pitch, yaw, 0.0, 0.0, s.flight.body.yaw_rate)


def _vfr_hud(s: Snapshot) -> Any:
    body, wind = s.flight.body, s.flight.wind
    air = 0.0 if s.flight.landed else hypot(body.ve - wind.mean_e_mps, body.vn - wind.mean_n_mps)
    air /= body.true_per_equivalent
    throttle = 0 if s.flight.landed else min(100, round(50.0 * s.flight.battery.power_w / s.flight.setup.power.hover_w))
    return mav.MAVLink_vfr_hud_message(air, s.speed, int(s.yaw_deg), throttle, s.amsl_mm / 1000.0, body.vu)


def _ekf_status(s: Snapshot) -> Any:
    flags = mav.EKF_ATTITUDE | mav.EKF_VELOCITY_VERT | mav.EKF_POS_VERT_ABS
    if s.flight.has_position:
        flags |= mav.EKF_VELOCITY_HORIZ | mav.EKF_POS_HORIZ_REL | mav.EKF_POS_HORIZ_ABS
        flags |= mav.EKF_PRED_POS_HORIZ_REL | mav.EKF_PRED_POS_HORIZ_ABS
    else:
        flags |= mav.EKF_CONST_POS_MODE
    return mav.MAVLink_ekf_status_report_message(flags, 0.02, 0.02, 0.02, 0.02, 0.0, 0.0)


def _estimator_status(s: Snapshot) -> Any:
    flags = mav.ESTIMATOR_ATTITUDE
    if s.flight.has_position:
        flags |= (
            mav.ESTIMATOR_VELOCITY_HORIZ
            | mav.ESTIMATOR_VELOCITY_VERT
            | mav.ESTIMATOR_POS_HORIZ_REL
            | mav.ESTIMATOR_POS_HORIZ_ABS
            | mav.ESTIMATOR_POS_VERT_ABS
            | mav.ESTIMATOR_PRED_POS_HORIZ_REL
            | mav.ESTIMATOR_PRED_POS_HORIZ_ABS
        )
        # What lies still says so, whatever it measures (ekf_helper.cpp: vehicle_at_rest).
        flags |= mav.ESTIMATOR_CONST_POS_MODE if s.flight.landed and not s.flight.armed else 0
    else:
        flags |= mav.ESTIMATOR_CONST_POS_MODE
    return mav.MAVLink_estimator_status_message(s.boot_ms * 1000, flags, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.5, 0.8)


def _mission_current(s: Snapshot) -> Any:
    flight = s.flight
    # ArduPilot's highest number and PX4's count are the same to a flight, whose item 0 is home.
    total = max(0, len(flight.mission) - 1)
    seq = max(0, flight.run.index - flight.dialect.first)
    if not flight.run.is_there:
        state = mav.MISSION_STATE_NO_MISSION
    elif flight.run.complete:
        state = mav.MISSION_STATE_COMPLETE
    elif flight.mode == Mode.AUTO and not flight.landed:
        state = mav.MISSION_STATE_ACTIVE
    else:
        paused = flight.dialect.tells_pauses and flight.run.index > 0
        state = mav.MISSION_STATE_PAUSED if paused else mav.MISSION_STATE_NOT_STARTED
    if total == 0 and flight.dialect.name == "px4":
        total = _NONE_U16  # MavlinkMissionManager::send_mission_current
    message = mav.MAVLink_mission_current_message(seq, total, state, 1 if flight.mode == Mode.AUTO else 2)
    mission_id, fence_id, rally_id = s.ids
    return with_ids(message, mission_id=mission_id, fence_id=fence_id, rally_points_id=rally_id)


def _home_position(s: Snapshot) -> Any:
    if not s.flight.has_position:
        return None
    setup, home = s.flight.setup, s.flight.course.home
    lat, lon, amsl_m = home.place(setup.frame, setup.home_amsl_m)
    east, north, up = home.at if setup.dialect.name == "px4" else PAD  # where it is locally ArduPilot does not say
    return mav.MAVLink_home_position_message(
        round(lat * 1e7), round(lon * 1e7), round(amsl_m * 1000.0),
        north, east, -up, [1.0, 0.0, 0.0, 0.0], 0.0, 0.0, 0.0, s.boot_ms * 1000,
    )  # fmt: skip


def _origin(s: Snapshot) -> Any:
    if not s.flight.has_position:
        return None
    setup = s.flight.setup
    return mav.MAVLink_gps_global_origin_message(
        round(setup.frame.lat_deg * 1e7), round(setup.frame.lon_deg * 1e7), round(setup.home_amsl_m * 1000.0),
        s.boot_ms * 1000,
    )  # fmt: skip


def _extended_state(s: Snapshot) -> Any:
    # Terminated and armed a PX4 never finds out that it lies on the ground.
    down = s.flight.landed and not (s.flight.terminated and s.flight.armed)
    state = mav.MAV_LANDED_STATE_ON_GROUND if down else mav.MAV_LANDED_STATE_IN_AIR
    vtol = mav.MAV_VTOL_STATE_UNDEFINED
    if s.flight.dialect.form is Form.VTOL:
        vtol = mav.MAV_VTOL_STATE_FW if s.flight.body.load > 0.0 else mav.MAV_VTOL_STATE_MC
    return mav.MAVLink_extended_sys_state_message(vtol, state)


def _system_time(s: Snapshot) -> Any:
    return mav.MAVLink_system_time_message(s.unix_us, s.boot_ms)


def _timesync(s: Snapshot) -> Any:
    return mav.MAVLink_timesync_message(0, s.boot_ms * 1_000_000 + s.flight.setup.sysid)


def _wind(s: Snapshot) -> Any:
    wind = s.flight.setup.wind
    return mav.MAVLink_wind_message(wind.from_deg % 360.0, wind.speed_mps, 0.0)


def _fence_status(s: Snapshot) -> Any:
    kinds = {None: 0, "Max Alt": 2, "Circle": 3, "Polygon": 3}
    breached = s.flight.guard.breached
    return mav.MAVLink_fence_status_message(int(breached is not None), int(breached is not None), kinds[breached], 0, 0)


def _gimbal_attitude(s: Snapshot) -> Any:
    """Pitch and roll against the earth, yaw in the vehicle's frame."""
    gimbal = s.flight.gimbal
    cy, sy = cos(0.5 * gimbal.yaw), sin(0.5 * gimbal.yaw)
    cp, sp = cos(0.5 * gimbal.pitch), sin(0.5 * gimbal.pitch)
    flags = device_flags(s.flight) | mav.GIMBAL_DEVICE_FLAGS_YAW_IN_VEHICLE_FRAME
    return mav.MAVLink_gimbal_device_attitude_status_message(
        0, 0, s.boot_ms, flags, [cp * cy, -sp * sy, sp * cy, cp * sy], 0.0, 0.0, 0.0, 0,
        radians(s.yaw_deg), s.flight.body.yaw_rate, 1,
    )  # fmt: skip


def _mount_status(s: Snapshot) -> Any:
    gimbal = s.flight.gimbal
    return mav.MAVLink_mount_status_message(
        0, 0, round(gimbal.pitch_deg * 100.0), 0, round(gimbal.yaw_deg * 100.0), mav.MAV_MOUNT_MODE_MAVLINK_TARGETING
    )


def _autopilot_version(s: Snapshot) -> Any:
    dialect = s.flight.dialect
    capabilities = dialect.capabilities
    if ftp_enabled(s.flight.params):
        capabilities |= mav.MAV_PROTOCOL_CAPABILITY_FTP
    if s.flight.terrain.enabled:
        capabilities |= mav.MAV_PROTOCOL_CAPABILITY_TERRAIN
    return mav.MAVLink_autopilot_version_message(
        capabilities, dialect.version, 0, 0, 0, [0] * 8, [0] * 8, [0] * 8, 0, 0, s.flight.setup.sysid
    )


BUILDERS: dict[int, Callable[[Snapshot], Any]] = {
    mav.MAVLINK_MSG_ID_HEARTBEAT: _heartbeat,
    mav.MAVLINK_MSG_ID_SYS_STATUS: _sys_status,
    mav.MAVLINK_MSG_ID_BATTERY_STATUS: _battery_status,
    mav.MAVLINK_MSG_ID_GPS_RAW_INT: _gps_raw,
    mav.MAVLINK_MSG_ID_GLOBAL_POSITION_INT: _global_position,
    mav.MAVLINK_MSG_ID_ALTITUDE: _altitude,
    mav.MAVLINK_MSG_ID_ATTITUDE: _attitude,
    mav.MAVLINK_MSG_ID_VFR_HUD: _vfr_hud,
    mav.MAVLINK_MSG_ID_EKF_STATUS_REPORT: _ekf_status,
    mav.MAVLINK_MSG_ID_ESTIMATOR_STATUS: _estimator_status,
    mav.MAVLINK_MSG_ID_MISSION_CURRENT: _mission_current,
    mav.MAVLINK_MSG_ID_HOME_POSITION: _home_position,
    mav.MAVLINK_MSG_ID_GPS_GLOBAL_ORIGIN: _origin,
    mav.MAVLINK_MSG_ID_EXTENDED_SYS_STATE: _extended_state,
    mav.MAVLINK_MSG_ID_SYSTEM_TIME: _system_time,
    mav.MAVLINK_MSG_ID_TIMESYNC: _timesync,
    mav.MAVLINK_MSG_ID_WIND: _wind,
    mav.MAVLINK_MSG_ID_FENCE_STATUS: _fence_status,
    mav.MAVLINK_MSG_ID_GIMBAL_DEVICE_ATTITUDE_STATUS: _gimbal_attitude,
    mav.MAVLINK_MSG_ID_MOUNT_STATUS: _mount_status,
    mav.MAVLINK_MSG_ID_GIMBAL_MANAGER_INFORMATION: lambda s: manager_information(s.flight),
    mav.MAVLINK_MSG_ID_GIMBAL_MANAGER_STATUS: lambda s: manager_status(s.flight),
    mav.MAVLINK_MSG_ID_AUTOPILOT_VERSION: _autopilot_version,
    mav.MAVLINK_MSG_ID_LOCAL_POSITION_NED: local_position,
    mav.MAVLINK_MSG_ID_ATTITUDE_QUATERNION: attitude_quaternion,
    mav.MAVLINK_MSG_ID_NAV_CONTROLLER_OUTPUT: nav_controller,
    mav.MAVLINK_MSG_ID_RAW_IMU: raw_imu,
    mav.MAVLINK_MSG_ID_SCALED_PRESSURE: scaled_pressure,
    mav.MAVLINK_MSG_ID_SERVO_OUTPUT_RAW: servo_output,
    mav.MAVLINK_MSG_ID_RC_CHANNELS: rc_channels,
    mav.MAVLINK_MSG_ID_TERRAIN_REPORT: lambda s: terrain_report(s.flight),
    mav.MAVLINK_MSG_ID_TERRAIN_REQUEST: lambda s: terrain_request(s.flight),
    CURRENT_MODE: lambda s: current_mode(s.flight),
}
# REQUEST_DATA_STREAM groups, as ArduCopter fills them.
_GROUPS: dict[int, tuple[int, ...]] = {
    mav.MAV_DATA_STREAM_EXTENDED_STATUS: (
        mav.MAVLINK_MSG_ID_SYS_STATUS,
        mav.MAVLINK_MSG_ID_MISSION_CURRENT,
        mav.MAVLINK_MSG_ID_GPS_RAW_INT,
        mav.MAVLINK_MSG_ID_NAV_CONTROLLER_OUTPUT,
        mav.MAVLINK_MSG_ID_FENCE_STATUS,
    ),
    mav.MAV_DATA_STREAM_RAW_SENSORS: (mav.MAVLINK_MSG_ID_RAW_IMU, mav.MAVLINK_MSG_ID_SCALED_PRESSURE),
    mav.MAV_DATA_STREAM_RC_CHANNELS: (mav.MAVLINK_MSG_ID_SERVO_OUTPUT_RAW, mav.MAVLINK_MSG_ID_RC_CHANNELS),
    mav.MAV_DATA_STREAM_POSITION: (mav.MAVLINK_MSG_ID_GLOBAL_POSITION_INT, mav.MAVLINK_MSG_ID_LOCAL_POSITION_NED),
    mav.MAV_DATA_STREAM_EXTRA1: (mav.MAVLINK_MSG_ID_ATTITUDE,),
    mav.MAV_DATA_STREAM_EXTRA2: (mav.MAVLINK_MSG_ID_VFR_HUD,),
    mav.MAV_DATA_STREAM_EXTRA3: (
        mav.MAVLINK_MSG_ID_SYSTEM_TIME,
        mav.MAVLINK_MSG_ID_WIND,
        mav.MAVLINK_MSG_ID_EKF_STATUS_REPORT,
        mav.MAVLINK_MSG_ID_BATTERY_STATUS,
        mav.MAVLINK_MSG_ID_GIMBAL_DEVICE_ATTITUDE_STATUS,
        mav.MAVLINK_MSG_ID_MOUNT_STATUS,
        mav.MAVLINK_MSG_ID_EXTENDED_SYS_STATE,
        mav.MAVLINK_MSG_ID_TERRAIN_REPORT,
        mav.MAVLINK_MSG_ID_TERRAIN_REQUEST,
    ),
}
DATA_STREAMS = {**_GROUPS, mav.MAV_DATA_STREAM_ALL: tuple(m for group in _GROUPS.values() for m in group)}


@dataclass(slots=True)
class _Stream:
    interval_s: float
    due_sim_s: float
    due_wall_s: float


class Schedule:
    """Which messages one peer gets, and when.

    Parameters
    ----------
    wall_hz
        Most messages of one kind a wall second.
    unasked
        Seconds between messages that come unasked.
    """

    def __init__(self, wall_hz: float, unasked: Mapping[int, float]) -> None:
        self._shortest_wall_s = 1.0 / wall_hz
        self._streams = {message: _Stream(interval_s, 0.0, 0.0) for message, interval_s in unasked.items()}

    def interval_s(self, message: int) -> float | None:
        """Simulated seconds between two messages of a kind; None where it is not sent."""
        stream = self._streams.get(message)
        return None if stream is None else stream.interval_s

    def set(self, message: int, interval_s: float | None) -> None:
        """Send a kind of message at an interval, or no more when None."""
        if interval_s is None:
            self._streams.pop(message, None)
        else:
            self._streams[message] = _Stream(interval_s, 0.0, 0.0)

    def due(self, sim_s: float, wall_s: float) -> list[int]:
        """Kinds to send now."""
        ready = []
        for message, stream in self._streams.items():
            if sim_s >= stream.due_sim_s and wall_s >= stream.due_wall_s:
                stream.due_sim_s = max(stream.due_sim_s + stream.interval_s, sim_s)
                stream.due_wall_s = wall_s + self._shortest_wall_s
                ready.append(message)
        return ready
