"""The area of an agreement or a subscription as a shape, and whether anything can be held to it."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Annotated

import numpy as np
import shapely
import shapely.geometry
from pydantic import Field
from shapely.geometry.base import BaseGeometry

from api.wire import MultiPolygon, Polygon

__all__ = ["Area", "Bounded"]

Area = Annotated[Polygon | MultiPolygon, Field(discriminator="type")]
_HALF_WAY_DEG = 180.0


class Bounded:
    """What has an `area`; made a shape and looked at once: thousands of records are held against it."""

    if TYPE_CHECKING:
        area: Area | None

    @cached_property
    def bounds(self) -> BaseGeometry | None:
        """The area in degrees (x = lon, y = lat); None where it is everywhere."""
        if self.area is None:
            return None
        made = shapely.geometry.shape(self.area.model_dump())
        shapely.prepare(made)
        return made

    @cached_property
    def area_problem(self) -> str | None:
        """Why nothing can be held to the area, for people; None where it can be.

        An edge that goes more than half way round the world is taken for one across the antimeridian that was not cut
        there: read as it stands, its ring would hold the other side of the world. So is one all the way round, which
        may run along the antimeridian from 180 to -180 degrees.
        """
        area = self.bounds
        if area is None:
            return None
        if not area.is_valid or area.area == 0:
            return "the area crosses itself or has no surface: give simple closed rings"
        lons = [shapely.get_coordinates(ring)[:, 0] for ring in shapely.get_rings(shapely.get_parts(area))]
        if any((np.abs(np.diff(each)) > _HALF_WAY_DEG).any() for each in lons):
            return (
                "an edge of the area goes more than half way round the world: cut the area at the antimeridian into a "
                "MultiPolygon (RFC 7946, 3.1.9), or give the edge a point between"
            )
        return None
