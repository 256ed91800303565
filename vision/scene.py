"""The ways to decide crossings: by a camera with a pose, a fixed one with known points, a fixed one with a line."""

from __future__ import annotations

from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import replace
from math import inf
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geo import LocalFrame, Terrain
from vision.border import BorderLine, GroundLine
from vision.camera_motion import CameraMotion, GroundPlane, SlidingPicture
from vision.crossing import CrossingRule, Passage, Verdict, judge
from vision.crossing_records import crossing_of, open_passage_of, source_id
from vision.errors import MetadataError
from vision.fixed import Homography, PixelLine, feet_of, pixel_passages, pixel_track
from vision.georeference import ErrorModel, Georeferencer
from vision.ground import GroundSettings, ground_track
from vision.image_motion import KeyPicture, SmallPicture, StepMotion
from vision.kalman import Smoother
from vision.steady import SteadyCamera
from vision.types import (
    CHI_95,
    Crossing,
    Detection,
    Frame,
    GroundPoint,
    GroundTrack,
    Method,
    OpenPassage,
    Status,
    Track,
)

__all__ = [
    "NO_METHOD",
    "NO_POSE_THEN",
    "NO_VIEW",
    "FixedScene",
    "MovingScene",
    "PictureScene",
    "Placed",
    "Scene",
    "choose_scene",
]

NO_METHOD = (
    "{name}: the video tells no camera pose: give video with ST 0601 metadata or a pose file for a moving camera, "
    "known points (homography) or a line in the picture for a fixed one"
)
NO_VIEW = "{name}: the camera's pose is known and its field of view is not: give it (--hfov)"
NO_POSE_THEN = (
    "{name}: poses are known, and none of them at the times of its pictures: check that they are of this flight, and "
    "the clock (--start)"
)
# Across a hole in the telemetry pictures are laid on one another; a longer hole between two frames is another view.
_BRIDGE_US = 1_000_000
# One sigma of a step that the pictures do not tell, share of their width.
_UNKNOWN = 0.03
# Tracks of which the last smoothing is kept: half a megabyte each where pictures come ten times a second.
_REMEMBERED = 16
# Tracks of which it is known on which sides they were: those that are open at a time, and more.
_ASKED = 1000
Placed = tuple[CameraMotion, list[GroundPoint | None] | None]


class Scene(Protocol):
    """One way to decide crossings."""

    @property
    def method(self) -> Method:
        """How."""
        ...

    @property
    def ready(self) -> bool:
        """Whether any frame could be used so far."""
        ...

    @property
    def line(self) -> GroundLine | None:
        """What is watched, in the plane of the camera's motion; None where there is none, or it is not known yet."""
        ...

    def place(self, frame: Frame, detections: Sequence[Detection]) -> Placed | None:
        """The camera's motion and the objects' places in one frame; None for a frame that gives nothing.

        Frames come in the order of time, each once.
        """
        ...

    def notes(self) -> list[str]:
        """What a person should know of the camera, for all frames so far."""
        ...

    def way(self, track: Track, settings: GroundSettings) -> GroundTrack | None:
        """The smoothed way of a track; None where too little is known of it."""
        ...

    def judge(self, track: Track, way: GroundTrack, rule: CrossingRule) -> Verdict:
        """What a track did."""
        ...

    def both_sides(self, track: Track) -> bool:
        """Whether it was seen on both sides of the line: no other track has passed it, however it is smoothed."""
        ...

    def near_line(self, track: Track) -> bool:
        """Whether it begins or ends so near the line that it may have passed it unseen (`Outcome.OPEN`)."""
        ...

    def unit(self, track: Track) -> float:
        """How many units of the plane are a metre at a track."""
        ...

    def crossing(self, passage: Passage, way: GroundTrack, source: str) -> Crossing:
        """The crossing that a passage is."""
        ...

    def open_passage(self, at: int, way: GroundTrack, source: str) -> OpenPassage:
        """What `Verdict.open_at` of a way says; never asked where no verdict has one."""
        ...


