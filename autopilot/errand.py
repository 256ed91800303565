"""Sending a vehicle that flies to another place."""

from __future__ import annotations

import math
from dataclasses import dataclass

from pymavlink.dialects.v20 import ardupilotmega as mav

from autopilot.vehicle import Vehicle

__all__ = ["Errand", "go_to"]

_AS_IT_FLIES = -1.0


@dataclass(frozen=True, slots=True)
class Errand:
    """What a vehicle in the air is sent to look at, instead of its patrol.

    Parameters
    ----------
    lat_deg, lon_deg, above_home_m
        Where it is to be.
    station_s
        How long it stays there, seconds.
    words
        What it is, for people.
    """

    lat_deg: float
    lon_deg: float
    above_home_m: float
    station_s: float
    words: str


async def go_to(vehicle: Vehicle, errand: Errand) -> None:
    """Send a vehicle straight to a place, where it stays. Raises CommandError.

    Whether the way and the place are lawful is for the caller to see to.
    """
    await vehicle.command_int(
        mav.MAV_CMD_DO_REPOSITION,
        _AS_IT_FLIES,
        mav.MAV_DO_REPOSITION_FLAGS_CHANGE_MODE,
        0.0,
        math.nan,
        frame=mav.MAV_FRAME_GLOBAL_RELATIVE_ALT,
        x=round(errand.lat_deg * 1e7),
        y=round(errand.lon_deg * 1e7),
        z=errand.above_home_m,
    )
