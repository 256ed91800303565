"""`vedette backup` and `vedette restore`: a store in one file, and a store from it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.terminal import console

__all__ = ["commands"]

commands = typer.Typer()
_Store = Annotated[Path, typer.Option(help="Folder of the store.")]
_Database = Annotated[str | None, typer.Option(help="URL of its database, where that is not in the folder.")]
_Objects = Annotated[str | None, typer.Option(help="URL of its objects, where they are not in the folder.")]


@commands.command(epilog="Example: [bold]vedette backup --store runs/store backups/monday.tar[/bold]")
def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What to write; new.")],
    store: _Store = Path("runs/store"),
    database: _Database = None,
    objects: _Objects = None,
) -> None:
    """Copy a store, which may be in use, into one file: database, objects, and the hash of each."""
    import api  # noqa: PLC0415 - the service takes a second to load

    done = api.backup(store if database is None else database, file, objects=objects, directory=store)
    console.print(
        f"{done.objects} objects ({done.object_bytes / 1e6:.1f} MB), audit to entry {done.audit.seq} -> {file}",
        markup=False,
        soft_wrap=True,
    )


@commands.command(epilog="Example: [bold]vedette restore backups/monday.tar --store runs/store[/bold]")
def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A backup.", exists=True, dir_okay=False)],
    store: _Store = Path("runs/store"),
    database: _Database = None,
    objects: _Objects = None,
) -> None:
    """Make a store from a backup, in a new folder; every hash and the audit chain are checked first."""
    import api  # noqa: PLC0415 - as above

    done = api.restore(file, store if database is None else database, objects=objects, directory=store)
    console.print(
        f"{done.objects} objects, audit whole to entry {done.audit.seq} -> {store}", markup=False, soft_wrap=True
    )
