"""``python -m bench ROOM --json FILE [--data DIR] [--only NAME]``: one table, and the same rows as JSON."""

from __future__ import annotations

import importlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from bench.rows import BenchError, Row
from geo import VedetteError, write_text

ROOMS = {
    "geo": "look-ups and frames against pyproj and rasterio-style peers",
    "planner": "revisit interval against its bound and against a general solver",
    "link": "mission upload beside pymavlink and MAVSDK, telemetry of a large fleet",
    "sim": "simulated seconds a second",
    "vision": "frames a second beside the bare model",
    "api": "asking and taking in beside ready bytes, SQL by hand and bare commits",
    "console": "frames while the map is dragged beside an empty one, the first view, what is loaded",
}


def measure(
    room: Annotated[str, typer.Argument(help=f"One of {', '.join(ROOMS)}.")],
    json_file: Annotated[Path, typer.Option("--json", help="Where the rows go as JSON.")],
    data: Annotated[Path | None, typer.Option(help="Inputs that replace the bundled ones.")] = None,
    only: Annotated[str | None, typer.Option(help="One row or one measurement by name.")] = None,
) -> None:
    """Measure one room beside its peers."""
    try:
        rows = _measure(room, data, only)
    except VedetteError as error:
        Console(stderr=True).print(f"bench: {error}", style="red", highlight=False)
        raise typer.Exit(2) from None
    write_text(json_file, json.dumps([asdict(row) for row in rows], indent=1) + "\n")
    console = Console()
    # Where the table goes to a file there is no width to fit in.
    console.width = max(console.width, 120) if not console.is_terminal else console.width
    console.print(_table(room, rows))


def _measure(room: str, data: Path | None, only: str | None) -> list[Row]:
    if room not in ROOMS:
        raise BenchError(f"no room {room!r} to measure: give one of {', '.join(ROOMS)}")
    if data is not None and not data.is_dir():
        raise BenchError(f"--data {data} is not a folder: give the folder that holds the inputs")
    rows: list[Row] = list(importlib.import_module(f"bench.{room}").rows(data, only))
    if not rows:
        raise BenchError(f"room {room} measured nothing named {only!r}: leave --only out to see the names")
    return rows


def _table(room: str, rows: list[Row]) -> Table:
    table = Table(title=f"bench {room}")
    for heading, justify in (
        ("name", "left"), ("value", "right"), ("unit", "left"), ("peer", "left"),
        ("peer value", "right"), ("ratio", "right"), ("goal", "left"), ("met", "left"),
    ):  # fmt: skip
        table.add_column(heading, justify="right" if justify == "right" else "left")
    for row in rows:
        figures = [f"{v:.4g}" if v is not None else "" for v in (row.value, row.peer_value, row.ratio)]
        met = {True: "yes", False: "NO", None: ""}[row.met]
        table.add_row(row.name, figures[0], row.unit, row.peer, figures[1], figures[2], row.goal, met)
    return table


if __name__ == "__main__":
    typer.run(measure)
