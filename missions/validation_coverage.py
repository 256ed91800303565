"""Validation of what a plan says that its cameras see: places of the band drawn evenly, looked for from every leg.

The planner measures cells square across its views. Here a place counts as seen where any leg of a patrol that looks to
its side has it in a picture at the GSD that counts, in whichever direction and whatever stands between: more than is
seen, never less. A plan that says more than that is wrong; a ridge that it forgot is not found here.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from geo import Terrain
from missions.patrol import PatrolPlan
from missions.sortie import LegKind, Sortie
from missions.validation_band import places_of_band
from missions.validation_lines import About
from missions.validation_rule import Rule, finite

__all__ = ["coverage"]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

_PLACES = 2000
_M_PER_DEG = 111_132.0
_ROOM, _ROUGH_ROOM = 0.03, 0.08
"""By how much a share of so many places may be below that of the ground that they stand for; on terrain patches that
are seen, or are not, lie together.
"""

_MOMENTS = (0.0, -1.0, -0.5, 0.5, 1.0)
"""When a place is looked for on a climb: abeam, and so many half widths of the view before and after it."""

_LEVEL_M = 1.0
_EDGE_PX = 1.0
_FINE = 1e-3
_AREA_M2 = 1.0


def coverage(plan: PatrolPlan, terrain: Terrain | None) -> Rule:
    """The share of the band that is said to be seen, and the list of what is not.

    A plan that resumes another speaks of the whole round, most of which is in that one: of that only the sums are
    checked, and so it is without terrain where the ground is not level. A flight to a single place sees nothing of it.
    """
    said = plan.coverage
    found: list[str] = []
    missing_m2 = said.band_area_m2 - said.seen_area_m2
    listed_m2 = sum(gap.area_m2 for gap in said.uncovered)
    if abs(missing_m2 - listed_m2) > _AREA_M2 + _FINE * said.band_area_m2:
        found.append(f"says {said.share:.1%} of the band are seen, and lists {listed_m2:.0f} m² that are not")
    if said.by_gsd and abs(said.by_gsd[-1].share - said.share) > _FINE:
        found.append(f"says {said.share:.1%} of the band are seen, {said.by_gsd[-1].share:.1%} at the coarsest GSD")
    if not plan.rest and not any(sortie.runs for sortie in plan.sorties) and said.seen_area_m2 > 0:
        found.append(f"says {said.share:.1%} of the band are seen, and none of its sorties patrols")
    room, count = np.inf, 0
    if _whole(plan) and (terrain is not None or _is_level(plan)):
        places = places_of_band([*plan.borders, *plan.branches], _PLACES)
        seen = np.zeros(len(places), dtype=bool)
        for sortie in plan.sorties:
            _look(plan, sortie, places, seen, terrain)
        count = len(places)
        # Of fewer places more is chance.
        spare = (_ROOM if terrain is None else _ROUGH_ROOM) * max(1.0, math.sqrt(_PLACES / count))
        room = float(seen.mean()) + spare - said.share
        if room < 0:
            found.append(f"says {said.share:.1%} of the band are seen, its patrols show {seen.mean():.1%} at most")
    return Rule("share of the band that is seen", count, finite(room), 0.0, "share", tuple(found))


def _whole(plan: PatrolPlan) -> bool:
    return not plan.rest and all(sortie.runs for sortie in plan.sorties)


def _is_level(plan: PatrolPlan) -> bool:
    ground = [p.ground_amsl_m for sortie in plan.sorties for leg in sortie.patrol for p in (leg.start, leg.end)]
    return not ground or max(ground) - min(ground) <= _LEVEL_M


def _look(plan: PatrolPlan, sortie: Sortie, places: Floats, seen: Bools, terrain: Terrain | None) -> None:
    """Mark what the patrol of a sortie shows of some places, latitude and longitude, shape (n, 2)."""
    numbers = [
        k
        for k, leg in enumerate(sortie.legs)
        if leg.kind is LegKind.PATROL and leg.look is not None and leg.distance_m > 0
    ]
    if not numbers:
        return
    legs = [sortie.legs[k] for k in numbers]
    about = About(sortie)
    camera, look = plan.fleet.camera_of(sortie.vehicle), plan.observation_of(sortie)
    limit_m = min(plan.options.gsd_m or np.inf, camera.max_gsd_m)
    reach = limit_m * camera.model.focal_px * 2 / _M_PER_DEG
    lon = about.low[0] + (places[:, 1] - about.low[0] + 180.0) % 360.0 - 180.0
    lon = np.where(lon > about.high[0] + 180.0, lon - 360.0, lon)
    wide = reach / np.cos(np.radians(np.clip(places[:, 0], -89.0, 89.0)))
    inside = (places[:, 0] > about.low[1] - reach) & (places[:, 0] < about.high[1] + reach)
    inside &= (lon > about.low[0] - wide) & (lon < about.high[0] + wide) & ~seen
    own = np.flatnonzero(inside)
    if not len(own):
        return
    at = about.xy(places[own, 0], places[own, 1])
    start, stop = about.starts[numbers], about.stops[numbers]
    step, off = stop - start, at[:, None] - start
    share = np.clip((off * step).sum(axis=-1) / np.maximum((step**2).sum(axis=-1), 1e-9), 0.0, 1.0)
    across = np.hypot(*np.moveaxis(off - share[..., None] * step, -1, 0))
    signs = np.array([leg.look.sign for leg in legs if leg.look is not None])
    half, axis = (camera.model.height_px / 2 + _EDGE_PX) / camera.model.focal_px, np.radians(-look.gimbal_pitch_deg)
    deepest = limit_m * camera.model.focal_px * (1 + _FINE)
    facing = signs * (step[:, 0] * off[..., 1] - step[:, 1] * off[..., 0]) > 0
    # Of ground that no view reaches nobody need know the height.
    place, leg = np.nonzero(facing & (across <= deepest * (np.cos(axis) + half * abs(np.sin(axis)))))
    if not len(place):
        return
    amsl, below = (
        np.array([[getattr(p, name) for p in (one.start, one.end)] for one in legs])
        for name in ("amsl_m", "ground_amsl_m")
    )
    share, across, length = share[place, leg], across[place, leg], np.hypot(*step.T)[leg]
    if terrain is None:
        ground = below[leg, 0] + share * (below[leg, 1] - below[leg, 0])
    else:
        near, back = np.unique(place, return_inverse=True)
        ground = np.asarray(terrain.known_elevation_m(places[own[near], 0], places[own[near], 1]))[back]
    aside = (camera.model.width_px / 2 + _EDGE_PX) / camera.model.focal_px
    moved = np.zeros_like(share)
    for moment in _MOMENTS:
        then = np.clip(share + moment * moved, 0.0, 1.0)
        height = amsl[leg, 0] + then * (amsl[leg, 1] - amsl[leg, 0]) - ground
        angle = np.arctan2(height, across) - axis
        depth = np.hypot(height, across) * np.cos(angle)
        seen[own[place[(depth > 0) & (depth <= deepest) & (np.abs(np.tan(angle)) <= half)]]] = True
        if moment == 0.0:
            moved = np.asarray(aside * np.maximum(depth, 0.0) / length)
