"""DJI ``.SRT`` telemetry: one subtitle a frame or a second, in the dialects of ten years of aircraft.

Each cue is read through the tables below. Heights in these files are above the take-off point (barometric), except
``abs_alt``, which is AMSL. Older aircraft write no gimbal angles at all.
"""

from __future__ import annotations

import math
import re
import statistics
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from geo import Altitude, CameraPose, Datum, PoseSigma
from vision.errors import MetadataError
from vision.pose import POSE_SIGMAS, PoseSample, PoseTrack

__all__ = ["read_srt"]

_NUMBER = r"([-+]?\d+(?:\.\d+)?)"
_CUE = re.compile(r"(\d+):(\d\d):(\d\d)[,.](\d{3})\s*-->\s*\d+:\d\d:\d\d[,.]\d{3}")

# Date and time of the aircraft's clock, with thousandths where a cue is one picture.
_DATE = re.compile(r"\b(\d{4})[-.](\d{1,2})[-.](\d{1,2}) (\d{1,2}):(\d\d):(\d\d)(?:[.,](\d{3}))?")

# Position: pattern, and which group is the latitude and which the longitude. The Matrice writes its height, with an
# M, after latitude first; all others write the number of satellites after longitude first.
_POSITIONS: tuple[tuple[re.Pattern[str], int, int], ...] = (
    (re.compile(rf"latitude\s*:\s*{_NUMBER}.*?long(?:t)?itude\s*:\s*{_NUMBER}", re.DOTALL), 1, 2),
    (re.compile(rf"\bGPS\s*\(\s*{_NUMBER}\s*,\s*{_NUMBER}\s*,\s*{_NUMBER}M\s*\)"), 1, 2),
    (re.compile(rf"\bGPS\s*\(\s*{_NUMBER}\s*,\s*{_NUMBER}\s*,\s*\d+\s*\)"), 2, 1),
)
_ABOVE_SEA = re.compile(rf"\babs_alt\s*:\s*{_NUMBER}")
_ABOVE_HOME = tuple(
    re.compile(pattern)
    for pattern in (
        rf"\brel_alt\s*:\s*{_NUMBER}",
        rf"\baltitude\s*:\s*{_NUMBER}",
        rf"\bBAROMETER\s*:\s*{_NUMBER}",
        rf"\bHb\s*:\s*{_NUMBER}",
        rf"\bH\s+{_NUMBER}m\b",
    )
)
# Gimbal attitude in the level frame: pattern and the groups of yaw, pitch, roll.
_ATTITUDES: tuple[tuple[re.Pattern[str], int, int, int], ...] = (
    (
        re.compile(
            rf"gb_yaw\s*:\s*{_NUMBER}.*?gb_pitch\s*:\s*{_NUMBER}.*?gb_roll\s*:\s*{_NUMBER}",
            re.DOTALL,
        ),
        1,
        2,
        3,
    ),
    (re.compile(rf"\bG\.PRY\s*\(\s*{_NUMBER}°?\s*,\s*{_NUMBER}°?\s*,\s*{_NUMBER}°?\s*\)"), 3, 1, 2),
)


@dataclass(frozen=True, slots=True)
class _Cue:
    line: int
    time_us: int
    text: str


