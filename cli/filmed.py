"""What commands that look at video are told of the line, the ground and the camera."""

from __future__ import annotations

import math
from datetime import datetime, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

import geo
from cli.arguments import InputError, numbers

if TYPE_CHECKING:
    import vision

__all__ = [
    "AttitudeAngles",
    "Border",
    "Fixed",
    "Ground",
    "Home",
    "Land",
    "Line",
    "OwnSide",
    "Undulation",
    "Zone",
    "attitude_of",
    "errors_of",
    "fixed_of",
    "land_of",
    "zone_of",
]

Border = Annotated[
    Path | None, typer.Option("--border", help="The border: GeoJSON, KML, KMZ, GeoPackage or Shapefile.")
]
Line = Annotated[str | None, typer.Option(help="X1,Y1,X2,Y2 in the picture of a fixed camera, pixels.")]
Fixed = Annotated[Path | None, typer.Option(help="Known points or line of a fixed camera, JSON.")]
Ground = Annotated[float | None, typer.Option(help="Elevation of the ground, m AMSL; else from the video.")]
Land = Annotated[
    Path | None, typer.Option(help="Elevations: GeoTIFF, SRTM .hgt tile or folder of tiles, instead of --ground.")
]
AttitudeAngles = Annotated[
    str | None, typer.Option(help="YAW,PITCH,ROLL of the camera, degrees, where the pose file has no gimbal angles.")
]
Home = Annotated[float | None, typer.Option(help="Elevation of the take-off point of a DJI aircraft, m AMSL.")]
Undulation = Annotated[
    float | None, typer.Option(help="Geoid above the ellipsoid there, m, where heights of poses are above that.")
]

Zone = Annotated[str | None, typer.Option(help="Zone of the dates in a DJI .SRT: +02:00, or Europe/Berlin.")]

OwnSide = Annotated[
    str | None,
    typer.Option(
        help="Own side, left or right, seen along the line: of --line (left without), or of a --border whose file does "
        "not say it."
    ),
]


def fixed_of(
    line: str | None, own_side: str | None, fixed: Path | None, border_file: Path | None
) -> tuple[vision.PixelLine | None, vision.Homography | None]:
    """The line in the picture of a fixed camera, or its known points: of --line or --fixed; raises InputError."""
    import vision  # noqa: PLC0415 - inference engines take a second to load

    if line is not None and fixed is not None:
        raise InputError("--line and --fixed both say where the line is: give one")
    camera = vision.load_fixed(fixed) if fixed else None
    if line is not None:
        x1, y1, x2, y2 = numbers(line, "X1,Y1,X2,Y2", "--line")
        camera = vision.PixelLine("line", ((x1, y1), (x2, y2)), own_side or "left")
    if isinstance(camera, vision.PixelLine):
        if border_file is not None:
            raise InputError("a line in the picture and --border are two lines: give one")
        return camera, None
    return None, camera


def land_of(ground: float | None, terrain: Path | None) -> geo.Terrain | None:
    """The ground that --ground or --terrain says; raises InputError where both do."""
    if terrain is None:
        return None if ground is None else geo.FlatTerrain(ground)
    if ground is not None:
        raise InputError("--terrain has the elevations: leave --ground out")
    return geo.open_terrain(terrain)


def attitude_of(text: str | None) -> tuple[float, float, float] | None:
    """Yaw, pitch and roll of --attitude, degrees; raises InputError."""
    if text is None:
        return None
    yaw, pitch, roll = numbers(text, "YAW,PITCH,ROLL", "--attitude")
    if not (abs(yaw) <= 360 and abs(pitch) <= 90 and abs(roll) <= 180):
        raise InputError(f"--attitude {text!r}: give degrees: -360 to 360, -90 (straight down) to 90, -180 to 180")
    return yaw, pitch, roll


def zone_of(text: str | None) -> tzinfo | None:
    """The zone of --zone; raises InputError."""
    if text is None:
        return None
    try:
        hours = datetime.fromisoformat(f"2000-01-01T00:00:00{text}").tzinfo
    except ValueError:
        hours = None
    try:
        return hours or ZoneInfo(text)
    except (KeyError, ValueError, OSError):
        raise InputError(f"--zone {text!r}: give hours from UTC (+02:00, or Z) or a name (Europe/Berlin)") from None


def errors_of(text: str | None) -> geo.PoseSigma | None:
    """Errors of the pose, of --sigma; raises InputError."""
    if text is None:
        return None
    values = numbers(text, "H,V,YAW,PITCH,ROLL", "--sigma")
    if not all(0 < value < math.inf for value in values):
        raise InputError(f"--sigma {text!r}: give five numbers above 0: a pose without error is none")
    across, up, yaw, pitch, roll = values
    return geo.PoseSigma(across, up, yaw, pitch, roll)
