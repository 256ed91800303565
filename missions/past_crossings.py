"""Past crossings as a source of risk: the files that the cameras and the service write, and tables of others.

A crossing that a person dismissed was none. One without a place weighs nowhere, and one far from the border was of
another one: both are left out and counted.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geo import CoordinateError, LocalFrame, check_coordinates, locate
from missions.border import BorderSegment
from missions.clock import ShiftClock, moment_of
from missions.errors import FormatError, PlanError
from missions.files import read_json, read_text
from missions.network import BorderNetwork
from missions.network_lines import joined_borders, joined_branches
from missions.risk import RiskTable, risk_by_border

__all__ = ["PastCrossing", "read_past_crossings", "risk_of_past"]

Floats = NDArray[np.float64]

_COLUMNS = ("lat", "lon", "time")
_FAR_M = 5000.0
"""Crossings further than this from a border were of another, metres."""


@dataclass(frozen=True, slots=True)
class PastCrossing:
    """One crossing: when, and where in degrees WGS 84, unless nobody knows."""

    time: datetime
    place: tuple[float, float] | None


def read_past_crossings(path: Path) -> tuple[PastCrossing, ...]:
    """Read crossings that were not dismissed, each of them once.

    The watch writes a crossing again whenever it knows more of it, and goes on in the same file when it is started
    again. Records of one `source` and `source_id`, for want of that the id of the GeoJSON feature, are one crossing:
    the last of them in the file is what is known of it. Records without either are each one of their own.

    Parameters
    ----------
    path
        GeoJSON FeatureCollection of points or JSON lines, as `vedette watch` and the service write them (`time`, and in
        lines `lat` and `lon`), or CSV with the columns lat, lon and time, in degrees and ISO 8601 with the zone.

    Raises
    ------
    FormatError
        When it is none of these, or a figure is none; the message names the record and the field.
    """
    found: dict[object, PastCrossing | None] = {}
    for number, (where, record) in enumerate(_records(Path(path))):
        review = record.get("review")
        dismissed = isinstance(review, dict) and review.get("state") == "dismissed"
        key = record.get("source_id")
        found[number if key is None else (str(record.get("source")), str(key))] = (
            None if dismissed else _crossing(record, where)
        )
    return tuple(crossing for crossing in found.values() if crossing is not None)


def _crossing(record: dict[str, Any], where: str) -> PastCrossing:
    time, lat, lon = record.get("time"), record.get("lat"), record.get("lon")
    if not isinstance(time, str):
        raise FormatError(f"{where}: time is {time!r}: give date and time with the zone")
    try:
        moment = moment_of(time, f"{where}: time")
    except PlanError as error:
        raise FormatError(str(error)) from None
    if lat is None and lon is None:
        return PastCrossing(moment, None)
    try:
        place = float(lat), float(lon)  # type: ignore[arg-type]
        check_coordinates(*place, where)
    except CoordinateError as error:
        raise FormatError(str(error)) from None
    except (TypeError, ValueError):
        raise FormatError(f"{where}: lat is {lat!r} and lon {lon!r}: give degrees") from None
    return PastCrossing(moment, place)


def risk_of_past(
    what: BorderSegment | BorderNetwork,
    crossings: Sequence[PastCrossing],
    zone: str,
    start: str,
    *,
    beside: RiskTable | None = None,
) -> tuple[RiskTable, tuple[str, ...]]:
    """Risk from past crossings by the hours of a zone.

    Parameters
    ----------
    what
        The border that was crossed, or a network: each crossing is one of the border that is nearest.
    crossings
        What crossed it.
    zone
        Time zone by whose hours they count, or empty for the offset of `start`.
    start
        When the shift begins, as `PlanOptions.shift_start`: without it nobody knows which of its hours are which.
    beside
        A table that counts as well, its hours of the same zone; where both have a row the greater counts.

    Returns
    -------
    tuple
        The table, and a sentence on what of the crossings was counted.

    Raises
    ------
    PlanError
        When there is no start, no such zone or another one in the table beside, the network has no border, or a border
        that was crossed shares its name with another line.
    """
    if not start:
        raise PlanError(
            "risk: past crossings have times and the shift has none: give the date and time with its zone at which it "
            "begins (--start)"
        )
    if beside is not None and beside.rows and beside.zone != zone:
        raise PlanError(
            f"risk: the hours of the table are of {beside.zone or 'the start of the shift'}, those of past crossings "
            f"of {zone or 'the start of the shift'}: give one zone for both"
        )
    clock = ShiftClock.of(0.0, start, zone)
    borders = (what,) if isinstance(what, BorderSegment) else joined_borders(what)
    if not borders:
        raise PlanError("risk: the network has no border, and past crossings are those of one: give its line")
    placed = [(*c.place, clock.hour_of(c.time)) for c in crossings if c.place is not None]
    away = np.array([_away_m(border, placed) for border in borders])
    nearest, near = np.argmin(away, axis=0), away.min(axis=0, initial=np.inf) <= _FAR_M
    crossed = [
        (border, [one for one, own in zip(placed, near & (nearest == number), strict=True) if own])
        for number, border in enumerate(borders)
    ]
    table = [*(beside.rows if beside else ())]
    for (border, _), rows in zip(crossed, risk_by_border(crossed), strict=True):
        if isinstance(what, BorderNetwork):
            names = [*(one.name for one in borders), *(one.name for one in joined_branches(what))]
            if rows and names.count(border.name) > 1:
                raise PlanError(
                    f"risk: several lines are called {border.name!r}, and one of them was crossed: give each its name"
                )
            table += [replace(row, line=border.name) for row in rows]
        else:
            table += rows
    told = (
        f"risk from {near.sum()} past crossings; {len(crossings) - len(placed)} without a place and "
        f"{len(placed) - near.sum()} further than {_FAR_M / 1000:.0f} km from the border are left out"
    )
    return RiskTable(tuple(table), zone), (told,)


def _away_m(border: BorderSegment, placed: Sequence[tuple[float, float, float]]) -> Floats:
    """Metres from a border to places by latitude and longitude, degrees, shape (n,)."""
    if not placed:
        return np.zeros(0)
    frame = LocalFrame(*border.centre())
    lat, lon, _ = np.array(placed).T
    east, north, _ = frame.to_enu(lat, lon)
    return np.abs(locate(border.local_line(frame), np.stack([east, north], axis=-1)).offset_m)


def _records(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each record of a file, with where it stands, its place as lat and lon."""
    if path.suffix.lower() == ".csv":
        yield from _rows(path)
        return
    if path.suffix.lower() == ".jsonl":
        yield from _lines(path)
        return
    value = read_json(path)
    features = value.get("features") if isinstance(value, dict) else None
    if not isinstance(features, list):
        raise FormatError(f"{path}: is no GeoJSON FeatureCollection; JSON lines are called .jsonl, tables .csv")
    for number, feature in enumerate(features, 1):
        where = f"{path}: feature {number}"
        properties = feature.get("properties") if isinstance(feature, dict) else None
        if not isinstance(properties, dict):
            raise FormatError(f"{where}: is no Feature with properties")
        key = properties.get("source_id")
        named = {"source_id": feature.get("id") if key is None else key}
        yield where, {**properties, **_place(feature.get("geometry"), where), **named}


