"""The border line as vision needs it: where it runs and which side is ours."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geo import CoordinateError, LinePosition, LocalFrame, check_coordinates, densify, locate
from vision.errors import BorderError

__all__ = ["BorderLine", "GroundLine", "load_border"]

Floats = NDArray[np.float64]

_SIDES = {"left": 1.0, "right": -1.0}


@dataclass(frozen=True, slots=True)
class BorderLine:
    """A border polyline with its own side.

    Parameters
    ----------
    name
        Name of the segment.
    vertices
        Longitude and latitude, degrees WGS 84, in order.
    own_side
        "left" or "right" of the direction of the vertices.

    Raises
    ------
    BorderError
        With fewer than two different vertices, coordinates out of range, or another side.
    """

    name: str
    vertices: Sequence[tuple[float, float]]
    own_side: str

    def __post_init__(self) -> None:
        if self.own_side not in _SIDES:
            raise BorderError(f'border {self.name}: own_side is {self.own_side!r}: give "left" or "right"')
        if len(set(self.vertices)) < 2:
            raise BorderError(f"border {self.name}: {len(self.vertices)} vertices make no line: give at least two")
        lon, lat = np.asarray(self.vertices, dtype=float).T
        try:
            check_coordinates(lat, lon, f"border {self.name}")
        except CoordinateError as error:
            raise BorderError(str(error)) from error

    def on_ground(self, frame: LocalFrame) -> GroundLine:
        """The line in the metres of a local frame, bent as its straight pieces in degrees are."""
        lon, lat = np.asarray(self.vertices, dtype=float).T
        east, north, _ = frame.to_enu(*densify(lat, lon), frame.height_m)
        return GroundLine(self.name, np.stack([east, north], axis=-1), _SIDES[self.own_side])

    def distance_m(self, lat_deg: float, lon_deg: float) -> float:
        """Distance of a place near the line from it, metres."""
        line = self.on_ground(LocalFrame(lat_deg, lon_deg, 0.0))
        return float(abs(line.locate(np.zeros((1, 2))).offset_m[0]))


@dataclass(frozen=True, slots=True, eq=False)
class GroundLine:
    """A border in metres of a plane.

    Parameters
    ----------
    name
        Name of the segment.
    xy
        Vertices, metres, shape (m, 2).
    own_sign
        1 where the own side is on the left of the line, -1 where it is on the right.
    """

    name: str
    xy: Floats
    own_sign: float

    def locate(self, points: Floats) -> LinePosition:
        """Places of points, metres, shape (n, 2), with offsets that are positive on the own side."""
        reach = 200.0 + float(np.ptp(points, axis=0).max())
        line = self._near(points.mean(axis=0), reach)
        position = locate(line, points)
        return LinePosition(position.along_m, self.own_sign * position.offset_m, position.beyond)

    def towards_own(self, points: Floats) -> Floats:
        """Unit vectors, shape (n, 2), along which the offset of points, metres, shape (n, 2), grows fastest."""
        step = 0.05
        shifts = np.array([[step, 0.0], [-step, 0.0], [0.0, step], [0.0, -step]])
        offsets = self.locate((points[:, None] + shifts).reshape(-1, 2)).offset_m.reshape(-1, 4)
        gradient = np.stack([offsets[:, 0] - offsets[:, 1], offsets[:, 2] - offsets[:, 3]], axis=-1)
        length = np.hypot(*gradient.T)[:, None]
        return np.asarray(np.divide(gradient, length, out=np.tile([1.0, 0.0], (len(points), 1)), where=length > 0))

    def _near(self, centre: Floats, reach_m: float) -> Floats:
        """The run of vertices that decides for points within `reach_m` of a centre: a long border has thousands."""
        if len(self.xy) < 16:
            return self.xy
        starts, steps = self.xy[:-1], np.diff(self.xy, axis=0)
        share = np.einsum("sk,sk->s", centre - starts, steps) / np.maximum(np.einsum("sk,sk->s", steps, steps), 1e-12)
        nearest = starts + np.clip(share, 0, 1)[:, None] * steps
        distance = np.hypot(*(centre - nearest).T)
        # Every point's nearest piece lies within the nearest distance plus twice the reach of the centre.
        close = np.flatnonzero(distance <= distance.min() + 2 * reach_m)
        return self.xy[close[0] : close[-1] + 2]


def load_border(path: Path) -> BorderLine:
    """Read a border from a GeoJSON file.

    Parameters
    ----------
    path
        A Feature with a LineString (or a FeatureCollection of exactly one) and the properties `name` and `own_side`.

    Raises
    ------
    BorderError
        When the file cannot be read or is not that; the message names file and member.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BorderError(f"{path}: cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise BorderError(f"{path}: not JSON: {error}") from error
    feature = _single_feature(path, document)
    geometry, properties = feature.get("geometry"), feature.get("properties")
    if not isinstance(geometry, dict) or geometry.get("type") != "LineString":
        raise BorderError(f"{path}: geometry is not a LineString: give the border as one line")
    if not isinstance(properties, dict) or not isinstance(properties.get("own_side"), str):
        raise BorderError(f'{path}: properties lack own_side: give "left" or "right" of the line')
    try:
        vertices = [(float(point[0]), float(point[1])) for point in geometry["coordinates"]]
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise BorderError(f"{path}: coordinates are not a list of [longitude, latitude]") from error
    return BorderLine(str(properties.get("name", path.stem)), tuple(vertices), properties["own_side"])


def _single_feature(path: Path, document: Any) -> dict[str, Any]:
    """The one Feature of a GeoJSON document."""
    if isinstance(document, dict) and document.get("type") == "FeatureCollection":
        features = document.get("features")
        if isinstance(features, list) and len(features) == 1:
            document = features[0]
        else:
            raise BorderError(f"{path}: holds several features: give the one border segment to watch")
    if not isinstance(document, dict) or document.get("type") != "Feature":
        raise BorderError(f"{path}: not a GeoJSON Feature: give a Feature with a LineString")
    return document
