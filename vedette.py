"""The command line. Each command is a few lines over one package; they are kept by subject in ``cli``."""

from __future__ import annotations

import sys

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
    commands_watch,
    commands_worker,
)
from cli.terminal import complaints
from geo import VedetteError

app = typer.Typer(
    name="vedette",
    help="Watch a border from the air under law: plan, fly, find crossings, judge them, share what may be shared.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
for part in (
    commands_service,
    commands_backup,
    commands_plan,
    commands_fly,
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


def main() -> None:
    """Run a command; anything refused is one line on standard error and an exit code that is not zero."""
    try:
        app()  # what is wrong with the call itself it says by itself, and ends
    except VedetteError as error:
        complaints.print(f"vedette: {error}", style="red", markup=False, highlight=False, soft_wrap=True)
        code = 1
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        complaints.print(f"vedette: {where}{error.strerror or error}", style="red", markup=False, soft_wrap=True)
        code = 1
    except KeyboardInterrupt:
        code = 130
    else:
        code = 0
    sys.exit(code)


if __name__ == "__main__":
    main()
