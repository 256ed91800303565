"""Where a vehicle meets the ground: it lands, it stands, or it is wrecked."""

from __future__ import annotations

from math import hypot
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sim.flight import Flight

__all__ = ["CRASH_MPS", "meets_ground"]

CRASH_MPS = 3.0
"""Speed at which the ground is met from which on it is a crash, m/s."""

# What is not about to land may brush a slope as it lifts off, no more; rotors not sideways either.
_BRUSH_MPS = 1.0
_SKID_MPS = 2.0


def meets_ground(flight: Flight) -> bool:
    """Whether a vehicle in the air comes down now; what hits the ground in passing is wrecked by that."""
    body, ground = flight.body, flight.ground
    if ground is None:
        return body.u <= 0.0 and body.vu < 0.0
    before_m = body.ground
    off_e, off_n = flight.estimate.error
    body.ground = ground.below(body.e - off_e, body.n - off_n, body.u)
    if flight.course.rolling:
        body.u, body.vu = body.ground, (body.ground - before_m) / flight.setup.step_s
        return False
    if body.u > body.ground or (body.u == body.ground and body.vu >= 0.0):
        return False
    closing_mps = (body.ground - before_m) / flight.setup.step_s - body.vu
    if flight.course.lands:
        if closing_mps > CRASH_MPS:
            flight.crash()
        return True
    skids = not body.load and hypot(body.ve, body.vn) > _SKID_MPS
    if closing_mps > _BRUSH_MPS or skids:
        flight.crash()
        return True
    body.u, body.vu = body.ground, max(body.vu, 0.0)
    return False
