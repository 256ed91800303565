"""What a planner states of its plan: lower bounds, coverage, what the reader must know, and why there is no plan."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from geo import FlatTerrain, geodesic_distance_m
from missions.bound_sorties import Crew, sortie_bound
from missions.bound_stretches import Batteries, stretch_bound
from missions.coverage import Lost, cover
from missions.estimate import reach_m
from missions.fleet import Aircraft, Base
from missions.network_lines import band_of, joined_branches
from missions.options import Objective
from missions.patrol import Bound, Coverage, Sortie
from missions.watching import Watch

if TYPE_CHECKING:
    from missions.planning import Planner

__all__ = ["bounds_of", "coverage_of", "notes_of", "out_of_reach"]

_ROUNDING = 1 - 1e-4
"""What bounds are lowered by: lengths of legs in planes and on the ellipsoid differ by less."""


def bounds_of(planner: Planner, flown: NDArray[np.bool_]) -> tuple[Bound, ...]:
    """Lower bounds for plans that watch what this one watches."""
    once = planner.options.objective is Objective.ONCE
    lat, lon = planner.course.at(((planner.stations[:-1] + planner.stations[1:]) / 2)[flown])
    crews = [
        Crew(
            crew.aircraft,
            len(crew.vehicles),
            geodesic_distance_m(crew.base.lat_deg, crew.base.lon_deg, lat, lon),
            planner.looks[crew.aircraft, crew.camera].speed_m_s,
            planner.looks[crew.aircraft, crew.camera].height_agl_m,
        )
        for crew in planner.crews
    ]
    any_s = sortie_bound(crews, np.diff(planner.stations)[flown], wind=planner.options.wind, once=once)
    # Level ground: no climb that a real one would cost is counted.
    level = FlatTerrain()
    teams = [planner.team(crew, 1.0, level) for crew in planner.crews]
    pools = [
        Batteries(tuple(k for k, c in enumerate(planner.crews) if c.base == base), base.batteries, base.charge_s)
        for base in planner.access
        if base.batteries is not None
    ]
    one_s = stretch_bound(teams, flown, passable=planner.passable, batteries=pools, once=once)
    return (
        Bound("any sorties", any_s * _ROUNDING, "whatever its sorties"),
        Bound(
            "unbroken stretches",
            one_s * _ROUNDING,
            "whose sorties each watch one unbroken stretch, in the same layers of transit",
        ),
    )


def coverage_of(planner: Planner, sorties: Sequence[Sortie], unwatched: Sequence[tuple[float, float, str]]) -> Coverage:
    """What is seen of the band."""
    kinds = list(planner.looks)
    watches = []
    for sortie in sorties:
        craft, camera = kinds[sortie.observation]
        watches.append(
            Watch(
                sortie.patrol,
                [float((leg.look or sortie.look).sign) for leg in sortie.patrol],
                camera,
                planner.looks[craft, camera].gimbal_pitch_deg,
                min(planner.options.gsd_m or np.inf, camera.max_gsd_m),
            )
        )
    lost = [Lost(*planner.course.between(a, b), reason) for a, b, reason in unwatched]
    lost += [Lost(np.array(gap.lat_deg), np.array(gap.lon_deg), gap.reason) for gap in planner.course.gaps]
    network = planner.task.network
    lines = [band_of(border) for border in planner.task.borders]
    lines += [band_of(branch) for branch in (() if network is None else joined_branches(network))]
    return cover(lines, watches, lost, planner.terrain)


def notes_of(planner: Planner, reasons: Sequence[tuple[float, float, str]]) -> list[str]:
    """What the reader of the plan must know; `reasons` are stretches of the course that nobody watches, and why."""
    notes = [planner.border.note] if planner.border.note else []
    notes += planner.heeded
    notes += _risk_notes(planner)
    craft = list(dict.fromkeys(v.aircraft.kind for v in planner.fleet.vehicles))
    if planner.options.wind.speed_m_s > 0:
        wind = planner.options.wind
        notes.append(
            f"planned for wind of {wind.speed_m_s:g} m/s from {wind.from_deg:.0f} degrees: fly it in no stronger"
        )
    else:
        notes.append(f"planned for calm air with {', '.join(craft)}: the reserve has to carry the wind")
    lost = [(b - a, reason) for a, b, reason in reasons] + [(gap.length_m, gap.reason) for gap in planner.course.gaps]
    for what in dict.fromkeys(reason for _, reason in lost):
        length = sum(m for m, reason in lost if reason == what)
        size = f"{length / 1000:.1f} km" if length >= 1000 else f"{length:.0f} m"
        line = "lines" if planner.task.network else "flight line"
        notes.append(f"{size} of the {line} are not watched ({what}): listed as uncovered")
    shut = int((~planner.course.passable).sum())
    if shut:
        notes.append(f"{shut} gaps of the flight line have no lawful way round: no sortie passes them")
    return notes


def _risk_notes(planner: Planner) -> list[str]:
    changes = planner.risk.changes(planner.options.shift_hour, planner.options.shift_s)
    if planner.options.objective is not Objective.RISK or not changes:
        return []
    minutes = [round(60 * planner.options.shift_hour + s / 60) % 1440 for s in changes]
    times = ", ".join(f"{m // 60:02d}:{m % 60:02d}" for m in dict.fromkeys(minutes))
    note = f"the risk changes within the shift, at {times}: planned for its mean over the shift"
    return [f"{note}; where that is too coarse plan a shift from change to change"]


def out_of_reach(planner: Planner) -> str:
    """Why nothing can be patrolled."""
    base, access = min(planner.access.items(), key=lambda item: item[1].nearest_m)
    if access.nearest_m < reach_m(_craft_at(planner, base), planner.options) and not len(access.reached):
        return (
            f"from base {base.name!r} no lawful way leads to the flight line: every one comes within the "
            "stand-off or into a no-fly zone; move the base"
        )
    return (
        f"base {base.name!r} is out of reach: {access.nearest_m / 1000:.1f} km to the flight line and back leave "
        "no energy to patrol; move it nearer or take an aircraft with more endurance"
    )


def _craft_at(planner: Planner, base: Base) -> Aircraft:
    return max(
        (v.aircraft for v in planner.fleet.vehicles if v.base == base),
        key=lambda craft: reach_m(craft, planner.options),
    )
