"""Sixteen 1080p streams in one process: absolute figures, with decoding on a device where there is one.

``streams/16`` is sixteen recordings as fast as they go; its peer is the model's session alone, in batches on prepared
pictures. ``streams/16-live`` is sixteen senders of 25 pictures a second over the network of this machine; what is not
looked at in time is dropped, and counted. Both are the whole watch of a flight with ST 0601 metadata: decoding,
detection, tracking, georeference, crossings; of recordings with evidence.

They say more of the machine than of the program, so they are measured where they are asked for by name. On two cores
without a card they take minutes.
"""

from __future__ import annotations

import itertools
import os
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from bench.card import CardUse
from bench.flight import rendered_flight
from bench.rows import BenchError, Row
from geo import CameraModel
from vision import (
    BackOff,
    BorderLine,
    Detector,
    EvidenceWriter,
    Frame,
    Source,
    Stream,
    StreamResult,
    TrackerSettings,
    WatchSettings,
    bare_rate,
    load_border,
    open_source,
    watch_streams,
)

__all__ = ["ManyStreams", "Watched", "many_rows"]

_SIZE, _FOCAL_PX = (1920, 1080), 3375.0
_SECONDS = 30.0
_STEADY_S = 6.0
_LOOK_S = 0.25
_PACKET = 188


