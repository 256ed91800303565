"""A network to patrol: the border and what branches off it, as a graph of lines that meet in nodes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import scipy
from numpy.typing import NDArray

from geo import (
    CoordinateError,
    LocalFrame,
    check_coordinates,
    densify,
    geodesic_length_m,
    unwrap_longitudes,
    wrap_longitudes,
)
from missions.border import BorderSegment
from missions.border_line import checked_line, unwrapped
from missions.errors import BorderError

__all__ = ["BorderNetwork", "Branch", "CutOff", "LineKind", "NetworkEdge", "NetworkNode"]

Floats = NDArray[np.float64]


class LineKind(StrEnum):
    """What a line of a network is."""

    BORDER = "border"
    FENCE = "fence"
    ROAD = "road"
    RIVER = "river"


@dataclass(frozen=True, slots=True)
class Branch:
    """A line on the own side that is watched too: a fence, a road or a river.

    Parameters
    ----------
    name
        What people call it.
    kind
        'fence', 'road' or 'river'.
    coordinates
        Vertices (longitude, latitude), degrees WGS 84, as those of `BorderSegment`.
    band_left_m, band_right_m
        How much ground beside the line is watched, metres, left and right of its direction.
    priority
        1 is watched first.
    authority
        Who is responsible for it.
    note
        What a reader of the plan must know about this line.

    Raises
    ------
    BorderError
        When it has fewer than two distinct vertices, or a figure is not finite or out of range.
    """

    name: str
    kind: LineKind
    coordinates: tuple[tuple[float, float], ...]
    band_left_m: float = 25.0
    band_right_m: float = 25.0
    priority: int = 1
    authority: str = ""
    note: str = ""

    def __post_init__(self) -> None:
        what = f"branch {self.name!r}"
        kinds = [str(kind) for kind in LineKind if kind is not LineKind.BORDER]
        if self.kind not in kinds:
            raise BorderError(f"{what}: kind is {self.kind!r}: give {', '.join(kinds[:-1])} or {kinds[-1]}")
        object.__setattr__(self, "kind", LineKind(self.kind))
        line, left_out = checked_line(self.coordinates, what)
        object.__setattr__(self, "coordinates", line)
        if left_out:
            object.__setattr__(self, "note", f"{self.note}; {left_out}" if self.note else left_out)
        for field in ("band_left_m", "band_right_m"):
            value = getattr(self, field)
            if not (isinstance(value, int | float) and math.isfinite(value) and 0 <= value <= 10_000):
                raise BorderError(f"{what}: {field} is {value!r}: give metres between 0 and 10000")
            object.__setattr__(self, field, float(value))
        if self.band_left_m + self.band_right_m <= 0:
            raise BorderError(f"{what}: the band has no depth: give band_left_m or band_right_m")
        if isinstance(self.priority, bool) or not isinstance(self.priority, int) or not 1 <= self.priority <= 1_000_000:
            raise BorderError(f"{what}: priority is {self.priority!r}: give a whole number, 1 is watched first")

    def length_m(self) -> float:
        """Geodesic length through the vertices, metres."""
        lon, lat = np.array(self.coordinates).T
        return geodesic_length_m(lat, lon)

    def unwrapped(self) -> Floats:
        """Vertices (longitude, latitude), degrees, shape (n, 2), without a jump at the antimeridian: for geometry."""
        return unwrapped(self.coordinates)

    def local_line(self, frame: LocalFrame, step_m: float = 500.0) -> Floats:
        """The line in a local frame, as that of `BorderSegment`."""
        lon, lat = np.array(self.coordinates).T
        east, north, _ = frame.to_enu(*densify(lat, lon, step_m))
        return np.stack([east, north], axis=-1)


@dataclass(frozen=True, slots=True)
class NetworkNode:
    """Where lines end or meet: degrees WGS 84."""

    lat_deg: float
    lon_deg: float

    def __post_init__(self) -> None:
        try:
            check_coordinates(self.lat_deg, self.lon_deg, "network node")
        except CoordinateError as error:
            raise BorderError(str(error)) from None


@dataclass(frozen=True, slots=True)
class NetworkEdge:
    """A stretch of one line between two nodes and with none between; exactly one of `border` and `branch` is given.

    Parameters
    ----------
    start, end
        Nodes, by index, at the first and the last vertex.
    border
        The stretch of a border, with own side, stand-off and band.
    branch
        The stretch of a branch, with its kind and bands.
    """

    start: int
    end: int
    border: BorderSegment | None = None
    branch: Branch | None = None

    def __post_init__(self) -> None:
        if (self.border is None) == (self.branch is None):
            raise BorderError(f"network edge {self.start} to {self.end}: give either border or branch")

    @property
    def line(self) -> BorderSegment | Branch:
        """The stretch."""
        line = self.border or self.branch
        assert line is not None
        return line

    @property
    def kind(self) -> LineKind:
        """What it is a stretch of."""
        return self.branch.kind if self.branch is not None else LineKind.BORDER

    @property
    def name(self) -> str:
        """Name of the line that it is a stretch of."""
        return self.line.name

    @property
    def priority(self) -> int:
        """Priority of the line that it is a stretch of."""
        return self.line.priority

    @property
    def coordinates(self) -> tuple[tuple[float, float], ...]:
        """Vertices (longitude, latitude), degrees, from start to end."""
        return self.line.coordinates

    def length_m(self) -> float:
        """Geodesic length, metres."""
        return self.line.length_m()


@dataclass(frozen=True, slots=True)
class CutOff:
    """A stretch that was taken out of a network and is never planned, and why."""

    name: str
    coordinates: tuple[tuple[float, float], ...]
    length_m: float
    reason: str


@dataclass(frozen=True, slots=True)
class BorderNetwork:
    """Border and branches as a graph.

    Parameters
    ----------
    name
        What people call it.
    nodes
        Where lines end, meet or cross.
    edges
        Stretches between nodes. The first vertex of an edge is its start node, the last its end node.
    cut_off
        What was taken out of branches, such as their parts beyond the border.
    notes
        What was changed else, such as duplicates that were left out.

    Raises
    ------
    BorderError
        When there is no edge, or one does not begin and end at its nodes.
    """

    name: str
    nodes: tuple[NetworkNode, ...]
    edges: tuple[NetworkEdge, ...]
    cut_off: tuple[CutOff, ...] = ()
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.edges:
            raise BorderError(f"network {self.name!r}: edges is empty: give at least one border or branch")
        for number, edge in enumerate(self.edges):
            for field, vertex in (("start", 0), ("end", -1)):
                index = getattr(edge, field)
                what = f"network {self.name!r}: edge {number} ({edge.name!r}): {field}"
                if not 0 <= index < len(self.nodes):
                    raise BorderError(f"{what} is {index}: there are {len(self.nodes)} nodes")
                node, (lon, lat) = self.nodes[index], edge.coordinates[vertex]
                if lat != node.lat_deg or (lon - node.lon_deg) % 360 != 0:
                    raise BorderError(f"{what}: the line is not at node {index} there: let build_network join them")

    @property
    def borders(self) -> tuple[BorderSegment, ...]:
        """The stretches of border."""
        return tuple(edge.border for edge in self.edges if edge.border is not None)

    @property
    def branches(self) -> tuple[Branch, ...]:
        """The stretches of branches."""
        return tuple(edge.branch for edge in self.edges if edge.branch is not None)

    def length_m(self) -> float:
        """Length of all edges, metres."""
        return sum(edge.length_m() for edge in self.edges)

    def degrees(self) -> tuple[int, ...]:
        """How many edges end in each node; one that ends there twice counts twice."""
        ends = np.array([(edge.start, edge.end) for edge in self.edges])
        return tuple(np.bincount(ends.ravel(), minlength=len(self.nodes)).tolist())

    def components(self) -> tuple[tuple[int, ...], ...]:
        """Edges, by index, of each connected part, the longest part first."""
        starts, ends = np.array([(edge.start, edge.end) for edge in self.edges]).T
        size = (len(self.nodes), len(self.nodes))
        graph = scipy.sparse.coo_array((np.ones(len(starts)), (starts, ends)), shape=size)
        _, label = scipy.sparse.csgraph.connected_components(graph, directed=False)
        parts: dict[int, list[int]] = {}
        for index, part in enumerate(label[starts].tolist()):
            parts.setdefault(part, []).append(index)
        longest = sorted(parts.values(), key=lambda part: -sum(self.edges[i].length_m() for i in part))
        return tuple(tuple(part) for part in longest)

    def centre(self) -> tuple[float, float]:
        """Latitude and longitude, degrees, of the middle of the bounding box."""
        first = self.edges[0].coordinates[0][0]
        boxes = []
        for edge in self.edges:
            lon, lat = edge.line.unwrapped().T
            lon = lon + unwrap_longitudes([first, lon[0]])[1] - lon[0]
            boxes.append((lon.min(), lat.min(), lon.max(), lat.max()))
        box = np.array(boxes)
        west, south = box[:, :2].min(axis=0)
        east, north = box[:, 2:].max(axis=0)
        return float(south + north) / 2, float(wrap_longitudes((west + east) / 2))