def choose_scene(
    has_pose: bool,
    name: str,
    *,
    border: BorderLine | None = None,
    homography: Homography | None = None,
    line: PixelLine | None = None,
    terrain: Terrain | None = None,
    errors: ErrorModel | None = None,
) -> Scene:
    """The way to decide that the inputs allow; without a border or a line one that follows objects and decides nothing.

    Parameters
    ----------
    has_pose
        Whether frames come with the pose of the camera.
    name
        Of the source, for messages.
    border, homography, line, terrain
        As in `watch`.
    errors
        Of places by the camera's pose, besides those of the pose; None: the usual ones.

    Raises
    ------
    MetadataError
        When there is a border, and nothing that puts pixels on the ground.
    """
    if homography is not None and (border is not None or line is None):
        return FixedScene(border, homography)
    if border is not None:
        if not has_pose:
            raise MetadataError(NO_METHOD.format(name=name))
        return MovingScene(border, terrain, errors)
    if line is None and has_pose:
        return MovingScene(None, terrain, errors)
    return PictureScene(line)


class _OnGround:
    """What both ways on the ground share: a line in the metres of a local frame."""

    method: Method

    def __init__(self, border: BorderLine | None) -> None:
        self._border = border
        self.frame: LocalFrame | None = None
        """Of all places; None before the first frame that could be used."""
        self.line: GroundLine | None = None
        """The border in that frame; None where there is none."""
        # Of the tracks that were looked at last: who goes on walking is smoothed again and again.
        self._smoothers: OrderedDict[int, list[Smoother]] = OrderedDict()
        self._sides = _Sides()

    @property
    def ready(self) -> bool:
        """See `Scene`."""
        return self.frame is not None

    def _set(self, frame: LocalFrame) -> None:
        self.frame = frame
        if self._border is not None:
            self.line = self._border.on_ground(frame)

    def notes(self) -> list[str]:
        """See `Scene`."""
        return []

    def way(self, track: Track, settings: GroundSettings) -> GroundTrack | None:
        """See `Scene`."""
        memory = self._smoothers.setdefault(track.number, [])
        self._smoothers.move_to_end(track.number)
        if len(self._smoothers) > _REMEMBERED:
            self._smoothers.popitem(last=False)
        return ground_track(track, settings, memory)

    def judge(self, track: Track, way: GroundTrack, rule: CrossingRule) -> Verdict:
        """See `Scene`."""
        del track
        return Verdict(None) if self.line is None else judge(way, self.line, rule)

    def both_sides(self, track: Track) -> bool:
        """See `Scene`."""
        return self.line is not None and self._sides.both(track, self.line, _places_of)

    def near_line(self, track: Track) -> bool:
        """See `Scene`. By single places, whose errors are larger than those of the way."""
        if self.line is None:
            return False
        known = self._sides.offsets(track, self.line, _places_of)
        for observations, offset_m in ((track.observations, known.first), (reversed(track.observations), known.last)):
            place = next((o.ground for o in observations if o.ground is not None), None)
            if place is None:
                return False
            if abs(offset_m) <= CHI_95 * float(np.sqrt(np.trace(place.random) + (place.systematic**2).sum())):
                return True
        return False

    def unit(self, track: Track) -> float:
        """See `Scene`."""
        del track
        return 1.0

    def crossing(self, passage: Passage, way: GroundTrack, source: str) -> Crossing:
        """See `Scene`."""
        assert self.frame is not None
        assert self._border is not None
        return crossing_of(passage, way, frame=self.frame, source=source, border=self._border.name, method=self.method)

    def open_passage(self, at: int, way: GroundTrack, source: str) -> OpenPassage:
        """See `Scene`."""
        assert self.frame is not None
        assert self._border is not None
        return open_passage_of(at, way, frame=self.frame, source=source, border=self._border.name, method=self.method)


