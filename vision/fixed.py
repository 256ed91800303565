"""Fixed cameras without a pose: a homography from known points, or at least a line in the picture.

A file for `load_fixed` is JSON, one of::

    {"points": [{"pixel": [x, y], "lat": 31.33, "lon": -110.94}, ...four or more...], "sigma_m": 0.5}
    {"line": [[x, y], [x, y], ...], "name": "gate", "own_side": "left"}

With points, crossings are decided on the ground beside a border file, method "homography". With a line alone they are
decided in the picture, method "pixel": the place is unknown, so such a crossing is never more than probable.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from geo import CoordinateError, LocalFrame, check_coordinates
from vision.border import GroundLine
from vision.camera_motion import GroundPlane, SteadyPicture, through
from vision.crossing import CrossingRule, Passage, judge
from vision.errors import BorderError
from vision.feet import FOOT_PX, FOOT_SHARE, foot_doubt
from vision.kalman import smooth
from vision.types import Detection, Frame, GroundPoint, GroundTrack, Track

__all__ = ["Homography", "KnownPoint", "PixelLine", "load_fixed", "pixel_passages", "pixel_track"]

Floats = NDArray[np.float64]

_STEPS = np.array([[[0.0, 0.0]], [[1.0, 0.0]], [[0.0, 1.0]]])


@dataclass(frozen=True, slots=True)
class KnownPoint:
    """A point of the ground that is seen at a pixel: pixels x, y; degrees WGS 84."""

    x: float
    y: float
    lat_deg: float
    lon_deg: float


@dataclass(frozen=True)
class Homography:
    """Where the ground is in a fixed camera's picture, from known points on level ground.

    Parameters
    ----------
    points
        Four or more, no three in a line where there are four.
    sigma_m
        One sigma of the place of each point, metres, each way: the systematic error of all that is seen.

    Raises
    ------
    BorderError
        With fewer points, a pixel that is no number, or points that leave the homography open.
    """

    points: Sequence[KnownPoint]
    sigma_m: float = 0.5
    frame: LocalFrame = field(init=False)
    plane: GroundPlane = field(init=False)
    _to_planes: Floats = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if len(self.points) < 4:
            raise BorderError(f"homography: {len(self.points)} known points: give four or more")
        if not np.isfinite([(p.x, p.y) for p in self.points]).all():
            raise BorderError("homography: a pixel of the known points is no number: give x and y of each")
        lat, lon = np.array([(p.lat_deg, p.lon_deg) for p in self.points]).T
        try:
            check_coordinates(lat, lon, "homography points")
        except CoordinateError as error:
            raise BorderError(str(error)) from error
        frame = LocalFrame(float(lat.mean()), float(lon.mean()), 0.0)
        east, north, _ = frame.to_enu(lat, lon, 0.0)
        pixels, places = np.array([(p.x, p.y) for p in self.points]), np.stack([east, north], axis=-1)
        to_planes = [_fit(pixels, places)]
        for index in np.ndindex(*places.shape):
            moved = places.copy()
            moved[index] += self.sigma_m
            to_planes.append(_fit(pixels, moved))
        object.__setattr__(self, "frame", frame)
        object.__setattr__(self, "plane", GroundPlane(to_planes[0]))
        # That of the points as they are told first, then one with each of their coordinates off by a sigma.
        object.__setattr__(self, "_to_planes", np.array(to_planes))

    def ground_points(
        self, frame: Frame, detections: Sequence[Detection], view: SteadyPicture | None = None
    ) -> list[GroundPoint | None]:
        """Where the feet of the boxes are; None above the horizon. The error of the known points is systematic.

        Parameters
        ----------
        frame, detections
            The frame, and its boxes.
        view
            How the frame lies on the picture in which the points were marked; None: just as that one.
        """
        if not detections:
            return []
        feet = np.array([d.bottom for d in detections])
        sigma = np.maximum(FOOT_PX, [FOOT_SHARE * d.size[1] for d in detections])
        if view is not None:
            feet, sigma = view.absolute(feet), np.hypot(sigma, view.sigma_px)
        # The feet, a pixel to their right, and one down, on all planes.
        mapped = through(self._to_planes, (feet + _STEPS).reshape(-1, 2)).reshape(len(self._to_planes), 3, -1, 2)
        places = mapped[0, 0]
        spread = np.moveaxis(mapped[0, 1:] - places, 0, -1) * sigma[:, None, None]
        random = spread @ np.swapaxes(spread, 1, 2)
        systematic = np.moveaxis(mapped[1:, 0] - places, 0, -1)
        known = np.isfinite(places).all(axis=1) & np.isfinite(systematic).all(axis=(1, 2))
        return [
            GroundPoint(frame.time_us, places[i], random[i], systematic[i]) if is_known else None
            for i, is_known in enumerate(known.tolist())
        ]


def _fit(pixels: Floats, places: Floats) -> Floats:
    """Homography from pixels to places by the normalised direct linear transform (Hartley, Zisserman, 4.2)."""

    def normaliser(points: Floats) -> Floats:
        scale = np.sqrt(2) / max(float(np.mean(np.hypot(*(points - points.mean(axis=0)).T))), 1e-9)
        return np.array([[scale, 0, -scale * points[:, 0].mean()], [0, scale, -scale * points[:, 1].mean()], [0, 0, 1]])

    a, b = normaliser(pixels), normaliser(places)
    ones = np.ones((len(pixels), 1))
    p, q = np.concatenate([pixels, ones], axis=1) @ a.T, np.concatenate([places, ones], axis=1) @ b.T
    zero = np.zeros_like(p)
    rows = np.concatenate(
        [np.concatenate([p, zero, -q[:, :1] * p], axis=1), np.concatenate([zero, p, -q[:, 1:2] * p], axis=1)]
    )
    _, values, vectors = np.linalg.svd(rows)
    if values[7] < 1e-6 * values[0]:
        raise BorderError("homography: the known points leave it open: spread them, no three of four in one line")
    fitted = np.linalg.inv(b) @ vectors[-1].reshape(3, 3) @ a
    side = np.concatenate([pixels, ones], axis=1) @ fitted[2]
    if side.min() < 0 < side.max():
        raise BorderError("homography: the horizon runs between the known points: two of them may be swapped")
    return np.asarray(fitted * np.sign(side.sum()))


@dataclass(frozen=True, slots=True)
class PixelLine:
    """A line in the picture of a fixed camera.

    Parameters
    ----------
    name
        Name of the border it stands for.
    pixels
        Vertices (x, y) in order.
    own_side
        "left" or "right" for one who walks along it in the picture.

    Raises
    ------
    BorderError
        With fewer than two different vertices, one that is no number, or another side.
    """

    name: str
    pixels: Sequence[tuple[float, float]]
    own_side: str

    def __post_init__(self) -> None:
        if len(set(self.pixels)) < 2:
            raise BorderError(f"line {self.name}: give at least two different pixels")
        if not np.isfinite(np.asarray(self.pixels, dtype=float)).all():
            raise BorderError(f"line {self.name}: a pixel of it is no number: give x and y of each")
        if self.own_side not in {"left", "right"}:
            raise BorderError(f'line {self.name}: own_side is {self.own_side!r}: give "left" or "right"')

    def check_within(self, width_px: int, height_px: int) -> None:
        """Raise `BorderError` where no piece of it runs through pictures of a size: nobody could ever cross it."""
        if not shapely.LineString(self.pixels).intersects(shapely.box(0, 0, width_px, height_px)):
            raise BorderError(
                f"line {self.name}: runs beside the pictures, which are {width_px}x{height_px}: give pixels of them"
            )

    def as_ground(self) -> GroundLine:
        """The line with the pixel for its metre; y runs down in pixels, so left and right change places."""
        return GroundLine(self.name, np.asarray(self.pixels, dtype=float), 1.0 if self.own_side == "right" else -1.0)


def feet_of(track: Track) -> Floats:
    """Where the feet of a track are in the picture at rest, pixels, shape (n, 2)."""
    return np.array([o.detection.bottom if o.foot is None else (o.foot.x, o.foot.y) for o in track.observations])


def pixel_track(track: Track) -> GroundTrack:
    """The smoothed way of a track's feet in the picture at rest, pixels for metres, without systematic error."""
    feet = feet_of(track)
    shaken = np.array([0.0 if o.foot is None else o.foot.sigma_px for o in track.observations])
    heights = np.array([o.detection.size[1] for o in track.observations])
    times = np.array([o.time_us for o in track.observations], dtype=np.int64)
    sigma = np.hypot(np.maximum(FOOT_PX, FOOT_SHARE * heights), shaken)
    # What hides the legs moves the foot up, not aside.
    noises = np.eye(2) * np.stack([sigma**2, sigma**2 * foot_doubt(track)], axis=-1)[:, None, :]
    scale = float(np.median(heights)) / 1.7
    states, errors = smooth((times - times[0]) / 1e6, feet, noises, 3.0 * scale, 0.3 * scale**2)
    # A foot that no box shows may be put below the picture, where a line drawn to its edge has ended.
    states[:, 1] = np.minimum(states[:, 1], feet[:, 1].max())
    return GroundTrack(
        track.number,
        track.kind,
        track.score,
        times,
        states[:, :2],
        states[:, 2:],
        errors[:, :2, :2],
        np.zeros((len(times), 2, 1)),
    )


