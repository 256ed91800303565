"""The tracks of a world as GeoJSON (RFC 7946): exactly who was where, and when.

One Feature an actor. Its geometry is the LineString of its way in longitude and latitude, its property ``coordTimes``
the UTC time of each position, one for one (the practice of GPX converters; for a MultiLineString a list for each line).
Between two positions the actor moves evenly in a straight line, so the track holds at every time, not only at these
(to five centimetres over a kilometre at 65 degrees north: what is straight in metres is not quite so in degrees).
A track has at least two positions: at the beginning and the end of the span, and at every bend and change of pace
within it. Where it passes the antimeridian it is cut there (RFC 7946, 3.1.9). Heights are left out: the actors stand
on the ground, whose elevation above mean sea level is in ``ground_amsl_m``, while GeoJSON wants heights above the
ellipsoid.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geo import unwrap_longitudes, write_text
from sim.errors import WorldError
from sim.times import iso
from sim.world import Actor, World

__all__ = ["track_features", "write_tracks"]

_Positions = list[tuple[float, float, int]]


def track_features(world: World, start_us: int, end_us: int) -> list[dict[str, Any]]:
    """The way of each actor in a span of time, as GeoJSON Features in the order of the actors.

    Parameters
    ----------
    world
        The actors.
    start_us, end_us
        Span, UTC microseconds since the Unix epoch.

    Raises
    ------
    WorldError
        When the span is empty.
    """
    if end_us <= start_us:
        raise WorldError("tracks of no time at all: give an end after the start")
    return [_feature(world, actor, start_us, end_us) for actor in world.actors]


def write_tracks(path: Path, world: World, start_us: int, end_us: int) -> None:
    """Write the tracks as a FeatureCollection; as `track_features`. Raises WorldError, FileWriteError."""
    collection = {"type": "FeatureCollection", "features": track_features(world, start_us, end_us)}
    write_text(path, json.dumps(collection, separators=(",", ":")) + "\n")


def _feature(world: World, actor: Actor, start_us: int, end_us: int) -> dict[str, Any]:
    bends_us = world.epoch_us + np.rint(actor.path.time_s * 1e6).astype(np.int64)
    inner = bends_us[(bends_us > start_us) & (bends_us < end_us)]
    times_us = np.unique(np.concatenate([[start_us], inner, [end_us]]))
    where = actor.path.at((times_us - world.epoch_us) / 1e6)
    lat, lon, _ = world.frame.to_geodetic(where[:, 0], where[:, 1])
    lines = _cut(unwrap_longitudes(lon), np.asarray(lat), times_us)
    coordinates = [[[round(lon, 9), round(lat, 9)] for lon, lat, _ in line] for line in lines]
    times = [[iso(time_us) for _, _, time_us in line] for line in lines]
    whole = len(lines) == 1
    return {
        "type": "Feature",
        "id": actor.id,
        "geometry": {
            "type": "LineString" if whole else "MultiLineString",
            "coordinates": coordinates[0] if whole else coordinates,
        },
        "properties": {
            "kind": actor.kind,
            "looks": actor.seed,
            "ground_amsl_m": world.ground_amsl_m,
            "coordTimes": times[0] if whole else times,
        },
    }


def _cut(lon: NDArray[np.float64], lat: NDArray[np.float64], times_us: NDArray[np.int64]) -> list[_Positions]:
    """Lines between -180 and 180 degrees of a line whose longitudes do not jump."""
    turn = np.floor((lon + 180.0) / 360.0)
    lines: list[_Positions] = [[]]
    for i in range(lon.size):
        if i > 0 and turn[i] != turn[i - 1]:
            seam = 360.0 * max(turn[i], turn[i - 1]) - 180.0
            share = (seam - lon[i - 1]) / (lon[i] - lon[i - 1])
            there = float(lat[i - 1] + share * (lat[i] - lat[i - 1]))
            then = round(int(times_us[i - 1]) + share * int(times_us[i] - times_us[i - 1]))
            side = 180.0 if turn[i] > turn[i - 1] else -180.0
            _add(lines[-1], (side, there, then))
            lines.append([(-side, there, then)])
        _add(lines[-1], (float(lon[i] - 360.0 * turn[i]), float(lat[i]), int(times_us[i])))
    return [line for line in lines if len(line) > 1]


def _add(line: _Positions, position: tuple[float, float, int]) -> None:
    # Whoever stands on the seam is there once.
    if not line or position[2] > line[-1][2]:
        line.append(position)
