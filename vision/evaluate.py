"""How good the crossings are: found against truth."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import linear_sum_assignment

from geo import geodesic_distance_m
from vision.errors import VisionError
from vision.records import Crossing, Direction, Status

__all__ = ["Gates", "Match", "Score", "TrueCrossing", "load_truth", "score"]


@dataclass(frozen=True, slots=True)
class TrueCrossing:
    """A crossing that did happen: microseconds UTC, degrees WGS 84 (None where the place does not count).

    `in_view` tells whether it could be seen: the object was in the picture then, and long enough before and after.
    `foot_px` and `height_px` are for a line in the picture: where its foot was, and how high its box, pixels.
    """

    time_us: int
    direction: Direction
    kind: str = "person"
    lat_deg: float | None = None
    lon_deg: float | None = None
    in_view: bool = True
    foot_px: tuple[float, float] | None = None
    height_px: float = 1.0


@dataclass(frozen=True, slots=True)
class Gates:
    """How far a found crossing may lie from a true one to be the same: seconds, metres, or heights of its box."""

    seconds: float = 4.0
    metres: float = 10.0
    heights: float = 1.0


@dataclass(frozen=True, slots=True)
class Match:
    """A true crossing and the found one: position in their lists, errors in seconds (found - true) and metres."""

    truth: int
    found: int
    seconds: float
    metres: float | None
    kind_agrees: bool


@dataclass(frozen=True, slots=True)
class Score:
    """Found against truth.

    Parameters
    ----------
    truth
        True crossings that were in view.
    found
        Of these, how many were found.
    missed
        Of these, how many were not.
    false
        Found crossings that did not happen. One that did happen but was not in view is neither found nor false.
    confirmed, confirmed_false
        Found crossings with the status "confirmed", and those of them that did not happen.
    kinds_right
        Found ones whose kind is the true one.
    matches
        All pairs.
    """

    truth: int
    found: int
    missed: int
    false: int
    confirmed: int
    confirmed_false: int
    kinds_right: int
    matches: tuple[Match, ...]

    @property
    def recall(self) -> float:
        """Share of the truth in view that was found; 1 where there is none."""
        return self.found / self.truth if self.truth else 1.0

    @property
    def precision(self) -> float:
        """Share of the reports that did happen; 1 where there are none."""
        reports = len(self.matches) + self.false
        return len(self.matches) / reports if reports else 1.0

    @property
    def time_error_s(self) -> float | None:
        """Median of the absolute errors of time, seconds."""
        return float(np.median([abs(m.seconds) for m in self.matches])) if self.matches else None

    @property
    def place_error_m(self) -> float | None:
        """Median error of place, metres."""
        metres = [m.metres for m in self.matches if m.metres is not None]
        return float(np.median(metres)) if metres else None

    def to_json(self) -> dict[str, Any]:
        """The figures, without the pairs."""
        return {
            "truth": self.truth,
            "found": self.found,
            "missed": self.missed,
            "false": self.false,
            "confirmed": self.confirmed,
            "confirmed_false": self.confirmed_false,
            "kinds_right": self.kinds_right,
            "recall": self.recall,
            "precision": self.precision,
            "time_error_s": self.time_error_s,
            "place_error_m": self.place_error_m,
        }


_Feet = Sequence[tuple[float, float] | None]


def score(
    crossings: Mapping[str, Sequence[Crossing]],
    truth: Mapping[str, Sequence[TrueCrossing]],
    gates: Gates | None = None,
    feet: Mapping[str, _Feet] | None = None,
) -> Score:
    """Match found crossings with true ones, one to one, recording by recording.

    Parameters
    ----------
    crossings, truth
        By name of the recording. A recording without truth counts as one where nothing happened.
    gates
        How far apart the two may be.
    feet
        Where in the picture each found crossing was, pixels, for a line in the picture; without it the place does not
        count there.

    Notes
    -----
    Pairs have one direction, and lie within the gates; the assignment first makes as many pairs with what was in view
    as it can, then as many with the rest, then keeps the sum of the errors small. A different kind is reported, not
    refused.
    """
    gates = gates or Gates()
    totals = np.zeros(6, dtype=int)
    matches: list[Match] = []
    for name in sorted({*crossings, *truth}):
        found, true = crossings.get(name, ()), truth.get(name, ())
        pairs = _pairs(found, true, gates, (feet or {}).get(name) or [None] * len(found))
        matches += pairs
        paired = {m.found for m in pairs}
        right = [m for m in pairs if true[m.truth].in_view]
        sure = [i for i, c in enumerate(found) if c.status is Status.CONFIRMED]
        totals += (
            sum(t.in_view for t in true),
            len(right),
            len(found) - len(pairs),
            len(sure),
            sum(i not in paired for i in sure),
            sum(m.kind_agrees for m in right),
        )
    in_view, hits, false, confirmed, confirmed_false, kinds = (int(v) for v in totals)
    return Score(in_view, hits, in_view - hits, false, confirmed, confirmed_false, kinds, tuple(matches))


def load_truth(path: Path) -> tuple[TrueCrossing, ...]:
    """Read the crossings of a ``.truth.json``.

    Raises
    ------
    VisionError
        When it cannot be read or lacks a member; the message names file and member.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        return tuple(_true(c) for c in document["crossings"])
    except OSError as error:
        raise VisionError(f"{path}: cannot be read: {error.strerror}") from error
    except (KeyError, TypeError, ValueError) as error:
        raise VisionError(f"{path}: not a truth file: {error!r}: write it again with the simulator") from error


