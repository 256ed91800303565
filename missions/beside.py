"""Flight lines beside any line, cut to what is lawful: on the side where that is more, else on the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import LineString, Point

from missions.border import BorderSegment, Side
from missions.border_course import BENDS_BACK, SHORTEST_PIECE_M, blocked, whole_line
from missions.course import Gap, distances_m, gap_for
from missions.detours import TAKES_ROOM
from missions.errors import PlanError
from missions.feet import feet_beside
from missions.network import Branch
from missions.plane import Plane
from missions.surroundings import DenseLine, Surroundings

__all__ = ["Piece", "pieces_beside"]

Floats = NDArray[np.float64]
Span = tuple[float, float]

_TOO_NEAR = "within the stand-off of the border"
_TOO_SHARP = "bends too sharply for a flight line beside it"
_BEYOND = "only from beyond the border could it be watched"
_CONTESTED = "left and right change places where the line crosses itself: whose ground is beside it cannot be told, at"
_LONG_M = 2000.0
_REST_M = 10.0
"""A rest of a line that is shorter than this is seen from the pieces beside it, metres."""
_TOLD_M = 1.0
"""What turns take of a rest counts as a reason of it where it is more, metres."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A lawful piece of a flight line.

    Parameters
    ----------
    lat, lon
        Vertices, degrees, shape (n,), in the direction of the line that is watched.
    feet_m
        Metres along it of places, rising, and along the line of what lies nearest to each, shape (2, k).
    look
        Side on which the line lies, flown in this direction.
    line
        Number of the line that is watched.
    """

    lat: Floats
    lon: Floats
    feet_m: Floats
    look: Side
    line: int


@dataclass(frozen=True)
class _Flank:
    """A whole flight line on one side of a line; what of it is lawful, metres along it, and why the rest is not."""

    side: Side
    lat: Floats
    lon: Floats
    lawful: tuple[Span, ...]
    gaps: tuple[Gap, ...]

    @cached_property
    def along(self) -> Floats:
        """Distance of each vertex from the first, metres."""
        return distances_m(self.lat, self.lon)

    @property
    def lawful_m(self) -> float:
        """Length of what is lawful, metres."""
        return sum(b - a for a, b in self.lawful)


def pieces_beside(
    line: BorderSegment | Branch,
    number: int,
    around: Surroundings,
    *,
    lateral_m: float,
    turn_radius_m: float,
    cuts: Sequence[tuple[float, float]],
) -> tuple[list[Piece], list[Gap]]:
    """Lawful pieces of the flight lines beside a line, and what of it cannot be watched.

    Parameters
    ----------
    line, number
        The line, and its number among those of the network; 0 is the border.
    around
        Borders and airspace.
    lateral_m, turn_radius_m
        Distance of a flight line from the line, and the least radius of its bends, metres.
    cuts
        Places, latitude and longitude, degrees, opposite which pieces are cut in two: other lines begin there.

    Returns
    -------
    tuple
        Pieces, in no order, and gaps, metres along the line itself.
    """
    ground = DenseLine.of(line)
    flanks, why_none = _flanks(line, ground, around, lateral_m, turn_radius_m)
    along = distances_m(ground.lat, ground.lon)
    pieces: list[Piece] = []
    seen: list[Span] = []
    drawn: list[Span] = []
    for flank in flanks:
        match = _Match(ground, along, flank)
        feet_m = feet_beside(line, flank.along, flank.lat, flank.lon)
        spans = list(flank.lawful)
        if seen:
            # What the better side sees, the other need not.
            wanted = [(match.beside(a), match.beside(b)) for a, b in _rest(seen, float(along[-1]))]
            spans = [(max(a, c), min(b, d)) for a, b in spans for c, d in wanted]
            spans = [(a, b) for a, b in spans if b - a >= SHORTEST_PIECE_M]
        if turn_radius_m > 0:
            whole, spans = spans, [_with_room(flank, span, around, turn_radius_m) for span in spans]
            ends = [(a, c) for old, new in zip(whole, spans, strict=True) for a, c in zip(old, new, strict=True)]
            drawn += [(match.opposite(a), match.opposite(c)) for a, c in ends if a != c]
        seen += [(match.opposite(a), match.opposite(b)) for a, b in spans]
        for a, b in _evenly(_cut(spans, [match.beside_point(*place) for place in cuts])):
            pieces.append(_piece(flank, a, b, number, feet_m))
    gaps = []
    for a, b in _rest(seen, float(along[-1])):
        reasons = _why(flanks, along, ground, (a + b) / 2) if flanks else [why_none]
        reasons += [TAKES_ROOM for c, d in drawn if min(b, max(c, d)) - max(a, min(c, d)) > _TOLD_M]
        # Where no gap is opposite of it, it lies in a bend that the flight line cuts short, in sight of it.
        if b - a < (_REST_M if reasons else lateral_m):
            continue
        inner = (along > a) & (along < b)
        at = np.concatenate([[a], along[inner], [b]])
        lat, lon = (tuple(np.interp(at, along, v).tolist()) for v in (ground.lat, ground.lon))
        gap = gap_for(reasons or [_TOO_SHARP], a, b)
        gaps.append(replace(gap, reason=f"{line.name}: {gap.reason}", several=(), lat_deg=lat, lon_deg=lon))
    return pieces, gaps


def _flanks(
    line: BorderSegment | Branch, ground: DenseLine, around: Surroundings, lateral_m: float, turn_radius_m: float
) -> tuple[list[_Flank], str]:
    """The flight lines beside a line, the better one first; and why there is none."""
    of_border = isinstance(line, BorderSegment)
    sides = (line.own_side,) if isinstance(line, BorderSegment) else (Side.LEFT, Side.RIGHT)
    found, reason = [], ""
    for side in sides:
        try:
            # A road may end in a hook: it goes on as it ends.
            chord = {} if of_border else {"chord_m": lateral_m}
            lat, lon = whole_line(ground, side, lateral_m, turn_radius_m, **chord)
        except PlanError as error:
            reason = str(error)
            continue
        gaps = blocked(around, lat, lon, BENDS_BACK if of_border else _TOO_NEAR)
        flank = _Flank(side, lat, lon, (), tuple(gaps))
        spans = _rest([(gap.from_m, gap.to_m) for gap in gaps], float(flank.along[-1]))
        own = [_is_own(flank, span, around, of_border=of_border) for span in spans]
        why = f"{_CONTESTED} {around.contested.told}" if of_border else _BEYOND
        beyond = [Gap(*span, why) for span, good in zip(spans, own, strict=True) if not good]
        lawful = tuple(span for span, good in zip(spans, own, strict=True) if good)
        found.append(replace(flank, lawful=lawful, gaps=(*gaps, *beyond)))
    return sorted(found, key=lambda flank: -flank.lawful_m), reason


def _with_room(flank: _Flank, span: Span, around: Surroundings, radius_m: float) -> Span:
    """A span that wings can come into and leave: a circle beside each of its ends has to be clear of what is shut.

    An end that points at a border or a zone within less than the radius is drawn back; where that does not help it
    stays.
    """
    ends = []
    for end, inward in ((span[0], 1.0), (span[1], -1.0)):
        room = min(2 * radius_m, (span[1] - span[0] - SHORTEST_PIECE_M) / 2)
        tries = [end + inward * d for d in np.arange(0.0, room, radius_m / 4)]
        ends.append(next((at for at in tries if _turns_in(flank, at, around, radius_m)), end))
    return ends[0], ends[1]


def _turns_in(flank: _Flank, at_m: float, around: Surroundings, radius_m: float) -> bool:
    """Whether a circle that touches a flight line at a place is clear of what is shut, on one side or the other."""
    places = np.clip([at_m - 1.0, at_m, at_m + 1.0], 0.0, flank.along[-1])
    lat, lon = (np.interp(places, flank.along, v) for v in (flank.lat, flank.lon))
    region = around.region(float(lat[1]), float(lon[1]), 4 * radius_m)
    a, here, b = region.plane.xy(lat, lon)
    left = np.array([-(b - a)[1], (b - a)[0]]) / np.hypot(*(b - a))
    circles = [Point(here + side * radius_m * left).buffer(radius_m * 0.99) for side in (1.0, -1.0)]
    shut = [*region.keep_out, *(shape for _, shape in region.zones)]
    return any(not any(shapely.intersects(shape, circle) for shape in shut) for circle in circles)


def _is_own(flank: _Flank, span: Span, around: Surroundings, *, of_border: bool) -> bool:
    """Whether a span lies on the own side; it touches no border, so that its middle tells for all of it.

    Beside a border it does, but for ground of which another stretch says that it is not own.
    """
    lat, lon = (float(np.interp(sum(span) / 2, flank.along, v)) for v in (flank.lat, flank.lon))
    return not around.contested.holds(lat, lon) if of_border else around.own_side(lat, lon)


class _Match:
    """Which places of a line and of its flight line are opposite each other, metres along both."""

    def __init__(self, ground: DenseLine, along: Floats, flank: _Flank) -> None:
        self._plane = Plane.at(*((float(v.min()) + float(v.max())) / 2 for v in (ground.lat, ground.lon)))
        self._ground = LineString(self._plane.xy(ground.lat, ground.lon))
        self._path = LineString(self._plane.xy(flank.lat, flank.lon))
        # A plane shortens a little what is far from its middle.
        self._ground_scale = float(along[-1]) / self._ground.length
        self._path_scale = float(flank.along[-1]) / self._path.length
        self._ground_m, self._path_m = float(along[-1]), float(flank.along[-1])
        self._is_ring = ground.is_ring

    def opposite(self, path_m: float) -> float:
        """The place of the line that is nearest to one of the flight line."""
        found = float(self._ground.project(self._path.interpolate(path_m / self._path_scale))) * self._ground_scale
        if not self._is_ring:
            return found
        # About its seam a ring begins and ends: of the two that is meant which is as far along as the flight line is.
        turns = round((path_m / self._path_m * self._ground_m - found) / self._ground_m)
        return min(max(found + turns * self._ground_m, 0.0), self._ground_m)

    def beside(self, ground_m: float) -> float:
        """The place of the flight line that is nearest to one of the line."""
        return float(self._path.project(self._ground.interpolate(ground_m / self._ground_scale))) * self._path_scale

    def beside_point(self, lat_deg: float, lon_deg: float) -> float:
        """The place of the flight line that is nearest to a point, degrees."""
        return float(self._path.project(Point(self._plane.xy(lat_deg, lon_deg)))) * self._path_scale


def _rest(spans: Sequence[Span], length_m: float) -> list[Span]:
    """What some spans leave of a length."""
    out, reached = [], 0.0
    for low, high in sorted((min(span), max(span)) for span in spans):
        if low > reached:
            out.append((reached, low))
        reached = max(reached, high)
    return [*out, (reached, length_m)] if length_m > reached else out


def _cut(spans: Sequence[Span], places: Sequence[float]) -> list[Span]:
    """Spans cut at places, where that leaves no piece too short to be worth a turn of the camera."""
    out = []
    for low, high in spans:
        start = low
        for place in sorted(places):
            if start + SHORTEST_PIECE_M <= place <= high - SHORTEST_PIECE_M:
                out.append((start, place))
                start = place
        out.append((start, high))
    return out


def _evenly(spans: Sequence[Span]) -> list[Span]:
    """Spans cut in equal parts where they are long: a walk may leave them there for what lies beside them."""
    counts = [max(1, round((b - a) / _LONG_M)) for a, b in spans]
    return [
        pair for (a, b), n in zip(spans, counts, strict=True) for pair in pairwise(np.linspace(a, b, n + 1).tolist())
    ]


def _piece(flank: _Flank, low: float, high: float, number: int, feet_m: Floats) -> Piece:
    """The piece of a flight line between two places, of which it is known what lies nearest to it."""

    def within(along: Floats) -> Floats:
        return np.concatenate([[low], along[(along > low + 1e-3) & (along < high - 1e-3)], [high]])

    at, beside = within(flank.along), within(feet_m[0])
    lat, lon = (np.interp(at, flank.along, v) for v in (flank.lat, flank.lon))
    return Piece(lat, lon, np.stack([beside - low, np.interp(beside, *feet_m)]), flank.side.other, number)


def _why(flanks: Sequence[_Flank], along: Floats, ground: DenseLine, at_m: float) -> list[str]:
    """Why a place of a line is seen from neither side."""
    reasons: list[str] = []
    for flank in flanks:
        place = _Match(ground, along, flank).beside(at_m)
        reasons += [
            one for gap in flank.gaps for one in gap.reasons if gap.from_m - _REST_M <= place <= gap.to_m + _REST_M
        ]
    return reasons
