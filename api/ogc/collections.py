"""The collections: each type of record, what may be asked of it, and the columns of its tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from api.records.dialect import Dialect
from api.records.filters import Queryable
from api.records.operands import ValueType
from api.records.types import RecordType

__all__ = ["CRS84", "Property", "csv_columns", "properties_of", "queryables_of", "schema_of"]

CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"


@dataclass(frozen=True, slots=True)
class Property:
    """What may be asked of a record by one name.

    Parameters
    ----------
    name, type, title
        For people and filters.
    column
        Of `Readable.rows`; None where it is read from the properties of the Feature, which hold what the reader may see
        and nothing else.
    """

    name: str
    type: ValueType
    title: str
    column: str | None = None


_COMMON = (
    Property("time", ValueType.MOMENT, "When it happened", "time_us"),
    Property("source", ValueType.TEXT, "Who reported it", "source"),
    Property("kind", ValueType.TEXT, "What it is", "kind"),
    Property("status", ValueType.TEXT, "Its state", "status"),
    Property("review", ValueType.TEXT, "What a person made of it: pending, confirmed or dismissed", "review"),
)
_NAME = Property("name", ValueType.TEXT, "What it is called")
_CUSTODY = (
    Property("owner", ValueType.TEXT, "Whose it is"),
    Property("purpose", ValueType.TEXT, "What it may be used for"),
    Property("marking", ValueType.TEXT, "To whom it may be released"),
)
_CONFIDENCE = Property("confidence", ValueType.NUMBER, "How sure the detector is, 0 to 1")
_MORE: dict[str, tuple[Property, ...]] = {
    "crossing": (
        Property("direction", ValueType.TEXT, "inbound or outbound"),
        Property("method", ValueType.TEXT, "How it was decided"),
        Property("border", ValueType.TEXT, "Which border"),
        _CONFIDENCE,
        *_CUSTODY,
    ),
    "cue": (_CONFIDENCE,),
    "segment": (_NAME, Property("authority", ValueType.TEXT, "Who watches it"), *_CUSTODY),
    "sortie": (Property("vehicle", ValueType.TEXT, "Which vehicle flies it"), *_CUSTODY),
    "vehicle": (_NAME, Property("speed_m_s", ValueType.NUMBER, "Its speed, metres a second"), *_CUSTODY),
}
_PLACE = ("west", "south", "east", "north", "feature")
_CSV_TIME = {"cue": "phenomenonTime"}
_CSV_MORE: dict[str, tuple[str, ...]] = {
    "crossing": (
        "ellipse.semi_major_m",
        "ellipse.semi_minor_m",
        "ellipse.orientation_deg",
        "retention_days",
        "source_id",
        "revision",
    ),
    "cue": ("sensor", "uncertainty_m", "parameters.azimuth_deg", "custody.owner", "custody.purpose", "custody.marking"),
}
_JSON_TYPES: Mapping[ValueType, dict[str, Any]] = {
    ValueType.TEXT: {"type": "string"},
    ValueType.NUMBER: {"type": "number"},
    ValueType.MOMENT: {"type": "string", "format": "date-time"},
}


def properties_of(type_: RecordType) -> tuple[Property, ...]:
    """What may be asked of records of a type, besides their place."""
    return (*_COMMON, *_MORE.get(type_.name, (_NAME, *_CUSTODY)))


def queryables_of(type_: RecordType, columns: Any, dialect: Dialect) -> dict[str, Queryable]:
    """The queryables over the columns of `Readable.rows`."""
    found = {"geometry": Queryable(ValueType.PLACE, tuple(columns[name] for name in _PLACE))}
    for one in properties_of(type_):
        if one.column is not None:
            column = columns[one.column]
        else:
            spell = dialect.number if one.type is ValueType.NUMBER else dialect.text
            column = spell(columns.feature, one.name)
        found[one.name] = Queryable(one.type, (column,))
    return found


def schema_of(type_: RecordType, url: str) -> dict[str, Any]:
    """The queryables as a JSON Schema (OGC 19-079r2, 6.2)."""
    geometry = {"title": "Where it is", "format": "geometry-any", "x-ogc-role": "primary-geometry"}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": url,
        "type": "object",
        "title": type_.title,
        "additionalProperties": False,
        "properties": {
            "geometry": geometry,
            **{one.name: {"title": one.title, **_JSON_TYPES[one.type]} for one in properties_of(type_)},
        },
    }


def csv_columns(type_: RecordType) -> tuple[str, ...]:
    """The columns of a table of such records, the same for every reader."""
    names = [one.name for one in properties_of(type_) if one.name not in {"time", "review"}]
    wanted = (_CSV_TIME.get(type_.name, "time"), *names, "review.state", *_CSV_MORE.get(type_.name, ()))
    return tuple(dict.fromkeys(wanted))
