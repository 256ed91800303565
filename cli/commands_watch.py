"""Commands that watch: crossings in video, and the detectors that find them."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from cli import filmed
from cli.arguments import InputError, check_file, check_folder, moment, numbers
from cli.terminal import bars, complaints, console
from geo import FileWriteError, VedetteError, write_text

if TYPE_CHECKING:
    import vision
    from cli.showing import Shown
    from cli.watch_order import WatchOrder
    from cli.watching import Seen

__all__ = ["commands"]

commands = typer.Typer()


@commands.command(
    epilog="Example: [bold]vedette watch runs/demo/video/*.ts --border runs/demo/border.geojson[/bold] after "
    "[bold]vedette demo[/bold]; for a fixed camera [bold]vedette watch street.mp4 --line 0,300,768,300[/bold]"
)
def watch(
    videos: Annotated[
        list[str],
        typer.Argument(metavar="VIDEO...", help="Files, folders of images, stream URLs, /dev/video0."),
    ],
    border_file: filmed.Border = None,
    line: filmed.Line = None,
    own_side: filmed.OwnSide = None,
    fixed: filmed.Fixed = None,
    pose: Annotated[
        str | None,
        typer.Option(
            help="When the video has none: pose file (.srt, .csv, .klv, .tlog), or udpin:HOST:PORT of MAVLink."
        ),
    ] = None,
    hfov: Annotated[float | None, typer.Option(help="Horizontal field of view, degrees; else the video's.")] = None,
    start: Annotated[str | None, typer.Option(help="Time of the first picture, ISO 8601 with its zone.")] = None,
    calibration: Annotated[Path | None, typer.Option(help="File of vedette calibrate: puts poses right.")] = None,
    clock_offset: Annotated[
        str, typer.Option(help="Seconds from a picture to its pose in the record; auto: by the motion both show.")
    ] = "0",
    model: Annotated[
        str | None, typer.Option(help="ONNX detector, or its name in the list of models; else the shipped one.")
    ] = None,
    sensor: Annotated[str, typer.Option(help="thermal or daylight; auto looks whether there is colour.")] = "auto",
    engine: Annotated[
        str,
        typer.Option(
            help="What runs the detector: tensorrt, cuda (cuda:1 is the second card), openvino, cpu; auto the fastest."
        ),
    ] = "auto",
    precision: Annotated[
        str, typer.Option(help="f32, or auto: the engine may calculate with fewer bits, which is faster.")
    ] = "f32",
    decode: Annotated[
        str,
        typer.Option(help="What decodes video: software, or a device such as cuda or vaapi; auto one that is there."),
    ] = "auto",
    slices: Annotated[
        float | None,
        typer.Option(
            "--slice", help="Look once more, larger, where a metre of ground has fewer pixels of the detector's input."
        ),
    ] = None,
    fps: Annotated[float | None, typer.Option(help="Frames a second to look at; else all.")] = None,
    ground: filmed.Ground = None,
    terrain: filmed.Land = None,
    attitude: filmed.AttitudeAngles = None,
    home: filmed.Home = None,
    undulation: filmed.Undulation = None,
    zone: filmed.Zone = None,
    sigma: Annotated[
        str | None, typer.Option(help="H,V,YAW,PITCH,ROLL: one-sigma errors of the pose, metres and degrees.")
    ] = None,
    owner: Annotated[str, typer.Option(help="Organisation that owns the records.")] = "unknown",
    marking: Annotated[str | None, typer.Option(help="Marking of the records; without one nothing is shared.")] = None,
    out: Annotated[Path, typer.Option(help="Folder for crossings and evidence.")] = Path("runs/watch"),
    evidence_key: Annotated[
        Path | None, typer.Option(help="Ed25519 private key (PEM) that signs the evidence; without one nothing does.")
    ] = None,
    together: Annotated[int, typer.Option(help="Recordings watched at once; streams always are.", min=1)] = 4,
    reconnect: Annotated[
        float, typer.Option(help="Seconds for which a stream may be away; it is opened again until then.", min=0)
    ] = 60.0,
    keep_live: Annotated[
        float,
        typer.Option(
            help="Seconds of each stream kept on disk (2 GiB at most), for the clips of its crossings.", min=20
        ),
    ] = 120.0,
    json_file: Annotated[Path | None, typer.Option("--json", help="File for the figures of each video.")] = None,
    url: Annotated[str | None, typer.Option(help="Service that the crossings are delivered to.")] = None,
    key: Annotated[str | None, typer.Option(help="Its key.", envvar="VEDETTE_KEY")] = None,
    picture: Annotated[
        bool, typer.Option("--picture/--no-picture", help="Send the service a small picture of each stream a second.")
    ] = True,
    picture_blur: Annotated[bool, typer.Option(help="Blur whatever the detector finds in these pictures.")] = False,
    picture_of: Annotated[
        str | None, typer.Option(help="Id of the vehicle or sensor, in the service, whose camera the one stream is.")
    ] = None,
) -> None:
    """Find crossings in video; keep the evidence. Several videos are watched at once, by one detector."""
    import vision  # noqa: PLC0415 - inference engines take a second to load
    from cli.border_line import border_line  # noqa: PLC0415 - as above
    from cli.keys import private_key  # noqa: PLC0415 - as above
    from cli.watch_order import WatchOrder  # noqa: PLC0415 - as above

    if url is not None and key is None:
        raise InputError("--url needs a key: give --key, or VEDETTE_KEY in the environment")
    check_folder(out, "--out")
    check_file(json_file, "--json")
    pixel_line, homography = filmed.fixed_of(line, own_side, fixed, border_file)
    border = border_line(border_file, own_side)
    if sensor not in vision.SENSORS:
        raise InputError(f"--sensor {sensor} is unknown: give one of {', '.join(vision.SENSORS)}")
    order = WatchOrder(
        border=border,
        line=pixel_line,
        pose=pose,
        hfov_deg=hfov,
        start=moment(start, "--start"),
        calibration=vision.load_calibration(calibration) if calibration else None,
        clock_offset_s=None if clock_offset == "auto" else numbers(clock_offset, "SECONDS", "--clock-offset")[0],
        fps=fps,
        model=model,
        sensor=sensor,
        slice_px=slices,
        ground=filmed.land_of(ground, terrain),
        custody=vision.Custody(owner=owner, marking=marking),
        evidence=out / "evidence",
        keep_live_s=keep_live,
        together=together,
        back_off=vision.BackOff(give_up_s=reconnect),
        engine=engine,
        precision=precision,
        decode=decode,
        homography=homography,
        attitude=filmed.attitude_of(attitude),
        home_amsl_m=home,
        undulation_m=undulation,
        zone=filmed.zone_of(zone),
        sigma=filmed.errors_of(sigma),
        key=None if evidence_key is None else private_key(evidence_key, "--evidence-key"),
    )
    if any(vision.is_live(video) for video in videos):
        shown = _shown(videos, picture=picture, blur=picture_blur, of=picture_of)
        seen, crossings, unwritten = _watch_live(videos, order, out, url, key, shown)
    else:
        seen, crossings, unwritten = _watch_recordings(videos, order, out)
    if json_file is not None:
        write_text(json_file, json.dumps({"streams": [one.to_json() for one in seen]}, indent=1) + "\n")
        console.print(f"figures -> {json_file}")
    if url is not None and key is not None:
        _deliver(url, key, crossings, out, _signing(order))
    failed = [one for one in seen if one.error is not None]
    if failed and len(seen) == 1:
        raise cast("Exception", failed[0].error)
    if failed:
        names = ", ".join(one.name for one in failed)
        raise vision.VisionError(f"{len(failed)} of {len(seen)} videos were not watched to their end: {names}")
    if unwritten is not None:
        raise InputError(f"{unwritten}; every crossing stands in the output above as well")


def _shown(videos: Sequence[str], *, picture: bool, blur: bool, of: str | None) -> Shown | None:
    """How live streams are shown to a service; None where they are not."""
    from cli.showing import Shown  # noqa: PLC0415 - the service takes a second to load

    if of is not None and len(videos) > 1:
        raise InputError(f"--picture-of is of one stream, and there are {len(videos)} videos: watch them one by one")
    return Shown(blur=blur, of=of) if picture else None


def _watch_recordings(
    videos: Sequence[str], order: WatchOrder, out: Path
) -> tuple[list[Seen], list[vision.Crossing], VedetteError | None]:
    """Watch to the end, then write; what became of each video, the events, and why they are not written."""
    import vision  # noqa: PLC0415 - as above
    from cli.watching import watch_videos  # noqa: PLC0415 - as above

    seen = watch_videos(videos, order)
    crossings = [crossing for one in seen if one.result is not None for crossing in one.result.crossings]
    events = vision.one_each(crossings)
    if len(events) < len(crossings):
        console.print(f"{len(crossings)} reports of {len(events)} events: what several cameras saw counts once")
    may_be = [one for video in seen if video.result is not None for one in video.result.open]
    return seen, events, _write(events, may_be, out)


def _watch_live(
    videos: Sequence[str], order: WatchOrder, out: Path, url: str | None, key: str | None, shown: Shown | None
) -> tuple[list[Seen], list[vision.Crossing], VedetteError | None]:
    """Watch and tell of each crossing at once; nothing is left to be delivered."""
    import api  # noqa: PLC0415 - the service takes a second to load
    from cli.showing import showing_pictures  # noqa: PLC0415 - as above
    from cli.telling import Courier, LiveReport  # noqa: PLC0415 - as above
    from cli.watching import watch_videos  # noqa: PLC0415 - as above

    with ExitStack() as stack:
        courier, show = None, None
        if url is not None and key is not None:
            client = api.Client(url, key, spool=out / "spool", sign=_signing(order))
            courier = stack.enter_context(Courier(stack.enter_context(client)))
            show = None if shown is None else stack.enter_context(showing_pictures(shown, url, key))
        report = LiveReport(out / "crossings.jsonl", None if courier is None else courier.hand)
        seen = watch_videos(videos, order, report.take, show, report.take_open)
    try:
        console.print(f"{report.finish()} crossings -> {out}/crossings.jsonl")
    except (FileWriteError, InputError) as error:
        return seen, [], error
    return seen, [], None


def _write(
    crossings: Sequence[vision.Crossing], may_be: Sequence[vision.OpenPassage], out: Path
) -> FileWriteError | None:
    """Write them, and what may be some; where the disk is full they go to the output, for whoever waits for them."""
    import vision  # noqa: PLC0415 - as above

    try:
        vision.write_crossings(out / "crossings.jsonl", crossings)
        vision.write_crossings(out / "crossings.geojson", crossings)
        write_text(out / "open.jsonl", "".join(json.dumps(one.to_json()) + "\n" for one in may_be))
    except FileWriteError as error:
        for record in (*(one.to_json() for one in crossings), *(one.to_json() for one in may_be)):
            typer.echo(json.dumps(record))
        return error
    console.print(f"{len(crossings)} crossings -> {out}/crossings.jsonl")
    return None


def _signing(order: WatchOrder) -> Callable[[bytes], bytes] | None:
    """What signs a manifest here; None where nothing does."""
    import vision  # noqa: PLC0415 - as above

    return None if order.key is None else partial(vision.sign_manifest, order.key)


def _deliver(
    url: str, key: str, crossings: Sequence[vision.Crossing], out: Path, sign: Callable[[bytes], bytes] | None
) -> None:
    """Hand crossings to a service; what it does not take now stays in the spool for the next run."""
    import api  # noqa: PLC0415 - the service takes a second to load

    with api.Client(url, key, spool=out / "spool", sign=sign) as client:
        left = client.flush()
        for crossing in crossings:
            folder = out / "evidence" / crossing.source_id if crossing.evidence else None
            left = client.deliver(crossing.to_json(), folder)
        assert client.spool is not None  # it was given
        refused = client.spool.failed()
    for one in refused:
        complaints.print(f"set aside in {one.folder}: {one.reason}", markup=False)
    if left.waiting or refused:
        raise api.ClientError(
            f"{left.waiting} crossings wait in {out / 'spool'} and {len(refused)} were refused"
            f"{': ' + left.error if left.error else ''}; put it right and run again"
        )
    console.print(f"{len(crossings)} crossings delivered to {url}" if crossings else f"all is delivered to {url}")


@commands.command(epilog="Example: [bold]vedette render data/rendered --count 1000[/bold]")
def render(
    out: Annotated[Path, typer.Argument(help="Folder of the data set; new.")],
    count: Annotated[int, typer.Option(help="Images.", min=1)] = 1000,
    seed: Annotated[int, typer.Option(help="Same seed, same images.")] = 7,
    backgrounds: Annotated[Path | None, typer.Option(help="Photographs that serve as ground in some images.")] = None,
    background_share: Annotated[float, typer.Option(help="Share of the images that have those.", min=0, max=1)] = 0.4,
    thermal: Annotated[float, typer.Option(help="Share of thermal images; the rest is daylight.", min=0, max=1)] = 0.7,
) -> None:
    """Render a labelled data set with the simulator, to train on."""
    import sim  # noqa: PLC0415 - OpenCV takes a while to load

    with bars() as progress:
        task = progress.add_task("render images", total=count)
        summary = sim.write_dataset(
            out,
            count,
            seed,
            thermal_share=thermal,
            backgrounds=backgrounds,
            background_share=background_share,
            progress=lambda done, total: progress.update(task, completed=done, total=total),
        )
    labels = ", ".join(f"{number} {kind}" for kind, number in summary.labels.items())
    console.print(f"{summary.images} images ({labels}) -> {out}")


@commands.command(epilog="Example: [bold]vedette train data --weights yolo11n.pt --sensor thermal[/bold]")
def train(
    data: Annotated[
        Path,
        typer.Argument(help="Folder of the data sets hit-uav, aerial-vehicles, rendered-thermal, rendered-daylight."),
    ],
    weights: Annotated[Path, typer.Option(help="Weights to start from (.pt).")],
    sensor: Annotated[str, typer.Option(help="What the detector is for: thermal or daylight.")],
    reviewed: Annotated[Path | None, typer.Option(help="Data set of vedette dataset, to train on as well.")] = None,
    out: Annotated[Path, typer.Option(help="Folder of the run; one that was broken off goes on.")] = Path("runs/train"),
    hours: Annotated[float | None, typer.Option(help="Longest time for a stage; it ends in good order.")] = None,
    device: Annotated[str, typer.Option(help="cpu, or the number of a GPU.")] = "cpu",
    workers: Annotated[int, typer.Option(help="Processes that prepare images.", min=0)] = 1,
    on_device: Annotated[bool, typer.Option(help="Keep the images on the device and prepare them there.")] = False,
) -> None:
    r"""Train a detector by the recipe of a shipped one. Needs vedette\[train]."""
    import vision  # noqa: PLC0415 - inference engines take a second to load

    recipe = vision.RECIPES.get(sensor)
    if recipe is None:
        raise InputError(f"--sensor {sensor} has no recipe: give one of {', '.join(vision.RECIPES)}")

    more = () if reviewed is None else (vision.reviewed_source(reviewed),)
    for source in more:
        recipe = recipe.mixed_with(source.name)
    prepared = out / "data" / "data.yaml"
    if not prepared.exists():
        vision.prepare((*vision.known_sources(data), *more), prepared.parent, tile_px=recipe.tile_px, seed=recipe.seed)
    trained = vision.train_model(
        recipe, prepared, weights, out, hours=hours, device=device, workers=workers, on_device=on_device
    )
    console.print(f"trained -> {trained}")


@commands.command(
    epilog="Example: [bold]vedette export runs/train/thermal/weights/last.pt detector.onnx "
    "--data 'HIT-UAV (CC BY 4.0)'[/bold]"
)
def export(
    weights: Annotated[Path, typer.Argument(help="Trained weights (.pt).")],
    onnx: Annotated[Path, typer.Argument(help="ONNX file to write.")],
    data: Annotated[str, typer.Option(help="What it was trained on, with licences: kept in the file.")],
) -> None:
    r"""Export trained weights to ONNX. Needs vedette\[train]."""
    import vision  # noqa: PLC0415 - inference engines take a second to load

    vision.export_model(weights, onnx, data=data)
    console.print(f"exported -> {onnx}")
