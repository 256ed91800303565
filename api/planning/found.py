"""What is told of a plan: its figures, its map, its heights, its shift."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from typing import Any

import missions
from api.planning.orders import WORDS
from api.planning.results import PlanningFound
from geo import Terrain

__all__ = ["found_of"]

_LINE = "patrolled line"


def found_of(
    plan: missions.PatrolPlan,
    drawn: dict[str, Any],
    report: missions.Validation,
    *,
    why: missions.Explanation | None,
    notes: Sequence[str],
    terrain: Terrain | None,
) -> PlanningFound:
    """All that is told of a plan but its files.

    Parameters
    ----------
    plan
        The plan.
    drawn
        Its `missions.plan_geojson`.
    report, why
        Its validation, and its explanation where one was asked for.
    notes
        What its reader must know, beside its own notes.
    terrain
        The ground that it was planned on.
    """
    return PlanningFound.model_validate(
        {
            "summary": _summary(plan, notes),
            "explanation": None if why is None else _explanation(why),
            "validation": {"kept": not report.violations, "rules": [asdict(rule) for rule in report.rules]},
            "map": _map(plan, drawn["features"]),
            "profiles": [
                {"sortie": sortie.name, **asdict(missions.height_profile(sortie, terrain))} for sortie in plan.sorties
            ],
            "shift": _shift(plan),
        }
    )


def _summary(plan: missions.PatrolPlan, notes: Sequence[str]) -> dict[str, Any]:
    look, seen = plan.observation, plan.coverage
    return {
        "objective": WORDS[plan.options.objective],
        "figure_s": plan.figure_s,
        "revisit_s": plan.revisit_s,
        "risk_s": plan.risk_s,
        "bound_s": plan.revisit_bound_s,
        "gap": plan.gap,
        "bounds": [
            {
                "name": bound.name,
                "seconds": bound.seconds,
                "claim": f"no plan {bound.claim}",
                "gap": plan.gap_to(bound),
            }
            for bound in plan.bounds
        ],
        "coverage": seen.share,
        "seen": [asdict(each) for each in seen.by_gsd],
        "sorties": len(plan.sorties),
        "aircraft": len(plan.fleet.vehicles),
        "flights": len(plan.flights),
        "height_agl_m": look.height_agl_m,
        "floor_agl_m": plan.options.floor_agl_m,
        "ceiling_agl_m": plan.options.ceiling_agl_m,
        "lateral_m": look.lateral_m,
        "speed_m_s": look.speed_m_s,
        "notes": [*plan.notes, *notes],
    }


def _explanation(why: missions.Explanation) -> dict[str, Any]:
    changes = [
        {"what": each.what, "figure_s": each.revisit_s, "coverage": each.coverage, "reason": each.reason}
        for each in why.changes
    ]
    return {"limits": list(why.limits), "changes": changes}


def _map(plan: missions.PatrolPlan, drawn: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """The map: shapes as they are drawn for other programs, and what only pages show."""
    by_kind: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for each in drawn:
        by_kind[_kind_of(each)].append(each)
    flights = {sortie.name: 0 for sortie in plan.sorties}
    for flight in plan.flights:
        flights[plan.sorties[flight.sortie].name] += 1
    sorties = {sortie.name: _sortie(sortie, flights[sortie.name]) for sortie in plan.sorties}
    fences = [("fence", True), ("exclusion", False)]
    gaps = zip(by_kind["uncovered"], plan.coverage.uncovered, strict=True)
    return {
        "borders": [_again(each, lambda own: {"name": own["name"]}) for each in by_kind[_LINE]],
        "bands": [_again(each, lambda own: {"name": own["name"]}) for each in by_kind["band"]],
        "sorties": [_again(each, lambda own: sorties[own["name"]]) for each in by_kind["sortie"]],
        "fences": [
            _feature(each["geometry"], sortie=each["properties"]["name"].removeprefix(f"{kind} of "), inside=inside)
            for kind, inside in fences
            for each in by_kind[kind]
        ],
        "footprints": [
            _feature(shape, sortie=sortie.name)
            for sortie, shapes in zip(plan.sorties, missions.footprints(plan), strict=True)
            for shape in shapes
        ],
        "revisit": [
            _feature(each.shape(), from_m=each.from_m, to_m=each.to_m, revisit_s=each.revisit_s)
            for each in missions.revisit_along(plan)
        ],
        "gaps": [
            _feature(
                each["geometry"],
                **{name: getattr(gap, name) for name in ("line", "from_m", "to_m", "area_m2", "reason")},
            )
            for each, gap in gaps
        ],
        "landing_sites": [
            _again(each, lambda own: {"name": own["name"], "radius_m": own["radius_m"]})
            for each in by_kind["landing_site"]
        ],
    }


def _kind_of(feature: dict[str, Any]) -> str:
    """Of a drawn feature: `_LINE` of a border or branch. A fence on the ground is a line, one in the air an area."""
    kind = feature["properties"].get("kind", missions.LineKind.BORDER)
    is_line = kind in set(missions.LineKind) and not feature["geometry"]["type"].endswith("Polygon")
    return _LINE if is_line else str(kind)


def _sortie(sortie: missions.Sortie, flights: int) -> dict[str, Any]:
    return {
        "name": sortie.name,
        "vehicle": sortie.vehicle.name,
        "base": sortie.vehicle.base.name,
        "start_s": sortie.start_s,
        "duration_s": sortie.duration_s,
        "distance_m": sortie.distance_m,
        "patrol_m": sum(leg.distance_m for leg in sortie.patrol),
        "energy_wh": sortie.energy_wh,
        "reserve_left": sortie.reserve_left,
        "flights": flights,
    }


def _shift(plan: missions.PatrolPlan) -> dict[str, Any]:
    vehicles = {vehicle.sysid: vehicle for vehicle in plan.fleet.vehicles}
    flights = []
    for flight in plan.flights:
        sortie, vehicle = plan.sorties[flight.sortie], vehicles[flight.sysid]
        flights.append(
            {
                "start_s": flight.start_s,
                "end_s": flight.start_s + sortie.duration_s,
                "sortie": sortie.name,
                "vehicle": vehicle.name,
                "base": vehicle.base.name,
                "round": flight.round,
                "reserve_left": sortie.reserve_left,
            }
        )
    return {"start": plan.options.shift_start or None, "length_s": plan.options.shift_s, "flights": flights}


def _again(feature: dict[str, Any], told: Callable[[dict[str, Any]], dict[str, Any]]) -> dict[str, Any]:
    """The same shape, with other properties."""
    return _feature(feature["geometry"], **told(feature["properties"]))


def _feature(geometry: dict[str, Any], **properties: Any) -> dict[str, Any]:
    return {"geometry": geometry, "properties": properties}
