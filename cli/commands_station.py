"""The command that stands by and flies what pilots send."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import geo
from cli.arguments import dialect_of
from cli.commands_fly import (
    Autopilot,
    Ceiling,
    Ground,
    KeyFile,
    Links,
    Marking,
    Owner,
    Scale,
    ServiceKey,
    Station,
    StationId,
    Wait,
)

__all__ = ["commands"]

commands = typer.Typer()


@commands.command(
    "station",
    epilog="Example: [bold]vedette station --service http://127.0.0.1:8470 --link udpin:0.0.0.0:14550 "
    "--out runs/station[/bold] (the key of a pilot, bound to the station, is in VEDETTE_KEY)",
)
def stand_by(
    link: Links,
    service: Annotated[str, typer.Option(help="Service whose pilots send plans here, and which is told all.")],
    out: Annotated[
        Path, typer.Option(help="Folder of this station; with it the same command goes on after a crash.")
    ] = Path("station"),
    key: ServiceKey = None,
    station: Station = "ground-station",
    plan: Annotated[
        Path | None,
        typer.Option(help="plan.json whose fleet the vehicles are, for their names before the first flight."),
    ] = None,
    speedup: Scale = 1.0,
    dialect: Autopilot = "ardupilot",
    ceiling: Ceiling = None,
    wait: Wait = 15.0,
    log: Annotated[bool, typer.Option("--log", help="Keep a .tlog and a .parquet of each sortie.")] = False,
    gcs_id: StationId = 255,
    signing_key: KeyFile = None,
    terrain: Ground = None,
    owner: Owner = "unknown",
    marking: Marking = None,
) -> None:
    """Stand by with vehicles, and fly the plans that pilots send from the service."""
    import autopilot  # noqa: PLC0415 - pymavlink takes half a second to load
    import missions  # noqa: PLC0415 - as above
    from cli.live import service_options  # noqa: PLC0415
    from cli.patrol import GroundStation  # noqa: PLC0415
    from cli.signing import signing_of  # noqa: PLC0415
    from cli.station import keep_station  # noqa: PLC0415

    live = service_options(service, key, station, owner, marking)
    ground = GroundStation(
        dialect=dialect_of(dialect),
        speedup=speedup,
        limits=autopilot.FlightLimits(ceiling_m=ceiling, connect_s=wait),
        system_id=gcs_id,
        signing=signing_of(signing_key),
        terrain=None if terrain is None else geo.open_terrain(terrain),
        live=live,
    )
    keep_station(link, ground, live, out, logs=log, known=None if plan is None else missions.load_plan(plan))
