"""The whole watch (decode, detect, track, georeference, crossing, clip) of a 720p video, beside others that watch it.

Ours runs as ``vedette watch`` does, with evidence of each crossing. Beside it, in turns, best of `_ROUNDS`:

- ``bare``: the session of the same engine and model, on prepared pictures, its output not looked at; as many of them at
  once as ours hands over, which takes less of the processor; ``bare-single``: one after the other, as peers have it.
- ``ultralytics``: ``model.track(stream=True)``; as it comes, and with ByteTrack, which takes less time.
- ``supervision``: ONNX Runtime, ByteTrack of trackers and a `LineZone` in a loop.

Peers run the same model file at the same input size on the same cores, in processes of their own
(``make vision-peers``); the session of ultralytics takes as many threads as it likes. They do neither georeference nor
clips.

Where others use the processor too, whoever has more threads gets more of it, and figures by the clock say nothing: the
bare session, which would use all of it, tells how much there was, and below `_QUIET` of it no goal is judged. Processor
milliseconds hold then as well, a little higher for all.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av

from bench.flight import rendered_flight
from bench.rows import BenchError, Row, wanted
from bench.vision_peers import peer_says
from geo import CameraModel, LocalFrame
from vision import (
    SHIPPED_MODEL,
    BorderLine,
    Detector,
    EvidenceWriter,
    Homography,
    KnownPoint,
    TrackerSettings,
    bare_rate,
    letterbox,
    open_source,
    watch,
)
from vision.graphics import GRAPHICS

__all__ = ["rows"]

_THREADS = 2
_ROUNDS = 2
_QUIET = 0.85
_SIZE = 1280, 720
_SECONDS, _HZ = 14.0, 10
_LAT, _LON = 31.333, -110.94


@dataclass(frozen=True, eq=False)
class _Job:
    """A video, what looks at it and for what."""

    video: Path
    detector: Detector
    model: Path
    border: BorderLine
    homography: Homography | None
    classes: list[int]


@dataclass(frozen=True, slots=True)
class _Spent:
    """Frames a second by the clock, and processor milliseconds a frame."""

    per_second: float
    cpu_ms: float

    @property
    def share(self) -> float:
        """Of the processor time that `_THREADS` cores had while it ran."""
        return self.per_second * self.cpu_ms / 1e3 / _THREADS


_GOALS = {"bare": 0.9, "bare-single": None, "ultralytics": 1.5, "ultralytics-bytetrack": None, "supervision": 1.3}


def rows(data: Path | None, only: str | None) -> Iterator[Row]:
    """Measure.

    Parameters
    ----------
    data
        Folder with ``videos/vtest.avi``, which is scaled to 720p and watched with four known points, and
        ``weights/coco-yolo11n.onnx``; None: a rendered flight with ST 0601 metadata, and the shipped model.
    only
        As in `bench.vision.rows`.
    """
    asked = [name for name in _GOALS if wanted(f"end_to_end/{name}", only)]
    if not asked:
        return
    with tempfile.TemporaryDirectory() as folder, _on_cores(_THREADS):
        yield from _measured(_made(data, Path(folder)), asked, Path(folder))


def _measured(job: _Job, asked: list[str], folder: Path) -> Iterator[Row]:
    with open_source(job.video) as source:
        pictures = [frame.image for frame, _ in zip(source, range(60), strict=False)]
    job.detector.detect(pictures[:1])
    height, width = pictures[0].shape[:2]
    box = letterbox((width, height), job.detector.image_size)
    peers: dict[str, Callable[[], _Spent]] = {
        "bare": lambda: _of_bare(job, pictures, job.detector.at_once),
        "bare-single": lambda: _of_bare(job, pictures, 1),
        "ultralytics": lambda: _of_peer("ultralytics", job, (box.height, box.width), folder),
        "ultralytics-bytetrack": lambda: _of_peer(
            "ultralytics", job, (box.height, box.width), folder, tracker="bytetrack.yaml"
        ),
        "supervision": lambda: _of_peer("supervision", job, (box.height, box.width), folder),
    }
    session = f"bare {job.detector.backend} session"
    titles = {"bare": f"{session}, {job.detector.at_once} at once", "bare-single": f"{session}, one after the other"}
    ours: list[_Spent] = []
    theirs: dict[str, list[_Spent]] = {name: [] for name in asked}
    why: dict[str, str] = {}
    for _ in range(_ROUNDS):
        ours.append(_watched(job, folder))
        for name in asked:
            if name in why:
                continue
            try:
                theirs[name].append(peers[name]())
            except BenchError as error:
                why[name] = str(error)
    own = max(one.per_second for one in ours)
    cpu_ms = min(one.cpu_ms for one in ours)
    # Of the processor, by the session that leaves none of it idle; 1 where it was not asked for, or runs on a card.
    on_card = job.detector.backend.partition(":")[0] in GRAPHICS
    share = max((one.share for one in theirs.get("bare", []) if not on_card), default=1.0)
    for name in asked:
        goal = _GOALS[name]
        said = "" if goal is None else f"ratio >= {goal}"
        label = f"{titles.get(name, name)}, "
        if name in why:
            yield Row(f"end_to_end/{name}", own, "frames/s", f"{name}: {why[name]}", goal=said)
            continue
        peer = max(one.per_second for one in theirs[name])
        peer_ms = min(one.cpu_ms for one in theirs[name])
        label += f"{peer_ms:.0f} CPU ms a frame, ours {cpu_ms:.0f} ({job.detector.backend})"
        ratio = own / peer
        met = None if goal is None or share < _QUIET else ratio >= goal
        if share < _QUIET:
            label += f"; others use the processor, {share:.0%} of it was there: not judged"
        yield Row(f"end_to_end/{name}", own, "frames/s", label, peer, ratio, said, met)


def _watched(job: _Job, folder: Path) -> _Spent:
    """The whole watch, with evidence, from the opening of the video on."""
    wall, cpu = time.perf_counter(), time.process_time()
    with open_source(job.video) as source:
        result = watch(
            source,
            job.detector,
            border=job.border,
            homography=job.homography,
            evidence=EvidenceWriter(folder / "evidence", source),
        )
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    if not result.crossings or result.without_evidence:
        raise BenchError(f"the watch of {job.video.name} found no crossing, or kept no evidence of it: nothing to time")
    return _Spent(result.frames / wall, cpu * 1e3 / result.frames)


def _of_bare(job: _Job, pictures: list[Any], batch: int) -> _Spent:
    rate = bare_rate(job.detector, pictures, batch=batch)
    return _Spent(rate.per_second, rate.cpu_ms)


def _of_peer(name: str, job: _Job, image_size: tuple[int, int], folder: Path, *, tracker: str | None = None) -> _Spent:
    """A peer's figures. Raises BenchError with the reason where it does not run."""
    order = {
        "video": str(job.video),
        "model": str(job.model),
        "image_size": image_size,
        "confidence": TrackerSettings().low_score,
        "iou": 0.6,
        "threads": _THREADS,
        "classes": job.classes,
        "tracker": tracker,
    }
    figures = peer_says(f"bench.peer_{name}", order, folder)
    if figures["frames"] != _frames(job.video):
        raise BenchError(f"read {figures['frames']} of {_frames(job.video)} frames")
    return _Spent(figures["frames"] / figures["seconds"], 1e3 * figures["cpu_s"] / figures["frames"])


