"""Behind ``vedette watch``: several videos opened, watched together by one detector, and told of."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, cast

import vision
from cli.arguments import InputError
from cli.stopping import ending_when_told
from cli.terminal import bars, complaints, console, note
from cli.watch_order import WatchOrder
from geo import Terrain, VedetteError

__all__ = ["Seen", "watch_videos"]

# Of streams, which may be watched for weeks, what was told at once is kept in memory for a day.
_KEEP_S = 86_400.0


@dataclass(frozen=True, eq=False)
class Seen:
    """What became of one video.

    Parameters
    ----------
    video
        As it was given, without passwords.
    error
        Why it was not watched to its end; None where it was.
    result, counts, time_basis
        What was seen; None where it could not be watched at all.
    detector
        Name of the model, and why it was taken.
    engine, why_slower
        What ran it, and why no faster engine did, where it was not asked for by name.
    decoder, why_software
        What decoded the video, and why no device did, where one was looked for.
    """

    video: str
    error: Exception | None
    result: vision.WatchResult | None = None
    counts: vision.SourceCounts | None = None
    time_basis: str | None = None
    detector: tuple[str, str] | None = None
    engine: str | None = None
    why_slower: tuple[str, ...] = ()
    decoder: str | None = None
    why_software: str = ""

    @property
    def name(self) -> str:
        """Short, for a line of text."""
        return Path(self.video).name

    def tell(self) -> None:
        """Say it."""
        if self.detector is not None:
            console.print(f"{self.name}: detector {self.detector[0]} ({self.detector[1]})", markup=False)
            engine = _because(f"on {self.engine}", self.why_slower)
            where = "in software" if self.decoder == "software" else f"on {self.decoder}"
            decoder = _because(f"decoded {where}", (self.why_software,))
            console.print(f"{self.name}: {engine}; {decoder}", markup=False, highlight=False)
        for problem in self.counts.problems if self.counts is not None else ():
            note(self.video, problem)
        for said in self.result.notes if self.result is not None else ():
            note(self.video, said)
        if self.result is not None:
            for crossing, why in self.result.without_evidence.items():
                complaints.print(f"note: crossing {crossing} is reported without evidence: {why}", markup=False)
            console.print(
                f"{self.name}: {self.result.frames} frames at {self.result.frames_per_s:.1f} a second, "
                f"{self.result.track_count} tracks, {self.result.crossing_count} crossings"
            )

    def to_json(self) -> dict[str, Any]:
        """As a record."""
        result = self.result
        return {
            "video": self.video,
            "error": None if self.error is None else str(self.error),
            "detector": None if self.detector is None else self.detector[0],
            "engine": self.engine,
            "why_slower": list(self.why_slower),
            "decoder": self.decoder,
            "why_software": self.why_software or None,
            "time_basis": self.time_basis,
            "method": None if result is None else result.method.value,
            "frames": 0 if result is None else result.frames,
            "seconds": None if result is None else round(result.seconds, 3),
            "video_s": None if result is None else round(result.video_s, 3),
            "tracks": 0 if result is None else result.track_count,
            "crossing_count": 0 if result is None else result.crossing_count,
            "crossings": [] if result is None else [crossing.source_id for crossing in result.crossings],
            "open": [] if result is None else [one.to_json() for one in result.open],
            "notes": [] if result is None else list(result.notes),
            "without_evidence": {} if result is None else dict(result.without_evidence),
            "counts": None if self.counts is None else asdict(self.counts),
        }


def _because(what: str, why: Sequence[str]) -> str:
    told = "; ".join(one for one in why if one)
    return f"{what} ({told})" if told else what


def watch_videos(
    videos: Sequence[str],
    order: WatchOrder,
    told: Callable[[vision.Crossing, Path | None], None] | None = None,
    show: Callable[[vision.Source, vision.View], None] | None = None,
    told_open: Callable[[vision.OpenPassage], None] | None = None,
) -> list[Seen]:
    """Watch videos, streams of the network all at once, recordings a few at a time; say what each gave.

    Ctrl-C ends all of them in good order. Of a recording the rest was not seen then, which is an error.

    Parameters
    ----------
    videos
        Files, folders or addresses.
    order
        How.
    told
        Called with each crossing when it is decided and its evidence is kept, and with the folder of that.
    show
        Called with what each live stream shows, once a second; it hands on and returns.
    told_open
        Called with what may have been a passage, and where it is taken back.

    Raises
    ------
    InputError
        When a video is given twice.
    VedetteError
        When there is one video and it cannot be watched at all.
    """
    places = [video if vision.is_live(video) else str(Path(video).resolve()) for video in videos]
    twice = next((video for video, place in zip(videos, places, strict=True) if places.count(place) > 1), None)
    if twice is not None:
        raise InputError(f"{vision.location_name(twice)}: is given twice: give each video once")
    detectors = _Detectors(order, several=len(videos) > 1 or not vision.is_live(videos[0]))
    seen: list[Seen] = []
    stopped = threading.Event()
    for group in _groups(videos, order.together):
        watched = _watch_group(
            group,
            order,
            detectors,
            told=told,
            show=show,
            told_open=told_open,
            stopped=stopped,
            alone=len(videos) == 1,
        )
        for one in watched:
            one.tell()
            if one.error is not None and len(videos) > 1:
                complaints.print(f"vedette: {one.error}", style="red", markup=False, highlight=False, soft_wrap=True)
            seen.append(one)
    return seen


def _groups(videos: Sequence[str], together: int) -> Iterator[Sequence[str]]:
    """What is watched at once. A stream does not end by itself, so nothing can come after it."""
    if any(vision.is_live(video) for video in videos):
        yield videos
        return
    for start in range(0, len(videos), together):
        yield videos[start : start + together]


class _Detectors:
    """One detector for each model, however many videos it serves; `several`: see `vision.Detector`."""

    def __init__(self, order: WatchOrder, *, several: bool) -> None:
        self._order, self._backend, self._several = order, _backend(order.engine), several
        self._plain: dict[Path, vision.Detector] = {}
        self.slicers: dict[Path, vision.SlicingDetector] = {}

    def choose(self, source: vision.Source) -> tuple[vision.FrameDetector, vision.Detector, str]:
        """What looks at a video, the detector in it, and why that."""
        order = self._order
        choice = None if order.model else vision.choose_model(source.first_image, order.sensor)
        path = choice.path if choice else vision.find_model(str(order.model))
        if path not in self._plain:
            self._plain[path] = vision.Detector(
                path,
                backend=self._backend,
                confidence=vision.TrackerSettings().low_score,
                precision=order.precision,
                several=self._several,
            )
        detector: vision.FrameDetector = self._plain[path]
        if order.slice_px is not None:
            rule = vision.SliceRule(order.slice_px)
            detector = self.slicers.setdefault(path, vision.SlicingDetector(self._plain[path], rule, order.ground))
        return detector, self._plain[path], f"{choice.sensor}, {choice.why}" if choice else "as given"


def _watch_group(
    videos: Sequence[str],
    order: WatchOrder,
    detectors: _Detectors,
    *,
    told: Callable[[vision.Crossing, Path | None], None] | None,
    show: Callable[[vision.Source, vision.View], None] | None,
    told_open: Callable[[vision.OpenPassage], None] | None,
    stopped: threading.Event,
    alone: bool,
) -> list[Seen]:
    """Watch some at once, unless the watch was stopped before; a signal sets `stopped`."""
    if stopped.is_set():
        names = map(vision.location_name, videos)
        return [Seen(name, vision.VisionError(f"{name}: was not watched: the watch was stopped")) for name in names]
    detectors.slicers.clear()
    with ExitStack() as stack:
        recorders = {
            video: stack.enter_context(vision.Recorder(order.evidence.parent, keep_s=order.keep_live_s))
            for video in videos
            if vision.is_live(video)
        }
        with ThreadPoolExecutor(len(videos), "vedette-open") as pool:  # a camera that does not answer takes seconds
            opened = list(pool.map(lambda video: _open(video, order, recorders.get(video)), videos))
        sources = {video: one for video, one in zip(videos, opened, strict=True) if isinstance(one, vision.Source)}
        for source in sources.values():
            stack.callback(source.close)
        errors = {video: one for video, one in zip(videos, opened, strict=True) if isinstance(one, VedetteError)}
        if alone and errors:
            raise errors[videos[0]]
        progress = stack.enter_context(bars())
        stack.enter_context(
            ending_when_told(partial(_stop, sources.values(), stopped), lambda: complaints.print("ending the watch"))
        )
        chosen = {video: detectors.choose(source) for video, source in sources.items()}
        streams = []
        for video, source in sources.items():
            task = progress.add_task(Path(source.name).name, total=None)
            writer = None if Path(video).is_dir() else vision.EvidenceWriter(order.evidence, source, key=order.key)
            streams.append(
                vision.Stream(
                    source,
                    border=order.border,
                    line=order.line,
                    homography=order.homography,
                    terrain=order.ground,
                    custody=order.custody,
                    evidence=writer,
                    on_crossing=None if told is None else _teller(told, writer),
                    on_open=told_open,
                    progress=lambda frames, task=task: progress.update(task, completed=frames),  # type: ignore[misc]
                    detector=chosen[video][0],
                    show=partial(show, source) if show is not None and source.live else None,
                )
            )
        settings = vision.WatchSettings(keep_tracks=False, keep_s=None if told is None else _KEEP_S)
        outcomes = vision.watch_streams(streams, settings=settings)
        found = dict(zip(sources, outcomes, strict=True))
        if alone and found[videos[0]].result is None:
            raise cast("Exception", found[videos[0]].error)
    for slicer in detectors.slicers.values():
        console.print(f"{slicer.sliced} of {slicer.frames} pictures were looked at once more, in {slicer.tiles} slices")
    return [
        Seen(vision.location_name(video), errors[video])
        if video in errors
        else _seen(sources[video], found[video], chosen[video])
        for video in videos
    ]


def _teller(
    told: Callable[[vision.Crossing, Path | None], None], writer: vision.EvidenceWriter | None
) -> Callable[[vision.Crossing], None]:
    def tell(crossing: vision.Crossing) -> None:
        told(crossing, None if writer is None or crossing.evidence is None else writer.folder_of(crossing))

    return tell


def _open(video: str, order: WatchOrder, recorder: vision.Recorder | None) -> vision.Source | VedetteError:
    how = order.opening()
    try:
        offset_s, sigma_s = (order.clock_offset_s, None)
        if offset_s is None:
            offset_s, sigma_s = _clock(video, how, order.ground)
        source = vision.open_source(video, clock_offset_s=offset_s, clock_sigma_s=sigma_s, recorder=recorder, **how)
    except VedetteError as error:
        return error
    try:
        if order.line is not None:
            order.line.check_within(source.width, source.height)
    except vision.BorderError as error:
        source.close()
        return error
    return source


def _clock(video: str, how: Mapping[str, Any], land: Terrain | None) -> tuple[float, float | None]:
    """Clock offset of a recording and its sigma, seconds; 0 where it cannot be told, which is said."""
    if vision.is_live(video):
        raise InputError(
            f"--clock-offset auto looks at a recording first, and {vision.location_name(video)} is live: give seconds"
        )
    with vision.open_source(video, **how) as source:
        if not source.has_pose:
            raise InputError(f"--clock-offset auto compares pictures with poses, and {video} has none: leave it out")
        found = vision.estimate_clock_offset(source, land)
    told = f"{Path(video).name}: {found}"
    if found.seconds is None:
        complaints.print(f"note: {told}; no offset is taken", markup=False)
        return 0.0, None
    console.print(told, markup=False)
    return found.seconds, found.sigma_s


def _stop(sources: Iterable[vision.Source], stopped: threading.Event) -> None:
    stopped.set()
    for source in sources:
        source.close()


def _seen(
    source: vision.Source,
    outcome: vision.StreamResult,
    chosen: tuple[vision.FrameDetector, vision.Detector, str],
) -> Seen:
    _, detector, why = chosen
    return Seen(
        source.name,
        outcome.error,
        outcome.result,
        source.counts,
        source.time_basis,
        (detector.model.name, why),
        detector.backend,
        detector.why_slower,
        source.decoder,
        source.why_software,
    )


def _backend(engine: str) -> str:
    """The backend of a detector that --engine names; raises InputError."""
    name, colon, number = engine.partition(":")
    if name not in vision.ENGINES:
        raise InputError(f"--engine {engine}: is none of {', '.join(vision.ENGINES)}: give one of these")
    return f"{vision.ENGINES[name]}{colon}{number}"
