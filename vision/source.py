"""Any video opened with what tells its poses: a file, a folder, a stream, a camera."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Any

from geo import CameraModel, CameraPose, PoseSigma
from vision.calibration import Calibration
from vision.datum import check_undulation
from vision.decode import open_container
from vision.errors import MetadataError, SourceError
from vision.folder import open_folder
from vision.frames import Source
from vision.location import Location
from vision.mavlink_live import LivePoses, is_live_pose
from vision.media import SourceCounts
from vision.packets import PacketTrack
from vision.pose import Poses, PoseTrack
from vision.reconnect import BackOff
from vision.recorder import Recorder
from vision.sidecar import find_sidecar, read_sidecar
from vision.timing import microseconds

__all__ = ["open_source"]


def open_source(
    location: str | Path,
    *,
    pose: CameraPose | PoseTrack | LivePoses | str | Path | None = None,
    sidecar: bool = True,
    camera: CameraModel | None = None,
    hfov_deg: float | None = None,
    sigma: PoseSigma | None = None,
    calibration: Calibration | None = None,
    attitude: tuple[float, float, float] | None = None,
    home_amsl_m: float | None = None,
    undulation_m: float | None = None,
    fps: float | None = None,
    frame_rate: float | None = None,
    times_us: Sequence[int] | None = None,
    start_time: datetime | int | None = None,
    zone: tzinfo | None = None,
    clock_offset_s: float = 0.0,
    clock_sigma_s: float | None = None,
    threads: int = 2,
    back_off: BackOff | None = None,
    recorder: Recorder | None = None,
    decode: str = "auto",
) -> Source:
    """Open a video file, a folder of images, a network stream or a camera.

    Parameters
    ----------
    location
        Path of a file or folder, an ``rtsp``, ``rtmp``, ``udp``, ``rtp``, ``srt``, ``tcp`` or ``http`` URL, or a camera
        at this machine, see `Location.of`.
    pose
        A fixed camera's pose, a pose track, the path of a pose file (``.srt``, ``.csv``, ``.klv``, ``.tlog``), or for
        a live video the address at which the vehicle's telemetry comes, see `LivePoses`. None:
        the KLV in the video, else a pose file of the same stem beside it.
    sidecar
        Whether to look beside the video when `pose` is None.
    camera, hfov_deg
        Camera model, or its full horizontal field of view in degrees; they override the telemetry's.
    sigma
        One-sigma pose errors; None takes `POSE_SIGMAS` by origin.
    calibration
        Puts poses and camera right, see `vision.calibrate`.
    attitude, home_amsl_m
        For DJI files, see `read_srt`; for a ``.tlog`` without gimbal angles see `read_tlog`.
    undulation_m
        Height of the geoid above the ellipsoid there, metres: heights of poses above the ellipsoid become such above
        the sea by it. Without it they stay what they are, and put nothing on the ground.
    fps
        Analysis rate, frames a second; frames between are skipped by their times. None takes all.
    frame_rate, times_us
        For a folder: rate at which the images were taken (`fps` serves when this is None), or the time of each image,
        microseconds UTC.
    start_time
        UTC time of the first picture: a datetime with zone, or microseconds since the Unix epoch.
    zone
        Of the date and time in a DJI file, which is local: with it they tell when the video begins.
    clock_offset_s, clock_sigma_s
        To add to the time of a picture for the time of its pose, and one sigma of it where it is known, seconds: see
        `estimate_clock_offset`.
    threads
        Threads of the decoder, where the processor decodes.
    back_off
        When a live stream that breaks off is opened again, and how long it may be away; None takes `BackOff()`.
    recorder
        Keeps the last minutes of a live stream, for clips to be cut out of; a recording needs none.
    decode
        Where video is decoded, one of `DECODERS`: "auto" takes a device where there is one, "software" the processor.
        Where a device that was asked for does not serve, the processor decodes, and the problems of `Source.counts`
        say why.

    Returns
    -------
    Source
        A context manager that iterates over frames once.

    Raises
    ------
    SourceError
        When it is missing, empty, not a video, cannot be decoded at all, or the arguments do not fit.
    EvidenceError
        When the recorder serves another stream.
    MetadataError
        When a pose file that was named is not sound.
    """
    for what, rate in (("analysis rate", fps), ("rate of the images", frame_rate)):
        if rate is not None and not 0 < rate < math.inf:
            raise SourceError(f"{what} {rate} a second: give a number above 0")
    if not math.isfinite(clock_offset_s) or (clock_sigma_s is not None and not 0 <= clock_sigma_s < math.inf):
        raise SourceError(
            f"clock offset {clock_offset_s} s with sigma {clock_sigma_s}: give seconds, a sigma from 0 up"
        )
    check_undulation(undulation_m)
    start_us, counts = microseconds(start_time), SourceCounts()
    path = Location.of(str(location)).file
    with contextlib.ExitStack() as opened:
        track, let_go = _poses(pose, attitude=attitude, home_amsl_m=home_amsl_m, sigma=sigma)
        opened.callback(let_go)
        if path is not None and path.is_dir():
            media = open_folder(path, frame_rate or fps, times_us, counts)
        elif frame_rate is not None or times_us is not None:
            raise SourceError(
                f"{location}: is no folder of images, and its pictures have times of their own: leave the rate and the "
                "times of images out"
            )
        else:
            media = open_container(
                str(location), counts, threads=threads, back_off=back_off, recorder=recorder, decode=decode
            )
        opened.callback(media.close)
        if camera is None and hfov_deg is not None:
            camera = CameraModel.from_fov(media.width, media.height, hfov_deg)
        telemetry = PacketTrack(media, counts, sigma)
        head = telemetry.probe()
        beside = find_sidecar(path) if sidecar and pose is None and path and not telemetry.has_pose else None
        if beside is not None:
            try:
                track = read_sidecar(beside, attitude=attitude, home_amsl_m=home_amsl_m, sigma=sigma)
            except MetadataError as error:  # nobody named this file: the video can be watched without it
                counts.note(str(error))
        for note in track.notes if track is not None else ():
            counts.note(note)
        source = Source(
            replace(media, close=_both(media.close, let_go)),
            counts,
            telemetry,
            head,
            fixed=pose if isinstance(pose, CameraPose) else None,
            track=track,
            camera=camera,
            calibration=calibration,
            undulation_m=undulation_m,
            fps=fps,
            start_us=start_us,
            zone=zone,
            offset_us=round(clock_offset_s * 1e6),
            clock_sigma_s=clock_sigma_s,
            recorder=recorder if media.live else None,
        )
        opened.pop_all()
    return source


def _poses(
    pose: CameraPose | PoseTrack | LivePoses | str | Path | None, **more: Any
) -> tuple[Poses | None, Callable[[], None]]:
    """Poses over time, and what lets go of them."""
    if isinstance(pose, str) and is_live_pose(pose):
        live = LivePoses(pose, attitude=more["attitude"], sigma=more["sigma"])
        return live, live.close
    if isinstance(pose, str | Path):
        return read_sidecar(pose, **more), _nothing
    return (None if isinstance(pose, CameraPose) else pose), _nothing


def _nothing() -> None:
    """What was given belongs to whoever gave it."""


def _both(first: Callable[[], object], second: Callable[[], object]) -> Callable[[], None]:
    def close() -> None:
        try:
            first()
        finally:
            second()

    return close
