"""EVENT, by which PX4 tells what it does not say in texts: among it most of what keeps it from arming.

An event is a number and a level; what it says in words is in a file of that build. The number is a hash of the event's
name (PX4 `events.h`): the names in PX4's sources (1.14 to main of May 2026) of what concerns a flight are enough to say
most of it. The dialect of MAVLink that is spoken here lacks the message, so it is read here. A lost one is not asked
for again.
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

_NAMES = """
check_above_wind_limits_warning check_accel_missing check_accel_no_data check_accel_not_calibrated
check_airspeed_invalid check_airspeed_no_data check_airspeed_too_high check_armable_configuration
check_avionics_power_high check_avionics_power_low check_avionics_power_missing check_avionics_power_redundancy
check_baro_missing check_baro_no_data check_battery_critical check_battery_disconnected check_battery_emergency
check_battery_fault check_battery_low check_battery_missing check_battery_rem_flight_time_low
check_battery_unhealthy check_cpuload_too_high check_distance_sensor_invalid check_distance_sensor_missing
check_escs_not_all_armed check_escs_offline check_escs_telem_missing check_estimator_gnss_fault
check_estimator_gnss_fusion_started check_estimator_gnss_fusion_stopped check_estimator_gnss_warning_jamming
check_estimator_gnss_warning_spoofing check_estimator_gps_fix_too_low check_estimator_gps_generic
check_estimator_gps_hor_pos_drift_too_high check_estimator_gps_hor_pos_err_too_high
check_estimator_gps_hor_speed_drift_too_high check_estimator_gps_jammed check_estimator_gps_jamming_critical
check_estimator_gps_not_fusing check_estimator_gps_num_sats_too_low check_estimator_gps_pdop_too_high
check_estimator_gps_speed_acc_too_low check_estimator_gps_spoofed check_estimator_gps_vert_pos_drift_too_high
check_estimator_gps_vert_pos_err_too_high check_estimator_gps_vert_speed_drift_too_high
check_estimator_heading_no_source check_estimator_heading_not_stable check_estimator_hgt_not_stable
check_estimator_high_accel_bias check_estimator_high_gyro_bias check_estimator_hor_pos_not_stable
check_estimator_hor_vel_not_stable check_estimator_low_position_accuracy check_estimator_mag_fault
check_estimator_mag_interference check_estimator_missing_data check_estimator_position_failure_imminent
check_estimator_vert_vel_not_stable check_ext_update_check_fail check_external_modes_unavailable
check_external_modes_unresponsive check_failure_detector_alt check_failure_detector_arm_esc
check_failure_detector_ext check_failure_detector_imbalanced_prop check_failure_detector_pitch
check_failure_detector_roll check_flight_time_limit check_gf_no_home check_gf_violation_custom_gf
check_gf_violation_max_alt check_gf_violation_max_hor_dist check_gyro_missing check_gyro_no_data
check_gyro_not_calibrated check_hardfault_present check_high_wind_warning check_imu_accel_inconsistent
check_imu_gyro_inconsistent check_mag_consistency check_mag_fault check_mag_missing check_mag_no_data
check_mag_not_calibrated check_mag_sys_has_mag_missing check_man_control_kill_engaged
check_man_control_landing_gear_up check_man_control_rtl_engaged check_missing_cpuload check_missing_fmu_sdcard
check_missing_system_power check_mission_failure check_modes_angular_velocity check_modes_attitude
check_modes_cannot_takeoff check_modes_global_pos check_modes_home_position check_modes_local_alt
check_modes_local_pos check_modes_manual_control check_modes_mission check_modes_not_supported
check_modes_offboard_signal check_motor_overcurrent check_motor_undercurrent check_navigator_failure_hagl
check_open_drone_id_missing check_open_drone_id_unhealthy check_optical_flow_sensor_invalid
check_optical_sensor_missing check_parachute_missing check_parachute_unhealthy check_power_oc_hipower
check_power_oc_periph check_power_oc_report check_rally_point_missing check_ram_usage_too_high check_rc_dl_no_dllink
check_rc_max_too_high check_rc_min_too_small check_rc_trim_too_high check_rc_trim_too_small
check_regulator_telem_missing check_system_arm_auth_failed check_system_avoidance_not_ready
check_system_flight_term_active check_system_no_global_pos check_system_no_home_pos check_system_safety_button
check_system_usb_connected check_system_vtol_in_fw_mode check_system_vtol_in_transition check_task_watchdog_present
check_traffic_avoidance_missing check_vtol_fixed_wing_system_failure check_wind_too_high
commander_arming_check_summary commander_failsafe_enter_autopilot_disengaged commander_failsafe_enter_crit_bat_warn
commander_failsafe_enter_crit_low_bat_warn commander_failsafe_enter_generic commander_failsafe_enter_generic_hold
commander_failsafe_enter_generic_warn commander_failsafe_enter_low_bat commander_failsafe_enter_low_flight_time_warn
commander_failsafe_enter_warn commander_health_summary commander_kill_sw_engaged
commander_max_flight_time_warning_minutes commander_max_flight_time_warning_seconds commander_mode_fallback_internal
commander_rc_lost commander_rc_regained failsafe_rc_override feasibility_mis_in_air_landing_req
fixedwing_position_control_descend fixedwing_position_control_fb_loiter
fixedwing_position_control_landing_abort_status_operator_abort
fixedwing_position_control_landing_abort_status_terrain_not_found
fixedwing_position_control_landing_abort_status_terrain_timeout
fixedwing_position_control_landing_abort_status_unknown_criterion fixedwing_position_control_landing_circle_flaring
fixedwing_position_control_landing_flaring fixedwing_position_control_takeoff launch_detection_enable_motors
launch_detection_no_motor_delay launch_detection_running_info launch_detection_wait_for_throttle
navigator_autotune_unsupported_ax navigator_autotune_unsupported_input navigator_mis_first_wp_far
npfg_roll_command_uncertain runway_takeoff_reached_airspeed runway_takeoff_reached_clearance_altitude
sensor_failover sensor_failover_baro sensor_failover_mag vtol_att_ctrl_quadchute_alt_loss
vtol_att_ctrl_quadchute_ext_cmd vtol_att_ctrl_quadchute_max_pitch vtol_att_ctrl_quadchute_max_roll
vtol_att_ctrl_quadchute_min_alt vtol_att_ctrl_quadchute_trans_alt_err
""".split()  # noqa: SIM905 (one a line would be a page of it)
_AS_TEXTS = """
commander_airmode_requires_no_arm_gesture commander_arm_denied_calibrating commander_arm_denied_not_manual
commander_arm_denied_resolve_failures commander_arm_denied_throttle_unsafe commander_armed_by
commander_cal_cmd_denied commander_cal_no_inputs commander_cal_trim_done commander_cal_trim_param_set_failed
commander_calib_rc_off commander_calib_rc_on commander_ctrl_high_latency_failed commander_disarm_denied_not_landed
commander_disarmed_by commander_dl_regained commander_esc_calibration_denied commander_failsafe_enter
commander_failsafe_enter_hold commander_gcs_lost commander_high_latency_lost commander_kill_sw_disengaged
commander_landing_current_pos commander_landing_detected commander_landing_prec_land commander_load_param_failed
commander_low_bat_shutdown commander_low_bat_shutdown_failed commander_mission_comp_lost
commander_mission_start_denied_no_mission commander_modeswitch_not_avail commander_onboard_ctrl_regained
commander_open_drone_id_regained commander_parachute_regained commander_rc_override commander_remote_id_lost
commander_rtl commander_save_param_failed commander_takeoff_detected commander_traffic_avoidance_lost
commander_traffic_avoidance_regained commander_unsupported_arm_disarm_param commander_unsupported_auto_mode
commander_unsupported_base_mode commander_unsupported_main_mode mavlink_mission_getlist_busy
mavlink_mission_ignore_clear mavlink_mission_ignore_mis_count mavlink_mission_item_partner_id_mismatch
mavlink_mission_mis_item_busy mavlink_mission_mis_item_invalid mavlink_mission_mis_req_ignored_busy
mavlink_mission_no_transfer mavlink_mission_partner_id_mismatch mavlink_mission_partner_id_mismatch2
mavlink_mission_recv_unknown_mis_type mavlink_mission_req_ignored mavlink_mission_seq_out_of_bounds
mavlink_mission_state_busy mavlink_mission_storage_failure mavlink_mission_storage_read_failure
mavlink_mission_storage_write_failure2 mavlink_mission_storage_write_failure3 mavlink_mission_sync_timeout
mavlink_mission_unknown_mis_type mavlink_mission_wp_index_exceeds_list mavlink_mission_wp_index_out_of_bounds
mavlink_mission_wp_unexpected mavlink_mission_wp_unexpected2 mission_climb_before_start mission_execute
mission_failed_set_closest mission_failed_set_jump_count mission_failed_to_read_wp mission_failed_to_write_do_jump
mission_finished mission_finished_loiter mission_holding_above_landing mission_invalid_mission_state
mission_item_set_failed mission_not_valid_loiter mission_not_valid_refuse navigator_change_altitude_outside_geofence
navigator_fail_max_hagl navigator_geofence_import_failed navigator_geofence_imported
navigator_geofence_invalid_against_cur_pos navigator_geofence_invalid_against_home navigator_mis_add_land_or_rm_to
navigator_mis_add_to_or_rm_land navigator_mis_approach_wp_below_land navigator_mis_correct_glide_slope
navigator_mis_geofence_no_home navigator_mis_geofence_no_home2 navigator_mis_geofence_violation
navigator_mis_glide_slope_too_steep navigator_mis_invalid_land navigator_mis_land_before_rtl
navigator_mis_land_missing navigator_mis_land_wp_inside_orbit_radius navigator_mis_multiple_land
navigator_mis_no_home_rel_alt navigator_mis_no_pos_lock navigator_mis_starts_w_landing
navigator_mis_starts_w_landing2 navigator_mis_takeoff_missing navigator_mis_takeoff_not_first
navigator_mis_takeoff_or_land_missing navigator_mis_takeoff_too_low navigator_mis_unsup_cmd
navigator_mis_unsupported_landing_approach_wp navigator_mis_vtol_items navigator_mis_wp_gate_too_close
navigator_mission_failure_heading navigator_reposition_outside_geofence navigator_takeoff_already_higher
navigator_takeoff_default_alt navigator_terrain_collision_risk navigator_transition_descend rtl_completed_loiter
rtl_failed_to_read_land_item rtl_land_at_destination rtl_mission_land_climb rtl_unsupported_mav_frame vrtl_return_at
vtol_att_ctrl_quadchute_tout
""".split()  # noqa: SIM905 (as above; PX4 says these as texts too, which end with a tab)


def _number(name: str) -> int:
    """The number of an event: FNV-1a of its name, 24 bits, with its component above."""
    value = _FNV_BASIS
    for byte in name.encode():
        value = (value ^ byte) * _FNV_PRIME & 0xFFFFFFFF
    return _AUTOPILOT | value & 0xFFFFFF


_BY_NUMBER = MappingProxyType({_number(name): name for name in _NAMES})
_TOLD = frozenset(_number(name) for name in _AS_TEXTS)


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
        """What it says; None where it is for programs, or comes as a text too."""
        if self.severity >= len(_LEVELS) or self.number in _TOLD:
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
