"""The ways to decide crossings: by a camera with a pose, a fixed one with known points, a fixed one with a line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np

from geo import Terrain
from vision.border import BorderLine, GroundLine
from vision.camera_motion import SlidingPicture
from vision.crossing import CrossingRule, Passage, Verdict
from vision.crossing_records import source_id
from vision.errors import MetadataError
from vision.fixed import Homography, PixelLine, feet_of, pixel_passages, pixel_track
from vision.georeference import ErrorModel
from vision.ground import GroundSettings
from vision.image_motion import SmallPicture, StepMotion
from vision.line_sides import Sides
from vision.moving_scene import MovingScene
from vision.on_ground import OnGround, Placed
from vision.records import Crossing, Method, OpenPassage, Status
from vision.steady import SteadyCamera
from vision.types import Detection, Frame, GroundTrack, Track

__all__ = [
    "NO_METHOD",
    "NO_PLACE",
    "NO_POSE_THEN",
    "NO_VIEW",
    "FixedScene",
    "MovingScene",
    "PictureScene",
    "Placed",
    "Scene",
    "choose_scene",
    "size_told",
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
NO_PLACE = "{name}: none of its pictures gave a place on the ground: {why}"
# One sigma of a step that the pictures do not tell, share of their width.
_UNKNOWN = 0.03


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

    @property
    def lack(self) -> str:
        """Why no frame could be used so far, where that is known; else empty."""
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
    size_px: tuple[int, int] | None = None,
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
    size_px
        Width and height of its pictures, as `size_told` finds them.

    Raises
    ------
    BorderError
        When the line in the picture runs beside it.
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
    if line is not None and size_px is not None:
        line.check_within(*size_px)
    return PictureScene(line)


def size_told(source: object) -> tuple[int, int] | None:
    """Width and height of the pictures of a source, as `choose_scene` takes them; None where it does not tell them."""
    width_px, height_px = getattr(source, "width", None), getattr(source, "height", None)
    return None if width_px is None or height_px is None else (int(width_px), int(height_px))


class FixedScene(OnGround):
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
    lack = ""

    def __init__(self, line: PixelLine | None) -> None:
        self._line, self.line = line, None if line is None else line.as_ground()
        self._steady, self._steps, self._sides = SteadyCamera(), StepMotion(), Sides()

    def place(self, frame: Frame, detections: Sequence[Detection]) -> Placed | None:
        """See `Scene`."""
        if self._line is not None:
            view = self._steady.view(frame, detections)
            return None if view is None else (view, None)
        if not all(frame.size_px):
            return SlidingPicture(np.eye(3)), None
        first, size = self._steps.first, frame.size_px
        step = self._steps.step(SmallPicture.of(frame.grey, detections))
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
