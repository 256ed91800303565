"""The timetable of a picture: which aircraft is in the air when, and when its camera watches."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby, pairwise

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba

from missions.fleet import Vehicle
from missions.options import Objective
from missions.patrol import Flight
from missions.picture_sheet import INK, Sheet, titled
from missions.sortie import LegKind, Sortie

__all__ = ["draw_timetable"]

_MOST_ROWS, _MOST_FLIGHTS = 12, 24
"""Above either, flights have no words on them, and rows no names of their own."""

_ROOMY_ROWS = 6
"""Up to so many rows have room for two lines of words above the bars."""

_MOST_NAMES = 24
_PANEL_PT, _LETTER_PT = 400.0, 5.2
"""About how wide the panel is, and a letter on it, points."""


def draw_timetable(axes: Axes, sheet: Sheet) -> None:
    """The flights of the first two rounds, a row for each vehicle; minutes."""
    plan = sheet.plan
    # Two rounds show who relieves whom.
    shown = [f for f in plan.flights if f.start_s < 2 * plan.revisit_s]
    many = len(plan.fleet.vehicles) > _MOST_ROWS or len(shown) > _MOST_FLIGHTS
    rows = _rows(plan.fleet.vehicles) if many else plan.fleet.vehicles
    row_of = {vehicle.sysid: row for row, vehicle in enumerate(rows)}
    high = 0.8 if many else 0.46
    last_s = 0.0
    by_vehicle: dict[int, list[Flight]] = {}
    for flight in shown:
        by_vehicle.setdefault(flight.sysid, []).append(flight)
        last_s = max(last_s, flight.start_s + plan.sorties[flight.sortie].duration_s)
    for sysid, flights in by_vehicle.items():
        spans = [span for flight in flights for span in _spans(flight, plan.sorties[flight.sortie])]
        axes.broken_barh(
            [(start, length) for start, length, _ in spans],
            (row_of[sysid] - high / 2, high),
            facecolors=[to_rgba(sheet.colours[sysid], 1.0 if watches else 0.35) for _, _, watches in spans],
            linewidth=0,
        )
    if not many:
        _write(axes, sheet, by_vehicle, row_of, last_s)
    _name_rows(axes, rows)
    axes.set_ylim(len(rows) - 0.4, -0.6 if many else -0.8)
    axes.set_xlim(0, last_s / 60 * 1.01)
    axes.set_xlabel("minutes after the start; full colour: patrol, pale: transit", fontsize=9, color=INK)
    titled(axes, "Timetable" if plan.options.objective is Objective.ONCE else "Timetable of the first two rounds")
    axes.tick_params(labelsize=9, colors=INK, length=0)
    axes.grid(axis="x", color="#d9dee3", lw=0.8)
    axes.set_axisbelow(True)
    axes.spines[:].set_visible(False)


def _rows(vehicles: Sequence[Vehicle]) -> tuple[Vehicle, ...]:
    """Those of one base together, the bases in their order."""
    order = {base: n for n, base in enumerate(dict.fromkeys(v.base for v in vehicles))}
    return tuple(sorted(vehicles, key=lambda v: order[v.base]))


def _spans(flight: Flight, sortie: Sortie) -> list[tuple[float, float, bool]]:
    """Beginning and length of each part of a flight, minutes, and whether the camera watches on it."""
    spans, at = [], flight.start_s / 60
    for watches, legs in groupby(sortie.legs, key=lambda leg: leg.kind is LegKind.PATROL):
        length = sum(leg.duration_s for leg in legs) / 60
        spans.append((at, length, watches))
        at += length
    return spans


def _write(
    axes: Axes, sheet: Sheet, by_vehicle: dict[int, list[Flight]], row_of: dict[int, int], last_s: float
) -> None:
    """Distance and charge above every flight, where there is room for all of them."""
    roomy = len(row_of) <= _ROOMY_ROWS
    words = {
        number: (f"{s.distance_m / 1000:.0f} km", f"{s.reserve_left:.0%} left")
        for number, s in enumerate(sheet.plan.sorties)
    }
    sorties = sheet.plan.sorties
    wide = max(len(word) for pair in words.values() for word in pair) if roomy else max(map(_letters, words.values()))
    needed_s = wide * _LETTER_PT / _PANEL_PT * last_s
    for flights in by_vehicle.values():
        middles = sorted(f.start_s + sorties[f.sortie].duration_s / 2 for f in flights)
        if any(b - a < needed_s for a, b in pairwise(middles)):
            return
    for sysid, flights in by_vehicle.items():
        for flight in flights:
            axes.text(
                (flight.start_s + sorties[flight.sortie].duration_s / 2) / 60,
                row_of[sysid] - (0.36 if roomy else 0.28),
                ("\n" if roomy else ", ").join(words[flight.sortie]),
                ha="center",
                va="bottom",
                fontsize=8 if roomy else 7,
                color=INK,
            )


def _letters(words: tuple[str, str]) -> int:
    return len(", ".join(words))


def _name_rows(axes: Axes, rows: Sequence[Vehicle]) -> None:
    """Names of vehicles; of many the names of their bases, of many at one base every second, third or further."""
    places, names = [float(n) for n in range(len(rows))], [v.name for v in rows]
    groups = [[n for n, _ in group] for _, group in groupby(enumerate(rows), key=lambda row: row[1].base)]
    if len(rows) > _MOST_NAMES and len(groups) > 1:
        places = [float(np.mean(group)) for group in groups]
        names = [f"{rows[group[0]].base.name} ({len(group)} aircraft)" for group in groups]
        for group in groups[1:]:
            axes.axhline(group[0] - 0.5, color="#d9dee3", lw=0.6, zorder=0)
    every = -(-len(places) // _MOST_NAMES)
    axes.set_yticks(places[::every], names[::every])
