"""Validation of where the cameras look: beside every leg of a patrol, on the side that it looks to, lies a line.

A flight line keeps its lateral distance from a line, as the rim of a disc of the turn radius does that rolls along it:
in a bay the disc touches both shores. So the centre of the disc, on the other side of the leg than the camera looks to,
is the lateral distance and the radius away from the line; without a radius it is the middle of the leg, from which the
line lies straight across. Where two lines lie so, one on each side of a leg, either may be meant. Where one line does,
as at the tip of a narrow bay, it is the shore to which the legs before and after look: along one line a camera changes
sides where the flight turns about, and nowhere else.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import Geometry

from missions.border import BorderSegment
from missions.network import Branch
from missions.patrol import PatrolPlan
from missions.sortie import LegKind, Sortie
from missions.validation_lines import About, Edge, joined
from missions.validation_rule import Rule, finite

__all__ = ["looks"]

Floats = NDArray[np.float64]

_STRAY_M = 5.0
"""How far a flight line may be from where it ought to be: it is drawn with fewer vertices than its line, metres.

A leg that is shorter than this, as where a line ends beside another of its bends, is not judged.
"""

_CHORD_RAD = 0.35
"""Most of an arc of a flight line that one leg goes along, radians.

Where a patrol begins or ends it may fly a part of such a leg: from its middle straight across lies a place as far
beside the centre of the disc as the middle of the part is from that of the whole.
"""

_ACROSS = 0.9
"""The line lies within the angle of this sine of straight across, where no bay is rounded."""

_ABOUT = -math.cos(math.radians(5.0))
"""Cosine of the turn between two legs from which on the flight comes back along where it was."""


def looks(plan: PatrolPlan) -> Rule:
    """Whether a watched line lies on the side to which the camera looks, for every leg of a patrol but tiny ones."""
    lines: list[BorderSegment | Branch] = [*plan.borders, *plan.branches]
    edges = [Edge(line) for line in lines]
    radius_m = max(vehicle.aircraft.turn_radius_in(plan.options.wind) for vehicle in plan.fleet.vehicles)
    found: list[str] = []
    worst, count = np.inf, 0
    for sortie in plan.sorties:
        for i, leg in enumerate(sortie.legs):
            if (leg.look is None) == (leg.kind is LegKind.PATROL):
                found.append(f"{sortie.name} leg {i}: {leg.kind}, and looks to {leg.look or 'neither side'}")
        judged = [(i, leg.look) for i, leg in enumerate(sortie.legs) if leg.look and leg.distance_m >= _STRAY_M]
        if not judged:
            continue
        numbers = np.array([i for i, _ in judged])
        about = About(sortie)
        step = about.stops[numbers] - about.starts[numbers]
        # To the left of east is north.
        left = np.column_stack([-step[:, 1], step[:, 0]]) / np.maximum(np.hypot(*step.T), 1e-9)[:, None]
        signs = np.array([look.sign for _, look in judged])
        middles = about.starts[numbers] + step / 2
        parts = np.array([_of_a_whole_m(sortie, i) for i in numbers.tolist()])
        stray = _STRAY_M + np.minimum(parts, _CHORD_RAD * radius_m) / 2
        view = _View(middles, left * signs[:, None], stray, plan.observation_of(sortie).lateral_m, radius_m)
        runs = [[about.xy(run[:, 1], run[:, 0]) for run in edge.beside(sortie).runs] for edge in edges]
        shapes = [joined(own) for own in runs if own]
        room = _room(view, shapes)
        count += len(room)
        # A leg that no line lies opposite of has no figure.
        worst = min(worst, float(room.min(initial=np.inf, where=np.isfinite(room))))
        found += [
            f"{sortie.name} leg {i}: looks to its {sortie.legs[i].look}, where no line is that it could watch"
            for i in numbers[room < 0]
        ]
        joints = [
            (k, k + 1)
            for k, (i, j) in enumerate(pairwise(numbers.tolist()))
            if signs[k] != signs[k + 1] and all(leg.kind is LegKind.PATROL for leg in sortie.legs[i:j])
        ]
        found += [
            f"{sortie.name} leg {i}: looks to its {sortie.legs[i].look}, and the leg before or after it looks to the "
            "other side, to the same line"
            for i in numbers[_changed(view, shapes, joints)]
        ]
    return Rule("camera looks to a watched line", count, finite(worst), 0.0, "m", tuple(found))


@dataclass(frozen=True, slots=True)
class _View:
    """Some legs.

    Parameters
    ----------
    middles, across
        Their middles, metres, and unit vectors across them to the sides that they look to, shape (n, 2).
    stray_m
        How far each may be from where it ought to be, metres, shape (n,).
    lateral_m, radius_m
        Distance from the line, and the radius of turns, metres.
    """

    middles: Floats
    across: Floats
    stray_m: Floats
    lateral_m: float
    radius_m: float

    def only(self, k: int) -> _View:
        """One of the legs."""
        return replace(self, middles=self.middles[[k]], across=self.across[[k]], stray_m=self.stray_m[[k]])

    @property
    def turned(self) -> _View:
        """The same legs, each looking to its other side."""
        return replace(self, across=-self.across)

    @property
    def centres(self) -> NDArray[np.object_]:
        """Centres of the discs."""
        return np.asarray(shapely.points(self.middles - self.radius_m * self.across))

    def fit(self, shape: Geometry) -> Floats:
        """How much farther a line could be from where each leg looks for it, metres; negative where it is not there."""
        ways = shapely.get_coordinates(shapely.shortest_line(self.centres, shape)).reshape(-1, 2, 2)
        away = ways[:, 1] - ways[:, 0]
        distance = np.hypot(*away.T)
        sine = (away * self.across).sum(axis=1) / np.maximum(distance, 1e-9)
        faces = sine > (0.0 if self.radius_m > 0 else _ACROSS)
        return np.asarray(np.where(faces, self.stray_m - np.abs(distance - self.lateral_m - self.radius_m), -np.inf))


def _of_a_whole_m(sortie: Sortie, number: int) -> float:
    """Length of the patrol's leg beside one that begins or ends the patrol, metres; 0 for any other."""
    beside = [sortie.legs[k] for k in (number - 1, number + 1)]
    inner = [leg for leg in beside if leg.kind is LegKind.PATROL]
    return 0.0 if len(inner) == len(beside) else max((leg.distance_m for leg in inner), default=0.0)


