"""`vedette patrol`: a shift flown by its schedule, told line by line."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import autopilot
import missions
from cli.live import LiveOptions, telling_positions
from cli.orders import follow_orders
from cli.piloting import taking_orders
from cli.stopping import run_until_told
from cli.terminal import complaints, console
from geo import Terrain

__all__ = ["GroundStation", "failures_of", "fly_shift"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class GroundStation:
    """How a ground station flies, whatever it flies.

    Parameters
    ----------
    dialect, speedup, limits, system_id, signing, terrain
        As for `autopilot.fly_patrol`.
    live
        The service that is told, and whose orders are taken; None for none.
    """

    dialect: missions.Dialect
    speedup: float
    limits: autopilot.FlightLimits
    system_id: int
    signing: autopilot.Signing | None
    terrain: Terrain | None
    live: LiveOptions | None


def fly_shift(
    plan: missions.PatrolPlan,
    links: list[str],
    ground: GroundStation,
    *,
    hours: float | None,
    journal: Path | None,
    log: Path | None,
    json_file: Path,
    orders: Path | None = None,
    met: Callable[[autopilot.Vehicle], None] | None = None,
    begun: Callable[[autopilot.Patrol], None] | None = None,
    noted: threading.Event | None = None,
) -> autopilot.PatrolReport:
    """Fly a patrol, tell each change of a vehicle, write the report and return it.

    `met` is handed each vehicle once it is connected, and `begun` the patrol once it flies; `noted` is of
    `run_until_told`.

    Raises
    ------
    FlightError
        When it cannot be flown. What went wrong with vehicles is in the report: `failures_of`.
    """
    if journal is not None and journal.exists():
        complaints.print(f"note: goes on with the shift of {journal}", markup=False)

    def told(duty: autopilot.Duty, why: str) -> None:
        sortie = f" ({duty.sortie})" if duty.sortie else ""
        console.print(f"vehicle {duty.sysid}: {duty.state}{sortie}: {why}", markup=False, highlight=False)

    live = ground.live
    with telling_positions(live, plan, ground.terrain) as positions, taking_orders(live, plan) as piloted:
        report = run_until_told(
            lambda stop: autopilot.fly_patrol(
                plan,
                links,
                dialect=ground.dialect,
                hours=hours,
                time_scale=ground.speedup,
                limits=ground.limits,
                journal=journal,
                log_dir=log,
                system_id=ground.system_id,
                signing=ground.signing,
                terrain=ground.terrain,
                told=told,
                begun=_each(_following(orders), piloted, begun),
                stop=stop,
                met=_each(positions, met),
            ),
            lambda: complaints.print(
                "note: told to stop: what flies is brought home; once more ends the watch over it"
            ),
            noted,
        )
    report.write(json_file)
    for sentence in report.words():
        console.print(sentence, markup=False, highlight=False)
    console.print(f"-> {json_file}", markup=False)
    return report


def failures_of(report: autopilot.PatrolReport) -> list[str]:
    """What of a patrol did not go as planned, in words."""
    failures = [f"vehicle {v.sysid}: {v.failure}" for v in report.vehicles if v.failure]
    return failures + list(report.left_out)


def _each(*hooks: Callable[[T], None] | None) -> Callable[[T], None]:
    """Hands one thing to each of those that are there."""
    there = [hook for hook in hooks if hook is not None]

    def hand(thing: T) -> None:
        for hook in there:
            hook(thing)

    return hand


def _following(path: Path | None) -> Callable[[autopilot.Patrol], None] | None:
    """What has a patrol carry out the orders of a file until its loop ends."""
    if path is None:
        return None
    tasks: list[asyncio.Task[None]] = []

    def begun(patrol: autopilot.Patrol) -> None:
        work = follow_orders(path, patrol, lambda words: console.print(words, markup=False, highlight=False))
        tasks.append(asyncio.get_running_loop().create_task(work))

    return begun
