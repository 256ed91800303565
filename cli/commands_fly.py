"""Commands that fly: simulated vehicles, missions, whole shifts."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import geo
from cli.arguments import InputError, check_file, check_folder, dialect_of, numbers
from cli.stopping import run_until_told
from cli.terminal import FlightBars, bars, complaints, console

if TYPE_CHECKING:
    import missions

__all__ = ["commands"]

commands = typer.Typer()

LINK_HELP = (
    "udp:HOST:PORT, udpin:..., tcp:..., tcpin:... or serial:/dev/DEVICE:BAUD; one a vehicle, or one for all. "
    "Several ways to the same vehicles with commas between them."
)
KEY_HELP = "File of the MAVLink 2 signing key: 32 bytes, 64 hexadecimal digits or a passphrase."

Links = Annotated[list[str], typer.Option(help=LINK_HELP)]
Autopilot = Annotated[str, typer.Option("--dialect", help="ardupilot or px4, for a plan.json.")]
Scale = Annotated[float, typer.Option(help="Vehicle seconds a second: above 1 for a fast simulation.")]
Ceiling = Annotated[float | None, typer.Option(help="Height fence to set, m above home.")]
Wait = Annotated[float, typer.Option(help="Seconds to wait for a vehicle's first heartbeat.")]
LogFolder = Annotated[Path | None, typer.Option("--log", help="Folder for a .tlog and a .parquet of each sortie.")]
StationId = Annotated[
    int, typer.Option(min=1, max=255, help="Our system id: the one of the ground station that the vehicles wait for.")
]
KeyFile = Annotated[Path | None, typer.Option("--signing-key", metavar="FILE", help=KEY_HELP)]
Ground = Annotated[
    Path | None,
    typer.Option(
        "--terrain",
        help="Heights for vehicles that ask for the ground below them: a folder of .hgt or .tif, or one file.",
    ),
]

Service = Annotated[
    str | None,
    typer.Option(help="Service that is told where the vehicles are, and whose orders those of a plan.json take."),
]
ServiceKey = Annotated[str | None, typer.Option("--key", help="Key for --service.", envvar="VEDETTE_KEY")]
Station = Annotated[str, typer.Option(help="Name of this ground station at the service.")]
Owner = Annotated[str, typer.Option(help="Owner of the records of vehicles that the service does not know yet.")]
Marking = Annotated[str | None, typer.Option(help="Marking of those; without one nothing of them is shared.")]


@commands.command(
    epilog="Example: [bold]vedette sim --home 31.345,-110.93,1180 --vehicles 2 --speedup 20[/bold] "
    "(then connect a ground station to UDP 127.0.0.1:14560)"
)
def sim(
    home: Annotated[str | None, typer.Option(help="LAT,LON,AMSL of the base: degrees and metres.")] = None,
    plan_file: Annotated[
        Path | None, typer.Option("--plan", help="plan.json: its bases, vehicles and figures.")
    ] = None,
    vehicles: Annotated[int, typer.Option(help="How many, with --home.", min=1)] = 1,
    autopilot: Annotated[str, typer.Option(help="ardupilot or px4.")] = "ardupilot",
    frame: Annotated[
        str | None, typer.Option(help="copter, hexa, octo, plane or vtol, with --home; a plan says its own.")
    ] = None,
    wind: Annotated[
        str, typer.Option(help="MEAN,FROM[,GUST]: metres a second, degrees that it comes from, gusts (1 sigma).")
    ] = "0,0",
    speedup: Annotated[float, typer.Option(help="Simulated seconds a second.")] = 1.0,
    port: Annotated[int, typer.Option(help="Port of the first, the next 10 apart; 0 takes free ones.")] = 14560,
    tcp: Annotated[
        bool, typer.Option("--tcp", help="Wait for connections, as ArduPilot's own simulator does.")
    ] = False,
    signing_key: KeyFile = None,
    seed: Annotated[int, typer.Option(help="Gusts and faults.")] = 0,
    faults: Annotated[Path | None, typer.Option(help="What goes wrong: a scenario in YAML or JSON.")] = None,
    record: Annotated[Path | None, typer.Option(help="Folder for the flight records.")] = None,
    seconds: Annotated[float | None, typer.Option(help="End after so many seconds; else with Ctrl-C.")] = None,
    terrain: Annotated[
        Path | None, typer.Option(help="Ground they fly over and know: a folder of .hgt or .tif, or one file.")
    ] = None,
    blank_card: Annotated[
        bool, typer.Option("--blank-card", help="They know of that ground what they are told when they ask.")
    ] = False,
    world: Annotated[Path | None, typer.Option(help="Who moves where and when: YAML or JSON.")] = None,
    sensors: Annotated[Path | None, typer.Option(help="Ground sensors in that world: YAML or JSON.")] = None,
    cues: Annotated[
        str | None,
        typer.Option(metavar="WHERE", help="Their cues go to mqtt://..., http://... (or with s) or a file."),
    ] = None,
    truth: Annotated[Path | None, typer.Option(help="Folder for the true tracks, and who caused each cue.")] = None,
    key: Annotated[str | None, typer.Option(help="Key for --cues http...", envvar="VEDETTE_KEY")] = None,
) -> None:
    """Run simulated vehicles that speak MAVLink, and ground sensors in a world."""
    import sim as simulator  # noqa: PLC0415 - the command has the name of the package
    from cli.sensing import sensing  # noqa: PLC0415
    from cli.signing import secret_of  # noqa: PLC0415

    scene = sensing(world, sensors, cues, truth, key)
    if scene is not None and home is None and plan_file is None:
        home = scene.home
    if (home is None) == (plan_file is None):
        raise InputError("say where the vehicles stand: give either --home LAT,LON,AMSL or --plan FILE")
    broken = simulator.load_faults(faults) if faults else simulator.Faults()
    air = simulator.Wind(*numbers(wind, "MEAN,FROM,GUST" if wind.count(",") > 1 else "MEAN,FROM", "--wind"))
    if plan_file is not None:
        if frame is not None:
            raise InputError("--frame: the plan says what flies; leave it out")
        import missions  # noqa: PLC0415 - planning takes half a second to load
        from cli.simulated import simulated_teams  # noqa: PLC0415

        parts = simulated_teams(
            missions.load_plan(plan_file),
            broken,
            speedup=speedup,
            seed=seed,
            port=port,
            record=record,
            autopilot=autopilot,
            wind=air,
        )
    else:
        lat, lon, amsl = numbers(str(home), "LAT,LON,AMSL", "--home")
        alone = simulator.FleetConfig(
            home=(lat, lon, amsl),
            vehicles=vehicles,
            speedup=speedup,
            base_port=port,
            seed=seed,
            record_dir=record,
            autopilot=autopilot,
            frame=frame or "copter",
            wind=air,
            faults=broken,
        )
        parts = (alone,)
    first, *others = (
        replace(
            part,
            transport="tcp" if tcp else "udp",
            signing_key=secret_of(signing_key),
            terrain=terrain,
            terrain_on_card=terrain is not None and not blank_card,
            start_time_us=None if scene is None else scene.world.epoch_us,
        )
        for part in parts
    )
    stop = threading.Event()
    if seconds is not None:
        timer = threading.Timer(seconds, stop.set)
        timer.daemon = True
        timer.start()

    def tell(endpoints: list[simulator.Endpoint]) -> None:
        for endpoint in endpoints:
            at = f"{endpoint.transport}:{endpoint.host}:{endpoint.port}"
            console.print(f"vehicle {endpoint.sysid} listens on {at}")

    with ExitStack() as stack:
        beside = [stack.enter_context(simulator.start_fleet(other)) for other in others]
        if scene is not None:
            stack.enter_context(scene.running(speedup, seed, console.print))
        simulator.run_fleet(
            first, ready=lambda own: tell([*own, *(one for fleet in beside for one in fleet.endpoints)]), stop=stop
        )


@commands.command(
    epilog="Example: [bold]vedette sim --plan runs/plan/plan.json --speedup 100 --seconds 120 & "
    "vedette fly runs/plan/plan.json --link udp:127.0.0.1:14560 --link udp:127.0.0.1:14570 --time-scale 100[/bold] "
    "(the plan is that of the example of [bold]vedette plan[/bold])"
)
def fly(
    plan_file: Annotated[Path, typer.Argument(metavar="PLAN", help="plan.json, or a QGroundControl .plan file.")],
    link: Links,
    json_file: Annotated[Path, typer.Option("--json", help="Where the flight report goes.")] = Path("flight.json"),
    time_scale: Scale = 1.0,
    sysid: Annotated[int, typer.Option(help="System id of the vehicle, for a .plan file.")] = 1,
    dialect: Autopilot = "ardupilot",
    ceiling: Ceiling = None,
    wait: Wait = 15.0,
    log: LogFolder = None,
    gcs_id: StationId = 255,
    signing_key: KeyFile = None,
    terrain: Ground = None,
    service: Service = None,
    key: ServiceKey = None,
    station: Station = "ground-station",
    owner: Owner = "unknown",
    marking: Marking = None,
) -> None:
    """Upload, prove by read-back, fly and follow to landing."""
    import autopilot  # noqa: PLC0415 - pymavlink takes half a second to load
    import missions  # noqa: PLC0415 - as above
    from cli.live import live_options, telling_positions  # noqa: PLC0415
    from cli.piloting import taking_orders  # noqa: PLC0415
    from cli.signing import signing_of  # noqa: PLC0415

    _check_outputs(json_file, log)
    signing, land = signing_of(signing_key), None if terrain is None else geo.open_terrain(terrain)
    live = live_options(service, key, station, owner, marking)
    made: missions.PatrolPlan | None = None
    borders: tuple[missions.BorderSegment, ...] = ()
    if plan_file.suffix == ".plan":
        if len(link) != 1:
            raise InputError(f"{plan_file} is the mission of one vehicle and there are {len(link)} links: give one")
        tasks = [autopilot.FlightTask(sysid, link[0], (missions.read_qgc_plan(plan_file),))]
    else:
        made = missions.load_plan(plan_file)
        borders = made.borders
        tasks = autopilot.tasks_of(made, link, dialect_of(dialect))
    with bars() as progress, telling_positions(live, made, land) as met, taking_orders(live, made) as begun:
        report = run_until_told(
            lambda stop: autopilot.fly(
                tasks,
                time_scale=time_scale,
                borders=borders,
                log_dir=log,
                progress=FlightBars(progress),
                limits=autopilot.FlightLimits(ceiling_m=ceiling, connect_s=wait),
                system_id=gcs_id,
                signing=signing,
                terrain=land,
                stop=stop,
                met=met,
                plan=made,
                begun=begun,
            ),
            lambda: complaints.print(
                "note: told to stop: what flies is brought home; once more ends the watch over it"
            ),
        )
    report.write(json_file)
    for note in report.notes:
        complaints.print(f"note: {note}", markup=False)
    for vehicle in report.vehicles:
        done = sum(sortie.completed for sortie in vehicle.sorties)
        console.print(f"vehicle {vehicle.sysid}: {done} of {vehicle.planned} sorties flown -> {json_file}")
    failures = [f"vehicle {v.sysid}: {v.failure}" for v in report.vehicles if v.failure]
    if failures:
        raise autopilot.FlightError("; ".join(failures))


@commands.command(
    epilog="Example: [bold]vedette sim --plan runs/plan/plan.json --speedup 100 --seconds 300 & "
    "vedette patrol runs/plan/plan.json --link udp:127.0.0.1:14560 --link udp:127.0.0.1:14570 --hours 0.3 "
    "--speedup 100[/bold] (the plan is that of the example of [bold]vedette plan[/bold])"
)
def patrol(
    plan_file: Annotated[Path, typer.Argument(metavar="PLAN", help="plan.json.")],
    link: Links,
    hours: Annotated[float | None, typer.Option(help="Length of the shift; else that of the plan.")] = None,
    speedup: Scale = 1.0,
    json_file: Annotated[Path, typer.Option("--json", help="Where the report goes.")] = Path("patrol.json"),
    journal: Annotated[
        Path | None, typer.Option(help="File from which the same command goes on after a crash.")
    ] = None,
    orders: Annotated[Path | None, typer.Option(help="File of cues and words on the way, one JSON a line.")] = None,
    dialect: Autopilot = "ardupilot",
    ceiling: Ceiling = None,
    wait: Wait = 15.0,
    log: LogFolder = None,
    gcs_id: StationId = 255,
    signing_key: KeyFile = None,
    terrain: Ground = None,
    service: Service = None,
    key: ServiceKey = None,
    station: Station = "ground-station",
    owner: Owner = "unknown",
    marking: Marking = None,
) -> None:
    """Fly a plan for a shift: by its schedule, with reliefs; planned anew when a vehicle fails."""
    import autopilot  # noqa: PLC0415 - pymavlink takes half a second to load
    import missions  # noqa: PLC0415 - as above
    from cli.live import live_options  # noqa: PLC0415
    from cli.patrol import GroundStation, failures_of, fly_shift  # noqa: PLC0415
    from cli.signing import signing_of  # noqa: PLC0415

    _check_outputs(json_file, log)
    ground = GroundStation(
        dialect=dialect_of(dialect),
        speedup=speedup,
        limits=autopilot.FlightLimits(ceiling_m=ceiling, connect_s=wait),
        system_id=gcs_id,
        signing=signing_of(signing_key),
        terrain=None if terrain is None else geo.open_terrain(terrain),
        live=live_options(service, key, station, owner, marking),
    )
    report = fly_shift(
        missions.load_plan(plan_file),
        link,
        ground,
        hours=hours,
        journal=journal,
        log=log,
        json_file=json_file,
        orders=orders,
    )
    failures = failures_of(report)
    if report.stopped:
        failures.append("the patrol was stopped: with a journal the same command goes on")
    if failures:
        raise autopilot.FlightError("; ".join(failures))


def _check_outputs(report: Path, log: Path | None) -> None:
    """Refuse before anything flies what could not be written after it has landed."""
    check_file(report, "--json")
    if log is not None:
        check_folder(log, "--log")
