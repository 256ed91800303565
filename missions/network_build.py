"""A network out of lines: ends are snapped, crossings become nodes, and what lies beyond the border is cut off."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import scipy
import shapely
from numpy.typing import NDArray

from geo import locate
from missions.border import BorderSegment
from missions.border_line import points_of
from missions.errors import BorderError
from missions.network import BorderNetwork, Branch, CutOff, NetworkEdge, NetworkNode
from missions.network_cuts import DEGREE_M, NetworkLine, Wall, cut_at_crossings, cut_at_ends, length_m, walls_of

__all__ = ["TOLERANCE_M", "build_network"]

TOLERANCE_M = 10.0
"""How far ends are moved to meet, by default, metres."""

Floats = NDArray[np.float64]


def build_network(
    name: str,
    borders: Iterable[BorderSegment],
    branches: Iterable[Branch] = (),
    tolerance_m: float = TOLERANCE_M,
) -> BorderNetwork:
    """Make a graph of lines.

    Lines are joined where an end comes within the tolerance of another line or end (T-junctions, gaps), and where a
    branch crosses a line. The border stays where it is: what joins it is moved to it, and where two borders are joined
    the node becomes one vertex more.

    Parameters
    ----------
    name
        What people call the network.
    borders
        Lines with their own side. Where one ends, with no other to go on, it counts as going on straight for as far
        as there are branches.
    branches
        Lines on the own side. A part of one that lies beyond the border is cut off and listed in `cut_off`; a part
        that runs along the border within the tolerance is left out, since the border is watched.
    tolerance_m
        How far, metres, ends are moved to meet, and how near two stretches between the same nodes are to be one.

    Raises
    ------
    BorderError
        When there is no line, nothing is left of them, or the tolerance is not a positive number below 1000.
    """
    if not (math.isfinite(tolerance_m) and 0 < tolerance_m < 1000):
        raise BorderError(f"network {name!r}: tolerance_m is {tolerance_m}: give metres above 0 and below 1000")
    sources: list[BorderSegment | Branch] = [*borders, *branches]
    if not sources:
        raise BorderError(f"network {name!r}: there is no line: give at least one border or branch")
    lines = [NetworkLine(source, source.unwrapped()) for source in sources]
    for line in lines:
        line.xy[:, 0] += 360.0 * np.round((lines[0].xy[0, 0] - line.xy[:, 0].mean()) / 360.0)
    walls = walls_of(lines, tolerance_m)
    cut_at_crossings(lines, walls)
    cut_at_ends(lines, tolerance_m)
    nodes, places = _nodes(lines, tolerance_m)
    _check_sides(name, lines, places, nodes)

    edges, nodes = _without_loops(
        [
            _Stretch(start, end, line, points)
            for number, line in enumerate(lines)
            for start, end, points in _pieces(line, places[number], nodes, tolerance_m)
        ],
        nodes,
        tolerance_m,
    )
    cut_off: list[CutOff] = []
    left = {id(edge.line) for edge in edges}
    notes = [
        f"{line.source.name}: its {length_m(line.xy):.1f} m are too short to be a line of their own: left out"
        for line in lines
        if id(line) not in left
    ]
    fit = []
    for edge, reason in zip(edges, _why_not(edges, walls, tolerance_m), strict=True):
        if not reason:
            fit.append(edge)
        elif reason == _ALONG:
            notes.append(f"{edge.line.source.name}: {length_m(edge.points):.0f} m {reason}")
        else:
            cut_off.append(CutOff(edge.line.source.name, points_of(edge.points), length_m(edge.points), reason))
    kept = _merged(_without_twins(fit, tolerance_m, notes))
    used = sorted({index for edge in kept for index in (edge.start, edge.end)})
    renumber = {index: number for number, index in enumerate(used)}
    made = [_edge(renumber[e.start], renumber[e.end], e.line.source, e.points) for e in kept]
    if not made:
        raise BorderError(f"network {name!r}: nothing is left: all branches lie beyond the border or along it")
    places_of = points_of(nodes[used])
    return BorderNetwork(
        name,
        tuple(NetworkNode(lat, lon) for lon, lat in places_of),
        tuple(made),
        tuple(cut_off),
        tuple(dict.fromkeys(notes)),
    )


@dataclass(frozen=True, slots=True)
class _Stretch:
    """A stretch of a line between two nodes, by index; its vertices begin and end there."""

    start: int
    end: int
    line: NetworkLine
    points: Floats


_ROUNDING_DEG = 1e-10
"""How far a point that was computed may lie from the node that it is."""
_ALONG = "runs along the border within the tolerance: left out, since the border is watched"
_BEYOND = "lies beyond the border: never flown"


def _nodes(lines: Sequence[NetworkLine], tolerance_m: float) -> tuple[Floats, list[dict[float, int]]]:
    """Nodes, and for each line its places with their nodes.

    In the order ends of borders, cuts of borders, ends of branches, cuts of branches, each place that is not within
    the tolerance of a node becomes one: so nothing moves farther than that, and borders do not move at all.
    """
    wanted = []
    for number, line in enumerate(lines):
        ends = set(line.ends())
        cuts = line.cuts - ends or ({0.0} if line.closed else set())
        # The seam of a ring is one place.
        cuts = {0.0 if line.closed and cut == len(line.xy) - 1 else cut for cut in cuts}
        wanted += [(0 if line.is_border else 2, number, place) for place in ends]
        wanted += [(1 if line.is_border else 3, number, place) for place in cuts]
    wanted.sort()
    at = np.array([lines[number].at(place) for _, number, place in wanted])
    lon, lat = np.radians(at.T)
    sphere = np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=-1)
    near = scipy.spatial.cKDTree(sphere).query_ball_point(sphere, tolerance_m / math.degrees(DEGREE_M))
    node_of = np.full(len(wanted), -1)
    nodes: list[Floats] = []
    for index in range(len(wanted)):
        if node_of[index] < 0:
            members = np.array(near[index])
            node_of[members[node_of[members] < 0]] = len(nodes)
            nodes.append(at[index])
    places: list[dict[float, int]] = [{} for _ in lines]
    for (_, number, place), node in zip(wanted, node_of.tolist(), strict=True):
        places[number][place] = node
    return np.array(nodes), places


def _check_sides(name: str, lines: Sequence[NetworkLine], places: Sequence[dict[float, int]], nodes: Floats) -> None:
    """Refuse two borders that go on in each other with their own sides opposite: one of them runs the other way."""
    ends: dict[int, list[tuple[BorderSegment, float, bool]]] = {}
    for line, own in zip(lines, places, strict=True):
        if isinstance(line.source, BorderSegment):
            for place, node in own.items():
                ends.setdefault(node, []).append((line.source, place, place in line.ends()))
    for node, met in ends.items():
        if len(met) != 2 or not all(is_end for *_, is_end in met):
            continue
        (one, place, _), (other, there, _) = met
        onward = (place == 0) != (there == 0)
        if one is not other and onward != (one.own_side == other.own_side):
            lon, lat = nodes[node]
            raise BorderError(
                f"network {name!r}: the borders {one.name!r} and {other.name!r} go on in each other at {lat:.5f}, "
                f"{lon:.5f} with their own sides opposite (own_side {one.own_side} and {other.own_side}): one of them "
                "runs the other way; turn it round, or correct its own_side"
            )


def _pieces(
    line: NetworkLine, places: dict[float, int], nodes: Floats, tolerance_m: float
) -> Iterable[tuple[int, int, Floats]]:
    """Stretches of a line between nodes: start, end, vertices with the nodes at their ends."""
    ends = set(line.ends())
    stops: list[float] = []
    for place in sorted(places):
        # Of two places of a border that have become one node only one is kept: an end, or else the first. Of a branch
        # both are, so that what lies between them, which may be beyond the border, is a stretch by itself.
        same = stops and line.is_border and places[stops[-1]] == places[place]
        if not same or line.along_m(stops[-1], place) > 2 * tolerance_m or {stops[-1], place} <= ends:
            stops.append(place)
        elif place in ends:
            stops[-1] = place
    for a, b in pairwise(stops):
        yield places[a], places[b], _joined(line, line.piece(a, b), nodes[places[a]], nodes[places[b]])
    if line.closed:
        a, b = stops[-1], stops[0]
        points = (
            np.vstack([line.piece(a, len(line.xy) - 1.0), line.piece(0.0, b)[1:]])
            if b > 0
            else (line.piece(a, len(line.xy) - 1.0))
        )
        yield places[a], places[b], _joined(line, points, nodes[places[a]], nodes[places[b]])


def _joined(line: NetworkLine, points: Floats, start: Floats, end: Floats) -> Floats:
    """Vertices from node to node: the ends of a branch are moved there, a border gets the nodes as vertices more."""
    first = not line.is_border or np.abs(points[0] - start).max() < _ROUNDING_DEG
    last = not line.is_border or np.abs(points[-1] - end).max() < _ROUNDING_DEG
    return np.vstack([start, points[1 if first else 0 : -1 if last else None], end])


def _why_not(edges: Sequence[_Stretch], walls: Sequence[Wall], tolerance_m: float) -> list[str]:
    """Why each stretch cannot be in the network; empty when it can, as that of a border always is."""
    reasons = [""] * len(edges)
    bands: dict[int, list[int]] = {}
    for index, edge in enumerate(edges):
        if walls and not edge.line.is_border:
            bands.setdefault(round(float(edge.points[:, 1].mean())), []).append(index)
    for latitude, indices in bands.items():
        # Metres, to a few percent, in one plane for all that lies in a degree of latitude: only what is nearest counts.
        scale = np.array([max(math.cos(math.radians(latitude)), 1e-3), 1.0]) * DEGREE_M
        middles = [(edges[i].points[:-1] + edges[i].points[1:]) / 2 for i in indices]
        samples = [
            np.vstack([edges[i].points[1:-1], middle]) * scale for i, middle in zip(indices, middles, strict=True)
        ]
        found = [locate(wall.xy * scale, np.concatenate(samples)) for wall in walls]
        distance = np.array([np.abs(place.offset_m) for place in found])
        nearest = distance.min(axis=0)
        first = 0
        for index, mine in zip(indices, samples, strict=True):
            # It crosses no border, so that one point tells for all: the one farthest from the border tells best.
            best = first + int(np.argmax(nearest[first : first + len(mine)]))
            if nearest[best] <= tolerance_m:
                reasons[index] = _ALONG
            else:
                near = np.flatnonzero(distance[:, best] <= nearest[best] + 1e-3).tolist()
                sides = [
                    (found[n].offset_m[best] * walls[n].border.own_side.sign, bool(found[n].beyond[best])) for n in near
                ]
                # Where two borders meet both are as near: beyond one of them is beyond, unless only one can tell. Past
                # an open end the border counts as going on.
                own = min(
                    [side for side, beyond in sides if not beyond]
                    or [
                        locate(walls[n].drawn * scale, mine[best - first]).offset_m[0] * walls[n].border.own_side.sign
                        for n in near
                    ]
                )
                reasons[index] = _BEYOND if own < 0 else ""
            first += len(mine)
    return reasons


def _without_loops(edges: Iterable[_Stretch], nodes: Floats, tolerance_m: float) -> tuple[list[_Stretch], Floats]:
    """Cut loops in their farthest vertex, so that one that goes out and back beside itself is found to be a twin.

    Those of a branch that are hardly longer than the tolerance are what is left of ends that were joined.
    """
    cut: list[_Stretch] = []
    more = list(nodes)
    for edge in edges:
        if edge.start != edge.end:
            cut.append(edge)
        elif edge.line.is_border or length_m(edge.points) > 4 * tolerance_m:
            away = (edge.points - edge.points[0]) * [math.cos(math.radians(edge.points[0, 1])), 1.0]
            tip = int(np.argmax(np.hypot(*away.T)))
            cut.append(_Stretch(edge.start, len(more), edge.line, edge.points[: tip + 1]))
            cut.append(_Stretch(len(more), edge.end, edge.line, edge.points[tip:]))
            more.append(edge.points[tip])
    return cut, np.array(more)


def _without_twins(edges: Sequence[_Stretch], tolerance_m: float, notes: list[str]) -> list[_Stretch]:
    """Leave out stretches that run between the same nodes as another and beside it."""
    kept: list[_Stretch] = []
    between: dict[tuple[int, int], list[_Stretch]] = {}
    for edge in edges:
        twins = between.setdefault((min(edge.start, edge.end), max(edge.start, edge.end)), [])
        origin = edge.points[0]
        scale = np.array([math.cos(math.radians(origin[1])), 1.0]) * DEGREE_M
        shape = shapely.LineString((edge.points - origin) * scale)
        twin = next(
            (t for t in twins if _are_beside(shape, shapely.LineString((t.points - origin) * scale), tolerance_m)), None
        )
        if twin is not None:
            name, other = edge.line.source.name, twin.line.source.name
            notes.append(f"{name}: {length_m(edge.points):.0f} m is the same as {other}: left out")
        else:
            twins.append(edge)
            kept.append(edge)
    return kept


def _are_beside(one: shapely.LineString, other: shapely.LineString, tolerance_m: float) -> bool:
    """Whether each of two lines stays within the tolerance of the other."""
    # The exact answer takes the product of both counts of vertices; most lines differ in their boxes already.
    if np.abs(np.subtract(one.bounds, other.bounds)).max() > tolerance_m:
        return False
    points = [shapely.points(shapely.get_coordinates(line.segmentize(20 * tolerance_m))) for line in (one, other)]
    for line, beside in ((one, points[1]), (other, points[0])):
        shapely.prepare(line)
        if not np.all(shapely.dwithin(line, beside, tolerance_m)):
            return False
    return True


def _merged(edges: Sequence[_Stretch]) -> list[_Stretch]:
    """Join stretches of one line again at nodes where nothing else meets them."""
    degree = Counter(node for edge in edges for node in (edge.start, edge.end))
    merged: list[_Stretch] = []
    for edge in edges:
        before = merged[-1] if merged else None
        goes_on = before is not None and before.line is edge.line and before.end == edge.start != before.start
        if before is not None and goes_on and degree[edge.start] == 2:
            merged[-1] = _Stretch(before.start, edge.end, edge.line, np.vstack([before.points, edge.points[1:]]))
        else:
            merged.append(edge)
    return merged


def _edge(start: int, end: int, source: BorderSegment | Branch, points: Floats) -> NetworkEdge:
    line = replace(source, coordinates=points_of(points))
    return (
        NetworkEdge(start, end, line, None) if isinstance(line, BorderSegment) else NetworkEdge(start, end, None, line)
    )
