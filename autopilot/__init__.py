"""MAVLink: links, list transfers proved by read-back, vehicles, fleets; one file an autopilot dialect."""

from autopilot.ardupilot import ARDUCOPTER, ARDUPLANE
from autopilot.compare import differences
from autopilot.dialect import Dialect
from autopilot.dialects import dialect_of
from autopilot.errors import (
    AutopilotError,
    CommandError,
    Difference,
    FlightError,
    FtpError,
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
from autopilot.ftp import Ftp, FtpEntry, ftp_crc32
from autopilot.limits import FlightLimits, FlightProgress
from autopilot.link import Link, LinkStatistics
from autopilot.link_open import open_link
from autopilot.mailbox import Mailbox
from autopilot.preflight import Capabilities, capabilities, check_vehicle, enable_fence, item_limit
from autopilot.px4 import PX4
from autopilot.report import Event, FlightReport, ItemReached, Landing, SortieReport, VehicleReport
from autopilot.task import FlightTask, tasks_of
from autopilot.telemetry import Telemetry, Text
from autopilot.timing import Timing
from autopilot.transfer import Verified, clear, download, upload, upload_verified
from autopilot.transfer_proof import still_holds
from autopilot.unfinished import unfinished
from autopilot.vehicle import Vehicle
from autopilot.wire import Signing
from autopilot.words import MissionKind, command_words, mission_words

__all__ = [
    "ARDUCOPTER",
    "ARDUPLANE",
    "PX4",
    "AutopilotError",
    "Capabilities",
    "CommandError",
    "Dialect",
    "Difference",
    "Event",
    "FlightError",
    "FlightLimits",
    "FlightProgress",
    "FlightReport",
    "FlightTask",
    "Ftp",
    "FtpEntry",
    "FtpError",
    "ItemReached",
    "Landing",
    "Link",
    "LinkError",
    "LinkStatistics",
    "Mailbox",
    "MismatchError",
    "MissionKind",
    "NotReadyError",
    "ParameterError",
    "RejectedError",
    "Signing",
    "SortieReport",
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
    "download",
    "enable_fence",
    "fly",
    "ftp_crc32",
    "item_limit",
    "mission_words",
    "open_link",
    "still_holds",
    "tasks_of",
    "unfinished",
    "upload",
    "upload_verified",
]
