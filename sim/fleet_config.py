"""What a simulated fleet is made of."""

from __future__ import annotations

import time
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

__all__ = ["LOCKSTEP", "MOTORS", "Boot", "FleetConfig"]

LOCKSTEP = "lockstep"
"""The clock that its caller owns (`sim.LockstepFleet`)."""

_CLOCKS = ("wall", LOCKSTEP)
_LOCKSTEP_START_US = 1_704_067_200_000_000  # 2024-01-01T00:00:00Z

_TRANSPORTS = ("udp", "tcp")
_KEY_LENGTH = 32
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
    """A fleet of simulated vehicles on one site.

    Parameters
    ----------
    home
        Latitude and longitude in degrees and elevation in metres AMSL of the base. The first vehicle stands there,
        the others `pad_spacing_m` apart to the east.
    vehicles, start_sysid
        How many, and the system id of the first.
    host, base_port, port_step
        Where they listen: vehicle `i` at ``base_port + i * port_step``; a base port of 0 takes free ports.
    transport
        "udp", or "tcp" as ArduPilot's own simulator does: any number of clients.
    gcs
        ``(host, port)`` of a ground station that all vehicles send to unasked, over UDP, or None.
    signing_key
        32 bytes: the MAVLink 2 signing key that every vehicle holds when it is switched on; None for unsigned links.
    clock
        "wall", or "lockstep": simulated time passes only when it is told to, and every timer counts that.
    speedup
        Simulated seconds a wall second. The fleet slows down by itself where the machine cannot follow. It says nothing
        of a clock in lock-step.
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
    terrain
        File or folder of terrain (as `geo.TileTerrain` reads it) that they stand on and fly over, or None for flat
        ground. Home is on it: elsewhere it is as much higher as the data are higher there.
    terrain_on_card
        Whether the vehicles know that terrain, as from a card. Else they ask their ground station for it, and a mission
        above terrain that nobody answers for is not armed for, as on ArduPilot.
    params
        Parameters that differ from the defaults. Those of ArduPilot 4.7 may be given by the names and in the units of
        4.6 too, but for ARMING_CHECK, which is no other name of ARMING_SKIPCHK.
    legacy_names
        Have ArduPilot's parameters as 4.6 does (SYSID_MYGCS, RTL_ALT in cm), not as 4.7 (MAV_GCS_SYSID, RTL_ALT_M).
    heading_deg
        Grid heading on the pad.
    turnaround_s
        Simulated seconds after disarming until the crew has set the vehicle back on its pad with a full battery.
    step_s
        Fixed step of the simulation, seconds. Streams go out at most once a step.
    stream_hz
        Most messages of one kind a wall second to one peer, however fast the simulation runs; a simulated second in
        lock-step.
    start_time_us
        UTC at power-on, microseconds since the Unix epoch; None takes the wall clock, or 2024-01-01 in lock-step.

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
    transport: str = "udp"
    gcs: tuple[str, int] | None = None
    clock: str = "wall"
    signing_key: bytes | None = field(default=None, repr=False)
    speedup: float = 1.0
    seed: int = 0
    wind: Wind = field(default_factory=Wind)
    power: PowerModel = field(default_factory=PowerModel)
    boot: Boot = field(default_factory=Boot)
    faults: Faults = field(default_factory=Faults)
    autopilot: str = "ardupilot"
    frame: str = "quad"
    record_dir: Path | None = None
    terrain: Path | None = None
    terrain_on_card: bool = False
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
        for name, word, known in (
            ("autopilot", self.autopilot, AUTOPILOTS),
            ("frame", self.frame, FRAMES),
            ("transport", self.transport, _TRANSPORTS),
            ("clock", self.clock, _CLOCKS),
        ):
            if word not in known:
                raise ConfigError(f"simulated fleet: {name} {word!r} is unknown: give one of {', '.join(known)}")
        self._check_links()
        self._check_faults()

    def _check_links(self) -> None:
        if self.gcs is not None and self.transport != "udp":
            raise ConfigError("simulated fleet: nothing is sent unasked over TCP: leave gcs out, or give transport udp")
        if self.clock == LOCKSTEP and self.transport != "udp":
            raise ConfigError(
                'simulated fleet: in lock-step vehicles speak UDP or within the process: leave transport "udp"'
            )
        if self.truth_file is not None and self.clock == LOCKSTEP:
            raise ConfigError(
                "simulated fleet: truth_file is of a fleet on the wall's clock: leave it out in lock-step"
            )
        if self.signing_key is not None and len(self.signing_key) != _KEY_LENGTH:
            raise ConfigError(
                f"simulated fleet: a signing key has {_KEY_LENGTH} bytes and this one {len(self.signing_key)}"
            )

    def _check_faults(self) -> None:
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
    def ports(self) -> list[int]:
        """The port of each vehicle; 0 for a free one."""
        return [self.base_port + (i * self.port_step if self.base_port else 0) for i in range(self.vehicles)]

    @property
    def timer_speedup(self) -> float:
        """Simulated seconds a second of the clock that timers run on: in lock-step that is simulated time itself."""
        return 1.0 if self.clock == LOCKSTEP else self.speedup

    @property
    def start_us(self) -> int:
        """UTC at a power-on now, microseconds since the Unix epoch."""
        if self.start_time_us is not None:
            return self.start_time_us
        return _LOCKSTEP_START_US if self.clock == LOCKSTEP else time.time_ns() // 1000

    @property
    def dialect(self) -> Dialect:
        """What its autopilot and airframe are like."""
        dialect = dialect_for(self.autopilot, self.frame)
        return dialect.of_old() if self.legacy_names else dialect
