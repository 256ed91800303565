"""The whole loop once, on real parts: border, plan, flight, video, crossings, review, release, report.

Each step takes values and returns values; nothing
reaches back.
"""

from __future__ import annotations

import asyncio
import json
import shutil
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from rich.table import Table

import api
import autopilot
import missions
import sim
import vision
from cli.outcome import DemoSettings, Outcome, Shared, Watched
from cli.report import write_run_report
from cli.simulated import simulated_fleet
from cli.terminal import FlightBars, bars, console
from geo import FlatTerrain, VedetteError, geodesic_length_m, write_text

__all__ = ["demonstrate", "serve_demo"]

# The night of the scenario: shortly after the first start of the patrol, 2026-06-21 04:00 UTC.
EPOCH_US = 1_782_014_400_000_000
# Pictures side by side, one on each thread, cost less than one picture on all threads.
BATCH = 4
OWNER, MARKING = "Border Watch (exercise)", "EXERCISE"
PEOPLE = (api.Role.PILOT, api.Role.ANALYST, api.Role.SUPERVISOR, api.Role.AUDITOR)
PARTNERS = ("Coast Guard (exercise)", "Rescue Service (exercise)")
TERMS = {
    "kinds": ["person", "vehicle"],
    "purposes": [vision.Custody().purpose],
    "markings": [MARKING],
    "fields": ["kind", "direction", "status", "position", "ellipse", "border"],
}


class DemoError(VedetteError):
    """A step of the demonstration that did not do what it must."""


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
    shared = share(watched, work)
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


def share(watched: Watched, work: Path) -> Shared:
    """Deliver to the service over HTTP, have a person confirm one, release it to one partner, look as every reader."""
    if not watched.crossings:
        raise DemoError("no crossing was found, so there is nothing to review: try another seed")
    with api.running(api.Settings(work / "store", port=0)) as service, bars() as progress, ExitStack() as stack:
        assert service.admin is not None  # a new store
        admin = stack.enter_context(api.Client(service.url, service.admin.key))
        task = progress.add_task("deliver, review, release", total=len(watched.crossings) + 2)

        def client(role: api.Role, partner: str | None = None, **more: Any) -> api.Client:
            bound = ["*"] if role is api.Role.PILOT else None
            key = admin.create_key(f"{role} of the demonstration", role, partner_id=partner, sources=bound)
            return stack.enter_context(api.Client(service.url, key, **more))

        partners = {name: admin.create_partner(name)["id"] for name in PARTNERS}
        readers = {"analyst": client(api.Role.ANALYST)}
        readers |= {name: client(api.Role.PARTNER, partners[name]) for name in PARTNERS}
        for name in PARTNERS:
            admin.create_agreement(partner_id=partners[name], **TERMS)

        secrets = {
            str(role): admin.create_account(role, f"{role} of the demonstration", role, partner_id=partner)
            for role, partner in {**dict.fromkeys(PEOPLE), api.Role.PARTNER: partners[PARTNERS[0]]}.items()
        }
        with client(api.Role.PILOT, spool=work / "spool") as drone:
            stored = {}
            for crossing in watched.crossings:
                answer = drone.deliver(crossing.to_json(), work / "evidence" / crossing.source_id)
                if answer.waiting or answer.failed:
                    raise DemoError(f"crossing {crossing.source_id} was not taken: {answer.error or answer.failed}")
                stored[crossing.source_id] = str(answer.delivered[0]["id"])
                progress.advance(task)
        surest = max(watched.crossings, key=lambda c: (c.status is vision.Status.CONFIRMED, c.confidence))
        chosen = stored[surest.source_id]
        readers["analyst"].review(chosen, "confirm")
        progress.advance(task)
        release = client(api.Role.SUPERVISOR).release(chosen, partners[PARTNERS[0]], reason="joint exercise")
        progress.advance(task)
        seen = {name: list(reader.crossings()) for name, reader in readers.items()}
        chain = client(api.Role.AUDITOR).verify_audit()
    shutil.rmtree(work / "spool")  # empty: everything was delivered
    return Shared(
        stored,
        surest.source_id,
        str(release["id"]),
        seen,
        int(chain["head"]["seq"]),
        bool(chain["intact"]),
        service.admin.key,
        secrets,
    )


def serve_demo(outcome: Outcome, port: int) -> None:
    """Serve the store of a demonstration until Ctrl-C. Raises as `api.serve` does."""
    console.print(f"administrator key of this demonstration: {outcome.shared.admin_key}", markup=False, soft_wrap=True)
    people = Table(
        "login", "one-time secret", title="Who may open the console; a password of your own replaces the secret"
    )
    for login, secret in outcome.shared.secrets.items():
        people.add_row(login, secret)
    console.print(people)
    settings = api.Settings(outcome.settings.out / "store", port=port)
    api.serve(settings, announce=lambda text: console.print(text, markup=False, soft_wrap=True))
