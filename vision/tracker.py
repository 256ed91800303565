"""Detections to tracks: association in two stages of score (ByteTrack, arXiv 2110.06864) in a plane that stands still.

A drone's picture slides by tens of pixels a frame while a person is ten pixels wide, so boxes of one person in two
frames do not overlap. The motion of the camera is *known*: each frame comes with a `CameraMotion` that takes pixels to
a plane in which still things stay still. Objects are filtered and compared there, in metres over the ground, or in
pixels of a fixed camera. Where no pose tells it, it is seen in the pictures themselves, and tracks are carried along.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import linear_sum_assignment

from vision.camera_motion import CameraMotion, SlidingPicture, SteadyPicture
from vision.errors import TrackError
from vision.kalman import PlaneFilter, predict_all, update_all
from vision.pace import Pace
from vision.types import Detection, GroundPoint, Observation, Track

__all__ = ["Tracker", "TrackerSettings"]

Floats = NDArray[np.float64]

_NEVER = 1e6
# Cost of a box of the kind that is mixed up with the track's: as much as a distance of 2.4 sigmas.
_MIX = 6.0
# A box three times as wide or high is not the same object: a natural logarithm.
_GROWTH = 1.1
# What a box measures is an average over about this time, seconds.
_SIZE_S = 0.56


@dataclass(frozen=True, slots=True)
class TrackerSettings:
    """How tracks are made.

    Parameters
    ----------
    high_score, low_score, low_s
        Detections from `high_score` may start a track; those from `low_score` may only continue one, and only one that
        was seen in the frame before or within `low_s` seconds: one that is lost may be anywhere, and half a box is no
        sign of it. Of 76 crossings of rendered flights at 5 frames a second the same 73 were found, none falsely, with
        any `low_s` from 0 to 1; on a street at 10 more than a step on foot (0.3 s) lets tracks slip to others.
    confirm_hits, confirm_s
        A track counts after so many detections, and so many seconds from the first to the last of them: what glints
        for a moment is seen often by a camera of many frames a second.
    memory_s
        Observations older than this are forgotten, seconds: what stands in view for a day must not fill the memory.
    lost_s
        Seconds without a detection after which a track ends; a track that does not count yet ends after `tentative_s`.
        Where pictures come more seldom, up to one in `SELDOM_S`, it ends when the next one does not show it.
    tentative_s
        See `lost_s`.
    box_noise
        One sigma of the place of a box, in shares of its size, with at least `pixel_noise_px`.
    pixel_noise_px
        See `box_noise`.
    speeds
        One sigma of the speed of each kind, metres a second; on a picture without scale, heights of its box a second
        for an object 1.7 m high.
    agility
        Change of speed, metres a second, that builds up in one second (one sigma).
    gate
        Largest distance from where a track is expected, in sigmas.
    alike
        Kinds that a detector mixes up: a track may take the other kind's box, for a penalty.
    """

    high_score: float = 0.4
    low_score: float = 0.12
    low_s: float = 0.25
    confirm_hits: int = 3
    confirm_s: float = 0.3
    lost_s: float = 2.5
    tentative_s: float = 0.7
    memory_s: float = 180.0
    box_noise: float = 0.08
    pixel_noise_px: float = 1.0
    speeds: dict[str, float] = field(default_factory=lambda: {"person": 1.5, "bicycle": 4.0, "vehicle": 10.0})
    agility: float = 1.0
    gate: float = 3.5
    alike: frozenset[frozenset[str]] = frozenset({frozenset({"person", "bicycle"})})


class _Lane:
    """One track in the making."""

    __slots__ = ("filter", "hits", "kinds", "last_us", "number", "observations", "scores", "size")

    def __init__(self, state: PlaneFilter, observation: Observation) -> None:
        self.filter = state
        self.number = 0
        self.hits = 1
        self.observations = [observation]
        self.kinds = {observation.detection.kind: observation.detection.score}
        self.scores = observation.detection.score
        self.size = np.array(observation.detection.size)
        self.last_us = observation.time_us

    @property
    def kind(self) -> str:
        return max(self.kinds, key=lambda kind: self.kinds[kind])

    def add(self, observation: Observation, memory_s: float) -> None:
        detection = observation.detection
        self.hits += 1
        self.observations.append(observation)
        self.kinds[detection.kind] = self.kinds.get(detection.kind, 0.0) + detection.score
        self.scores += detection.score
        keep = math.exp(-(observation.time_us - self.last_us) / 1e6 / _SIZE_S)
        self.size = keep * self.size + (1 - keep) * np.array(detection.size)
        self.last_us = observation.time_us
        # In strides, so that the list is not moved with every frame.
        oldest_us = self.last_us - round(memory_s * 1e6)
        if self.observations[0].time_us < oldest_us - round(memory_s * 0.2e6):
            self.observations = [o for o in self.observations if o.time_us >= oldest_us]

    def track(self) -> Track:
        mean = self.scores / self.hits
        return Track(self.number, self.kind, mean, tuple(self.observations))


class Tracker:
    """Makes tracks from the detections of one source, frame after frame.

    Parameters
    ----------
    settings
        How.
    """

    def __init__(self, settings: TrackerSettings | None = None) -> None:
        self.settings = settings or TrackerSettings()
        self._lanes: list[_Lane] = []
        self._count = 0
        self._time_us: int | None = None
        self._pace = Pace()

    def update(
        self,
        detections: Sequence[Detection],
        time_us: int,
        frame_index: int,
        motion: CameraMotion,
        ground: Sequence[GroundPoint | None] | None = None,
    ) -> list[Track]:
        """Take in one frame; return the tracks that ended with it.

        Parameters
        ----------
        detections
            All boxes down to the low score; what is below is left out here.
        time_us
            Time of the frame, microseconds; later than that of the frame before.
        frame_index
            Number of the frame.
        motion
            Where the camera is in this frame.
        ground
            Places of the detections, kept in the observations.

        Raises
        ------
        TrackError
            When the time does not move on.
        """
        passed_s = 0.0 if self._time_us is None else (time_us - self._time_us) / 1e6
        fresh_us = self._advance(time_us, frame_index)
        ended = self._retire(time_us)
        feet = motion.feet(detections) if isinstance(motion, SteadyPicture) else None
        observations = [
            Observation(
                time_us,
                frame_index,
                detection,
                ground[i] if ground is not None else None,
                feet[i] if feet is not None else None,
            )
            for i, detection in enumerate(detections)
        ]
        places, noises, scales = self._measure(observations, motion)
        known = np.isfinite(places).all(axis=1) & np.isfinite(noises).all(axis=(1, 2))
        usable = np.flatnonzero(known).tolist()
        predict_all([lane.filter for lane in self._lanes], passed_s)
        if isinstance(motion, SlidingPicture):
            for lane in self._lanes:
                lane.filter.carry(*motion.carry(lane.filter.state[:2]), motion.step_sigma_px)
        # Who has left the picture is not who comes in beside; where the camera turns back they are in it again.
        here = [lane for lane in self._lanes if lane.last_us >= fresh_us or _shows(motion, lane)]
        high = [i for i in usable if detections[i].score >= self.settings.high_score]
        low = [i for i in usable if self.settings.low_score <= detections[i].score < self.settings.high_score]
        # Tracks that count choose first: a newborn of clutter must not take their box.
        lanes = [lane for lane in here if lane.number]
        young = [lane for lane in here if not lane.number]
        for candidates, chosen, since_us in ((lanes, high, 0), (lanes, low, fresh_us), (young, high, 0)):
            seen = [lane for lane in candidates if lane.last_us >= since_us]
            pairs = self._pairs(seen, [observations[i] for i in chosen], places[chosen], noises[chosen])
            numbers = [chosen[column] for _, column in pairs]
            update_all([seen[row].filter for row, _ in pairs], places[numbers], noises[numbers])
            for lane, i in zip([seen[row] for row, _ in pairs], numbers, strict=True):
                lane.add(observations[i], self.settings.memory_s)
                if not motion.metric:  # who walks away from the camera grows smaller, and so do its steps
                    lane.filter.density = (self.settings.agility * float(_scale(lane.size.max()))) ** 2
                candidates.remove(lane)
                chosen.remove(i)
        for i in high:
            self._lanes.append(_Lane(self._born(detections[i], places[i], noises[i], scales[i]), observations[i]))
        for lane in self._lanes:
            lasted_s = (lane.last_us - lane.observations[0].time_us) / 1e6
            if not lane.number and lane.hits >= self.settings.confirm_hits and lasted_s >= self.settings.confirm_s:
                self._count += 1
                lane.number = self._count
        return ended

    def _advance(self, time_us: int, frame_index: int) -> int:
        """Go on to a frame; since when a track has to have been seen for a faint box to continue it, microseconds."""
        before_us, fresh_us = self._time_us, time_us - round(self.settings.low_s * 1e6)
        if before_us is not None:
            if time_us <= before_us:
                raise TrackError(
                    f"frame {frame_index} at {time_us} us is not later than the one before at {before_us} us: "
                    "give frames in the order of exposure"
                )
            fresh_us = min(fresh_us, before_us)
        self._time_us = time_us
        self._pace.came(time_us)
        return fresh_us

    def active(self) -> list[Track]:
        """Confirmed tracks that have not ended."""
        return [lane.track() for lane in self._lanes if lane.number]

    def shown(self) -> list[tuple[int, Detection]]:
        """Number and box of each confirmed track that the newest frame shows."""
        return [
            (lane.number, lane.observations[-1].detection)
            for lane in self._lanes
            if lane.number and lane.last_us == self._time_us
        ]

    def finish(self) -> list[Track]:
        """End of the video: all confirmed tracks that were still open."""
        ended = self.active()
        self._lanes = []
        return ended

    def _measure(self, observations: Sequence[Observation], motion: CameraMotion) -> tuple[Floats, Floats, Floats]:
        """Places of boxes on the plane, (n, 2), their covariances, (n, 2, 2), and the plane's units a metre, (n,)."""
        if not observations:
            return np.zeros((0, 2)), np.zeros((0, 2, 2)), np.zeros(0)
        centres = np.array([o.detection.centre for o in observations])
        sizes = np.array([o.detection.size for o in observations])
        corners = centres[:, None] + np.array([[0.0, 0.0], [0.5, 0.0], [-0.5, 0.0], [0.0, 0.5], [0.0, -0.5]])
        mapped = motion.absolute(corners.reshape(-1, 2)).reshape(-1, 5, 2)
        jacobian = np.stack([mapped[:, 1] - mapped[:, 2], mapped[:, 3] - mapped[:, 4]], axis=-1)
        sigma = np.hypot(np.maximum(self.settings.pixel_noise_px, self.settings.box_noise * sizes), motion.sigma_px)
        spread = jacobian * sigma[:, None, :]
        noises = spread @ np.swapaxes(spread, 1, 2)
        # What is new in a frame besides the box: the jitter of the pose.
        noises += np.array([np.zeros((2, 2)) if o.ground is None else o.ground.random for o in observations])
        # In a picture the object itself is the only measure.
        scales = np.ones(len(observations)) if motion.metric else _scale(sizes.max(axis=1))
        return mapped[:, 0], noises, scales

    def _born(self, detection: Detection, place: Floats, noise: Floats, scale: float) -> PlaneFilter:
        speed = self.settings.speeds.get(detection.kind, 5.0)
        return PlaneFilter(place, noise, speed * scale, (self.settings.agility * scale) ** 2)

    def _pairs(
        self, lanes: Sequence[_Lane], observations: Sequence[Observation], places: Floats, noises: Floats
    ) -> list[tuple[int, int]]:
        """The assignment of observations to lanes that costs least: pairs of their positions."""
        if not lanes or not observations:
            return []
        states = np.array([lane.filter.state[:2] for lane in lanes])
        errors = np.array([lane.filter.covariance[:2, :2] for lane in lanes])
        apart = places[None] - states[:, None]
        right, down = apart[..., 0], apart[..., 1]
        (a, b), (c, d) = np.moveaxis(errors[:, None] + noises[None], (2, 3), (0, 1))
        # By hand: for two rows `numpy.linalg.solve` and `det` take longer than all the rest.
        determinant = a * d - b * c
        distance = (d * right**2 - (b + c) * right * down + a * down**2) / determinant
        # The determinant makes it a likelihood: a vague track does not win by its vagueness.
        cost = distance + np.log(determinant)
        expected = np.maximum([lane.size for lane in lanes], 1.0)
        boxes = np.maximum([o.detection.size for o in observations], 1.0)
        growth = np.abs(np.log(boxes[None] / expected[:, None]))
        cost += 2.0 * growth.sum(axis=2)
        kinds = [o.detection.kind for o in observations]
        for row, kind in enumerate([lane.kind for lane in lanes]):
            for column, other in enumerate(kinds):
                if other != kind:
                    cost[row, column] += _MIX if frozenset({kind, other}) in self.settings.alike else _NEVER
        cost[(distance > self.settings.gate**2) | (growth.max(axis=2) > _GROWTH)] = _NEVER
        rows, columns = linear_sum_assignment(cost)
        return [(int(r), int(c)) for r, c in zip(rows, columns, strict=True) if cost[r, c] < _NEVER / 2]

    def _retire(self, time_us: int) -> list[Track]:
        """Drop lanes unseen for too long; return those that counted."""
        kept, ended = [], []
        least_s = 0.0 if self._pace.seldom else 1.5 * self._pace.usual_s
        for lane in self._lanes:
            patience_s = self.settings.lost_s if lane.number else self.settings.tentative_s
            if (time_us - lane.last_us) / 1e6 <= max(patience_s, least_s):
                kept.append(lane)
            elif lane.number:
                ended.append(lane.track())
        self._lanes = kept
        return ended


def _shows(motion: CameraMotion, lane: _Lane) -> bool:
    """Whether the picture of a camera that tells no pose shows where a track is expected."""
    return not isinstance(motion, SlidingPicture) or motion.shows(lane.filter.state[:2])


def _scale(sizes_px: ArrayLike) -> Floats:
    """Pixels a metre in a picture, by how long objects are in it, pixels: a person is 1.7 m high."""
    return np.maximum(sizes_px, 8.0) / 1.7
