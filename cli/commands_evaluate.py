"""The command that measures a watch against labelled video."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer
from rich.table import Table

from cli import filmed
from cli.arguments import InputError, check_file, moment
from cli.terminal import bars, console, note
from geo import write_text

if TYPE_CHECKING:
    import vision

__all__ = ["commands"]

T = TypeVar("T")

commands = typer.Typer()

# Average precision needs the whole curve; below this a detector reports thousands of boxes that change nothing of it.
_LEAST_SCORE = 0.01


@commands.command(
    epilog="Example: [bold]vedette evaluate street.mp4 --truth street.gt.txt --line 0,300,768,300 "
    "--json street.json[/bold]; on the recordings of [bold]vedette demo[/bold], whose truth lies beside them: "
    "[bold]vedette evaluate runs/demo/video/*.ts --border runs/demo/border.geojson[/bold]"
)
def evaluate(
    videos: Annotated[list[Path], typer.Argument(metavar="VIDEO...", help="Labelled recordings.")],
    truth: Annotated[
        list[Path] | None, typer.Option(help="MOT text or .truth.json, one for each VIDEO; else beside it.")
    ] = None,
    border_file: filmed.Border = None,
    line: filmed.Line = None,
    own_side: filmed.OwnSide = None,
    fixed: filmed.Fixed = None,
    pose: Annotated[
        list[Path] | None,
        typer.Option(
            help="Pose file (.srt, .csv, .klv, .tlog) of videos that have none: one for each VIDEO, in order."
        ),
    ] = None,
    hfov: Annotated[float | None, typer.Option(help="Horizontal field of view, degrees; else the video's.")] = None,
    start: Annotated[
        list[str] | None,
        typer.Option(help="Time of the first picture, ISO 8601 with its zone: one for each VIDEO, in their order."),
    ] = None,
    calibration: Annotated[Path | None, typer.Option(help="File of vedette calibrate: puts poses right.")] = None,
    sigma: Annotated[
        str | None, typer.Option(help="H,V,YAW,PITCH,ROLL: one-sigma errors of the pose, metres and degrees.")
    ] = None,
    classes: Annotated[
        str | None, typer.Option(help="Kinds of MOT's class numbers: 0=person,1=vehicle; others are not judged.")
    ] = None,
    model: Annotated[Path | None, typer.Option(help="ONNX detector; else the one for the first sensor.")] = None,
    fps: Annotated[float | None, typer.Option(help="Frames a second to look at; else all.")] = None,
    ground: filmed.Ground = None,
    terrain: filmed.Land = None,
    attitude: filmed.AttitudeAngles = None,
    home: filmed.Home = None,
    undulation: filmed.Undulation = None,
    zone: filmed.Zone = None,
    alarm: Annotated[float, typer.Option(help="Score of a box that counts for precision and recall.")] = 0.25,
    json_file: Annotated[Path | None, typer.Option("--json", help="File for all figures.")] = None,
    report: Annotated[Path | None, typer.Option(help="File for a report with charts, HTML.")] = None,
) -> None:
    """Measure boxes, tracks, crossings and places on the ground against the truth."""
    import vision  # noqa: PLC0415 - inference engines take a second to load
    from cli.border_line import border_line  # noqa: PLC0415 - as above

    check_file(json_file, "--json")
    check_file(report, "--report")
    truths_given = _each(videos, truth, "--truth")
    poses = _each(videos, pose, "--pose")
    starts = [moment(text, "--start") for text in _each(videos, start, "--start")]
    put_right = vision.load_calibration(calibration) if calibration else None
    pixel_line, homography = filmed.fixed_of(line, own_side, fixed, border_file)
    if not 0 < alarm < 1:
        raise InputError(f"--alarm {alarm:g}: give a score between 0 and 1")
    errors, land = filmed.errors_of(sigma), filmed.land_of(ground, terrain)
    looks, local = filmed.attitude_of(attitude), filmed.zone_of(zone)
    kinds = _classes(classes) if classes is not None else None
    paths = [path or vision.find_truth(video) for path, video in zip(truths_given, videos, strict=True)]
    truths = [vision.load_video_truth(path, classes=kinds) for path in paths]
    evaluation = vision.VideoEvaluation(
        vision.Detector(vision.find_model(model) if model else _model_for(videos[0]), confidence=_LEAST_SCORE),
        border=border_line(border_file, own_side),
        homography=homography,
        line=pixel_line,
        terrain=land,
        settings=vision.EvaluationSettings(alarm=alarm),
    )
    names = [video.name for video in videos]
    for video, told, beside, first in zip(videos, truths, poses, starts, strict=True):
        name = video.name if names.count(video.name) == 1 else str(video)
        opened = vision.open_source(
            video,
            pose=beside,
            hfov_deg=hfov,
            fps=fps,
            sigma=errors,
            start_time=first,
            calibration=put_right,
            attitude=looks,
            home_amsl_m=home,
            undulation_m=undulation,
            zone=local,
        )
        with opened as source, bars() as progress:
            task = progress.add_task(video.name, total=None)
            watched = evaluation.add(
                source,
                told,
                name=name,
                progress=lambda frames, progress=progress, task=task: progress.update(task, completed=frames),  # type: ignore[misc]
            )
        for problem in (*source.counts.problems, *watched.notes):
            note(str(video), problem)
    result = evaluation.result()
    console.print(_table(result))
    if json_file is not None:
        write_text(json_file, json.dumps(result.to_json(), indent=1, allow_nan=False) + "\n")
        console.print(f"figures -> {json_file}")
    if report is not None:
        from cli.evaluation_report import write_evaluation_report  # noqa: PLC0415 - as above

        write_evaluation_report(report, result)
        console.print(f"report -> {report}")


def _each(videos: Sequence[Path], given: Sequence[T] | None, option: str) -> Sequence[T | None]:
    """What was given of each video; None of each where nothing was. Raises InputError."""
    if not given:
        return [None] * len(videos)
    if len(given) != len(videos):
        raise InputError(f"{len(videos)} videos and {len(given)} {option}: give one for each video, in their order")
    return given


def _model_for(video: Path) -> Path:
    """The shipped detector for the sensor of a video."""
    import vision  # noqa: PLC0415 - as above

    with vision.open_source(video) as source:
        choice = vision.choose_model(source.first_image)
    console.print(f"detector {choice.path.stem} ({choice.sensor}, {choice.why})")
    return choice.path


def _classes(text: str) -> dict[int, str]:
    """Kinds by class number; raises InputError."""
    kinds = {}
    for part in text.split(","):
        number, mark, kind = part.partition("=")
        if not mark or not number.strip().lstrip("-").isdigit() or not kind.strip():
            raise InputError(f"--classes {text!r}: give numbers and kinds, as in 0=person,1=vehicle")
        kinds[int(number)] = kind.strip()
    return kinds


def _table(result: vision.Evaluation) -> Table:
    """The short table for the terminal: what was measured, and why something was not."""
    told = result.to_json()
    table = Table(title=f"{told['model']['name']} on {len(told['recordings'])} recordings", show_header=False)
    for row in _rows(told):
        table.add_row(*row)
    return table


def _rows(told: dict[str, dict[str, object]]) -> Sequence[tuple[str, str]]:
    def figures(part: dict[str, object], names: dict[str, str]) -> str:
        values = {words: part[name] for name, words in names.items()}
        return ", ".join(
            f"{words} {'-' if value is None else format(value, '.3f' if isinstance(value, float) else 'd')}"
            for words, value in values.items()
        )

    rows = [("boxes", figures(told["boxes"], {"map50": "mAP50", "map50_95": "mAP50-95"}))]
    by_kind: dict[str, dict[str, object]] = told["boxes"]["by_kind"]  # type: ignore[assignment]
    names = {"objects": "labels", "ap50": "AP50", "precision": "precision", "recall": "recall"}
    rows += [(f"  {kind}", figures(one, names)) for kind, one in by_kind.items()]
    if "not_measured" in told["tracks"]:
        rows.append(("tracks", f"not measured: {told['tracks']['not_measured']}"))
    else:
        names = {"hota": "HOTA", "det_a": "DetA", "ass_a": "AssA", "idf1": "IDF1", "mota": "MOTA"}
        names["id_switches"] = "switches"
        rows += [(f"tracks, {kind}", figures(one, names)) for kind, one in told["tracks"].items()]  # type: ignore[arg-type]
    crossings = told["crossings"]
    names = {"truth": "true", "found": "found", "false": "false", "precision": "precision", "recall": "recall"}
    rows.append(("crossings", _or_reason(crossings) or figures(crossings, names)))
    places = told["georeference"]
    reason = _or_reason(places)
    if reason:
        rows.append(("places", reason))
    else:
        names = {"median_m": "median m", "p95_m": "95 % m", "inside": "inside the ellipse", "low": "from", "high": "to"}
        for name in ("single", "smoothed"):
            if places[name] is not None:
                rows.append((f"places, {name}", figures(places[name], names)))  # type: ignore[arg-type]
    return rows


def _or_reason(part: dict[str, object]) -> str:
    return f"not measured: {part['not_measured']}" if "not_measured" in part else ""
