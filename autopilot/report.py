"""What a fleet's flight came to, as values and as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from autopilot.link_account import LinkStatistics
from autopilot.transfer import Verified
from geo import write_text

__all__ = ["Event", "FlightReport", "ItemReached", "Landing", "SortieReport", "VehicleReport"]


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened.

    Parameters
    ----------
    time_us
        When, UTC microseconds since the Unix epoch, as it arrived.
    vehicle_s
        The same on the vehicle's own clock, seconds since boot; None before it was heard.
    kind
        ``check``, ``text``, ``mode``, ``armed``, ``airborne``, ``disarmed``, ``item``, ``border``, ``note`` or
        ``failure``.
    text
        What, in words.
    """

    time_us: int
    vehicle_s: float | None
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class ItemReached:
    """A mission item that was reached, or passed without a report of its own.

    Parameters
    ----------
    seq, command
        The item.
    time_us, vehicle_s
        As for `Event`.
    reported
        Whether MISSION_ITEM_REACHED arrived; else a later item became current.
    """

    seq: int
    command: int
    time_us: int
    vehicle_s: float | None
    reported: bool


@dataclass(frozen=True, slots=True)
class Landing:
    """Where a sortie ended.

    Parameters
    ----------
    lat_deg, lon_deg
        Position, WGS 84 degrees.
    from_home_m
        Distance from where it took off, metres.
    """

    lat_deg: float
    lon_deg: float
    from_home_m: float


@dataclass(frozen=True, slots=True)
class SortieReport:
    """One take-off to landing, or the reason why there was none.

    Parameters
    ----------
    number
        Of this vehicle, from 1.
    completed
        Whether every place of the mission was reached and the vehicle landed and disarmed.
    failure
        Why not, in words; None where it was completed.
    uploads
        Lists that were proved by read-back.
    events, reached
        In order of time.
    places
        Places that the mission has.
    started_us, ended_us
        Arming and disarming, UTC microseconds; None where there was none.
    flight_s
        Arming to disarming, seconds of the vehicle's clock.
    mean_deviation_m, max_deviation_m
        Horizontal distance from the planned line while flying to places of the mission, metres.
    nearest_border_m
        Least distance to the nearest border while in the air, metres; negative on its other side. None without one.
    samples
        Positions that these come from.
    landing
        Where it ended.
    battery_percent
        Charge when it ended.
    left_at
        Where it last was on its mission, latitude and longitude, degrees: where it broke off if it did.
    """

    number: int
    completed: bool
    failure: str | None
    uploads: tuple[Verified, ...]
    events: tuple[Event, ...]
    reached: tuple[ItemReached, ...]
    places: int
    started_us: int | None = None
    ended_us: int | None = None
    flight_s: float | None = None
    mean_deviation_m: float | None = None
    max_deviation_m: float | None = None
    nearest_border_m: float | None = None
    samples: int = 0
    landing: Landing | None = None
    battery_percent: float | None = None
    left_at: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class VehicleReport:
    """All sorties of one vehicle.

    Parameters
    ----------
    sysid, url
        Which vehicle, on which link.
    sorties
        Those that were tried; after one that fails the vehicle flies no more.
    planned
        Sorties that it was given.
    failure
        What stopped it, in words; None where every sortie was completed.
    packets
        Packet counts of the link; None where it did not open.
    """

    sysid: int
    url: str
    sorties: tuple[SortieReport, ...]
    planned: int
    failure: str | None
    packets: LinkStatistics | None


@dataclass(frozen=True, slots=True)
class FlightReport:
    """The flight of a fleet.

    Parameters
    ----------
    vehicles
        One each, in order of system id.
    started_us, ended_us
        UTC microseconds since the Unix epoch.
    time_scale
        Vehicle seconds in a wall second that the waits were set for.
    notes
        What a person has to know and did not stop the flight, in words: a log that failed, a mission without a fence.
    """

    vehicles: tuple[VehicleReport, ...]
    started_us: int
    ended_us: int
    time_scale: float
    notes: tuple[str, ...] = ()

    @property
    def completed(self) -> bool:
        """Whether every sortie of every vehicle was completed."""
        return all(vehicle.failure is None for vehicle in self.vehicles)

    def to_json(self) -> str:
        """The report as JSON text; names and units are those of the attributes."""
        return json.dumps({"completed": self.completed, **asdict(self)}, indent=1, allow_nan=False) + "\n"

    def write(self, path: Path) -> None:
        """Write `to_json` to a file, whole or not at all."""
        write_text(path, self.to_json())
