"""Legs of a border to be seen once by many drones: instances, exact times of tours, and what a general solver is given.

Positions are metres in a plane (east, north). Every drone flies once, from its base and back, with no limit of its
battery: PyVRP lets a vehicle reload goods, not energy, and OR-Tools would need as many vehicles as sorties, so that a
case with batteries would measure the models instead of the solvers.

This module imports NumPy alone, so that peers in an environment of their own share it.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "Legs",
    "apart_m",
    "dumped",
    "even_split",
    "loaded",
    "longest_s",
    "matrix_s",
    "middles",
    "tour_ends",
    "tour_s",
    "travel_s",
    "wandering",
]

Floats = NDArray[np.float64]
Tours = dict[int, list[int]]
"""Legs in the order of the flight, by drone."""

PATROL_M_S, CRUISE_M_S = 10.0, 15.0
LEG_M = 400.0

_BENT = ("between_m", "home_m", "along_m")
"""What of an instance is given where not all is straight."""


@dataclass(frozen=True, slots=True, eq=False)
class Legs:
    """An instance.

    Parameters
    ----------
    ends_m
        Where each leg begins and ends, in order along the border, shape (n, 2, 2). It may be flown either way.
    base_m
        Where each drone starts and lands, shape (drones, 2).
    patrol_m_s, cruise_m_s
        Speed along legs and between them; cruise is no slower.
    between_m, home_m
        Lengths of the ways between ends of legs, shape (n, 2, n, 2), and from the base of each drone to them, shape
        (drones, n, 2), where they may not be straight; None where all are.
    along_m
        Length of each leg where it bends, shape (n,); None where all are straight.
    """

    ends_m: Floats
    base_m: Floats
    patrol_m_s: float
    cruise_m_s: float
    between_m: Floats | None = None
    home_m: Floats | None = None
    along_m: Floats | None = None

    @property
    def patrol_s(self) -> Floats:
        """Time along each leg, shape (n,)."""
        straight_m = apart_m(self.ends_m[:, 0], self.ends_m[:, 1])
        return (straight_m if self.along_m is None else self.along_m) / self.patrol_m_s


def apart_m(a: Floats, b: Floats) -> Floats:
    """Distances between points of two arrays (..., 2) that broadcast."""
    out: Floats = np.hypot(a[..., 0] - b[..., 0], a[..., 1] - b[..., 1])
    return out


def wandering(count: int, bases: int, drones: int, seed: int) -> Legs:
    """`count` legs of 400 m on average along a border that wanders, drones evenly among bases behind it.

    The heading is a random walk that is drawn back to east. Each base lies somewhere behind its own share of the legs,
    1 to 8 km south of the border there.
    """
    rng = np.random.default_rng(seed)
    heading, now = np.empty(count), 0.0
    for k, turn in enumerate(rng.normal(0.0, 0.25, count)):
        now = heading[k] = 0.97 * now + turn
    length = LEG_M * rng.uniform(0.25, 1.75, count)
    steps = length[:, None] * np.column_stack([np.cos(heading), np.sin(heading)])
    points = np.vstack([[0.0, 0.0], np.cumsum(steps, axis=0)])
    at = ((np.arange(bases) + rng.uniform(0.0, 1.0, bases)) * count / bases).astype(int)
    behind = points[at] - np.column_stack([np.zeros(bases), rng.uniform(1000.0, 8000.0, bases)])
    ends = np.stack([points[:-1], points[1:]], axis=1)
    return Legs(ends, behind[np.arange(drones) * bases // drones], PATROL_M_S, CRUISE_M_S)


def dumped(legs: Legs) -> dict[str, Any]:
    """An instance as JSON; the form of ``instance.json``.

    ``legs``: a list of ``[[east, north], [east, north]]``, metres, in order along the border; ``bases``: a list of
    ``[east, north]``; ``drones``: the place in ``bases`` of each; ``patrol_m_s`` and ``cruise_m_s``; ``between_m``,
    ``home_m`` and ``along_m`` where not all is straight, nested lists or ``{"shape": [...], "float64": TEXT}``, its
    numbers with the lowest byte first as base64: lists of the ways among 3,000 legs would be 36 million numbers.
    """
    bases, which = np.unique(legs.base_m, axis=0, return_inverse=True)
    ways = {name: _packed(ways) for name in _BENT if (ways := getattr(legs, name)) is not None}
    return {
        "legs": legs.ends_m.tolist(),
        "bases": bases.tolist(),
        "drones": which.ravel().tolist(),
        "patrol_m_s": legs.patrol_m_s,
        "cruise_m_s": legs.cruise_m_s,
        **ways,
    }


def _packed(values: Floats) -> dict[str, Any]:
    return {"shape": list(values.shape), "float64": base64.b64encode(values.astype("<f8").tobytes()).decode()}


def _unpacked(found: Any) -> Floats:
    if not isinstance(found, dict):
        return np.array(found, dtype=float)
    numbers = np.frombuffer(base64.b64decode(found["float64"], validate=True), dtype="<f8")
    return numbers.reshape(found["shape"]).astype(float)


def loaded(found: dict[str, Any]) -> Legs:
    """An instance from what `dumped` gives.

    Raises
    ------
    ValueError
        When it is anything else; a missing name is a ``KeyError``.
    """
    ends, bases = np.array(found["legs"], dtype=float), np.array(found["bases"], dtype=float)
    drones = np.array(found["drones"])
    if ends.shape[1:] != (2, 2) or not len(ends) or not np.isfinite(ends).all():
        raise ValueError("legs: give a list of [[east, north], [east, north]], metres")
    if bases.shape[1:] != (2,) or not np.isfinite(bases).all():
        raise ValueError("bases: give a list of [east, north], metres")
    if (
        drones.ndim != 1
        or not len(drones)
        or drones.dtype.kind != "i"
        or not ((drones >= 0) & (drones < len(bases))).all()
    ):
        raise ValueError(f"drones: give for each one the place of its base, 0 to {len(bases) - 1}")
    patrol, cruise = float(found["patrol_m_s"]), float(found["cruise_m_s"])
    if not 0 < patrol <= cruise < np.inf:
        raise ValueError("patrol_m_s and cruise_m_s: give speeds above 0, patrol no faster than cruise")
    shapes = (len(ends), 2, len(ends), 2), (len(drones), len(ends), 2), (len(ends),)
    ways = [_unpacked(found[name]) if name in found else None for name in _BENT]
    for name, own, shape in zip(_BENT, ways, shapes, strict=True):
        if own is not None and (own.shape != shape or not (own >= 0).all()):
            raise ValueError(f"{name}: give lengths, metres, of shape {shape}")
    return Legs(ends, bases[drones], patrol, cruise, *ways)


def tour_s(legs: Legs, drone: int, order: Sequence[int]) -> float:
    """Exact time of one flight over legs in this order, each in the direction that is best; 0 without legs."""
    return _best_way(legs, drone, order)[0] if len(order) else 0.0


def tour_ends(legs: Legs, drone: int, order: Sequence[int]) -> list[int]:
    """The end, 0 or 1, at which each leg of such a flight is left."""
    return _best_way(legs, drone, order)[1]


def _best_way(legs: Legs, drone: int, order: Sequence[int]) -> tuple[float, list[int]]:
    """Time of a flight, and the end at which each of its legs is left."""
    own = np.asarray(order)
    ends, base = legs.ends_m[own], legs.base_m[drone]
    ways = apart_m(ends[[0, -1]], base) if legs.home_m is None else legs.home_m[drone, own[[0, -1]]]
    first, last = ways.tolist()
    # Between each two legs, from either end of the one to either end of the other.
    if legs.between_m is None:
        hops = apart_m(ends[:-1, :, None], ends[1:, None, :]).tolist()
    else:
        hops = legs.between_m[own[:-1], :, own[1:], :].tolist()
    # Least way until the leg is left at its end 0, and at its end 1: it was entered at the other.
    left, came = [first[1], first[0]], []
    for hop in hops:
        to = [(left[0] + hop[0][end], left[1] + hop[1][end]) for end in (1, 0)]
        came.append([int(b < a) for a, b in to])
        left = [min(two) for two in to]
    end = int(left[1] + last[1] < left[0] + last[0])
    way = left[end] + last[end]
    out = [end]
    for before in reversed(came):
        out.append(before[out[-1]])
    return float(way / legs.cruise_m_s + legs.patrol_s[own].sum()), out[::-1]


def longest_s(legs: Legs, tours: Tours) -> float:
    """Exact time until the last drone has landed: the one figure that all are judged by.

    Raises
    ------
    ValueError
        When not every leg is in just one tour, or a tour is of no drone.
    """
    seen = sorted(leg for order in tours.values() for leg in order)
    if seen != list(range(len(legs.ends_m))):
        raise ValueError(f"{len(set(seen))} of {len(legs.ends_m)} legs are seen, in {len(seen)} visits")
    if not set(tours) <= set(range(len(legs.base_m))):
        raise ValueError(f"drones {sorted(tours)} fly, there are {len(legs.base_m)}")
    return max(tour_s(legs, drone, order) for drone, order in tours.items())


def even_split(legs: Legs) -> Tours:
    """Stretches of equal patrol time for the drones, in the order in which their bases lie along the border.

    What anyone would do first: where a peer finds no plan of its own it starts from here.
    """
    middle = legs.ends_m.mean(axis=1)
    order = sorted(range(len(legs.base_m)), key=lambda drone: int(apart_m(middle, legs.base_m[drone]).argmin()))
    done_s = np.cumsum(legs.patrol_s)
    share = ((done_s - legs.patrol_s / 2) / done_s[-1] * len(order)).astype(int)
    return {drone: np.flatnonzero(share == k).tolist() for k, drone in enumerate(order)}


def middles(legs: Legs, bases: Floats) -> tuple[Floats, Floats]:
    """Legs and then bases as places of a routing problem: position, shape (places, 2), and half the leg's length."""
    half = apart_m(legs.ends_m[:, 0], legs.ends_m[:, 1]) / 2
    return np.vstack([legs.ends_m.mean(axis=1), bases]), np.append(half, np.zeros(len(bases)))


