"""The course of a network patrol: the flight lines beside all its lines, in the order of a cheap walk.

Every line gets a flight line at the lateral distance: a border on its own side, another line on the side where more of
it is lawful, and on the other side where only that is. What is left are pieces, each to be flown once, either way, and
lawful ways between their ends. `cover_lines` puts them in an order; cut open its walk is a course like that beside a
border, and everything after it is planned in the same way.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import scipy
from numpy.typing import NDArray

from geo import shorter_turn
from missions.beside import Piece, pieces_beside
from missions.course import Cost, Course, CourseLine, Gap, distances_m
from missions.errors import PlanError
from missions.estimate import steps_between
from missions.joining import Room, length_m
from missions.network import BorderNetwork
from missions.network_lines import strands
from missions.plane import Plane
from missions.postman import cover_lines
from missions.routing import Passage, Router, Ways
from missions.surroundings import Region, Surroundings
from missions.wide_turns import Berth, turned_between

__all__ = ["network_courses"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_WIDEST_M = 400_000.0
_ROOM_M = 5_000.0
_SAME_M = 0.05
_CUTS = 6
_STUCK_S = 1e7
"""What a piece costs that the wind does not let through: it is never in reach, but its cost stays a number."""


def network_courses(
    network: BorderNetwork, around: Surroundings, lateral_m: float, turn_radius_m: float, cost: Cost
) -> list[Course]:
    """Courses past all lines of a network, to choose from by how the bases stand beside them.

    One goes from one end of the network to the other, which suits bases in a row; the others go round, and are the
    cheapest closed walk without one or the other of its costliest deadheads.

    Parameters
    ----------
    network
        The lines.
    around
        Its borders, as `joined_borders` gives them, and the airspace.
    lateral_m
        Distance of the flight lines from the lines, metres.
    turn_radius_m
        Least radius of their bends, metres.
    cost
        What flying takes.

    Returns
    -------
    list of Course
        Pieces that no lawful way joins are joined by legs that are not passable. What cannot be watched from any side
        is in the gaps, with the reason.

    Raises
    ------
    PlanError
        When no part of any line can be flown beside, or the network is wider than 400 km.
    """
    whole = strands(network)
    pieces: list[Piece] = []
    gaps: list[Gap] = []
    for number, strand in enumerate(whole):
        places = [(network.nodes[n].lat_deg, network.nodes[n].lon_deg) for n in strand.joints[1:-1]]
        found, lost = pieces_beside(
            strand.line, number, around, lateral_m=lateral_m, turn_radius_m=turn_radius_m, cuts=places
        )
        pieces += found
        gaps += lost
    if not pieces:
        reason = gaps[0].reason if gaps else "there is no room beside any"
        raise PlanError(f"no line of network {network.name!r} can be flown beside: {reason}")
    region = _region(pieces, around)
    graph = _Graph(pieces, region, cost, Berth(region, around.zone_margin_m), turn_radius_m)
    lines = tuple(CourseLine(strand.line.name, strand.line.priority) for strand in whole)
    walks = [graph.walks(part) for part in graph.parts()]
    count = max(len(own) for own in walks)
    return [_course([own[min(k, len(own) - 1)] for own in walks], lines, tuple(gaps)) for k in range(count)]


def _region(pieces: Sequence[Piece], around: Surroundings) -> Region:
    """Everything between and about the pieces."""
    first = float(pieces[0].lon[0])
    lat = np.concatenate([piece.lat for piece in pieces])
    lon = first + shorter_turn(np.concatenate([piece.lon for piece in pieces]) - first)
    middle = (float(lat.min() + lat.max()) / 2, float(lon.min() + lon.max()) / 2)
    xy = Plane.at(*middle).xy(lat, lon)
    if float(np.ptp(xy, axis=0).max()) > _WIDEST_M:
        raise PlanError(f"the network is wider than {_WIDEST_M / 1000:.0f} km: plan it in parts")
    return around.region(*middle, float(np.hypot(*xy.T).max()) + _ROOM_M)


@dataclass(frozen=True, slots=True)
class _Stretch:
    """A run of vertices, latitude and longitude, degrees, of one purpose, and what lies nearest, as `Piece` has it."""

    lat: Floats
    lon: Floats
    feet_m: Floats
    look: int
    line: int
    passable: bool = True


class _Graph:
    """Pieces as lines between nodes, and the lawful ways between those."""

    def __init__(self, pieces: Sequence[Piece], region: Region, cost: Cost, berth: Berth, turn_radius_m: float) -> None:
        self._pieces, self._plane, self._cost = pieces, region.plane, cost
        self._lon0 = float(pieces[0].lon[0])
        xy = [self._plane.xy(piece.lat, piece.lon) for piece in pieces]
        self._nodes, self._ends = _nodes(pieces, xy)
        self._service = np.minimum(
            [[float(cost(sign * steps_between(p.lat, p.lon), True).sum()) for sign in (1.0, -1.0)] for p in pieces],
            _STUCK_S,
        )
        router = Router(region.obstacles, rails=xy)
        self._ways: Ways = router.between(self._nodes, lambda step: cost(step, False))
        self._berth, self._room = berth, Room(turn_radius_m, Passage(router))
        self._turned: dict[Hashable, Floats | None] = {}

    def parts(self) -> list[Ints]:
        """Pieces, by number, of each set whose members a lawful way joins, there and back."""
        ends = np.isfinite(self._ways.cost)
        ends[self._ends[:, 0], self._ends[:, 1]] = ends[self._ends[:, 1], self._ends[:, 0]] = True
        graph = scipy.sparse.coo_array(ends)
        _, label = scipy.sparse.csgraph.connected_components(graph, directed=True, connection="strong")
        own = label[self._ends[:, 0]]
        return [np.flatnonzero(own == part) for part in dict.fromkeys(own.tolist())]

    def walks(self, part: Ints) -> list[list[_Stretch]]:
        """Cheap walks past some pieces: from one end of them to the other, and closed but for a costly deadhead."""
        ends = self._ends[part]
        number = {(int(a), int(b)): int(k) for k, (a, b) in zip(part, ends, strict=True)}
        found = []
        far = self._farthest(ends)
        if far not in number and far[::-1] not in number:
            # A line that costs nothing leads back to the beginning.
            back = np.vstack([ends, far]), np.vstack([self._service[part], [0.0, 0.0]])
            steps = list(cover_lines(self._nodes, *back, self._ways.cost).steps)
            at = next(k for k, (a, b, served) in enumerate(steps) if served and {a, b} == set(far))
            found.append(steps[at + 1 :] + steps[:at])
        steps = list(cover_lines(self._nodes, ends, self._service[part], self._ways.cost).steps)
        empty = [0.0 if served else float(self._ways.cost[a, b]) for a, b, served in steps]
        # The sorties begin and end at bases: nobody has to close the walk.
        cuts = [k for k in np.argsort(empty, kind="stable")[::-1].tolist() if not steps[k][2]][:_CUTS]
        found += [steps[k + 1 :] + steps[:k] for k in cuts] or [steps]
        return [self._flown(steps, number) for steps in found]

    def _farthest(self, ends: Ints) -> tuple[int, int]:
        """The two nodes of some pieces that are farthest apart."""
        nodes = np.unique(ends)
        apart = np.hypot(*(self._nodes[nodes][:, None] - self._nodes[nodes][None]).transpose(2, 0, 1))
        first, last = divmod(int(apart.argmax()), len(nodes))
        return int(nodes[first]), int(nodes[last])

    def _flown(self, steps: Sequence[tuple[int, int, bool]], number: dict[tuple[int, int], int]) -> list[_Stretch]:
        """The stretches of a walk; `number` tells the piece between two nodes."""
        out: list[_Stretch] = []
        empty: list[tuple[int, int]] = []
        for a, b, served in steps:
            if not served:
                empty.append((a, b))
                continue
            forward = (a, b) in number
            piece = self._pieces[number[(a, b) if forward else (b, a)]]
            on = slice(None) if forward else slice(None, None, -1)
            lon = self._lon0 + shorter_turn(piece.lon - self._lon0)
            side = piece.look.sign if forward else -piece.look.sign
            at, beside = piece.feet_m
            feet_m = np.stack([at if forward else at[-1] - at[on], beside[on]])
            stretch = _Stretch(piece.lat[on], lon[on], feet_m, side, piece.line)
            out += [*self._empty(empty, out[-1] if out else None, stretch), stretch]
            empty = []
        return out + self._empty(empty, out[-1], None)

    def _empty(
        self, steps: Sequence[tuple[int, int]], before: _Stretch | None, after: _Stretch | None
    ) -> list[_Stretch]:
        """What is flown from a watched stretch to the next, along the ways between some nodes; none where these meet.

        It cannot be passed where wings have no room to turn.
        """
        ways = [self._ways.way(a, b) for a, b in steps]
        ways = [way for way in ways if length_m(way) >= _SAME_M]
        if not ways:
            return []
        way = np.concatenate([ways[0][:1], *(one[1:] for one in ways)])
        turned: Floats | None = way
        if self._room.radius_m > 0:
            first = None if before is None else self._course(before, slice(-2, None))
            last = None if after is None else self._course(after, slice(2))
            key = tuple(steps), *(None if course is None else tuple(course) for course in (first, last))
            if key not in self._turned:
                self._turned[key] = turned_between(way, (first, last), self._room, self._berth)
            turned = self._turned[key]
        lat, lon = self._plane.lat_lon_near(way[[0, -1]] if turned is None else turned, self._lon0)
        return [_Stretch(lat, lon, np.array([[0.0, 1.0], [0.0, 0.0]]), 0, 0, turned is not None)]

    def _course(self, stretch: _Stretch, ends: slice) -> Floats:
        """Direction of flight between two vertices of a stretch, a unit vector."""
        start, stop = self._plane.xy(stretch.lat[ends], stretch.lon[ends])
        return np.asarray((stop - start) / np.hypot(*(stop - start)))


def _nodes(pieces: Sequence[Piece], xy: Sequence[Floats]) -> tuple[Floats, Ints]:
    """Nodes, metres, shape (n, 2), and the two of each piece, shape (m, 2).

    Pieces of one line that were cut at a junction share their node there, unless that made two lines between the same
    two nodes, or one from a node to itself, as round an enclave.
    """
    nodes: list[Floats] = []
    at: dict[tuple[int, float, float], int] = {}
    ends: list[tuple[int, int]] = []
    taken: set[tuple[int, int]] = set()
    for piece, line in zip(pieces, xy, strict=True):
        own = []
        for lat, lon, point in ((piece.lat[k], piece.lon[k], line[k]) for k in (0, -1)):
            key = (piece.line, round(float(lat), 9), round(float(lon), 9))
            if key not in at:
                at[key] = len(nodes)
                nodes.append(point)
            own.append(at[key])
        if own[0] == own[1] or (min(own), max(own)) in taken:
            own[1] = len(nodes)
            nodes.append(line[-1])
        taken.add((min(own), max(own)))
        ends.append((own[0], own[1]))
    return np.array(nodes), np.array(ends)


def _course(walks: Sequence[Sequence[_Stretch]], lines: tuple[CourseLine, ...], gaps: tuple[Gap, ...]) -> Course:
    """One course of all stretches; between two walks nothing passes."""
    lat: list[Floats] = []
    lon: list[Floats] = []
    legs: list[tuple[int, int, bool]] = []
    flown: list[tuple[_Stretch, int]] = []  # each with the number of its first vertex
    for walk in walks:
        for number, stretch in enumerate(walk):
            if number == 0 and lat:
                legs.append((0, 0, False))
            # A stretch begins where the one before it ends.
            skip = 1 if number else 0
            lat.append(stretch.lat[skip:])
            lon.append(stretch.lon[skip:])
            flown.append((stretch, len(legs)))
            legs += [(stretch.look, stretch.line, stretch.passable)] * (len(stretch.lat) - 1)
    look, line, passable = np.array(legs).T
    all_lat, all_lon = np.concatenate(lat), np.concatenate(lon)
    along_m = distances_m(all_lat, all_lon)
    line_m, feet = np.zeros((len(legs), 2)), []
    for stretch, first in flown:
        own = along_m[first : first + len(stretch.lat)]
        at, beside = stretch.feet_m
        at = own[0] + at / at[-1] * (own[-1] - own[0])
        line_m[first : first + len(own) - 1] = list(pairwise(np.interp(own, at, beside)))
        feet.append(np.stack([at, beside]))
    return Course(
        all_lat,
        all_lon,
        along_m,
        look.astype(np.int64),
        passable.astype(bool),
        line_m,
        line.astype(np.int64),
        lines,
        gaps,
        np.concatenate(feet, axis=1),
    )
