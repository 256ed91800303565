"""Commands around all others: the whole loop at once, the service, what is installed."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.arguments import numbers
from cli.terminal import console

__all__ = ["commands"]

commands = typer.Typer()
_DEMO = Path("runs/demo")
Database = Annotated[
    str | None,
    typer.Option(
        help="PostgreSQL in place of the folder's SQLite: postgresql://user@host/name.", envvar="VEDETTE_DATABASE"
    ),
]


@commands.command(
    epilog="Example: [bold]vedette demo[/bold], or [bold]vedette demo --own ITA --neighbour CHE --ground 1500[/bold]"
)
def demo(
    out: Annotated[Path, typer.Option(help="Folder of the results.")] = _DEMO,
    own: Annotated[str, typer.Option(help="Own country: ISO code or name.")] = "USA",
    neighbour: Annotated[str, typer.Option(help="The country on the far side.")] = "MEX",
    near: Annotated[str | None, typer.Option(help="LAT,LON of the middle of the stretch, degrees.")] = None,
    length: Annotated[float, typer.Option(help="Length of the stretch, km.")] = 40.0,
    ground: Annotated[float, typer.Option(help="Elevation of the level ground, m AMSL.")] = 1180.0,
    seed: Annotated[int, typer.Option(help="Same seed, same plan and same crossings.")] = 7,
    windows: Annotated[int, typer.Option(help="Recordings to make.", min=1)] = 16,
    crossings: Annotated[int, typer.Option(help="Crossings that happen in them.", min=1)] = 10,
    serve: Annotated[bool, typer.Option("--serve", help="Then show it in the console, until Ctrl-C.")] = False,
    show: Annotated[
        bool, typer.Option("--show", help="Show an earlier run of --out in the console, without running anew.")
    ] = False,
    port: Annotated[int, typer.Option(help="Of the console.")] = 8470,
) -> None:
    """Run the whole loop once: plan, fly, film, find crossings, review, release, report."""
    from cli.demo import demonstrate  # noqa: PLC0415 - loads everything
    from cli.demo_show import show_demo  # noqa: PLC0415
    from cli.outcome import DemoSettings  # noqa: PLC0415
    from cli.report import outcome_table  # noqa: PLC0415

    if show:
        show_demo(out, port)
        return
    about = None
    if near is not None:
        lat, lon = numbers(near, "LAT,LON", "--near")
        about = (lat, lon)
    settings = DemoSettings(
        out,
        own=own,
        neighbour=neighbour,
        near=about,
        length_m=length * 1000,
        ground_amsl_m=ground,
        seed=seed,
        windows=windows,
        crossings=crossings,
    )
    outcome = demonstrate(settings)
    console.print(outcome_table(outcome))
    console.print(f"report:  {out}/report.html", markup=False, soft_wrap=True)
    if serve:
        show_demo(out, port)
    else:
        console.print(f"console: {_again(out)}", markup=False, soft_wrap=True)


def _again(out: Path) -> str:
    """What to type to see a run in the console: the command as it was typed now, for the folder of that run."""
    given = [] if out == _DEMO else ["--out", str(out)]
    return shlex.join([sys.argv[0], "demo", *given, "--show"])


@commands.command(epilog="Example: [bold]vedette doctor[/bold]")
def doctor() -> None:
    """Say what is installed, what is missing, and what each missing thing would give."""
    from cli.doctor import examine  # noqa: PLC0415 - loads what it examines

    if not examine(console):
        raise typer.Exit(1)


@commands.command(epilog="Example: [bold]vedette serve --store runs/store[/bold]")
def serve(
    store: Annotated[Path, typer.Option(help="Folder of the store; made when absent.")] = Path("runs/store"),
    settings_file: Annotated[
        Path | None, typer.Option("--settings", help="TOML file with more settings; options here count before it.")
    ] = None,
    database: Database = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on; 127.0.0.1 when nothing says.")] = None,
    port: Annotated[int | None, typer.Option(help="Port; 0 takes a free one, 8470 when nothing says.")] = None,
    certificate: Annotated[Path | None, typer.Option(help="TLS certificate, PEM; needed beyond this machine.")] = None,
    private_key: Annotated[Path | None, typer.Option(help="TLS key, PEM.")] = None,
    objects: Annotated[str | None, typer.Option(help="URL of the store of objects; else a folder beside.")] = None,
    audit_key: Annotated[Path | None, typer.Option(help="Ed25519 key (PEM) that signs heads of the audit.")] = None,
    audit_heads: Annotated[
        str | None, typer.Option(help="Where to keep them, best on another machine: a file, or a URL.")
    ] = None,
    clock_is_right: Annotated[
        bool, typer.Option("--clock-is-right", help="It is, although the store was written at another time.")
    ] = False,
    opentelemetry: Annotated[bool, typer.Option("--opentelemetry", help="Tell requests to OpenTelemetry.")] = False,
) -> None:
    """Serve crossings, review and release over HTTP."""
    import api  # noqa: PLC0415 - the service takes a second to load
    from cli import keys  # noqa: PLC0415 - seldom needed

    given = {
        "database": database,
        "host": host,
        "port": port,
        "tls_certificate": certificate,
        "tls_key": private_key,
        "objects": objects,
        "clock_is_right": clock_is_right or None,
        "opentelemetry": opentelemetry or None,
    }
    said: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    if audit_key is not None or audit_heads is not None:
        signing = None if audit_key is None else keys.private_key(audit_key, "--audit-key")
        said["heads"] = api.HeadSettings(signing, audit_heads)
    settings = (
        api.Settings(store, **said)
        if settings_file is None
        else api.read_settings(settings_file, directory=store, **said)
    )
    api.serve(settings, announce=lambda text: console.print(text, markup=False, soft_wrap=True))


@commands.command(epilog="Example: [bold]vedette migrate --store runs/store[/bold]")
def migrate(
    store: Annotated[Path, typer.Option(help="Folder of the store.")] = Path("runs/store"),
    database: Database = None,
) -> None:
    """Bring a store of an older program to what this one needs. Stop the service and keep a copy first."""
    import api  # noqa: PLC0415 - the service takes a second to load

    before, after = api.migrate_store(store, database=database)
    console.print(f"schema {before} -> {after}" if before != after else f"schema {after} already", markup=False)
