"""Commands that plan: the border, the patrol, the rest of one that broke off, what a USS is told."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import geo
from cli.arguments import InputError, check_file, check_folder, dialect_of, numbers, of_option, within
from cli.terminal import complaints, console

if TYPE_CHECKING:
    import missions

__all__ = ["commands"]

commands = typer.Typer()

_GROUND_M = (-500.0, 9000.0)
_SHIFT_H = (0.01, 7 * 24.0)
_MOST_PIECES = 5


@commands.command(
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
    import missions  # noqa: PLC0415 - planning takes half a second to load

    if box is not None or neighbour is not None:
        check_file(out, "--out")
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
        console.print(f"{own} has land borders with: {', '.join(missions.neighbours(own)) or 'nobody in this data'}")
        return
    about = None
    if near is not None:
        lat, lon = numbers(near, "LAT,LON", "--near")
        about = (within(lat, -90, 90, "--near", "a latitude"), within(lon, -180, 180, "--near", "a longitude"))
    if not 0 < length < math.inf:
        raise InputError(f"--length {length:g}: give kilometres above 0")
    pieces = missions.land_border(own, neighbour)
    segment = missions.cut(pieces, length * 1000, about)
    missions.write_border(segment, out)
    _tell(segment, pieces, out)


def _tell(segment: missions.BorderSegment, pieces: Sequence[missions.BorderSegment], out: Path) -> None:
    """Say what was cut, and where the other pieces of that border are: the longest first, five at most."""
    console.print(
        f"{segment.name}: {segment.length_m() / 1000:.1f} km, {segment.own} on the {segment.own_side} -> {out}"
    )
    if segment.note:
        console.print(f"note: {segment.note}")
    if len(pieces) > 1:
        places = [
            f"{lat:.2f},{lon:.2f} ({piece.length_m() / 1000:.1f} km)"
            for piece in pieces[:_MOST_PIECES]
            for lon, lat in [piece.coordinates[len(piece.coordinates) // 2]]
        ]
        more = "; ..." if len(pieces) > _MOST_PIECES else ""
        console.print(f"of {len(pieces)} pieces --near takes the nearest: {'; '.join(places)}{more}")


@commands.command(
    epilog="Example: [bold]vedette border USA MEX && "
    "vedette plan border.geojson --base 31.345,-110.93 --ground 1180 --explain[/bold]"
)
def plan(
    border_file: Annotated[
        Path,
        typer.Argument(metavar="BORDER", help="The border, or a network: GeoJSON, KML, KMZ, GeoPackage or Shapefile."),
    ],
    own_side: Annotated[
        str | None,
        typer.Option(
            help="Which side of the line is the own country, seen along it: left or right; of a ring or a polygon "
            "inside or outside. Needed where the file does not say."
        ),
    ] = None,
    layer: Annotated[str | None, typer.Option(help="Which layer of a GeoPackage, where several have lines.")] = None,
    base: Annotated[str | None, typer.Option(help="LAT,LON of the base on the own side, degrees.")] = None,
    drones: Annotated[
        int | None, typer.Option(help="How many drones of the default type.", min=1, show_default="2")
    ] = None,
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
    wind: Annotated[
        str, typer.Option(help="SPEED,FROM[,GUST]: metres a second, degrees that it comes from, speed of gusts.")
    ] = "0,0",
    airspace: Annotated[
        Path | None,
        typer.Option(help="Zones and landing sites: GeoJSON, KML, KMZ, GeoPackage or Shapefile."),
    ] = None,
    airspace_layer: Annotated[
        str | None, typer.Option(help="Which layer of a GeoPackage of zones, where several have polygons or points.")
    ] = None,
    sites: Annotated[bool, typer.Option("--sites", help="Propose emergency landing sites on the terrain.")] = False,
    objective: Annotated[str, typer.Option(help="What to make small: revisit, once or risk.")] = "revisit",
    risk: Annotated[Path | None, typer.Option(help="CSV of risk by stretch and hour.")] = None,
    risk_from: Annotated[
        Path | None,
        typer.Option(
            metavar="CROSSINGS", help="Past crossings, GeoJSON, JSONL or CSV (lat, lon, time), to take risk from."
        ),
    ] = None,
    risk_zone: Annotated[
        str | None,
        typer.Option(help="Time zone of the hours of risk: Europe/Zurich, +02:00; that of --start without."),
    ] = None,
    shift: Annotated[float, typer.Option(help="Length of the schedule, hours.")] = 8.0,
    hour: Annotated[float, typer.Option(help="Hour of the day at which it begins, 0 to 24, for --risk.")] = 0.0,
    start: Annotated[
        str | None,
        typer.Option(help="Date and time with its zone at which it begins, instead of --hour: 2027-03-28T00:30+01:00."),
    ] = None,
    dialect: Annotated[str, typer.Option(help="ardupilot or px4, for the mission files.")] = "ardupilot",
    explain: Annotated[bool, typer.Option("--explain", help="Say what limits the plan, and what would help.")] = False,
    out: Annotated[Path, typer.Option(help="Folder for the plan, mission files and map.")] = Path("runs/plan"),
) -> None:
    """Plan a patrol: sorties, schedule, mission files for ground stations, a map."""
    import missions  # noqa: PLC0415 - as above
    from cli.planning import (  # noqa: PLC0415 - names of the command
        changes_table,
        flights_table,
        plan_options,
        plan_table,
        seen_table,
        validation_table,
    )

    _refuse_first_of(
        {
            "--fleet says who flies from where: leave --base and --drones out": fleet and (base or drones),
            "--terrain has the elevations: leave --ground out": terrain and ground is not None,
            "--airspace-layer names a layer of zones: give --airspace with it": airspace_layer and not airspace,
            "--risk-zone says of which zone the hours of risk are: give --risk or --risk-from with it": (
                risk_zone and not (risk or risk_from)
            ),
        }
    )
    check_folder(out, "--out")
    figures = numbers(wind, "SPEED,FROM,GUST" if wind.count(",") > 1 else "SPEED,FROM", "--wind")
    with of_option("--wind", wind):
        air = missions.Wind(*figures)
    land = _land(ground, terrain)
    options = plan_options(
        settings or [],
        wind=air,
        objective=_objective(objective),
        shift_s=within(shift, *_SHIFT_H, "--shift", "hours") * 3600,
        shift_hour=within(hour, 0, 24, "--hour", "an hour of the day"),
        shift_start=_start(start, hour),
    )
    zones = missions.read_airspace(airspace, layer=airspace_layer) if airspace else None
    table = missions.read_risk(risk, risk_zone or "") if risk else None
    crew = _fleet(base, drones or 2, fleet)
    what = missions.read_patrolled(border_file, own_side, layer=layer)
    told: tuple[str, ...] = ()
    if risk_from is not None:
        past = missions.read_past_crossings(risk_from)
        table, told = missions.risk_of_past(what, past, risk_zone or "", start or "", beside=table)
    made = missions.plan_patrolled(what, crew, land, options, airspace=zones, risk=table)
    told += made.notes
    if sites:
        proposal = missions.propose_landing_sites(made, land or geo.FlatTerrain())
        made, told = missions.with_landing_sites(made, proposal.sites), (*told, *proposal.notes)
    written = missions.write_plan_folder(made, out, dialect_of(dialect), land)
    console.print(plan_table(made))
    console.print(flights_table(made))
    console.print(seen_table(made.coverage))
    # A sortie that no lawful fence holds has no files: the command does all the rest, and fails in the end.
    paths = [path for sortie in made.sorties if (path := out / f"{sortie.name}.plan") in written]
    files = [missions.read_qgc_plan(path) for path in paths]
    # The plan was validated when it was written; missions once more, as they lie in their files.
    of_files = missions.validate_missions(made, files).rules
    named = {rule.name for rule in of_files}
    of_plan = [rule for rule in missions.read_report(out / "validation.json").rules if rule.name not in named]
    console.print(validation_table(missions.Validation((*of_plan, *of_files))))
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
    _fail_for_bare(made, written, out)


def _fail_for_bare(made: missions.PatrolPlan, written: tuple[Path, ...], out: Path) -> None:
    """End with exit code 1 where a sortie has no mission files: what was written is not the whole patrol."""
    bare = [sortie.name for sortie in made.sorties if out / f"{sortie.name}.plan" not in written]
    if bare:
        complaints.print(
            f"not written: {', '.join(bare)}: no lawful fence holds {'it' if len(bare) == 1 else 'them'}: "
            f"{out}/not-written.txt says why",
            markup=False,
            soft_wrap=True,
        )
        raise typer.Exit(1)


def _fleet(base: str | None, drones: int, path: Path | None) -> missions.Fleet:
    """The fleet of a file, or drones of the default type at one base."""
    import missions  # noqa: PLC0415 - as above

    if path is not None:
        return missions.read_fleet(path)
    if base is None:
        raise InputError("nowhere to take off from: give --base LAT,LON, or --fleet FILE")
    lat, lon = numbers(base, "LAT,LON", "--base")
    with of_option("--base", base):
        return missions.default_fleet(missions.Base("base", lat, lon), drones)


def _refuse_first_of(wrong: dict[str, object]) -> None:
    """Refuse a call by the first of some sentences that is true of it."""
    for sentence, true in wrong.items():
        if true:
            raise InputError(sentence)


def _land(ground: float | None, terrain: Path | None) -> geo.Terrain | None:
    """The ground to plan over, where anything is said of it."""
    if terrain is not None:
        return geo.open_terrain(terrain)
    return None if ground is None else geo.FlatTerrain(within(ground, *_GROUND_M, "--ground", "metres"))


def _objective(name: str) -> missions.Objective:
    """The objective that --objective names."""
    import missions  # noqa: PLC0415 - as above

    if name not in set(missions.Objective):
        raise InputError(f"--objective {name!r}: give one of {', '.join(missions.Objective)}")
    return missions.Objective(name)


def _start(start: str | None, hour: float) -> str:
    """The date and time of --start, beside which there is no --hour."""
    from missions.clock import moment_of  # noqa: PLC0415 - as above

    if start is None:
        return ""
    moment_of(start, "--start")
    if hour:
        raise InputError("--start says the hour as well: leave --hour out")
    return start


@commands.command(
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
    report: Annotated[Path | None, typer.Option(help="Report of vedette fly or patrol, instead of --sortie.")] = None,
    terrain: Annotated[Path | None, typer.Option(help="The terrain that the plan was made over, if any.")] = None,
    overlap: Annotated[float, typer.Option(help="What is flown again before that place, m.")] = 50.0,
    dialect: Annotated[str, typer.Option(help="ardupilot or px4, for items and mission files.")] = "ardupilot",
    out: Annotated[Path, typer.Option(help="Folder for the plan, mission files and map.")] = Path("runs/resume"),
) -> None:
    """Plan the rest of a patrol that broke off, camera and speed commands included."""
    import missions  # noqa: PLC0415 - as above
    from cli.planning import flights_table, plan_table, validation_table  # noqa: PLC0415 - names of the command

    if (sortie is None) == (report is None):
        raise InputError("say what broke off: give either --sortie NAME with --item or --at, or --report FILE")
    if report is not None and (item, at, battery, landed) != (None, None, None, False):
        raise InputError("--report says how far each sortie got: leave --item, --at, --battery and --landed out")
    check_folder(out, "--out")
    before = missions.load_plan(plan_file)
    finished = tuple(done or ())
    if report is not None:
        import autopilot  # noqa: PLC0415 - pymavlink takes half a second to load

        progress, flown = autopilot.unfinished(before, report, dialect_of(dialect))
        finished += flown
    else:
        place = None
        if at is not None:
            lat, lon = numbers(at, "LAT,LON", "--at")
            place = (lat, lon)
        if sortie not in {one.name for one in before.sorties}:
            raise InputError(
                f"--sortie {sortie!r}: the plan has none of that name: give one of "
                f"{', '.join(one.name for one in before.sorties)}"
            )
        if not landed and battery is None:
            raise InputError(f"{sortie} is in the air: give --battery, the share of it that is left, or --landed")
        progress = (missions.Progress(str(sortie), item, place, battery, airborne=not landed),)
    land = None if terrain is None else geo.open_terrain(terrain)
    made = missions.resume(before, progress, land, done=finished, dialect=dialect_of(dialect), overlap_m=overlap)
    written = missions.write_plan_folder(made, out, dialect_of(dialect), land)
    console.print(plan_table(made))
    console.print(flights_table(made))
    console.print(validation_table(missions.validate(made, land)))
    for note in made.notes:
        console.print(f"note: {note}", markup=False)
    console.print(f"written to {out}/")
    _fail_for_bare(made, written, out)


@commands.command(
    epilog="Example: [bold]vedette intents runs/plan/plan.json --start 2027-03-01T06:00+00:00 --geoid=-28.3,2[/bold] "
    "(after the example of [bold]vedette plan[/bold])"
)
def intents(
    plan_file: Annotated[Path, typer.Argument(metavar="PLAN", help="plan.json.")],
    geoid: Annotated[str, typer.Option(help="HEIGHT,UNCERTAINTY of the geoid above WGS 84 here, m.")],
    start: Annotated[
        str | None,
        typer.Option(
            help="When the shift begins: date and time with its zone, ISO 8601; without, as the plan says where it "
            "was made with --start."
        ),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="Any margin of the volumes: across_m=15, early_s=60 ..."),
    ] = None,
    out: Annotated[Path, typer.Option(help="JSON file to write.")] = Path("intents.json"),
) -> None:
    """Write the operational intents (ASTM F3548-21) of every flight of a plan, as a USS is given them."""
    import missions  # noqa: PLC0415 - as above
    from cli.planning import intent_margins  # noqa: PLC0415 - names of the command

    height, uncertainty = numbers(geoid, "HEIGHT,UNCERTAINTY", "--geoid")
    with of_option("--geoid", geoid):
        level = missions.Geoid(height, uncertainty)
    check_file(out, "--out")
    made = missions.load_plan(plan_file)
    begin = _begin(made.options.shift_start, start)
    margins = intent_margins(settings or [])
    written = missions.write_operational_intents(made, out, begin, level, margins)
    volumes = sum(len(intent.details.volumes or ()) for intent in written)
    console.print(f"{len(written)} flights, {volumes} volumes -> {out}")


def _begin(planned: str, start: str | None) -> datetime:
    """When a shift begins: as its plan says, or --start; they may not differ."""
    from missions.clock import moment_of  # noqa: PLC0415 - as above

    given = None if start is None else moment_of(start, "--start")
    if not planned:
        if given is None:
            raise InputError("the plan does not say when its shift begins: give --start with date, time and zone")
        return given
    begin = moment_of(planned, "the start of the shift in the plan")
    if given is not None and given != begin:
        raise InputError(
            f"--start {start!r} is not when the shift of the plan begins, {planned}: leave it out, or plan again with "
            "that --start"
        )
    return begin
