"""Derive ``data/land_borders.json`` from the TopoJSON of Natural Earth countries (world-atlas 2.0.2, countries-10m).

Run as ``python -m missions.derive_borders countries-10m.json``; the result is written into the package's data folder.

In a TopoJSON topology the outline of each country is a ring of arcs, and an arc that two countries use is the line
between them. A ring that uses arc i forwards says i, backwards says ~i. All outlines of one topology run the same way
round, so of the two countries at an arc one runs along it forwards and the other backwards: that gives the side.
The way round is not assumed: it is measured by the signed area of the rings.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

from geo import write_text
from missions.errors import FormatError

__all__ = ["derive", "main"]

DATA = Path(__file__).parent / "data"

# Areas of Natural Earth that ISO 3166 has no number for. Kosovo has the user-assigned code in wide use; the others
# carry the code that Natural Earth gives them. Entries are kept so that no line is silently attributed to a country.
_WITHOUT_NUMBER = {
    "Akrotiri": "WSB",
    "Baikonur": "KAB",
    "Bajo Nuevo Bank": "BJN",
    "Clipperton I.": "CLP",
    "Coral Sea Is.": "CSI",
    "Cyprus U.N. Buffer Zone": "CNM",
    "Dhekelia": "ESB",
    "Indian Ocean Ter.": "IOA",
    "Kosovo": "XKX",
    "N. Cyprus": "CYN",
    "Scarborough Reef": "SCR",
    "Serranilla Bank": "SER",
    "Siachen Glacier": "KAS",
    "Somaliland": "SOL",
    "Spratly Is.": "PGA",
    "USNB Guantanamo Bay": "USG",
}
_ALPHA2 = {"XKX": "XK"}

Point = tuple[int, int]
Arc = tuple[Point, ...]


def derive(topology: dict[str, Any], codes: dict[str, list[str]]) -> dict[str, Any]:
    """The land borders of a topology.

    Parameters
    ----------
    topology
        TopoJSON with an object ``countries``, quantised (it has a ``transform``).
    codes
        ISO 3166 numeric code to alpha-3 and alpha-2.

    Returns
    -------
    dict
        ``transform`` (scale and translate, degrees); ``countries``: alpha-3 to name, alpha-2 and whether the code is
        ISO's; ``borders``: "AAA-BBB", AAA < BBB, to polylines along which AAA is on the left, each a flat list
        of integers, the first point, then differences.

    Raises
    ------
    FormatError
        When the file is not such a topology or names a country that the table of codes lacks.
    """
    try:
        geometries = topology["objects"]["countries"]["geometries"]
        transform = {key: topology["transform"][key] for key in ("scale", "translate")}
        arcs = [_absolute(arc) for arc in topology["arcs"]]
    except (KeyError, TypeError) as error:
        raise FormatError(
            f"not a quantised TopoJSON of countries: {error} is missing; use countries-10m.json"
        ) from error

    countries: dict[str, dict[str, Any]] = {}
    users: dict[int, dict[bool, set[str]]] = defaultdict(lambda: {True: set(), False: set()})
    area = 0.0
    for geometry in geometries:
        name = geometry["properties"]["name"]
        number = geometry.get("id")
        if (number is None and name not in _WITHOUT_NUMBER) or (number is not None and number not in codes):
            raise FormatError(f"country {name!r} (number {number}) has no code: add it to the table in this script")
        code, alpha2 = (_WITHOUT_NUMBER[name], None) if number is None else codes[number]
        # One number may stand for several areas (Australia and its external territories): the first, largest, names it.
        countries.setdefault(code, {"name": name, "alpha2": alpha2 or _ALPHA2.get(code), "iso": number is not None})
        for ring in _rings(geometry):
            outline = _ring_points(ring, arcs)
            area += _signed_area(outline)
            for index in ring:
                users[~index if index < 0 else index][index >= 0].add(code)
    # Outer rings dominate the sum: positive means that they run anticlockwise, land on the left.
    forward_is_left = area > 0

    lines: dict[str, list[Arc]] = defaultdict(list)
    for index, by_direction in users.items():
        for left in by_direction[forward_is_left]:
            for right in by_direction[not forward_is_left] - {left}:
                first, second = sorted((left, right))
                # Stored so that the first code is on the left.
                lines[f"{first}-{second}"].append(arcs[index] if left == first else arcs[index][::-1])
    borders = {pair: [_encode(line) for line in _join(parts)] for pair, parts in sorted(lines.items())}
    return {
        "source": "Natural Earth 1:10m (public domain) through world-atlas 2.0.2 countries-10m.json",
        "transform": transform,
        "countries": dict(sorted(countries.items())),
        "borders": borders,
    }


def main(arguments: list[str]) -> int:
    """Write the data file of the package from the TopoJSON named by the one argument."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m missions.derive_borders countries-10m.json\n")
        return 2
    topology = json.loads(Path(arguments[0]).read_text(encoding="utf-8"))
    codes = json.loads((DATA / "country_codes.json").read_text(encoding="utf-8"))
    result = derive(topology, codes)
    head = {key: value for key, value in result.items() if key != "borders"}
    lines = [
        f"{json.dumps(pair)}:{json.dumps(parts, separators=(',', ':'))}" for pair, parts in result["borders"].items()
    ]
    text = json.dumps(head, ensure_ascii=False)[:-1] + ', "borders": {\n' + ",\n".join(lines) + "\n}}\n"
    target = DATA / "land_borders.json"
    write_text(target, text)
    sys.stdout.write(f"{target.name}: {len(lines)} pairs, {len(text) / 1e6:.2f} MB\n")
    return 0


