"""What the routes of records answer, and what a record is in the answers of others."""

from __future__ import annotations

from api.conditions import KNOWN
from api.described import COUNT, ETAG, ID, LINKS, OBJECT, answered, answered_file, closed, list_of, or_null, shared
from api.http import GEOJSON
from api.records.media import media_types

__all__ = ["EVIDENCE", "FEATURE", "ONE", "PAGE"]

FEATURE = shared(
    "Feature",
    closed(
        type={"const": "Feature"},
        id=ID,
        geometry=or_null({"type": "object", "required": ["type"]}),
        properties=OBJECT,
    ),
)
"""The schema of a record."""
_FEATURES = shared(
    "FeatureCollection",
    closed(type={"const": "FeatureCollection"}, numberReturned=COUNT, links=LINKS, features=list_of(FEATURE)),
)

EVIDENCE = answered_file({}, media_types=media_types(), **ETAG)
ONE = answered(FEATURE, media_types=(GEOJSON,), **ETAG) | KNOWN
PAGE = answered(_FEATURES, media_types=(GEOJSON,))
