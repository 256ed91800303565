"""`vedette patrol`: a shift flown by its schedule, told line by line."""

from __future__ import annotations

import asyncio
from pathlib import Path

import autopilot
import missions
from cli.live import LiveOptions, telling_positions
from cli.orders import follow_orders
from cli.piloting import taking_orders
from cli.stopping import run_until_told
from cli.terminal import complaints, console
from geo import Terrain

__all__ = ["fly_shift"]


def fly_shift(
    plan: missions.PatrolPlan,
    links: list[str],
    *,
    dialect: missions.Dialect,
    hours: float | None,
    speedup: float,
    limits: autopilot.FlightLimits,
    journal: Path | None,
    log: Path | None,
    json_file: Path,
    orders: Path | None,
    system_id: int,
    signing: autopilot.Signing | None,
    terrain: Terrain | None,
    live: LiveOptions | None = None,
) -> None:
    """Fly a patrol, tell each change of a vehicle, write the report.

    Raises
    ------
    FlightError
        When a vehicle failed or a flight was left out; the report is written all the same.
    """
    if journal is not None and journal.exists():
        complaints.print(f"note: goes on with the shift of {journal}", markup=False)

    def told(duty: autopilot.Duty, why: str) -> None:
        sortie = f" ({duty.sortie})" if duty.sortie else ""
        console.print(f"vehicle {duty.sysid}: {duty.state}{sortie}: {why}", markup=False, highlight=False)

    following: list[asyncio.Task[None]] = []

    def begun(patrol: autopilot.Patrol) -> None:
        if orders is not None:
            work = follow_orders(orders, patrol, lambda words: console.print(words, markup=False, highlight=False))
            following.append(asyncio.get_running_loop().create_task(work))
        piloted(patrol)

    async def fly(stop: asyncio.Event) -> autopilot.PatrolReport:
        try:
            return await autopilot.fly_patrol(
                plan,
                links,
                dialect=dialect,
                hours=hours,
                time_scale=speedup,
                limits=limits,
                journal=journal,
                log_dir=log,
                system_id=system_id,
                signing=signing,
                terrain=terrain,
                told=told,
                begun=begun,
                stop=stop,
                met=met,
            )
        finally:
            for task in following:
                task.cancel()

    with telling_positions(live, plan, terrain) as met, taking_orders(live, plan) as piloted:
        report = run_until_told(
            fly,
            lambda: complaints.print(
                "note: told to stop: what flies is brought home; once more ends the watch over it"
            ),
        )
    report.write(json_file)
    for sentence in report.words():
        console.print(sentence, markup=False, highlight=False)
    console.print(f"-> {json_file}", markup=False)
    failures = [f"vehicle {v.sysid}: {v.failure}" for v in report.vehicles if v.failure]
    failures += report.left_out
    if report.stopped:
        failures.append("the patrol was stopped: with a journal the same command goes on")
    if failures:
        raise autopilot.FlightError("; ".join(failures))
