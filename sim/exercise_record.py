"""The record of an exercise that was played: what is scored, replayed and reported, read from its folder.

::

    exercise.yaml        the exercise, as it was played
    run.json             seed, speed, and what ties its clock to the wall clock
    truth.csv            where every vehicle was (`sim.truth_record`)
    events.jsonl         what happened, one JSON object a line: t_s, by, kind, words and more

`by` is "control" where the exercise itself did or saw something, and "crew" where those who train, or the automatic
crew, said so. Nothing that a crew says is scored.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geo import CameraModel, locate
from sim.errors import ExerciseError
from sim.exercise import CameraInject, Exercise, FaultInject, ZoneInject, load_exercise
from sim.truth_record import VehicleTruth, read_truth
from sim.video_truth import TrueCrossing, find_crossings

__all__ = ["ExerciseRecord", "border_distance_m", "in_view", "load_record", "true_crossings"]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class ExerciseRecord:
    """What is known of a run.

    Parameters
    ----------
    exercise
        What was played.
    run
        Of ``run.json``.
    truth
        By system id.
    events
        In order of time.
    """

    exercise: Exercise
    run: dict[str, Any]
    truth: dict[int, VehicleTruth]
    events: list[dict[str, Any]]

    @property
    def end_s(self) -> float:
        """When the record ends, seconds."""
        return max(float(one.time_s[-1]) for one in self.truth.values())

    def control(self, *kinds: str) -> list[dict[str, Any]]:
        """What the exercise itself did or saw."""
        return [event for event in self.events if event["by"] == "control" and event["kind"] in kinds]

    @cached_property
    def crossings(self) -> list[tuple[float, TrueCrossing]]:
        """Who truly crossed the border up to the end: seconds, and the crossing."""
        return true_crossings(self.exercise, self.end_s)

    def view(self, sysid: int, points_m: Floats) -> Bools:
        """Whether points were in a vehicle's view; as `in_view`, and never while its camera showed nothing.

        Parameters
        ----------
        sysid
            Which vehicle.
        points_m
            East and north, metres: shape (k, 2), or (n, 1, 2) for places that move, n the moments of the truth.
        """
        truth = self.truth[sysid]
        return in_view(self.exercise, truth, points_m) & ~self.blind(sysid)[:, None]

    def blind(self, sysid: int) -> Bools:
        """Moments at which a vehicle's camera showed nothing, shape (n,)."""
        truth = self.truth[sysid]
        blind = np.zeros(truth.time_s.size, dtype=bool)
        for inject in self.exercise.injects:
            if isinstance(inject, CameraInject) and sysid in inject.vehicles:
                lost = int(np.searchsorted(truth.time_s, inject.at_s))
                if lost < blind.size:
                    blind[lost:] |= truth.sortie[lost:] == truth.sortie[lost]
        return blind

    def began_s(self, kind: str, sysid: int) -> float | None:
        """When a fault of a vehicle began, seconds; None where it waits for a take-off that never was."""
        for inject in self.exercise.injects:
            if isinstance(inject, FaultInject) and inject.kind == kind and inject.fault.happens_to(sysid):
                if inject.event == "power-on":
                    return inject.at_s
                truth = self.truth[sysid]
                return float(truth.time_s[np.argmax(truth.airborne)]) + inject.at_s if truth.airborne.any() else None
        return None

    def zones(self) -> list[tuple[float, ZoneInject]]:
        """The zones of the exercise, and from when each is in force, seconds."""
        return [(one.at_s + one.grace_s, one) for one in self.exercise.injects if isinstance(one, ZoneInject)]


