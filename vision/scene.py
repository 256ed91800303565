"""The three ways to decide crossings: camera with a pose, fixed camera with known points, fixed camera with a line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from geo import LocalFrame, Terrain
from vision.border import BorderLine, GroundLine
from vision.crossing import CrossingRule, Outcome, Passage, crossing_of, judge, source_id
from vision.errors import MetadataError
from vision.fixed import Homography, PixelLine, pixel_passages, pixel_track
from vision.georeference import Georeferencer
from vision.ground import GroundSettings, ground_track
from vision.tracker import CameraMotion, GroundPlane, StillCamera
from vision.types import Crossing, Detection, Frame, GroundPoint, GroundTrack, Method, Status, Track

__all__ = ["NO_METHOD", "FixedScene", "MovingScene", "PictureScene", "Placed", "Scene", "choose_scene"]

NO_METHOD = (
    "{name}: the video tells no camera pose: give video with ST 0601 metadata or a pose file for a moving camera, "
    "known points (homography) or a line in the picture for a fixed one"
)
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

    def place(self, frame: Frame, detections: Sequence[Detection]) -> Placed | None:
        """The camera's motion and the objects' places in one frame; None for a frame that gives nothing."""
        ...

    def way(self, track: Track, settings: GroundSettings) -> GroundTrack | None:
        """The smoothed way of a track; None where too little is known of it."""
        ...

    def judge(self, track: Track, way: GroundTrack, rule: CrossingRule) -> tuple[Sequence[Passage], Outcome | None]:
        """What a track did."""
        ...

    def unit(self, track: Track) -> float:
        """How many units of the plane are a metre at a track."""
        ...

    def crossing(self, passage: Passage, way: GroundTrack, source: str) -> Crossing:
        """The crossing that a passage is."""
        ...


def choose_scene(
    has_pose: bool,
    name: str,
    *,
    border: BorderLine | None = None,
    homography: Homography | None = None,
    line: PixelLine | None = None,
    terrain: Terrain | None = None,
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
        return MovingScene(border, terrain)
    if line is None and has_pose:
        return MovingScene(None, terrain)
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

    @property
    def ready(self) -> bool:
        """See `Scene`."""
        return self.frame is not None

    def _set(self, frame: LocalFrame) -> None:
        self.frame = frame
        if self._border is not None:
            self.line = self._border.on_ground(frame)

    def way(self, track: Track, settings: GroundSettings) -> GroundTrack | None:
        """See `Scene`."""
        return ground_track(track, settings)

    def judge(self, track: Track, way: GroundTrack, rule: CrossingRule) -> tuple[Sequence[Passage], Outcome | None]:
        """See `Scene`."""
        del track
        if self.line is None:
            return (), None
        verdict = judge(way, self.line, rule)
        return verdict.passages, verdict.outcome

    def unit(self, track: Track) -> float:
        """See `Scene`."""
        del track
        return 1.0

    def crossing(self, passage: Passage, way: GroundTrack, source: str) -> Crossing:
        """See `Scene`."""
        assert self.frame is not None
        assert self._border is not None
        return crossing_of(passage, way, frame=self.frame, source=source, border=self._border.name, method=self.method)


class MovingScene(_OnGround):
    """A camera with a pose in its frames, over terrain; None: level ground at the elevation that the video tells."""

    method = Method.GROUND

    def __init__(self, border: BorderLine | None, terrain: Terrain | None) -> None:
        super().__init__(border)
        self._terrain = terrain
        self._where: Georeferencer | None = None
        self._last: tuple[int, NDArray[np.float64]] | None = None

    def place(self, frame: Frame, detections: Sequence[Detection]) -> Placed | None:
        """See `Scene`."""
        if frame.pose is None or frame.camera is None:
            return None
        if self._where is None:
            self._where = Georeferencer.for_frame(frame, self._terrain)
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
        return motion, self._where.points(frame, detections, velocity)

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
        self._set(homography.frame)

    def place(self, frame: Frame, detections: Sequence[Detection]) -> Placed | None:
        """See `Scene`."""
        return self._homography.plane, self._homography.ground_points(frame, detections)


class PictureScene:
    """A fixed camera with a line in its picture: no place, so never more than probable."""

    method = Method.PIXEL
    ready = True

    def __init__(self, line: PixelLine | None) -> None:
        self._line = line

    def place(self, frame: Frame, detections: Sequence[Detection]) -> Placed | None:
        """See `Scene`."""
        del frame, detections
        return StillCamera(), None

    def way(self, track: Track, settings: GroundSettings) -> GroundTrack | None:
        """See `Scene`."""
        return pixel_track(track) if len(track.observations) >= settings.min_points else None

    def judge(self, track: Track, way: GroundTrack, rule: CrossingRule) -> tuple[Sequence[Passage], Outcome | None]:
        """See `Scene`."""
        del way
        if self._line is None:
            return (), None
        return [replace(p, status=Status.PROBABLE) for p in pixel_passages(track, self._line, rule)], None

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
