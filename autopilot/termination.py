"""At what a vehicle would end its flight by itself: known before it takes off."""

from __future__ import annotations

from autopilot.dialect import Termination
from autopilot.errors import AbsentError, NotReadyError, ParameterError
from autopilot.failsafe import found
from autopilot.places import farthest_m, highest_amsl_m
from autopilot.vehicle import Vehicle
from missions import Mission

__all__ = ["check_termination"]


async def check_termination(vehicle: Vehicle, mission: Mission) -> tuple[str, ...]:
    """At what a vehicle would end its flight by itself, in words; nothing for most.

    Raises
    ------
    NotReadyError
        When it would where it could be flown home instead.
    """
    # What comes with the fence of the mission is set before it arms.
    mended = {setting.name for setting in vehicle.dialect.fence} if mission.fence else set()
    rows = [row for row in vehicle.dialect.terminations if mended.isdisjoint(when.name for when in row.by)]
    known: dict[str, float | ParameterError] = {}
    untold: dict[str, list[str]] = {}
    words = [said for row in rows if (said := await _said(vehicle, mission, row, known, untold)) is not None]
    for name, causes in untold.items():
        each = ", ".join(dict.fromkeys(causes))
        words.append(f"what it does {each} is not known: it gives no value for {name}")
    return tuple(dict.fromkeys(words))


async def _said(
    vehicle: Vehicle,
    mission: Mission,
    row: Termination,
    known: dict[str, float | ParameterError],
    untold: dict[str, list[str]],
) -> str | None:
    """What a row comes to with this vehicle; a parameter that is not told gets the cause. Raises NotReadyError."""
    present = 0.0
    for when in row.by:
        value = known[when.name] if when.name in known else await found(vehicle, when.name)
        known[when.name] = value
        if isinstance(value, AbsentError):
            return None
        if isinstance(value, ParameterError):
            untold.setdefault(when.name, []).append(row.cause)
            return None
        if not when.holds(value):
            return None
        present = value
    settings = ", ".join(f"{when.name} {known[when.name]:g}" for when in row.by)
    if row.reach_m:
        limit_m = present * row.reach_m
        away_m = farthest_m(vehicle, mission)
        cause = f"{row.cause} than {limit_m:g} m"
        if away_m is not None and away_m < limit_m:
            return f"{cause} it {row.act} ({settings})"
        far = "how far the mission goes is not known" if away_m is None else f"the mission goes {away_m:.0f} m"
        raise NotReadyError(
            f"{vehicle}: {row.act} {cause} ({settings}), and {far}: raise {row.by[-1].name} or plan nearer"
        )
    if row.is_height:
        cause, top_m = f"{row.cause} than {present:g} m", highest_amsl_m(vehicle, mission)
        if top_m is not None and top_m >= present:
            raise NotReadyError(
                f"{vehicle}: {row.act} {cause} ({settings}), and the mission climbs to {top_m:.0f} m: "
                f"raise {row.by[-1].name} or plan lower"
            )
        return f"{cause} it {row.act} ({settings})"
    if not row.bearable:
        raise NotReadyError(f"{vehicle}: {row.act} {row.cause} ({settings}): set it to return, or to land")
    return f"{row.cause} it {row.act} ({settings})"