class MovingScene(_OnGround):
    """A camera with a pose in its frames, over terrain; None: level ground at the elevation that the video tells."""

    method = Method.GROUND

    def __init__(self, border: BorderLine | None, terrain: Terrain | None, errors: ErrorModel | None = None) -> None:
        super().__init__(border)
        self._terrain, self._errors = terrain, errors
        self._where: Georeferencer | None = None
        self._last: tuple[int, NDArray[np.float64]] | None = None
        # The newest frame that could be used, for one without a pose that follows it.
        self._before: tuple[Frame, Sequence[Detection], GroundPlane] | None = None

    def place(self, frame: Frame, detections: Sequence[Detection]) -> Placed | None:
        """See `Scene`. A frame without a pose may show how it lies on the one before: then it has a motion, no places.

        So tracks live through a hole in the telemetry, and what was seen in it is not called a place.
        """
        if frame.pose is None or frame.camera is None:
            motion = self._by_picture(frame, detections)
            if motion is None:
                return None
            self._before = frame, detections, motion
            return motion, None
        if self._where is None:
            self._where = Georeferencer.for_frame(frame, self._terrain, self._errors)
            self._set(self._where.frame)
        level = self.ground_amsl_m(frame)
        assert level is not None
        motion = GroundPlane.of_pose(frame.camera, frame.pose, self._where.frame, level)
        height = frame.pose.altitude.amsl_m(ground_amsl_m=level)
        here = np.array(self._where.frame.to_enu(frame.pose.lat_deg, frame.pose.lon_deg, height), dtype=float)
        velocity = None
        if self._last is not None and 0 < frame.time_us - self._last[0] < 2_000_000:
            velocity = (here - self._last[1]) / ((frame.time_us - self._last[0]) / 1e6)
        self._last = frame.time_us, here
        self._before = frame, detections, motion
        return motion, self._where.points(frame, detections, velocity)

    def _by_picture(self, frame: Frame, detections: Sequence[Detection]) -> GroundPlane | None:
        """The ground seen through a frame without a pose, by how its picture lies on the one before."""
        if self._before is None or not frame.image.size or not self._before[0].image.size:
            return None
        before, boxes, plane = self._before
        if frame.time_us - before.time_us > _BRIDGE_US:
            return None
        match = KeyPicture(SmallPicture.of(before.image, boxes)).match(SmallPicture.of(frame.image, detections))
        if match is None:
            return None
        return plane.seen_from(np.asarray(np.linalg.inv(match.matrix), dtype=np.float64), match.sigma_px)

    def ground_amsl_m(self, frame: Frame) -> float | None:
        """Elevation of the ground in the middle of a picture, metres; None where it is not known."""
        if self._where is None or frame.pose is None or frame.camera is None:
            return None
        return self._where.level_amsl_m(frame.pose, frame.camera)


class FixedScene(_OnGround):
    """A fixed camera with known points."""

    method = Method.HOMOGRAPHY

    def __init__(self, border: BorderLine | None, homography: Homography) -> None:
        super().__init__(border)
        self._homography = homography
        self._steady = SteadyCamera()
        self._set(homography.frame)

    def place(self, frame: Frame, detections: Sequence[Detection]) -> Placed | None:
        """See `Scene`. The known points belong to the camera's picture at rest."""
        view = self._steady.view(frame, detections)
        if view is None:
            return None
        plane = self._homography.plane.seen_from(view.to_rest, view.sigma_px)
        assert plane is not None  # points are known in pictures as they are, so no lens is
        return plane, self._homography.ground_points(frame, detections, view)

    def notes(self) -> list[str]:
        """See `Scene`."""
        return self._steady.notes()


