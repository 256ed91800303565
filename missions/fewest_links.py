"""A closed way through gates with the fewest links.

From everything that is reached with k links, all that can be seen through the gates ahead is reached with one more; as
far as that goes at all a way needs no more than k + 1 (S. Suri, A linear time algorithm for minimum link paths inside a
simple polygon, 1986). What is seen last ends at a line of sight, and of the places that are reached only those on it
can see on; here some of them are looked from.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["fewest_links"]

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]
Bools = NDArray[np.bool_]

_PLACES = 24
"""From how many gates, most, is looked on in each step."""

_LOOK = 64
"""Through how many gates is looked at first; where that is not enough, through twice as many."""

_AT_M, _END = 1e-6, 1e-9
"""A place so near to the end of a gate, metres or as a share of the gate, is that end."""


@dataclass(frozen=True, slots=True)
class _Places:
    """Where it is looked from.

    Parameters
    ----------
    xy
        The places, shape (n, 2).
    gate
        The gate that each lies on.
    way
        Number of each in the list of all places, by which the way back is found.
    """

    xy: Floats
    gate: Ints
    way: Ints


def fewest_links(left: Floats, right: Floats) -> Floats | None:
    """The vertices of a closed way through gates.

    Parameters
    ----------
    left, right
        Ends of the gates, shape (m, 2), in the order in which they are passed; the first comes after the last again.
        Neighbours have one end in common, as the edges of a triangulation that a way crosses have.

    Returns
    -------
    ndarray or None
        Vertices, shape (n, 2), the first not repeated: with the one in the middle of the widest gate, where the way
        begins, the fewest that there can be, but for the places that were not looked from. None where none is found.
    """
    widest = int(np.argmax(np.hypot(*(left - right).T)))
    start = (left[widest] + right[widest]) / 2
    left, right = (np.roll(ends, -widest - 1, axis=0)[:-1] for ends in (left, right))
    count = len(left)
    all_xy, before = [start], [-1]
    places = _Places(start[None], np.array([-1]), np.array([0]))
    furthest = -1
    while True:
        view = _looked(places, left, right)
        home = view.homes(start, count)
        if home is not None:
            found, at = [], int(places.way[home])
            while at >= 0:
                found.append(at)
                at = before[at]
            return np.array([all_xy[k] for k in found[::-1]])
        if view.furthest <= furthest:
            return None
        furthest = view.furthest
        xy, gate, source = view.last(left, right)
        places = _Places(xy, gate, np.arange(len(all_xy), len(all_xy) + len(xy)))
        all_xy += list(xy)
        before += view.places.way[source].tolist()


def _looked(places: _Places, left: Floats, right: Floats) -> _View:
    look = _LOOK
    while True:
        view = _View(places, left, right, look)
        if view.furthest < int(places.gate.min()) + look or view.furthest == len(left) - 1:
            return view
        look *= 2


class _View:
    """What is seen from some places through the gates ahead: of each gate what lies between two lines of sight."""

    def __init__(self, places: _Places, left: Floats, right: Floats, look: int) -> None:
        self.places = places
        first = int(places.gate.min()) + 1
        self.gates = np.arange(first, min(first + look, len(left)))
        away = places.xy[:, None]
        self.furthest = first - 1
        if not len(self.gates):
            return
        ahead = self.gates > places.gate[:, None]
        to_left, to_right = left[self.gates] - away, right[self.gates] - away
        self._base, low, high = _angles(to_left, to_right, ahead)
        # Least and greatest direction that leads through all gates so far.
        self._high = np.minimum.accumulate(np.where(ahead, high, np.inf), axis=1)
        self._low = np.maximum.accumulate(np.where(ahead, low, -np.inf), axis=1)
        self.seen = np.logical_and.accumulate(~ahead | (self._high >= self._low), axis=1) & ahead
        reached = np.flatnonzero(np.any(self.seen, axis=0))
        if len(reached):
            self.furthest = int(self.gates[reached[-1]])

    def homes(self, start: Floats, count: int) -> int | None:
        """A place that sees the start behind the last gate; None where none does."""
        if self.places.gate.max() == count - 1:
            return int(self.places.gate.argmax())
        if self.gates[-1] < count - 1:
            return None
        seeing = np.flatnonzero(self.seen[:, -1])
        low, high = self._low[seeing, -1], self._high[seeing, -1]
        low, high = np.maximum(low, high - np.pi), np.minimum(high, low + np.pi)
        angle = _turned(self._base[seeing], start - self.places.xy[seeing])
        angle += 2 * np.pi * np.round(((low + high) / 2 - angle) / (2 * np.pi))
        sees = seeing[(angle >= low) & (angle <= high)]
        return int(sees[0]) if len(sees) else None

    def last(self, left: Floats, right: Floats) -> tuple[Floats, Ints, Ints]:
        """Places on the gates that are no longer seen whole, where the view of them ends, and who saw each."""
        a, b, columns = left[self.gates], right[self.gates], np.arange(len(self.gates))
        leftmost = np.where(self.seen, _share(self.places.xy, self._base, self._high, a, b), np.inf)
        rightmost = np.where(self.seen, _share(self.places.xy, self._base, self._low, a, b), -np.inf)
        sources = leftmost.argmin(axis=0), rightmost.argmax(axis=0)
        ends = leftmost[sources[0], columns], rightmost[sources[1], columns]
        which = np.flatnonzero(np.any(self.seen, axis=0))
        whole = np.flatnonzero((ends[0] <= 0.0) & (ends[1] >= 1.0))
        which = which[which >= whole[-1]] if len(whole) else which
        if len(which) > _PLACES:
            which = which[np.linspace(0, len(which) - 1, _PLACES).astype(int)]
        at = np.concatenate([share[which] for share in ends])[:, None]
        twice = np.concatenate([which, which])
        xy = np.where(at >= 1.0, b[twice], a[twice] + at * (b - a)[twice])
        return xy, self.gates[twice], np.concatenate([source[which] for source in sources])


def _angles(to_left: Floats, to_right: Floats, ahead: Bools) -> tuple[Floats, Floats, Floats]:
    """Directions of the ends of gates from places, radians against the clock from a direction of each place's own.

    They go on round the place from gate to gate: neighbours have an end in common, so nothing turns by half a turn. An
    end that a place lies on sets no bound, infinite.

    Returns
    -------
    base, right, left
        The own directions, shape (n, 2), and the angles, shape (n, m).
    """
    on_left, on_right = (np.hypot(to[..., 0], to[..., 1]) <= _AT_M for to in (to_left, to_right))
    rows, first = np.arange(len(ahead)), ahead.argmax(axis=1)
    # A place lies on the left or the right ends of the first gates, or on none.
    swap = on_right[rows, first]
    other = np.where(swap[:, None, None], to_right, to_left)
    main = np.where(swap[:, None, None], to_left, to_right)
    base = main[rows, first]
    angle = np.unwrap(np.where(ahead, _turned(base[:, None], main), 0.0), axis=1)
    on = np.where(swap[:, None], on_right, on_left) | ~ahead
    between = _turned(main, other)
    begin = (~on).argmax(axis=1)
    offset = (angle + between)[rows, begin]
    turned = _turned(base[:, None], other)
    turned = np.where(np.arange(turned.shape[1]) < begin[:, None], turned[rows, begin][:, None], turned)
    turned = np.unwrap(turned, axis=1)
    turned += (offset - turned[rows, begin])[:, None]
    unbound = np.where(swap, -np.inf, np.inf)[:, None]
    turned = np.where(on, unbound, turned)
    return base, np.where(swap[:, None], turned, angle), np.where(swap[:, None], angle, turned)


def _turned(base: Floats, to: Floats) -> Floats:
    """Angle from one direction to another, radians within half a turn."""
    cross = base[..., 0] * to[..., 1] - base[..., 1] * to[..., 0]
    return np.arctan2(cross, base[..., 0] * to[..., 0] + base[..., 1] * to[..., 1])


def _share(xy: Floats, base: Floats, angle: Floats, left: Floats, right: Floats) -> Floats:
    """Where lines of sight meet gates: share of the way from the left end to the right, shape (n, m)."""
    # No bound on the left is the left end itself, on the right the right one.
    end = np.where(angle > 0, 0.0, 1.0)
    bound = np.isfinite(angle)
    whole = np.where(bound, angle, 0.0) + np.arctan2(base[:, 1], base[:, 0])[:, None]
    cos, sin = np.cos(whole), np.sin(whole)
    gate, away = right - left, xy[:, None] - left
    across = gate[:, 0] * sin - gate[:, 1] * cos
    bound &= across != 0
    share = (away[..., 0] * sin - away[..., 1] * cos) / np.where(bound, across, 1.0)
    share = np.where(share < _END, 0.0, np.where(share > 1.0 - _END, 1.0, share))
    return np.where(bound, share, end)
