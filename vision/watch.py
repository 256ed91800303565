"""The pipeline: a video in, crossings out.

::

    decode --queue--> detect --queue--> track -> ground -> crossing -> evidence -> on_crossing
    (thread)          (thread)          (the caller's thread)

The queues are short, so a slow detector holds a file's decoder back and nothing is lost; a live source drops its oldest
frames by itself, and counts them.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from geo import Terrain
from vision.ahead import ahead
from vision.border import BorderLine
from vision.crossing import CrossingRule, Outcome, Passage, same_passage
from vision.errors import MetadataError
from vision.fixed import Homography, PixelLine
from vision.georeference import ErrorModel
from vision.ground import GroundSettings
from vision.scene import NO_METHOD, Scene, choose_scene
from vision.tracker import Tracker, TrackerSettings
from vision.types import Crossing, Custody, Detection, EvidenceRef, Frame, GroundTrack, Method, ModelRef, Track

__all__ = ["EvidenceCutter", "FrameDetector", "WatchResult", "WatchSettings", "watch"]

# Two passages of one track the same way within this time are one, found again: there and back takes longer.
_SAME_S = 2.0
# A track that ended so long ago, or its memory, does not reach back to a passage: see `TrackerSettings.memory_s`.
_FORGET_S = 600.0


class FrameDetector(Protocol):
    """What finds objects in pictures."""

    @property
    def model(self) -> ModelRef:
        """The model it runs."""
        ...

    def detect(self, images: Sequence[NDArray[np.uint8]]) -> list[list[Detection]]:
        """Boxes of each picture."""
        ...


@runtime_checkable
class PoseDetector(FrameDetector, Protocol):
    """What finds objects with the help of what a frame says of its camera."""

    def detect_frames(self, frames: Sequence[Frame]) -> list[list[Detection]]:
        """Detections of each frame."""
        ...


class EvidenceCutter(Protocol):
    """What keeps the picture of a crossing: given it and the track with its boxes, names what was written."""

    def __call__(self, crossing: Crossing, track: Track) -> EvidenceRef:
        """Write clip and manifest."""
        ...


@dataclass(frozen=True, slots=True)
class WatchSettings:
    """How a video is watched.

    Parameters
    ----------
    tracker, ground, rule
        Settings of the stages.
    batch
        Pictures handed to the detector at once.
    ahead
        Length of each queue, frames.
    review_s
        How often open tracks are judged, seconds of video.
    """

    tracker: TrackerSettings = field(default_factory=TrackerSettings)
    ground: GroundSettings = field(default_factory=GroundSettings)
    rule: CrossingRule = field(default_factory=CrossingRule)
    batch: int = 1
    ahead: int = 8
    review_s: float = 1.0


@dataclass(frozen=True, slots=True)
class WatchResult:
    """What was seen.

    Parameters
    ----------
    source, method
        Name of the source, and how crossings were decided.
    frames, detections
        Pictures watched, and boxes found in them.
    seconds, video_s
        Time it took, and time from the first to the last exposure.
    dropped, without_pose
        Frames that a live source lost, and frames that gave nothing because they had no pose.
    tracks
        All tracks that counted.
    crossings
        In the order of time.
    duplicates
        Passages left out because another track of the same object had made them.
    outcomes
        How many tracks did what; empty for method "pixel".
    turned_away
        Frames that gave nothing because the fixed camera did not look where its line was drawn.
    notes
        What a person should know of the camera.
    """

    source: str
    method: Method
    frames: int
    detections: int
    seconds: float
    video_s: float
    dropped: int
    without_pose: int
    tracks: tuple[Track, ...]
    crossings: tuple[Crossing, ...]
    duplicates: int
    outcomes: dict[Outcome, int]
    turned_away: int = 0
    notes: tuple[str, ...] = ()

    @property
    def frames_per_s(self) -> float:
        """Frames watched a second."""
        return self.frames / self.seconds if self.seconds else 0.0


def watch(
    source: Iterable[Frame],
    detector: FrameDetector,
    *,
    border: BorderLine | None = None,
    homography: Homography | None = None,
    line: PixelLine | None = None,
    terrain: Terrain | None = None,
    name: str | None = None,
    custody: Custody | None = None,
    evidence: EvidenceCutter | None = None,
    progress: Callable[[int], None] | None = None,
    on_crossing: Callable[[Crossing], None] | None = None,
    settings: WatchSettings | None = None,
    scene: Scene | None = None,
) -> WatchResult:
    """Watch a video for crossings.

    Parameters
    ----------
    source
        Frames in the order of time: an opened `Source`, or any iterable of frames.
    detector
        What finds objects; its least score should be the tracker's `low_score`.
    border
        The line on the ground; needed for a camera with a pose and with `homography`.
    homography
        Of a fixed camera without a pose.
    line
        In the picture of a fixed camera; used when there is no border.
    terrain
        The ground; without it, a level one at the elevation that the video tells.
    name
        Of the source in the crossings; else the source's own.
    custody
        Purpose, owner, marking and retention of the records.
    evidence
        Called with each crossing and its track before it is handed on.
    progress
        Called with the number of frames watched so far.
    on_crossing
        Called with each crossing as soon as it is decided.
    settings
        How.
    scene
        The way to decide, new for each watch, instead of border, homography, line and terrain.

    Raises
    ------
    MetadataError
        When there is no way to decide: no pose and neither homography nor line; or a pose or homography and no border.
    VisionError
        As the source, the detector and the evidence do.
    """
    settings = settings or WatchSettings()
    name = name or str(getattr(source, "name", "video"))
    if scene is None:
        if border is None and line is None:
            raise MetadataError(
                f"{name}: no line to watch: give a border file, or for a fixed camera a line in its picture"
            )
        has_pose = bool(getattr(source, "has_pose", True))
        clock_s = getattr(source, "clock_sigma_s", None)
        errors = None if clock_s is None else ErrorModel(timing_s=clock_s)
        scene = choose_scene(
            has_pose, name, border=border, homography=homography, line=line, terrain=terrain, errors=errors
        )
    watcher = _Watcher(
        scene,
        settings,
        name=name,
        model=detector.model,
        custody=custody or Custody(),
        evidence=evidence,
        on_crossing=on_crossing,
    )
    start = time.perf_counter()
    frames = ahead(source, settings.ahead)
    detected = ahead(_detect(frames, detector, settings.batch), settings.ahead)
    try:
        for frame, detections in detected:
            watcher.take(frame, detections)
            if progress is not None:
                progress(watcher.frames)
    finally:
        detected.close()
        frames.close()
    if watcher.frames and not scene.ready:
        raise MetadataError(NO_METHOD.format(name=name))
    watcher.finish()
    dropped = int(getattr(getattr(source, "counts", None), "dropped", 0))
    return watcher.result(time.perf_counter() - start, dropped)


def _detect(frames: Iterator[Frame], detector: FrameDetector, batch: int) -> Iterator[tuple[Frame, list[Detection]]]:
    """Frames with what was found in them."""
    while taken := list(islice(frames, batch)):
        if isinstance(detector, PoseDetector):
            found = detector.detect_frames(taken)
        else:
            found = detector.detect([frame.image for frame in taken])
        yield from zip(taken, found, strict=True)


@dataclass(frozen=True, slots=True, eq=False)
class _Made:
    """A passage that was handed on, and the way on which it was made."""

    passage: Passage
    way: GroundTrack


class _Watcher:
    """State of one watch: the tracker, and what was decided so far."""

    def __init__(
        self,
        scene: Scene,
        settings: WatchSettings,
        *,
        name: str,
        model: ModelRef,
        custody: Custody,
        evidence: EvidenceCutter | None,
        on_crossing: Callable[[Crossing], None] | None,
    ) -> None:
        self.scene, self.settings, self.name = scene, settings, name
        self.model, self.custody, self.evidence, self.on_crossing = model, custody, evidence, on_crossing
        self.frames = self.detections = self.without_pose = self.duplicates = self.turned_away = 0
        self.first_us = self.last_us = self.reviewed_us = 0
        self.tracker = Tracker(settings.tracker)
        self.tracks: list[Track] = []
        self.crossings: list[Crossing] = []
        self.outcomes: Counter[Outcome] = Counter()
        self.made: list[_Made] = []

    def take(self, frame: Frame, detections: Sequence[Detection]) -> None:
        """One frame with its boxes."""
        self.frames += 1
        self.detections += len(detections)
        self.first_us = self.first_us or frame.time_us
        self.last_us = frame.time_us
        placed = self.scene.place(frame, detections)
        on_ground = self.scene.method is Method.GROUND
        self.without_pose += on_ground and (placed is None or frame.pose is None)
        if placed is None:
            self.turned_away += not on_ground
            return
        motion, ground = placed
        for track in self.tracker.update(detections, frame.time_us, frame.index, motion, ground):
            self._close(track)
        if frame.time_us - self.reviewed_us >= self.settings.review_s * 1e6:
            self.reviewed_us = frame.time_us
            for track in self.tracker.active():
                self._review(track, ended=False)

    def finish(self) -> None:
        """The video is over."""
        for track in self.tracker.finish():
            self._close(track)

    def result(self, seconds: float, dropped: int) -> WatchResult:
        """All that was seen."""
        return WatchResult(
            self.name,
            self.scene.method,
            self.frames,
            self.detections,
            seconds,
            (self.last_us - self.first_us) / 1e6,
            dropped,
            self.without_pose,
            tuple(self.tracks),
            tuple(sorted(self.crossings, key=lambda crossing: (crossing.time_us, crossing.track_number))),
            self.duplicates,
            dict(self.outcomes),
            self.turned_away,
            tuple(self.scene.notes()),
        )

    def _close(self, track: Track) -> None:
        self.tracks.append(track)
        outcome = self._review(track, ended=True)
        if outcome is not None:
            self.outcomes[outcome] += 1

    def _review(self, track: Track, *, ended: bool) -> Outcome | None:
        """Judge a track, hand on its passages that are due, and say what it did."""
        way = self.scene.way(track, self.settings.ground)
        if way is None:
            return None
        passages, outcome = self.scene.judge(track, way, self.settings.rule)
        for passage in passages:
            if ended or self.last_us - passage.time_us >= self.settings.rule.settle_s * 1e6:
                self._hand_on(passage, way, track)
        return outcome

    def _hand_on(self, passage: Passage, way: GroundTrack, track: Track) -> None:
        unit = self.scene.unit(track)
        for made in self.made:
            if made.way.number == way.number:
                if made.passage.direction is passage.direction and (
                    abs(made.passage.time_us - passage.time_us) < _SAME_S * 1e6
                ):
                    return  # the same one, at a later review
            elif same_passage(made.passage, made.way, passage, way, unit=unit):
                self.duplicates += 1
                self.made.append(_Made(passage, way))
                return
        self.made = [m for m in self.made if self.last_us - m.passage.time_us < _FORGET_S * 1e6]
        self.made.append(_Made(passage, way))
        crossing = replace(self.scene.crossing(passage, way, self.name), model=self.model, custody=self.custody)
        if self.evidence is not None:
            crossing = replace(crossing, evidence=self.evidence(crossing, track))
        self.crossings.append(crossing)
        if self.on_crossing is not None:
            self.on_crossing(crossing)