class PictureScene:
    """A camera without a pose. With a line in its picture it is a fixed one: no place, so never more than probable.

    Without a line objects are followed, however the camera moves, and nothing is decided.
    """

    method = Method.PIXEL
    ready = True

    def __init__(self, line: PixelLine | None) -> None:
        self._line, self.line = line, None if line is None else line.as_ground()
        self._steady, self._steps, self._sides = SteadyCamera(), StepMotion(), _Sides()

    def place(self, frame: Frame, detections: Sequence[Detection]) -> Placed | None:
        """See `Scene`."""
        if self._line is not None:
            view = self._steady.view(frame, detections)
            return None if view is None else (view, None)
        if not frame.image.size:
            return SlidingPicture(np.eye(3)), None
        first, size = self._steps.first, (frame.image.shape[1], frame.image.shape[0])
        step = self._steps.step(SmallPicture.of(frame.image, detections))
        if step is not None:
            return SlidingPicture(step.matrix, step.sigma_px, size), None
        return SlidingPicture(np.eye(3), 0.0 if first else _UNKNOWN * size[0], size), None

    def notes(self) -> list[str]:
        """See `Scene`."""
        return self._steady.notes()

    def way(self, track: Track, settings: GroundSettings) -> GroundTrack | None:
        """See `Scene`."""
        return pixel_track(track) if len(track.observations) >= settings.min_points else None

    def judge(self, track: Track, way: GroundTrack, rule: CrossingRule) -> Verdict:
        """See `Scene`."""
        passages = () if self._line is None else pixel_passages(track, self._line, rule, way)
        return Verdict(None, tuple(replace(p, status=Status.PROBABLE) for p in passages))

    def both_sides(self, track: Track) -> bool:
        """See `Scene`."""
        return self.line is not None and self._sides.both(track, self.line, feet_of)

    def near_line(self, track: Track) -> bool:
        """See `Scene`. Whatever is on no side of a line in the picture has no error to be within."""
        del track
        return False

    def unit(self, track: Track) -> float:
        """See `Scene`."""
        return float(np.median([o.detection.size[1] for o in track.observations])) / 1.7

    def crossing(self, passage: Passage, way: GroundTrack, source: str) -> Crossing:
        """See `Scene`."""
        assert self._line is not None
        place = f"{passage.xy[0]:.1f} {passage.xy[1]:.1f} px"
        return Crossing(
            source=source,
            source_id=source_id(source, passage.time_us, place, passage.direction, way.number),
            time_us=passage.time_us,
            update_time_us=passage.decided_us,
            kind=way.kind,
            direction=passage.direction,
            status=Status.PROBABLE,
            method=self.method,
            border=self._line.name,
            confidence=min(1.0, passage.probability * way.score),
            track_number=way.number,
        )

    def open_passage(self, at: int, way: GroundTrack, source: str) -> OpenPassage:
        """See `Scene`."""
        raise NotImplementedError


class _Offsets(NamedTuple):
    """Of a track from a line: times of its first and last observation; first, last, least and largest offset."""

    begin_us: int
    end_us: int = -1
    first: float = inf
    last: float = inf
    least: float = inf
    largest: float = -inf


class _Sides:
    """On which sides of a line tracks were seen; of each observation once, however often it is asked."""

    def __init__(self) -> None:
        self._seen: OrderedDict[int, _Offsets] = OrderedDict()

    def both(self, track: Track, line: GroundLine, places: Callable[[Track], ArrayLike]) -> bool:
        """Whether some of the `places` of a track lie on one side of a line and some on the other."""
        known = self.offsets(track, line, places)
        return known.least < 0 < known.largest

    def offsets(self, track: Track, line: GroundLine, places: Callable[[Track], ArrayLike]) -> _Offsets:
        """Those of the `places` of a track; infinite where there is none."""
        begin_us = track.observations[0].time_us
        known = self._seen.pop(track.number, _Offsets(begin_us))
        if known.begin_us != begin_us:  # what is forgotten does not count any more
            known = _Offsets(begin_us)
        new = track.observations[bisect_right(track.observations, known.end_us, key=lambda one: one.time_us) :]
        if new:
            points = np.asarray(places(replace(track, observations=new)), dtype=float)
            known = known._replace(end_us=new[-1].time_us)
            if len(points):
                offset = line.locate(points).offset_m
                known = known._replace(
                    first=known.first if np.isfinite(known.first) else float(offset[0]),
                    last=float(offset[-1]),
                    least=min(known.least, float(offset.min())),
                    largest=max(known.largest, float(offset.max())),
                )
        self._seen[track.number] = known
        if len(self._seen) > _ASKED:
            self._seen.popitem(last=False)
        return known


def _places_of(track: Track) -> list[NDArray[np.float64]]:
    return [o.ground.xy for o in track.observations if o.ground is not None]
