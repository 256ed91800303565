"""A fleet whose clock belongs to its caller: simulated time passes when it is told to, and nothing else counts.

What is the same as in the real ones: ArduPilot's SITL with a JSON back end and PX4's SITL in lock-step take the time of
their whole autopilot from a simulator that sends it, stand still in between, and run as fast as both can; every timer
(streams, transfers, failsafes) counts that time. What is not: there the simulator sends a time with each set of sensor
data, here vehicle and physics step together and the caller says how far. A message is handled when it comes, at the
time that stands, as PX4's link threads do; ArduPilot's takes it with the next turn of its loop.

What a vehicle answers at once is answered while the clock stands; what waits for its loop (streams, files, parameter
lists, whatever is asked again) comes with the next step. The link faults of a scenario run on the same clock: two runs
of one configuration with the same bytes at the same times bring the same bytes at the same times.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from math import isclose

from sim.errors import ConfigError
from sim.fault_link import Datagram, FaultLinks, Wire
from sim.fault_play import FaultPlay
from sim.fleet_config import LOCKSTEP, FleetConfig
from sim.vehicle import Vehicle

__all__ = ["LocalLink", "LockstepFleet"]


class LocalLink:
    """One end of a link with a vehicle in the same process; pymavlink's ``MAVLink(link)`` writes to it as to a file.

    Made by `LockstepFleet.connect`.
    """

    def __init__(self, fleet: LockstepFleet, index: int) -> None:
        self._fleet = fleet
        self._index = index
        self._came: list[bytes] = []

    def write(self, data: bytes) -> None:
        """Send a datagram: the vehicle handles it at the time that stands, unless a fault delays or takes it."""
        self._fleet.put((self._index, self, bytes(data)))

    def read(self) -> list[bytes]:
        """Datagrams that have come from the vehicle since the last call, in their order."""
        came, self._came = self._came, []
        return came

    def hear(self, data: bytes) -> None:
        """Take a datagram of the vehicle."""
        self._came.append(data)


class _Local:
    """The wire of a fleet whose peers are all in this process."""

    def __init__(self) -> None:
        self.waiting: list[Datagram] = []

    def send(self, index: int, address: LocalLink, data: bytes) -> None:  # noqa: ARG002 (a `Wire`)
        address.hear(data)

    def poll(self, timeout_s: float) -> list[Datagram]:  # noqa: ARG002 (nobody else can bring any)
        waiting, self.waiting = self.waiting, []
        return waiting


class LockstepFleet:
    """Vehicles on a clock that stands until it is advanced.

    Parameters
    ----------
    config
        The fleet, with ``clock="lockstep"``. Its speedup and its ports say nothing here. Where it gives no start time
        that is 2024-01-01 UTC, so that two runs are the same.
    wire
        Sockets to serve; None for links within this process (`connect`).

    Raises
    ------
    ConfigError
        When the configuration is of a fleet on the wall clock, names a ground station to call and has no sockets, or
        holds a parameter that is not simulated.

    Examples
    --------
    >>> from sim import FleetConfig, LockstepFleet
    >>> fleet = LockstepFleet(FleetConfig(home=(31.34, -110.94, 1180.0), clock="lockstep"))
    >>> link = fleet.connect(1)
    >>> link.write(b"hello")
    >>> fleet.advance(2.0)
    >>> fleet.time_s, len(link.read()) > 0
    (2.0, True)
    """

    def __init__(self, config: FleetConfig, wire: Wire | None = None) -> None:
        if config.clock != LOCKSTEP:
            raise ConfigError(f'lock-step fleet: its clock is "{config.clock}": give clock="{LOCKSTEP}"')
        if wire is None and config.gcs is not None:
            raise ConfigError("lock-step fleet: within one process there is no address to call: leave gcs out")
        self.config = config
        self._steps = 0
        self._local = _Local()
        lower: Wire = self._local if wire is None else wire
        plays: list[FaultPlay] = []
        self._wire: Wire = lower
        if config.faults.all:
            self._wire = FaultLinks(lower, plays, seed=config.seed, speedup=1.0, clock=lambda: self.time_s)
        start_us = config.start_us
        self.vehicles: Sequence[Vehicle] = [
            Vehicle(config, i, partial(self._wire.send, i), start_us) for i in range(config.vehicles)
        ]
        plays += [vehicle.faults for vehicle in self.vehicles]

    @property
    def time_s(self) -> float:
        """Simulated seconds since power-on."""
        return self._steps * self.config.step_s

    def connect(self, sysid: int) -> LocalLink:
        """A new peer of the vehicle with a system id; raises ConfigError when there is none."""
        first = self.config.start_sysid
        if not first <= sysid < first + len(self.vehicles):
            raise ConfigError(
                f"lock-step fleet: there is no vehicle {sysid}: it has {first} to {first + len(self.vehicles) - 1}"
            )
        return LocalLink(self, sysid - first)

    def advance(self, seconds: float) -> None:
        """Let simulated time pass.

        Parameters
        ----------
        seconds
            How much: a multiple of the step of the configuration, 0 to hear only what has come.

        Raises
        ------
        ConfigError
            When it is none.
        """
        step_s = self.config.step_s
        count = round(seconds / step_s) if 0.0 <= seconds < 1e9 else -1
        if count < 0 or not isclose(count * step_s, seconds, rel_tol=1e-9, abs_tol=1e-6):
            raise ConfigError(f"lock-step fleet: {seconds} s cannot pass: give a multiple of its step of {step_s:g} s")
        self.hear()
        for _ in range(count):
            for vehicle in self.vehicles:
                vehicle.step()
            self._steps += 1
            now_s = self.time_s
            for vehicle in self.vehicles:
                vehicle.pump(now_s)
            self.hear()

    def put(self, datagram: Datagram) -> None:
        """Take a datagram of a peer in this process."""
        self._local.waiting.append(datagram)
        self.hear()

    def hear(self) -> None:
        """Handle what has come, at the time that stands."""
        while came := self._wire.poll(0.0):
            for index, address, data in came:
                self.vehicles[index].receive(address, data, self.time_s)
