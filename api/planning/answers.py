"""What the routes of planning answer."""

from __future__ import annotations

from api.described import (
    NOTHING,
    PLACE,
    TEXT,
    answered,
    answered_page,
    closed,
    list_of,
    modelled,
    one_of,
    or_null,
    taken,
)
from api.planning.results import AdoptionOut, PlanningLine, PlanningOut
from api.planning.schemas import PlanningIn

__all__ = ["ADOPTED", "ASKED", "FILE", "FORGOTTEN", "GROUND", "MEDIA_TYPES", "PLANNING", "PLANNINGS", "SHAPES"]

MEDIA_TYPES = {
    ".plan": "application/json",
    ".waypoints": "text/plain; charset=utf-8",
    ".kml": "application/vnd.google-earth.kml+xml",
    ".kmz": "application/vnd.google-earth.kmz",
    ".csv": "text/csv; charset=utf-8",
    ".geojson": "application/geo+json",
    ".json": "application/json",
    ".txt": "text/plain; charset=utf-8",
    ".png": "image/png",
}
"""Of the files of a plan, by their ending."""

_METRES = {"type": "number"}

ADOPTED = answered(modelled(AdoptionOut))
ASKED = answered(modelled(PlanningLine), 202, **PLACE)
FILE = answered({}, media_types=tuple(dict.fromkeys(MEDIA_TYPES.values())), Content_Disposition="Its file name.")
FORGOTTEN = NOTHING
GROUND = answered(closed(ground_amsl_m=or_null(_METRES), resolution_m=or_null(_METRES)))
PLANNING = answered(modelled(PlanningOut, request=taken(PlanningIn)))
PLANNINGS = answered_page(modelled(PlanningLine))
SHAPES = answered(
    closed(
        type=one_of("FeatureCollection"),
        features=list_of(closed(type=one_of("Feature"), properties={"type": "object"}, geometry={"type": "object"})),
        notes=list_of(TEXT),
    ),
    media_types=("application/geo+json",),
)
