"""How much faster than the wall clock simulated vehicles fly, with telemetry on, and how true to closed forms."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from bench import sim_reference
from bench.rows import BenchError, Row, wanted
from bench.sim_pilot import Pilot
from sim import Boot, Endpoint, FleetConfig, PowerModel, Wind, run_fleet, start_fleet

HOME = (31.34, -110.94, 1180.0)
FLEETS = (1, 2, 10)
GOAL_OF_TWO = 150.0
MANY = 100
PACE = 20.0
PACE_HELD = 0.98
CORES = 2
TELEMETRY_HZ = 4.0
_WINDOW_S = 2.0
_LONG_WINDOW_S = 10.0
_WAIT_S = 20.0


def rows(data: Path | None, only: str | None) -> Iterator[Row]:  # noqa: ARG001 (one signature for all rooms)
    """Yield simulated seconds a CPU second for small fleets, what a large one holds of its pace, and deviations."""
    for count in FLEETS:
        name = f"speed/{count}"
        if wanted(name, only):
            speed = _speed(count)
            goal = f">= {GOAL_OF_TWO:g}" if count == 2 else ""
            yield Row(name, speed, "sim s per CPU s", goal=goal, met=speed >= GOAL_OF_TWO if goal else None)
    if wanted(f"pace/{MANY}", only) or wanted(f"cores/{MANY}", only):
        yield from (row for row in _pace() if wanted(row.name, only))
    yield from sim_reference.rows(HOME, only)


def _config(count: int, speedup: float, stream_hz: float) -> FleetConfig:
    return FleetConfig(
        home=HOME,
        vehicles=count,
        speedup=speedup,
        boot=Boot(0.0, 0.0, 0.0),
        power=PowerModel(capacity_wh=1e6),
        wind=Wind(5.0, 250.0, 1.0),
        stream_hz=stream_hz,
    )


@contextmanager
def _in_the_air(endpoints: list[Endpoint] | tuple[Endpoint, ...]) -> Iterator[list[Pilot]]:
    """A pilot for each vehicle, all on their way."""
    with ExitStack() as stack:
        pilots = [stack.enter_context(closing(Pilot(endpoint, HOME))) for endpoint in endpoints]
        for pilot in pilots:
            pilot.take_off()
        yield pilots


def _speed(count: int) -> float:
    stop, started = threading.Event(), threading.Event()
    endpoints: list[Endpoint] = []

    def ready(found: list[Endpoint]) -> None:
        endpoints.extend(found)
        started.set()

    config = _config(count, 10000.0, 25.0)
    thread = threading.Thread(target=run_fleet, args=(config,), kwargs={"ready": ready, "stop": stop})
    thread.start()
    try:
        if not started.wait(_WAIT_S):
            raise BenchError("the simulated fleet did not start: run `python -m bench sim` alone to see why")
        with _in_the_air(endpoints) as pilots:
            begin_s, cpu_s = pilots[0].boot_s(), time.process_time()
            time.sleep(_WINDOW_S)
            # CPU of this process, whose other work is to drop the telemetry.
            return (pilots[0].boot_s() - begin_s) / (time.process_time() - cpu_s)
    finally:
        stop.set()
        thread.join()


def _pace() -> Iterator[Row]:
    """A hundred vehicles at twenty times real time on two cores: what is held of it, and how many cores that takes.

    Every vehicle is in the air in gusts and tells ten kinds of message four times a wall second each. Where other work
    shares the machine less is held; the cores that the pace takes are CPU seconds a simulated second and hold all the
    same.
    """
    with start_fleet(_config(MANY, PACE, TELEMETRY_HZ)) as fleet:
        if hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(fleet.pid, set(sorted(os.sched_getaffinity(0))[:CORES]))
        with _in_the_air(fleet.endpoints) as pilots:
            begin_s, cpu_s, wall_s = pilots[0].boot_s(), _cpu_s(fleet.pid), time.perf_counter()
            time.sleep(_LONG_WINDOW_S)
            passed_s = pilots[0].boot_s() - begin_s
            wall_s = time.perf_counter() - wall_s
            now_s = _cpu_s(fleet.pid)
    held = passed_s / wall_s / PACE
    yield Row(f"pace/{MANY}", held, f"of {PACE:g}x, {CORES} cores", goal=f">= {PACE_HELD:g}", met=held >= PACE_HELD)
    if cpu_s is not None and now_s is not None:
        cores = (now_s - cpu_s) / passed_s * PACE
        yield Row(f"cores/{MANY}", cores, f"cores for {PACE:g}x", goal=f"<= {CORES}", met=cores <= CORES)


def _cpu_s(pid: int) -> float | None:
    """CPU seconds of a process so far, where the system tells: Linux does."""
    try:
        told = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return (int(told[11]) + int(told[12])) / float(os.sysconf("SC_CLK_TCK"))
