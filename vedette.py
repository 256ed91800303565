"""The command line: each command is a few lines over one package; what joins all of them is in ``cli``."""

from __future__ import annotations

import sys
import threading
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import click
import typer

import missions
from cli.exercise import exercise_app
from cli.stopping import run_until_told
from cli.terminal import FlightBars, bars, complaints, console
from geo import FlatTerrain, Terrain, VedetteError, open_terrain

if TYPE_CHECKING:
    import vision

app = typer.Typer(
    name="vedette",
    help="Watch a border from the air under law: plan, fly, find crossings, judge them, share what may be shared.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
app.add_typer(exercise_app, name="exercise")


class InputError(VedetteError):
    """An argument of the command line that does not fit."""


def main() -> None:
    """Run a command; anything refused is one line on standard error and an exit code that is not zero."""
    try:
        code = app(standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        code = 2
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except VedetteError as error:
        complaints.print(f"vedette: {error}", style="red", markup=False, highlight=False, soft_wrap=True)
        code = 1
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        complaints.print(f"vedette: {where}{error.strerror or error}", style="red", markup=False, soft_wrap=True)
        code = 1
    except (KeyboardInterrupt, click.Abort):
        code = 130
    sys.exit(code if isinstance(code, int) else 0)


def numbers(text: str, names: str, option: str) -> list[float]:
    """Comma-separated numbers of an option, as many as `names` has; raises InputError."""
    parts = text.split(",")
    try:
        values = [float(part) for part in parts]
    except ValueError:
        values = []
    if len(values) != len(names.split(",")):
        raise InputError(f"{option} {text!r}: give {names} as numbers with commas between them and no spaces")
    return values


@app.command(
    epilog="Example: [bold]vedette border USA MEX --near 31.333,-110.94 --length 40 --out border.geojson[/bold]"
)
def border(
    own: Annotated[str, typer.Argument(help="Own country: ISO code or name.")],
    neighbour: Annotated[str | None, typer.Argument(help="The country on the far side; without it, list them.")] = None,
    near: Annotated[str | None, typer.Option(help="LAT,LON of the middle of the stretch, degrees.")] = None,
    length: Annotated[float, typer.Option(help="Length of the stretch, km.")] = 40.0,
    box: Annotated[
        str | None, typer.Option(help="SOUTH,WEST,NORTH,EAST, degrees: all borders of the country in it.")
    ] = None,
    out: Annotated[
        Path, typer.Option(help="File to write: GeoJSON, KML, KMZ, GeoPackage or Shapefile by its name.")
    ] = Path("border.geojson"),
) -> None:
    """Cut a stretch of a land border out of the data that ships with Vedette."""
    if box is not None:
        if neighbour is not None or near is not None:
            raise InputError("--box takes all borders of one country: leave the neighbour and --near out")
        south, west, north, east = numbers(box, "SOUTH,WEST,NORTH,EAST", "--box")
        found = missions.borders_in(west, south, east, north, own)
        if not found:
            raise InputError(f"{own} has no land border within {box}: give a larger box")
        missions.write_borders(found, out)
        for part in found:
            console.print(f"{part.name}: {part.length_m() / 1000:.1f} km, {part.own} on the {part.own_side}")
        console.print(f"-> {out}")
        return
    if neighbour is None:
        console.print(f"{own} has land borders with: {', '.join(missions.neighbours(own)) or 'nobody'}")
        return
    about = None
    if near is not None:
        lat, lon = numbers(near, "LAT,LON", "--near")
        about = (lat, lon)
    segment = missions.cut(missions.land_border(own, neighbour), length * 1000, about)
    missions.write_border(segment, out)
    console.print(
        f"{segment.name}: {segment.length_m() / 1000:.1f} km, {segment.own} on the {segment.own_side} -> {out}"
    )


@app.command(
    epilog="Example: [bold]vedette border USA MEX && "
    "vedette plan border.geojson --base 31.345,-110.93 --ground 1180 --explain[/bold]"
)
def plan(
    border_file: Annotated[
        Path,
        typer.Argument(metavar="BORDER", help="The border, or a network: GeoJSON, KML, KMZ, GeoPackage or Shapefile."),
    ],
    base: Annotated[str | None, typer.Option(help="LAT,LON of the base on the own side, degrees.")] = None,
    drones: Annotated[int, typer.Option(help="How many drones of the default type.", min=1)] = 2,
    fleet: Annotated[
        Path | None, typer.Option(help="JSON or TOML file of aircraft and bases, instead of --base and --drones.")
    ] = None,
    ground: Annotated[
        float | None,
        typer.Option(help="Elevation of level ground, m AMSL; 0, and zones above sea level block, without."),
    ] = None,
    terrain: Annotated[
        Path | None, typer.Option(help="GeoTIFF, SRTM .hgt tile or folder of tiles, instead of --ground.")
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="Any other limit to plan within: gsd_m=0.1, overlap=0.7 ..."),
    ] = None,
    wind: Annotated[str, typer.Option(help="SPEED,FROM: metres a second, degrees that it comes from.")] = "0,0",
    airspace: Annotated[Path | None, typer.Option(help="GeoJSON of zones and landing sites.")] = None,
    sites: Annotated[bool, typer.Option("--sites", help="Propose emergency landing sites on the terrain.")] = False,
    objective: Annotated[str, typer.Option(help="What to make small: revisit, once or risk.")] = "revisit",
    risk: Annotated[Path | None, typer.Option(help="CSV of risk by stretch and hour.")] = None,
    shift: Annotated[float, typer.Option(help="Length of the schedule, hours.")] = 8.0,
    hour: Annotated[float, typer.Option(help="Hour of the day at which it begins, 0 to 24, for --risk.")] = 0.0,
    dialect: Annotated[str, typer.Option(help="ardupilot or px4, for the mission files.")] = "ardupilot",
    explain: Annotated[bool, typer.Option("--explain", help="Say what limits the plan, and what would help.")] = False,
    out: Annotated[Path, typer.Option(help="Folder for the plan, mission files and map.")] = Path("runs/plan"),
) -> None:
    """Plan a patrol: sorties, schedule, mission files for ground stations, a map."""
    from cli.planning import (  # noqa: PLC0415 - names of the command
        changes_table,
        plan_options,
        plan_table,
        seen_table,
        validation_table,
    )

    speed, direction = numbers(wind, "SPEED,FROM", "--wind")
    land: Terrain | None = None if ground is None else FlatTerrain(ground)
    if terrain is not None:
        land = open_terrain(terrain)
    options = plan_options(
        settings or [],
        wind=missions.Wind(speed, direction),
        objective=objective,
        shift_s=shift * 3600,
        shift_hour=hour,
    )
    zones = missions.read_airspace(airspace) if airspace else None
    table = missions.read_risk(risk) if risk else None
    crew = _fleet(base, drones, fleet)
    if missions.holds_network(border_file):
        network = missions.read_network(border_file)
        made = missions.plan_network(network, crew, land, options, airspace=zones, risk=table)
    else:
        segment = missions.read_border(border_file)
        made = missions.plan(segment, crew, land, options, airspace=zones, risk=table)
    told = made.notes
    if sites:
        proposal = missions.propose_landing_sites(made, land or FlatTerrain())
        made, told = missions.with_landing_sites(made, proposal.sites), (*told, *proposal.notes)
    written = missions.write_plan_folder(made, out, _dialect(dialect), land)
    console.print(plan_table(made))
    console.print(seen_table(made.coverage))
    files = [missions.read_qgc_plan(out / f"{sortie.name}.plan") for sortie in made.sorties]
    checks = missions.validate(made, None if terrain is None else land), missions.validate_missions(made, files)
    console.print(validation_table(missions.Validation(tuple(rule for check in checks for rule in check.rules))))
    for note in told:
        console.print(f"note: {note}", markup=False)
    if explain:
        why = missions.explain(made, land)
        for sentence in why.limits:
            console.print(f"why: {sentence}", markup=False)
        console.print(changes_table(made, why.changes))
    for_apps = " and ".join(f"{sum(path.suffix == s for path in written)} as {s}" for s in (".kmz", ".csv"))
    console.print(f"for apps of pilots: {for_apps} of {len(made.sorties)} sorties; {out}/apps.txt says why not more")
    console.print(f"written to {out}/")


def _fleet(base: str | None, drones: int, path: Path | None) -> missions.Fleet:
    """The fleet of a file, or drones of the default type at one base."""
    if path is not None:
        return missions.read_fleet(path)
    if base is None:
        raise InputError("nowhere to take off from: give --base LAT,LON, or --fleet FILE")
    lat, lon = numbers(base, "LAT,LON", "--base")
    return missions.default_fleet(missions.Base("base", lat, lon), drones)


def _dialect(name: str) -> missions.Dialect:
    if name not in {"ardupilot", "px4"}:
        raise InputError(f"--dialect {name!r}: give ardupilot or px4")
    return "px4" if name == "px4" else "ardupilot"


@app.command(
    epilog="Example: [bold]vedette resume runs/plan/plan.json --sortie vehicle-1-sortie-1 --item 9 "
    "--battery 0.6[/bold] (in the air; the plan is that of the example of [bold]vedette plan[/bold]), or after flying "
    "[bold]vedette resume runs/plan/plan.json --report flight.json[/bold]"
)
def resume(
    plan_file: Annotated[Path, typer.Argument(metavar="PLAN", help="plan.json of the patrol that broke off.")],
    sortie: Annotated[str | None, typer.Option(help="Name of the sortie that broke off.")] = None,
    item: Annotated[int | None, typer.Option(help="Last item of its mission that it reached.")] = None,
    at: Annotated[str | None, typer.Option(help="LAT,LON where it broke off, or in the air where it is.")] = None,
    battery: Annotated[float | None, typer.Option(help="Share of the battery left; landed, 1 by default.")] = None,
    landed: Annotated[
        bool, typer.Option("--landed", help="It is on the ground: take off from the base again.")
    ] = False,
    done: Annotated[
        list[str] | None, typer.Option(help="Name of another sortie that is flown; may be repeated.")
    ] = None,
    report: Annotated[Path | None, typer.Option(help="Report of vedette fly, instead of --sortie.")] = None,
    terrain: Annotated[Path | None, typer.Option(help="The terrain that the plan was made over, if any.")] = None,
    overlap: Annotated[float, typer.Option(help="What is flown again before that place, m.")] = 50.0,
    dialect: Annotated[str, typer.Option(help="ardupilot or px4, for items and mission files.")] = "ardupilot",
    out: Annotated[Path, typer.Option(help="Folder for the plan, mission files and map.")] = Path("runs/resume"),
) -> None:
    """Plan the rest of a patrol that broke off, camera and speed commands included."""
    from cli.planning import plan_table, validation_table  # noqa: PLC0415 - names of the command

    if (sortie is None) == (report is None):
        raise InputError("say what broke off: give either --sortie NAME with --item or --at, or --report FILE")
    if report is not None and (item, at, battery, landed) != (None, None, None, False):
        raise InputError("--report says how far each sortie got: leave --item, --at, --battery and --landed out")
    before = missions.load_plan(plan_file)
    finished = tuple(done or ())
    if report is not None:
        import autopilot  # noqa: PLC0415 - pymavlink takes half a second to load

        progress, flown = autopilot.unfinished(before, report, _dialect(dialect))
        finished += flown
    else:
        place = None
        if at is not None:
            lat, lon = numbers(at, "LAT,LON", "--at")
            place = (lat, lon)
        progress = (missions.Progress(str(sortie), item, place, battery, airborne=not landed),)
    land = None if terrain is None else open_terrain(terrain)
    made = missions.resume(before, progress, land, done=finished, dialect=_dialect(dialect), overlap_m=overlap)
    missions.write_plan_folder(made, out, _dialect(dialect), land)
    console.print(plan_table(made))
    console.print(validation_table(missions.validate(made, land)))
    for note in made.notes:
        console.print(f"note: {note}", markup=False)
    console.print(f"written to {out}/")


@app.command(
    epilog="Example: [bold]vedette intents runs/plan/plan.json --start 2027-03-01T06:00+00:00 --geoid=-28.3,2[/bold] "
    "(after the example of [bold]vedette plan[/bold])"
)
def intents(
    plan_file: Annotated[Path, typer.Argument(metavar="PLAN", help="plan.json.")],
    start: Annotated[str, typer.Option(help="When the shift begins: date and time with its zone, ISO 8601.")],
    geoid: Annotated[str, typer.Option(help="HEIGHT,UNCERTAINTY of the geoid above WGS 84 here, m.")],
    out: Annotated[Path, typer.Option(help="JSON file to write.")] = Path("intents.json"),
) -> None:
    """Write the operational intents (ASTM F3548-21) of every flight of a plan, as a USS is given them."""
    height, uncertainty = numbers(geoid, "HEIGHT,UNCERTAINTY", "--geoid")
    try:
        begin = datetime.fromisoformat(start)
    except ValueError:
        raise InputError(f"--start {start!r}: give date and time with its zone, as 2027-03-01T06:00:00+00:00") from None
    made = missions.load_plan(plan_file)
    written = missions.write_operational_intents(made, out, begin, missions.Geoid(height, uncertainty))
    volumes = sum(len(intent.details.volumes or ()) for intent in written)
    console.print(f"{len(written)} flights, {volumes} volumes -> {out}")


@app.command(
    epilog="Example: [bold]vedette sim --home 31.345,-110.93,1180 --vehicles 2 --speedup 20[/bold] "
    "(then connect a ground station to UDP 127.0.0.1:14560)"
)
def sim(
    home: Annotated[str | None, typer.Option(help="LAT,LON,AMSL of the base: degrees and metres.")] = None,
    plan_file: Annotated[Path | None, typer.Option("--plan", help="plan.json: its base, vehicles and figures.")] = None,
    vehicles: Annotated[int, typer.Option(help="How many, with --home.", min=1)] = 1,
    autopilot: Annotated[str, typer.Option(help="ardupilot or px4.")] = "ardupilot",
    frame: Annotated[
        str | None, typer.Option(help="copter, hexa, octo, plane or vtol, with --home; a plan says its own.")
    ] = None,
    wind: Annotated[
        str, typer.Option(help="MEAN,FROM[,GUST]: metres a second, degrees that it comes from, gusts (1 sigma).")
    ] = "0,0",
    speedup: Annotated[float, typer.Option(help="Simulated seconds a second.")] = 1.0,
    port: Annotated[int, typer.Option(help="UDP port of the first, the next 10 apart; 0 takes free ones.")] = 14560,
    seed: Annotated[int, typer.Option(help="Gusts and faults.")] = 0,
    faults: Annotated[Path | None, typer.Option(help="What goes wrong: a scenario in YAML or JSON.")] = None,
    record: Annotated[Path | None, typer.Option(help="Folder for the flight records.")] = None,
    seconds: Annotated[float | None, typer.Option(help="End after so many seconds; else with Ctrl-C.")] = None,
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
    from cli.simulated import simulated_fleet  # noqa: PLC0415

    scene = sensing(world, sensors, cues, truth, key)
    if scene is not None and home is None and plan_file is None:
        home = scene.home
    if (home is None) == (plan_file is None):
        raise InputError("say where the vehicles stand: give either --home LAT,LON,AMSL or --plan FILE")
    air = simulator.Wind(*numbers(wind, "MEAN,FROM,GUST" if wind.count(",") > 1 else "MEAN,FROM", "--wind"))
    if plan_file is not None:
        if frame is not None:
            raise InputError("--frame: the plan says what flies; leave it out")
        made = missions.load_plan(plan_file)
        config = simulated_fleet(
            made, speedup=speedup, seed=seed, port=port, record=record, autopilot=autopilot, wind=air
        )
    else:
        lat, lon, amsl = numbers(str(home), "LAT,LON,AMSL", "--home")
        config = simulator.FleetConfig(
            home=(lat, lon, amsl),
            vehicles=vehicles,
            speedup=speedup,
            base_port=port,
            seed=seed,
            record_dir=record,
            autopilot=autopilot,
            frame=frame or "copter",
            wind=air,
        )
    if faults is not None:
        config = replace(config, faults=simulator.load_faults(faults))
    stop = threading.Event()
    if seconds is not None:
        timer = threading.Timer(seconds, stop.set)
        timer.daemon = True
        timer.start()

    def tell(endpoints: list[simulator.Endpoint]) -> None:
        for endpoint in endpoints:
            console.print(f"vehicle {endpoint.sysid} listens on udp:{endpoint.host}:{endpoint.port}")

    with ExitStack() as stack:
        if scene is not None:
            config = replace(config, start_time_us=scene.world.epoch_us)
            stack.enter_context(scene.running(speedup, seed, console.print))
        simulator.run_fleet(config, ready=tell, stop=stop)


@app.command(
    epilog="Example: [bold]vedette sim --plan runs/plan/plan.json --speedup 100 --seconds 120 & "
    "vedette fly runs/plan/plan.json --link udp:127.0.0.1:14560 --link udp:127.0.0.1:14570 --time-scale 100[/bold] "
    "(the plan is that of the example of [bold]vedette plan[/bold])"
)
def fly(
    plan_file: Annotated[Path, typer.Argument(metavar="PLAN", help="plan.json, or a QGroundControl .plan file.")],
    link: Annotated[list[str], typer.Option(help="udp:HOST:PORT, udpin:HOST:PORT or tcp:HOST:PORT; one a vehicle.")],
    json_file: Annotated[Path, typer.Option("--json", help="Where the flight report goes.")] = Path("flight.json"),
    time_scale: Annotated[float, typer.Option(help="Vehicle seconds a second: above 1 for a fast simulation.")] = 1.0,
    sysid: Annotated[int, typer.Option(help="System id of the vehicle, for a .plan file.")] = 1,
    dialect: Annotated[str, typer.Option(help="ardupilot or px4, for a plan.json.")] = "ardupilot",
    ceiling: Annotated[float | None, typer.Option(help="Height fence to set, m above home.")] = None,
    wait: Annotated[float, typer.Option(help="Seconds to wait for a vehicle's first heartbeat.")] = 15.0,
    log: Annotated[Path | None, typer.Option(help="Folder for a .tlog and a .parquet of each sortie.")] = None,
    gcs_id: Annotated[
        int,
        typer.Option(min=1, max=255, help="Our system id: the one of the ground station that the vehicles wait for."),
    ] = 255,
) -> None:
    """Upload, prove by read-back, fly and follow to landing."""
    import autopilot  # noqa: PLC0415 - pymavlink takes half a second to load

    borders: tuple[missions.BorderSegment, ...] = ()
    if plan_file.suffix == ".plan":
        if len(link) != 1:
            raise InputError(f"{plan_file} is the mission of one vehicle and there are {len(link)} links: give one")
        tasks = [autopilot.FlightTask(sysid, link[0], (missions.read_qgc_plan(plan_file),))]
    else:
        made = missions.load_plan(plan_file)
        borders = made.borders
        tasks = autopilot.tasks_of(made, link, _dialect(dialect))
    with bars() as progress:
        report = run_until_told(
            lambda stop: autopilot.fly(
                tasks,
                time_scale=time_scale,
                borders=borders,
                log_dir=log,
                progress=FlightBars(progress),
                limits=autopilot.FlightLimits(ceiling_m=ceiling, connect_s=wait),
                system_id=gcs_id,
                stop=stop,
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


@app.command(
    epilog="Example: [bold]vedette sim --plan runs/plan/plan.json --speedup 100 --seconds 300 & "
    "vedette patrol runs/plan/plan.json --link udp:127.0.0.1:14560 --link udp:127.0.0.1:14570 --hours 0.3 "
    "--speedup 100[/bold] (the plan is that of the example of [bold]vedette plan[/bold])"
)
def patrol(
    plan_file: Annotated[Path, typer.Argument(metavar="PLAN", help="plan.json.")],
    link: Annotated[list[str], typer.Option(help="udp:HOST:PORT, udpin:HOST:PORT or tcp:HOST:PORT; one a vehicle.")],
    hours: Annotated[float | None, typer.Option(help="Length of the shift; else that of the plan.")] = None,
    speedup: Annotated[float, typer.Option(help="Vehicle seconds a second: above 1 for a fast simulation.")] = 1.0,
    json_file: Annotated[Path, typer.Option("--json", help="Where the report goes.")] = Path("patrol.json"),
    journal: Annotated[
        Path | None, typer.Option(help="File from which the same command goes on after a crash.")
    ] = None,
    orders: Annotated[Path | None, typer.Option(help="File of cues and words on the way, one JSON a line.")] = None,
    dialect: Annotated[str, typer.Option(help="ardupilot or px4.")] = "ardupilot",
    ceiling: Annotated[float | None, typer.Option(help="Height fence to set, m above home.")] = None,
    wait: Annotated[float, typer.Option(help="Seconds to wait for a vehicle's first heartbeat.")] = 15.0,
    log: Annotated[Path | None, typer.Option(help="Folder for a .tlog and a .parquet of each sortie.")] = None,
    gcs_id: Annotated[
        int,
        typer.Option(min=1, max=255, help="Our system id: the one of the ground station that the vehicles wait for."),
    ] = 255,
) -> None:
    """Fly a plan for a shift: by its schedule, with reliefs; planned anew when a vehicle fails."""
    import autopilot  # noqa: PLC0415 - pymavlink takes half a second to load
    from cli.patrol import fly_shift  # noqa: PLC0415

    fly_shift(
        missions.load_plan(plan_file),
        link,
        dialect=_dialect(dialect),
        hours=hours,
        speedup=speedup,
        limits=autopilot.FlightLimits(ceiling_m=ceiling, connect_s=wait),
        journal=journal,
        log=log,
        json_file=json_file,
        orders=orders,
        system_id=gcs_id,
    )


@app.command(
    epilog="Example: [bold]vedette watch runs/demo/video/*.ts --border runs/demo/border.geojson[/bold] after "
    "[bold]vedette demo[/bold]; for a fixed camera [bold]vedette watch street.mp4 --line 0,300,768,300[/bold]"
)
def watch(
    videos: Annotated[list[str], typer.Argument(metavar="VIDEO...", help="Files, folders of images, or stream URLs.")],
    border_file: Annotated[Path | None, typer.Option("--border", help="GeoJSON of the border.")] = None,
    line: Annotated[str | None, typer.Option(help="X1,Y1,X2,Y2 in the picture of a fixed camera, pixels.")] = None,
    own_side: Annotated[str, typer.Option(help="Own side of --line, seen along it: left or right.")] = "left",
    pose: Annotated[Path | None, typer.Option(help="Pose file (.srt, .csv, .klv), when the video has none.")] = None,
    model: Annotated[Path | None, typer.Option(help="ONNX detector; else the one that ships.")] = None,
    fps: Annotated[float | None, typer.Option(help="Frames a second to look at; else all.")] = None,
    ground: Annotated[float | None, typer.Option(help="Elevation of the ground, m AMSL; else from the video.")] = None,
    owner: Annotated[str, typer.Option(help="Organisation that owns the records.")] = "unknown",
    marking: Annotated[str | None, typer.Option(help="Marking of the records; without one nothing is shared.")] = None,
    out: Annotated[Path, typer.Option(help="Folder for crossings and evidence.")] = Path("runs/watch"),
    url: Annotated[str | None, typer.Option(help="Service that the crossings are delivered to.")] = None,
    key: Annotated[str | None, typer.Option(help="Its key.", envvar="VEDETTE_KEY")] = None,
) -> None:
    """Find crossings in video; keep the evidence."""
    import vision  # noqa: PLC0415 - inference engines take a second to load

    if url is not None and key is None:
        raise InputError("--url needs a key: give --key, or VEDETTE_KEY in the environment")
    pixel_line = None
    if line is not None:
        x1, y1, x2, y2 = numbers(line, "X1,Y1,X2,Y2", "--line")
        pixel_line = vision.PixelLine("line", ((x1, y1), (x2, y2)), own_side)
    border = vision.load_border(border_file) if border_file else None
    detector = vision.Detector(model, confidence=vision.TrackerSettings().low_score)
    crossings: list[vision.Crossing] = []
    for video in videos:
        with vision.open_source(video, pose=pose, fps=fps) as source, bars() as progress:
            task = progress.add_task(Path(video).name, total=None)
            recorded = not source.live and not Path(video).is_dir()
            result = vision.watch(
                source,
                detector,
                border=border,
                line=pixel_line,
                terrain=None if ground is None else FlatTerrain(ground),
                custody=vision.Custody(owner=owner, marking=marking),
                evidence=vision.EvidenceWriter(out / "evidence", source) if recorded else None,
                progress=lambda frames, progress=progress, task=task: progress.update(task, completed=frames),  # type: ignore[misc]
            )
        crossings += result.crossings
        for problem in source.counts.problems:
            complaints.print(f"note: {video}: {problem}", markup=False)
        console.print(
            f"{Path(video).name}: {result.frames} frames at {result.frames_per_s:.1f} a second, "
            f"{len(result.tracks)} tracks, {len(result.crossings)} crossings"
        )
    vision.write_crossings(out / "crossings.jsonl", crossings)
    vision.write_crossings(out / "crossings.geojson", crossings)
    console.print(f"{len(crossings)} crossings -> {out}/crossings.jsonl")
    if url is not None and key is not None:
        _deliver(url, key, crossings, out)


def _deliver(url: str, key: str, crossings: Sequence[vision.Crossing], out: Path) -> None:
    """Hand crossings to a service; what it does not take now stays in the spool for the next run."""
    import api  # noqa: PLC0415 - the service takes a second to load

    with api.Client(url, key, spool=out / "spool") as client:
        left = client.flush()
        for crossing in crossings:
            folder = out / "evidence" / crossing.source_id if crossing.evidence else None
            left = client.deliver(crossing.to_json(), folder)
        assert client.spool is not None  # it was given
        refused = client.spool.failed()
    for one in refused:
        complaints.print(f"set aside in {one.folder}: {one.reason}", markup=False)
    if left.waiting or refused:
        raise api.ClientError(
            f"{left.waiting} crossings wait in {out / 'spool'} and {len(refused)} were refused"
            f"{': ' + left.error if left.error else ''}; put it right and run again"
        )
    console.print(f"{len(crossings)} crossings delivered to {url}")


@app.command(epilog="Example: [bold]vedette serve --store runs/store[/bold]")
def serve(
    store: Annotated[Path, typer.Option(help="Folder of the store; made when absent.")] = Path("runs/store"),
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port; 0 takes a free one.")] = 8470,
    certificate: Annotated[Path | None, typer.Option(help="TLS certificate, PEM; needed beyond this machine.")] = None,
    private_key: Annotated[Path | None, typer.Option(help="TLS key, PEM.")] = None,
) -> None:
    """Serve crossings, review and release over HTTP."""
    import api  # noqa: PLC0415 - the service takes a second to load

    settings = api.Settings(store, host=host, port=port, tls_certificate=certificate, tls_key=private_key)
    api.serve(settings, announce=lambda text: console.print(text, markup=False, soft_wrap=True))


@app.command(epilog="Example: [bold]vedette doctor[/bold]")
def doctor() -> None:
    """Say what is installed, what is missing, and what each missing thing would give."""
    from cli.doctor import examine  # noqa: PLC0415 - loads what it examines

    if not examine(console):
        raise typer.Exit(1)


@app.command(
    epilog="Example: [bold]vedette demo[/bold], or [bold]vedette demo --own ITA --neighbour CHE --ground 1500[/bold]"
)
def demo(
    out: Annotated[Path, typer.Option(help="Folder of the results.")] = Path("runs/demo"),
    own: Annotated[str, typer.Option(help="Own country: ISO code or name.")] = "USA",
    neighbour: Annotated[str, typer.Option(help="The country on the far side.")] = "MEX",
    near: Annotated[str | None, typer.Option(help="LAT,LON of the middle of the stretch, degrees.")] = None,
    length: Annotated[float, typer.Option(help="Length of the stretch, km.")] = 40.0,
    ground: Annotated[float, typer.Option(help="Elevation of the level ground, m AMSL.")] = 1180.0,
    seed: Annotated[int, typer.Option(help="Same seed, same plan and same crossings.")] = 7,
    windows: Annotated[int, typer.Option(help="Recordings to make.", min=1)] = 16,
    crossings: Annotated[int, typer.Option(help="Crossings that happen in them.", min=1)] = 10,
    serve: Annotated[bool, typer.Option("--serve", help="Leave the service up with what was found.")] = False,
    port: Annotated[int, typer.Option(help="Its port.")] = 8470,
) -> None:
    """Run the whole loop once: plan, fly, film, find crossings, review, release, report."""
    import cli  # noqa: PLC0415 - loads everything

    about = None
    if near is not None:
        lat, lon = numbers(near, "LAT,LON", "--near")
        about = (lat, lon)
    settings = cli.DemoSettings(
        out,
        own=own,
        neighbour=neighbour,
        near=about,
        length_m=length * 1000,
        ground_amsl_m=ground,
        seed=seed,
        windows=windows,
        crossings=crossings,
    )
    outcome = cli.demonstrate(settings)
    console.print(cli.outcome_table(outcome))
    console.print(f"open {out}/report.html", markup=False)
    if serve:
        cli.serve_demo(outcome, port)


@app.command(epilog="Example: [bold]vedette render data/rendered --count 1000[/bold]")
def render(
    out: Annotated[Path, typer.Argument(help="Folder of the data set; new.")],
    count: Annotated[int, typer.Option(help="Images.", min=1)] = 1000,
    seed: Annotated[int, typer.Option(help="Same seed, same images.")] = 7,
    backgrounds: Annotated[Path | None, typer.Option(help="Photographs that serve as ground in some images.")] = None,
) -> None:
    """Render a labelled data set with the simulator, to train on."""
    import sim  # noqa: PLC0415 - OpenCV takes a while to load

    with bars() as progress:
        task = progress.add_task("render images", total=count)
        summary = sim.write_dataset(
            out,
            count,
            seed,
            backgrounds=backgrounds,
            progress=lambda done, total: progress.update(task, completed=done, total=total),
        )
    labels = ", ".join(f"{number} {kind}" for kind, number in summary.labels.items())
    console.print(f"{summary.images} images ({labels}) -> {out}")


@app.command(epilog="Example: [bold]vedette train data --weights yolo11n.pt --out runs/train[/bold]")
def train(
    data: Annotated[Path, typer.Argument(help="Folder that holds the data sets hit-uav, aerial-vehicles, rendered.")],
    weights: Annotated[Path, typer.Option(help="Weights to start from (.pt).")],
    out: Annotated[Path, typer.Option(help="Folder of the run; one that was broken off goes on.")] = Path("runs/train"),
) -> None:
    r"""Train a detector by the recipe of the shipped one. Needs vedette\[train]."""
    import vision  # noqa: PLC0415 - inference engines take a second to load

    prepared = out / "data" / "data.yaml"
    if not prepared.exists():
        vision.prepare(vision.known_sources(data), prepared.parent)
    console.print(f"trained -> {vision.train_model(vision.RECIPE, prepared, weights, out)}")


@app.command(
    epilog="Example: [bold]vedette export runs/train/mixed/weights/last.pt detector.onnx "
    "--data 'HIT-UAV (CC BY 4.0)'[/bold]"
)
def export(
    weights: Annotated[Path, typer.Argument(help="Trained weights (.pt).")],
    onnx: Annotated[Path, typer.Argument(help="ONNX file to write.")],
    data: Annotated[str, typer.Option(help="What it was trained on, with licences: kept in the file.")],
) -> None:
    r"""Export trained weights to ONNX. Needs vedette\[train]."""
    import vision  # noqa: PLC0415 - inference engines take a second to load

    vision.export_model(weights, onnx, data=data)
    console.print(f"exported -> {onnx}")


if __name__ == "__main__":
    main()
