"""Telemetry of a large fleet on one core: what is lost, and how old a state is when it is there."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import socket
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from autopilot import Link, Vehicle, open_link
from autopilot.wire_decode import boot_ms_of
from bench.rows import BenchError, Row, one_core, wanted
from bench.telemetry_source import MESSAGES_A_S

_ROOT = Path(__file__).parents[1]
VEHICLES = 1000
PORTS = 4
SECONDS = 10
_AHEAD_S = 0.5
_AFTER_S = 1.0
_READ_S = 0.2
_READ_AT_ONCE = 50
_WARM_S = 1.0
_AGE_GOAL_MS = 100.0


TOGETHER = (1, 5)
"""Messages in a datagram: one alone is the worst case, five of one moment is what autopilots and routers pack."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What was heard of a fleet.

    Parameters
    ----------
    sent, lost
        Messages, and those that did not arrive.
    gaps
        Messages missing by the sequence numbers of the vehicles.
    dropped
        Datagrams that the system threw away because nobody fetched them in time; None where it does not say.
    age_ms
        Milliseconds that 99 of 100 positions do not exceed, from the moment at which they are due to be sent until the
        vehicle's state has them.
    late_ms
        By how much the latest datagram left too late: the source's own part of the worst age.
    share
        CPU seconds a second of the one process that receives.
    """

    sent: int
    lost: int
    gaps: int
    dropped: int | None
    age_ms: float
    late_ms: float
    share: float


def rows(only: str | None) -> Iterator[Row]:
    """Measure.

    The vehicles are a process of their own, on another core where there is one, and send real datagrams; this one
    keeps to one core, holds a `Vehicle` for each of them, and reads all their states five times a second besides.
    """
    for together in TOGETHER:
        packed = "one a datagram" if together == 1 else f"{together} a datagram"
        where = f"{VEHICLES:,} vehicles, {MESSAGES_A_S} messages a second each, {packed}"
        whats = ("lost", "lost by sequence numbers", "dropped by the system", "age p99", "latest of the source")
        names = [f"telemetry {what}/{where}" for what in (*whats, "share of a core")]
        if not any(wanted(name, only) for name in names):
            continue
        cores = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set()
        with one_core():
            heard = asyncio.run(_measured(VEHICLES, SECONDS, together, cores))
        dropped = -1 if heard.dropped is None else heard.dropped
        figures = [
            Row(names[0], heard.lost, "messages", goal="0", met=heard.lost == 0),
            Row(names[1], heard.gaps, "messages", goal="0", met=heard.gaps == 0),
            Row(names[2], dropped, "datagrams", "", goal="0", met=heard.dropped == 0),
            Row(names[3], heard.age_ms, "ms", goal=f"<= {_AGE_GOAL_MS:g}", met=heard.age_ms <= _AGE_GOAL_MS),
            Row(names[4], heard.late_ms, "ms"),
            Row(names[5], heard.share, "s/s", goal="<= 1", met=heard.share <= 1.0),
        ]
        yield from (row for row in figures if wanted(row.name, only))


async def _measured(count: int, seconds: int, together: int, cores: Collection[int] = ()) -> Heard:
    """What is heard of `count` vehicles; their process may use `cores`, but for ours."""
    ports = [_free_port() for _ in range(PORTS)]
    links = [await open_link(f"udpin:127.0.0.1:{port}") for port in ports]
    source = await _started()
    others = set(cores) - os.sched_getaffinity(0) if cores else set()
    if others:
        os.sched_setaffinity(source.pid, others)
    try:
        await _ask(source, what="make", ports=ports, vehicles=count, seconds=seconds, together=together)
        await _ask(source, what="hello")
        vehicles = await asyncio.gather(
            *(Vehicle.connect(links[n % PORTS], n // PORTS + 1, streams=False) for n in range(count))
        )
        dropped = [_dropped(port) for port in ports]
        heard = await _counted(source, links, vehicles, seconds)
        since = [_dropped(port) for port in ports]
        if None in since:
            return heard
        return replace(heard, dropped=sum(since) - sum(dropped))  # type: ignore[arg-type]  # none is None
    finally:
        for link in links:
            await link.close()
        assert source.stdin is not None
        source.stdin.close()
        await source.wait()


async def _counted(source: Process, links: list[Link], vehicles: list[Vehicle], seconds: int) -> Heard:
    ages_s: list[float] = []
    begin = time.monotonic() + _AHEAD_S
    clock = time.monotonic

    def aged(message: Any) -> None:
        due_s = (boot_ms_of(message) or 0) / 1000
        if due_s >= _WARM_S:
            ages_s.append(clock() - begin - due_s)

    async def read() -> None:
        """All states, five times a second, a few at a time: whoever draws a map need not hold the others up."""
        while True:
            for first in range(0, len(vehicles), _READ_AT_ONCE):
                for vehicle in vehicles[first : first + _READ_AT_ONCE]:
                    assert vehicle.telemetry.time_us
                await asyncio.sleep(_READ_S * _READ_AT_ONCE / len(vehicles))

    def counted() -> tuple[int, int]:
        each = [link.statistics(n) for link in links for n in range(1, 256)]
        return sum(one.received for one in each), sum(one.lost for one in each)

    # Called after the vehicle's own, which listened first: the state is there by then.
    stops = [vehicle.link.listen(aged, sysid=vehicle.sysid, types=("GLOBAL_POSITION_INT",)) for vehicle in vehicles]
    received, gaps = counted()
    reading = asyncio.create_task(read())
    gc.freeze()
    cpu_s = time.process_time()
    told = await _ask(source, what="start", at=begin)
    cpu_s = time.process_time() - cpu_s
    await asyncio.sleep(_AFTER_S)
    reading.cancel()
    for stop in stops:
        stop()
    now_received, now_gaps = counted()
    ages_s.sort()
    if not ages_s:
        raise BenchError("no vehicle reported anything: is the loopback interface up?")
    sent = len(vehicles) * MESSAGES_A_S * seconds
    return Heard(
        sent, sent - (now_received - received), now_gaps - gaps, None,
        1000 * ages_s[int(0.99 * len(ages_s))], 1000 * told["late_s"], cpu_s / seconds,
    )  # fmt: skip


def _dropped(port: int) -> int | None:
    """Datagrams that the system dropped at our socket of a port, where it says that (Linux)."""
    table = Path("/proc/net/udp")
    if not table.exists():
        return None
    for line in table.read_text().splitlines()[1:]:
        columns = line.split()
        if columns[1].endswith(f":{port:04X}"):
            return int(columns[-1])
    return None


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
