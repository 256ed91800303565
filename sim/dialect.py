"""What differs between autopilots and airframes, as data: the rows are in ``dialect_ardupilot`` and ``dialect_px4``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from pymavlink.dialects.v20 import ardupilotmega as mav

from sim.dialect_figures import Figure, Figures, PowerShares
from sim.dialect_room import Room
from sim.dialect_terms import Failsafes, Form, ModeSpec, ParamSpec
from sim.flight_items import StoreRules
from sim.flight_modes import Mode

__all__ = ["Dialect"]

_MOST_MODES = 256
_CM = 100.0
_AUTOPILOT = 1  # MAV_COMP_ID_AUTOPILOT1
# Commands of which PX4 looks at the system alone (mavlink_receiver.cpp).
_ANYBODYS = frozenset({mav.MAV_CMD_REQUEST_MESSAGE, mav.MAV_CMD_REQUEST_PROTOCOL_VERSION})


@dataclass(frozen=True)
class Dialect:
    """One autopilot on one form of airframe.

    Parameters
    ----------
    name
        ``ardupilot`` or ``px4``.
    form
        How it stays up.
    autopilot, types
        MAV_AUTOPILOT, and MAV_TYPE of each frame.
    version, capabilities
        Flight software as AUTOPILOT_VERSION packs it, and MAV_PROTOCOL_CAPABILITY.
    modes, boot_mode
        Its modes, the first of a kind being the one that commands and failsafes choose, and the one after power-on.
    goto_mode
        The mode that MAV_CMD_DO_REPOSITION flies in.
    params, from_power, figures
        Its parameters, those that follow from the battery, and where figures come from (`Figures`).
    sysid_param
        Parameter that holds the system id.
    legacy_names, legacy_params
        Parameters by the names of an older version, and what that version has in place of others (`of_old`).
    renamed
        Parameters in metres that the older version has in centimetres: its name and MAV_PARAM_TYPE for them.
    bytewise
        Whether integer parameters travel as their bytes (MAV_PROTOCOL_CAPABILITY_PARAM_ENCODE_BYTEWISE).
    rules
        What is stored of items.
    home_first
        Whether item 0 of a mission is home (ArduPilot); else it is the first item (PX4).
    atomic
        Whether an upload replaces the old list only when it is whole, with an id for each list (PX4).
    room
        What the lists have room for, by its parameters.
    refused
        Commands that are not supported beside those that nobody supports.
    claims_gimbal
        Whether the gimbal obeys those alone who have claimed it.
    amsl_commands
        Whether heights of COMMAND_LONG are AMSL, not above home, and those of COMMAND_INT too, whatever its frame.
    auto_armable, auto_starts, start_arms
        Whether AUTO can be armed in; whether AUTO takes off as soon as it is armed; whether MISSION_START arms.
    lifts_off
        Whether a mission without a take-off begins with one of its own.
    rtl_changes_mode
        Whether a return in a mission changes the mode.
    leaves_mode
        Whether a mode that cannot be armed in is left on disarming, for the last that was asked for and can (PX4).
    lands_in_auto
        Whether a return that ends with the mission's landing sequence flies that in AUTO.
    tells_items
        Whether each item that is begun is told in a text.
    tells_places
        Commands of which it is told in a text too that they were done.
    untold
        Commands without a place of which it is not said that they were done (MISSION_ITEM_REACHED): none of PX4
        (``MissionBase::on_active``), of ArduPilot those that its library of missions looks after by itself
        (``AP_Mission::verify_command``). A jump is never told.
    tells_again
        How often it says again that an item was done.
    tells_last
        Whether of the items that are done at once only the last is told (ArduPilot).
    tells_landing
        Whether it says that a landing of its mission is done; ArduPlane disarms, and says nothing (4.7-dev).
    tells_pauses
        Whether a mission that was left in flight is said to be paused, and one whose last item goes home complete
        (PX4, ``MavlinkMissionManager::update_mission_state``); else it was not started, as ArduPilot's
        ``GCS_MAVLINK::mission_state`` has it.
    idle_figure
        Figure of the seconds until a vehicle that was armed and not flown disarms; empty for never.
    landed_s
        Seconds on the ground until one that was landing has noticed and disarms, whatever its figure says
        (ArduCopter's ``land_run_normal_or_precland`` and ``RTL::land_run``); 0 for none.
    failsafes
        What is done when something is wrong.
    streams
        Seconds between messages that come unasked.
    silent
        Messages that it has not, of those that are simulated.
    terminates_armed
        Whether one whose flight was terminated stays so until it boots anew, armed until somebody disarms it by force,
        and says so (seen on PX4 of May 2026).
    homes_landed
        Whether it sets its home where it has landed and disarmed, unless somebody set that (PX4 HomePosition.cpp).
    active_armed
        Whether it is MAV_STATE_ACTIVE while it is armed (PX4), or while it is off the ground.
    two_part_modes
        Whether DO_SET_MODE names a mode by main and sub mode.
    arm_text, mode_text, mode_critical
        How a refusal to arm, and to change the mode, is told: formats of ``{reason}`` and ``{name}``.
    check_text, check_every_s
        How each reason against arming is told when it is asked for or by itself, a format of ``{reason}``, and how
        often by itself, simulated seconds; None for once, when the reasons change (PX4).
    refusal, unsent, no_mode
        MAV_RESULT of an order that is valid and not obeyed now, of a request for a message that there is not, and of a
        change to a mode that is not named by its own number.
    ends_flights
        Whether DO_FLIGHTTERMINATION ends a flight: ArduPlane's does not unless its advanced failsafe is set up.
    heeds_nothing
        Whether the commands that stand for a mode are answered as done whatever comes of them (ArduPlane).
    speed_modes
        Modes in which DO_CHANGE_SPEED is taken from a ground station.
    stick_modes
        Modes that are flown by hand where somebody is at the sticks.
    misses_sticks
        Whether such modes want somebody there, who is missed when he goes, and takes over by moving them (PX4).
    chooses_disarmed
        Whether one that is not armed takes every mode that it has, and says when it is to arm what speaks against it
        (PX4, ``UserModeIntention::change``).
    takes_modes_twice
        Whether DO_SET_MODE is acknowledged twice: as taken whatever it asks, then as what comes of it (PX4 main of May
        2026: ``MavlinkReceiver::handle_message_command_both``, then its Commander).
    films_apart
        Whether a camera that is a component of its own is told to film, and the autopilot does not know such commands.
    own_component
        Whether commands to another component, or to all systems, are not its own to answer (PX4).
    lists_checks
        Whether fence and pre-arm checks are among the sensors that it has; else the checks are in their health alone.
    mode_ack
        The command by which the message SET_MODE is acknowledged.
    stopped_us
        Interval that it tells of a message that it could send and does not.
    names_absent
        Whether it says so of a parameter that it lacks, or that cannot hold a value (PARAM_ERROR); else it says
        nothing, or the value that it keeps.
    numbers_named
        Whether a parameter that was asked for or set by its name is told with its number; ArduPilot tells -1.
    tells_close
        Whether it refuses to close the file of a list that it does not take (`protocol_ftp.FtpServer`).
    wants_gcs
        Whether it arms for nobody while it would miss its ground station and hears none.
    words
        Reasons in its own words, where they differ from ArduCopter's.
    """

    name: str
    form: Form
    autopilot: int
    types: Mapping[str, int]
    version: int
    capabilities: int
    modes: tuple[ModeSpec, ...]
    boot_mode: Mode
    goto_mode: Mode
    params: Mapping[str, ParamSpec]
    from_power: PowerShares
    sysid_param: str
    rules: StoreRules
    home_first: bool
    room: Callable[[Mapping[str, float]], Room]
    failsafes: Failsafes
    silent: frozenset[int]
    figures: Mapping[str, Figure] = field(default_factory=dict)
    legacy_names: Mapping[str, str] = field(default_factory=dict)
    legacy_params: Mapping[str, tuple[str, ParamSpec]] = field(default_factory=dict)
    renamed: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    bytewise: bool = False
    atomic: bool = False
    refused: frozenset[int] = frozenset()
    claims_gimbal: bool = False
    amsl_commands: bool = False
    two_part_modes: bool = False
    auto_armable: bool = False
    auto_starts: bool = False
    start_arms: bool = False
    lifts_off: bool = False
    rtl_changes_mode: bool = True
    leaves_mode: bool = False
    lands_in_auto: bool = True
    tells_items: bool = True
    tells_places: frozenset[int] = frozenset()
    untold: frozenset[int] = frozenset()
    tells_again: int = 0
    tells_last: bool = False
    tells_landing: bool = True
    tells_pauses: bool = False
    idle_figure: str = "DISARM_DELAY"
    landed_s: float = 0.0
    streams: Mapping[int, float] = field(default_factory=dict)
    check_text: str = "PreArm: {reason}"
    check_every_s: float | None = 30.0
    refusal: int = int(mav.MAV_RESULT_FAILED)
    unsent: int = int(mav.MAV_RESULT_FAILED)
    no_mode: int = int(mav.MAV_RESULT_DENIED)
    ends_flights: bool = True
    terminates_armed: bool = False
    homes_landed: bool = False
    active_armed: bool = False
    heeds_nothing: bool = False
    speed_modes: frozenset[Mode] = frozenset()
    stick_modes: frozenset[Mode] = frozenset()
    misses_sticks: bool = False
    chooses_disarmed: bool = False
    films_apart: bool = False
    takes_modes_twice: bool = False
    own_component: bool = False
    lists_checks: bool = True
    mode_ack: int = int(mav.MAVLINK_MSG_ID_SET_MODE)
    stopped_us: int = -1
    names_absent: bool = False
    numbers_named: bool = False
    tells_close: bool = True
    wants_gcs: bool = False
    arm_text: str = "Arm: {reason}"
    mode_text: str = "Mode change to {name} failed: {reason}"
    mode_critical: bool = False
    words: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def _by_mode(self) -> dict[Mode, ModeSpec]:
        found: dict[Mode, ModeSpec] = {}
        for row in self.modes:
            found.setdefault(row.mode, row)
        return found

    @cached_property
    def _by_number(self) -> dict[int, ModeSpec]:
        return {row.number: row for row in self.modes if row.chosen}

    def of_old(self) -> Dialect:
        """The older version: with its parameters in place of those whose name, unit or meaning is another now."""
        others = dict(self.legacy_params)
        others |= {
            new: (old, ParamSpec(self.params[new].default * _CM, kind)) for new, (old, kind) in self.renamed.items()
        }
        params = dict(others.get(name, (name, row)) for name, row in self.params.items())
        figures = {name: self._old_figure(row) for name, row in self.figures.items()}
        return replace(self, params=params, figures=figures, renamed={}, names_absent=False, tells_close=False)

    def _old_figure(self, row: Figure) -> Figure:
        if isinstance(row, tuple) and row[0] in self.renamed:
            return self.renamed[row[0]][0], row[1] / _CM
        return row

    def in_units(self, name: str, value: float) -> tuple[str, float]:
        """A parameter by its name here, and its value, where it is given by the name that the older version has."""
        for new, (old, _) in self.renamed.items():
            if name == old:
                return new, value / _CM
        return name, value

    def spec(self, mode: Mode) -> ModeSpec:
        """The row of a mode."""
        return self._by_mode[mode]

    def has(self, mode: Mode) -> bool:
        """Whether it has such a mode."""
        return mode in self._by_mode

    def mode_of(self, number: int) -> Mode | None:
        """The mode of a custom_mode that can be asked for, or None."""
        row = self._by_number.get(number)
        return None if row is None else row.mode

    def mode_of_command(self, first: float, second: float) -> Mode | None:
        """The mode of parameters 2 and 3 of MAV_CMD_DO_SET_MODE, or None."""
        if not (0.0 <= first < _MOST_MODES and (not self.two_part_modes or 0.0 <= second < _MOST_MODES)):
            return None
        return self.mode_of(int(first) << 16 | int(second) << 24 if self.two_part_modes else int(first))

    def figures_of(self, params: dict[str, float]) -> MutableMapping[str, float]:
        """What a flight reads of these parameters."""
        return Figures(params, self.figures) if self.figures else params

    def takes(self, command: Any, sysid: int) -> bool:
        """Whether a command, which came to this system or to all, is for this autopilot."""
        if not self.own_component or command.command in _ANYBODYS:
            return True
        return command.target_system == sysid and command.target_component in (0, _AUTOPILOT)

    def word(self, reason: str) -> str:
        """A reason in its own words."""
        return self.words.get(reason, reason)

    @property
    def first(self) -> int:
        """What to take from a sequence number of a flight, where 0 is home, to have that on the wire."""
        return 0 if self.home_first else 1
