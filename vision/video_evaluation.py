"""How good a whole watch is, on labelled video: boxes, tracks, crossings, and places on the ground.

Each recording is watched as `vision.watch` does it, by a detector that reports low scores, too; what it saw is kept
beside the labels, and the figures are those of all recordings together. Where something cannot be measured, the reason
stands where the figures would: never a number that means nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np

from geo import Terrain
from vision.border import BorderLine
from vision.box_scores import FrameBoxes, score_boxes, without_unjudged
from vision.detecting import FrameDetector
from vision.errors import VisionError
from vision.evaluate import Gates, Score, TrueCrossing, score
from vision.evaluation_result import Crossed, Evaluation, Places, RecordingNote, Unmeasured
from vision.fixed import Homography, PixelLine
from vision.place_samples import LabelledFrame, sightings_of
from vision.place_scores import PlaceSample
from vision.records import Crossing
from vision.scene import FixedScene, MovingScene, Scene, choose_scene, size_told
from vision.track_scores import FrameTracks, TrackScore, score_tracks
from vision.true_boxes import TruthBoxes
from vision.true_crossings import crossings_in_picture, crossings_on_ground
from vision.types import Frame, Observation, Track
from vision.video_truth import VideoTruth
from vision.watch import watch
from vision.watch_notes import NotedFrame, WatchNotes
from vision.watcher import WatchResult, WatchSettings

__all__ = ["EvaluationSettings", "VideoEvaluation", "foot_of"]

_NO_IDENTITY = Unmeasured("no identity in the truth")
_NO_LINE = Unmeasured("no line and no border was given")
_NO_TRACKS = Unmeasured("no true tracks on the ground: give the .tracks.geojson of the scenario")
_NO_GROUND = Unmeasured("nothing puts the picture on the ground: no camera pose and no known points")
_NOBODY = Unmeasured("no object was found whose true place is known")
# The whole of every track is compared.
_FOR_EVER_S = 1e6
# True crossings lie on the border; more is another border.
_OFF_BORDER_M = 2.0


@dataclass(frozen=True, slots=True)
class EvaluationSettings:
    """How is measured.

    Parameters
    ----------
    alarm
        Score of a box at which an operator would be told: for precision and recall of boxes.
    kinds
        Kinds that the detector looks for; labels of others count neither way.
    gates
        How far a found crossing may lie from a true one.
    watch
        How the video is watched.
    """

    alarm: float = 0.25
    kinds: frozenset[str] = frozenset({"person", "vehicle", "bicycle"})
    gates: Gates = field(default_factory=Gates)
    watch: WatchSettings = field(default_factory=WatchSettings)

    def to_json(self) -> dict[str, Any]:
        """What was chosen for measuring."""
        return {"alarm": self.alarm, "kinds": sorted(self.kinds), "gates": asdict(self.gates)}


class VideoEvaluation:
    """Watches recordings beside their truth, one after another.

    Parameters
    ----------
    detector
        What finds objects; for average precision its least score should be near 0.
    border, homography, line, terrain
        As in `watch`; without border and line no crossing is judged.
    settings
        How.
    """

    def __init__(
        self,
        detector: FrameDetector,
        *,
        border: BorderLine | None = None,
        homography: Homography | None = None,
        line: PixelLine | None = None,
        terrain: Terrain | None = None,
        settings: EvaluationSettings | None = None,
    ) -> None:
        self._detector, self._settings = detector, settings or EvaluationSettings()
        self._border, self._homography, self._line, self._terrain = border, homography, line, terrain
        self._kinds: set[str] = set()
        self._boxes: list[FrameBoxes] = []
        self._tracks: list[tuple[str, FrameTracks]] = []
        self._crossed: dict[str, Crossed] = {}
        self._single: list[PlaceSample] = []
        self._smoothed: list[PlaceSample] = []
        self._notes: list[RecordingNote] = []
        # Why something is not measured: one recording for which it cannot be is enough, for tracks and crossings.
        self._untracked: Unmeasured | None = None
        self._uncrossed: Unmeasured | None = _NO_LINE if border is None and line is None else None
        self._unplaced = _NOBODY
        self._next_id = 0

    def add(
        self,
        source: Iterable[Frame],
        truth: VideoTruth,
        *,
        name: str | None = None,
        progress: Callable[[int], None] | None = None,
    ) -> WatchResult:
        """Watch one recording and keep what was seen beside the truth.

        Parameters
        ----------
        source
            An opened `Source`, or any iterable of frames.
        truth
            Of this recording.
        name
            Of the recording, one that was not added before; else the source's own.
        progress
            Called with the number of frames watched so far.

        Raises
        ------
        VisionError
            As `watch` does; and where the truth is of another recording or another border.
        """
        name = name or str(getattr(source, "name", "video"))
        if name in {note.name for note in self._notes}:
            raise VisionError(f"{name} was given twice: its crossings would count twice")
        has_pose = bool(getattr(source, "has_pose", True))
        size_px = size_told(source)
        scene = self._scene(name, size_px, has_pose=has_pose)
        notes = WatchNotes(source, self._detector, truth.boxes, name)
        how = self._settings.watch
        how = replace(how, tracker=replace(how.tracker, memory_s=_FOR_EVER_S))
        result = watch(notes, notes, name=name, progress=progress, settings=how, scene=scene)
        seen = notes.frames()
        _check_reach(truth.boxes, name, seen[-1].frame.index if seen else 0)
        judged = [one for one in seen if one.frame.index <= truth.boxes.last]
        kinds = truth.boxes.kinds & self._settings.kinds
        self._kinds |= kinds
        frames = [
            without_unjudged(FrameBoxes(truth.boxes.frames.get(one.frame.index, ()), one.found), kinds)
            for one in judged
        ]
        self._boxes += frames
        self._add_tracks(judged, frames, truth, result.tracks, kinds)
        if self._uncrossed is None:
            self._add_crossings(name, truth, self._scene(name, size_px, has_pose=has_pose), seen, result)
        self._add_places(name, truth, scene, judged, result.tracks)
        self._notes.append(
            RecordingNote(
                name,
                result.method.value,
                result.frames,
                len(judged),
                result.without_pose,
                result.video_s,
                len(result.tracks),
            )
        )
        return result

    def result(self) -> Evaluation:
        """The figures of all recordings so far.

        Raises
        ------
        VisionError
            When no frame was judged.
        """
        if not self._boxes:
            raise VisionError("nothing was judged: no labelled frame was looked at; give more frames a second (--fps)")
        order = sorted(self._kinds)
        return Evaluation(
            model=self._detector.model,
            settings=self._settings.to_json(),
            recordings=tuple(self._notes),
            boxes=tuple(score_boxes(self._boxes, kind, self._settings.alarm) for kind in order),
            tracks=self._untracked or self._track_scores(order),
            crossings=self._uncrossed or self._crossing_score(),
            crossed={} if self._uncrossed else dict(self._crossed),
            places=Places(tuple(self._single), tuple(self._smoothed)) if self._single else self._unplaced,
        )

    def _scene(self, name: str, size_px: tuple[int, int] | None, *, has_pose: bool) -> Scene:
        return choose_scene(
            has_pose,
            name,
            border=self._border,
            homography=self._homography,
            line=self._line,
            terrain=self._terrain,
            size_px=size_px,
        )

    # ---------------------------------------------------------------------------------------------------- tracks

    def _add_tracks(
        self,
        judged: Sequence[NotedFrame],
        frames: Sequence[FrameBoxes],
        truth: VideoTruth,
        tracks: Sequence[Track],
        kinds: frozenset[str],
    ) -> None:
        if not truth.boxes.has_identity:
            self._untracked = _NO_IDENTITY
            return
        own = self._next_id  # so that ids of recordings differ
        seen: dict[int, list[tuple[str, int, Observation]]] = {}
        for track in tracks:
            for one in track.observations:
                seen.setdefault(one.frame_index, []).append((track.kind, own + track.number, one))
        highest = own + max((track.number for track in tracks), default=0)
        for noted, boxes in zip(judged, frames, strict=True):
            # Boxes of tracks that hit an unjudged label count as little as such boxes do among the detections.
            kept = {id(box) for box in boxes.found}
            there = [(k, n, o) for k, n, o in seen.get(noted.frame.index, ()) if id(o.detection) in kept]
            for kind in kinds:
                true = [box for box in boxes.true if box.kind == kind]
                found = [(number, o.detection) for k, number, o in there if k == kind]
                ids = [own + box.id for box in true if box.id is not None]
                highest = max([highest, *ids])
                corners = [np.array([(b.x1, b.y1, b.x2, b.y2) for b in part], dtype=float).reshape(-1, 4)
                           for part in (true, [box for _, box in found])]  # fmt: skip
                self._tracks.append(
                    (
                        kind,
                        FrameTracks(
                            np.array(ids, np.int64),
                            corners[0],
                            np.array([number for number, _ in found], np.int64),
                            corners[1],
                        ),
                    )
                )
        self._next_id = highest + 1

    def _track_scores(self, order: Sequence[str]) -> dict[str, TrackScore]:
        """Scores by kind; of all kinds, one kind after the other: a box never matches one of another kind."""
        parts = {kind: [frame for k, frame in self._tracks if k == kind] for kind in order}
        scores = {kind: score_tracks(frames) for kind, frames in parts.items()}
        if len(order) > 1:
            shift = self._next_id
            apart = [
                replace(frame, true_ids=frame.true_ids + n * shift, found_ids=frame.found_ids + n * shift)
                for n, frames in enumerate(parts.values())
                for frame in frames
            ]
            scores["all"] = score_tracks(apart)
        return scores

    # ------------------------------------------------------------------------------------------------- crossings

    def _add_crossings(
        self, name: str, truth: VideoTruth, again: Scene, seen: Sequence[NotedFrame], result: WatchResult
    ) -> None:
        frames = [one.frame for one in seen]
        if self._border is not None and truth.crossings is not None:
            true = truth.crossings
            _check_border(name, true, self._border)
        elif not truth.boxes.has_identity:
            self._uncrossed = _NO_IDENTITY
            return
        elif isinstance(again, MovingScene | FixedScene):
            true = crossings_on_ground(truth.boxes, frames, again)
        else:
            assert self._line is not None
            true = crossings_in_picture(truth.boxes, frames, self._line)
        feet = tuple(foot_of(crossing, result.tracks) for crossing in result.crossings)
        self._crossed[name] = Crossed(frames[0].time_us if frames else 0, result.crossings, true, feet)

    def _crossing_score(self) -> Score:
        crossed = self._crossed
        return score(
            {name: one.found for name, one in crossed.items()},
            {name: one.true for name, one in crossed.items()},
            self._settings.gates,
            {name: one.feet for name, one in crossed.items()},
        )

    # ---------------------------------------------------------------------------------------------------- places

    def _add_places(
        self, name: str, truth: VideoTruth, scene: Scene, judged: Sequence[NotedFrame], tracks: Sequence[Track]
    ) -> None:
        local = scene.frame if isinstance(scene, MovingScene | FixedScene) else None
        if truth.tracks is None or local is None or not truth.boxes.has_identity:
            self._unplaced = _NO_TRACKS if truth.tracks is None else _NO_GROUND if local is None else _NO_IDENTITY
            return
        frames = {}
        for one in judged:
            ground = scene.ground_amsl_m(one.frame) if isinstance(scene, MovingScene) else None
            labels = [box for box in truth.boxes.frames.get(one.frame.index, ()) if box.judged]
            frames[one.frame.index] = LabelledFrame(one.frame, labels, ground)
        for track in tracks:
            way = scene.way(track, self._settings.watch.ground)
            for single, smoothed in sightings_of(
                name, track.observations, way, frames=frames, tracks=truth.tracks, local=local
            ):
                self._single.append(single)
                if smoothed is not None:
                    self._smoothed.append(smoothed)


def foot_of(crossing: Crossing, tracks: Sequence[Track]) -> tuple[float, float] | None:
    """Where in the picture a crossing in the picture was; None for one on the ground."""
    if crossing.lat_deg is not None:
        return None
    (track,) = [track for track in tracks if track.number == crossing.track_number]
    since = np.array([o.time_us - crossing.time_us for o in track.observations], dtype=float)
    feet = np.array([o.detection.bottom if o.foot is None else (o.foot.x, o.foot.y) for o in track.observations])
    return float(np.interp(0.0, since, feet[:, 0])), float(np.interp(0.0, since, feet[:, 1]))


def _check_border(name: str, crossings: Sequence[TrueCrossing], border: BorderLine) -> None:
    """Refuse true crossings of another border. Raises VisionError."""
    for crossing in crossings:
        if crossing.lat_deg is None or crossing.lon_deg is None:
            continue
        off = border.distance_m(crossing.lat_deg, crossing.lon_deg)
        if off > _OFF_BORDER_M:
            raise VisionError(
                f"{name}: a true crossing lies {off:.0f} m off the border {border.name}: give the border that the "
                "truth was made for"
            )


def _check_reach(truth: TruthBoxes, name: str, last: int) -> None:
    """Refuse labels all of which lie beyond the end of the recording. Raises VisionError."""
    first = min((number for number, boxes in truth.frames.items() if boxes), default=0)
    if first > last:
        raise VisionError(
            f"{truth.path}: its first box is in frame {first + 1}, and {name} was seen to frame {last + 1}: give the "
            "truth of this very recording"
        )
