"""What a planner is given, looked at before it plans: its bases, and the heights of the airspace."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import shapely

from missions.airspace import ZoneKind
from missions.airspace_heights import ceiling_within, over_ground
from missions.errors import PlanError
from missions.figures import length_told
from missions.flying import PROFILE_TOLERANCE_M, spare_m

if TYPE_CHECKING:
    from missions.setting import Setting

__all__ = ["check_bases", "heed"]

_ELSEWHERE_M = 2e6
"""No base is so far from its border: its latitude and longitude have changed places."""


def heed(setting: Setting, *, known_ground: bool) -> None:
    """Bring zones over the ground, and transits under the ceilings that the patrol keeps anyway."""
    places = [(b.lat_deg, b.lon_deg) for b in dict.fromkeys(v.base for v in setting.fleet.vehicles)]
    places += [(lat, lon) for border in setting.task.borders for lon, lat in border.coordinates]
    if known_ground:
        setting.airspace, notes = over_ground(setting.airspace, setting.terrain, places)
        setting.heeded += notes
    # Between waypoints a leg may stray from its height above real ground, but not above a ceiling that leaves it room.
    stray = PROFILE_TOLERANCE_M if np.isfinite(setting.terrain.resolution_m) else 0.0
    heights = [look.height_agl_m for look in setting.looks.values()]
    patrol = setting.lowest_agl_m - stray, max(heights) + spare_m(setting.terrain)
    ceiling, zones = ceiling_within(setting.airspace, places, patrol, setting.options.ceiling_agl_m)
    if zones:
        lower = min(setting.options.patrol_ceiling_agl_m, ceiling)
        setting.options = replace(setting.options, ceiling_agl_m=ceiling, patrol_ceiling_agl_m=lower)
        names = ", ".join(map(repr, zones))
        setting.heeded.append(f"every flight stays below {ceiling:.0f} m above ground, within {names}")


def check_bases(setting: Setting) -> None:
    """Refuse a base that is elsewhere, on the far side, too near to the border, in or under a zone, or in a void."""
    bases = list(dict.fromkeys(v.base for v in setting.fleet.vehicles))
    contested = setting.around.contested
    for base in bases:
        if contested.holds(base.lat_deg, base.lon_deg):
            raise PlanError(
                f"border {setting.task.name!r} crosses itself at {contested.told} (latitude and longitude, degrees), "
                "or lines of it cross each other: there left and right change places, so "
                f"that base {base.name!r} lies on the own side of one stretch "
                "and on the far side of another: draw the line so that it does not"
            )
        away_m = setting.around.distance_m(base.lat_deg, base.lon_deg)
        if away_m > _ELSEWHERE_M:
            raise PlanError(
                f"base {base.name!r} lies {away_m / 1000:.0f} km from what is patrolled, at {base.lat_deg:g}, "
                f"{base.lon_deg:g}: give latitude first, then longitude"
            )
        if np.isnan(setting.terrain.known_elevation_m(base.lat_deg, base.lon_deg)):
            lack = setting.terrain.lack(base.lat_deg, base.lon_deg)
            raise PlanError(f"base {base.name!r} stands on ground that is not known: {lack}; or move the base")
        if not setting.around.own_side(base.lat_deg, base.lon_deg):
            raise PlanError(
                f"base {base.name!r} lies on the far side of the border, {length_told(away_m)} from it: move it to the "
                f"side of {setting.border.own or 'the own country'}, or correct own_side"
            )
        region = setting.around.region(base.lat_deg, base.lon_deg, 20_000.0)
        here = shapely.points(0.0, 0.0)
        distance = min(
            (float(shapely.distance(shapely.linestrings(line), here)) for line in region.border), default=np.inf
        )
        stand_off, margin = setting.task.widest.stand_off_m, setting.clearance.margin_m + setting.options.fence_m
        if distance < stand_off + margin + 1:
            raise PlanError(
                f"base {base.name!r} is {distance:.0f} m from the border, the stand-off is {stand_off:.0f} m, and "
                f"{margin:.1f} m more are for what an aircraft may be off its way and for its fence: move it back"
            )
        inside = next((name for name, shape in region.zones if shapely.intersects(shape, here)), None)
        if inside is not None:
            raise PlanError(
                f"base {base.name!r} lies in {setting.airspace.told(inside)}, or within "
                f"{setting.options.zone_margin_m:.0f} m of it: move the base or correct the zone"
            )
        for zone in setting.airspace.zones:
            below = zone.kind is ZoneKind.LIMITS and zone.floor is not None
            if below and zone.contains(base.lat_deg, base.lon_deg):
                raise PlanError(
                    f"base {base.name!r} lies in zone {zone.name!r}, and would take off below its floor: move the "
                    "base or correct the zone"
                )
