"""EVENT, by which PX4 tells what it does not say in texts: among it most of what keeps it from arming.

An event is a number and a level; what it says in words is in a file of that build. The number is a hash of the event's
name (PX4 `events.h`): the names in PX4's sources of what concerns a flight are enough to say most of it. The dialect of
MAVLink that is spoken here lacks the message, so it is read here. A lost one is not asked for again.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from types import MappingProxyType

from autopilot.wire_decode import checksum

__all__ = ["PX4Event", "event_in"]

_NUMBER, _EXTRA = 410, 160  # MAVLink common.xml
_V2, _HEAD, _CHECKSUM = 0xFD, 10, 2
_FIELDS = struct.Struct("<IIHBBB40s")
_LEVELS = ("emergency", "alert", "critical", "error", "warning", "notice", "info", "debug")
_AUTOPILOT = 1 << 24  # of the component, above the hash
_FNV_BASIS, _FNV_PRIME = 0x811C9DC5, 0x01000193

_NAMES = (
    "check_airspeed_invalid",
    "check_battery_critical",
    "check_battery_disconnected",
    "check_battery_emergency",
    "check_battery_fault",
    "check_battery_low",
    "check_battery_missing",
    "check_battery_rem_flight_time_low",
    "check_battery_unhealthy",
    "check_estimator_gnss_fault",
    "check_estimator_gnss_fusion_started",
    "check_estimator_gnss_fusion_stopped",
    "check_estimator_gnss_warning_jamming",
    "check_estimator_gnss_warning_spoofing",
    "check_estimator_gps_fix_too_low",
    "check_estimator_gps_generic",
    "check_estimator_gps_hor_pos_drift_too_high",
    "check_estimator_gps_hor_pos_err_too_high",
    "check_estimator_gps_hor_speed_drift_too_high",
    "check_estimator_gps_jammed",
    "check_estimator_gps_jamming_critical",
    "check_estimator_gps_not_fusing",
    "check_estimator_gps_num_sats_too_low",
    "check_estimator_gps_pdop_too_high",
    "check_estimator_gps_speed_acc_too_low",
    "check_estimator_gps_spoofed",
    "check_estimator_gps_vert_pos_drift_too_high",
    "check_estimator_gps_vert_pos_err_too_high",
    "check_estimator_gps_vert_speed_drift_too_high",
    "check_estimator_heading_no_source",
    "check_estimator_heading_not_stable",
    "check_estimator_hgt_not_stable",
    "check_estimator_high_accel_bias",
    "check_estimator_high_gyro_bias",
    "check_estimator_hor_pos_not_stable",
    "check_estimator_hor_vel_not_stable",
    "check_estimator_low_position_accuracy",
    "check_estimator_mag_fault",
    "check_estimator_mag_interference",
    "check_estimator_missing_data",
    "check_estimator_position_failure_imminent",
    "check_estimator_vert_vel_not_stable",
    "check_ext_update_check_fail",
    "check_flight_time_limit",
    "check_missing_cpuload",
    "check_mission_failure",
    "check_modes_angular_velocity",
    "check_modes_attitude",
    "check_modes_cannot_takeoff",
    "check_modes_global_pos",
    "check_modes_home_position",
    "check_modes_local_alt",
    "check_modes_local_pos",
    "check_modes_manual_control",
    "check_modes_mission",
    "check_modes_not_supported",
    "check_open_drone_id_missing",
    "check_rc_dl_no_dllink",
    "check_regulator_telem_missing",
    "check_system_arm_auth_failed",
    "check_system_avoidance_not_ready",
    "check_system_flight_term_active",
    "check_system_no_global_pos",
    "check_system_no_home_pos",
    "check_system_safety_button",
    "check_system_usb_connected",
    "check_system_vtol_in_fw_mode",
    "check_system_vtol_in_transition",
    "commander_rc_lost",
    "commander_rc_regained",
)


def _number(name: str) -> int:
    """The number of an event: FNV-1a of its name, 24 bits, with its component above."""
    value = _FNV_BASIS
    for byte in name.encode():
        value = (value ^ byte) * _FNV_PRIME & 0xFFFFFFFF
    return _AUTOPILOT | value & 0xFFFFFF


_BY_NUMBER = MappingProxyType({_number(name): name for name in _NAMES})


@dataclass(frozen=True, slots=True)
class PX4Event:
    """An EVENT.

    Parameters
    ----------
    system, component
        Who says it.
    number
        Which event.
    severity
        As MAV_SEVERITY: 0 emergency to 7 debug; above for what is meant for programs.
    sequence
        Its number in the order in which it was said.
    time_boot_ms
        When, milliseconds since boot.
    """

    system: int
    component: int
    number: int
    severity: int
    sequence: int
    time_boot_ms: int

    def get_type(self) -> str:
        """As pymavlink's messages."""
        return "EVENT"

    def get_srcSystem(self) -> int:  # noqa: N802  pymavlink's
        """System id of its sender."""
        return self.system

    def get_srcComponent(self) -> int:  # noqa: N802
        """Component id of its sender."""
        return self.component

    def get_payload(self) -> bytes:
        """What tells it from others, as it travels: which event, when, and its number in their order."""
        return struct.pack("<IIH", self.number, self.time_boot_ms, self.sequence)

    def words(self) -> str | None:
        """What it says; None where it is for programs."""
        if self.severity >= len(_LEVELS):
            return None
        name = _BY_NUMBER.get(self.number)
        said = f"number {self.number}" if name is None else name.removeprefix("check_").replace("_", " ")
        return f"event ({_LEVELS[self.severity]}): {said}"


def event_in(packet: bytes) -> PX4Event | None:
    """The event in a packet of MAVLink 2; None where it holds something else, or its checksum is wrong."""
    if packet[0] != _V2 or int.from_bytes(packet[7:10], "little") != _NUMBER:
        return None
    end = _HEAD + packet[1]
    if checksum(packet[1:end] + bytes((_EXTRA,))) != int.from_bytes(packet[end : end + _CHECKSUM], "little"):
        return None
    payload = packet[_HEAD:end].ljust(_FIELDS.size, b"\0")[: _FIELDS.size]
    number, boot_ms, sequence, _component, _system, levels, _ = _FIELDS.unpack(payload)
    return PX4Event(packet[5], packet[6], number, levels & 0xF, sequence, boot_ms)