def read_srt(
    path: str | Path,
    *,
    attitude: tuple[float, float, float] | None = None,
    home_amsl_m: float | None = None,
    sigma: PoseSigma | None = None,
) -> PoseTrack:
    """Read a DJI telemetry subtitle file.

    Parameters
    ----------
    path
        The ``.SRT`` file.
    attitude
        Yaw, pitch, roll of the camera in degrees for aircraft whose files carry none; never guessed.
    home_amsl_m
        Elevation of the take-off point, metres AMSL. With it heights are AMSL; without it a height above the take-off
        point stands as AGL, which is right over level ground only.
    sigma
        One-sigma errors; None takes `POSE_SIGMAS`.

    Returns
    -------
    PoseTrack
        Times from the start of the video (the cue times): the aircraft's date is local time without a zone, runs up to
        half a second off the video, and tells `PoseTrack.local_start` alone. Cues without a satellite fix (0, 0) are
        left out.

    Raises
    ------
    MetadataError
        With the file and the line: empty or not a subtitle file, a cue without position, height, or camera angles.
    """
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise MetadataError(f"{path}: cannot be read ({error.strerror}): give a DJI .SRT file") from error
    # Editors that save "Unicode" write UTF-16; what is read of a cue is ASCII in any other encoding.
    text = data.decode("utf-16" if data.startswith((BOM_UTF16_LE, BOM_UTF16_BE)) else "utf-8-sig", errors="replace")
    if not text.strip():
        raise MetadataError(f"{path}: line 1: the file is empty: copy it from the aircraft again")
    samples: list[PoseSample] = []
    cues = list(_cues(path, text))
    for cue in cues:
        where = f"{path}: line {cue.line}"
        if samples and cue.time_us <= samples[-1].time_us:
            raise MetadataError(f"{where}: the cue's time does not advance: the file is damaged")
        lat, lon = _position(cue, where)
        if lat == 0 and lon == 0:
            continue
        yaw, pitch, roll = _attitude(cue, where, attitude)
        altitude = _altitude(cue, where, home_amsl_m)
        pose = CameraPose(lat, lon, altitude, yaw, pitch, roll, sigma or POSE_SIGMAS["srt"])
        samples.append(PoseSample(cue.time_us, pose))
    if not samples:
        raise MetadataError(f"{path}: line 1: no cue has a position fix: this is not usable telemetry")
    return PoseTrack(samples, absolute=False, origin="srt", local_start=_local_start(cues))


def _local_start(cues: Iterable[_Cue]) -> datetime | None:
    """When the first picture was taken by the aircraft's clock, which may be set on the way: by most of the cues."""
    starts = [moment - timedelta(microseconds=cue.time_us) for cue in cues if (moment := _date(cue.text)) is not None]
    return statistics.median_low(starts) if starts else None


def _date(text: str) -> datetime | None:
    """The date in a cue; None where there is none, or one that cannot be."""
    match = _DATE.search(text)
    if match is None:
        return None
    year, month, day, hour, minute, second, thousandths = (int(group or 0) for group in match.groups())
    try:
        # Nobody tells its zone.
        return datetime(year, month, day, hour, minute, second, thousandths * 1000)  # noqa: DTZ001
    except ValueError:
        return None


def _cues(path: str | Path, text: str) -> Iterator[_Cue]:
    lines = text.splitlines()
    starts = [(n, match) for n, line in enumerate(lines) if (match := _CUE.search(line))]
    if not starts:
        raise MetadataError(f"{path}: line 1: no subtitle cue (hh:mm:ss,mmm --> ...): this is not a DJI .SRT file")
    for (n, match), following in zip(starts, [*(m for m, _ in starts[1:]), len(lines) + 1], strict=True):
        hours, minutes, seconds, millis = (int(group) for group in match.groups())
        time_us = ((hours * 60 + minutes) * 60 + seconds) * 1_000_000 + millis * 1000
        yield _Cue(n + 1, time_us, "\n".join(lines[n + 1 : following - 1]))


def _position(cue: _Cue, where: str) -> tuple[float, float]:
    for pattern, lat_group, lon_group in _POSITIONS:
        if match := pattern.search(cue.text):
            lat, lon = float(match[lat_group]), float(match[lon_group])
            if abs(lat) > 90 or abs(lon) > 180:
                raise MetadataError(f"{where}: position {lat}, {lon} is outside the range of degrees")
            return lat, lon
    raise MetadataError(f"{where}: the cue has no position: the file is cut short, or this aircraft records none")


def _altitude(cue: _Cue, where: str, home_amsl_m: float | None) -> Altitude:
    above_home = next((float(m[1]) for pattern in _ABOVE_HOME if (m := pattern.search(cue.text))), None)
    if above_home is not None and home_amsl_m is not None:
        return Altitude(above_home + home_amsl_m, Datum.AMSL)
    if match := _ABOVE_SEA.search(cue.text):
        return Altitude(float(match[1]), Datum.AMSL)
    if above_home is None:
        raise MetadataError(f"{where}: the cue has no height: the file is cut short, or this aircraft records none")
    return Altitude(above_home, Datum.AGL)


def _attitude(cue: _Cue, where: str, given: tuple[float, float, float] | None) -> tuple[float, float, float]:
    for pattern, *groups in _ATTITUDES:
        if match := pattern.search(cue.text):
            yaw, pitch, roll = (float(match[group]) for group in groups)
            return math.fmod(yaw + 360.0, 360.0), pitch, roll
    if given is None:
        raise MetadataError(
            f"{where}: this aircraft records no gimbal angles: give the camera's yaw, pitch and roll (--attitude)"
        )
    return given
