"""What a simulated fleet is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path

from geo import check_coordinates
from sim.dialect import Dialect
from sim.dialects import AUTOPILOTS, FRAMES, dialect_for
from sim.errors import ConfigError
from sim.faults import Faults, MotorFailure
from sim.flight_power import PowerModel
from sim.flight_wind import Wind

__all__ = ["MOTORS", "Boot", "FleetConfig"]

# How many motors carry an airframe that has nothing else.
MOTORS = {"quad": 4, "copter": 4, "hexa": 6, "octo": 8}


@dataclass(frozen=True, slots=True)
class Boot:
    """Simulated seconds after power-on at which things become ready; the defaults are those seen on ArduCopter 4.7.

    Parameters
    ----------
    storage_s
        Missions may be stored; before it the capacity is 0.
    healthy_s
        The pre-arm bit is set: STABILIZE can be armed.
    position_s
        There is a position and a home: every other mode can be flown.
    """

    storage_s: float = 3.0
    healthy_s: float = 22.0
    position_s: float = 41.0

    def __post_init__(self) -> None:
        if not 0.0 <= self.storage_s <= self.healthy_s <= self.position_s < 1e6:
            raise ConfigError(
                f"boot times {self.storage_s}, {self.healthy_s}, {self.position_s} s: give them in ascending order"
            )


@dataclass(frozen=True, slots=True)
class FleetConfig:
    """A fleet of simulated vehicles on one site with flat ground.

    Parameters
    ----------
    home
        Latitude and longitude in degrees and elevation in metres AMSL of the base. The first vehicle stands there,
        the others `pad_spacing_m` apart to the east.
    vehicles, start_sysid
        How many, and the system id of the first.
    host, base_port, port_step
        Where they listen (UDP): vehicle `i` at ``base_port + i * port_step``; a base port of 0 takes free ports.
    gcs
        ``(host, port)`` of a ground station that all vehicles send to unasked, or None.
    speedup
        Simulated seconds a wall second. The fleet slows down by itself where the machine cannot follow.
    seed
        Gusts and faults.
    wind, power, boot, faults
        Figures of the site and the vehicles.
    autopilot
        "ardupilot" or "px4".
    frame
        "copter" (which is "quad"), "hexa", "octo", "plane" or "vtol".
    record_dir
        Folder of the flight records, or None for none.
    truth_file
        File of the truth of the whole run (`sim.truth_record`), or None for none.
    params
        Parameters that differ from the defaults.
    legacy_names
        Call parameters as ArduCopter 4.6 does (SYSID_MYGCS), not as 4.7 (MAV_GCS_SYSID).
    heading_deg
        Grid heading on the pad.
    turnaround_s
        Simulated seconds after disarming until the crew has set the vehicle back on its pad with a full battery.
    step_s
        Fixed step of the simulation, seconds. Streams go out at most once a step.
    stream_hz
        Most messages of one kind a wall second to one peer, however fast the simulation runs.
    start_time_us
        UTC at power-on, microseconds since the Unix epoch; None takes the wall clock.

    Raises
    ------
    ConfigError
        When a figure cannot be simulated.
    CoordinateError
        When home is not on the globe.
    """

    home: tuple[float, float, float]
    vehicles: int = 1
    start_sysid: int = 1
    host: str = "127.0.0.1"
    base_port: int = 0
    port_step: int = 10
    gcs: tuple[str, int] | None = None
    speedup: float = 1.0
    seed: int = 0
    wind: Wind = field(default_factory=Wind)
    power: PowerModel = field(default_factory=PowerModel)
    boot: Boot = field(default_factory=Boot)
    faults: Faults = field(default_factory=Faults)
    autopilot: str = "ardupilot"
    frame: str = "quad"
    record_dir: Path | None = None
    params: Mapping[str, float] = field(default_factory=dict)
    legacy_names: bool = False
    heading_deg: float = 0.0
    pad_spacing_m: float = 5.0
    turnaround_s: float = 0.0
    step_s: float = 0.05
    stream_hz: float = 25.0
    start_time_us: int | None = None
    truth_file: Path | None = None

    def __post_init__(self) -> None:
        check_coordinates(self.home[0], self.home[1], "home of the simulated fleet")
        last_port = self.base_port + (self.vehicles - 1) * self.port_step
        for name, value, low, high in (
            ("vehicles", self.vehicles, 1, 250),
            ("start_sysid", self.start_sysid, 1, 255 - self.vehicles),
            ("base_port", self.base_port, 0, 65535),
            ("last port", last_port, 0, 65535),
            ("home elevation", self.home[2], -500.0, 9000.0),
            ("speedup", self.speedup, 0.01, 10000.0),
            ("step_s", self.step_s, 0.01, 0.1),
            ("stream_hz", self.stream_hz, 0.1, 1000.0),
            ("turnaround_s", self.turnaround_s, 0.0, 86400.0),
            ("heading_deg", self.heading_deg, -360.0, 360.0),
            ("pad_spacing_m", self.pad_spacing_m, 0.0, 1000.0),
        ):
            if not (isfinite(value) and low <= value <= high):
                raise ConfigError(f"simulated fleet: {name} is {value}: give a figure between {low:g} and {high:g}")
        for name, word, known in (("autopilot", self.autopilot, AUTOPILOTS), ("frame", self.frame, FRAMES)):
            if word not in known:
                raise ConfigError(f"simulated fleet: {name} {word!r} is unknown: give one of {', '.join(known)}")
        there = range(self.start_sysid, self.start_sysid + self.vehicles)
        for fault in self.faults.all:
            for sysid in fault.vehicles:
                if sysid not in there:
                    raise ConfigError(
                        f"{fault.KIND}: vehicle {sysid} is not in the fleet: it has {there[0]} to {there[-1]}"
                    )
            if isinstance(fault, MotorFailure) and self.frame not in MOTORS:
                raise ConfigError(
                    f"{fault.KIND} is not simulated for frame {self.frame!r}: give one of {', '.join(MOTORS)}"
                )

    @property
    def dialect(self) -> Dialect:
        """What its autopilot and airframe are like."""
        return dialect_for(self.autopilot, self.frame)