def _true(record: Mapping[str, Any]) -> TrueCrossing:
    return TrueCrossing(
        int(record["time_us"]),
        Direction(record["direction"]),
        str(record["kind"]),
        float(record["lat"]),
        float(record["lon"]),
        bool(record["in_view"]),
    )


def _pairs(found: Sequence[Crossing], true: Sequence[TrueCrossing], gates: Gates, feet: _Feet) -> list[Match]:
    """The best one-to-one pairs within the gates."""
    never = 1e6
    cost = np.full((len(true), len(found)), never)
    metres = np.full((len(true), len(found)), np.nan)
    for i, j in np.ndindex(*cost.shape):
        t, f = true[i], found[j]
        seconds = abs(f.time_us - t.time_us) / 1e6
        if t.direction is not f.direction or seconds > gates.seconds:
            continue
        apart = _distance_m(t, f)
        if apart is not None and apart > gates.metres:
            continue
        if _heights(t, feet[j]) > gates.heights:
            continue
        metres[i, j] = np.nan if apart is None else apart
        # Below 3, so that a pair in view (0) always outweighs one out of view (10), and any pair outweighs none.
        place = apart / gates.metres if apart is not None else _heights(t, feet[j]) / gates.heights
        errors = seconds / gates.seconds + place + (t.kind != f.kind)
        cost[i, j] = errors / max(1, min(cost.shape)) + (0 if t.in_view else 10)
    rows, columns = linear_sum_assignment(cost)
    return [
        Match(
            i,
            j,
            (found[j].time_us - true[i].time_us) / 1e6,
            None if np.isnan(metres[i, j]) else float(metres[i, j]),
            true[i].kind == found[j].kind,
        )
        for i, j in zip(rows.tolist(), columns.tolist(), strict=True)
        if cost[i, j] < never
    ]


def _distance_m(true: TrueCrossing, found: Crossing) -> float | None:
    """Metres between both places; None where one has none."""
    if true.lat_deg is None or true.lon_deg is None or found.lat_deg is None or found.lon_deg is None:
        return None
    return float(geodesic_distance_m(true.lat_deg, true.lon_deg, found.lat_deg, found.lon_deg))


def _heights(true: TrueCrossing, foot: tuple[float, float] | None) -> float:
    """Box heights between both places in the picture; 0 where one has none."""
    if true.foot_px is None or foot is None:
        return 0.0
    return float(np.hypot(foot[0] - true.foot_px[0], foot[1] - true.foot_px[1])) / true.height_px
