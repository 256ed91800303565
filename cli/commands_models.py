"""`vedette models`: which detectors there are, whether they can be used, and others from elsewhere."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from cli.arguments import InputError
from cli.terminal import bars, console

if TYPE_CHECKING:
    import vision

__all__ = ["commands"]

commands = typer.Typer(
    help="List detectors, check them, and fetch others.",
    epilog="Example: [bold]vedette models list[/bold]",
    no_args_is_help=True,
)
_Folder = Annotated[
    Path | None, typer.Option(help="Folder of your models; else $VEDETTE_MODELS, else in your data folder.")
]


@commands.command("list", epilog="Example: [bold]vedette models list --json[/bold]")
def list_(
    folder: _Folder = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs, with whole hashes.")] = False,
) -> None:
    """Show the detectors that ship and those in your folder, with figures from images held out."""
    import vision  # noqa: PLC0415 - inference engines take a second to load

    found = [_told(one) for one in vision.list_models(folder)]
    if as_json:
        typer.echo(json.dumps(found, indent=1))
        return
    for one in found:
        table = Table(title=one["name"], title_justify="left", title_style="bold", show_header=False, show_edge=False)
        table.add_column(no_wrap=True)
        table.add_column(overflow="fold")
        for label, value in one.items():
            if label == "figures":
                for figure in value:
                    told = "{class}: AP50 {ap50:.3f} ({objects} objects, {px} px; {images})".format(**figure)
                    table.add_row("held out", told)
            elif label != "name" and value is not None:
                table.add_row(label, ", ".join(value) if isinstance(value, list) else str(value))
        console.print(table, markup=False)
    console.print(f"yours are in {folder or vision.default_model_dir()}", markup=False, soft_wrap=True)


@commands.command(epilog="Example: [bold]vedette models check detector.onnx[/bold]")
def check(model: Annotated[str, typer.Argument(help="ONNX file, or a name of the list.")]) -> None:
    """Open a detector with every engine, run a picture, and compare what they say."""
    import vision  # noqa: PLC0415 - inference engines take a second to load

    done = vision.check_model(vision.find_model(model))
    console.print(f"sha256 {done.file.sha256}", markup=False, soft_wrap=True)
    kinds = ", ".join(f"{name} as {kind}" for name, kind in done.kinds.items() if kind)
    console.print(f"{len(done.kinds)} classes, reported: {kinds or 'none'}", markup=False)
    for engine in done.engines:
        console.print(
            f"{engine.engine}: {list(engine.input_shape)} -> {list(engine.output_shape)}, "
            f"{engine.milliseconds:.0f} ms on one thread",
            markup=False,
        )
    if done.box_px is not None:
        console.print(f"engines differ by {done.box_px:.2g} px in a box and {done.score:.2g} in a score")
    if done.problems:
        raise InputError(f"{done.file.path}: {'; '.join(done.problems)}")
    console.print(f"{done.file.path}: can be used", markup=False)


@commands.command(
    epilog="Example: [bold]vedette models fetch https://models.example.org/desert.onnx --sha256 HEX[/bold], then "
    "[bold]vedette watch video.ts --model desert --border border.geojson[/bold]"
)
def fetch(
    what: Annotated[str, typer.Argument(metavar="NAME|URL", help="A name of a table, or an https or file URL.")],
    sha256: Annotated[str | None, typer.Option(help="SHA-256 of the file; needed with a URL.")] = None,
    name: Annotated[str | None, typer.Option(help="Keep it under this name.")] = None,
    folder: _Folder = None,
    ca: Annotated[Path | None, typer.Option(help="PEM of the authority of the server, where not a public one.")] = None,
    most: Annotated[float, typer.Option(help="Most megabytes.", min=0.001)] = 500.0,
) -> None:
    """Fetch a detector whose hash is known; any other is refused and not kept."""
    import vision  # noqa: PLC0415 - inference engines take a second to load

    with bars() as progress:
        task = progress.add_task("fetch", total=None)
        path = vision.fetch_model(
            what,
            sha256=sha256,
            name=name,
            folder=folder,
            ca=ca,
            limits=vision.FetchLimits(size=round(most * 1e6)),
            progress=lambda done, total: progress.update(task, completed=done, total=total),
        )
    console.print(f"{path.stem} -> {path}; check it with: vedette models check {path}", markup=False, soft_wrap=True)


def _told(one: vision.ListedModel) -> dict[str, Any]:
    """A model in words; None for what nothing tells."""
    about = one.file.about if one.file else {}
    entry = one.entry
    return {
        "name": one.path.stem,
        "from": "shipped" if one.shipped else "yours",
        "problem": one.problem,
        "classes": None if one.file is None else list(one.file.names.values()),
        "input": None if one.file is None else f"{one.file.image_size} px, multiples of {one.file.stride}",
        "sensor": (entry and entry.sensor) or about.get("sensor"),
        "licence": about.get("licence") or about.get("license"),
        "trained on": about.get("data"),
        "date": about.get("date"),
        "sha256": one.file.sha256 if one.file else None,
        "note": entry and entry.note,
        "figures": [dict(figure) for figure in entry.figures] if entry else [],
        "path": str(one.path),
    }
