"""A world told by a file, YAML or JSON: who moves where and when.

::

    origin: {lat: 31.345, lon: -110.93, ground_amsl_m: 1180}
    epoch: 2027-03-01T06:00:00Z        # UTC of second 0; without it, when the world is put to use
    seed: 7                            # texture and vegetation
    bushes: 0.5                        # share of the usual vegetation
    roads:
      - width_m: 3
        points: [{east_m: -200, north_m: 8}, {east_m: 200, north_m: 8}]
    actors:
      - id: 1
        kind: person                   # person, vehicle, bicycle, animal
        looks: 12                      # chooses height, clothes, colours and warmth; without it, the id
        path:                          # a time at each point: straight lines between them
          - {time_s: 0, east_m: 0, north_m: -40}
          - {time_s: 60, lat: 31.3454, lon: -110.93}
      - id: 2
        kind: vehicle
        start_s: 20                    # or no times: at this pace from this time on
        speed_mps: 8
        path: [{east_m: -200, north_m: 8}, {east_m: 200, north_m: 8}]

A point is given in metres from the origin or in degrees WGS 84. Before its first point and after its last an actor
stands there. What somebody wears and how warm it is, the world knows only as `looks`: a number that the renderers make
height, clothes and temperatures of, the same ones for the same number.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Self

import numpy as np
from pydantic import AwareDatetime, Field, model_validator

from geo import LocalFrame, VedetteError, check_coordinates
from sim.documents import Document, Number, Whole, read_document
from sim.errors import WorldError
from sim.times import microseconds
from sim.world import Actor, Road, World, walk
from sim.world import Path as TimedPath

__all__ = ["PlaceDocument", "WorldDocument", "load_world", "place_m", "world_of"]

_Seed = Annotated[Whole, Field(ge=0, lt=2**31)]


class _Origin(Document):
    lat: Number
    lon: Number
    ground_amsl_m: Annotated[Number, Field(ge=-500, le=9000)] = 0.0


class PlaceDocument(Document):
    """A point of the ground, in metres from the origin of a world or in degrees WGS 84."""

    east_m: Number | None = None
    north_m: Number | None = None
    lat: Number | None = None
    lon: Number | None = None

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        metres, degrees = (self.east_m, self.north_m), (self.lat, self.lon)
        if (None in metres) == (None in degrees) or metres.count(None) == 1 or degrees.count(None) == 1:
            raise ValueError("give either east_m and north_m, or lat and lon")
        return self


class _Point(PlaceDocument):
    time_s: Number | None = None


class _Actor(Document):
    id: Annotated[Whole, Field(ge=1, lt=2**31)]
    kind: str
    path: list[_Point] = Field(min_length=1, max_length=100_000)
    start_s: Number | None = None
    speed_mps: Annotated[Number, Field(gt=0, le=100)] | None = None
    facing_deg: Number = 0.0
    looks: _Seed | None = None

    @model_validator(mode="after")
    def _times_or_pace(self) -> Self:
        timed = sum(point.time_s is not None for point in self.path)
        if self.speed_mps is not None:
            if timed:
                raise ValueError("give times at the points or a speed_mps, not both")
        elif timed != len(self.path):
            raise ValueError("give a time_s at every point, or one speed_mps for all")
        elif self.start_s is not None:
            raise ValueError("start_s goes with speed_mps: the points have times of their own")
        return self


class _Road(Document):
    points: list[_Point] = Field(min_length=2, max_length=100_000)
    width_m: Annotated[Number, Field(gt=0, le=100)] = 3.0


class WorldDocument(Document):
    """A world as a file tells it; `world_of` makes one."""

    origin: _Origin
    epoch: AwareDatetime | None = None
    seed: _Seed = 0
    bushes: Annotated[Number, Field(ge=0, le=10)] = 1.0
    roads: list[_Road] = Field(default=[], max_length=1000)
    actors: list[_Actor] = Field(default=[], max_length=10_000)


def load_world(path: Path, *, epoch_us: int) -> World:
    """Read a world from a file.

    Parameters
    ----------
    path
        YAML or JSON, as the module says.
    epoch_us
        Time of second 0 where the file does not say it, UTC microseconds since the Unix epoch.

    Raises
    ------
    WorldError
        When the file cannot be read or tells of a world that there cannot be: names the file, the key, what to do.
    """
    return world_of(read_document(path, "world", WorldDocument, WorldError), f"world file {path}, ", epoch_us=epoch_us)


def world_of(told: WorldDocument, where: str, *, epoch_us: int) -> World:
    """The world that a file tells of; `where` begins messages. Else as `load_world`."""
    with _at(f"{where}origin"):
        check_coordinates(told.origin.lat, told.origin.lon, "the origin")
    frame = LocalFrame(told.origin.lat, told.origin.lon, told.origin.ground_amsl_m)
    actors, roads = [], []
    for number, each in enumerate(told.actors):
        with _at(f"{where}actors.{number}"):
            actors.append(_actor(each, frame))
    for number, road in enumerate(told.roads):
        with _at(f"{where}roads.{number}"):
            roads.append(Road(_points(road.points, frame), road.width_m))
    with _at(f"{where}actors"):
        return World(
            told.origin.lat,
            told.origin.lon,
            told.origin.ground_amsl_m,
            epoch_us if told.epoch is None else microseconds(told.epoch),
            tuple(actors),
            tuple(roads),
            told.seed,
            told.bushes,
        )


def _actor(told: _Actor, frame: LocalFrame) -> Actor:
    points = _points(told.path, frame)
    looks = told.id if told.looks is None else told.looks
    if told.speed_mps is None:
        times = np.array([point.time_s for point in told.path], dtype=float)
        path = TimedPath(times, points, told.facing_deg)
    else:
        path = walk(points, told.speed_mps, start_s=told.start_s or 0.0, seed=looks)
    return Actor(told.id, told.kind, path, looks)


def _points(points: Sequence[PlaceDocument], frame: LocalFrame) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """East and north of points, metres, shape (n, 2)."""
    return np.array([place_m(point, frame) for point in points])


def place_m(point: PlaceDocument, frame: LocalFrame) -> tuple[float, float]:
    """East and north of a point, metres. Raises CoordinateError where it is not on the globe."""
    if point.lat is not None and point.lon is not None:
        check_coordinates(point.lat, point.lon, "the point")
        east, north, _ = frame.to_enu(point.lat, point.lon, frame.height_m)
        return float(east), float(north)
    assert point.east_m is not None  # one of the two, as it was checked
    assert point.north_m is not None
    return point.east_m, point.north_m


@contextmanager
def _at(where: str) -> Iterator[None]:
    try:
        yield
    except VedetteError as error:
        raise WorldError(f"{where}: {error}") from error