@dataclass(frozen=True)
class ManyStreams:
    """What is measured.

    Parameters
    ----------
    videos
        MPEG-TS recordings with metadata; one is watched several times where there are fewer than `count`.
    border
        The line in them.
    count, hz
        Streams, and pictures a second of one.
    decode, backend, precision
        See `vision.open_source` and `vision.Detector`.
    frames
        Most pictures of a recording that are watched.
    """

    videos: Sequence[Path]
    border: BorderLine
    count: int = 16
    hz: float = 25.0
    decode: str = "auto"
    backend: str = "auto"
    precision: str = "f32"
    frames: int = 300

    def detector(self) -> Detector:
        """What looks at all of them."""
        return Detector(backend=self.backend, confidence=TrackerSettings().low_score, precision=self.precision)

    def pictures(self) -> list[Frame]:
        """The first pictures of a video."""
        with open_source(self.videos[0], decode=self.decode) as source:
            return list(itertools.islice(source, 64))

    def bare(self, detector: Detector) -> float:
        """Pictures a second of the session alone."""
        images = [frame.image for frame in self.pictures()]
        batch = detector.at_once
        rates = [bare_rate(detector, images, batch=min(batch, len(images))).per_second for _ in range(3)]
        return max(rates)

    def recordings(self, detector: Detector, folder: Path) -> Watched:
        """All of them as fast as they go."""
        with ExitStack() as stack:
            sources = [
                stack.enter_context(open_source(video, decode=self.decode))
                for video in itertools.islice(itertools.cycle(self.videos), self.count)
            ]
            return self._watched(
                detector,
                sources,
                [itertools.islice(source, self.frames) for source in sources],
                lambda k: EvidenceWriter(folder / f"evidence-{k}", sources[k]),
            )

    def live(self, detector: Detector) -> Watched:
        """All of them at the pace at which they were recorded."""
        with ExitStack() as stack:
            ports = [
                stack.enter_context(_sent(video, self.hz))
                for video in itertools.islice(itertools.cycle(self.videos), self.count)
            ]
            sources: list[Source | None] = [None] * self.count

            def opened(k: int) -> None:
                sources[k] = open_source(
                    f"tcp://127.0.0.1:{ports[k]}", decode=self.decode, back_off=BackOff(give_up_s=0)
                )

            threads = [threading.Thread(target=opened, args=(k,)) for k in range(self.count)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            there = [stack.enter_context(source) for source in sources if source is not None]
            if len(there) < self.count:
                raise BenchError(f"{self.count - len(there)} of {self.count} streams cannot be opened")
            return self._watched(detector, there, there, None)

    def _watched(
        self,
        detector: Detector,
        sources: Sequence[Source],
        frames: Sequence[Iterator[Frame]],
        evidence: Callable[[int], EvidenceWriter] | None,
    ) -> Watched:
        streams = [
            Stream(
                _Named(frames[k], source),
                border=self.border,
                name=f"{k}",
                evidence=evidence(k) if evidence is not None else None,
            )
            for k, source in enumerate(sources)
        ]
        looks = _Looks(sources)
        with CardUse() as card, looks:
            wall, cpu = time.perf_counter(), time.process_time()
            outcomes = watch_streams(streams, detector, settings=WatchSettings(keep_tracks=False))
            wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        return Watched(self, outcomes, [source.decoder for source in sources], wall, cpu, card, looks)


@dataclass(frozen=True, eq=False)
class Watched:
    """One run: results, where each stream was decoded, seconds of the clock and of the processor, the card."""

    order: ManyStreams
    outcomes: Sequence[StreamResult]
    decoders: Sequence[str]
    wall_s: float
    cpu_s: float
    card: CardUse
    looks: _Looks

    @property
    def frames(self) -> list[int]:
        """Pictures watched of each stream. Raises BenchError where one gave none."""
        counts = [outcome.result.frames if outcome.result is not None else 0 for outcome in self.outcomes]
        if not all(counts):
            why = next((outcome.error for outcome in self.outcomes if outcome.error), "no frames")
            raise BenchError(f"a stream of the measurement gave nothing ({why})")
        return counts

    @property
    def rate(self) -> float:
        """Pictures a second of all streams."""
        return sum(self.frames) / self.wall_s

    @property
    def crossings(self) -> int:
        """Found in all."""
        return sum(len(outcome.result.crossings) for outcome in self.outcomes if outcome.result is not None)

    def __str__(self) -> str:
        each = [count / self.wall_s for count in self.frames]
        where = ", ".join(f"{self.decoders.count(one)} on {one}" for one in sorted(set(self.decoders)))
        return (
            f"each {min(each):.1f} to {max(each):.1f}; decoded {where}; {self.cpu_s / self.wall_s:.1f} of "
            f"{os.cpu_count()} processors; {self.card}; {self.crossings} crossings"
        )


@dataclass(slots=True, eq=False)
class _Looks:
    """Counts of all sources over time, so that what happens while they are opened is told from what goes on."""

    sources: Sequence[Source]
    seen: list[tuple[float, int, int]] = field(default_factory=list)
    _over: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> None:
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._over.set()
        assert self._thread is not None
        self._thread.join()

    def _run(self) -> None:
        while not self._over.wait(_LOOK_S):
            counts = [source.counts for source in self.sources]
            self.seen.append(
                (time.perf_counter(), sum(one.delivered for one in counts), sum(one.dropped for one in counts))
            )

    def steady(self) -> tuple[float, float]:
        """Pictures delivered and dropped a second, from `_STEADY_S` after the begin to as long before the end."""
        times = np.array([at for at, _, _ in self.seen])
        inside = [
            one for one, at in zip(self.seen, times, strict=True) if times[0] + _STEADY_S <= at <= times[-1] - _STEADY_S
        ]
        if len(inside) < 2:
            raise BenchError(f"the streams lasted no longer than {2 * _STEADY_S:g} s: give longer ones")
        first, last = inside[0], inside[-1]
        return (last[1] - first[1]) / (last[0] - first[0]), (last[2] - first[2]) / (last[0] - first[0])


class _Named:
    """Some frames of a source, and what the watch asks of that."""

    def __init__(self, frames: Iterator[Frame], source: Source) -> None:
        self._frames, self._source = frames, source

    def __getattr__(self, name: str) -> object:
        return getattr(self._source, name)

    def __iter__(self) -> Iterator[Frame]:
        return self._frames


def many_rows(data: Path | None, only: str | None) -> Iterator[Row]:
    """Measure where it is asked for by name.

    Parameters
    ----------
    data
        Folder with ``streams/*.ts`` and ``streams/border.geojson``; None renders one, which takes minutes.
    only
        ``streams/16`` or ``streams/16-live``.
    """
    if only not in {"streams/16", "streams/16-live"}:
        return
    with tempfile.TemporaryDirectory() as folder:
        order = _order(data, Path(folder))
        detector = order.detector()
        detector.detect([frame.image for frame in order.pictures()][: detector.at_once])
        wanted_hz = order.count * order.hz
        if only == "streams/16":
            peer = order.bare(detector)
            done = order.recordings(detector, Path(folder))
            said = (
                f"bare {detector.backend}, {detector.at_once} at once; {done.rate / wanted_hz:.2f} of real time; {done}"
            )
            yield Row(only, done.rate, "frames/s", said, peer, done.rate / peer)
            return
        done = order.live(detector)
        rate, dropped = done.looks.steady()
        said = f"{rate / wanted_hz:.2f} of what is sent, {dropped:.1f} dropped a second; {detector.backend}; {done}"
        yield Row(only, rate, "frames/s", said, wanted_hz, rate / wanted_hz)


def _order(data: Path | None, folder: Path) -> ManyStreams:
    if data is None:
        flight = rendered_flight(folder, CameraModel(*_SIZE, _FOCAL_PX), seconds=_SECONDS, fps=25)
        return ManyStreams([flight.video], flight.border)
    videos = sorted((data / "streams").glob("*.ts"))
    if not videos:
        raise BenchError(f"{data / 'streams'}: holds no recordings (*.ts): leave --data out to have one rendered")
    return ManyStreams(videos, load_border(data / "streams" / "border.geojson"))


@contextmanager
def _sent(video: Path, hz: float) -> Iterator[int]:
    """Send a recording to whoever connects to a port, over as much time as it was recorded in."""
    with open_source(video, decode="software") as source:
        seconds = source.duration or 0.0
    data = video.read_bytes()
    listening = socket.create_server(("127.0.0.1", 0))
    ticks = max(1, round(seconds * hz))
    step = -(-len(data) // ticks // _PACKET) * _PACKET

    def run() -> None:
        try:
            connection, _ = listening.accept()
            with connection:
                start = time.perf_counter()
                for tick, at in enumerate(range(0, len(data), step)):
                    time.sleep(max(0.0, start + tick / hz - time.perf_counter()))
                    connection.sendall(data[at : at + step])
        except OSError:
            return  # whoever watched has gone

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield listening.getsockname()[1]
    finally:
        listening.close()
        thread.join(1.0)
