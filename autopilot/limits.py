"""When a flight is given up, and where it stands."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["FlightLimits", "FlightProgress"]


@dataclass(frozen=True, slots=True)
class FlightLimits:
    """When to give a sortie up, in seconds of the vehicle's own time, and how high it may fly.

    Parameters
    ----------
    ready_s
        Longest wait for position, GPS and pre-arm checks; and for anything new of the ground that a mission above
        terrain needs.
    flight_s
        Longest flight, arming to disarming; then it is sent home.
    home_s
        Longest watch over a vehicle that is brought home before its mission is done.
    lost_s
        Longest silence that this watch waits out; orders home go out all the while.
    turnaround_s
        Longest wait for a charged battery before a sortie.
    battery_percent
        Least charge to start with; a vehicle that reports none is not held.
    ceiling_m
        Height limit to set with the fence, metres above home; None leaves the vehicle's own (ArduPilot's default is
        100 m), and a mission that climbs to it is not flown.
    connect_s
        Longest wait for the first heartbeat, wall seconds.
    """

    ready_s: float = 180.0
    flight_s: float = 7200.0
    home_s: float = 7200.0
    lost_s: float = 1800.0
    turnaround_s: float = 1800.0
    battery_percent: float = 80.0
    ceiling_m: float | None = None
    connect_s: float = 15.0


@dataclass(frozen=True, slots=True)
class FlightProgress:
    """Where one vehicle is.

    Parameters
    ----------
    sysid, sortie, sorties
        Vehicle, number of its sortie from 1, and how many it has.
    stage
        ``connect``, ``check``, ``upload mission``, ``read back mission`` and so on, ``terrain``, ``ready``, ``start``,
        ``prove`` (and reading back once more), ``fly``, ``landed`` or ``failed``.
    done, total
        Items done and in all, where the stage counts.
    text
        The failure; of ``check`` what the vehicle does by itself when it hears nobody; or empty.
    """

    sysid: int
    sortie: int
    sorties: int
    stage: str
    done: int = 0
    total: int = 0
    text: str = ""
