"""A fleet in a process of its own.

The parent sends the configuration as one line of JSON on standard input and reads one line of endpoints; the child
ends when its standard input closes, so that it never outlives its parent. A fleet in lock-step reads how many simulated
seconds are to pass, a number a line, and answers each with a line of the time that it then is, or of what is wrong.
"""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, TextIO

from geo import VedetteError
from sim.errors import ConfigError, FleetError
from sim.fault_file import faults_from, faults_values
from sim.fleet import Endpoint, run_fleet
from sim.fleet_config import LOCKSTEP, Boot, FleetConfig
from sim.fleet_link import Links
from sim.flight_power import PowerModel
from sim.flight_wind import Wind
from sim.lockstep import LockstepFleet

__all__ = ["RunningFleet", "serve", "start_fleet"]

_PARTS = {"wind": Wind, "power": PowerModel, "boot": Boot}
_PATHS = ("record_dir", "truth_file", "terrain")
_END_S = 20.0
_LISTEN_S = 0.1


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
    _pass_time: Callable[[float], float] | None = field(default=None, repr=False, compare=False)

    def advance(self, seconds: float) -> float:
        """Let simulated time pass in lock-step; what was sent before is heard before.

        Parameters
        ----------
        seconds
            How much: a multiple of the step of the configuration.

        Returns
        -------
        float
            Simulated seconds since power-on.

        Raises
        ------
        ConfigError
            When it is none, or the fleet runs on the wall clock.
        FleetError
            When the fleet has ended.
        """
        if self._pass_time is None:
            raise ConfigError(f'this fleet runs on the wall clock: give it clock="{LOCKSTEP}" to advance it')
        return self._pass_time(seconds)


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
            clock = _Clock(process.stdin, process.stdout) if config.clock == LOCKSTEP else None
            yield RunningFleet(endpoints, process.pid, clock)
        finally:
            _end(process)


def _greet(stdin: IO[str], stdout: IO[str], config: FleetConfig) -> str:
    values = dataclasses.asdict(config)
    for name in _PATHS:
        values[name] = None if values[name] is None else str(values[name].absolute())
    values["params"] = dict(config.params)
    values["signing_key"] = None if config.signing_key is None else config.signing_key.hex()
    values["faults"] = faults_values(config.faults)
    try:
        stdin.write(json.dumps(values) + "\n")
        stdin.flush()
    except BrokenPipeError:
        return ""
    return stdout.readline()


class _Clock:
    """The parent's hand on the clock of a fleet in lock-step."""

    def __init__(self, stdin: IO[str], stdout: IO[str]) -> None:
        self._stdin, self._stdout = stdin, stdout
        self._lock = threading.Lock()

    def __call__(self, seconds: float) -> float:
        asked = f"{float(seconds)!r}\n"
        with self._lock:
            try:
                self._stdin.write(asked)
                self._stdin.flush()
            except (BrokenPipeError, ValueError):  # the latter of a pipe that is closed
                raise FleetError("the simulated fleet in lock-step has ended: start it anew") from None
            line = self._stdout.readline()
        if not line:
            raise FleetError("the simulated fleet in lock-step has ended: start it anew")
        answer = json.loads(line)
        if "error" in answer:
            raise ConfigError(answer["error"])
        return float(answer["time_s"])


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
    values["signing_key"] = None if values["signing_key"] is None else bytes.fromhex(values["signing_key"])
    return FleetConfig(**values)


def serve(stdin: TextIO, stdout: TextIO) -> None:
    """The child: configuration in, endpoints out, then run until `stdin` closes."""
    config = _config(json.loads(stdin.readline()))
    stop = threading.Event()

    def ready(endpoints: list[Endpoint]) -> None:
        stdout.write(json.dumps([dataclasses.asdict(e) for e in endpoints]) + "\n")
        stdout.flush()

    if config.clock == LOCKSTEP:
        _serve_lockstep(config, stdin, stdout, ready)
        return

    def watch() -> None:
        stdin.read()
        stop.set()

    threading.Thread(target=watch, daemon=True).start()
    run_fleet(config, ready=ready, stop=stop)


def _serve_lockstep(
    config: FleetConfig, stdin: TextIO, stdout: TextIO, ready: Callable[[list[Endpoint]], None]
) -> None:
    """Advance when a line says so; between the lines the vehicles answer at the time that stands."""
    with Links(config.host, config.ports) as links:
        fleet = LockstepFleet(config, links)
        turn, ended = threading.Lock(), threading.Event()

        def listen() -> None:
            while not ended.is_set():
                # What has come is read under the lock alone: an advance that was asked for after it comes after it.
                if links.wait(_LISTEN_S):
                    with turn:
                        fleet.hear()

        listener = threading.Thread(target=listen, daemon=True)
        listener.start()
        ready([Endpoint(v.sysid, config.host, p) for v, p in zip(fleet.vehicles, links.ports, strict=True)])
        for line in stdin:
            answer: dict[str, Any]
            try:
                with turn:
                    fleet.advance(float(line))
                answer = {"time_s": fleet.time_s}
            except ValueError:
                answer = {"error": f"{line.strip()[:40]!r} is no number of seconds: give one a line"}
            except VedetteError as error:
                answer = {"error": str(error)}
            stdout.write(json.dumps(answer) + "\n")
            stdout.flush()
        ended.set()
        listener.join()
