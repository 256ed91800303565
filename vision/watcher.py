"""State of one watch: frames with their boxes in, crossings out."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import CancelledError, Executor, Future
from dataclasses import dataclass, field, replace
from typing import Protocol

from vision.camera_motion import CameraMotion
from vision.crossing import CrossingRule, Outcome, Passage
from vision.ground import GroundSettings
from vision.live_picture import View
from vision.one_object import same_passage
from vision.open_ways import OpenWays
from vision.pace import Pace
from vision.picture_edge import comes_in, goes_out, reaches, size_of
from vision.records import Crossing, Custody, EvidenceRef, Method, ModelRef, OpenPassage
from vision.scene import Scene
from vision.tracker import Tracker, TrackerSettings
from vision.types import Detection, Frame, GroundTrack, Track

__all__ = ["EvidenceCutter", "WatchResult", "WatchSettings", "Watcher"]

# Two passages of one track the same way within this time are one, found again: there and back takes longer.
_SAME_S = 2.0
# A track that ended so long ago, or its memory, does not reach back to a passage: see `TrackerSettings.memory_s`.
_FORGET_S = 600.0


class EvidenceCutter(Protocol):
    """What keeps the picture of a crossing: given it and the track with its boxes, names what was written."""

    def __call__(self, crossing: Crossing, track: Track) -> EvidenceRef:
        """Write clip and manifest. Called in a thread of its own, one crossing after the other."""
        ...


@dataclass(frozen=True, slots=True)
class WatchSettings:
    """How a video is watched.

    Parameters
    ----------
    tracker, ground, rule
        Settings of the stages.
    batch
        Pictures of each stream that are handed to the detector at once. None: one where a stream is live, whose newest
        picture must not wait for others; of recordings, so many that all together are what the detector runs best at.
    ahead
        Length of each queue, frames.
    review_s
        How often open tracks are judged, seconds of video.
    keep_tracks
        Whether the result has the tracks. Over hours they are what takes memory.
    keep_s
        For how long crossings, and what may have been one, are kept for the result once they were handed on, seconds
        of video; None: to its end. A camera that is watched for weeks has no end.
    show_s
        How often `Stream.show` is handed what is seen, seconds of the machine's time.
    """

    tracker: TrackerSettings = field(default_factory=TrackerSettings)
    ground: GroundSettings = field(default_factory=GroundSettings)
    rule: CrossingRule = field(default_factory=CrossingRule)
    batch: int | None = None
    ahead: int = 8
    review_s: float = 1.0
    keep_tracks: bool = True
    keep_s: float | None = None
    show_s: float = 1.0


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
    tracks, track_count
        All tracks that counted, empty where they were not to be kept; and their number.
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
    without_evidence
        Why nothing was kept of a crossing, by its `source_id`: a full disk does not end the watch.
    open
        What may have been a passage, and nobody can tell, in the order of time.
    crossing_count
        Number of all crossings, of which `crossings` are those that are kept (`WatchSettings.keep_s`).
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
    track_count: int
    crossings: tuple[Crossing, ...]
    duplicates: int
    outcomes: dict[Outcome, int]
    turned_away: int = 0
    notes: tuple[str, ...] = ()
    without_evidence: Mapping[str, str] = field(default_factory=dict)
    open: tuple[OpenPassage, ...] = ()
    crossing_count: int = 0

    @property
    def frames_per_s(self) -> float:
        """Frames watched a second."""
        return self.frames / self.seconds if self.seconds else 0.0


@dataclass(frozen=True, slots=True, eq=False)
class _Made:
    """A passage that was handed on, and the way on which it was made."""

    passage: Passage
    way: GroundTrack


class Watcher:
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
        keeping: Executor,
        on_open: Callable[[OpenPassage], None] | None = None,
    ) -> None:
        self.scene, self.settings, self.name = scene, settings, name
        self.model, self.custody, self.evidence, self.on_crossing = model, custody, evidence, on_crossing
        self.frames = self.detections = self.without_pose = self.duplicates = self.track_count = self.turned_away = 0
        self.first_us = self.last_us = self.reviewed_us = self.without_view = 0
        self._size, self._pace = (0, 0), Pace()
        self.tracker = Tracker(settings.tracker)
        self.tracks: list[Track] = []
        self.crossings: deque[Crossing] = deque()
        self.crossing_count = 0
        self.outcomes: Counter[Outcome] = Counter()
        self._open = OpenWays(on_open, settings.keep_s)
        self.made: list[_Made] = []
        self.without_evidence: dict[str, str] = {}
        self._keeping = keeping
        self._waiting: deque[tuple[Crossing, Future[EvidenceRef] | None]] = deque()
        self._newest: tuple[Frame, Sequence[Detection], CameraMotion | None] | None = None

    def take(self, frame: Frame, detections: Sequence[Detection]) -> None:
        """One frame with its boxes."""
        self.frames += 1
        self.detections += len(detections)
        if self.frames == 1:
            self.first_us = frame.time_us
        self.last_us = frame.time_us
        self._pace.came(frame.time_us)
        self._size = size_of(frame)
        placed = self.scene.place(frame, detections)
        self._newest = frame, detections, None if placed is None else placed[0]
        on_ground = self.scene.method is Method.GROUND
        self.without_pose += on_ground and (frame.pose is None or frame.camera is None)
        self.without_view += frame.pose is not None and frame.camera is None
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

    def view(self) -> View | None:
        """What is seen in the newest frame; None before the first."""
        if self._newest is None:
            return None
        frame, found, motion = self._newest
        if motion is None:  # a frame that gave nothing: the tracker did not see it
            return View(frame, found)
        return View(frame, found, self.tracker.shown(), motion, self.scene.line)

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
            self.track_count,
            tuple(sorted(self.crossings, key=lambda crossing: (crossing.time_us, crossing.track_number))),
            self.duplicates,
            dict(self.outcomes),
            self.turned_away,
            (*self.scene.notes(), *self._pace.notes(), *self._open.notes(self.first_us)),
            dict(self.without_evidence),
            self._open.standing(),
            self.crossing_count,
        )

    def _close(self, track: Track) -> None:
        self.track_count += 1
        if self.settings.keep_tracks:
            self.tracks.append(track)
        outcome = self._review(track, ended=True)
        if outcome is not None:
            self.outcomes[outcome] += 1

    def _review(self, track: Track, *, ended: bool) -> Outcome | None:
        """Judge a track, hand on its passages that are due, and say what it did."""
        if not ended and not self._may_tell(track):
            return None  # smoothing a long way takes time, and most objects pass nothing
        way = self.scene.way(track, self.settings.ground)
        if way is None:
            return None
        begins, ends = reaches(track, way)
        way = replace(
            way,
            cut_in=begins and (track.start_us == self.first_us or comes_in(track, self._size)),
            cut_off=ended and ends and (track.end_us == self.last_us or goes_out(track, self._size)),
        )
        verdict = self.scene.judge(track, way, self.settings.rule)
        for passage in verdict.passages:
            if ended or self._is_due(passage.time_us):
                self._hand_on(passage, way, track)
        if verdict.open_at is None:
            return self._open.ended(way, verdict.outcome) if ended else verdict.outcome
        if any(made.way.number == way.number for made in self.made):
            return Outcome.CROSSED  # which is forgotten by now of its observations: see `TrackerSettings.memory_s`
        if ended or self._is_due(int(way.times_us[verdict.open_at])):
            opened = replace(self.scene.open_passage(verdict.open_at, way, self.name), custody=self.custody)
            self._open.found(opened, way, ended=ended)
        return verdict.outcome

    def _may_tell(self, track: Track) -> bool:
        """Whether there may be something to tell of a track that goes on: who is open is told once."""
        return self.scene.both_sides(track) or (
            self._is_due(track.start_us) and not self._open.knows(track.number) and self.scene.near_line(track)
        )

    def _is_due(self, time_us: int) -> bool:
        """Whether what a track that goes on did then is decided by now."""
        return self.last_us - time_us >= self.settings.rule.settle_s * 1e6

    def _hand_on(self, passage: Passage, way: GroundTrack, track: Track) -> None:
        unit = self.scene.unit(track)
        self._open.passed(way, passage.decided_us, unit=unit)
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
        kept = None if self.evidence is None else self._keeping.submit(self.evidence, crossing, track)
        self._waiting.append((crossing, kept))
        self.tell()

    def tell(self, *, wait: bool = False, abandon: bool = False) -> None:
        """Hand on crossings whose evidence is there, in the order in which they were decided.

        Parameters
        ----------
        wait
            Whether to wait for the evidence of all.
        abandon
            Whether to hand on the others without.
        """
        while self._waiting and (wait or abandon or self._waiting[0][1] is None or self._waiting[0][1].done()):
            crossing, kept = self._waiting.popleft()
            if kept is not None and (wait or kept.done()):
                try:
                    crossing = replace(crossing, evidence=kept.result())
                except CancelledError:
                    self.without_evidence[crossing.source_id] = "the watch was stopped before its clip was cut"
                except Exception as error:  # noqa: BLE001 - that somebody crossed is worth telling, whatever failed
                    self.without_evidence[crossing.source_id] = str(error) or type(error).__name__
            elif kept is not None:
                self.without_evidence[crossing.source_id] = "the watch was stopped before its clip was cut"
            self.crossings.append(crossing)
            self.crossing_count += 1
            if self.on_crossing is not None:
                self.on_crossing(crossing)
                self._forget()

    def _forget(self) -> None:
        """Let go of crossings that were handed on long ago."""
        keep_s = self.settings.keep_s
        if keep_s is None:
            return
        while self.crossings and self.last_us - self.crossings[0].time_us > keep_s * 1e6:
            self.without_evidence.pop(self.crossings.popleft().source_id, None)