def _frames(video: Path) -> int:
    with open_source(video) as source:
        return sum(1 for _ in source)


def _made(data: Path | None, folder: Path) -> _Job:
    return _rendered(folder) if data is None else _scaled(data, folder)


def _rendered(folder: Path) -> _Job:
    """People over a border, from a drone that flies along it, with metadata."""
    flight = rendered_flight(folder, CameraModel(*_SIZE, 2250.0), seconds=_SECONDS, fps=_HZ)
    detector = Detector(confidence=TrackerSettings().low_score, threads=_THREADS, several=True)
    kinds = [number for number, name in detector.names.items() if name in {"person", "vehicle", "bicycle"}]
    return _Job(flight.video, detector, Path(SHIPPED_MODEL), flight.border, None, kinds)


def _scaled(data: Path, folder: Path) -> _Job:
    """The video of a fixed camera as 720p, its ground by four points that nobody surveyed: they cost what real ones do.

    The border runs up the middle of the picture.
    """
    path = folder / "vtest-720p.mp4"
    with open_source(data / "videos" / "vtest.avi") as source, av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=_HZ)
        video.width, video.height = _SIZE
        video.pix_fmt, video.options = "yuv420p", {"preset": "veryfast", "g": str(_HZ)}
        for frame, number in zip(source, range(round(_SECONDS * _HZ)), strict=False):
            picture = av.VideoFrame.from_ndarray(frame.image, format="bgr24").reformat(*_SIZE, format="yuv420p")
            picture.pts, picture.time_base = number, Fraction(1, _HZ)
            container.mux(video.encode(picture))
        container.mux(video.encode(None))
    local = LocalFrame(_LAT, _LON, 0.0)

    def place(east: float, north: float) -> tuple[float, float]:
        lat, lon, _ = local.to_geodetic(east, north, 0.0)
        return float(lat), float(lon)

    width, height = _SIZE
    corners = (
        (0.0, height, place(-6.0, 0.0)),
        (width, height, place(6.0, 0.0)),
        (0.8 * width, 0.2 * height, place(15.0, 40.0)),
        (0.2 * width, 0.2 * height, place(-15.0, 40.0)),
    )
    homography = Homography([KnownPoint(x, y, *ground) for x, y, ground in corners])
    ends = [place(0.0, north)[::-1] for north in (-20.0, 80.0)]
    model = data / "weights" / "coco-yolo11n.onnx"
    least = TrackerSettings().low_score
    detector = Detector(model, kinds=("person",), confidence=least, threads=_THREADS, several=True)
    return _Job(path, detector, model, BorderLine("middle", ends, "left"), homography, [0])


@contextmanager
def _on_cores(count: int) -> Iterator[None]:
    """Keep this process and those it starts to so many cores where the system can."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, set(sorted(cores)[:count]))
    try:
        yield
    finally:
        os.sched_setaffinity(0, cores)
