"""What a vehicle does in the air in each of its modes, and when what was ordered is done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.flight_modes import Mode
from sim.flight_state import Reached, Severity

if TYPE_CHECKING:
    from sim.flight import Flight

__all__ = ["act", "begin_mode", "demanded", "go_on", "look_at_hold"]

_AT_ONCE_S = 0.1
_COMING_HOME = frozenset({Mode.RTL, Mode.LAND})

# Where nobody is at the sticks.
_SINKING = frozenset({Mode.LAND, Mode.STABILIZE, Mode.MANUAL, Mode.FBWA})
_HOVERING = frozenset({Mode.HOVER, Mode.HOVER_LOITER})


def begin_mode(flight: Flight) -> None:
    """Begin what the present mode does in the air."""
    course = flight.course
    flight.in_landing_sequence = False
    course.speeds_of_parameters()
    if flight.hands.fly:
        flight.hands.begin()
    elif flight.mode == Mode.RTL:
        _return(flight)
    elif flight.mode == Mode.AUTO:
        course.advance(max(flight.run.index, 1), from_here=True)
    elif flight.mode in _SINKING:
        course.land()
    elif flight.mode in _HOVERING:
        course.hover()
    elif flight.mode == Mode.HOVER_RTL:
        course.hover_home()
    else:
        course.hold()


def _return(flight: Flight) -> None:
    """Home, or to the mission's own landing where the autopilot takes that for the way home."""
    seq = flight.course.landing_sequence()
    if seq is None:
        flight.course.go_home()
    elif flight.dialect.lands_in_auto:
        flight.run.index = seq
        flight.set_mode(Mode.AUTO)
    else:
        flight.in_landing_sequence = True
        flight.course.advance(seq, from_here=True)


def go_on(flight: Flight) -> None:
    """What was ordered is done: the next item, the mode that follows, or stay."""
    follow = flight.course.follow_up() if flight.mode == Mode.RTL else None
    landing = flight.course.landing_after_return() if flight.mode == Mode.RTL else None
    if flight.mode == Mode.AUTO or flight.in_landing_sequence:
        index = flight.run.index
        if index > 0 and flight.mission[index].command not in flight.dialect.untold:
            flight.tell(Reached(index))
            if flight.mission[index].command in flight.dialect.tells_places:
                flight.say(Severity.INFO, f"Reached command #{index}")
        flight.course.advance(flight.run.index + 1)
    elif landing is not None:
        flight.run.index = landing
        flight.set_mode(Mode.AUTO)
    elif follow is not None:
        flight.set_mode(follow)
    else:
        flight.course.hold()


def act(flight: Flight, mode: Mode | None) -> None:
    """Change to the mode of a failsafe, or to RTL where there is no such mode; a landing is not broken off."""
    if mode is None:
        return
    if not flight.dialect.has(mode):
        mode = Mode.RTL
    if flight.mode not in (mode, Mode.LAND) and flight.set_mode(mode) and mode == Mode.GUIDED:
        flight.course.go_to((*flight.course.home.at[:2], flight.body.u))


def demanded(flight: Flight, mode: Mode | None) -> None:
    """Do what a failsafe demands; PX4 holds for COM_FAIL_ACT_T first, in which somebody may choose another mode.

    Not so what is on its way home already (``FailsafeBase::getSelectedAction``).
    """
    wait_s = flight.params.get("FAILSAFE_HOLD", 0.0)
    holds = wait_s > _AT_ONCE_S and mode not in (None, Mode.LOITER) and flight.mode not in _COMING_HOME
    if not (holds and flight.has_position and flight.set_mode(Mode.LOITER)):
        act(flight, mode)
    elif flight.demanded is None:
        flight.demanded = flight.sortie_s + wait_s, mode
    else:
        flight.demanded = flight.demanded[0], mode


def look_at_hold(flight: Flight) -> None:
    """What was demanded is done when the time to hold is over, unless another mode was chosen."""
    if flight.demanded is None:
        return
    until_s, mode = flight.demanded
    if flight.mode != Mode.LOITER:
        flight.demanded = None
    elif flight.sortie_s >= until_s:
        flight.demanded = None
        act(flight, mode)
