"""How a patrol is flown: how early a flight is prepared, when a vehicle comes home early, how late a flight may be."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

from autopilot.errors import FlightError

__all__ = ["PatrolRules"]


@dataclass(frozen=True, slots=True)
class PatrolRules:
    """How a patrol is flown, in seconds of the vehicles' own time.

    Parameters
    ----------
    lead_s
        How long before its take-off a flight is prepared: check, upload, proof, sensors.
    proof_s
        How long before its take-off it is proved once more.
    late_s
        How long after the end of the shift a flight that was planned within it may still take off.
    reserve_share
        A vehicle is called home as soon as it would come home with less than this share of its reserve, by what its
        battery says and what the straight way home takes. A plan lands with the whole reserve; what lies between is
        left to gusts and to the gauge, and is more than any autopilot's own failsafe waits for.
    silence_s
        How long after the planned landing a vehicle that is not heard is waited for.
    pause_s
        How long a vehicle stands in the air by a pilot's order before it comes home.

    Raises
    ------
    FlightError
        When a figure is not positive and finite.
    """

    lead_s: float = 120.0
    proof_s: float = 10.0
    late_s: float = 600.0
    reserve_share: float = 0.75
    silence_s: float = 900.0
    pause_s: float = 600.0

    def __post_init__(self) -> None:
        for one in fields(self):
            value = getattr(self, one.name)
            if not (math.isfinite(value) and value > 0):
                raise FlightError(f"patrol: {one.name} is {value}: give a positive number")
