"""The patrol of one vehicle as a state machine: what it does, what may happen, what it does then.

A table and no more: nothing here speaks to a vehicle. What the table does not name cannot happen, and asking for it is
a fault in the caller. From a fault nothing leads back to the air but a person's word, and nobody takes off who was not
checked for that flight.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType

from autopilot.errors import FlightError

__all__ = ["ALOFT", "TRANSITIONS", "Duty", "Happening", "State", "after"]


class State(StrEnum):
    """What a vehicle of a patrol does."""

    WAITING = "waiting"
    """On the ground with a fresh battery, until its next flight is near."""
    CHECKING = "checking"
    """It is checked and given the mission of its next flight."""
    READY = "ready"
    """Its mission is proved, its sensors and its battery are good; it waits for its time."""
    OUTBOUND = "outbound"
    """On the way to the stretch that it patrols."""
    ON_TASK = "on task"
    """It patrols."""
    RELIEVED = "relieved"
    """Its stretch is patrolled, the next flight has it; it comes home by its plan."""
    ON_CUE = "on cue"
    """It was sent to look at something."""
    PAUSED = "paused"
    """It stands in the air by a pilot's order."""
    RETURNING = "returning"
    """All places of its plan lie behind it, or it comes home before that: what is left is to land."""
    SWAPPING = "swapping"
    """On the ground for a fresh battery."""
    FAULT = "fault"
    """Something is wrong with it. It flies no more until a person says that it may."""
    DONE = "done"
    """The shift is over for it."""


class Happening(StrEnum):
    """What may happen to it."""

    DUE = "its next flight is near"
    CHECKED = "checks and proof hold"
    WITHDRAWN = "its flight was taken from it"
    LAUNCHED = "it is in the air"
    ARRIVED = "it is where its patrol begins"
    PATROLLED = "its patrol is flown to the end"
    CUED = "it is sent to a cue"
    PAUSED = "it was told to stop in the air"
    RESUMED = "it goes on with its patrol"
    HOMEWARD = "all of its plan is flown but the landing"
    RECALLED = "it comes home early"
    LANDED = "it is down"
    SWAPPED = "it has a fresh battery"
    FAILED = "something is wrong with it"
    CLEARED = "a person says that it may fly again"
    OVER = "it has no flight left"


_S, _H = State, Happening
_FLYING = {_H.RECALLED: _S.RETURNING, _H.LANDED: _S.SWAPPING, _H.FAILED: _S.FAULT}

TRANSITIONS: Mapping[State, Mapping[Happening, State]] = MappingProxyType(
    {
        _S.WAITING: {_H.DUE: _S.CHECKING, _H.OVER: _S.DONE, _H.FAILED: _S.FAULT},
        _S.CHECKING: {_H.CHECKED: _S.READY, _H.WITHDRAWN: _S.WAITING, _H.FAILED: _S.FAULT},
        _S.READY: {_H.LAUNCHED: _S.OUTBOUND, _H.WITHDRAWN: _S.WAITING, _H.FAILED: _S.FAULT},
        _S.OUTBOUND: {**_FLYING, _H.ARRIVED: _S.ON_TASK, _H.CUED: _S.ON_CUE, _H.PAUSED: _S.PAUSED},
        _S.ON_TASK: {**_FLYING, _H.PATROLLED: _S.RELIEVED, _H.CUED: _S.ON_CUE, _H.PAUSED: _S.PAUSED},
        _S.RELIEVED: {**_FLYING, _H.HOMEWARD: _S.RETURNING, _H.CUED: _S.ON_CUE, _H.PAUSED: _S.PAUSED},
        _S.ON_CUE: {**_FLYING, _H.RESUMED: _S.OUTBOUND, _H.HOMEWARD: _S.RETURNING},
        _S.PAUSED: {**_FLYING, _H.RESUMED: _S.OUTBOUND},
        _S.RETURNING: _FLYING,
        _S.SWAPPING: {_H.SWAPPED: _S.WAITING, _H.OVER: _S.DONE, _H.FAILED: _S.FAULT},
        _S.FAULT: {_H.CLEARED: _S.WAITING},
        _S.DONE: {_H.DUE: _S.CHECKING, _H.FAILED: _S.FAULT},
    }
)
"""What each happening leads to in each state; what is not there cannot happen."""

ALOFT = frozenset({State.OUTBOUND, State.ON_TASK, State.RELIEVED, State.ON_CUE, State.PAUSED, State.RETURNING})
"""The states of a vehicle in the air."""


@dataclass(frozen=True, slots=True)
class Duty:
    """Where one vehicle stands in its patrol.

    Parameters
    ----------
    sysid
        Which vehicle.
    state
        What it does.
    sortie
        Name of the sortie that it is given; None on the ground without one.
    silent
        Whether it is not heard: what it does is then what it was last seen to do.
    """

    sysid: int
    state: State = State.WAITING
    sortie: str | None = None
    silent: bool = False

    @property
    def aloft(self) -> bool:
        """Whether it is in the air."""
        return self.state in ALOFT

    @property
    def serves(self) -> bool:
        """Whether the patrol may count on it."""
        return self.state is not State.FAULT


def after(duty: Duty, happening: Happening, sortie: str | None = None) -> Duty:
    """Where a vehicle stands after something happened.

    Parameters
    ----------
    duty, happening
        Where it stands, what happened.
    sortie
        With `Happening.DUE` the sortie that it is given.

    Raises
    ------
    FlightError
        When that cannot happen to it now: a fault in the caller.
    """
    state = TRANSITIONS[duty.state].get(happening)
    if state is None:
        raise FlightError(
            f"vehicle {duty.sysid}: {happening} cannot be while it is {duty.state}: report this fault of the program"
        )
    if happening is Happening.DUE:
        return replace(duty, state=state, sortie=sortie)
    keeps = state in ALOFT or state in {State.READY, State.CHECKING, State.FAULT}
    return replace(duty, state=state, sortie=duty.sortie if keeps else None)
