"""`vedette dataset`: what people judged, as pictures to train on."""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.arguments import InputError
from cli.terminal import complaints, console

if TYPE_CHECKING:
    import api
    import vision

__all__ = ["commands"]

commands = typer.Typer()


@commands.command(
    epilog="Example: [bold]vedette dataset runs/watch/evidence --reviews verdicts.csv --out data/reviewed[/bold], then "
    "[bold]vedette train data --reviewed data/reviewed --weights yolo11n.pt --sensor thermal[/bold]"
)
def dataset(
    out: Annotated[Path, typer.Option(help="Folder of the data set; new.")],
    evidence: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[EVIDENCE_DIR...]", help="Evidence, or folders of it; else what --service has of it."),
    ] = None,
    reviews: Annotated[
        Path | None, typer.Option(help="Verdicts: CSV with crossing,verdict, perhaps kind,reason; or JSON.")
    ] = None,
    service: Annotated[str | None, typer.Option(help="Service whose reviews are taken.")] = None,
    key: Annotated[str | None, typer.Option(help="Its key.", envvar="VEDETTE_KEY")] = None,
    form: Annotated[str, typer.Option("--format", help="yolo, coco or both.")] = "both",
    val: Annotated[float, typer.Option(help="Share of the flights to hold out.", min=0.0, max=0.99)] = 0.2,
    per_clip: Annotated[int, typer.Option(help="Most pictures of a clip.", min=1)] = 8,
    purpose: Annotated[
        list[str] | None, typer.Option(help="Purpose whose records may be used; again for more.")
    ] = None,
    signed_by: Annotated[Path | None, typer.Option(help="Ed25519 public key (PEM) that every manifest needs.")] = None,
    seed: Annotated[int, typer.Option(help="Same seed and evidence, same data set.")] = 7,
) -> None:
    """Make training data of judged evidence: crossings with their boxes, false alarms without."""
    import vision  # noqa: PLC0415 - inference engines take a second to load
    from cli.keys import public_key  # noqa: PLC0415 - seldom needed

    if (reviews is None) == (service is None):
        raise InputError("dataset: say where the verdicts are: --reviews FILE, or --service URL, and not both")
    if service is None and not evidence:
        raise InputError("dataset: name folders of evidence; only a --service has evidence of its own")
    if service is not None and key is None:
        raise InputError("--service needs a key: give --key, or VEDETTE_KEY in the environment")
    if form not in {*vision.DATASET_FORMATS, "both"}:
        raise InputError(f"--format {form} is unknown: give {', '.join(vision.DATASET_FORMATS)} or both")
    settings = vision.DatasetSettings(
        formats=vision.DATASET_FORMATS if form == "both" else (form,),
        val_share=val,
        purposes=tuple(purpose) if purpose else vision.DatasetSettings().purposes,
        pictures=vision.PictureSettings(per_clip=per_clip),
        seed=seed,
    )
    with tempfile.TemporaryDirectory(prefix="vedette-dataset-") as folder:  # what is brought here is not kept
        brought = Path(folder) / "evidence"
        if reviews is not None:
            verdicts = vision.read_reviews(reviews)
        else:
            verdicts = _from_service(str(service), str(key), None if evidence else brought)
        done = vision.write_dataset(
            evidence or [brought],
            verdicts,
            out,
            settings=settings,
            public_key=None if signed_by is None else public_key(signed_by, "--signed-by"),
        )
    for split, pictures in done.pictures.items():
        console.print(
            f"{split}: {done.flights[split]} flights, {pictures} pictures, {done.boxes[split]} boxes, "
            f"{done.negatives[split]} false alarms"
        )
    for why, number in Counter(one.why for one in done.left_out).most_common():
        console.print(f"left out, {number}: {why}", markup=False)
    if done.unmatched:
        complaints.print(f"note: {done.unmatched} verdicts are on crossings of which no evidence was given")
    if val and not done.pictures["val"]:
        complaints.print("note: nothing is held out, since a flight is not parted: give evidence of another flight")
    console.print(f"data set -> {done.folder}; delete it by {vision.iso_time(done.delete_by_us)[:10]}", markup=False)


def _from_service(url: str, key: str, brought: Path | None) -> dict[str, vision.Review]:
    """Verdicts that a service keeps, by `source_id`; their evidence too, each in a folder of its own in `brought`."""
    import api  # noqa: PLC0415 - the service takes a second to load
    import vision  # noqa: PLC0415 - as above

    found: dict[str, vision.Review] = {}
    if brought is not None:
        brought.mkdir()
    with api.Client(url, key) as client:
        for state in ("confirmed", "dismissed"):
            for feature in client.crossings(review=state):
                told = feature["properties"]
                review = vision.review_of(state, told["review"].get("reason"), told["review"].get("category"))
                evidence = told.get("evidence")
                if review is None or evidence is None or "source_id" not in told:
                    continue
                if brought is not None:
                    _bring(client, feature, brought / feature["id"])
                found[told["source_id"]] = replace(
                    review,
                    clip_sha256=evidence["sha256"],
                    expires_us=round(datetime.fromisoformat(told["expires"]).timestamp() * 1e6),
                )
    return found


def _bring(client: api.Client, feature: dict[str, Any], folder: Path) -> None:
    """Bring evidence here; what the service has not whole is left out, and said."""
    import api  # noqa: PLC0415 - as above

    try:
        api.fetch_evidence(client, feature, folder)
    except api.RefusedError as error:
        if error.status != 404:
            raise
        shutil.rmtree(folder)
        complaints.print(f"note: left out, its evidence is not all there: {error}", markup=False)