def _room(view: _View, shapes: Sequence[Geometry]) -> Floats:
    """What fits best of some lines, for each leg."""
    room = np.max([view.fit(shape) for shape in shapes], axis=0, initial=-np.inf)
    for k in np.flatnonzero(room < 0):
        room[k] = _among_bends(view.only(int(k)), shapes)
    return np.asarray(room)


def _changed(view: _View, shapes: Sequence[Geometry], joints: Sequence[tuple[int, int]]) -> list[int]:
    """Legs that look to one shore of a bay while one that they are joined to looks to the other.

    `joints` are pairs of legs that look to different sides of their courses. Which of two is wrong tells the line: the
    one that has it on either side.
    """
    changed: set[int] = set()
    for pair in joints:
        # They look to different sides: what is across the one way turns as the courses do, and by half a turn more.
        if -float(view.across[pair[0]] @ view.across[pair[1]]) < _ABOUT:
            continue
        for one, other in (pair, pair[::-1]):
            for shape in shapes:
                seen = [_room(of, [shape])[0] for of in (view.only(other), view.only(one), view.only(one).turned)]
                if min(seen) >= 0:
                    changed.add(one)
    return sorted(changed)


def _among_bends(view: _View, shapes: Sequence[Geometry]) -> float:
    """What fits best of the bends about one leg: a line that comes back may be nearer with another than the watched."""
    (centre,) = view.centres
    disc = shapely.buffer(centre, view.lateral_m + view.radius_m + float(view.stray_m[0]))
    bends = [bend for shape in shapes for bend in _parts(shapely.intersection(shape, disc))]
    return max((float(view.fit(bend)[0]) for bend in bends), default=-np.inf)


def _parts(cut: Geometry) -> list[Geometry]:
    """Lines that a disc holds, those that hang together as one."""
    return [part for part in shapely.get_parts(shapely.line_merge(cut)).tolist() if shapely.length(part) > 0]
