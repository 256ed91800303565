"""A line of a map file, whatever its format: its parts in degrees, its properties, and where it stood."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from geo import Altitude
from missions.border_line import join_lines
from missions.errors import FormatError

__all__ = ["LineFeature", "Part", "check_text", "kind_of", "number_of", "text_of", "whole_of"]

_SHOWN = 40
"""So many characters of a value that is refused stand in the message."""


@dataclass(frozen=True, slots=True)
class Part:
    """One line of a feature.

    Parameters
    ----------
    points
        Vertices (longitude, latitude), degrees, in order.
    area_within
        For the ring of a polygon whether its area is within the ring (the outer one) or without (a hole); None for
        a line.
    heights
        Lowest and highest height of an outer ring whose area reaches from the ground up to there, as KML extrudes it.
    """

    points: Sequence[Sequence[float]]
    area_within: bool | None = None
    heights: tuple[Altitude, Altitude] | None = None


@dataclass(frozen=True, slots=True)
class LineFeature:
    """Lines that share properties.

    Parameters
    ----------
    where
        File and feature, for messages.
    parts
        Its lines. Those that were cut at the antimeridian, or that begin where the one before ends, are joined.
    properties
        Values by name.
    points
        Its points (longitude, latitude), degrees.
    """

    where: str
    parts: tuple[Part, ...]
    properties: dict[str, Any] = field(default_factory=dict)
    points: tuple[tuple[float, float], ...] = ()

    @classmethod
    def of(
        cls,
        where: str,
        lines: Iterable[Sequence[Sequence[float]]],
        polygons: Iterable[Sequence[Sequence[Sequence[float]]]],
        properties: dict[str, Any],
        *,
        points: Iterable[tuple[float, float]] = (),
        heights: Mapping[int, tuple[Altitude, Altitude]] | None = None,
    ) -> LineFeature:
        """From lines and the rings of polygons, the outer one first; rings that are left open are closed.

        `heights` has those of polygons, by number, that have some.
        """
        parts = [Part(points) for points in join_lines(lines)]
        for number, rings in enumerate(polygons):
            for k, ring in enumerate(rings):
                closed = ring if not ring or list(ring[0]) == list(ring[-1]) else [*ring, ring[0]]
                own = (heights or {}).get(number) if k == 0 else None
                parts.append(Part([tuple(point[:2]) for point in closed], area_within=k == 0, heights=own))
        return cls(where, tuple(parts), properties, tuple(points))

    def get(self, name: str) -> Any:
        """A property by its name, in whatever case the file has it; None where it is absent or blank text."""
        value = self.properties.get(name)
        if value is None:
            value = next((v for k, v in self.properties.items() if k.casefold() == name), None)
        return None if isinstance(value, str) and not value.strip() else value


def kind_of(feature: LineFeature) -> str:
    """What its property ``kind`` says it is, in small letters; of other programs it may be a number or a list."""
    value = feature.get("kind")
    return "" if value is None else str(value).strip().casefold()


def text_of(feature: LineFeature, name: str) -> str:
    """A property as text, empty where it is absent.

    Raises
    ------
    FormatError
        When it is none; the message names it.
    """
    return check_text(feature.get(name), f"{feature.where}: {name}")


def check_text(value: object, what: str) -> str:
    """A value that is text or absent, as text. Raises FormatError; `what` stands in the message."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    found = repr(value)
    raise FormatError(f"{what} is {found if len(found) <= _SHOWN else found[:_SHOWN] + '...'}: give text, in quotes")


def number_of(feature: LineFeature, name: str) -> float | None:
    """A property as a number, also where the format has it as text; None where it is absent.

    Raises
    ------
    FormatError
        When it is none; the message names it.
    """
    value = feature.get(name)
    if value is None:
        return None
    if not isinstance(value, bool):
        try:
            number = float(value)
        except (TypeError, ValueError, OverflowError):
            number = math.nan
        if math.isfinite(number):
            return number
    raise FormatError(f"{feature.where}: {name} is {value!r}: give a number")


def whole_of(feature: LineFeature, name: str) -> int | None:
    """A property as a whole number; None where it is absent. Raises as `number_of` does."""
    number = number_of(feature, name)
    if number is not None and not number.is_integer():
        raise FormatError(f"{feature.where}: {name} is {number:g}: give a whole number")
    return None if number is None else int(number)
