"""Running a fleet of simulated vehicles in one thread, faster than the wall clock where asked."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from sim.errors import ConfigError
from sim.fault_link import FaultLinks, Wire
from sim.fault_play import FaultPlay
from sim.fleet_config import LOCKSTEP, FleetConfig
from sim.fleet_link import Links
from sim.fleet_tcp import TcpLinks
from sim.truth_record import TruthRecorder
from sim.vehicle import Vehicle

__all__ = ["Endpoint", "Stop", "run_fleet"]

# Wall seconds simulated in one go before the sockets are looked at again, the same where nothing comes in by then, and
# lost time that is not made up for. Who is spoken to answers at once, and steps of less than a pause go together.
_BATCH_WALL_S = 0.004
_PAUSE_WALL_S = 0.003
_MOST_BEHIND_WALL_S = 0.25


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where one simulated vehicle listens.

    Parameters
    ----------
    sysid
        Its system id.
    host, port
        Its address. Over UDP it is silent until something is sent there, then it answers the sender; over TCP it speaks
        to whoever connects.
    transport
        "udp" or "tcp".
    """

    sysid: int
    host: str
    port: int
    transport: str = "udp"

    @property
    def url(self) -> str:
        """Connection string of pymavlink, MAVProxy and MAVSDK's older forms: ``udpout:host:port``, or ``tcp:``."""
        return f"{'tcp' if self.transport == 'tcp' else 'udpout'}:{self.host}:{self.port}"


class Stop(Protocol):
    """What ends a fleet: `threading.Event`, `multiprocessing.Event` or anything like them."""

    def is_set(self) -> bool:
        """Whether to stop."""
        ...


def run_fleet(
    config: FleetConfig, *, ready: Callable[[list[Endpoint]], None] | None = None, stop: Stop | None = None
) -> None:
    """Run a fleet in the calling thread until `stop` is set.

    Simulated time runs at ``config.speedup`` in small batches of fixed steps. Where the machine cannot follow, the lost
    time is not made up for beyond a quarter of a second: the simulation is slower, its trajectories are the same.
    A sortie that has not ended when the fleet stops leaves no record.

    Parameters
    ----------
    config
        The fleet.
    ready
        Called with the endpoints once they are bound.
    stop
        Ends the run; None runs for ever.

    Raises
    ------
    FleetError
        When a port cannot be bound.
    ConfigError
        When a parameter of the configuration is not simulated, or its clock is not the wall's.
    """
    if config.clock == LOCKSTEP:
        raise ConfigError('a fleet in lock-step does not run by itself: give sim.LockstepFleet, or clock="wall"')
    start_us = config.start_us
    with (
        TcpLinks(config.host, config.ports) if config.transport == "tcp" else Links(config.host, config.ports) as links
    ):
        plays: list[FaultPlay] = []
        wire = FaultLinks(links, plays, seed=config.seed, speedup=config.speedup) if config.faults.all else links
        vehicles = [Vehicle(config, i, partial(wire.send, i), start_us) for i in range(config.vehicles)]
        plays += [vehicle.faults for vehicle in vehicles]
        if isinstance(links, TcpLinks):
            links.tell(
                lambda index, address: vehicles[index].open(address, time.perf_counter()),
                lambda index, address: vehicles[index].close(address),
            )
        if ready is not None:
            kind = config.transport
            ready([Endpoint(v.sysid, config.host, p, kind) for v, p in zip(vehicles, links.ports, strict=True)])
        if config.truth_file is None:
            _loop(config, wire, vehicles, stop)
            return
        with TruthRecorder(config.truth_file, [(each.sysid, each.flight) for each in vehicles]) as truth:
            _loop(config, wire, vehicles, stop, truth.note)


def _loop(
    config: FleetConfig,
    links: Wire,
    vehicles: list[Vehicle],
    stop: Stop | None,
    note: Callable[[float], None] = lambda _: None,
) -> None:
    steps_a_second = config.speedup / config.step_s
    most = batch = max(1, int(_BATCH_WALL_S * steps_a_second))
    together = max(1, int(_PAUSE_WALL_S * steps_a_second))
    most_behind = max(batch, int(_MOST_BEHIND_WALL_S * steps_a_second))
    done = 0
    origin = time.perf_counter()
    while stop is None or not stop.is_set():
        now = time.perf_counter()
        behind = int((now - origin) * steps_a_second) - done
        if behind > most_behind:
            origin += (behind - most_behind) / steps_a_second
        count = min(behind, batch)
        for vehicle in vehicles:
            step = vehicle.step
            for _ in range(count):
                step()
            vehicle.pump(now)
        done += count
        note(done * config.step_s)
        after = time.perf_counter()
        # Where the machine cannot follow, smaller batches keep the vehicles answering.
        if after - now > 2.0 * _BATCH_WALL_S:
            batch = max(1, batch // 2)
        elif after - now < _BATCH_WALL_S:
            batch = min(most, batch + 1)
        wait_s = origin + (done + together) / steps_a_second - after
        for index, address, data in links.poll(min(max(wait_s, 0.0), 0.05)):
            vehicles[index].receive(address, data, time.perf_counter())
