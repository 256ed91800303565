"""The whole loop once, on real parts: border, plan, flight, video, crossings, review, release, report.

Each step takes values and returns values; nothing
reaches back.
"""

from __future__ import annotations

import asyncio
import json
import shutil
from pathlib import Path
from typing import Any

import api
import autopilot
import missions
import sim
import vision
from cli.demo_service import Run, filled_service
from cli.outcome import EPOCH_US, MARKING, OWNER, DemoError, DemoSettings, Outcome, Shared, Watched
from cli.report import write_run_report
from cli.simulated import simulated_fleet
from cli.terminal import FlightBars, bars, console
from geo import FlatTerrain, geodesic_length_m, write_text

__all__ = ["demonstrate"]

# Pictures side by side, one on each thread, cost less than one picture on all threads.
BATCH = 4


def demonstrate(settings: DemoSettings) -> Outcome:
    """Run the loop and write its results to ``settings.out``, whole or not at all.

    Raises
    ------
    VedetteError
        As the steps do; the folder of an earlier run is then untouched.
    """
    work = settings.out.with_name(f".{settings.out.name}.part")
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    try:
        outcome = _loop(settings, work)
        if settings.out.exists():
            shutil.rmtree(settings.out)
        work.replace(settings.out)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return outcome


def _loop(settings: DemoSettings, work: Path) -> Outcome:
    console.rule("1 border and plan")
    made = plan(settings, work)
    console.rule("2 flight")
    flight = fly(settings, made, work)
    console.rule("3 what the cameras saw")
    flights = flown(made, work)
    recordings = film(settings, made, flights, work)
    console.rule("4 crossings")
    watched = watch(recordings, work)
    console.rule("5 review and release")
    shared = share(Run(work, made, [crossing.to_json() for crossing in watched.crossings]))
    flown_m = sum(geodesic_length_m(*track.samples[:, 1:3].T) for track in flights)
    outcome = Outcome(settings, made, flight, flown_m, watched, shared)
    write_text(work / "summary.json", json.dumps(outcome.summary(), indent=1) + "\n")
    write_run_report(outcome, work)
    return outcome


def plan(settings: DemoSettings, work: Path) -> missions.PatrolPlan:
    """Cut the border, put a base behind its middle, plan, and write the plan in every format."""
    border = missions.cut(missions.land_border(settings.own, settings.neighbour), settings.length_m, settings.near)
    base = missions.base_beside(border)
    made = missions.plan(border, missions.default_fleet(base, settings.drones), FlatTerrain(settings.ground_amsl_m))
    missions.write_border(border, work / "border.geojson")
    missions.write_plan_folder(made, work)
    console.print(
        f"{border.name}: {border.length_m() / 1000:.1f} km, {len(made.sorties)} sorties, "
        f"{made.coverage.share:.1%} of the band at {made.observation.gsd_far_m:.3f} m a pixel or better"
    )
    return made


def fly(settings: DemoSettings, made: missions.PatrolPlan, work: Path) -> autopilot.FlightReport:
    """Fly the plan on simulated vehicles over MAVLink, and follow it to landing."""
    config = simulated_fleet(made, speedup=settings.speedup, seed=settings.seed, record=work / "flight")
    with sim.start_fleet(config) as fleet, bars() as progress:
        report = asyncio.run(
            autopilot.fly(
                autopilot.tasks_of(made, [endpoint.url for endpoint in fleet.endpoints]),
                time_scale=settings.speedup,
                borders=made.borders,
                log_dir=work / "flight",
                progress=FlightBars(progress),
            )
        )
    report.write(work / "flight.json")
    failures = [f"vehicle {vehicle.sysid}: {vehicle.failure}" for vehicle in report.vehicles if vehicle.failure]
    if failures:
        raise DemoError(f"the flight was not completed: {'; '.join(failures)}")
    return report


