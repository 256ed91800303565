"""`vedette audit`: the chain of who read or changed what, checked and copied without the service."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.arguments import InputError
from cli.terminal import complaints, console

if TYPE_CHECKING:
    import api

__all__ = ["commands"]

BROKEN = 3

commands = typer.Typer(
    help="Check the audit, and copy it.",
    epilog="Example: [bold]vedette audit verify --store runs/store --heads heads.jsonl --public-key heads.pem[/bold]",
    no_args_is_help=True,
)
_Store = Annotated[Path | None, typer.Option(help="Folder of a store.")]
_Database = Annotated[
    str | None, typer.Option(help="URL of the database, where it is not in the folder; else of VEDETTE_DATABASE.")
]


@commands.command(epilog="Example: [bold]vedette audit verify --store runs/store[/bold]")
def verify(
    store: _Store = None,
    database: _Database = None,
    export: Annotated[Path | None, typer.Option(help="File of [bold]vedette audit export[/bold] instead.")] = None,
    heads: Annotated[
        list[str] | None, typer.Option(help="Signed heads kept elsewhere: a file, or a URL; again for more.")
    ] = None,
    public_key: Annotated[
        list[Path] | None, typer.Option(help="Ed25519 public key (PEM) that may have signed them; again for more.")
    ] = None,
) -> None:
    """Recompute the whole chain: 0 it is whole, 3 it is broken (the first bad entry is named), 1 it cannot be read."""
    import api  # noqa: PLC0415 - the service takes a second to load
    from cli.keys import public_key as load  # noqa: PLC0415 - seldom needed

    keys = None if not public_key else [load(path, "--public-key") for path in public_key]
    try:
        noted = [head for where in heads or () for head in api.read_signed_heads(where, keys)]
        where = _where(store, database, export)
        with _chain(where, of_export=export is not None) as (head, found):
            last = api.verify_with_heads(found, head, noted)
    except api.AuditTamperedError as error:
        complaints.print(f"vedette: {error}", style="red", markup=False, highlight=False, soft_wrap=True)
        raise typer.Exit(BROKEN) from error
    said = f"whole: {last.seq} entries, the newest is {last.hash}, in {api.place_named(where)}"
    console.print(said, markup=False, soft_wrap=True)
    if noted:
        newest = max(noted, key=lambda each: each.seq)
        console.print(
            f"fits {len(noted)} signed heads, the newest of {newest.time} at entry {newest.seq}", markup=False
        )
    if noted and keys is None:
        signers = ", ".join(sorted({each.key for each in noted}))
        console.print(f"signed with {signers}: give --public-key to prove that it is yours", markup=False)


@commands.command(epilog="Example: [bold]vedette audit export --store runs/store audit.ndjson[/bold]")
def export(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What to write: one entry a line.")],
    store: _Store = None,
    database: _Database = None,
) -> None:
    """Copy the chain to a file that anybody can check without the service."""
    import api  # noqa: PLC0415 - as above

    where = _where(store, database, None)
    with _chain(where, of_export=False) as (head, found):
        last = api.write_chain(found, head, file)
    console.print(f"{last.seq} entries of {api.place_named(where)} -> {file}", markup=False, soft_wrap=True)


def _where(store: Path | None, database: str | None, export: Path | None) -> Path | str:
    """Where the options say that the chain is."""
    import api  # noqa: PLC0415 - as above

    if export is not None:
        if store is not None or database is not None:
            raise InputError("audit: --export is checked by itself: leave --store and --database out")
        return export
    elsewhere = os.environ.get("VEDETTE_DATABASE")
    if database is None and elsewhere and store is not None and api.holds_chain(store):
        raise InputError(
            f"audit: {store} holds a database, and VEDETTE_DATABASE names another: unset that, or leave --store out"
        )
    where = database or elsewhere or store  # as every command that is given a store has it
    if where is None:
        raise InputError("audit: give one of --store, --database and --export")
    return where


def _chain(where: Path | str, *, of_export: bool) -> AbstractContextManager[tuple[api.AuditHead, Any]]:
    """The chain that is there."""
    import api  # noqa: PLC0415 - as above

    return api.chain_of_file(where) if of_export and isinstance(where, Path) else api.chain_of_database(where)
