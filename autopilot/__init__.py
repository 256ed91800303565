"""MAVLink: links, list transfers proved by read-back, vehicles, fleets; one file an autopilot dialect."""

from autopilot.ardupilot import ARDUCOPTER, ARDUPLANE
from autopilot.area import FlightArea, Place
from autopilot.compare import differences
from autopilot.cue import Answer, Cue, Offer, Standing
from autopilot.dialect import Dialect
from autopilot.dialects import dialect_of
from autopilot.dispatch import dispatch
from autopilot.errors import (
    AbsentError,
    AutopilotError,
    CommandError,
    Difference,
    FlightError,
    FtpError,
    LinkError,
    LogError,
    MismatchError,
    NotReadyError,
    ParameterError,
    PlaceError,
    RejectedError,
    TransferError,
    TransferTimeoutError,
    VehicleState,
)
from autopilot.flight import fly
from autopilot.ftp import Ftp, FtpEntry, ftp_crc32
from autopilot.ground_station import GroundWatch, check_ground_station, ground_watch, twin_words
from autopilot.limits import FlightLimits, FlightProgress
from autopilot.link import Link
from autopilot.link_account import LinkEvent, LinkStatistics
from autopilot.link_open import open_link
from autopilot.log_table import tlog_to_parquet
from autopilot.mailbox import Mailbox
from autopilot.orders import Loiter, Orders
from autopilot.orders_camera import look_ahead, look_at, turn_gimbal, turn_gimbal_at
from autopilot.orders_plain import change_speed, emergency_stop
from autopilot.parameter_list import all_parameters
from autopilot.parameter_names import names_of, value_of
from autopilot.patrol import Patrol, fly_patrol
from autopilot.patrol_report import Change, PatrolFlight, PatrolReport, PatrolVehicle, Replanned
from autopilot.patrol_rules import PatrolRules
from autopilot.patrol_states import Duty, State
from autopilot.pilot_order import Piloted, PilotOrder
from autopilot.preflight import Capabilities, capabilities, check_vehicle, enable_fence, item_limit
from autopilot.px4 import PX4
from autopilot.report import Event, FlightReport, ItemReached, Landing, SortieReport, VehicleReport
from autopilot.signing import Signing, SigningClock, SigningKey, signing_clock_file
from autopilot.standby import Readiness, Standby, readiness, standing_by
from autopilot.task import FlightTask, tasks_of
from autopilot.telemetry import Telemetry, Text
from autopilot.timing import Timing
from autopilot.tlog import read_tlog
from autopilot.transfer import Verified, clear, download, upload, upload_verified
from autopilot.transfer_proof import still_holds
from autopilot.unfinished import unfinished
from autopilot.vehicle import Vehicle
from autopilot.words import MissionKind, command_words, mission_words

__all__ = [
    "ARDUCOPTER",
    "ARDUPLANE",
    "PX4",
    "AbsentError",
    "Answer",
    "AutopilotError",
    "Capabilities",
    "Change",
    "CommandError",
    "Cue",
    "Dialect",
    "Difference",
    "Duty",
    "Event",
    "FlightArea",
    "FlightError",
    "FlightLimits",
    "FlightProgress",
    "FlightReport",
    "FlightTask",
    "Ftp",
    "FtpEntry",
    "FtpError",
    "GroundWatch",
    "ItemReached",
    "Landing",
    "Link",
    "LinkError",
    "LinkEvent",
    "LinkStatistics",
    "LogError",
    "Loiter",
    "Mailbox",
    "MismatchError",
    "MissionKind",
    "NotReadyError",
    "Offer",
    "Orders",
    "ParameterError",
    "Patrol",
    "PatrolFlight",
    "PatrolReport",
    "PatrolRules",
    "PatrolVehicle",
    "PilotOrder",
    "Piloted",
    "Place",
    "PlaceError",
    "Readiness",
    "RejectedError",
    "Replanned",
    "Signing",
    "SigningClock",
    "SigningKey",
    "SortieReport",
    "Standby",
    "Standing",
    "State",
    "Telemetry",
    "Text",
    "Timing",
    "TransferError",
    "TransferTimeoutError",
    "Vehicle",
    "VehicleReport",
    "VehicleState",
    "Verified",
    "all_parameters",
    "capabilities",
    "change_speed",
    "check_ground_station",
    "check_vehicle",
    "clear",
    "command_words",
    "dialect_of",
    "differences",
    "dispatch",
    "download",
    "emergency_stop",
    "enable_fence",
    "fly",
    "fly_patrol",
    "ftp_crc32",
    "ground_watch",
    "item_limit",
    "look_ahead",
    "look_at",
    "mission_words",
    "names_of",
    "open_link",
    "read_tlog",
    "readiness",
    "signing_clock_file",
    "standing_by",
    "still_holds",
    "tasks_of",
    "tlog_to_parquet",
    "turn_gimbal",
    "turn_gimbal_at",
    "twin_words",
    "unfinished",
    "upload",
    "upload_verified",
    "value_of",
]
