"""Several streams in one process beside the bare model run on as many pictures at once, their shares, and memory.

The peer of four files is the model's session on the same pictures, prepared beforehand, four at a time, its output not
looked at: no pipeline of one detector could be faster. Cameras that send more than can be looked at must each get the
same share. Memory is that of a whole watch that goes on: decoding, detection, tracking, crossings, evidence.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from bench.flight import rendered_flight
from bench.rows import BenchError, Row, wanted
from geo import CameraModel
from vision import (
    Crossing,
    Detector,
    EvidenceRef,
    EvidenceWriter,
    Frame,
    PixelLine,
    SourceCounts,
    Stream,
    Track,
    TrackerSettings,
    WatchSettings,
    bare_rate,
    open_source,
    watch,
    watch_streams,
)
from vision.live import LiveQueue
from vision.media import Picture

__all__ = ["blobs", "stream_rows"]

_STREAMS = 4
_ROUNDS = 3
_PICTURES = 60
_LIVE_S, _LIVE_HZ = 12.0, 25.0
_EPOCH_US = 1_780_000_000_000_000
_MEMORY_S = {"memory/10-minutes": 600, "memory/hour": 3600}
_MEMORY_HZ = 2
_SIZE = (512, 640)


def stream_rows(data: Path | None, only: str | None) -> Iterator[Row]:
    """Measure; ``memory/hour`` takes several minutes, and is measured where it is asked for by its name.

    Parameters
    ----------
    data, only
        As in `bench.vision.rows`.
    """
    with tempfile.TemporaryDirectory() as folder:
        if wanted(f"streams/{_STREAMS}", only):
            yield _files_row(data, Path(folder))
        if wanted(f"streams/{_STREAMS}-live", only):
            yield _live_row()
        for name, seconds in _MEMORY_S.items():
            if only == name or (name != "memory/hour" and wanted(name, only)):
                yield _memory_row(name, seconds, Path(folder))


def blobs(index: int, seed: int = 7, size: tuple[int, int] = _SIZE) -> NDArray[np.uint8]:
    """Noise with warm blobs that move, shape (height, width, 3): pictures that cost a detector what real ones do."""
    rng = np.random.default_rng(seed)
    ground = rng.normal(90, 12, size).clip(0, 255).astype(np.uint8)
    picture: NDArray[np.uint8] = np.roll(ground, 6 * index, axis=1)
    for k in range(8):
        x, y = (60 + 70 * k + 3 * index) % (size[1] - 20), 40 + 50 * k
        picture[y : y + 18, x : x + 9] = 235
    return np.repeat(picture[..., None], 3, axis=2)


def _video(path: Path, count: int, hz: int, seed: int) -> Path:
    """A recording of `blobs`."""
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=hz)
        video.height, video.width = _SIZE
        video.pix_fmt, video.gop_size = "yuv420p", 4 * hz
        video.options = {"preset": "ultrafast", "crf": "30"}
        for index in range(count):
            frame = av.VideoFrame.from_ndarray(blobs(index, seed), format="bgr24")
            frame.pts, frame.time_base = index, Fraction(1, hz)
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
    return path


def _files_row(data: Path | None, folder: Path) -> Row:
    """Four files with their decoding, against the session alone on four prepared pictures at a time."""
    if data is None:
        detector = Detector(several=True)
        videos = [_video(folder / f"{k}.mp4", _PICTURES, 10, seed=k) for k in range(_STREAMS)]
    else:
        detector = Detector(data / "weights" / "coco-yolo11n.onnx", kinds=("person",), several=True)
        videos = [data / "videos" / "vtest.avi"] * _STREAMS
    with open_source(videos[0]) as source:
        images = [frame.image for frame, _ in zip(source, range(_PICTURES), strict=False)]
    line = _middle(images[0])
    detector.detect(images[:_STREAMS])
    rounds = [(bare_rate(detector, images, batch=_STREAMS), _together(videos, detector, line)) for _ in range(_ROUNDS)]
    peer, ours = max(bare.per_second for bare, _ in rounds), max(rate for _, (rate, _) in rounds)
    peer_ms, own_ms = min(bare.cpu_ms for bare, _ in rounds), min(spent for _, (_, spent) in rounds)
    ratio = ours / peer
    beside = f"bare {detector.backend} session, {_STREAMS} at once, {peer_ms:.1f} CPU ms a frame, ours {own_ms:.1f}"
    return Row(f"streams/{_STREAMS}", ours, "frames/s", beside, peer, ratio, "ratio >= 0.9", ratio >= 0.9)


def _together(videos: Sequence[Path], detector: Detector, line: PixelLine) -> tuple[float, float]:
    """Frames a second of all videos, watched at once, and processor milliseconds of one."""
    sources = [open_source(video) for video in videos]
    streams = [
        Stream((f for f, _ in zip(source, range(_PICTURES), strict=False)), line=line, name=f"{k}")
        for k, source in enumerate(sources)
    ]
    wall, cpu = time.perf_counter(), time.process_time()
    outcomes = watch_streams(streams, detector)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    for source in sources:
        source.close()
    frames = sum(_frames_of(outcome.result) for outcome in outcomes)
    return frames / wall, 1e3 * cpu / frames


def _frames_of(result: object) -> int:
    frames = getattr(result, "frames", 0)
    if not frames:
        raise BenchError("a stream of the measurement gave no frames")
    return int(frames)


class _Camera:
    """A camera that sends at its own pace; what nobody takes in time is dropped, the oldest first."""

    live = True
    has_pose = False

    def __init__(self, name: str, pictures: Sequence[NDArray[np.uint8]], hz: float, seconds: float) -> None:
        self.name, self.counts = name, SourceCounts()
        self._pictures, self._hz, self._count = pictures, hz, round(hz * seconds)

    def _events(self) -> Iterator[Picture]:
        start = time.perf_counter()
        for index in range(self._count):
            time.sleep(max(0.0, start + index / self._hz - time.perf_counter()))
            image = self._pictures[index % len(self._pictures)]
            yield Picture(round(index * 1e6 / self._hz), index, _SIZE, lambda image=image: image.copy())  # type: ignore[misc]

    def __iter__(self) -> Iterator[Frame]:
        for event in LiveQueue(self._events(), self.counts):
            if isinstance(event, Picture):
                yield Frame(event.pixels(), _EPOCH_US + event.pts_us, event.index, event.pts_us / 1e6)


def _live_row() -> Row:
    """The smallest share that one of four cameras gets, over the largest, when they send more than can be seen."""
    detector = Detector()
    pictures = [blobs(index) for index in range(20)]
    detector.detect(pictures[:_STREAMS])
    cameras = [_Camera(f"{k}", pictures, _LIVE_HZ, _LIVE_S) for k in range(_STREAMS)]
    outcomes = watch_streams([Stream(one, line=_middle(pictures[0])) for one in cameras], detector)
    frames = [_frames_of(outcome.result) for outcome in outcomes]
    share = min(frames) / max(frames)
    return Row(f"streams/{_STREAMS}-live", share, "least over largest share", goal=">= 0.9", met=share >= 0.9)


def _memory_row(name: str, seconds: int, folder: Path) -> Row:
    """What the process grows by between the first fifth of a long watch and the last.

    It is of a rendered flight over people that is played again and again, each time from the opening of the file on,
    with later times: poses, tracks, crossings and their evidence, which is not kept.
    """
    flight = rendered_flight(folder, CameraModel(_SIZE[1], _SIZE[0], 1125.0), seconds=14.0, fps=10)
    resident: list[float] = []
    watched = _Again(flight.video, seconds, folder)
    result = watch(
        watched,
        Detector(confidence=TrackerSettings().low_score),
        border=flight.border,
        evidence=watched.keep,
        settings=WatchSettings(keep_tracks=False),
        progress=lambda _: resident.append(_resident_mb()),
    )
    fifth, sixth = len(resident) // 5, len(resident) // 6
    grown = float(np.median(resident[-fifth:]) - np.median(resident[fifth : 2 * fifth]))
    told = ", ".join(f"{part[-1]:.0f}" for part in np.split(np.array(resident[: 6 * sixth]), 6))
    said = f"resident after each sixth: {told} MB; {watched.kept} crossings with evidence"
    return Row(name, grown, "MB more", said, goal="<= 20", met=grown <= 20, seconds=result.seconds)


class _Again:
    """Frames of a recording, again and again with later times; and evidence of what is seen in them."""

    name, has_pose = "again", True

    def __init__(self, video: Path, seconds: int, folder: Path) -> None:
        self._video, self._seconds, self._folder = video, seconds, folder
        self._starts: deque[tuple[int, int]] = deque(maxlen=3)  # of each turn: its first time, and what is added
        self.kept = 0

    def __iter__(self) -> Iterator[Frame]:
        index = last_us = shift_us = 0
        first_us: int | None = None
        while first_us is None or last_us - first_us < self._seconds * 1e6:
            with open_source(self._video, fps=_MEMORY_HZ) as source:
                for frame in source:
                    if not last_us:
                        first_us = frame.time_us
                    elif frame.time_us + shift_us <= last_us:
                        shift_us = last_us + 3_000_000 - frame.time_us
                        self._starts.append((frame.time_us + shift_us, shift_us))
                    last_us = frame.time_us + shift_us
                    yield replace(frame, time_us=last_us, index=index)
                    index += 1

    def keep(self, crossing: Crossing, track: Track) -> EvidenceRef:
        """Cut it out of the recording where it was seen, and throw it away."""
        shift_us = next((shift for start, shift in reversed(self._starts) if crossing.time_us >= start), 0)
        with open_source(self._video) as source:
            writer = EvidenceWriter(self._folder / "evidence", source)
            seen = tuple(replace(one, time_us=one.time_us - shift_us) for one in track.observations)
            told = writer(replace(crossing, time_us=crossing.time_us - shift_us), replace(track, observations=seen))
            shutil.rmtree(writer.folder_of(crossing))
        self.kept += 1
        return told


def _resident_mb() -> float:
    """Memory of this process that is in use, megabytes."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except OSError as error:
        raise BenchError("memory is measured on Linux alone: leave the row out (--only)") from error
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def _middle(image: NDArray[np.uint8]) -> PixelLine:
    height, width = image.shape[:2]
    return PixelLine("middle", ((width / 2, height), (width / 2, 0)), "left")
