"""How much each place of a border matters at each hour."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geo import LocalFrame, locate
from missions.border import BorderSegment
from missions.border_loops import taken_apart
from missions.clock import ShiftClock, zone_of
from missions.errors import PlanError
from missions.figures import store_figures

__all__ = ["Risk", "RiskTable", "risk_apart", "risk_by_border", "risk_of_crossings"]

Floats = NDArray[np.float64]

_ROUNDING_M = 1e-6


@dataclass(frozen=True, slots=True)
class Risk:
    """One row: a stretch of the border, hours of the day, and how much it matters there and then.

    Parameters
    ----------
    from_m, to_m
        Metres along the border.
    weight
        1 is the usual; a place of weight 2 is looked at twice as often as one of weight 1.
    from_hour, to_hour
        Hours of the day, 0 to 24; from 22 to 6 runs through midnight.
    line
        Name of the line of a network that the metres are along; empty for the border, of several the longest.
    """

    from_m: float
    to_m: float
    weight: float
    from_hour: float = 0.0
    to_hour: float = 24.0
    line: str = ""

    def __post_init__(self) -> None:
        limits = {
            "from_m": (0, 1e8),
            "to_m": (0, 1e8),
            "weight": (0.01, 100),
            "from_hour": (0, 24),
            "to_hour": (0, 24),
        }
        store_figures(self, limits, "risk:", PlanError)
        if self.to_m <= self.from_m:
            raise PlanError(f"risk: to_m {self.to_m:g} is not beyond from_m {self.from_m:g}")
        if self.from_hour == self.to_hour:
            raise PlanError(f"risk: from_hour and to_hour are both {self.to_hour:g}: give 0 and 24 for the whole day")
        if (self.from_hour, self.to_hour) == (24, 0):
            raise PlanError("risk: from_hour 24 and to_hour 0 are one moment: give 0 and 24 for the whole day")

    def holds(self, hour: float) -> bool:
        """Whether the row holds at an hour of the day."""
        hour %= 24
        if self.from_hour < self.to_hour:
            return self.from_hour <= hour < self.to_hour
        return hour >= self.from_hour or hour < self.to_hour


@dataclass(frozen=True, slots=True)
class RiskTable:
    """Rows of risk; where several hold the greatest counts, where none does 1.

    Parameters
    ----------
    rows
        The rows.
    zone
        Time zone that their hours are told in: an IANA name as Europe/Zurich, or an offset as +02:00. Empty for that of
        the start of the shift.
    """

    rows: tuple[Risk, ...] = ()
    zone: str = ""

    def __post_init__(self) -> None:
        if self.zone:
            zone_of(self.zone, "risk: zone")

    def weights(self, from_m: ArrayLike, to_m: ArrayLike, hour: float) -> Floats:
        """Weight of pieces of the border, from and to in metres along it, shape (n,), at an hour of the day."""
        low, high = np.minimum(from_m, to_m), np.maximum(from_m, to_m)
        rows = [row for row in self.rows if row.holds(hour)]
        out = np.full(np.shape(low), -np.inf)
        for row in rows:
            out = np.where((high > row.from_m) & (low < row.to_m), np.maximum(out, row.weight), out)
        return np.where(np.isfinite(out), out, 1.0)

    def of_line(self, name: str, *, border: bool) -> RiskTable:
        """The rows for one line; `border` where rows that name no line are for it as well."""
        return RiskTable(tuple(row for row in self.rows if row.line == name or (border and not row.line)))

    @property
    def hours(self) -> tuple[float, ...]:
        """Hours of the day, 0 to 24, at which some row begins or ceases to hold."""
        bounds = [(row.from_hour, row.to_hour) for row in self.rows]
        return tuple(sorted({hour % 24 for both in bounds if both != (0, 24) for hour in both}))

    def changes(self, clock: ShiftClock, shift_s: float) -> list[float]:
        """Seconds after the start of a shift at which some row begins or ceases to hold, rising, without 0."""
        return clock.moments(self.hours, shift_s) if self.hours else []


def risk_of_crossings(
    border: BorderSegment, crossings: Iterable[tuple[float, float, float]], *, cell_m: float = 2000.0, most: float = 4.0
) -> RiskTable:
    """Risk from past crossings.

    Parameters
    ----------
    border
        The border.
    crossings
        Latitude, longitude, degrees, and hour of the day of each.
    cell_m
        Length of the stretches that are counted, metres.
    most
        Weight of the stretch and quarter of the day with most crossings.

    Returns
    -------
    RiskTable
        For every stretch and quarter of the day with more crossings than the average of all: the square root of the
        ratio to that average, so that a place seen twice as often is not visited twice as often, at most `most`.
    """
    (rows,) = risk_by_border([(border, crossings)], cell_m=cell_m, most=most)
    return RiskTable(rows)


def risk_by_border(
    crossed: Sequence[tuple[BorderSegment, Iterable[tuple[float, float, float]]]],
    *,
    cell_m: float = 2000.0,
    most: float = 4.0,
) -> list[tuple[Risk, ...]]:
    """The rows of `risk_of_crossings` for each of several borders, with the average of them all as what is usual.

    Raises
    ------
    PlanError
        When a crossing is not finite.
    """
    histograms = [_counted(border, crossings, cell_m) for border, crossings in crossed]
    usual = np.concatenate([counts.ravel() for counts, _ in histograms]).mean()
    out: list[tuple[Risk, ...]] = []
    for counts, length_m in histograms:
        rows = []
        for cell, quarter in np.argwhere(counts > usual):
            weight = min(most, math.sqrt(counts[cell, quarter] / usual))
            begin = float(cell * length_m / len(counts))
            rows.append(Risk(begin, begin + length_m / len(counts), weight, 6.0 * quarter, 6.0 * quarter + 6))
        out.append(tuple(rows))
    return out


def _counted(
    border: BorderSegment, crossings: Iterable[tuple[float, float, float]], cell_m: float
) -> tuple[Floats, float]:
    """Crossings by stretches of a border and quarters of the day, shape (n, 4), and its length, metres."""
    points = np.array(list(crossings), dtype=float).reshape(-1, 3)
    if not np.isfinite(points).all():
        raise PlanError("risk: a crossing is not finite: give latitude, longitude and hour")
    frame = LocalFrame(*border.centre())
    line = border.local_line(frame)
    length_m = float(np.hypot(*np.diff(line, axis=0).T).sum())
    cells = max(1, math.ceil(length_m / cell_m))
    if not len(points):
        return np.zeros((cells, 4)), length_m
    east, north, _ = frame.to_enu(points[:, 0], points[:, 1])
    along = locate(line, np.stack([east, north], axis=-1)).along_m
    # What passed an end of the border counts where it ends.
    along = np.clip(along, 0.0, length_m)
    counts, _, _ = np.histogram2d(along, points[:, 2] % 24, bins=(cells, 4), range=((0, length_m), (0, 24)))
    return counts, length_m


def risk_apart(risk: RiskTable, border: BorderSegment) -> RiskTable:
    """The risk along a border as that along the pieces that it is taken apart into; as it is where it is one piece.

    A row beyond the end of the border is one of the first piece, beyond its end too: the planner says so.
    """
    if not risk.rows:
        return risk
    pieces = taken_apart(border)
    if pieces[0].line is border:
        return risk
    rows: list[Risk] = []
    beyond: list[Risk] = []
    for row in risk.rows:
        if row.line not in {"", border.name}:
            rows.append(row)
            continue
        if row.from_m >= max(float(piece.edges_m.max()) for piece in pieces):
            beyond.append(replace(row, line=pieces[0].line.name))
            continue
        for piece in pieces:
            low, high = piece.edges_m.min(axis=1), piece.edges_m.max(axis=1)
            ends = np.concatenate([[0.0], np.cumsum(high - low)])
            first, last = np.maximum(low, row.from_m), np.minimum(high, row.to_m)
            for k in np.flatnonzero(last > first).tolist():
                turned = piece.edges_m[k, 0] > piece.edges_m[k, 1]
                off = high[k] - last[k] if turned else first[k] - low[k]
                begin = float(ends[k] + off)
                rows.append(replace(row, from_m=begin, to_m=begin + float(last[k] - first[k]), line=piece.line.name))
    return replace(risk, rows=(*_joined(rows), *beyond))


def _joined(rows: list[Risk]) -> tuple[Risk, ...]:
    """Rows that follow each other along one line as one."""
    out: list[Risk] = []
    for row in rows:
        before = out[-1] if out else None
        goes_on = before is not None and abs(before.to_m - row.from_m) < _ROUNDING_M
        if before is not None and goes_on and replace(before, from_m=row.from_m, to_m=row.to_m) == row:
            out[-1] = replace(before, to_m=row.to_m)
        else:
            out.append(row)
    return tuple(out)
