"""Moments of flights at which a camera looks steadily at the border."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geo import CameraModel, LocalFrame, densify, locate
from sim.camera import FlightTrack
from sim.errors import WorldError
from sim.render_sprite import View

__all__ = ["Moment", "find_moments", "spread"]

Floats = NDArray[np.float64]

_GRID_S = 1.0
_STEADY_PITCH_DEG = 2.5
_STEADY_YAW_DEG = 6.0
_SLOWEST_MPS = 2.0
_FAR_M = 600.0
_APART_M = 80.0
_MOST_MOMENTS = 400


@dataclass(frozen=True, slots=True)
class Moment:
    """The middle of a time in which the camera of a flight passes along the border.

    Parameters
    ----------
    flight
        Index of the flight.
    time_s
        Seconds since the start of the flight.
    lat_deg, lon_deg
        The point of the border in the middle of the image.
    """

    flight: int
    time_s: float
    lat_deg: float
    lon_deg: float


def find_moments(
    flight: FlightTrack,
    index: int,
    line_lonlat: Sequence[tuple[float, float]],
    camera: CameraModel,
    *,
    ground_amsl_m: float,
    half_s: float,
    pitch_deg: float,
) -> list[Moment]:
    """Moments, some seconds apart, about which the camera is on patrol for `half_s` seconds to each side.

    On patrol: the gimbal at its patrol pitch, the vehicle under way, its heading steady, and the border within the
    middle two thirds of the image.
    """
    grid = np.arange(flight.samples[0, 0], flight.samples[-1, 0], _GRID_S)
    if grid.size < 2:
        return []
    rows = flight.at(grid)
    frame = LocalFrame(float(rows[0, 1]), float(rows[0, 2]), ground_amsl_m)
    lon, lat = np.asarray(line_lonlat, dtype=float).T
    line = np.stack(frame.to_enu(*densify(lat, lon), ground_amsl_m)[:2], axis=1)
    place = np.stack(frame.to_enu(rows[:, 1], rows[:, 2], rows[:, 3]), axis=1)
    speed = np.hypot(*np.gradient(place[:, :2], grid, axis=0).T)
    turn = np.abs(np.gradient(rows[:, 4] + rows[:, 7], grid))
    good = (
        (np.abs(rows[:, 8] - pitch_deg) < _STEADY_PITCH_DEG)
        & (speed > _SLOWEST_MPS)
        & (turn < _STEADY_YAW_DEG)
        & (place[:, 2] > 5)
    )
    moments = []
    reach = int(np.ceil(half_s / _GRID_S))
    steady = [i for i in range(reach, len(grid) - reach) if good[i - reach : i + reach + 1].all()]
    for i in steady[:: max(1, len(steady) // _MOST_MOMENTS)]:
        point = _border_point(flight, grid[i], line, frame, camera)
        if point is not None:
            lat, lon, _ = frame.to_geodetic(*point)
            moments.append(Moment(index, float(grid[i]), float(lat), float(lon)))
    return moments


def _border_point(
    flight: FlightTrack, time_s: float, line: Floats, frame: LocalFrame, camera: CameraModel
) -> Floats | None:
    """Point of the border nearest to the ground in the middle of the image; None where the image hardly shows it."""
    pose = flight.pose(flight.start_us + round(time_s * 1e6))
    centre = np.array(frame.to_enu(pose.lat_deg, pose.lon_deg, pose.altitude.metres), dtype=float)
    view = View(camera, centre, pose.rotation_enu_from_camera())
    middle = view.on_ground(np.array([[camera.width_px / 2, camera.height_px / 2]]), _FAR_M)
    beside = locate(line, middle)
    if beside.beyond[0]:
        return None
    steps = np.hypot(*np.diff(line, axis=0).T)
    along = np.concatenate([[0.0], np.cumsum(steps)])
    point = np.array([np.interp(beside.along_m[0], along, line[:, axis]) for axis in (0, 1)])
    pixel, depth = view.project(np.array([[*point, 0.0]]))
    margin = min(camera.width_px, camera.height_px) / 6
    return point if depth[0] > 0 and camera.contains(pixel, margin)[0] else None


def spread(moments: Sequence[Sequence[Moment]], count: int, half_s: float, rng: np.random.Generator) -> list[Moment]:
    """Choose moments evenly over flights and within each, apart from each other in time and place; in order of choice.

    Raises
    ------
    WorldError
        When there are not enough.
    """
    frame: LocalFrame | None = None
    chosen: list[Moment] = []
    places: list[Floats] = []
    queues = [_shuffled_evenly(list(group), count, rng) for group in moments if group]
    while queues and len(chosen) < count:
        for queue in list(queues):
            while queue:
                moment = queue.pop(0)
                frame = frame or LocalFrame(moment.lat_deg, moment.lon_deg)
                place = np.array(frame.to_enu(moment.lat_deg, moment.lon_deg)[:2], dtype=float)
                apart = all(np.hypot(*(place - other)) > _APART_M for other in places)
                if apart and all(
                    other.flight != moment.flight or abs(other.time_s - moment.time_s) > 2 * half_s + 2
                    for other in chosen
                ):
                    chosen.append(moment)
                    places.append(place)
                    break
            if len(chosen) == count:
                break
        queues = [queue for queue in queues if queue]
    if len(chosen) < count:
        total = sum(len(group) for group in moments)
        raise WorldError(
            f"the flights look steadily at the border in {total} moments, of which {len(chosen)} are far enough apart "
            f"for {count} windows: fly longer patrols or ask for fewer windows"
        )
    return chosen


def _shuffled_evenly(moments: list[Moment], count: int, rng: np.random.Generator) -> list[Moment]:
    """One moment out of each of `count` equal parts, in random order, then all others in random order."""
    edges = np.linspace(0, len(moments), min(count, len(moments)) + 1).astype(int)
    first = [int(rng.integers(a, b)) for a, b in itertools.pairwise(edges) if b > a]
    rest = np.setdiff1d(np.arange(len(moments)), first)
    return [moments[i] for i in [*rng.permutation(first).tolist(), *rng.permutation(rest).tolist()]]
