"""What `vedette plan` says of a plan: its sorties, its schedule, its validation, and why it is as it is."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import fields
from itertools import pairwise
from typing import Any

from rich.markup import escape
from rich.table import Table

import missions

__all__ = [
    "changes_table",
    "flights_table",
    "intent_margins",
    "plan_options",
    "plan_table",
    "seen_table",
    "validation_table",
]

_SHOWN = 40
_TOLD = 6
"""Of so many take-offs in a row, most, each is told; of more the first, how far they are apart, and the last."""
_APART_S = 6.0
"""Take-offs that are as far apart to this are told so, seconds."""

_FIGURE = re.compile(r"\d+(?:\.\d+)?(?= m\b)")
"""A figure in metres in a reason: it differs from place to place."""


def _table(title: str, *headings: str) -> Table:
    """A table whose words, in the first column, and figures are whole in a terminal of any width."""
    table = Table(title=title)
    for number, heading in enumerate(headings):
        table.add_column(heading, justify="right" if number else "left", overflow="fold")
    return table


def plan_options(settings: Sequence[str], **given: Any) -> missions.PlanOptions:
    """The options of a plan: those of the command line, and any others as NAME=VALUE.

    Raises
    ------
    PlanError
        When a setting is no NAME=VALUE, is none that a plan has, or its value is not lawful.
    """
    names = [field.name for field in fields(missions.PlanOptions) if field.name not in given]
    return missions.PlanOptions(**given, **_numbers_set(settings, names))


def intent_margins(settings: Sequence[str]) -> missions.Margins:
    """The margins of operational intents, as NAME=VALUE; raises as `plan_options` does."""
    return missions.Margins(**_numbers_set(settings, [field.name for field in fields(missions.Margins)]))


def _numbers_set(settings: Sequence[str], names: Sequence[str]) -> dict[str, Any]:
    """What settings say, of which each has one of some names."""
    given: dict[str, Any] = {}
    for setting in settings:
        name, equals, text = setting.partition("=")
        if not equals or name not in names:
            raise missions.PlanError(f"--set {setting!r}: give NAME=VALUE, the name one of {', '.join(names)}")
        if name in given:
            raise missions.PlanError(f"--set {setting!r}: {name} is set twice: set it once")
        try:
            given[name] = float(text)
        except ValueError:
            raise missions.PlanError(f"--set {setting!r}: {text!r} is no number: give one") from None
    return given


def plan_table(made: missions.PatrolPlan) -> Table:
    """The sorties, and how often each is flown in the shift."""
    what = {missions.Objective.ONCE: "one coverage in", missions.Objective.REVISIT: "revisit"}.get(
        made.options.objective, f"revisit {made.revisit_s / 60:.1f} min, times risk"
    )
    table = _table(
        f"coverage {made.coverage.share:.1%}, {what} {made.figure_s / 60:.1f} min "
        f"({made.gap:.1%} above the bound of {made.revisit_bound_s / 60:.1f} min)",
        *("sortie", "duration min", "distance km", "patrol km", "flights"),
    )
    for number, sortie in enumerate(made.sorties[:_SHOWN]):
        patrol_km = sum(leg.distance_m for leg in sortie.patrol) / 1000
        cells = (sortie.duration_s / 60, sortie.distance_m / 1000, patrol_km)
        flights = sum(flight.sortie == number for flight in made.flights)
        table.add_row(escape(sortie.name), *(f"{cell:.1f}" for cell in cells), str(flights))
    if len(made.sorties) > _SHOWN:
        table.add_row(f"and {len(made.sorties) - _SHOWN} more, in plan.json")
    return table


def flights_table(made: missions.PatrolPlan) -> Table:
    """Who flies what when, from where, until when, and what is left: a row for an aircraft and one of its sorties."""
    title = f"who flies when: take-offs in minutes {_since(made)}, landings in minutes after each, reserve left"
    table = _table(title, "who", "flies", "from", "takes off at", "lands", "left")
    times: dict[tuple[int, int], list[float]] = {}
    for flight in made.flights:
        times.setdefault((flight.sysid, flight.sortie), []).append(flight.start_s)
    vehicles = {vehicle.sysid: vehicle for vehicle in made.fleet.vehicles}
    for (sysid, number), starts in sorted(times.items())[:_SHOWN]:
        vehicle, sortie = vehicles[sysid], made.sorties[number]
        names = (escape(name) for name in (vehicle.name, sortie.name, vehicle.base.name))
        off = "in the air" if sortie.airborne else _told(starts)
        table.add_row(*names, off, f"{sortie.duration_s / 60:.1f}", f"{sortie.reserve_left:.0%}")
    if len(times) > _SHOWN:
        table.add_row(f"and {len(times) - _SHOWN} more, in plan.json")
    return table


def _since(made: missions.PatrolPlan) -> str:
    """What the times of a plan count from: of a rest from when it was planned."""
    if made.rest:
        return "from now"
    return f"of the shift from {made.options.shift_start}" if made.options.shift_start else "of the shift"


def _told(starts_s: Sequence[float]) -> str:
    """Take-offs in minutes: each of a few, and of many in a row how far they are apart."""
    minutes = [f"{start / 60:.1f}" for start in starts_s]
    if len(minutes) <= _TOLD:
        return " ".join(minutes)
    apart = [b - a for a, b in pairwise(starts_s)]
    if max(apart) - min(apart) <= _APART_S:
        return f"{minutes[0]}, then every {sum(apart) / len(apart) / 60:.1f} until {minutes[-1]}"
    return f"{' '.join(minutes[: _TOLD - 1])} ... {minutes[-1]} ({len(minutes)} times)"


def seen_table(coverage: missions.Coverage) -> Table:
    """Which share of the band is seen at which GSD, and what is not seen, by reason, most first."""
    table = _table(f"what is seen of the band, every {coverage.step_m:.0f} m on the terrain", "what", "share")
    for step in coverage.by_gsd:
        table.add_row(f"at {step.gsd_m:.3f} m a pixel or finer", f"{step.share:.1%}")
    lost: dict[str, list[tuple[float, list[str]]]] = {}
    for gap in coverage.uncovered:
        kind = _FIGURE.sub("{}", gap.reason.replace("{", "{{").replace("}", "}}"))
        lost.setdefault(kind, []).append((gap.area_m2, _FIGURE.findall(gap.reason)))
    areas = {kind: sum(area for area, _ in gaps) for kind, gaps in lost.items()}
    for kind, gaps in sorted(lost.items(), key=lambda item: -areas[item[0]]):
        figures = (_range(texts) for texts in zip(*(texts for _, texts in gaps), strict=True))
        table.add_row(escape(f"not seen: {kind.format(*figures)}"), f"{areas[kind] / coverage.band_area_m2:.1%}")
    return table


def _range(figures: Sequence[str]) -> str:
    """The least of some figures and the greatest, as they are written."""
    low, high = min(figures, key=float), max(figures, key=float)
    return low if float(low) == float(high) else f"{low} to {high}"


def validation_table(report: missions.Validation) -> Table:
    """What was checked of the plan, and the figure nearest to breaking each rule."""
    headings = "rule", "checked", "nearest", "limit", "kept"
    table = _table("validation, by code that shares nothing with the planner", *headings)
    for rule in report.rules:
        worst, limit = (
            "" if value is None else f"{value:.2f} {rule.unit}".strip() for value in (rule.worst, rule.limit)
        )
        table.add_row(rule.name, str(rule.checked), worst, limit, "NO" if rule.broken else "yes")
    return table


def changes_table(made: missions.PatrolPlan, changes: tuple[missions.Change, ...]) -> Table:
    """What changes of the fleet would give."""
    figure = {missions.Objective.ONCE: "last landing min", missions.Objective.REVISIT: "revisit min"}.get(
        made.options.objective, "min times risk"
    )
    table = _table("what would help", "change", figure, "saves", "coverage")
    for change in changes:
        if change.revisit_s is None or change.coverage is None:
            # In the first column, which has the most room.
            why = f"{change.what}: {change.reason}" if change.reason else change.what
            table.add_row(escape(why), "no plan", "", "")
            continue
        saved = 1 - change.revisit_s / made.figure_s
        table.add_row(escape(change.what), f"{change.revisit_s / 60:.1f}", f"{saved:.0%}", f"{change.coverage:.1%}")
    return table
