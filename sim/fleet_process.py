"""A fleet in a process of its own.

The parent sends the configuration as one line of JSON on standard input and reads one line of endpoints; the child ends
when its standard input closes, so that it never outlives its parent.
"""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, TextIO

from sim.errors import FleetError
from sim.fault_file import faults_from, faults_values
from sim.fleet import Endpoint, run_fleet
from sim.fleet_config import Boot, FleetConfig
from sim.flight_power import PowerModel
from sim.flight_wind import Wind

__all__ = ["RunningFleet", "serve", "start_fleet"]

_PARTS = {"wind": Wind, "power": PowerModel, "boot": Boot}
_PATHS = ("record_dir", "truth_file")
_END_S = 20.0


@dataclass(frozen=True, slots=True)
class RunningFleet:
    """A fleet that runs in another process.

    Parameters
    ----------
    endpoints
        Where its vehicles listen, in the order of their system ids.
    pid
        Id of the process.
    """

    endpoints: tuple[Endpoint, ...]
    pid: int


@contextmanager
def start_fleet(config: FleetConfig) -> Iterator[RunningFleet]:
    """Run a fleet in a process of its own for as long as the context lasts.

    Parameters
    ----------
    config
        The fleet.

    Yields
    ------
    RunningFleet
        Its endpoints, bound and answering.

    Raises
    ------
    FleetError
        When the fleet did not start, with its own reason.
    """
    path = os.pathsep.join([str(Path(__file__).parents[1]), *filter(None, [os.environ.get("PYTHONPATH")])])
    with (
        tempfile.TemporaryFile("w+", encoding="utf-8") as complaints,
        subprocess.Popen(
            [sys.executable, "-m", "sim"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=complaints,
            text=True,
            env={**os.environ, "PYTHONPATH": path},
        ) as process,
    ):
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            line = _greet(process.stdin, process.stdout, config)
            if not line:
                process.wait(_END_S)
                complaints.seek(0)
                reason = (complaints.read().strip().splitlines() or ["it ended without a word"])[-1]
                raise FleetError(f"simulated fleet did not start: {reason}")
            endpoints = tuple(Endpoint(**each) for each in json.loads(line))
            yield RunningFleet(endpoints, process.pid)
        finally:
            _end(process)


def _greet(stdin: IO[str], stdout: IO[str], config: FleetConfig) -> str:
    values = dataclasses.asdict(config)
    for name in _PATHS:
        values[name] = None if values[name] is None else str(values[name].absolute())
    values["params"] = dict(config.params)
    values["faults"] = faults_values(config.faults)
    try:
        stdin.write(json.dumps(values) + "\n")
        stdin.flush()
    except BrokenPipeError:
        return ""
    return stdout.readline()


def _end(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    try:
        process.stdin.close()
    except BrokenPipeError:
        return
    try:
        process.wait(_END_S)
    except subprocess.TimeoutExpired:
        process.kill()


def _config(values: dict[str, Any]) -> FleetConfig:
    for name, part in _PARTS.items():
        values[name] = part(**values[name])
    values["faults"] = faults_from(values["faults"])
    values["home"] = tuple(values["home"])
    values["gcs"] = None if values["gcs"] is None else tuple(values["gcs"])
    for name in _PATHS:
        values[name] = None if values[name] is None else Path(values[name])
    return FleetConfig(**values)


def serve(stdin: TextIO, stdout: TextIO) -> None:
    """The child: configuration in, endpoints out, then run until `stdin` closes."""
    config = _config(json.loads(stdin.readline()))
    stop = threading.Event()

    def ready(endpoints: list[Endpoint]) -> None:
        stdout.write(json.dumps([dataclasses.asdict(e) for e in endpoints]) + "\n")
        stdout.flush()

    def watch() -> None:
        stdin.read()
        stop.set()

    threading.Thread(target=watch, daemon=True).start()
    run_fleet(config, ready=ready, stop=stop)