def _place(geometry: Any, where: str) -> dict[str, Any]:
    if geometry is None:
        return {"lat": None, "lon": None}
    coordinates = geometry.get("coordinates") if isinstance(geometry, dict) else None
    if not isinstance(coordinates, list) or geometry.get("type") != "Point" or len(coordinates) < 2:
        raise FormatError(f"{where}: geometry is no Point of longitude and latitude")
    return {"lat": coordinates[1], "lon": coordinates[0]}


def _lines(path: Path) -> Iterable[tuple[str, dict[str, Any]]]:
    for number, line in enumerate(read_text(path).splitlines(), 1):
        if not line.strip():
            continue
        where = f"{path}: line {number}"
        try:
            value = json.loads(line)
        except ValueError as error:
            raise FormatError(f"{where}: is not JSON: {error}") from None
        if not isinstance(value, dict):
            raise FormatError(f"{where}: is no object")
        yield where, value


def _rows(path: Path) -> Iterable[tuple[str, dict[str, Any]]]:
    reader = csv.DictReader(io.StringIO(read_text(path)), strict=True)
    try:
        lost = next((name for name in _COLUMNS if name not in (reader.fieldnames or [])), None)
        if lost is not None:
            raise FormatError(f"{path}: column {lost!r} is missing: the columns are {', '.join(_COLUMNS)}")
        for row in reader:
            # An empty cell is no figure.
            yield f"{path}: line {reader.line_num}", {name: value or None for name, value in row.items()}
    except csv.Error as error:
        raise FormatError(f"{path}: line {reader.line_num}: is not CSV: {error}") from None