def load_record(folder: Path) -> ExerciseRecord:
    """Read the record of a run.

    Raises
    ------
    ExerciseError
        When a file is missing or spoilt.
    ConfigError
        When the truth is.
    """
    exercise = load_exercise(folder / "exercise.yaml")
    run = _json(folder / "run.json", _text(folder / "run.json"))
    events = []
    for number, line in enumerate(_text(folder / "events.jsonl").splitlines(), start=1):
        event = _json(f"{folder / 'events.jsonl'}, line {number}", line)
        if not {"t_s", "by", "kind", "words"} <= set(event):
            raise ExerciseError(f"{folder / 'events.jsonl'}, line {number}: lacks t_s, by, kind or words")
        events.append(event)
    return ExerciseRecord(exercise, run, read_truth(folder / "truth.csv"), sorted(events, key=lambda e: e["t_s"]))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ExerciseError(f"{path} cannot be read: give the folder of an exercise that was played") from error


def _json(where: object, text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError as error:
        raise ExerciseError(f"{where} is no JSON: {error}") from error
    if not isinstance(value, dict):
        raise ExerciseError(f"{where} is no JSON object")
    return value


def true_crossings(exercise: Exercise, end_s: float) -> list[tuple[float, TrueCrossing]]:
    """Who truly crosses the border from the beginning up to `end_s`: seconds, and the crossing."""
    world = exercise.played_world
    line = [(lon, lat) for lat, lon in (exercise.place_deg(point) for point in exercise.border.points)]
    found = find_crossings(world, line, exercise.border.own_side, world.epoch_us, world.epoch_us + round(end_s * 1e6))
    return [(world.seconds(one.time_us), one) for one in found]


def border_distance_m(exercise: Exercise, lat_deg: Floats, lon_deg: Floats) -> Floats:
    """Distance of places to the border, metres: positive on the own side, negative on the other."""
    east, north, _ = exercise.frame.to_enu(lat_deg, lon_deg, exercise.frame.height_m)
    place = locate(exercise.border_m, np.stack([np.atleast_1d(east), np.atleast_1d(north)], axis=-1))
    # Past an end of the line its side means nothing: there it counts as the own one.
    return np.where(place.beyond, np.abs(place.offset_m), exercise.own_sign * place.offset_m)


def in_view(exercise: Exercise, truth: VehicleTruth, points_m: Floats) -> Bools:
    """Whether points of the ground were in the picture of a vehicle in the air, and near enough to be made out.

    Parameters
    ----------
    exercise
        Its camera, and its frame.
    truth
        The vehicle, n moments.
    points_m
        East and north, metres: shape (k, 2), or (n, k, 2) for places that move.

    Returns
    -------
    array
        Shape (n, k). The ground is flat, nothing hides a point; the gimbal holds the camera level. Near enough means
        that a pixel across the line of sight is no wider than the camera's `seen_gsd_m`.
    """
    camera = exercise.fleet.camera
    model: CameraModel = camera.model
    frame = exercise.frame
    east, north, up = frame.to_enu(truth.lat_deg, truth.lon_deg, truth.amsl_m)
    points = np.asarray(points_m, dtype=float)
    points = np.broadcast_to(points, (truth.time_s.size, *points.shape[-2:]))
    here = np.stack([east, north, up], axis=-1)[:, None, :]
    away = np.concatenate([points, np.zeros((*points.shape[:-1], 1))], axis=-1) - here
    yaw, pitch = np.radians(truth.axis_deg), np.radians(truth.pitch_deg)
    zero = np.zeros_like(yaw)
    ahead = np.stack([np.sin(yaw) * np.cos(pitch), np.cos(yaw) * np.cos(pitch), np.sin(pitch)], axis=-1)
    right = np.stack([np.cos(yaw), -np.sin(yaw), zero], axis=-1)
    down = np.cross(ahead, right)
    seen = np.stack([np.einsum("nkc,nc->nk", away, axis) for axis in (right, down, ahead)], axis=-1)
    near = np.linalg.norm(away, axis=-1) <= camera.seen_gsd_m * model.focal_px
    with np.errstate(invalid="ignore"):
        return np.asarray(model.contains(model.project(seen)) & near & truth.airborne[:, None])
