"""Real autopilots in their own simulators: found, started on ports of their own, stopped.

The executable is what VEDETTE_ARDUPILOT_SITL or VEDETTE_PX4_SITL names; where neither does and a Docker engine answers,
an image. Each vehicle is an instance with a number: ArduPilot adds ten times the number to each of its ports (options
of ``SITL_cmdline.cpp``), PX4 adds the number to its own (``px4-rc.mavlink``; ten instances have ports of their own).
A lock on a file keeps a number to one test at a time, and each program says on its output which port it has opened.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from sim.errors import FleetError
from sim.fleet_config import FleetConfig
from sim.flight_frame import FlightFrame
from sim.flight_wind import Wind
from sim.sitl_ardupilot import frame_params, own_defaults
from sim.sitl_vehicle import SitlFleet, SitlVehicle

__all__ = ["start_real"]

_GUARD = Path(__file__).with_name("sitl_guard.py")
_START_S = 60.0
_END_S = 10.0
_LOOK_S = 0.05
_TOLD_LINES = 3


@dataclass(frozen=True, slots=True)
class _Program:
    """One autopilot's simulator.

    Parameters
    ----------
    executable, image
        Environment variables that name its executable and its Docker image.
    default_image
        Image where none is named, or None where its makers publish none.
    models
        Its models by our frames.
    instances
        How many have ports of their own.
    probes
        Ports of instance 0 and their step: (socket type, port, step).
    says
        Pattern of the line in which it says its port.
    url
        How to reach it, by the port.
    arguments, environment
        Of one vehicle.
    """

    executable: str
    image: str
    default_image: str | None
    models: Mapping[str, str]
    instances: int
    probes: tuple[tuple[socket.SocketKind, int, int], ...]
    says: re.Pattern[str]
    url: str
    arguments: Callable[[_Start], list[str]]
    environment: Callable[[_Start], dict[str, str]]


@dataclass(frozen=True, slots=True)
class _Start:
    """One vehicle to be started."""

    config: FleetConfig
    model: str
    instance: int
    sysid: int
    folder: Path
    binary: Path | None
    place: tuple[float, float]
    """Where it stands, degrees."""


def _ardupilot_arguments(start: _Start) -> list[str]:
    config, wind = start.config, start.config.wind
    blows = {"SIM_WIND_SPD": wind.speed_mps, "SIM_WIND_DIR": wind.from_deg}
    params = frame_params(config.frame) | blows | dict(config.params)
    defaults = start.folder / "vedette.parm"
    defaults.write_text("".join(f"{name} {value:.9g}\n" for name, value in params.items()), encoding="utf-8")
    (lat, lon), amsl_m = start.place, config.home[2]
    return [
        *("--model", start.model, "--speedup", f"{config.speedup:g}", "--instance", str(start.instance)),
        # In one piece: a latitude may begin like an option.
        *("--sysid", str(start.sysid), f"--home={lat:.8f},{lon:.8f},{amsl_m:.3f},{config.heading_deg:g}"),
        *("--defaults", ",".join((*own_defaults(config.frame), str(defaults))), "--wipe"),
    ]


def _px4_arguments(start: _Start) -> list[str]:
    arguments = ["-i", str(start.instance), "-d"]
    # A build folder has its start-up scripts beside the executable's folder; an installed one knows where they are.
    scripts = None if start.binary is None else start.binary.resolve().parents[1] / "etc"
    return [*arguments, str(scripts)] if scripts is not None and scripts.is_dir() else arguments


def _px4_environment(start: _Start) -> dict[str, str]:
    config = start.config
    (lat, lon), amsl_m = start.place, config.home[2]
    return {
        "PX4_SIM_MODEL": start.model,
        "PX4_SIM_SPEED_FACTOR": f"{config.speedup:g}",
        "PX4_HOME_LAT": f"{lat:.8f}",
        "PX4_HOME_LON": f"{lon:.8f}",
        "PX4_HOME_ALT": f"{amsl_m:.3f}",
        "XDG_DATA_HOME": str(start.folder),
        **{f"PX4_PARAM_{name}": f"{value:g}" for name, value in config.params.items()},
    }


_PROGRAMS = {
    "ardupilot": _Program(
        executable="VEDETTE_ARDUPILOT_SITL",
        image="VEDETTE_ARDUPILOT_IMAGE",
        default_image=None,
        models={
            "quad": "quad", "copter": "quad", "hexa": "hexa", "octo": "octa", "plane": "plane", "vtol": "quadplane"
        },
        instances=100,
        probes=((socket.SOCK_STREAM, 5760, 10), (socket.SOCK_DGRAM, 5501, 10)),
        says=re.compile(r"(?:SERIAL0|Serial port 0) on TCP port (\d+)"),
        url="tcp:127.0.0.1:{}",
        arguments=_ardupilot_arguments,
        environment=lambda _: {},
    ),
    "px4": _Program(
        executable="VEDETTE_PX4_SITL",
        image="VEDETTE_PX4_IMAGE",
        default_image="px4io/px4-sitl:latest",
        models={
            "quad": "sihsim_quadx", "copter": "sihsim_quadx", "plane": "sihsim_airplane",
            "vtol": "sihsim_standard_vtol",
        },
        instances=10,
        probes=((socket.SOCK_DGRAM, 14540, 1), (socket.SOCK_DGRAM, 14580, 1)),
        says=re.compile(r"mode: Onboard.* on udp port 1458\d remote port (\d+)"),
        url="udpin:127.0.0.1:{}",
        arguments=_px4_arguments,
        environment=_px4_environment,
    ),
}  # fmt: skip


@contextmanager
def start_real(kind: str, config: FleetConfig, folder: Path) -> Iterator[SitlFleet]:
    """Run a fleet of real autopilots in their own simulators for as long as the context lasts.

    Parameters
    ----------
    kind
        "ardupilot" or "px4".
    config
        The fleet: vehicles, frame, home, speedup, params, and for ArduPilot the mean wind. A real autopilot has a
        battery, a boot and an order of system ids of its own.
    folder
        Where it keeps its files and its output, a folder for each vehicle.

    Raises
    ------
    FleetError
        When there is none, when it cannot do what is asked for, or when it does not start.
    """
    program = _PROGRAMS.get(kind)
    if program is None:
        raise FleetError(f"--sitl {kind}: unknown autopilot: give one of {', '.join(_PROGRAMS)}")
    if config.autopilot != kind:
        raise FleetError(
            f"--sitl {kind}: the fleet is to be of {config.autopilot}: run it with --sitl {config.autopilot}"
        )
    found = _find(kind, program)
    model = _model(kind, program, config)
    with ExitStack() as stack:
        vehicles = []
        for index in range(config.vehicles):
            instance = stack.enter_context(_instance(kind, program))
            # PX4 takes its system id from the instance.
            sysid = instance + 1 if kind == "px4" else config.start_sysid + index
            home = folder / f"{kind}-{index + 1}"
            home.mkdir(parents=True, exist_ok=True)
            binary = found if isinstance(found, Path) else None
            east_m = index * config.pad_spacing_m
            place = FlightFrame(*config.home[:2]).to_geodetic(east_m, 0.0)
            start = _Start(config, model, instance, sysid, home, binary, place)
            port = stack.enter_context(_running(kind, program, found, start))
            vehicles.append(SitlVehicle(sysid, program.url.format(port), config.home, config.speedup))
        yield SitlFleet(tuple(sorted(vehicles, key=lambda each: each.sysid)), config.home, config.speedup)


def _find(kind: str, program: _Program) -> Path | str:
    """The executable, or the image to run with Docker."""
    named = os.environ.get(program.executable)
    if named:
        path = shutil.which(named)
        if path is None:
            raise FleetError(
                f"--sitl {kind}: {program.executable} is {named}, which is no executable: name one, with its folder"
            )
        return Path(path).absolute()
    if not _docker_answers():
        raise FleetError(
            f"--sitl {kind}: there is none: set {program.executable} to its executable, or start a Docker engine"
        )
    image = os.environ.get(program.image) or program.default_image
    if image is None:
        raise FleetError(
            f"--sitl {kind}: set {program.executable} to its executable, or {program.image} to a Docker image of it"
        )
    return image


def _docker_answers() -> bool:
    docker = shutil.which("docker")
    if docker is None:
        return False
    try:
        asked = subprocess.run(  # noqa: S603 (a fixed command)
            [docker, "version", "--format", "{{.Server.Version}}"],
            check=False,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=20.0,
        )
    except subprocess.TimeoutExpired:
        return False
    return asked.returncode == 0


def _model(kind: str, program: _Program, config: FleetConfig) -> str:
    model = program.models.get(config.frame)
    if model is None:
        raise FleetError(f"--sitl {kind}: no model for frame {config.frame!r}: give {', '.join(program.models)}")
    if config.faults.all:
        raise FleetError(f"--sitl {kind}: faults happen to simulated vehicles alone: run this test without --sitl")
    if config.wind.gust_mps or (kind == "px4" and config.wind != Wind()):
        raise FleetError(f"--sitl {kind}: this wind is not simulated there: run this test without --sitl")
    return model


@contextmanager
def _instance(kind: str, program: _Program) -> Iterator[int]:
    """A number that no other test has, and whose ports are free."""
    locks = Path(tempfile.gettempdir()) / f"vedette-sitl-{os.getuid()}"
    locks.mkdir(mode=0o700, exist_ok=True)
    for number in range(program.instances):
        with (locks / f"{kind}-{number}.lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            if all(_is_free(kind_of, port + number * step) for kind_of, port, step in program.probes):
                yield number
                return
    raise FleetError(
        f"--sitl {kind}: the ports of all {program.instances} instances are taken: end other simulations first"
    )


def _is_free(kind: socket.SocketKind, port: int) -> bool:
    with socket.socket(socket.AF_INET, kind) as probe:
        # A port on which an earlier test's connection lingers is free to a server that says so, as these do.
        if kind == socket.SOCK_STREAM:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


@contextmanager
def _running(kind: str, program: _Program, found: Path | str, start: _Start) -> Iterator[int]:
    """Run one vehicle; yields the port that it says it has opened."""
    arguments, variables = program.arguments(start), program.environment(start)
    end = None
    if isinstance(found, Path):
        run = [str(found), *arguments]
    else:
        name = f"vedette-{kind}-{start.instance}-{os.getpid()}"
        settings = [part for key, value in variables.items() for part in ("-e", f"{key}={value}")]
        where = ["-v", f"{start.folder}:{start.folder}", "-w", str(start.folder)]
        run = ["docker", "run", "--rm", "--name", name, "--network", "host", *settings, *where, found, *arguments]
        end = ["docker", "rm", "-f", name]
    log = start.folder / "output.txt"
    with (
        log.open("wb") as output,
        subprocess.Popen(  # noqa: S603 (what the user has named)
            [sys.executable, str(_GUARD), json.dumps({"run": run, "end": end})],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=start.folder,
            env={**os.environ, **variables},
            start_new_session=True,
        ) as process,
    ):
        try:
            yield _port(kind, program, process, log)
        finally:
            assert process.stdin is not None
            process.stdin.close()
            try:
                process.wait(_END_S)
            except subprocess.TimeoutExpired:
                process.kill()


def _port(kind: str, program: _Program, process: subprocess.Popen[bytes], log: Path) -> int:
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline:
        ended = process.poll() is not None
        said = program.says.search(log.read_text(encoding="utf-8", errors="replace"))
        if said is not None and not ended:
            return int(said[1])
        if ended:
            break
        time.sleep(_LOOK_S)
    told = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-_TOLD_LINES:]
    what = (
        f"ended with code {process.returncode}" if process.poll() is not None else f"opened no port in {_START_S:g} s"
    )
    raise FleetError(f"--sitl {kind}: {what}: {' | '.join(told) or 'it said nothing'} (all of it: {log})")
