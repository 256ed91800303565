"""The terms in which an autopilot is described: forms of airframes, modes, parameters, and what failsafes do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from sim.flight_modes import Mode

__all__ = ["FALL", "Action", "BatteryLevel", "Failsafes", "Form", "ModeSpec", "ParamSpec"]


class Form(StrEnum):
    """How an airframe stays up."""

    ROTOR = "rotor"
    WING = "wing"
    VTOL = "vtol"


class _Fall(StrEnum):
    FALL = "fall"


FALL = _Fall.FALL
"""Motors off in the air: flight termination."""

Action = Mode | _Fall | None
"""What a failsafe does: change the mode, stop the motors, or only tell."""


@dataclass(frozen=True, slots=True)
class ModeSpec:
    """One flight mode on the wire.

    Parameters
    ----------
    mode
        What the vehicle does in it.
    name, number
        What the autopilot calls it, and HEARTBEAT.custom_mode.
    flags
        HEARTBEAT.base_mode without the armed bit.
    armable
        Whether it can be armed in.
    chosen
        Whether it can be asked for.
    """

    mode: Mode
    name: str
    number: int
    flags: int
    armable: bool = True
    chosen: bool = True


@dataclass(frozen=True, slots=True)
class ParamSpec:
    """One parameter.

    Parameters
    ----------
    default
        Its default.
    kind
        MAV_PARAM_TYPE under which it is reported.
    """

    default: float
    kind: int


@dataclass(frozen=True, slots=True)
class BatteryLevel:
    """One level of the battery failsafe.

    Parameters
    ----------
    charge
        Name of the figure that holds it, mAh.
    action
        Name of the figure that says what is done, and its values.
    critical
        Whether it is told as critical.
    text
        What is told.
    """

    charge: str
    action: str
    actions: Mapping[int, Action]
    critical: bool
    text: str


@dataclass(frozen=True, slots=True)
class Failsafes:
    """What is done when something is wrong, by the value of the parameter that says so.

    Parameters
    ----------
    fence
        By FENCE_ACTION or its like. A value that is not here returns.
    gcs
        By FS_GCS_ENABLE or its like; a value that is not here, 0 among them, does nothing.
    battery
        From the highest charge to the lowest.
    targets
        By COM_OBL_RC_ACT, when the setpoints of OFFBOARD are no more. A value that is not here holds.
    any_gcs
        Whether every ground station's heartbeat counts, not that of the configured id alone.
    drops_fence_off_home
        Whether it drops, of a fence that it has taken, the shapes on whose wrong side home or in the air the vehicle
        lies (PX4).
    fence_item_s
        Simulated seconds that it takes over each item of a fence, and over their number, before that is in force.
    """

    fence: Mapping[int, Action]
    gcs: Mapping[int, Action]
    battery: tuple[BatteryLevel, ...]
    targets: Mapping[int, Action] = field(default_factory=dict)
    any_gcs: bool = False
    drops_fence_off_home: bool = False
    fence_item_s: float = 0.0
