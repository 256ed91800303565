"""What a test is told of the vehicles that run for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from sim.errors import ConfigError

__all__ = ["SitlFleet", "SitlVehicle"]


@dataclass(frozen=True, slots=True)
class SitlVehicle:
    """A vehicle that runs.

    Parameters
    ----------
    sysid
        Its system id.
    url
        How to reach it: ``udpout:``, ``udpin:`` or ``tcp:`` with host and port, as pymavlink, MAVProxy and
        ``vedette fly --link`` take it.
    home
        Latitude and longitude in degrees and elevation in metres AMSL.
    speedup
        Simulated seconds a second; 1 in lock-step.
    """

    sysid: int
    url: str
    home: tuple[float, float, float]
    speedup: float
    _pass_time: Callable[[float], float] | None = field(default=None, repr=False, compare=False)

    def advance(self, seconds: float) -> float:
        """Let simulated time pass for the whole fleet, with ``clock="lockstep"``, as `RunningFleet.advance` does."""
        if self._pass_time is None:
            raise ConfigError('these vehicles run on the wall clock: mark the test with sitl(clock="lockstep")')
        return self._pass_time(seconds)


@dataclass(frozen=True, slots=True)
class SitlFleet:
    """Vehicles that run, in the order of their system ids; iterate, index, take the length.

    Parameters
    ----------
    vehicles
        They.
    home, speedup
        As of its vehicles.
    """

    vehicles: tuple[SitlVehicle, ...]
    home: tuple[float, float, float]
    speedup: float

    def __iter__(self) -> Iterator[SitlVehicle]:
        return iter(self.vehicles)

    def __len__(self) -> int:
        return len(self.vehicles)

    def __getitem__(self, index: int) -> SitlVehicle:
        return self.vehicles[index]

    def advance(self, seconds: float) -> float:
        """As of its vehicles."""
        return self.vehicles[0].advance(seconds)
