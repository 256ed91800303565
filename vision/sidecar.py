"""Pose files beside a video: DJI ``.SRT``, a CSV table, raw ``.klv`` or a MAVLink ``.tlog``."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from geo import CameraPose, PoseSigma
from vision.errors import MetadataError
from vision.klv import read_klv
from vision.pose import POSE_SIGMAS, PoseSample, PoseTrack, sample_from_klv
from vision.srt import read_srt
from vision.table import HEIGHTS, TIMES, Row, read_table
from vision.tlog import read_tlog

__all__ = ["POSE_COLUMNS", "find_sidecar", "read_pose_csv", "read_pose_klv", "read_sidecar"]

POSE_COLUMNS: Mapping[str, str] = {
    "time_us": f"{TIMES['time_us']}; or",
    "time": f"{TIMES['time']}; or",
    "t_s": TIMES["t_s"],
    "lat_deg": "latitude of the camera, degrees WGS 84",
    "lon_deg": "longitude, degrees WGS 84",
    "amsl_m": "height above mean sea level, metres; or",
    "hae_m": "height above the ellipsoid, metres; or",
    "agl_m": "height above the ground, metres",
    "yaw_deg": "azimuth of the optical axis, degrees from true north",
    "pitch_deg": "elevation of the optical axis, degrees, -90 straight down",
    "roll_deg": "rotation about the optical axis, degrees",
    "hfov_deg": "optional: full horizontal field of view, degrees",
    "ground_amsl_m": "optional: elevation of the ground at the centre of the picture, metres AMSL",
    "sigma_horizontal_m": "optional, with the other sigma columns: one-sigma errors as in geo.PoseSigma",
    "sigma_vertical_m": "optional",
    "sigma_yaw_deg": "optional",
    "sigma_pitch_deg": "optional",
    "sigma_roll_deg": "optional",
}
"""Columns of a CSV pose file, any order, header line first: one time column, one height column, the rest as said."""

_SIGMAS = {f"sigma_{name}": name for name in ("horizontal_m", "vertical_m", "yaw_deg", "pitch_deg", "roll_deg")}
_SUFFIXES = (".srt", ".SRT", ".klv", ".KLV", ".pose.csv", ".csv", ".tlog")


def find_sidecar(video: Path) -> Path | None:
    """The pose file of the same stem beside a video, or None."""
    return next((p for s in _SUFFIXES if (p := video.with_suffix(s)).is_file() and _is_pose(p)), None)


def _is_pose(path: Path) -> bool:
    # Tables of all sorts lie beside videos: only one with a latitude column is taken without being named.
    if path.suffix.lower() != ".csv":
        return True
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        return "lat_deg" in file.readline()


def read_sidecar(
    path: str | Path,
    *,
    attitude: tuple[float, float, float] | None = None,
    home_amsl_m: float | None = None,
    sigma: PoseSigma | None = None,
) -> PoseTrack:
    """Read a pose file by its suffix: ``.srt``, ``.csv``, ``.klv`` or ``.tlog``; see `read_srt` and `read_tlog`.

    Raises
    ------
    MetadataError
        When the suffix is another or the file is not sound.
    """
    readers: dict[str, Callable[[], PoseTrack]] = {
        ".srt": lambda: read_srt(path, attitude=attitude, home_amsl_m=home_amsl_m, sigma=sigma),
        ".csv": lambda: read_pose_csv(path, sigma=sigma),
        ".klv": lambda: read_pose_klv(path, sigma=sigma),
        ".tlog": lambda: read_tlog(path, attitude=attitude, sigma=sigma),
    }
    suffix = Path(path).suffix.lower()
    if suffix not in readers:
        raise MetadataError(f"{path}: a pose file ends in .srt, .csv, .klv or .tlog, not in {suffix or 'nothing'}")
    return readers[suffix]()


def read_pose_klv(path: str | Path, *, sigma: PoseSigma | None = None) -> PoseTrack:
    """Poses of a raw KLV file, by the packets' own precision time stamps.

    Raises
    ------
    MetadataError
        When no packet has a time stamp, or none has a pose.
    """
    by_time: dict[int, PoseSample] = {}
    reasons: list[str] = []
    for packet in read_klv(path).packets:
        if packet.time_us is None:
            reasons.append("a packet has no time stamp (tag 2)")
            continue
        sample, why = sample_from_klv(packet, packet.time_us, sigma)
        by_time[packet.time_us] = sample
        if why:
            reasons.append(why)
    if not any(sample.pose for sample in by_time.values()):
        raise MetadataError(f"{path}: no packet gives a camera pose ({reasons[0] if reasons else 'no packet'})")
    return PoseTrack([by_time[t] for t in sorted(by_time)], absolute=True, origin="klv")


def read_pose_csv(path: str | Path, *, sigma: PoseSigma | None = None) -> PoseTrack:
    """Poses of a CSV table with the columns of `POSE_COLUMNS`.

    Raises
    ------
    MetadataError
        With the file and the line: a column missing or doubled in meaning, a figure that is not one, times that do
        not advance. A flight record with airframe and gimbal angles apart is refused: those are not camera angles.
    """
    header, rows = read_table(path, "a CSV pose file")
    time, height = _check_header(path, header)
    samples = [_sample(row, time, height, sigma or POSE_SIGMAS["csv"]) for row in rows]
    if not samples:
        raise MetadataError(f"{path}: line 2: the table has no row: give at least one pose")
    for line, (a, b) in enumerate(itertools.pairwise(samples), 3):
        if b.time_us <= a.time_us:
            raise MetadataError(f"{path}: line {line}: the time does not advance: sort the rows by time")
    return PoseTrack(samples, absolute=time != "t_s", origin="csv")


def _check_header(path: str | Path, header: tuple[str, ...]) -> tuple[str, str]:
    if any(name.startswith("gimbal_") for name in header):
        raise MetadataError(
            f"{path}: line 1: has gimbal columns, so its yaw, pitch and roll are the airframe's: give camera angles"
        )
    missing = [n for n in ("lat_deg", "lon_deg", "yaw_deg", "pitch_deg", "roll_deg") if n not in header]
    times, heights = ([n for n in names if n in header] for names in (TIMES, HEIGHTS))
    if missing or len(times) != 1 or len(heights) != 1:
        raise MetadataError(
            f"{path}: line 1: needs one of {', '.join(TIMES)}, one of {', '.join(HEIGHTS)}, and lat_deg, lon_deg, "
            f"yaw_deg, pitch_deg, roll_deg; it has {', '.join(header) or 'nothing'}"
        )
    return times[0], heights[0]


def _sample(row: Row, time: str, height: str, sigma: PoseSigma) -> PoseSample:
    given: dict[str, Any] = {field: row.number(column) for column, field in _SIGMAS.items() if row.cells.get(column)}
    pose = CameraPose(
        *row.place(),
        row.altitude(height),
        row.number("yaw_deg"),
        row.number("pitch_deg"),
        row.number("roll_deg"),
        replace(sigma, **given),
    )
    return PoseSample(row.time_us(time), pose, row.optional("hfov_deg"), row.optional("ground_amsl_m"))
