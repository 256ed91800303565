"""Places on the ground beside the true ones, by height and angle, and whether the stated ellipse holds them.

Rendered pictures of people who stand on level ground; the shipped thermal detector finds them. Each picture is placed
many times: with a pose that is off by a new draw of what it states, and a ground that is as much too high or too low as
the error model allows it. Camera and people stand still, so the clock's error moves nothing. The size of a pixel on the
ground is the same everywhere: what differs between the rows is the geometry, not what the detector has to look at.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from bench.rows import BenchError, Row, wanted
from geo import Altitude, CameraModel, CameraPose, Datum, FlatTerrain, PoseSigma
from sim import MEASURED, Actor, Box, PoseNoise, Renderer, World, stand
from vision import (
    Detection,
    Detector,
    ErrorModel,
    Frame,
    FrameDetector,
    Georeferencer,
    PlaceSample,
    PlaceScore,
    TrackerSettings,
    score_places,
)
from vision.average_precision import overlap

__all__ = ["View", "georeference_rows", "samples_of"]

_HEIGHTS_M, _DOWN_DEG = (30, 60, 100, 150), (30, 57, 85)
_PICTURES, _DRAWS, _PEOPLE = 8, 40, 8
_LEAST, _MOST = 0.90, 0.98
_LAT, _LON, _GROUND_M, _EPOCH_US = 31.333, -110.94, 1180.0, 1_780_000_000_000_000
_SIZE, _PIXEL_M = (640, 512), 0.06
# A found box is that of the person whose true box it covers by half; of whom less is to be seen, nobody can say.
_OVERLAP, _VISIBLE = 0.5, 0.9
_SCALED = "horizontal_m", "vertical_m", "yaw_deg", "pitch_deg", "roll_deg"


@dataclass(frozen=True, slots=True)
class View:
    """From how high, metres above the ground, and how far below the horizon, degrees, the camera looks."""

    height_m: float
    down_deg: float

    @property
    def name(self) -> str:
        """As the rows tell it."""
        return f"{self.height_m:g} m, {self.down_deg:g} degrees down"

    @property
    def camera(self) -> CameraModel:
        """With the focal length that makes a pixel of the middle `_PIXEL_M` across."""
        return CameraModel(*_SIZE, self.height_m / math.sin(math.radians(self.down_deg)) / _PIXEL_M)


def georeference_rows(only: str | None) -> Iterator[Row]:
    """A row for each height and angle: the share of true places that lie in the stated 95 % ellipse, and the errors.

    Raises
    ------
    BenchError
        When the detector finds nobody in the pictures of a view.
    """
    asked = [View(h, d) for h in _HEIGHTS_M for d in _DOWN_DEG if wanted(f"georeference/{View(h, d).name}", only)]
    if not asked:
        return
    detector = Detector(confidence=TrackerSettings().low_score)
    for view in asked:
        samples = samples_of(view, detector)
        result = score_places(samples)
        if result is None:
            raise BenchError(f"georeference/{view.name}: the detector found nobody in {_PICTURES} rendered pictures")
        share, goal = result.inside, f"{_LEAST:.2f} to {_MOST:.2f}"
        name = f"georeference/{view.name}"
        yield Row(name, share, "share inside", _errors(result), goal=goal, met=_LEAST <= share <= _MOST)


def _errors(result: PlaceScore) -> str:
    return (
        f"error {result.median_m:.1f} m median, {result.p95_m:.1f} m at 95 %; ellipse {result.semi_major_m:.1f} m; "
        f"{result.sightings} places, {result.recordings} poses"
    )


def samples_of(
    view: View, detector: FrameDetector, *, pictures: int = _PICTURES, draws: int = _DRAWS, scale: float = 1.0
) -> list[PlaceSample]:
    """Places of people found in rendered pictures, each draw of errors a recording of its own.

    Parameters
    ----------
    view
        Height and angle.
    detector
        Finds people in the pictures.
    pictures, draws
        How many pictures, and how often each is placed.
    scale
        Errors that are drawn, as a multiple of those stated: at 1 the ellipse is to hold 95 % of the places.
    """
    camera, errors = view.camera, ErrorModel()
    drawn = PoseSigma(*(scale * getattr(MEASURED, name) for name in _SCALED))
    samples: list[PlaceSample] = []
    for picture in range(pictures):
        rng = np.random.default_rng([picture, round(view.height_m), round(view.down_deg)])
        level = Altitude(_GROUND_M + view.height_m, Datum.AMSL)
        true = CameraPose(_LAT, _LON, level, float(rng.uniform(0, 360)), -view.down_deg)
        world = _world(true, camera, view.height_m, rng)
        rendered = Renderer(world, camera).frame(true, _EPOCH_US)
        image = np.repeat(rendered.image[..., None], 3, axis=2)
        found = _people(detector.detect([image])[0], rendered.boxes)
        places = {actor.id: actor.path.at(0.0) for actor in world.actors}
        for draw in range(draws):
            measured = PoseNoise(drawn, int(rng.integers(1 << 31))).measured(true, _EPOCH_US)
            frame = Frame(image, _EPOCH_US, pose=replace(measured, sigma=MEASURED), camera=camera)
            ground = FlatTerrain(_GROUND_M + scale * errors.terrain_m * float(rng.standard_normal()))
            points = Georeferencer(world.frame, ground, errors).points(frame, [box for _, box in found])
            samples += [
                PlaceSample(f"{picture} {draw}", at.xy - places[who], at.covariance, view.height_m, view.down_deg)
                for (who, _), at in zip(found, points, strict=True)
                if at is not None
            ]
    return samples


def _world(pose: CameraPose, camera: CameraModel, height_m: float, rng: np.random.Generator) -> World:
    """Level ground with people who stand anywhere in the picture but at its edges."""
    pixels = rng.uniform(0.1, 0.9, (_PEOPLE, 2)) * _SIZE
    rays = camera.rays(pixels) @ pose.rotation_enu_from_camera().T
    places = rays[:, :2] * (-height_m / rays[:, 2:])
    actors = tuple(
        Actor(i, "person", stand(place, start_s=-1.0, end_s=1.0, facing_deg=float(rng.uniform(0, 360))), seed=i)
        for i, place in enumerate(places)
    )
    return World(_LAT, _LON, _GROUND_M, _EPOCH_US, actors, seed=int(rng.integers(1 << 31)), bushes=0.3)


def _people(found: Sequence[Detection], true: Sequence[Box]) -> list[tuple[int, Detection]]:
    """Who was found, and the best box of each: told by the pictures' own boxes, never by the place that is judged."""
    seen = [box for box in true if box.visible >= _VISIBLE]
    if not seen or not found:
        return []
    shared = overlap(
        np.array([(b.x1, b.y1, b.x2, b.y2) for b in seen]), np.array([(d.x1, d.y1, d.x2, d.y2) for d in found])
    )
    best = shared.argmax(axis=1)
    return [
        (box.id, found[k])
        for box, k, share in zip(seen, best.tolist(), shared.max(axis=1).tolist(), strict=True)
        if share >= _OVERLAP and found[k].kind == "person"
    ]
