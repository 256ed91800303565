"""`vedette calibrate`: boresight and compass errors of a camera from known points."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from cli.arguments import InputError, check_file, moment
from cli.terminal import console

__all__ = ["commands"]

commands = typer.Typer()


@commands.command(
    epilog="Example: [bold]vedette calibrate survey.ts points.csv --out camera.json[/bold], then "
    "[bold]vedette watch patrol.ts --border border.geojson --calibration camera.json[/bold]"
)
def calibrate(
    video: Annotated[Path, typer.Argument(help="Video, or folder of images, with camera poses.")],
    points: Annotated[
        Path,
        typer.Argument(
            help="CSV of known points: frame, time_us, time or t_s; x_px, y_px; lat_deg, lon_deg; amsl_m or hae_m; "
            "name, sigma_px and sigma_m where known."
        ),
    ],
    pose: Annotated[
        Path | None, typer.Option(help="Pose file (.srt, .csv, .klv, .tlog), when the video has none.")
    ] = None,
    hfov: Annotated[float | None, typer.Option(help="Horizontal field of view, degrees; else the video's.")] = None,
    frame_rate: Annotated[float | None, typer.Option(help="Images a second, for a folder.")] = None,
    start: Annotated[str | None, typer.Option(help="Time of the first picture, ISO 8601 with its zone.")] = None,
    focal: Annotated[bool, typer.Option("--focal", help="Find the focal length too.")] = False,
    radial: Annotated[bool, typer.Option("--radial", help="Find the radial distortion of the lens too.")] = False,
    undulation: Annotated[
        float | None, typer.Option(help="Geoid above the ellipsoid, m, where poses and points differ in datum.")
    ] = None,
    attitude_share: Annotated[
        float, typer.Option(help="Share of the attitude errors that is new in each picture.", min=0.0, max=1.0)
    ] = 0.3,
    out: Annotated[Path, typer.Option(help="File to write.")] = Path("calibration.json"),
) -> None:
    """Find boresight and compass errors from known points."""
    import vision  # noqa: PLC0415 - OpenCV takes a while to load

    check_file(out, "--out")
    if frame_rate is not None and not video.is_dir():
        raise InputError(f"--frame-rate is of a folder of images, and {video} is none: leave it out")
    seen = vision.read_points(points)
    with vision.open_source(
        video, pose=pose, hfov_deg=hfov, frame_rate=frame_rate, start_time=moment(start, "--start")
    ) as source:
        found = vision.calibrate(
            vision.sightings(source, seen, source.frame_rate),
            vision.Fit(focal, radial, attitude_share, undulation),
        )
    vision.save_calibration(out, found)
    table = Table("Point", "x off, px", "y off, px", "sigmas", "")
    for point in found.points:
        x, y = point.residual_px
        table.add_row(point.name, f"{x:.1f}", f"{y:.1f}", f"{point.departure:.1f}", "left out" if point.outlier else "")
    console.print(table)
    yaw, pitch, roll = found.boresight_deg
    forward, right, down, heading = found.sigmas_deg
    console.print(
        f"boresight: yaw {yaw:.2f} ± {down:.2f}, pitch {pitch:.2f} ± {right:.2f}, "
        f"roll {roll:.2f} ± {forward:.2f} degrees"
    )
    console.print(f"heading error: {found.heading_error_deg:.2f} ± {heading:.2f} degrees")
    if focal:
        console.print(f"focal length: {found.focal_scale:.4f} times what was given")
    if radial:
        console.print(f"radial distortion: k1 {found.distortion.k1:.4f}")
    for note in found.notes:
        console.print(f"note: {note}", markup=False)
    console.print(f"calibration -> {out}")
