"""The lines of a network in one piece each: stretches that a graph was cut into, joined again.

A graph cuts every line where another meets it. What flies, and what keeps its distance, goes by whole lines: a border
that was cut has no end in the middle, and the flight line beside a road does not begin anew at every crossing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from geo import densify, unwrap_longitudes
from missions.band import BandLine
from missions.border import BorderSegment
from missions.network import BorderNetwork, Branch, NetworkEdge

__all__ = ["Strand", "band_of", "joined_borders", "joined_branches", "strands"]

Floats = NDArray[np.float64]

_STEP_M = 500.0


@dataclass(frozen=True, slots=True)
class Strand:
    """A whole line of a network.

    Parameters
    ----------
    line
        The line.
    joints
        Nodes of the network along it, by index, in its direction, its ends included.
    """

    line: BorderSegment | Branch
    joints: tuple[int, ...]


def band_of(line: BorderSegment | Branch) -> BandLine:
    """A line with the ground beside it that is to be seen."""
    lon, lat = line.unwrapped().T
    if isinstance(line, Branch):
        left, right = line.band_left_m, line.band_right_m
    else:
        own_is_left = line.own_side.sign > 0
        left, right = (line.band_own_m, line.band_far_m) if own_is_left else (line.band_far_m, line.band_own_m)
    dense_lat, dense_lon = densify(lat, lon, _STEP_M)
    return BandLine(dense_lat, unwrap_longitudes(dense_lon), left, right, line.name)


def strands(network: BorderNetwork) -> tuple[Strand, ...]:
    """The whole lines of a network: the borders, the longest first, then the branches in their order.

    Borders that meet end to end, with the own country on the same hand, are one line with the greatest band of any of
    them. All borders get the greatest stand-off of any: one flight line serves them all.
    """
    return (*_borders(network), *_branches(network))


@lru_cache(maxsize=8)
def joined_borders(network: BorderNetwork) -> tuple[BorderSegment, ...]:
    """The borders of a network as whole lines, the longest first."""
    return tuple(strand.line for strand in _borders(network) if isinstance(strand.line, BorderSegment))


@lru_cache(maxsize=8)
def joined_branches(network: BorderNetwork) -> tuple[Branch, ...]:
    """The branches of a network as whole lines, in their order."""
    return tuple(strand.line for strand in _branches(network) if isinstance(strand.line, Branch))


def _branches(network: BorderNetwork) -> list[Strand]:
    """Stretches that follow each other in the network, of one line, joined."""
    out: list[Strand] = []
    for edge in network.edges:
        if edge.branch is None:
            continue
        before = out[-1] if out else None
        if before is not None and before.joints[-1] == edge.start and _same(before.line, edge.branch):
            whole = (*before.line.coordinates, *edge.coordinates[1:])
            out[-1] = Strand(replace(before.line, coordinates=whole), (*before.joints, edge.end))
        else:
            out.append(Strand(edge.branch, (edge.start, edge.end)))
    return out


def _same(one: BorderSegment | Branch, other: Branch) -> bool:
    """Whether two stretches differ in nothing but where they are."""
    return isinstance(one, Branch) and replace(one, coordinates=other.coordinates) == other


def _borders(network: BorderNetwork) -> list[Strand]:
    edges = [edge for edge in network.edges if edge.border is not None]
    if not edges:
        return []
    at: dict[int, list[int]] = {}
    for number, edge in enumerate(edges):
        for node in (edge.start, edge.end):
            at.setdefault(node, []).append(number)
    stand_off = max(border.stand_off_m for border in network.borders)
    left = set(range(len(edges)))
    out = []
    for number, edge in enumerate(edges):
        if number not in left:
            continue
        left.remove(number)
        chain = [edge]
        _extend(chain, edges, at, left)
        # And from its beginning backwards.
        chain = [_turned(e) for e in chain[::-1]]
        _extend(chain, edges, at, left)
        out.append(_joined([_turned(e) for e in chain[::-1]], stand_off))
    return sorted(out, key=lambda strand: -strand.line.length_m())


def _extend(chain: list[NetworkEdge], edges: Sequence[NetworkEdge], at: dict[int, list[int]], left: set[int]) -> None:
    """Go on from the end of a chain as long as exactly one other border does."""
    while True:
        node = chain[-1].end
        # More than two: where three countries meet no line goes on by itself.
        following = [n for n in at[node] if n in left] if len(at[node]) == 2 else []
        if not following:
            return
        edge = edges[following[0]]
        edge = edge if edge.start == node else _turned(edge)
        if _border(edge).own_side is not _border(chain[-1]).own_side:
            return
        left.remove(following[0])
        chain.append(edge)


def _border(edge: NetworkEdge) -> BorderSegment:
    assert edge.border is not None
    return edge.border


def _turned(edge: NetworkEdge) -> NetworkEdge:
    """A stretch of border against its direction."""
    border = _border(edge)
    return NetworkEdge(
        edge.end, edge.start, replace(border, coordinates=border.coordinates[::-1], own_side=border.own_side.other)
    )


def _joined(chain: Sequence[NetworkEdge], stand_off_m: float) -> Strand:
    parts = [_border(edge) for edge in chain]
    points = [*parts[0].coordinates]
    for part in parts[1:]:
        points += part.coordinates[1:]

    def words(field: str, between: str) -> str:
        return between.join(dict.fromkeys(text for part in parts if (text := getattr(part, field))))

    line = replace(
        parts[0],
        name=words("name", " and "),
        own=words("own", "/"),
        neighbour=words("neighbour", "/"),
        authority=words("authority", ", "),
        note=words("note", "; "),
        coordinates=tuple(points),
        stand_off_m=stand_off_m,
        band_own_m=max(part.band_own_m for part in parts),
        band_far_m=max(part.band_far_m for part in parts),
        priority=min(part.priority for part in parts),
    )
    return Strand(line, (chain[0].start, *(edge.end for edge in chain)))
