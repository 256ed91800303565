"""Small plays at the border: who crosses, and who only seems to.

A play is told in metres along the border from the middle of the stage and metres off it, positive into the own side,
with time 0 when the camera looks straight at the middle.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geo import locate
from sim.world import Path, join, stand, walk

__all__ = ["CROSSINGS", "DECOYS", "Play", "Role", "Stage"]

Floats = NDArray[np.float64]
Rng = np.random.Generator

_BEFORE_S = 20.0
_AFTER_S = 20.0
_JITTER_S = 0.6
_JITTER_M = 4.0


@dataclass(frozen=True, eq=False)
class Stage:
    """The border near the middle of a stage.

    Parameters
    ----------
    line_m
        The border in the world's frame, (east, north), shape (n, 2).
    own
        1 when the own side is on the left of the line, -1 when on its right.
    middle_m
        Distance along the line of the middle of the stage, metres.
    """

    line_m: Floats
    own: float
    middle_m: float

    def at(self, points: ArrayLike) -> Floats:
        """World points, shape (n, 2), of (along, off) metres from the middle of the stage, shape (n, 2)."""
        along, off = np.atleast_2d(np.asarray(points, dtype=float)).T
        steps = np.diff(self.line_m, axis=0)
        lengths = np.hypot(*steps.T)
        starts = np.concatenate([[0.0], np.cumsum(lengths)])
        where = self.middle_m + along
        piece = np.clip(np.searchsorted(starts, where, side="right") - 1, 0, len(lengths) - 1)
        unit = steps[piece] / lengths[piece, None]
        left = np.stack([-unit[:, 1], unit[:, 0]], axis=1)
        on_line = self.line_m[piece] + (where - starts[piece])[:, None] * unit
        return np.asarray(on_line + self.own * off[:, None] * left)

    def crosses_at(self, path: Path) -> float:
        """Time at which a path first changes sides, seconds, to a millisecond."""
        times = np.arange(path.time_s[0], path.time_s[-1], 1e-2)
        side = np.sign(locate(self.line_m, path.at(times)).offset_m)
        change = int(np.flatnonzero(side[1:] != side[:-1])[0])
        fine = np.linspace(times[change], times[change + 1], 11)
        side = np.sign(locate(self.line_m, path.at(fine)).offset_m)
        return float(fine[int(np.flatnonzero(side[1:] != side[:-1])[0]) + 1])


@dataclass(frozen=True, slots=True)
class Role:
    """An actor to be: its kind and its path."""

    kind: str
    path: Path


@dataclass(frozen=True, slots=True)
class Play:
    """A play.

    Parameters
    ----------
    crossings
        How many of its actors cross the line.
    act
        Makes the roles on a stage.
    """

    crossings: int
    act: Callable[[Stage, Rng], list[Role]]


def _cross(
    stage: Stage, rng: Rng, kind: str, *, speed: tuple[float, float], inbound: bool, slant: float, count: int = 1
) -> list[Role]:
    """Actors who cross as one group, the first at about time 0, the others a little later and beside."""
    pace = float(rng.uniform(*speed))
    sign = 1.0 if inbound else -1.0
    slope = float(rng.uniform(-slant, slant))
    middle, moment = rng.uniform(-_JITTER_M, _JITTER_M), rng.uniform(-_JITTER_S, _JITTER_S)
    roles = []
    for number in range(count):
        along = middle + number * rng.uniform(0.8, 1.6)
        reach = pace * (_BEFORE_S + 5)
        ends = [(along - slope * reach, -sign * reach), (along + slope * reach, sign * reach)]
        path = walk(stage.at(ends), pace * rng.uniform(0.97, 1.03), seed=int(rng.integers(1 << 31)))
        later = 0.0 if number == 0 else rng.uniform(0.2, 0.9)
        roles.append(Role(kind, path.shifted(moment + later - stage.crosses_at(path))))
    return roles


def _along(
    stage: Stage, rng: Rng, kind: str, *, speed: tuple[float, float], off: tuple[float, float], count: int = 1
) -> list[Role]:
    """Actors who keep beside the line, in either direction."""
    pace, sign = float(rng.uniform(*speed)), float(rng.choice([-1, 1]))
    first = float(rng.uniform(*off))
    roles = []
    for number in range(count):
        beside = first + 0.7 * number * float(np.sign(first))
        steps = np.arange(-_BEFORE_S, _AFTER_S + 1, 2.0)
        points = np.stack([sign * steps * pace, np.full(steps.shape, beside)], axis=1)
        points[:, 0] += rng.uniform(-_JITTER_M, _JITTER_M) - sign * 1.5 * number
        points[:, 1] += rng.uniform(-0.25, 0.25, len(steps))
        path = walk(stage.at(points), pace, start_s=-_BEFORE_S, seed=int(rng.integers(1 << 31)), variation=0.03)
        roles.append(Role(kind, path))
    return roles


def _stay(stage: Stage, rng: Rng, offs: Sequence[tuple[float, float]]) -> list[Role]:
    """People who stand at some distance from the line."""
    roles = []
    for low, high in offs:
        point = stage.at([(rng.uniform(-_JITTER_M, _JITTER_M), rng.uniform(low, high))])[0]
        path = stand(point, start_s=-_BEFORE_S, end_s=_AFTER_S, facing_deg=float(rng.uniform(0, 360)))
        roles.append(Role("person", path))
    return roles


def _turn_back(stage: Stage, rng: Rng) -> list[Role]:
    """One comes close to the line, waits and goes back."""
    side, pace = float(rng.choice([-1, 1])), float(rng.uniform(1.1, 1.5))
    along, close = rng.uniform(-_JITTER_M, _JITTER_M), rng.uniform(2.5, 3.5)
    far = close + pace * (_BEFORE_S - 1)
    there = walk(stage.at([(along - 2, side * far), (along, side * close)]), pace, start_s=-_BEFORE_S, variation=0.02)
    wait = float(rng.uniform(0.5, 1.5))
    back = walk(
        stage.at([(along, side * close), (along + 2, side * far)]),
        pace,
        start_s=float(there.time_s[-1]) + wait,
        variation=0.02,
    )
    return [Role("person", join([there, back]))]


def _loiter(stage: Stage, rng: Rng) -> list[Role]:
    """Two or three on one side who walk a few steps, stop, and walk again."""
    side = float(rng.choice([-1, 1]))
    roles = []
    for _ in range(int(rng.integers(2, 4))):
        place = np.array([rng.uniform(-6, 6), side * rng.uniform(5, 10)])
        paths, time = [], -_BEFORE_S
        while time < _AFTER_S:
            step = place + rng.uniform(-2, 2, 2)
            step[1] = side * max(4.0, abs(step[1]))
            paths.append(walk(stage.at([place, step]), float(rng.uniform(0.6, 1.2)), start_s=time, variation=0.03))
            time, place = float(paths[-1].time_s[-1]) + float(rng.uniform(0.5, 3)), step
        roles.append(Role("person", join(paths)))
    return roles


_WALK, _RUN, _DRIVE = (1.1, 1.7), (2.7, 3.3), (5.0, 8.0)

CROSSINGS: Mapping[str, Play] = MappingProxyType(
    {
        "one walks in": Play(1, lambda s, r: _cross(s, r, "person", speed=_WALK, inbound=True, slant=0.3)),
        "one walks out": Play(1, lambda s, r: _cross(s, r, "person", speed=_WALK, inbound=False, slant=0.3)),
        "three walk in": Play(3, lambda s, r: _cross(s, r, "person", speed=_WALK, inbound=True, slant=0.3, count=3)),
        "two walk in": Play(2, lambda s, r: _cross(s, r, "person", speed=_WALK, inbound=True, slant=0.4, count=2)),
        "a vehicle drives in": Play(1, lambda s, r: _cross(s, r, "vehicle", speed=_DRIVE, inbound=True, slant=0.2)),
        "one runs in": Play(1, lambda s, r: _cross(s, r, "person", speed=_RUN, inbound=True, slant=0.3)),
        "one walks out on a slant": Play(1, lambda s, r: _cross(s, r, "person", speed=_WALK, inbound=False, slant=0.7)),
    }
)
"""Plays with crossings, in the order in which they are taken."""

DECOYS: Mapping[str, Play] = MappingProxyType(
    {
        "one walks along, own side": Play(0, lambda s, r: _along(s, r, "person", speed=_WALK, off=(3.5, 8))),
        "two walk along, far side": Play(0, lambda s, r: _along(s, r, "person", speed=_WALK, off=(-8, -3.5), count=2)),
        "one turns back": Play(0, _turn_back),
        "one stands astride": Play(0, lambda s, r: _stay(s, r, [(0.05, 0.3)])),
        "a vehicle drives along": Play(0, lambda s, r: _along(s, r, "vehicle", speed=(5, 9), off=(5, 9))),
        "two stand near": Play(0, lambda s, r: _stay(s, r, [(3, 6), (-7, -4)])),
        "some loiter": Play(0, _loiter),
        "nobody": Play(0, lambda _s, _r: []),
        "nobody again": Play(0, lambda _s, _r: []),
    }
)
"""Plays in which nobody crosses, in the order in which they are taken."""
