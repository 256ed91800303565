"""Commands of video work on many machines: hand videos to workers, and be one."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from cli.arguments import InputError
from cli.terminal import console

__all__ = ["commands"]

commands = typer.Typer()
_Database = Annotated[
    str, typer.Option(help="PostgreSQL of the service: postgresql://user@host/name.", envvar="VEDETTE_DATABASE")
]


@contextmanager
def _needing_postgres() -> Iterator[None]:
    try:
        yield
    except ModuleNotFoundError as error:
        raise InputError(f"this needs {error.name}: pip install 'vedette[postgres]'") from error


@commands.command(
    epilog="Example: [bold]vedette worker --database postgresql://vedette@db/vedette --url https://vedette.example[/bold]"
)
def worker(
    database: _Database,
    url: Annotated[str, typer.Option(help="Service that crossings are delivered to.")],
    key: Annotated[str, typer.Option(help="A pilot's key.", envvar="VEDETTE_KEY")],
    concurrency: Annotated[int, typer.Option(help="Videos at once.", min=1)] = 1,
    out: Annotated[Path, typer.Option(help="Folder for evidence on its way.")] = Path("runs/worker"),
    lease: Annotated[
        float, typer.Option(help="Seconds without a sign of life after which others take up its work.", min=1)
    ] = 30.0,
    picture: Annotated[
        bool, typer.Option("--picture/--no-picture", help="Send the service a small picture of each stream a second.")
    ] = True,
    picture_blur: Annotated[bool, typer.Option(help="Blur whatever the detector finds in these pictures.")] = False,
    evidence_key: Annotated[
        Path | None, typer.Option(help="Ed25519 private key (PEM) that signs the evidence; without one nothing does.")
    ] = None,
) -> None:
    """Watch the videos that were queued, on any number of machines; what a dead worker had is taken up by another."""
    with _needing_postgres():
        from api.jobs.work import WorkOrder, work  # noqa: PLC0415 - an extra

    flags = [*([] if picture else ["--no-picture"]), *(["--picture-blur"] if picture_blur else [])]
    if evidence_key is not None:
        from cli.keys import private_key  # noqa: PLC0415 - seldom needed

        private_key(evidence_key, "--evidence-key")  # one that is none is told of now, not by every watch
        flags += ["--evidence-key", str(evidence_key.resolve())]
    order = WorkOrder(
        database, url, key, out, concurrency, lease, flags=flags, told=lambda text: console.print(text, markup=False)
    )
    asyncio.run(work(order))


@commands.command(
    epilog="Example: [bold]vedette queue archive/*.ts --option border=border.geojson --option owner=USA[/bold]"
)
def queue(
    database: _Database,
    videos: Annotated[
        list[str] | None, typer.Argument(metavar="[VIDEO...]", help="Files or addresses, as every worker reaches them.")
    ] = None,
    option: Annotated[list[str] | None, typer.Option(help="NAME=VALUE of vedette watch; again for more.")] = None,
) -> None:
    """Hand videos to the workers, each once; without any, list what is queued and what became of it."""
    import vision  # noqa: PLC0415 - inference engines take a second to load

    with _needing_postgres():
        from api.jobs.queue import add_job, list_jobs  # noqa: PLC0415 - an extra

    options = {}
    for one in option or ():
        name, equals, value = one.partition("=")
        if not equals:
            raise InputError(f"--option {one} has no value: give NAME=VALUE, as border=border.geojson")
        options[name.removeprefix("--")] = value
    for video in videos or ():
        live = vision.is_live(video)
        place = video if live else str(Path(video).resolve())
        number = add_job(database, "watch.stream" if live else "watch.archive", place, options)
        name = vision.location_name(place)
        console.print(f"{name}: {'queued already' if number is None else f'job {number}'}", markup=False)
    if not videos:
        for job in list_jobs(database):
            name = vision.location_name(job.place)
            console.print(f"{job.number:>6} {job.state:<10} {job.kind:<14} tries {job.tries} {name}", markup=False)
