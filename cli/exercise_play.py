"""An exercise, played: vehicles, control, service and crew together, everything recorded in a folder."""

from __future__ import annotations

import asyncio
import json
import shutil
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import missions
import sim
from cli.exercise_control import Control, Heard
from cli.exercise_crew import AutomaticCrew
from cli.exercise_events import EventLog
from cli.exercise_report import write_exercise_report
from cli.exercise_service import Desk, opened_desk
from cli.exercise_setting import exercise_plan, exercise_vehicles
from cli.stopping import run_until_told
from geo import VedetteError, write_text

__all__ = ["PlayError", "PlaySettings", "play_exercise", "score_folder"]


class PlayError(VedetteError):
    """An exercise that cannot be played as it was asked for."""


@dataclass(frozen=True, slots=True)
class PlaySettings:
    """How an exercise is played.

    Parameters
    ----------
    out
        Folder of the record; new, or empty.
    speedup
        Simulated seconds a second.
    seed
        Of gusts, faults and sensors.
    by_hand
        Whether people fly it with ground stations of their own, instead of the automatic crew.
    port
        UDP port of the first vehicle; 0 takes free ones.
    """

    out: Path
    speedup: float
    seed: int = 1
    by_hand: bool = False
    port: int = 0


def play_exercise(path: Path, settings: PlaySettings, tell: Callable[[str], None]) -> sim.ExerciseScore:
    """Play an exercise to its end, score it, and write the report.

    Parameters
    ----------
    path
        The file of the exercise.
    settings
        How.
    tell
        Called with lines for people.

    Raises
    ------
    PlayError
        When the folder holds something already.
    VedetteError
        As what is played does.
    """
    exercise, out = sim.load_exercise(path), settings.out
    if out.exists() and any(out.iterdir()):
        raise PlayError(f"{out} is not empty: give a new folder, so that one run is one record")
    out.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(path, out / "exercise.yaml")
    plan = exercise_plan(exercise)
    missions.write_plan_folder(plan, out / "plan", exercise.fleet.autopilot)
    started_us = time.time_ns() // 1000
    run: dict[str, Any] = {
        "exercise": exercise.name, "seed": settings.seed, "speedup": settings.speedup, "by_hand": settings.by_hand,
        "started_us": started_us, "service_zero_us": started_us - round(exercise.duration_s * 1e6),
        "planned_revisit_s": round(plan.revisit_s, 1),
    }  # fmt: skip
    write_text(out / "run.json", json.dumps(run, indent=1) + "\n")
    config = exercise_vehicles(exercise, plan, out, speedup=settings.speedup, seed=settings.seed, port=settings.port)
    with ExitStack() as stack:
        desk = stack.enter_context(opened_desk(exercise, out / "store", started_us))
        log = stack.enter_context(EventLog(out / "events.jsonl", tell))
        fleet = stack.enter_context(sim.start_fleet(config))
        truth = sim.TruthFollower(out / "truth.csv")
        if settings.by_hand:
            _tell_trainees(exercise, fleet, desk, tell)
        play = _Play(exercise, plan, settings, log=log, desk=desk, truth=truth)
        run_until_told(
            lambda stop: play.run([end.url for end in fleet.endpoints], stop),
            lambda: tell("told to stop: the exercise ends here and is scored as far as it went"),
        )
    world = exercise.played_world
    end_us = world.epoch_us + round(truth.now_s * 1e6)
    sim.write_tracks(out / "tracks.geojson", world, world.epoch_us, max(end_us, world.epoch_us + 1))
    sim.write_cue_truth(out / "cues.truth.jsonl", play.reports)
    return score_folder(out)


def score_folder(folder: Path) -> sim.ExerciseScore:
    """Score the record of a run, and write ``score.json`` and the report. Raises ExerciseError, ConfigError."""
    record = sim.load_record(folder)
    if not (folder / "truth.tlog").exists():
        sim.write_replay_log(record, folder / "truth.tlog")
    score = sim.score_exercise(record)
    write_text(folder / "score.json", json.dumps(score.values(), indent=1, allow_nan=False) + "\n")
    write_exercise_report(folder, record, score)
    return score


class _Play:
    """Control and crew side by side."""

    def __init__(
        self,
        exercise: sim.Exercise,
        plan: missions.PatrolPlan,
        settings: PlaySettings,
        *,
        log: EventLog,
        desk: Desk | None,
        truth: sim.TruthFollower,
    ) -> None:
        self._exercise, self._plan, self._settings = exercise, plan, settings
        self._log, self._desk, self._truth = log, desk, truth
        self.reports: list[sim.SensorReport] = []

    async def run(self, urls: list[str], stop: asyncio.Event) -> None:
        """Play until the end, or until told to stop."""
        crew: AutomaticCrew | None = None
        if not self._settings.by_hand:
            crew = AutomaticCrew(
                self._exercise,
                self._plan,
                urls,
                folder=self._settings.out,
                speedup=self._settings.speedup,
                now_s=lambda: self._truth.now_s,
                log=self._log,
                desk=self._desk,
            )

        def hear(heard: Heard) -> None:
            if crew is not None:
                crew.hear(heard)

        control = Control(self._exercise, self._truth, self._log, desk=self._desk, seed=self._settings.seed, hear=hear)
        tasks = [asyncio.create_task(control.run(lambda: crew is not None and crew.done))]
        tasks.append(asyncio.create_task(stop.wait()))  # type: ignore[arg-type]
        flying = None if crew is None else asyncio.create_task(crew.run())
        try:
            if flying is not None:
                flying.add_done_callback(lambda done: None if done.cancelled() else _noted(self._log, control, done))
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            left = [*tasks, *([] if flying is None else [flying])]
            for task in left:
                task.cancel()
            await asyncio.gather(*left, return_exceptions=True)
            self.reports = control.reports


def _noted(log: EventLog, control: Control, done: asyncio.Task[None]) -> None:
    """A crew that gives up is part of the exercise: it goes on without."""
    error = done.exception()
    if error is not None:
        log.write(control.now_s, "crew", "trouble", f"the crew gave up: {error}")


def _tell_trainees(
    exercise: sim.Exercise, fleet: sim.RunningFleet, desk: Desk | None, tell: Callable[[str], None]
) -> None:
    tell(exercise.briefing.strip())
    for rule in exercise.rules:
        tell(f"rule: {rule}")
    for end in fleet.endpoints:
        tell(f"vehicle {end.sysid} listens on udp:{end.host}:{end.port}: connect any ground station")
    if desk is not None:
        tell(f"the service is at {desk.url}")
        for role, key in desk.keys.items():
            tell(f"key of the {role}: {key}")
