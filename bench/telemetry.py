"""Telemetry of a large fleet on one core: what is lost, and how old a state is when it is there."""

from __future__ import annotations

import asyncio
import gc
import json
import socket
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from autopilot import Link, Vehicle, open_link
from bench.rows import BenchError, Row, one_core, wanted
from bench.telemetry_source import MESSAGES_A_S

_ROOT = Path(__file__).parents[1]
VEHICLES = 1000
PORTS = 4
SECONDS = 10
_AHEAD_S = 0.5
_AFTER_S = 1.0
_READ_S = 0.2
_WARM_S = 1.0
_AGE_GOAL_MS = 100.0


def rows(only: str | None) -> Iterator[Row]:
    """Measure.

    The vehicles are a process of their own and send real datagrams, five messages of one moment in each; this one
    keeps to one core, holds a `Vehicle` for each of them, and reads all their states five times a second besides.
    """
    where = f"{VEHICLES:,} vehicles, {MESSAGES_A_S} messages a second each"
    names = [f"telemetry {what}/{where}" for what in ("lost", "age p99", "share of a core")]
    if not any(wanted(name, only) for name in names):
        return
    with one_core():
        lost, age_ms, share = asyncio.run(_measured(VEHICLES, SECONDS))
    figures = [
        Row(names[0], lost, "messages", goal="0", met=lost == 0),
        Row(names[1], age_ms, "ms", goal=f"<= {_AGE_GOAL_MS:g}", met=age_ms <= _AGE_GOAL_MS),
        Row(names[2], share, "s/s", goal="<= 1", met=share <= 1.0),
    ]
    yield from (row for row in figures if wanted(row.name, only))


async def _measured(count: int, seconds: int) -> tuple[float, float, float]:
    """Messages lost, milliseconds that 99 of 100 states do not exceed, and CPU seconds a second."""
    ports = [_free_port() for _ in range(PORTS)]
    links = [await open_link(f"udpin:127.0.0.1:{port}") for port in ports]
    source = await _started()
    try:
        await _ask(source, what="make", ports=ports, vehicles=count, seconds=seconds)
        await _ask(source, what="hello")
        vehicles = await asyncio.gather(
            *(Vehicle.connect(links[n % PORTS], n // PORTS + 1, streams=False) for n in range(count))
        )
        return await _counted(source, links, vehicles, seconds)
    finally:
        for link in links:
            await link.close()
        assert source.stdin is not None
        source.stdin.close()
        await source.wait()


async def _counted(
    source: Process, links: list[Link], vehicles: list[Vehicle], seconds: int
) -> tuple[float, float, float]:
    ages_s: list[float] = []
    begin = time.monotonic() + _AHEAD_S
    clock = time.monotonic

    def aged(message: Any) -> None:
        due_s = message.time_boot_ms / 1000
        if due_s >= _WARM_S:
            ages_s.append(clock() - begin - due_s)

    async def read() -> None:
        while True:
            for vehicle in vehicles:
                assert vehicle.telemetry.time_us
            await asyncio.sleep(_READ_S)

    # Called after the vehicle's own, which listened first: the state is there by then.
    stops = [vehicle.link.listen(aged, sysid=vehicle.sysid, types=("GLOBAL_POSITION_INT",)) for vehicle in vehicles]
    before = sum(link.statistics(n).received for link in links for n in range(1, 256))
    reading = asyncio.create_task(read())
    gc.freeze()
    cpu_s = time.process_time()
    await _ask(source, what="start", at=begin)
    cpu_s = time.process_time() - cpu_s
    await asyncio.sleep(_AFTER_S)
    reading.cancel()
    for stop in stops:
        stop()
    received = sum(link.statistics(n).received for link in links for n in range(1, 256)) - before
    ages_s.sort()
    if not ages_s:
        raise BenchError("no vehicle reported anything: is the loopback interface up?")
    share = cpu_s / seconds
    return len(vehicles) * MESSAGES_A_S * seconds - received, 1000 * ages_s[int(0.99 * len(ages_s))], share


async def _started() -> Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.telemetry_source", cwd=_ROOT, stdin=PIPE, stdout=PIPE
    )


async def _ask(source: Process, **asked: Any) -> dict[str, Any]:
    assert source.stdin is not None
    assert source.stdout is not None
    source.stdin.write(json.dumps(asked).encode() + b"\n")
    line = await source.stdout.readline()
    if not line:
        raise BenchError("the vehicles' process ended by itself: what it wrote stands above")
    told: dict[str, Any] = json.loads(line)
    if "error" in told:
        raise BenchError(f"the vehicles' process: {told['error']}")
    return told


def _free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
