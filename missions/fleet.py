"""What flies: aircraft with cameras, and where they stand."""

from __future__ import annotations

from dataclasses import dataclass, field

from geo import CameraModel, CoordinateError, check_coordinates
from missions.aircraft import Aircraft, AircraftForm
from missions.errors import FleetError
from missions.figures import store_figures
from missions.files import is_file_name

__all__ = ["Aircraft", "AircraftForm", "Base", "Camera", "Fleet", "Vehicle", "default_fleet"]


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
        if self.modality not in ("thermal", "visible"):  # a list is not hashable
            raise FleetError(f"camera {self.name!r}: modality is {self.modality!r}: give 'thermal' or 'visible'")
        what = f"camera {self.name!r}:"
        store_figures(self, {"pitch_min_deg": (-90, 0), "max_gsd_m": (1e-3, 10)}, what, FleetError)
        store_figures(self, {"pitch_max_deg": (self.pitch_min_deg, 30)}, what, FleetError)


@dataclass(frozen=True, slots=True)
class Base:
    """A place to take off from and land on.

    Parameters
    ----------
    name
        What people call it.
    lat_deg, lon_deg
        Degrees WGS 84.
    batteries
        Charged batteries at hand when the shift begins, those in the aircraft included; None for enough.
    charge_s
        Time to charge one, seconds.
    runway_deg
        Direction of its runway, degrees from true north; either way along it may be used. None where a fixed wing may
        take off and land in any direction that nothing shuts.
    """

    name: str
    lat_deg: float
    lon_deg: float
    batteries: int | None = None
    charge_s: float = 3600.0
    runway_deg: float | None = None

    def __post_init__(self) -> None:
        limits = {"lat_deg": (-90, 90), "lon_deg": (-180, 180), "charge_s": (0, 1e6)}
        if self.runway_deg is not None:
            limits["runway_deg"] = (0, 360)
        store_figures(self, limits, f"base {self.name!r}:", FleetError)
        try:
            check_coordinates(self.lat_deg, self.lon_deg, f"base {self.name!r}")
        except CoordinateError as error:
            raise FleetError(str(error)) from None
        if self.batteries is not None and (
            isinstance(self.batteries, bool) or not isinstance(self.batteries, int) or self.batteries < 1
        ):
            raise FleetError(
                f"base {self.name!r}: batteries is {self.batteries!r}: give a whole number, or none at all"
            )


@dataclass(frozen=True, slots=True)
class Vehicle:
    """One aircraft of a fleet.

    Parameters
    ----------
    sysid
        Its MAVLink system id, 1 to 250.
    name
        What people call it; mission files are named after it.
    aircraft, base
        Its type, and where it stands.
    camera
        Its own camera; that of the fleet by default.
    """

    sysid: int
    name: str
    aircraft: Aircraft
    base: Base
    camera: Camera | None = None

    def __post_init__(self) -> None:
        if isinstance(self.sysid, bool) or not isinstance(self.sysid, int) or not 1 <= self.sysid <= 250:
            raise FleetError(f"vehicle {self.name!r}: sysid is {self.sysid!r}: give a whole number from 1 to 250")
        if not is_file_name(self.name, most=100):
            raise FleetError(
                f"vehicle {str(self.name)[:40]!r}: name: mission files are named after it: give a text of up to 100 "
                'bytes without / \\ : * ? " < > | and without a dot or a blank at its ends'
            )


@dataclass(frozen=True, slots=True)
class Fleet:
    """Vehicles, and the camera of those that have none of their own.

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
        places: dict[str, Base] = {}
        for vehicle in self.vehicles:
            if places.setdefault(vehicle.base.name, vehicle.base) != vehicle.base:
                raise FleetError(f"two different bases have the name {vehicle.base.name!r}: each needs its own")

    def camera_of(self, vehicle: Vehicle) -> Camera:
        """The camera of a vehicle."""
        return vehicle.camera or self.camera

    def teams(self) -> tuple[tuple[Vehicle, ...], ...]:
        """Vehicles of one type with one camera at one base, each group in the order of system ids."""
        groups: dict[tuple[Aircraft, Camera, Base], list[Vehicle]] = {}
        for vehicle in sorted(self.vehicles, key=lambda v: v.sysid):
            groups.setdefault((vehicle.aircraft, self.camera_of(vehicle), vehicle.base), []).append(vehicle)
        return tuple(tuple(group) for group in groups.values())


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
