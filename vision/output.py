"""Crossings as files: one JSON record a line, or GeoJSON for a map."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from geo import write_text
from vision.errors import VisionError
from vision.records import Crossing

__all__ = ["records_to_geojson", "to_geojson", "write_crossings"]


def to_geojson(crossings: Iterable[Crossing]) -> dict[str, Any]:
    """A FeatureCollection: a Point for each crossing (geometry null without a place), the record as its properties."""
    return records_to_geojson(crossing.to_json() for crossing in crossings)


def records_to_geojson(records: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """As `to_geojson`, of what `Crossing.to_json` gave."""
    features = []
    for record in records:
        lon, lat = record["lon"], record["lat"]
        geometry = None if lat is None else {"type": "Point", "coordinates": [lon, lat]}
        rest = {name: value for name, value in record.items() if name not in {"lon", "lat"}}
        features.append({"type": "Feature", "id": record["source_id"], "geometry": geometry, "properties": rest})
    return {"type": "FeatureCollection", "features": features}


def write_crossings(path: Path, crossings: Iterable[Crossing]) -> None:
    """Write crossings to a file, whole or not at all.

    Parameters
    ----------
    path
        Ends in ``.jsonl`` (one record a line, as the service takes it) or ``.geojson``.
    crossings
        In the order in which they are to stand.

    Raises
    ------
    VisionError
        With another ending.
    FileWriteError
        When the file cannot be written.
    """
    if path.suffix == ".jsonl":
        text = "".join(json.dumps(crossing.to_json()) + "\n" for crossing in crossings)
    elif path.suffix == ".geojson":
        text = json.dumps(to_geojson(crossings), indent=1) + "\n"
    else:
        raise VisionError(f"{path}: crossings are written as .jsonl or .geojson: choose one")
    write_text(path, text)