def pixel_passages(
    track: Track, line: PixelLine, rule: CrossingRule | None = None, way: GroundTrack | None = None
) -> tuple[Passage, ...]:
    """Passages of a track over a line in the picture.

    The rule's metres are taken at the scale of the object: its box is as high as a person, 1.7 m. `way` is its
    `pixel_track`, where that is known already.
    """
    rule = rule or CrossingRule()
    scale = float(np.median([o.detection.size[1] for o in track.observations])) / 1.7
    scaled = CrossingRule(
        hysteresis_m=max(2.0, rule.hysteresis_m * scale),
        random_sigmas=rule.random_sigmas,
        stay_before_s=rule.stay_before_s,
        stay_s=rule.stay_s,
        travel_m=max(6.0, rule.travel_m * scale),
        travel_sigmas=rule.travel_sigmas,
        settle_s=rule.settle_s,
    )
    return judge(way or pixel_track(track), line.as_ground(), scaled).passages


def load_fixed(path: Path) -> Homography | PixelLine:
    """Read a fixed camera's file; see the module for its form.

    Raises
    ------
    BorderError
        When it cannot be read or is not that; the message names file and member.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BorderError(f"{path}: cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise BorderError(f"{path}: not JSON: {error}") from error
    if not isinstance(document, dict) or not ({"points", "line"} & document.keys()):
        raise BorderError(f'{path}: give "points" (four known points or more) or "line" (pixels)')
    try:
        return _homography(document) if "points" in document else _line(document, path.stem)
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise BorderError(f"{path}: not in the form of a fixed camera's file: {error!r}") from error


def _homography(document: dict[str, Any]) -> Homography:
    points = [
        KnownPoint(float(p["pixel"][0]), float(p["pixel"][1]), float(p["lat"]), float(p["lon"]))
        for p in document["points"]
    ]
    return Homography(tuple(points), float(document.get("sigma_m", 0.5)))


def _line(document: dict[str, Any], name: str) -> PixelLine:
    pixels = tuple((float(p[0]), float(p[1])) for p in document["line"])
    return PixelLine(str(document.get("name", name)), pixels, str(document.get("own_side")))
