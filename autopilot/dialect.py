"""What differs between autopilots, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from pymavlink.dialects.v20 import ardupilotmega as mav

from autopilot.errors import AutopilotError
from autopilot.held_figures import HeldAngle, HeldFigure
from autopilot.low_battery import LowBattery
from autopilot.speed_range import SpeedRange
from autopilot.words import MissionKind

__all__ = [
    "LOCATED",
    "RELATIVE_FRAMES",
    "Ceiling",
    "Dialect",
    "GimbalWay",
    "GroundWays",
    "Limit",
    "OrderWays",
    "ParamEncoding",
    "Rates",
    "Setting",
    "Step",
    "StepKind",
    "Termination",
    "When",
]

LOCATED = frozenset(
    {
        mav.MAV_CMD_NAV_WAYPOINT,
        mav.MAV_CMD_NAV_LOITER_UNLIM,
        mav.MAV_CMD_NAV_LOITER_TURNS,
        mav.MAV_CMD_NAV_LOITER_TIME,
        mav.MAV_CMD_NAV_LAND,
        mav.MAV_CMD_NAV_TAKEOFF,
        mav.MAV_CMD_NAV_LOITER_TO_ALT,
        mav.MAV_CMD_NAV_SPLINE_WAYPOINT,
        mav.MAV_CMD_NAV_VTOL_TAKEOFF,
        mav.MAV_CMD_NAV_VTOL_LAND,
        mav.MAV_CMD_NAV_PAYLOAD_PLACE,
        mav.MAV_CMD_DO_SET_HOME,
        mav.MAV_CMD_DO_LAND_START,
        mav.MAV_CMD_DO_SET_ROI_LOCATION,
        mav.MAV_CMD_DO_SET_ROI,
        mav.MAV_CMD_NAV_FENCE_RETURN_POINT,
        mav.MAV_CMD_NAV_FENCE_POLYGON_VERTEX_INCLUSION,
        mav.MAV_CMD_NAV_FENCE_POLYGON_VERTEX_EXCLUSION,
        mav.MAV_CMD_NAV_FENCE_CIRCLE_INCLUSION,
        mav.MAV_CMD_NAV_FENCE_CIRCLE_EXCLUSION,
        mav.MAV_CMD_NAV_RALLY_POINT,
    }
)
"""MAV_CMDs whose x, y, z are a place, so that their frame means something (MAVLink common.xml, ``hasLocation``)."""


RELATIVE_FRAMES = frozenset({mav.MAV_FRAME_GLOBAL_RELATIVE_ALT, mav.MAV_FRAME_GLOBAL_RELATIVE_ALT_INT})
"""MAV_FRAMEs whose z is metres above home."""


class ParamEncoding(StrEnum):
    """How an integer parameter travels in the float field of PARAM_VALUE (MAVLink parameter protocol)."""

    CAST = "cast"
    BYTEWISE = "bytewise"


class StepKind(StrEnum):
    """What a step of a start sequence does."""

    MODE = "mode"
    ARM = "arm"
    COMMAND = "command"


@dataclass(frozen=True, slots=True)
class Step:
    """One step from a ready vehicle on the ground to a mission that flies.

    Parameters
    ----------
    kind
        Set a mode, arm, or send a command.
    value
        The mode's name or the MAV_CMD.
    """

    kind: StepKind
    value: str | int = ""


@dataclass(frozen=True, slots=True)
class Setting:
    """A parameter that must hold for what was uploaded to act: a fence, a landing.

    Parameters
    ----------
    name
        Parameter.
    value
        Value to write where the present one is none of `allowed`; with `clear`, bits that must be set.
    allowed
        Values with which it acts, and brings the vehicle back or down in one piece.
    clear
        Bits that must not be set; 0 where the parameter is no mask.
    """

    name: str
    value: int
    allowed: frozenset[int] = frozenset()
    clear: int = 0

    def wanted(self, present: float) -> float:
        """The value that it should have where it has `present`."""
        if self.clear:
            return float((int(present) | self.value) & ~self.clear)
        return present if present in self.allowed else float(self.value)


@dataclass(frozen=True, slots=True)
class Ceiling:
    """A height limit of the vehicle's own that acts with the fence.

    Parameters
    ----------
    parameter
        The limit, metres above home.
    mask, bit
        Parameter and bit that switch it on; no mask for a limit that acts unless it is 0.
    """

    parameter: str
    mask: str = ""
    bit: int = 0


@dataclass(frozen=True, slots=True)
class Limit:
    """How many items of a list fit at most; a vehicle with less room says so when it is told their number.

    Parameters
    ----------
    default
        Items where the parameter is absent or zero.
    parameter
        Parameter of the kilobytes that a card gives in place of the board's own storage, or empty.
    item_bytes, head_bytes
        What one item and what all of them together take of these.
    most
        Most items whatever the card holds; 0 for as many as it does.
    """

    default: int
    parameter: str = ""
    item_bytes: int = 1
    head_bytes: int = 0
    most: int = 0

    def items(self, kilobytes: float) -> int:
        """How many items fit where the parameter has this value."""
        if kilobytes <= 0:
            return self.default
        held = int((kilobytes * 1024 - self.head_bytes) / self.item_bytes)
        return min(held, self.most) if self.most else held


@dataclass(frozen=True, slots=True)
class Rates:
    """Parameters of how fast wings change their height in a mission at most, and of their airspeed, m/s."""

    up: str
    down: str
    speed: str


@dataclass(frozen=True, slots=True)
class GroundWays:
    """How a vehicle watches for its ground station.

    Parameters
    ----------
    action
        Parameter of what it does when it hears its ground station no more; 0 for nothing.
    system_id, highest_id
        Parameters of the system id that it takes for its ground station, and of the last of a range that begins there;
        empty where any ground station will do.
    """

    action: str
    system_id: str = ""
    highest_id: str = ""


@dataclass(frozen=True, slots=True)
class When:
    """A parameter that has one of some values.

    Parameters
    ----------
    name
        Parameter.
    values
        The values, or those that it must not have.
    other
        Whether it must have none of them.
    """

    name: str
    values: frozenset[float] = frozenset({0.0})
    other: bool = True

    def holds(self, present: float) -> bool:
        """Whether it is so where the parameter has `present`."""
        return (present in self.values) is not self.other


@dataclass(frozen=True, slots=True)
class Termination:
    """Something at which a vehicle ends its flight by itself.

    Parameters
    ----------
    cause
        At what, in words: ``when it leaves its fence``.
    by
        What must all hold; the first of them that does not is the last that is asked for. What the vehicle does not
        have does not hold.
    act
        What it does then, in words.
    bearable
        Whether it cannot be flown home then anyhow: it is told, and the vehicle is flown all the same.
    reach_m
        Metres that one unit of the last parameter of `by` stands for, where a mission that goes farther from home than
        that is what ends the flight; 0 where it is not.
    is_height
        Whether the last parameter of `by` is metres above sea level, and a mission that is known to climb there is what
        ends the flight.
    """

    cause: str
    by: tuple[When, ...]
    act: str = "ends its flight where it is"
    bearable: bool = False
    reach_m: float = 0.0
    is_height: bool = False


class GimbalWay(StrEnum):
    """By what a gimbal is turned."""

    MANAGER = "manager"
    """The gimbal protocol of MAVLink 2: DO_GIMBAL_MANAGER_PITCHYAW."""
    MOUNT = "mount"
    """The protocol before it, which has no rates: DO_MOUNT_CONTROL."""


@dataclass(frozen=True, slots=True)
class ReturnWays:
    """What a vehicle does when it returns.

    Parameters
    ----------
    height
        Parameter of the height that it climbs to, metres above where it will land.
    along_mission
        Values of `Dialect.landing` with which it returns along its mission in place of that.
    stopped
        Values of the first setting of `Dialect.fence` that keep it from coming home where it leaves its fence on the
        way, in words.
    """

    height: str
    along_mission: frozenset[int]
    stopped: Mapping[int, str]


@dataclass(frozen=True, slots=True)
class OrderWays:
    """How a vehicle is given orders beside its mission.

    Parameters
    ----------
    guided_mode
        The mode in which DO_REPOSITION flies it to a place.
    frame
        MAV_FRAME of the heights of such places.
    no_heading
        Parameter 4 of DO_REPOSITION where no heading is asked for.
    take_off
        Steps from a ready vehicle on the ground to a height over its place.
    circle
        Parameter that gives the radius on which wings circle, metres; a sign only tells the direction.
    widens_in_thin_air
        Whether they circle wider than is asked for, by the square of true by equivalent airspeed.
    speed_type
        SPEED_TYPE of DO_CHANGE_SPEED that counts.
    gimbal, claims_gimbal
        By what the gimbal is turned, and whether it first has to be told who turns it.
    frees_nose_by_place
        Whether DO_SET_ROI_NONE may leave the nose where it looked, and a region of interest at no place frees it.
    camera
        Component that is told to film, where the autopilot leaves that to a camera; it need not answer.
    jumps_by_message
        Whether another item is asked for by the message MISSION_SET_CURRENT, for want of the command.
    """

    guided_mode: str
    frame: int
    no_heading: float
    take_off: tuple[Step, ...]
    circle: str
    widens_in_thin_air: bool
    speed_type: int
    gimbal: GimbalWay
    claims_gimbal: bool
    frees_nose_by_place: bool
    jumps_by_message: bool
    camera: int | None


@dataclass(frozen=True, slots=True)
class Dialect:
    """One autopilot's ways.

    Parameters
    ----------
    name
        ``ardupilot`` or ``px4``.
    modes
        Mode name to HEARTBEAT.custom_mode.
    mode_params
        Mode name to parameters 2 and 3 of MAV_CMD_DO_SET_MODE.
    mission_mode, pause_mode, return_mode, land_mode
        Names of the modes for these.
    start
        Steps that start an uploaded mission.
    home_is_item_0
        Whether item 0 of a mission (not of fence or rally) is the vehicle's own home.
    kept_params
        MAV_CMD to the parameters (1 to 4) that the vehicle stores; a command that is absent keeps all of them.
    held_figures
        MAV_CMD to how the vehicle holds those parameters (1 to 4, and 7 for the height) that it cuts short.
    headings
        MAV_CMD to the parameter that is a heading in degrees and comes back turned into [0, 360); absent: as it was.
    judges_missions
        Whether it looks at a mission itself and says by MISSION_CURRENT that it has none where it would not fly it.
    keeps_autocontinue, keeps_place_of_actions
        Whether the vehicle stores the autocontinue flag, and x, y, z of commands that are not a place.
    accepts_nan
        Whether NaN, the protocol's "not given", is taken in a parameter; 0 is sent for it otherwise.
    height_step_m
        Resolution of stored heights, metres.
    download_window
        Items that may be asked for at once; 1 where the vehicle insists on order.
    limits
        Room for each list.
    most_jumps
        DO_JUMPs in a mission that are counted; those beyond are jumped for ever or never. None where all are.
    fence, ceiling
        What makes an uploaded fence act, and the height limit that comes with it.
    estimator_message
        Message that carries the position estimator's flags.
    param_encoding
        How integer parameters travel.
    orders
        How it is given orders beside its mission.
    ground, radio
        How it watches for its ground station, and the parameter of what it does when it hears its radio control no
        more.
    battery
        What it does when its battery is low.
    prearm_unlisted
        Whether its pre-arm bit is among the health of its sensors alone, whether it is there or not, and speaks of
        its present mode (PX4).
    has_list_files
        Whether its lists are files under ``@MISSION`` where it offers MAVLink FTP.
    takes_partial_lists
        Whether it takes MISSION_WRITE_PARTIAL_LIST.
    homes_at_arming
        Whether it sets its home where it stands as it arms, unless somebody has set it (ArduCopter,
        ``AP_Arming_Copter::arm``). ArduPlane and PX4 do so while they wait disarmed (``Plane::update_home``,
        ``HomePosition::update``).
    hovers
        Parameter that is not 0 where it has rotors to land on. Without them its return circles and never lands: a
        mission has to end with a landing. None where every return lands.
    landing
        What makes a return end with the landing sequence of the mission; None where a return lands by itself.
    rotor_return
        What makes a return of wings with rotors end on these; None where it does by itself.
    returns
        How it returns, where that may end elsewhere than at home; None where it is not looked at.
    leash
        Parameter of the greatest distance from home that acts as a fence, metres, 0 for no limit; None without one.
    rates
        By what wings are slower to climb and descend in a mission than they could be; None where they are not.
    rotor_speeds, wing_speeds
        Between which speeds it flies a mission on rotors alone, and with wings; None where it tries any.
    drops_fence_off_home
        Whether it drops, of a fence that it has taken, shapes that its home is on the wrong side of (PX4).
    fence_item_s
        Seconds of its time that it takes over each item of a fence, once it has acknowledged the last, before the fence
        acts; 0 where that acts at once.
    terminations
        At what it may be set to end its flight by itself, beside the loss of a link.
    """

    name: str
    modes: Mapping[str, int]
    mode_params: Mapping[str, tuple[int, int]]
    mission_mode: str
    pause_mode: str
    return_mode: str
    land_mode: str
    start: tuple[Step, ...]
    home_is_item_0: bool
    kept_params: Mapping[int, tuple[int, ...]]
    held_figures: Mapping[int, Mapping[int, HeldFigure | HeldAngle]]
    headings: Mapping[int, int]
    keeps_autocontinue: bool
    judges_missions: bool
    keeps_place_of_actions: bool
    accepts_nan: bool
    height_step_m: float
    download_window: int
    limits: Mapping[MissionKind, Limit]
    most_jumps: int | None
    fence: tuple[Setting, ...]
    ceiling: Ceiling
    estimator_message: str
    param_encoding: ParamEncoding
    orders: OrderWays
    ground: GroundWays
    radio: str
    battery: LowBattery
    prearm_unlisted: bool = False
    homes_at_arming: bool = False
    hovers: str | None = None
    landing: Setting | None = None
    rotor_return: Setting | None = None
    returns: ReturnWays | None = None
    leash: str | None = None
    has_list_files: bool = False
    takes_partial_lists: bool = False
    rates: Rates | None = None
    rotor_speeds: SpeedRange | None = None
    wing_speeds: SpeedRange | None = None
    drops_fence_off_home: bool = False
    fence_item_s: float = 0.0
    terminations: tuple[Termination, ...] = ()

    @property
    def asked(self) -> tuple[str, ...]:
        """Parameters that are asked for before a flight, whether this vehicle has them or not."""
        names = (
            *(limit.parameter for limit in self.limits.values()),
            self.hovers or "",
            *(self.ground.action, self.ground.system_id, self.ground.highest_id, self.radio),
            *(self.battery.parameter, *self.battery.levels),
            *(setting.name for setting in self.fence),
            *(self.ceiling.mask, self.ceiling.parameter, self.leash or ""),
            *(setting.name for setting in (self.landing, self.rotor_return) if setting is not None),
            *(one.by[0].name for one in self.terminations),
        )
        return tuple(dict.fromkeys(name for name in names if name))

    def mode_name(self, custom_mode: int) -> str:
        """Name of HEARTBEAT.custom_mode `custom_mode`, or ``MODE(n)``."""
        return next((name for name, number in self.modes.items() if number == custom_mode), f"MODE({custom_mode})")

    def mode_command(self, name: str) -> tuple[int, int]:
        """Parameters 2 and 3 of MAV_CMD_DO_SET_MODE for a mode.

        Raises
        ------
        AutopilotError
            When the autopilot has no such mode.
        """
        if name not in self.mode_params:
            raise AutopilotError(f"{self.name} has no mode {name!r}: give one of {', '.join(sorted(self.mode_params))}")
        return self.mode_params[name]
