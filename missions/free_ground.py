"""The ground beside a sortie over which a way may lead: clear of the border by stand-off and margin, outside zones."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import Geometry, LineString, MultiLineString, MultiPoint

from missions.errors import MissionError
from missions.patrol import PatrolPlan
from missions.plane import Plane
from missions.sortie import Sortie
from missions.surroundings import Surroundings

__all__ = ["FreeGround"]

Floats = NDArray[np.float64]

_ROUNDING_M = 0.02
"""Coordinates are written to seven decimals: new ground keeps this more than it must, metres."""
_SLACK_M = 0.05
"""What the validation of a plan lets a leg come nearer, metres."""


class FreeGround:
    """Border and zones beside a sortie, in a plane of their own."""

    def __init__(self, plan: PatrolPlan, sortie: Sortie) -> None:
        self._keep_off_m = plan.keep_off_m
        start = sortie.legs[0].start
        rough = Plane.at(start.lat_deg, start.lon_deg)
        xy = rough.xy([leg.end.lat_deg for leg in sortie.legs], [leg.end.lon_deg for leg in sortie.legs])
        low, high = xy.min(axis=0), xy.max(axis=0)
        lat, lon = rough.lat_lon((low + high) / 2)
        around = Surroundings(
            plan.borders, plan.airspace, plan.blocking_zones(), plan.options.zone_margin_m / 2, plan.clearance
        )
        region = around.region(float(lat), float(lon), float(np.hypot(*(high - low))) / 2 + 10 * self._keep_off_m)
        self.plane = region.plane
        self._border = MultiLineString([run.tolist() for run in region.border])
        self._shut: list[Geometry] = [LineString(run) for run in region.wall]
        self._shut += [region.beyond, *(shape for _, shape in region.zones)]
        for shape in (self._border, *self._shut):
            shapely.prepare(shape)

    def is_free(self, ground: Geometry, more_m: float = _ROUNDING_M) -> bool:
        """Whether ground keeps stand-off and margin, and so much more, and meets no zone and no border that runs on."""
        near = shapely.dwithin(ground, self._border, self._keep_off_m + more_m)
        return not near and not any(shapely.intersects(shape, ground) for shape in self._shut)

    def keeps_clear(self, xy: Floats, name: str) -> None:
        """Refuse a way that does not, as the plan itself had to."""
        for number, piece in enumerate(pairwise(xy)):
            if not self.is_free(LineString(np.array(piece)), -_SLACK_M):
                raise MissionError(
                    f"{name}: the way from waypoint {number} to the next comes nearer to the border than "
                    f"{self._keep_off_m:.1f} m, stand-off and margin, or into a zone: plan again, and check the plan "
                    "with validate()"
                )

    def straight_home(self, xy: Floats) -> bool:
        """Whether all straight ways from a way to its first point are free."""
        return all(self.is_free(MultiPoint([xy[0], a, b]).convex_hull, -_SLACK_M) for a, b in pairwise(xy))
