"""Vehicles for tests: one fleet, simulated by us or by a real autopilot's own simulator, under one description."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from sim.errors import ConfigError
from sim.fault_file import faults_from, load_faults
from sim.faults import Fault, Faults
from sim.fleet_config import LOCKSTEP, FleetConfig
from sim.fleet_process import start_fleet
from sim.sitl_real import start_real
from sim.sitl_vehicle import SitlFleet, SitlVehicle
from sim.world import Actor, World, walk

__all__ = ["peopled_world", "sitl_config", "start_sitl"]

# Where ArduPilot's own simulator starts.
_HOME = (-35.363261, 149.165230, 584.0)
_SPEEDUP = 10.0
_ACTORS = {"person": 3, "vehicle": 1, "animal": 1}
_SPEEDS_MPS = {"person": 1.4, "vehicle": 8.0, "bicycle": 4.0, "animal": 1.0}
_AROUND_M = 150.0


def sitl_config(values: Mapping[str, Any], folder: Path) -> FleetConfig:
    """The fleet that a test describes.

    Parameters
    ----------
    values
        Fields of `FleetConfig` that differ from its defaults, but for home (Canberra, as ArduPilot's) and speedup (10).
        `faults` may be a `Faults`, a list of faults or of mappings as in a scenario file, or the path of one; `terrain`
        a path. `actors` is passed over: `peopled_world` takes them.
    folder
        What a relative path is relative to.

    Raises
    ------
    ConfigError
        When a name is no field or a value cannot be simulated.
    """
    known = [*(each.name for each in fields(FleetConfig)), "actors"]
    for name in values:
        if name not in known:
            raise ConfigError(f"sitl has no setting {name!r}: it has {', '.join(known)}")
    settings: dict[str, Any] = {"home": _HOME, "speedup": _SPEEDUP} | dict(values)
    settings.pop("actors", None)
    if isinstance(settings.get("terrain"), str | Path):
        settings["terrain"] = folder / settings["terrain"]
    settings["faults"] = _faults(settings.get("faults", Faults()), folder)
    try:
        config = FleetConfig(**settings)
    except TypeError as error:
        raise ConfigError(f"sitl: a setting is of the wrong type: {error}") from error
    # The clock of the world is that of the fleet.
    return replace(config, start_time_us=config.start_us)


def _faults(given: object, folder: Path) -> Faults:
    if isinstance(given, Faults):
        return given
    if isinstance(given, str | Path):
        return load_faults(folder / given)
    if not isinstance(given, list | tuple):
        raise ConfigError(f"sitl: faults is {given!r}: give sim.Faults, a list of faults or the path of a scenario")
    made: list[Fault] = []
    for each in given:
        made += [each] if isinstance(each, Fault) else faults_from([each]).all
    return Faults(listed=tuple(made))


@contextmanager
def start_sitl(config: FleetConfig, *, real: str | None = None, folder: Path | None = None) -> Iterator[SitlFleet]:
    """Run a fleet on ports of its own for as long as the context lasts.

    Parameters
    ----------
    config
        The fleet.
    real
        "ardupilot" or "px4" for that autopilot's own simulator, None for ours.
    folder
        Where a real autopilot keeps its files; needed with `real`.

    Raises
    ------
    FleetError
        When it does not start, with its own reason, or a real one is asked for and there is none.
    """
    if real is not None:
        if config.clock == LOCKSTEP:
            raise ConfigError("a real autopilot's simulator has a clock of its own: leave out --sitl, or the lock-step")
        if folder is None:
            raise ConfigError("a real autopilot needs a folder to keep its files in: give one")
        with start_real(real, config, folder) as fleet:
            yield fleet
        return
    with start_fleet(config) as running:
        pass_time = running.advance if config.clock == LOCKSTEP else None
        yield SitlFleet(
            tuple(SitlVehicle(e.sysid, e.url, config.home, config.timer_speedup, pass_time) for e in running.endpoints),
            config.home,
            config.timer_speedup,
        )


def peopled_world(config: FleetConfig, actors: Mapping[str, int] | None = None) -> World:
    """Flat ground about a fleet's home, with people, vehicles and animals that walk there.

    Parameters
    ----------
    config
        The fleet: its home, its seed, its clock.
    actors
        How many of each kind; None for three people, a vehicle and an animal.

    Raises
    ------
    WorldError
        When a kind is unknown.
    """
    lat, lon, ground_amsl_m = config.home
    rng = np.random.default_rng([config.seed, 0x517])
    made: list[Actor] = []
    for kind, count in (_ACTORS if actors is None else actors).items():
        for _ in range(count):
            number = len(made) + 1
            path = walk(
                rng.uniform(-_AROUND_M, _AROUND_M, (4, 2)),
                _SPEEDS_MPS.get(kind, 1.0),
                seed=int(rng.integers(2**31)),
                start_s=float(rng.uniform(0.0, 10.0)),
            )
            made.append(Actor(number, kind, path, seed=number))
    return World(lat, lon, ground_amsl_m, config.start_time_us or 0, tuple(made), seed=config.seed)
