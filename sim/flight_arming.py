"""What speaks against arming a vehicle."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sim.flight_modes import POSITION_MODES, Mode
from sim.flight_terrain import TERRAIN_FRAMES

if TYPE_CHECKING:
    from sim.flight import Flight

__all__ = ["arm_refusals", "mode_refusal", "refusals", "terrain_places"]


def refusals(flight: Flight, *, being_served: bool) -> list[str]:
    """Reasons against arming in the present mode, as ArduCopter words them; `Dialect.word` has those of others."""
    reasons = []
    if flight.time_s < flight.setup.boot.healthy_s:
        reasons.append("Gyros still settling")
    if flight.mode in POSITION_MODES and not flight.has_position:
        reasons.append("Need Position Estimate")
    if being_served:
        reasons.append("Battery is being changed")
    elif flight.battery.remaining_pct <= flight.setup.power.low_pct:
        reasons.append("Battery 1 low")
    if flight.has_position and flight.guard.outside(flight.body):
        reasons.append("vehicle outside fence")
    if flight.wrecked:
        reasons.append("Vehicle is wrecked")
    reasons += _terrain(flight)
    return reasons


def arm_refusals(flight: Flight, reasons: list[str]) -> list[str]:
    """What speaks against arming beside reasons that hold however it is ordered: the mode."""
    spec = flight.dialect.spec(flight.mode)
    may_auto = flight.dialect.auto_armable or int(flight.params["AUTO_OPTIONS"]) & 1
    wrong = not spec.armable or (flight.mode == Mode.AUTO and not may_auto)
    return [*reasons, f"{spec.name} mode not armable"] if wrong else reasons


def mode_refusal(flight: Flight, mode: Mode) -> str | None:
    """What speaks against a change to a mode, or None."""
    if mode in POSITION_MODES and not flight.has_position:
        return "requires position"
    if mode == Mode.AUTO and len(flight.mission) < 2:
        return "no mission"
    if mode == Mode.AUTO and flight.armed and flight.landed and not flight.can_lift_off:
        return "Missing Takeoff Cmd"
    return None


def terrain_places(flight: Flight) -> Iterator[tuple[float, float]]:
    """Places of the mission that are flown above terrain, degrees."""
    for item in flight.mission[1:]:
        if item.frame in TERRAIN_FRAMES and (item.x or item.y):
            yield item.x / 1e7, item.y / 1e7


def _terrain(flight: Flight) -> list[str]:
    """A mission above terrain needs the heights of it: ArduPilot's check of its terrain database."""
    if flight.ground is None or not any(item.frame in TERRAIN_FRAMES for item in flight.mission[1:]):
        return []
    terrain = flight.terrain
    if not terrain.enabled:
        return ["terrain disabled"]
    frame = flight.setup.frame
    places = [(frame.lat_deg, frame.lon_deg), *terrain_places(flight)]
    terrain.look_for(places)
    pending, _ = terrain.counts
    ready = not pending and all(terrain.height_m(*place) is not None for place in places)
    return [] if ready else ["waiting for terrain data"]
