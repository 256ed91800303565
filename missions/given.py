"""What a planner is given, looked at before it plans: its bases, and the heights of the airspace."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import shapely

from missions.airspace import ZoneKind
from missions.airspace_heights import ceiling_within, over_ground
from missions.errors import PlanError
from missions.flying import PROFILE_TOLERANCE_M

if TYPE_CHECKING:
    from missions.planning import Planner

__all__ = ["check_bases", "heed"]


def heed(planner: Planner, *, known_ground: bool) -> None:
    """Bring zones over the ground, and transits under the ceilings that the patrol keeps anyway."""
    places = [(b.lat_deg, b.lon_deg) for b in dict.fromkeys(v.base for v in planner.fleet.vehicles)]
    places += [(lat, lon) for border in planner.task.borders for lon, lat in border.coordinates]
    if known_ground:
        planner.airspace, notes = over_ground(planner.airspace, planner.terrain, places)
        planner.heeded += notes
    # Between waypoints a leg may stray from its height above real ground.
    stray = PROFILE_TOLERANCE_M if np.isfinite(planner.terrain.resolution_m) else 0.0
    heights = [look.height_agl_m for look in planner.looks.values()]
    patrol = min(heights) - stray, max(heights) + stray
    ceiling, zones = ceiling_within(planner.airspace, places, patrol, planner.options.ceiling_agl_m)
    if zones:
        ceiling -= stray
        lower = min(planner.options.patrol_ceiling_agl_m, ceiling)
        planner.options = replace(planner.options, ceiling_agl_m=ceiling, patrol_ceiling_agl_m=lower)
        names = ", ".join(map(repr, zones))
        planner.heeded.append(f"every flight stays below {ceiling:.0f} m above ground, within {names}")


def check_bases(planner: Planner) -> None:
    """Refuse a base on the far side, too near to the border, in a zone, or under the floor of one."""
    bases = list(dict.fromkeys(v.base for v in planner.fleet.vehicles))
    for base in bases:
        if not planner.around.own_side(base.lat_deg, base.lon_deg):
            raise PlanError(
                f"base {base.name!r} lies on the far side of the border: move it to the side of "
                f"{planner.border.own or 'the own country'}, or correct own_side"
            )
        region = planner.around.region(base.lat_deg, base.lon_deg, 20_000.0)
        here = shapely.points(0.0, 0.0)
        distance = min(
            (float(shapely.distance(shapely.linestrings(line), here)) for line in region.border), default=np.inf
        )
        stand_off = planner.task.widest.stand_off_m
        if distance < stand_off + 1:
            raise PlanError(
                f"base {base.name!r} is {distance:.0f} m from the border, the stand-off is {stand_off:.0f} m: "
                "move it back"
            )
        inside = next((name for name, shape in region.zones if shapely.intersects(shape, here)), None)
        if inside is not None:
            raise PlanError(
                f"base {base.name!r} lies in no-fly zone {inside!r}, or within {planner.options.zone_margin_m:.0f} m "
                "of it: move the base or correct the zone"
            )
        for zone in planner.airspace.zones:
            below = zone.kind is ZoneKind.LIMITS and zone.floor is not None
            if below and zone.contains(base.lat_deg, base.lon_deg):
                raise PlanError(
                    f"base {base.name!r} lies in zone {zone.name!r}, and would take off below its floor: move the "
                    "base or correct the zone"
                )
