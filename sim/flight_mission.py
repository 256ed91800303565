"""Walking through a mission: navigation commands one at a time, the others on the way, jumps counted."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from pymavlink.dialects.v20 import ardupilotmega as mav

from sim.flight_items import MISSION_COMMANDS, CommandSpec, Item

__all__ = ["LANDINGS", "NAMES", "TAKEOFFS", "MissionRun", "passes"]

TAKEOFFS = frozenset({mav.MAV_CMD_NAV_TAKEOFF, mav.MAV_CMD_NAV_VTOL_TAKEOFF})
LANDINGS = frozenset({mav.MAV_CMD_NAV_LAND, mav.MAV_CMD_NAV_VTOL_LAND})
_WAYPOINTS = frozenset({mav.MAV_CMD_NAV_WAYPOINT, mav.MAV_CMD_NAV_SPLINE_WAYPOINT})
_LOOK_AHEAD = 8
NAMES = {
    mav.MAV_CMD_NAV_WAYPOINT: "WP",
    mav.MAV_CMD_NAV_SPLINE_WAYPOINT: "SplineWP",
    mav.MAV_CMD_NAV_LOITER_UNLIM: "LoitUnlim",
    mav.MAV_CMD_NAV_LOITER_TIME: "LoitTime",
    mav.MAV_CMD_NAV_RETURN_TO_LAUNCH: "RTL",
    mav.MAV_CMD_NAV_LAND: "Land",
    mav.MAV_CMD_NAV_TAKEOFF: "Takeoff",
    mav.MAV_CMD_NAV_DELAY: "Delay",
    mav.MAV_CMD_NAV_LOITER_TURNS: "LoitTurns",
    mav.MAV_CMD_NAV_LOITER_TO_ALT: "LoitAltitude",
    mav.MAV_CMD_NAV_VTOL_TAKEOFF: "VTOLTakeoff",
    mav.MAV_CMD_NAV_VTOL_LAND: "VTOLLand",
    mav.MAV_CMD_CONDITION_DELAY: "CondDelay",
    mav.MAV_CMD_CONDITION_DISTANCE: "CondDist",
    mav.MAV_CMD_CONDITION_YAW: "CondYaw",
    mav.MAV_CMD_DO_CHANGE_SPEED: "ChangeSpeed",
    mav.MAV_CMD_DO_SET_HOME: "SetHome",
    mav.MAV_CMD_DO_SET_SERVO: "SetServo",
    mav.MAV_CMD_DO_SET_RELAY: "SetRelay",
    mav.MAV_CMD_DO_REPEAT_SERVO: "RepeatServo",
    mav.MAV_CMD_DO_REPEAT_RELAY: "RepeatRelay",
    mav.MAV_CMD_DO_DIGICAM_CONTROL: "DigiCamCtrl",
    mav.MAV_CMD_DO_SET_CAM_TRIGG_DIST: "SetCamTrigDst",
    mav.MAV_CMD_DO_SET_ROI_LOCATION: "SetROILocation",
    mav.MAV_CMD_DO_SET_ROI_NONE: "SetROINone",
    mav.MAV_CMD_DO_SET_ROI: "SetROI",
    mav.MAV_CMD_DO_FENCE_ENABLE: "FenceEnable",
    mav.MAV_CMD_DO_VTOL_TRANSITION: "VTOLTransition",
    mav.MAV_CMD_DO_LAND_START: "LandStart",
    mav.MAV_CMD_DO_MOUNT_CONTROL: "MountControl",
    mav.MAV_CMD_DO_GIMBAL_MANAGER_PITCHYAW: "GimbalPitchYaw",
    mav.MAV_CMD_IMAGE_START_CAPTURE: "ImageStartCapture",
}
"""What ArduPilot calls commands (AP_Mission.cpp, ``Mission_Command::type``); of actions the usual ones."""


class MissionRun:
    """Where a vehicle is in its mission.

    Parameters
    ----------
    items
        The stored mission; item 0 is home. It is read live: an upload during the flight changes what follows.
    commands
        The commands that the autopilot stores.

    Attributes
    ----------
    index
        Sequence number of the navigation command being flown; 0 before the first.
    complete
        Whether its last navigation command was done, and none was begun since.
    rejected
        Whether the autopilot would not fly it, by checks of its own (PX4).
    """

    def __init__(self, items: Sequence[Item], commands: Mapping[int, CommandSpec] = MISSION_COMMANDS) -> None:
        self._items = items
        self._commands = commands
        self._jumps: dict[int, int] = {}
        self.index = 0
        self.complete = self.rejected = False

    @property
    def is_there(self) -> bool:
        """Whether there is a mission that may be flown."""
        return len(self._items) > 1 and not self.rejected

    def reset(self) -> None:
        """Back to the start; one that was flown to its end stays complete until one of its commands is begun."""
        self._jumps.clear()
        self.index = 0

    def renew(self) -> None:
        """Back to the start of another mission, or of one that nobody remembers."""
        self.reset()
        self.complete = False

    def end(self) -> None:
        """The present navigation command is done, and nothing is begun after it by itself."""
        self.complete = self._walk(self.index + 1, dict(self._jumps)) is None

    @property
    def starts_with_takeoff(self) -> bool:
        """Whether the first navigation command is a take-off."""
        first = self._walk(1, dict(self._jumps))
        return first is not None and self._items[first].command in TAKEOFFS

    def land_start(self, *, or_landing: bool) -> int | None:
        """Sequence number of the landing sequence's marker (DO_LAND_START), or of the first landing; None for none."""
        wanted = [frozenset({mav.MAV_CMD_DO_LAND_START})]
        if or_landing:
            wanted.append(LANDINGS)
        for commands in wanted:
            for seq, item in enumerate(self._items):
                if seq > 0 and item.command in commands:
                    return seq
        return None

    def landing(self, seq: int) -> Item | None:
        """The first landing from an item on; None for none."""
        return next((item for item in self._items[seq:] if item.command in LANDINGS), None)

    def advance(self, seq: int, do: Callable[[int, Item], object]) -> Item | None:
        """Go on to the first navigation command at or after `seq`, doing the others on the way; None at the end."""
        found = self._walk(seq, self._jumps, do)
        self.complete = found is None
        if found is None:
            return None
        self.index = found
        return self._items[found]

    def ahead(self) -> list[Item]:
        """The waypoints that follow the present command without a stop between, and the one to stop at."""
        jumps = dict(self._jumps)
        items: list[Item] = []
        seq: int | None = self.index
        while seq is not None and len(items) < _LOOK_AHEAD:
            seq = self._walk(seq + 1, jumps)
            if seq is None or not _is_place(self._items[seq]):
                break
            items.append(self._items[seq])
            if not passes(self._items[seq]):
                break
        return items

    def _walk(self, seq: int, jumps: dict[int, int], do: Callable[[int, Item], object] | None = None) -> int | None:
        left = 2 * len(self._items) + 100  # jumps that only lead to jumps end here
        while 0 < seq < len(self._items) and left > 0:
            left -= 1
            item = self._items[seq]
            if self._commands[item.command].nav:
                return seq
            if item.command == mav.MAV_CMD_DO_JUMP:
                target, times = int(item.params[0]), int(item.params[1])
                done = jumps.get(seq, 0)
                if times < 0 or done < times:
                    jumps[seq] = done + 1
                    seq = max(target, 1)
                    continue
            elif do is not None:
                do(seq, item)
            seq += 1
        return None


def passes(item: Item) -> bool:
    """Whether a navigation command is a waypoint flown through without a stop."""
    return item.command in _WAYPOINTS and item.params[0] == 0.0


def _is_place(item: Item) -> bool:
    return item.command in _WAYPOINTS | {mav.MAV_CMD_NAV_LOITER_TIME, mav.MAV_CMD_NAV_LOITER_UNLIM}
