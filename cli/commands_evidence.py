"""`vedette evidence`: folders of evidence checked, and redacted copies for sharing."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.arguments import InputError
from cli.terminal import console

__all__ = ["commands"]

commands = typer.Typer(
    help="Check evidence, and make redacted copies of it.",
    epilog="Example: [bold]vedette evidence verify runs/watch/evidence/ID[/bold]",
    no_args_is_help=True,
)
_Folder = Annotated[Path, typer.Argument(metavar="FOLDER", help="A folder of evidence.", exists=True, file_okay=False)]


@commands.command(epilog="Example: [bold]vedette evidence verify runs/watch/evidence/ID --signed-by PUBLIC.pem[/bold]")
def verify(
    folder: _Folder,
    signed_by: Annotated[
        Path | None, typer.Option(help="Ed25519 public key (PEM) of who has to have signed it.")
    ] = None,
    recording: Annotated[Path | None, typer.Option(help="Recording that the clip has to have been cut from.")] = None,
) -> None:
    """Say whether anything in a folder of evidence was changed, and whether it is signed."""
    import vision  # noqa: PLC0415 - OpenCV takes a while to load
    from cli.keys import public_key  # noqa: PLC0415 - seldom needed

    if not (folder / vision.MANIFEST).exists() and any(folder.glob(f"*/{vision.MANIFEST}")):
        raise InputError(f"{folder}: holds folders of evidence and is none: give one of them")
    key = None if signed_by is None else public_key(signed_by, "--signed-by")
    problems = vision.verify_evidence(folder, public_key=key, source_file=recording)
    if problems:
        raise InputError(f"{folder}: {'; '.join(problems)}")
    signed = (folder / vision.SIGNATURE).exists()
    who = f"by the key in {signed_by}" if signed_by is not None else "by a key that was not asked for (--signed-by)"
    console.print(f"{folder}: whole, {'signed ' + who if signed else 'not signed'}", markup=False, soft_wrap=True)


@commands.command(
    epilog="Example: [bold]vedette evidence redact runs/watch/evidence/ID --keep 3 --out shared/ID[/bold]"
)
def redact(
    folder: _Folder,
    out: Annotated[Path, typer.Option(help="Folder of the copy; new.")],
    keep: Annotated[list[int] | None, typer.Option(help="Track that stays visible; again for more.")] = None,
    everybody: Annotated[bool, typer.Option("--all", help="Blur everybody.")] = False,
    telemetry: Annotated[bool, typer.Option("--telemetry", help="The KLV file goes along.")] = False,
    hold: Annotated[float, typer.Option(help="Seconds to blur before and after a sighting.", min=0.0)] = 0.5,
    key: Annotated[Path | None, typer.Option(help="Ed25519 private key (PEM) that signs the copy.")] = None,
    model: Annotated[Path | None, typer.Option(help="ONNX detector; else the one that ships for the sensor.")] = None,
) -> None:
    """Copy evidence with everybody blurred, except the tracks concerned."""
    import vision  # noqa: PLC0415 - inference engines take a second to load
    from cli.keys import private_key  # noqa: PLC0415 - seldom needed

    if bool(keep) == everybody:
        raise InputError("redact: give --keep TRACK for those who stay visible, or --all, and not both")
    done = vision.redact_evidence(
        folder,
        out,
        None
        if model is None
        else vision.Detector(vision.find_model(model), confidence=vision.TrackerSettings().low_score),
        keep=keep or (),
        telemetry=telemetry,
        key=None if key is None else private_key(key, "--key"),
        settings=vision.RedactionSettings(hold_s=hold),
    )
    console.print(f"{done.pictures} pictures, {done.whole} of them blurred whole -> {done.folder}")
