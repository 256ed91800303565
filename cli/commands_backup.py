"""`vedette backup` and `vedette restore`: a store in one file, and a store from it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.arguments import InputError
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


@commands.command(
    epilog="Example: [bold]vedette restore backups/monday.tar --store runs/new --ledger runs/store/ledger.jsonl[/bold]"
)
def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A backup.", exists=True, dir_okay=False)],
    store: _Store = Path("runs/store"),
    database: _Database = None,
    objects: _Objects = None,
    ledger: Annotated[
        str | None, typer.Option(help="What the store took back since: its [bold]ledger.jsonl[/bold], or a URL.")
    ] = None,
    without_ledger: Annotated[
        bool, typer.Option("--without-ledger", help="There is none: what was taken back since may be there again.")
    ] = False,
) -> None:
    """Make a store from a backup, in a new folder, and take back again what had been taken back since.

    Every hash and the audit chain are checked first. Every login has ended.
    """
    import api  # noqa: PLC0415 - as above

    if (ledger is None) != without_ledger:
        raise InputError(
            "restore: what was erased, recalled, ended or revoked since the backup would be there again: "
            "give --ledger, or --without-ledger where it is lost, and not both"
        )
    done = api.restore(file, store if database is None else database, ledger=ledger, objects=objects, directory=store)
    console.print(
        f"{done.objects} objects, audit whole to entry {done.audit.seq} -> {store}", markup=False, soft_wrap=True
    )
    for kind, count in sorted(done.again.counts.items()):
        console.print(f"again {kind}: {count}", markup=False)
    if ledger is None:
        console.print("what was erased, recalled, ended or revoked since the backup may be there again", markup=False)
    if done.again.admin is not None:
        console.print(f"no administrator was left; a new key (shown once): {done.again.admin.key}", markup=False)
