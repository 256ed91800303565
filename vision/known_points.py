"""Known points: places that were surveyed, and the pixels at which a camera saw them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from geo import Altitude, CameraModel, CameraPose
from vision.errors import MetadataError
from vision.table import HEIGHTS, TIMES, Row, read_table
from vision.types import Frame

__all__ = ["POINT_COLUMNS", "SeenPoint", "Sighting", "read_points", "sightings"]

POINT_COLUMNS: Mapping[str, str] = {
    "frame": "number of the picture, from 0; or",
    **{name: f"{text}{'' if name == 't_s' else '; or'}" for name, text in TIMES.items()},
    "x_px": "where the point is in that picture, pixels from the left edge",
    "y_px": "pixels from the upper edge",
    "lat_deg": "latitude of the point, degrees WGS 84",
    "lon_deg": "longitude, degrees WGS 84",
    "amsl_m": "its height above mean sea level, metres; or",
    "hae_m": "height above the ellipsoid, metres; or",
    "agl_m": "height above the ground, metres, where the pose says it so too",
    "name": "optional: a name; the same in several pictures for one place",
    "sigma_px": "optional: one sigma of the pixel, each way",
    "sigma_m": "optional: one sigma of the place, metres, each way",
}
"""Columns of a CSV file of known points, any order, header line first: one for the time, one height, the rest as said.
"""

_MOMENTS = ("frame", *TIMES)
_SIGMA_PX, _SIGMA_M = 1.5, 0.5
# How far a picture may be from the time that a point names, in spacings of the pictures: its own, not the next one.
_NEAR = 0.6
_NO_IMAGE = np.zeros((0, 0, 3), np.uint8)


@dataclass(frozen=True, slots=True)
class SeenPoint:
    """A known point in one picture.

    Parameters
    ----------
    name
        Of the place; errors of the place are the same wherever the name is.
    moment
        Which picture: column of the file (``"frame"`` or one of `TIMES`) and its value, microseconds for times.
    x_px, y_px
        Pixel.
    lat_deg, lon_deg, altitude
        Place.
    sigma_px, sigma_m
        One-sigma errors of pixel and place, each way.
    where
        File and line, for messages.
    """

    name: str
    moment: tuple[str, int]
    x_px: float
    y_px: float
    lat_deg: float
    lon_deg: float
    altitude: Altitude
    sigma_px: float = _SIGMA_PX
    sigma_m: float = _SIGMA_M
    where: str = "point"


@dataclass(frozen=True, slots=True)
class Sighting:
    """A known point with the pose and the camera of the picture that shows it; `frame` numbers the picture."""

    point: SeenPoint
    frame: int
    pose: CameraPose
    camera: CameraModel


def read_points(path: str | Path) -> list[SeenPoint]:
    """Read a CSV file with the columns of `POINT_COLUMNS`.

    Raises
    ------
    MetadataError
        With the file and the line: a column missing or doubled in meaning, a figure that is not one.
    """
    header, rows = read_table(path, "a CSV file of known points")
    moments = [name for name in _MOMENTS if name in header]
    heights = [name for name in HEIGHTS if name in header]
    missing = [name for name in ("x_px", "y_px", "lat_deg", "lon_deg") if name not in header]
    if missing or len(moments) != 1 or len(heights) != 1:
        raise MetadataError(
            f"{path}: line 1: needs one of {', '.join(_MOMENTS)}, one of {', '.join(HEIGHTS)}, and x_px, y_px, "
            f"lat_deg, lon_deg; it has {', '.join(header) or 'nothing'}"
        )
    if not rows:
        raise MetadataError(f"{path}: line 2: the table has no row: give known points")
    return [_seen_point(row, number, moments[0], heights[0]) for number, row in enumerate(rows, 1)]


def _seen_point(row: Row, number: int, moment: str, height: str) -> SeenPoint:
    if moment == "frame":
        at = row.number("frame")
        if at < 0 or at != int(at):
            raise MetadataError(f"{row.where}: frame is {row.cells['frame']!r}: give the picture's number, from 0")
    else:
        at = row.time_us(moment)
    sigmas = [row.optional("sigma_px"), row.optional("sigma_m")]
    if any(sigma is not None and not sigma > 0 for sigma in sigmas):
        raise MetadataError(f"{row.where}: sigma_px and sigma_m must be positive, or left out")
    return SeenPoint(
        row.cells.get("name") or f"point {number}",
        (moment, int(at)),
        row.number("x_px"),
        row.number("y_px"),
        *row.place(),
        row.altitude(height),
        sigmas[0] or _SIGMA_PX,
        sigmas[1] or _SIGMA_M,
        row.where,
    )


def sightings(frames: Iterable[Frame], points: Sequence[SeenPoint], frame_rate: float | None) -> list[Sighting]:
    """Find the picture of each point.

    Parameters
    ----------
    frames
        Of the video, in order; read no further than needed.
    points
        To find.
    frame_rate
        Pictures a second, or None where the source does not tell: then 25.

    Raises
    ------
    MetadataError
        When a point's picture is not there, has no pose or no camera, or its pixel lies outside it.
    """
    spacing_us = 1e6 / (frame_rate or 25.0)
    near = {column: 0.0 if column == "frame" else _NEAR * spacing_us for column in _MOMENTS}
    best: dict[int, tuple[float, Frame]] = {}
    left = set(range(len(points)))
    for frame in frames:
        told = replace(frame, image=_NO_IMAGE)  # pictures of all points would fill the memory
        for i in sorted(left):
            column, wanted = points[i].moment
            late = _moment(frame, column) - wanted
            if abs(late) <= near[column] and (i not in best or abs(late) < best[i][0]):
                best[i] = (abs(late), told)
            if late > near[column]:
                left.remove(i)
        if not left:
            break
    return [_sighting(point, best[i][1] if i in best else None) for i, point in enumerate(points)]


def _moment(frame: Frame, column: str) -> float:
    if column == "frame":
        return frame.index
    return frame.pts_s * 1e6 if column == "t_s" else frame.time_us


def _sighting(point: SeenPoint, frame: Frame | None) -> Sighting:
    if frame is None:
        column, value = point.moment
        raise MetadataError(f"{point.where}: the video has no picture at {column} {value}: check time and clock")
    if frame.pose is None:
        raise MetadataError(
            f"{point.where}: picture {frame.index} has no camera pose: choose another, or give a pose file"
        )
    if frame.camera is None:
        raise MetadataError(f"{point.where}: picture {frame.index} has no field of view: give the camera's (--hfov)")
    if not frame.camera.contains((point.x_px, point.y_px)):
        raise MetadataError(
            f"{point.where}: pixel {point.x_px:g}, {point.y_px:g} lies outside the picture of "
            f"{frame.camera.width_px}x{frame.camera.height_px}"
        )
    return Sighting(point, frame.index, frame.pose, frame.camera)
