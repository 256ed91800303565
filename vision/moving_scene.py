"""A camera that moves and tells its pose: places by ray and terrain, and what of that is not known."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from geo import CameraModel, CameraPose, Datum, FlatTerrain, Terrain
from vision.border import BorderLine
from vision.camera_motion import GroundPlane
from vision.errors import TrackError
from vision.georeference import ErrorModel, Georeferencer
from vision.image_motion import KeyPicture, SmallPicture
from vision.on_ground import OnGround, Placed
from vision.records import Method
from vision.types import Detection, Frame

__all__ = ["MovingScene"]

# Across a hole in the telemetry pictures are laid on one another; a longer hole between two frames is another view.
_BRIDGE_US = 1_000_000
_UNKNOWN_GROUND = "the ground below them is unknown"
_ELLIPSOID = "their heights are above the ellipsoid and the ground's above the sea"
_BELOW_GROUND = "their poses are below the ground"


class MovingScene(OnGround):
    """A camera with a pose in its frames, over terrain; None: level ground at the elevation that the video tells."""

    method = Method.GROUND

    def __init__(self, border: BorderLine | None, terrain: Terrain | None, errors: ErrorModel | None = None) -> None:
        super().__init__(border)
        self._terrain, self._errors = terrain, errors
        self._where: Georeferencer | None = None
        self._level: float | None = None
        """Of the ground in the newest frame that told it."""
        self._nothing: dict[str, tuple[int, str]] = {}
        """What frames gave no places for: how many, and what to do about the first."""
        self._nowhere = 0
        """Boxes without a place."""
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
        if frame.pose.altitude.datum is Datum.HAE:
            self._gave_nothing(_ELLIPSOID, "give the height of the geoid there (--undulation)")
            return None
        if self._where is None:
            self._where = Georeferencer.for_frame(frame, self._terrain, self._errors)
        plane = self._plane(self._where, frame.pose, frame.camera)
        if plane is None:
            return None
        motion, level = plane
        if not self.ready:
            self._set(self._where.frame)
        height = frame.pose.altitude.amsl_m(ground_amsl_m=level)
        here = np.array(self._where.frame.to_enu(frame.pose.lat_deg, frame.pose.lon_deg, height), dtype=float)
        velocity = None
        if self._last is not None and 0 < frame.time_us - self._last[0] < 2_000_000:
            velocity = (here - self._last[1]) / ((frame.time_us - self._last[0]) / 1e6)
        self._last = frame.time_us, here
        self._before = frame, detections, motion
        places = self._where.points(frame, detections, velocity)
        self._nowhere += places.count(None)
        return motion, places

    @property
    def lack(self) -> str:
        """See `Scene`."""
        return "; ".join(f"{why}: {what}" for why, (_, what) in self._nothing.items())

    def _gave_nothing(self, why: str, what: str) -> None:
        count, first = self._nothing.get(why, (0, what))
        self._nothing[why] = count + 1, first

    def notes(self) -> list[str]:
        """See `Scene`."""
        told = [f"{count} pictures gave no places, {why}: {what}" for why, (count, what) in self._nothing.items()]
        if self._nowhere and self._where is not None:
            where = self._where
            holes = "" if isinstance(where.terrain, FlatTerrain) else ", or is on or behind unknown ground"
            told.append(
                f"{self._nowhere} boxes had no place on the ground: what they show is farther than "
                f"{where.max_range_m:g} m, is seen from less than {where.min_depression_deg:g} degrees above{holes}"
            )
        return told

    def _plane(self, where: Georeferencer, pose: CameraPose, camera: CameraModel) -> tuple[GroundPlane, float] | None:
        """The ground as a plane, and its elevation: over unknown ground that of the newest frame that told it."""
        level = where.level_amsl_m(pose, camera)
        if level is None:
            lack = where.terrain.lack(pose.lat_deg, pose.lon_deg) or "give its elevation"
            self._gave_nothing(_UNKNOWN_GROUND, f"{pose.lat_deg:.5f}, {pose.lon_deg:.5f}: {lack}")
            level = self._level
        if level is None:
            return None
        try:
            motion = GroundPlane.of_pose(camera, pose, where.frame, level)
        except TrackError as error:
            self._gave_nothing(_BELOW_GROUND, str(error))
            return None
        self._level = level
        return motion, level

    def _by_picture(self, frame: Frame, detections: Sequence[Detection]) -> GroundPlane | None:
        """The ground seen through a frame without a pose, by how its picture lies on the one before."""
        if self._before is None or not all((*frame.size_px, *self._before[0].size_px)):
            return None
        before, boxes, plane = self._before
        if frame.time_us - before.time_us > _BRIDGE_US:
            return None
        match = KeyPicture(SmallPicture.of(before.grey, boxes)).match(SmallPicture.of(frame.grey, detections))
        if match is None:
            return None
        return plane.seen_from(np.asarray(np.linalg.inv(match.matrix), dtype=np.float64), match.sigma_px)

    def ground_amsl_m(self, frame: Frame) -> float | None:
        """Elevation of the ground in the middle of a picture, metres; None where it is not known."""
        if self._where is None or frame.pose is None or frame.camera is None:
            return None
        return self._where.level_amsl_m(frame.pose, frame.camera)
