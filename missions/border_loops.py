"""A border that touches or crosses itself, taken apart into lines that do not: its loops, and the line that is left.

A loop is what lies between two passes through one place. Taken out it is a ring with the sides that it had, so that
each piece has an inside and an outside, or a left and a right, that hold all along it, and what flies beside one piece
keeps its distance from all of them.

Where a line touches itself the pieces agree whose ground each side is. Where it crosses itself they do not, and
`missions.contested` says where. Only loops that lie within the stand-off of their crossings are slips: nobody comes
near enough for their sides to matter, and `missions.border_slips` takes them out first.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import shapely
from numpy.typing import NDArray

from missions.border import BorderSegment, Side
from missions.border_line import checked_line, metres_along, points_of, runs_anticlockwise, sides_change, unwrapped
from missions.border_slips import without_slips
from missions.errors import BorderError
from missions.noding import noded

__all__ = ["BorderPiece", "taken_apart"]

Floats = NDArray[np.float64]
_Vertex = tuple[float, float]

_ROUNDING_DEG = 1e-11
"""How far a point that was computed may lie from the vertex that it is."""


@dataclass(frozen=True)
class BorderPiece:
    """A piece of a border that does not touch itself.

    Parameters
    ----------
    line
        The piece.
    edges_m
        Where each of its edges begins and ends on the border, metres along it, shape (n - 1, 2); falling where the
        outline of a tangle runs against it.
    """

    line: BorderSegment
    edges_m: Floats


@dataclass
class _Loop:
    """A run of vertices, closed but for the rest, with where each of its edges begins and ends along the border.

    `crosses` says whether it crosses the line at the place where it begins.
    """

    points: list[_Vertex]
    edges: list[tuple[float, float]]
    crosses: bool = False


def taken_apart(border: BorderSegment) -> tuple[BorderPiece, ...]:
    """The line of a border without its loops, where there is such a rest, and each loop as a ring.

    Parameters
    ----------
    border
        Any border. One that runs along itself for a stretch, and one whose end alone touches it, is left whole there:
        no loop is told from the rest.

    Returns
    -------
    tuple of BorderPiece
        The rest first. A loop that the rest touches, and runs round on its own side, is part of it; a border that has
        no other loops is the only piece.
    """
    line = unwrapped(border.coordinates)
    if not shapely.is_simple(shapely.LineString(line)):
        noded = _noded(line)
        if noded is not None:
            return _pieces(border, noded)
    return (_whole(border),)


def _pieces(border: BorderSegment, line: Floats) -> tuple[BorderPiece, ...]:
    outlined = without_slips(line, border.own_side, border.stand_off_m)
    rest, loops = _unlooped(outlined.line, outlined.edges_m, closed=border.is_ring)
    note = border.note
    if outlined.slips:
        note = "; ".join(filter(None, [note, _told(outlined.slips)]))
    # Of a tangle a loop may hang on another one, which ends after it.
    rings, before = loops[::-1] if outlined.slips else loops, -1
    while len(rings) != before:
        before = len(rings)
        rings = [loop for loop in rings if not _put_back(rest, loop, border.own_side)]
    # What runs back on itself is left out of every border: such a loop holds no ground.
    rings = [loop for loop in rings if _holds_ground(loop)]
    if not rings and not outlined.slips:
        return (_whole(border),)
    named = [(border.name, rest)] if len(rest.points) > 1 else []
    named += [(f"{border.name}, loop {number}", ring) for number, ring in enumerate(rings, 1)]
    return tuple(
        BorderPiece(
            replace(border, name=name, coordinates=points_of(np.array(one.points)), note="" if k else note),
            np.array(one.edges),
        )
        for k, (name, one) in enumerate(named)
    )


def _holds_ground(loop: _Loop) -> bool:
    """Whether a loop is a line once vertices that are the same, and what runs back on itself, are left out."""
    try:
        checked_line(loop.points, "loop")
    except BorderError:
        return False
    return True


def _told(slips: int) -> str:
    """A sentence about slips."""
    what = "1 loop that lies" if slips == 1 else f"{slips} loops that lie"
    return f"{what} within the stand-off of where the line crosses itself taken out: what the own side sees is kept"


def _whole(border: BorderSegment) -> BorderPiece:
    along = metres_along(unwrapped(border.coordinates))
    return BorderPiece(border, np.stack([along[:-1], along[1:]], axis=1))


def _put_back(rest: _Loop, loop: _Loop, own_side: Side) -> bool:
    """Whether a loop is part of the rest, which then runs round it: the same ground beside both is own.

    That is so where the loop touches the rest, and what is own of it is not its inside.
    """
    outside = runs_anticlockwise(loop.points) != (own_side is Side.LEFT)
    if loop.crosses or not outside or len(rest.points) < 2 or loop.points[0] not in rest.points[1:-1]:
        return False
    at = rest.points.index(loop.points[0])
    rest.points[at:at] = loop.points[:-1]
    rest.edges[at:at] = loop.edges
    return True


def _unlooped(line: Floats, edges_m: Floats, *, closed: bool) -> tuple[_Loop, list[_Loop]]:
    """The rest of a line, and its loops in the order in which they end; a closed line has none but one vertex left."""
    vertices: list[_Vertex] = [(float(x), float(y)) for x, y in line]
    along = [(float(a), float(b)) for a, b in edges_m]
    stack: list[_Vertex] = []
    edges: list[tuple[float, float]] = []  # the edge that leads to each vertex of the stack but the first
    after: list[_Vertex] = []  # the vertex that follows its last pass
    at: dict[_Vertex, int] = {}
    loops: list[_Loop] = []
    last = len(vertices) - 1
    for k, here in enumerate(vertices):
        following = vertices[k + 1] if k < last else vertices[1]
        edge = along[k - 1]
        again = at.get(here)
        # An end that touches the line is no pass through it.
        if again is not None and not closed and (again == 0 or k == last):
            again = None
        if again is None:
            if k:
                edges.append(edge)
            at.setdefault(here, len(stack))
            stack.append(here)
            after.append(following)
            continue
        loop = _Loop([*stack[again:], here], [*edges[again:], edge])
        seam = closed and k == last
        before = stack[again - 1] if again else vertices[-2]
        passes = ((np.array(before), np.array(after[again])), (np.array(stack[-1]), np.array(following)))
        loop.crosses = not seam and sides_change(*passes, np.array(here))
        loops.append(loop)
        for left in stack[again + 1 :]:
            if at.get(left, 0) > again:
                del at[left]
        del stack[again + 1 :], edges[again:], after[again + 1 :]
        after[again] = following
    return _Loop(stack, edges), loops


def _noded(line: Floats) -> Floats | None:
    """A line with a vertex wherever it touches or crosses itself; None where it runs along itself for a stretch."""
    (whole,), along_itself = noded([line], _ROUNDING_DEG)
    return None if along_itself else whole