def flown(made: missions.PatrolPlan, work: Path) -> list[sim.FlightTrack]:
    """Where the vehicles truly flew, a track for each sortie of the plan, at the times of the scenario."""
    return [
        sim.read_record(
            work / "flight" / f"vehicle-{sortie.vehicle.sysid}-sortie-{sortie.turn}.csv",
            EPOCH_US + round(sortie.start_s * 1e6),
        )
        for sortie in made.sorties
    ]


def film(
    settings: DemoSettings, made: missions.PatrolPlan, flights: list[sim.FlightTrack], work: Path
) -> tuple[sim.Recording, ...]:
    """Put people and vehicles where the drones truly flew, and render what their cameras saw."""
    with bars() as progress:
        task = progress.add_task("render video", total=None)
        scenario = sim.stage(
            made.border.coordinates,
            made.border.own_side.value,
            flights,
            made.fleet.camera.model,
            settings.seed,
            crossings=settings.crossings,
            windows=settings.windows,
            patrol_pitch_deg=made.observation.gimbal_pitch_deg,
            ground_amsl_m=settings.ground_amsl_m,
        )
        return tuple(
            sim.record(
                scenario,
                work / "video",
                fps=settings.fps,
                modality=made.fleet.camera.modality,
                processes=2,
                progress=lambda done, total: progress.update(task, completed=done, total=total),
            )
        )


def watch(recordings: tuple[sim.Recording, ...], work: Path) -> Watched:
    """Find crossings in every recording by its metadata alone; the truth is only read to score them."""
    with vision.open_source(recordings[0].video) as source:  # one camera model records them all
        choice = vision.choose_model(source.first_image)
    detector = vision.Detector(choice.path, confidence=vision.TrackerSettings().low_score)
    border = vision.load_border(work / "border.geojson")
    results: dict[str, vision.WatchResult] = {}
    sample: list[Any] = []
    with bars() as progress:
        task = progress.add_task("watch video", total=None)
        before = 0
        for recording in recordings:
            with vision.open_source(recording.video) as source:
                results[recording.video.stem] = vision.watch(
                    source,
                    detector,
                    border=border,
                    name=recording.vehicle,
                    custody=vision.Custody(owner=OWNER, marking=MARKING),
                    evidence=vision.EvidenceWriter(work / "evidence", source, written_us=recording.end_us),
                    settings=vision.WatchSettings(batch=BATCH),
                    progress=lambda frames, base=before: progress.update(task, completed=base + frames),  # type: ignore[misc]
                )
            for crossing_id, why in results[recording.video.stem].without_evidence.items():
                raise DemoError(f"crossing {crossing_id} has no evidence to show: {why}")
            before += results[recording.video.stem].frames
        task = progress.add_task("the bare model", total=None)
        for recording in recordings[::2]:
            with vision.open_source(recording.video, fps=1) as source:
                sample += [frame.image for frame in source]
        bare = vision.bare_rate(detector, sample, batch=BATCH)
    truth = {recording.video.stem: vision.load_truth(recording.truth) for recording in recordings}
    frames = sum(result.frames for result in results.values())
    watched = Watched(
        recordings,
        results,
        vision.score({name: result.crossings for name, result in results.items()}, truth),
        frames / sum(result.seconds for result in results.values()),
        bare.per_second,
        detector.model,
    )
    for crossing in watched.crossings:
        vision.write_marked_picture(
            work / "evidence" / crossing.source_id, work / "pictures" / f"{crossing.source_id}.jpg"
        )
    vision.write_crossings(work / "crossings.jsonl", watched.crossings)
    vision.write_crossings(work / "crossings.geojson", watched.crossings)
    return watched


def share(run: Run) -> Shared:
    """Put the run into a service in its folder, and look at it as every reader."""
    with filled_service(api.Settings(run.folder / "store", port=0), run) as service:
        seen = {name: list(reader.crossings()) for name, reader in service.readers.items()}
        chain = service.auditor.verify_audit()
    return Shared(
        service.stored,
        service.reviewed,
        service.release,
        seen,
        int(chain["head"]["seq"]),
        bool(chain["intact"]),
        service.admin_key,
    )