def _absolute(arc: list[list[int]]) -> Arc:
    """Vertices of an arc that is stored as differences."""
    x = y = 0
    points = []
    for dx, dy in arc:
        x, y = x + dx, y + dy
        points.append((x, y))
    return tuple(points)


def _rings(geometry: dict[str, Any]) -> Iterator[list[int]]:
    polygons = geometry["arcs"] if geometry["type"] == "MultiPolygon" else [geometry.get("arcs", [])]
    for polygon in polygons:
        yield from polygon


def _ring_points(ring: list[int], arcs: list[Arc]) -> list[Point]:
    points: list[Point] = []
    for index in ring:
        part = arcs[index] if index >= 0 else arcs[~index][::-1]
        points.extend(part[:-1])
    return points


def _signed_area(ring: list[Point]) -> float:
    """Shoelace formula: positive for an anticlockwise ring."""
    return 0.5 * sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in zip(ring, ring[1:] + ring[:1], strict=True))


def _join(parts: list[Arc]) -> list[Arc]:
    """Join directed arcs end to start wherever exactly one arc ends and exactly one begins."""
    starts: dict[Point, list[int]] = defaultdict(list)
    ends: dict[Point, list[int]] = defaultdict(list)
    for number, part in enumerate(parts):
        starts[part[0]].append(number)
        ends[part[-1]].append(number)

    def following(number: int) -> int | None:
        node = parts[number][-1]
        return starts[node][0] if len(starts[node]) == 1 == len(ends[node]) else None

    followed = {following(number) for number in range(len(parts))}
    free = set(range(len(parts)))
    lines = []
    # Open lines from their heads first; what is left are rings, entered anywhere.
    for head in [*(n for n in range(len(parts)) if n not in followed), *range(len(parts))]:
        points: list[Point] = []
        at: int | None = head
        while at is not None and at in free:
            free.remove(at)
            points.extend(parts[at][1 if points else 0 :])
            at = following(at)
        if points:
            lines.append(tuple(points))
    return sorted(lines, key=len, reverse=True)


def _encode(line: Arc) -> list[int]:
    flat = [*line[0]]
    for (x0, y0), (x1, y1) in pairwise(line):
        flat += [x1 - x0, y1 - y0]
    return flat


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
