"""What the rooms of one vehicle share: its set-up, its modes, its events."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

from sim.dialect import Dialect
from sim.dialect_ardupilot import ARDUCOPTER
from sim.fleet_config import Boot
from sim.flight_frame import FlightFrame
from sim.flight_modes import POSITION_MODES, Mode
from sim.flight_posts import Posts
from sim.flight_power import PowerModel
from sim.flight_wind import Wind

__all__ = ["POSITION_MODES", "Event", "Mode", "Reached", "Setup", "Severity", "Text"]


class Severity(IntEnum):
    """MAV_SEVERITY of a text."""

    CRITICAL = 2
    ERROR = 3
    WARNING = 4
    NOTICE = 5
    INFO = 6


@dataclass(frozen=True, slots=True)
class Text:
    """A line for the ground station."""

    severity: Severity
    text: str


@dataclass(frozen=True, slots=True)
class Reached:
    """A mission item is done, in a step of the simulation."""

    seq: int
    step: int = 0


Event = Text | Reached


@dataclass(frozen=True, slots=True)
class Setup:
    """One vehicle as it is switched on.

    Parameters
    ----------
    sysid
        System id.
    frame
        Plane to fly in; its origin is the pad.
    home_amsl_m
        Elevation of the pad, metres AMSL.
    heading_rad
        Grid heading on the pad.
    idle_floor_s
        Simulated seconds that an armed vehicle waits at least for its take-off before it disarms: a sender needs wall
        time however fast the simulation runs.
    dialect
        Its autopilot and form.
    terrain
        The ground all around, or None where it is flat.
    terrain_on_card
        Whether the autopilot knows that terrain without asking for it.
    """

    sysid: int
    frame: FlightFrame
    home_amsl_m: float
    heading_rad: float
    boot: Boot
    power: PowerModel
    wind: Wind
    seed: int
    step_s: float
    turnaround_s: float
    idle_floor_s: float
    record_dir: Path | None
    dialect: Dialect = ARDUCOPTER
    terrain: Posts | None = None
    terrain_on_card: bool = True
