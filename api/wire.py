"""What every model of the wire is made of: strict, closed, finite; texts without control characters.

Strict is as JSON tells types apart: true is no number, "31.5" neither, and 5 is no time. It has one type of numbers:
5.0 is the integer 5.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    StringConstraints,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from api.loading import HIDING

__all__ = [
    "PLAIN",
    "CueKind",
    "Id",
    "Kind",
    "Label",
    "Lat",
    "Lon",
    "Metres",
    "Moment",
    "MultiPolygon",
    "Name",
    "Polygon",
    "Sha256",
    "Status",
    "Text",
    "Wire",
]

PLAIN: Final = rf"^[^\x01-\x1f\x7f\u061c\u200e\u200f{HIDING}]*$"
"""What names are made of: no character of control, nor one that only says in which direction those beside it run."""
Text = Annotated[str, StringConstraints(min_length=1, max_length=500, pattern=PLAIN, strip_whitespace=True)]
Label = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=PLAIN, strip_whitespace=True)]
Name = Annotated[str, StringConstraints(max_length=200, pattern=r"^[A-Za-z0-9_][A-Za-z0-9._-]*$")]


class _Written:
    """A time that is written out: pydantic alone would read a number, or the text of one, as seconds since 1970."""

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        """As text first; all of it without a call of Python, of which one record takes many."""
        return core_schema.chain_schema([core_schema.str_schema(strict=True, pattern="^[0-9]{4}-"), handler(source)])

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """As that of any time."""
        return {"type": "string", "format": "date-time"}


_FIRST, _LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
Moment = Annotated[AwareDatetime, Field(ge=_FIRST, le=_LAST), _Written()]
"""A moment with its zone, which is one in UTC as well."""
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Id = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
Lat = Annotated[float, Field(ge=-90, le=90)]
Lon = Annotated[float, Field(ge=-180, le=180)]
Metres = Annotated[float, Field(ge=0, le=1e7)]
Kind = Literal["person", "vehicle", "bicycle"]
Status = Literal["confirmed", "probable"]
CueKind = Literal["motion", "infrared", "acoustic", "radar", "person"]


# Pydantic's own strictness is that of Python: it takes no 5.0 as an integer, and 1 as true.


def _number(value: object) -> object:
    if isinstance(value, bool | str):
        raise ValueError("this is an integer: write it as a number of JSON")  # noqa: TRY004 - the one that pydantic hears
    return value


def _flag(value: object) -> object:
    if isinstance(value, bool):
        return value
    raise ValueError("this is true or false")


_VALUES: Final = frozenset({"default", "expected", "metadata", "serialization"})
"""Members of a schema that are no schemas."""


def _as_json(schema: Any) -> Any:
    """A schema whose numbers, flags and texts are those of JSON, wherever they stand in it."""
    if isinstance(schema, list | tuple):
        return type(schema)(map(_as_json, schema))
    if not isinstance(schema, dict) or _is_strict(schema):
        return schema
    found = {name: part if name in _VALUES else _as_json(part) for name, part in schema.items()}
    match schema.get("type"):
        case "float" | "bool" | "str":
            return found | {"strict": True}
        case "int":
            return core_schema.no_info_before_validator_function(_number, found)
        case "literal" if True in schema["expected"]:
            return core_schema.no_info_before_validator_function(_flag, found)
        case "datetime":
            raise TypeError("a time that comes in is a Moment: a bare datetime would be read from numbers as well")
    return found


def _is_strict(schema: dict[str, Any]) -> bool:
    """Whether it is as `_as_json` and `_Written` make it: that of a model in this one."""
    type_ = schema.get("type")
    return type_ == "chain" or (type_ == "function-before" and schema["function"]["function"] in {_number, _flag})


class Wire(BaseModel):
    """Base of what comes in: closed, finite, immutable, and of the types that it says."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: type[BaseModel], handler: GetCoreSchemaHandler) -> CoreSchema:
        """As pydantic has it, made strict."""
        found: CoreSchema = _as_json(handler(source))
        return found


class Polygon(Wire):
    """GeoJSON Polygon, lon then lat; a ring that crosses the antimeridian is cut there (RFC 7946, 3.1.9)."""

    type: Literal["Polygon"]
    coordinates: list[Annotated[list[tuple[Lon, Lat]], Field(min_length=4, max_length=10_000)]] = Field(
        min_length=1, max_length=100
    )


class MultiPolygon(Wire):
    """GeoJSON MultiPolygon."""

    type: Literal["MultiPolygon"]
    coordinates: list[
        Annotated[
            list[Annotated[list[tuple[Lon, Lat]], Field(min_length=4, max_length=10_000)]],
            Field(min_length=1, max_length=100),
        ]
    ] = Field(min_length=1, max_length=100)
