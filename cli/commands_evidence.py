"""`vedette evidence`: folders of evidence checked, and redacted copies for sharing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.arguments import InputError
from cli.terminal import console

if TYPE_CHECKING:
    import vision

__all__ = ["commands"]

commands = typer.Typer(
    help="Check evidence, and make redacted copies of it.",
    epilog="Example: [bold]vedette evidence verify runs/watch/evidence/ID[/bold]",
    no_args_is_help=True,
)
_Folder = Annotated[Path, typer.Argument(metavar="FOLDER", help="A folder of evidence.", exists=True, file_okay=False)]


@commands.command(epilog="Example: [bold]vedette evidence verify runs/watch/evidence/ID[/bold]")
def verify(folder: _Folder) -> None:
    """Say whether anything in a folder of evidence was changed."""
    import vision  # noqa: PLC0415 - OpenCV takes a while to load

    problems = vision.verify_evidence(folder)
    if problems:
        raise InputError(f"{folder}: {'; '.join(problems)}")
    console.print(f"{folder}: whole")


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


def _detector(model: Path | None) -> vision.Detector | None:
    """The one that was asked for, down to faint boxes."""
    import vision  # noqa: PLC0415 - as above

    if model is None:
        return None
    return vision.Detector(vision.find_model(model), confidence=vision.TrackerSettings().low_score)
