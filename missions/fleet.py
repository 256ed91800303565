"""What flies: aircraft, its camera, where it stands."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from geo import CameraModel, CoordinateError, check_coordinates
from missions.errors import FleetError

__all__ = ["Aircraft", "Base", "Camera", "Fleet", "Vehicle", "default_fleet"]


def _check(what: str, value: object, low: float, high: float) -> None:
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float)
        or not math.isfinite(value)
        or not low <= value <= high
    ):
        raise FleetError(f"{what} is {value!r}: give a number between {low:g} and {high:g}")


@dataclass(frozen=True, slots=True)
class Aircraft:
    """A type of multirotor.

    Parameters
    ----------
    kind
        Name of the type.
    cruise_m_s, max_m_s
        Speed of transit and the highest speed, metres a second.
    climb_m_s, descent_m_s
        Vertical speeds, metres a second, both positive.
    hover_power_w, cruise_power_w, climb_power_w
        Electric power when hovering, in level flight at `cruise_m_s`, and in a climb at `climb_m_s`, watts.
    battery_wh
        Energy of a full battery, watt hours.
    reserve_fraction
        Share of the battery that is left at landing.
    turn_round_s
        From landing to the next take-off, with a fresh battery, seconds.

    Raises
    ------
    FleetError
        When a figure is impossible; the message names the field.
    """

    kind: str
    cruise_m_s: float
    max_m_s: float
    climb_m_s: float
    descent_m_s: float
    hover_power_w: float
    cruise_power_w: float
    climb_power_w: float
    battery_wh: float
    reserve_fraction: float = 0.2
    turn_round_s: float = 300.0

    def __post_init__(self) -> None:
        limits = {
            "cruise_m_s": (0.5, 60),
            "max_m_s": (0.5, 80),
            "climb_m_s": (0.2, 30),
            "descent_m_s": (0.2, 30),
            "hover_power_w": (1, 1e5),
            "cruise_power_w": (1, 1e5),
            "climb_power_w": (1, 1e5),
            "battery_wh": (1, 1e6),
            "reserve_fraction": (0.0, 0.9),
            "turn_round_s": (0, 1e6),
        }
        for name, (low, high) in limits.items():
            _check(f"aircraft {self.kind!r}: {name}", getattr(self, name), low, high)
            object.__setattr__(self, name, float(getattr(self, name)))
        if self.cruise_m_s > self.max_m_s:
            raise FleetError(f"aircraft {self.kind!r}: cruise_m_s {self.cruise_m_s} is above max_m_s {self.max_m_s}")

    @property
    def usable_wh(self) -> float:
        """Energy that a sortie may use, watt hours."""
        return self.battery_wh * (1 - self.reserve_fraction)

    def power_w(self, speed_m_s: float) -> float:
        """Power in level flight, watts: quadratic in speed through the figures for hover and cruise.

        Above the true curve of a multirotor between the two, whose power first falls with speed; so the estimate is on
        the safe side for patrol speeds. Wind is not in it: the reserve has to carry it.
        """
        return self.hover_power_w + (self.cruise_power_w - self.hover_power_w) * (speed_m_s / self.cruise_m_s) ** 2


@dataclass(frozen=True, slots=True)
class Camera:
    """A camera on a gimbal.

    Parameters
    ----------
    name
        Name of the camera.
    model
        Its pinhole model.
    modality
        ``thermal`` or ``visible``.
    pitch_min_deg, pitch_max_deg
        Reach of the gimbal, degrees: -90 is straight down.
    max_gsd_m
        Coarsest ground sample distance at which its pictures are of use, metres a pixel, across the line of sight.

    Raises
    ------
    FleetError
        When a figure is impossible; the message names the field.
    """

    name: str
    model: CameraModel
    modality: str = "thermal"
    pitch_min_deg: float = -90.0
    pitch_max_deg: float = 0.0
    max_gsd_m: float = 0.125

    def __post_init__(self) -> None:
        if self.modality not in {"thermal", "visible"}:
            raise FleetError(f"camera {self.name!r}: modality is {self.modality!r}: give 'thermal' or 'visible'")
        _check(f"camera {self.name!r}: pitch_min_deg", self.pitch_min_deg, -90, 0)
        _check(f"camera {self.name!r}: pitch_max_deg", self.pitch_max_deg, self.pitch_min_deg, 30)
        _check(f"camera {self.name!r}: max_gsd_m", self.max_gsd_m, 1e-3, 10)


@dataclass(frozen=True, slots=True)
class Base:
    """A place to take off from and land on: latitude and longitude in degrees WGS 84."""

    name: str
    lat_deg: float
    lon_deg: float

    def __post_init__(self) -> None:
        for name, limit in (("lat_deg", 90), ("lon_deg", 180)):
            _check(f"base {self.name!r}: {name}", getattr(self, name), -limit, limit)
        try:
            check_coordinates(self.lat_deg, self.lon_deg, f"base {self.name!r}")
        except CoordinateError as error:
            raise FleetError(str(error)) from None


@dataclass(frozen=True, slots=True)
class Vehicle:
    """One aircraft of a fleet: its MAVLink system id (1 to 250), name, type and base."""

    sysid: int
    name: str
    aircraft: Aircraft
    base: Base

    def __post_init__(self) -> None:
        if isinstance(self.sysid, bool) or not isinstance(self.sysid, int) or not 1 <= self.sysid <= 250:
            raise FleetError(f"vehicle {self.name!r}: sysid is {self.sysid!r}: give a whole number from 1 to 250")


@dataclass(frozen=True, slots=True)
class Fleet:
    """Vehicles that share one type of camera.

    Raises
    ------
    FleetError
        When there is no vehicle, or two have the same system id or name.
    """

    camera: Camera
    vehicles: tuple[Vehicle, ...] = field(default_factory=tuple)

    def __post_init__(self) -> None:
        object.__setattr__(self, "vehicles", tuple(self.vehicles))
        if not self.vehicles:
            raise FleetError("the fleet has no vehicle: give at least one")
        for name in ("sysid", "name"):
            values = [getattr(vehicle, name) for vehicle in self.vehicles]
            twice = next((value for value in values if values.count(value) > 1), None)
            if twice is not None:
                raise FleetError(f"two vehicles have the {name} {twice!r}: each needs its own")


def default_fleet(base: Base, count: int = 2) -> Fleet:
    """Multirotors with a thermal camera (640x512, 13.5 mm, 12 um), all at one base.

    They hover for 57 minutes down to the reserve: an assumed long-endurance type, to plan and train with. Before a real
    flight put the measured figures of your own into a fleet file.
    """
    if not 1 <= count <= 250:
        raise FleetError(f"a fleet of {count}: give between 1 and 250 vehicles")
    aircraft = Aircraft(
        kind="multirotor, 57 min",
        cruise_m_s=18.0,
        max_m_s=23.0,
        climb_m_s=5.0,
        descent_m_s=3.0,
        hover_power_w=520.0,
        cruise_power_w=560.0,
        climb_power_w=800.0,
        battery_wh=620.0,
        reserve_fraction=0.2,
        turn_round_s=240.0,
    )
    camera = Camera("thermal 640x512, 13.5 mm", CameraModel.from_sensor(640, 512, 13.5, 12.0))
    return Fleet(camera, tuple(Vehicle(n, f"vehicle-{n}", aircraft, base) for n in range(1, count + 1)))
