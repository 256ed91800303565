"""The order in which a sortie patrols the runs of its block.

A block of a network's course is a piece of one walk past all of its lines, and passes from its first run to its last.
From the base another order may be shorter: it is the same problem in small, lines to be covered by a closed walk, now
with the base on it (`cover_lines`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from missions.access import Access
from missions.effort import effort
from missions.fleet import Aircraft
from missions.postman import cover_lines
from missions.sharing import Block
from missions.stretch import Team
from missions.wind import Wind

__all__ = ["ordered"]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

_MOST_RUNS = 40
_NO_TIME_S = 1e-3


@dataclass(frozen=True, slots=True)
class _Run:
    """A run of a block: its stations, and its place among those of the block."""

    start: int
    stop: int
    place: int


def ordered(
    block: Block, team: Team, access: Access, needed: Bools, *, aircraft: Aircraft, wind: Wind
) -> list[tuple[int, int]]:
    """Stretches, first and last station in the order of flight, that watch what a block does in the least time.

    Parameters
    ----------
    block
        The block, beginning and ending with what is watched.
    team, access
        What its sorties cost, and the ways between its places.
    needed
        Which pieces between stations are watched, shape (n - 1,).
    aircraft, wind
        What flies between the runs, and in what wind.

    Returns
    -------
    list
        One stretch over the whole block where its runs are few, or nothing better is found. What lies between two runs
        that follow each other as they do along the course is part of one stretch.
    """
    whole = [(block.stop, block.start) if block.backward else (block.start, block.stop)]
    edges = np.flatnonzero(np.diff(np.concatenate([[0], needed[block.start : block.stop].astype(int), [0]])))
    starts, stops = (edges[::2] + block.start).tolist(), (edges[1::2] + block.start).tolist()
    runs = [_Run(a, b, place) for place, (a, b) in enumerate(zip(starts, stops, strict=True))]
    if not 2 <= len(runs) <= _MOST_RUNS:
        return whole
    ends = [station for run in runs for station in (run.start, run.stop)]
    apart = _apart(ends, team, access, aircraft, wind)
    base = 2 * len(runs)
    lines = [(2 * run.place, 2 * run.place + 1) for run in runs]
    service = [
        (
            float(team.time_s[run.stop] - team.time_s[run.start]),
            float(team.back_time_s[run.stop] - team.back_time_s[run.start]),
        )
        for run in runs
    ]
    # The base is a line of no length, so that the walk passes it.
    where = np.vstack([np.array([access.place(station) for station in ends]), np.zeros((2, 2))])
    tour = cover_lines(where, [*lines, (base, base + 1)], [*service, (_NO_TIME_S, _NO_TIME_S)], apart)
    served = [(a, b) for a, b, serviced in tour.steps if serviced]
    home = next(k for k, (a, _) in enumerate(served) if a >= base)
    out: list[tuple[_Run, _Run, bool]] = []
    for a, b in served[home + 1 :] + served[:home]:
        run, forward = runs[a // 2], a < b
        if out and out[-1][2] == forward and run.place - out[-1][1].place == (1 if forward else -1):
            out[-1] = out[-1][0], run, forward
        else:
            out.append((run, run, forward))
    return [(a.start, b.stop) if forward else (a.stop, b.start) for a, b, forward in out]


def _apart(ends: list[int], team: Team, access: Access, aircraft: Aircraft, wind: Wind) -> Floats:
    """Seconds from each end of a run, and from the base twice, to each."""

    def cost(step: Floats) -> Floats:
        level = np.zeros(len(step))
        return effort(aircraft, step, level, speed_m_s=aircraft.cruise_m_s, wind=wind, patrol=False)[0]

    count = len(ends)
    apart = np.zeros((count + 2, count + 2))
    apart[:count, :count] = access.ways(ends, cost).cost
    for k in range(1, count - 1, 2):
        # Along the course itself.
        a, b = ends[k], ends[k + 1]
        apart[k, k + 1] = min(apart[k, k + 1], team.time_s[b] - team.time_s[a])
        apart[k + 1, k] = min(apart[k + 1, k], team.back_time_s[b] - team.back_time_s[a])
    apart[count:, :count] = team.out_s[ends]
    apart[:count, count:] = team.home_s[ends][:, None]
    return apart
