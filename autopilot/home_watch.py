"""Where a vehicle returns to: that it is where it stands before it takes off, and that nobody moves it in flight.

A ground station may set home anywhere (MAV_CMD_DO_SET_HOME), in the air too, and every return of the vehicle, by order,
by its fence or for want of a link, then leads there: out of the fence, over the line.
"""

from __future__ import annotations

import asyncio

from pymavlink.dialects.v20 import ardupilotmega as mav

from autopilot.errors import AutopilotError, FlightError, NotReadyError
from autopilot.vehicle import Vehicle
from autopilot.watch import FlightWatch
from geo import geodesic_distance_m
from missions import Mission

__all__ = ["HomeWatch", "check_home", "moves_home"]

# Arming sets it anew by some metres, and PX4 mends its height in the first minutes of a flight (HomePosition.cpp).
_AWAY_M, _HEIGHT_M = 30.0, 25.0
_ASK_S = 10.0  # vehicle seconds: ArduPilot says it once, when it changes
_TRIES, _ANSWER_S = 3, 1.0
_FRAME = mav.MAV_FRAME_GLOBAL

Home = tuple[float, float, float]


async def check_home(vehicle: Vehicle) -> None:
    """Whether a vehicle on the ground returns to where it stands. Raises NotReadyError.

    One that does not say where its home is, or where it is, is not judged.
    """
    await _told(vehicle)
    now = vehicle.telemetry
    if now.home is None or now.lat_deg is None or now.lon_deg is None:
        return
    away_m = float(geodesic_distance_m(*now.home[:2], now.lat_deg, now.lon_deg))
    if away_m > _AWAY_M:
        raise NotReadyError(
            f"{vehicle}: its home is {_words(now.home)}, {away_m:.0f} m from where it stands, and every return leads "
            "there: set its home where it stands (MAV_CMD_DO_SET_HOME)"
        )


def moves_home(mission: Mission) -> bool:
    """Whether a mission itself sets home as it is flown: where it then returns to is the mission's own business."""
    return any(item.command == mav.MAV_CMD_DO_SET_HOME for item in mission.items)


class HomeWatch:
    """Watches that the home of a vehicle stays where it is, or where it is first said to be, until it is down again.

    PX4 sets its home where it stands as soon as it has disarmed (HomePosition.cpp, ``update``; seen on main of May
    2026 with a plane, 57 m from its base), and nobody has moved it then.

    Parameters
    ----------
    vehicle, watch
        The vehicle, and its flight.
    """

    def __init__(self, vehicle: Vehicle, watch: FlightWatch) -> None:
        self._vehicle, self._watch = vehicle, watch
        self._home: Home | None = vehicle.telemetry.home
        self._asked_s = asyncio.get_running_loop().time()

    async def look(self) -> None:
        """Ask for it when it is time to. One that was moved is set back; raises FlightError then."""
        vehicle, now = self._vehicle, self._vehicle.telemetry
        if self._watch.is_down(now):
            return
        now_s = asyncio.get_running_loop().time()
        if now_s - self._asked_s >= vehicle.timing.wall_s(_ASK_S):
            self._asked_s = now_s
            vehicle.ask_home()
        if self._home is None:
            self._home = now.home
        if self._home is None or now.home is None or not _differ(self._home, now.home):
            return
        moved = f"its home was moved to {_words(now.home)}, and not by us"
        self._watch.note_failure(now, moved)
        try:
            await self._set_back(self._home)
        except AutopilotError as error:
            self._watch.astray = True
            raise FlightError(
                f"{vehicle}: {moved}; it is not set back, and its returns lead there: take it over by hand: {error}"
            ) from error
        raise FlightError(f"{vehicle}: {moved}: it was set back to {_words(self._home)}; see who else commands it")

    async def _set_back(self, home: Home) -> None:
        vehicle = self._vehicle
        x, y = round(home[0] * 1e7), round(home[1] * 1e7)
        await vehicle.command_int(mav.MAV_CMD_DO_SET_HOME, 0.0, frame=_FRAME, x=x, y=y, z=home[2])
        await _told(vehicle)
        now = vehicle.telemetry.home
        if now is None or _differ(home, now):
            raise FlightError(f"{vehicle}: does not say that its home is {_words(home)} again")


async def _told(vehicle: Vehicle) -> None:
    """Ask where its home is until it says so; some never do."""
    with vehicle.link.mailbox(vehicle.sysid, ("HOME_POSITION",)) as box:
        for _ in range(_TRIES):
            vehicle.ask_home()
            if await box.get(vehicle.timing.retry_s(_ANSWER_S)) is not None:
                return


def _differ(home: Home, other: Home) -> bool:
    away_m = float(geodesic_distance_m(*home[:2], *other[:2]))
    return away_m > _AWAY_M or abs(home[2] - other[2]) > _HEIGHT_M


def _words(home: Home) -> str:
    return f"{home[0]:.6f}, {home[1]:.6f} at {home[2]:.0f} m above sea level"
