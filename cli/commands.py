"""All commands as one application: they are kept by subject, and each is a few lines over one package."""

from __future__ import annotations

from importlib import metadata
from typing import Annotated

import typer

from cli import (
    commands_audit,
    commands_backup,
    commands_calibrate,
    commands_dataset,
    commands_evaluate,
    commands_evidence,
    commands_exercise,
    commands_fly,
    commands_models,
    commands_plan,
    commands_service,
    commands_station,
    commands_watch,
    commands_worker,
)

__all__ = ["app"]

app = typer.Typer(
    name="vedette",
    help="Watch a border from the air under law: plan, fly, find crossings, judge them, share what may be shared.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)


def _tell_version(asked: bool) -> None:
    if asked:
        typer.echo(f"vedette {metadata.version('vedette')}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_tell_version, is_eager=True, help="Say which version this is.")
    ] = False,
) -> None: ...


for part in (
    commands_service,
    commands_backup,
    commands_plan,
    commands_fly,
    commands_station,
    commands_watch,
    commands_worker,
    commands_calibrate,
    commands_evaluate,
    commands_dataset,
):
    app.add_typer(part.commands)
app.add_typer(commands_exercise.commands, name="exercise")
app.add_typer(commands_audit.commands, name="audit")
app.add_typer(commands_evidence.commands, name="evidence")
app.add_typer(commands_models.commands, name="models")