def matrix_s(legs: Legs, drones: Sequence[int]) -> Floats:
    """Travel among all legs and then the bases of some drones as a solver sees it, seconds, shape (places, places).

    Where ways are not straight they are longer by the mean of what those between the ends are.
    """
    position, half = middles(legs, legs.base_m[list(drones)])
    out = travel_s(legs, (position[:, None], half[:, None]), (position, half))
    count, ends = len(legs.ends_m), legs.ends_m
    if legs.between_m is not None:
        straight = apart_m(ends[:, :, None, None], ends[None, None])
        out[:count, :count] += (legs.between_m - straight).mean(axis=(1, 3)) / legs.cruise_m_s
    if legs.home_m is not None:
        for place, drone in enumerate(drones, count):
            longer = (legs.home_m[drone] - apart_m(ends, legs.base_m[drone])).mean(axis=1) / legs.cruise_m_s
            out[place, :count] += longer
            out[:count, place] += longer
    return out


def travel_s(legs: Legs, from_: tuple[Floats, Floats], to: tuple[Floats, Floats]) -> Floats:
    """Travel as a solver sees it, which knows no direction of a leg: between middles, less half of either leg.

    It is right for legs on end in a straight line. Solvers did better with it than with the nearest ends, and much
    better than with two places for the two directions of each leg, one of which is to be visited.
    """
    between = apart_m(from_[0], to[0]) - from_[1] - to[1]
    out: Floats = np.maximum(between, 0.0) / legs.cruise_m_s
    return out
