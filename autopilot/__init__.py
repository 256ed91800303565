"""MAVLink: links, list transfers proved by read-back, vehicles, fleets; one file an autopilot dialect."""

from autopilot.ardupilot import ARDUCOPTER, ARDUPLANE
from autopilot.compare import differences
from autopilot.cue import Answer, Cue, Offer, Standing
from autopilot.dialect import Dialect
from autopilot.dialects import dialect_of
from autopilot.dispatch import dispatch
from autopilot.errors import (
    AutopilotError,
    CommandError,
    Difference,
    FlightError,
    LinkError,
    MismatchError,
    NotReadyError,
    ParameterError,
    RejectedError,
    TransferError,
    TransferTimeoutError,
    VehicleState,
)
from autopilot.flight import fly
from autopilot.limits import FlightLimits, FlightProgress
from autopilot.link import Link, LinkStatistics
from autopilot.link_open import open_link
from autopilot.mailbox import Mailbox
from autopilot.patrol import Patrol, fly_patrol
from autopilot.patrol_report import Change, PatrolFlight, PatrolReport, PatrolVehicle, Replanned
from autopilot.patrol_rules import PatrolRules
from autopilot.patrol_states import Duty, State
from autopilot.preflight import Capabilities, capabilities, check_vehicle, enable_fence, item_limit
from autopilot.px4 import PX4
from autopilot.report import Event, FlightReport, ItemReached, Landing, SortieReport, VehicleReport
from autopilot.task import FlightTask, tasks_of
from autopilot.telemetry import Telemetry, Text
from autopilot.timing import Timing
from autopilot.transfer import Verified, clear, download, upload, upload_verified
from autopilot.unfinished import unfinished
from autopilot.vehicle import Vehicle
from autopilot.wire import Signing
from autopilot.words import MissionKind, command_words, mission_words

__all__ = [
    "ARDUCOPTER",
    "ARDUPLANE",
    "PX4",
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
    "FlightError",
    "FlightLimits",
    "FlightProgress",
    "FlightReport",
    "FlightTask",
    "ItemReached",
    "Landing",
    "Link",
    "LinkError",
    "LinkStatistics",
    "Mailbox",
    "MismatchError",
    "MissionKind",
    "NotReadyError",
    "Offer",
    "ParameterError",
    "Patrol",
    "PatrolFlight",
    "PatrolReport",
    "PatrolRules",
    "PatrolVehicle",
    "RejectedError",
    "Replanned",
    "Signing",
    "SortieReport",
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
    "capabilities",
    "check_vehicle",
    "clear",
    "command_words",
    "dialect_of",
    "differences",
    "dispatch",
    "download",
    "enable_fence",
    "fly",
    "fly_patrol",
    "item_limit",
    "mission_words",
    "open_link",
    "tasks_of",
    "unfinished",
    "upload",
    "upload_verified",
]
