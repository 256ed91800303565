"""Bringing down a vehicle whose sortie is off: it is watched and told until it is down."""

from __future__ import annotations

import asyncio

from autopilot.errors import AutopilotError, CommandError, LinkError
from autopilot.vehicle import Vehicle
from autopilot.watch import FlightWatch

__all__ = ["bring_down", "where"]

_LOOK_WALL_S = 0.25
_PAUSE_S = 2.0  # between orders that are refused
_DISARM = "disarm"
_TURNS = 4  # home three times, then down where it is


async def bring_down(
    vehicle: Vehicle, watch: FlightWatch, *, patience_s: float, lost_s: float, follow: bool = True
) -> str:
    """Order a vehicle home until it obeys, and watch it until it is down.

    An order that is refused or not answered ends nothing: home is asked for three times, landing where it is once, and
    so on. What is not answered is repeated and leads to nothing else: a vehicle that hears and is not heard would be
    brought down wherever it is on its way home. One that is on its way home or down already, by its own failsafe, is
    only watched; one that obeyed and was then taken over by hand is left to that hand. On the ground it is disarmed.

    Parameters
    ----------
    vehicle, watch
        The vehicle that we ordered to arm, and what listens to it.
    patience_s
        Longest watch, seconds of the vehicle's time.
    lost_s
        Longest silence that is waited out, seconds of the vehicle's time.
    follow
        Whether to watch until it is down; else only until it obeys.

    Returns
    -------
    str
        What became of it, for a report; empty where it never armed.
    """
    clock = asyncio.get_running_loop().time
    deadline = clock() + vehicle.timing.wall_s(patience_s)
    refused: dict[str, str] = {}
    obeyed: str | None = None
    turn = 0
    lost_wall_s = vehicle.timing.wall_s(lost_s)
    while _is_up(vehicle, watch) and clock() < deadline and vehicle.silent_s < lost_wall_s:
        try:
            if _needs_order(vehicle, watch, obeyed):
                order = _order(vehicle, watch, turn)
                try:
                    await (vehicle.disarm() if order == _DISARM else vehicle.set_mode(order))
                except LinkError:
                    raise
                except AutopilotError as error:
                    if not (isinstance(error, CommandError) and error.result is None):
                        turn += 1
                    if refused.get(order) != str(error):
                        refused[order] = str(error)
                        watch.note_failure(vehicle.telemetry, f"{order} was not obeyed: {error}")
                    await vehicle.wait_until(lambda _: watch.ended, 0.0, wall_s=vehicle.timing.retry_s(_PAUSE_S))
                    continue
                obeyed = order
            if not follow:
                break
            await vehicle.wait_until(lambda _: watch.ended, 0.0, wall_s=_LOOK_WALL_S)
        except LinkError as error:
            return f"the link is lost and it may be flying still, last at {where(vehicle)}: {error}"
    if _is_up(vehicle, watch) and vehicle.silent_s >= lost_wall_s:
        return f"it was not heard again for {lost_s:g} s, last at {where(vehicle)}: look for it there"
    return _outcome(vehicle, watch, obeyed, refused, patience_s)


def _is_up(vehicle: Vehicle, watch: FlightWatch) -> bool:
    return vehicle.telemetry.armed is True and not watch.ended


def _needs_order(vehicle: Vehicle, watch: FlightWatch, obeyed: str | None) -> bool:
    dialect, mode = vehicle.dialect, vehicle.telemetry.mode
    if mode == dialect.mission_mode and watch.landing_by_mission:
        return False
    if mode in (dialect.return_mode, dialect.land_mode):
        return False
    return obeyed is None or mode == dialect.mission_mode


def _order(vehicle: Vehicle, watch: FlightWatch, turn: int) -> str:
    # Where its height is not known the ground is a guess: a disarming that is refused is followed by the way home.
    if not watch.airborne and turn % 2 == 0:
        return _DISARM
    # Home three times, then down where it is; the other way round where its home is not to be trusted.
    lands = (turn % _TURNS == _TURNS - 1) is not watch.astray
    return vehicle.dialect.land_mode if lands else vehicle.dialect.return_mode


def _outcome(
    vehicle: Vehicle, watch: FlightWatch, obeyed: str | None, refused: dict[str, str], patience_s: float
) -> str:
    if vehicle.telemetry.armed is not True and not watch.was_armed:
        return ""
    reasons = f" ({'; '.join(refused.values())})" if refused else ""
    if not _is_up(vehicle, watch):
        down = "disarmed in the air" if watch.ended_in_air else "is down"
        told = (
            "was not obeyed in anything and" if refused and obeyed is None else f"obeyed {obeyed} and" if obeyed else ""
        )
        return f"it {told} {down} at {where(vehicle)}{reasons}".replace("  ", " ")
    if obeyed is not None:
        return (
            f"it obeyed {obeyed} and is still up after {patience_s:g} s, last at {where(vehicle)}: take it over by hand"
        )
    if refused:
        return f"it obeys nothing{reasons} and is still up, last at {where(vehicle)}: take it over by hand"
    return f"it is on its way in {vehicle.telemetry.mode}, last at {where(vehicle)}: watch it to the ground"


def where(vehicle: Vehicle) -> str:
    """Where it was last, in words."""
    now = vehicle.telemetry
    if now.lat_deg is None or now.lon_deg is None:
        return "an unknown position"
    return f"{now.lat_deg:.6f}, {now.lon_deg:.6f}"
