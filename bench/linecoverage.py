"""Road networks covered by one robot, beside the published optimum and the best published heuristic.

The networks are those of LineCoverage-dataset: a folder a city with ``node_data`` (id, east, north, and more) and
``req_edge_list`` (two ids), and beside them ``published.csv`` with the cost of the optimum (``ILP-TourCost``, seconds),
and the cost and time of each heuristic (``NAME-cost``, percent above the optimum, and ``NAME-time-s``).

Cost is time. Lines are serviced at 7 m/s and deadheads flown at 10 m/s, in air that moves at 2 m/s towards north-east.
"""

from __future__ import annotations

import csv
import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.rows import BenchError, Row, one_core, timed, wanted
from missions.postman import Tour, cover_lines

__all__ = ["City", "flight_s", "read_city", "rows"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SERVICE_M_S = 7.0
DEADHEAD_M_S = 10.0
WIND_M_S = (math.sqrt(2.0), math.sqrt(2.0))

MEAN_GAP, LARGEST_GAP, SLOWEST_S = 0.5, 2.0, 1.0
"""Goals: percent, percent, seconds."""

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


@dataclass(frozen=True, slots=True, eq=False)
class City:
    """One network: its name, ids and places of the nodes, and the lines by place in them."""

    name: str
    ids: tuple[int | str, ...]
    xy: Floats
    edges: Ints


@dataclass(frozen=True, slots=True)
class _Result:
    name: str
    cost: float
    optimum: float | None
    seconds: float

    @property
    def gap(self) -> float:
        """Percent above the optimum; not a number where it is not known."""
        return math.nan if self.optimum is None else 100 * (self.cost / self.optimum - 1)


def rows(data: Path | None, only: str | None) -> Iterator[Row]:
    """Measure.

    Parameters
    ----------
    data
        Folder that holds the cities, or a folder ``linecoverage`` that does; by default the shared data folder. Where
        there are none, and they were not asked for by name, nothing is measured.
    only
        One row or all of this measurement by name.
    """
    if only is not None and only.split("/", maxsplit=1)[0] != "linecoverage":
        return
    root = data or Path(os.environ.get("VEDETTE_DATA", SHARED))
    root = root / "linecoverage" if (root / "linecoverage").is_dir() else root
    folders = sorted(path.parent for path in root.glob("*/req_edge_list"))
    if not folders:
        if only is not None:
            raise BenchError(f"{root} holds no city: give a folder of folders with node_data and req_edge_list")
        return
    published = _published(root / "published.csv")
    named = {f"linecoverage/{folder.name}" for folder in folders}
    results = []
    for folder in folders:
        if only in named and only != f"linecoverage/{folder.name}":
            continue
        row = _city_row(read_city(folder), published.get(folder.name, {}))
        assert row.seconds is not None
        optimum = row.peer_value if row.peer == _OPTIMUM else None
        results.append(_Result(folder.name, row.value, optimum, row.seconds))
        if wanted(row.name, only):
            yield row
    yield from (row for row in _summary(results, published) if wanted(row.name, only))


_OPTIMUM = "published optimum"


def _city_row(city: City, published: dict[str, float]) -> Row:
    """One city; where no optimum is published the peer is the lower bound that was proven on the way."""
    with one_core():
        tour, seconds = timed(lambda: _cover(city))
    optimum = published.get("ILP-TourCost")
    peer = tour.lower_bound if optimum is None else optimum
    ratio = tour.cost / peer
    return Row(
        f"linecoverage/{city.name}",
        tour.cost,
        "s",
        "lower bound" if optimum is None else _OPTIMUM,
        peer,
        ratio,
        "ratio <= 1.02, under 1 s",
        met=ratio <= 1 + LARGEST_GAP / 100 and seconds < SLOWEST_S,
        seconds=seconds,
        tour=[[city.ids[a], city.ids[b], serviced] for a, b, serviced in tour.steps],
    )


def _summary(results: list[_Result], published: dict[str, dict[str, float]]) -> Iterator[Row]:
    """Mean and largest gap and the longest time, beside the heuristic whose mean gap on these cities is the least."""
    slowest = max(result.seconds for result in results)
    known = [result for result in results if result.optimum is not None]
    if not known:
        yield Row("linecoverage/slowest", slowest, "s", goal="under 1 s", met=slowest < SLOWEST_S)
        return
    gaps = [result.gap for result in known]
    tables = [published[result.name] for result in known]
    heuristics = {key.removesuffix("-cost") for key in tables[0] if key.endswith("-cost")}
    whole = sorted(h for h in heuristics if all(f"{h}-cost" in t and f"{h}-time-s" in t for t in tables))
    best = min(whole, key=lambda h: sum(t[f"{h}-cost"] for t in tables), default=None)
    for name, unit, ours, column, how, goal in (
        ("mean gap", "%", sum(gaps) / len(gaps), "cost", lambda values: sum(values) / len(values), MEAN_GAP),
        ("largest gap", "%", max(gaps), "cost", max, LARGEST_GAP),
        ("slowest", "s", slowest, "time-s", max, SLOWEST_S),
    ):
        peer = None if best is None else how([t[f"{best}-{column}"] for t in tables])
        yield Row(
            f"linecoverage/{name}",
            ours,
            unit,
            f"{best}, published heuristic" if best else "",
            peer,
            ours / peer if peer else None,
            f"under {goal:g} {unit}",
            met=ours < goal,
        )


def flight_s(metres: Floats, airspeed_m_s: float) -> Floats:
    """Seconds to fly each displacement (east, north), shape (..., 2), in the wind of the cost model.

    Ground speed along a unit vector u is ``w.u + sqrt((w.u)^2 + v^2 - |w|^2)``.
    """
    wind = np.array(WIND_M_S)
    along, spare = metres @ wind, airspeed_m_s**2 - float(wind @ wind)
    out: Floats = (np.sqrt(along**2 + spare * (metres**2).sum(axis=-1)) - along) / spare
    return out


def _cover(city: City) -> Tour:
    line = city.xy[city.edges[:, 1]] - city.xy[city.edges[:, 0]]
    service = np.column_stack([flight_s(line, SERVICE_M_S), flight_s(-line, SERVICE_M_S)])
    return cover_lines(
        city.xy, city.edges, service, lambda tail, head: flight_s(city.xy[head] - city.xy[tail], DEADHEAD_M_S)
    )


def read_city(folder: Path) -> City:
    """Read a folder of the data set; ids become integers where all of them are, a line listed twice counts once.

    Raises
    ------
    BenchError
        When a file is absent or a line of it is not what it should be.
    """
    places: dict[str, tuple[float, float]] = {}
    for number, words in _lines(folder / "node_data"):
        try:
            places[words[0]] = (float(words[1]), float(words[2]))
        except (IndexError, ValueError):
            raise BenchError(f"{folder / 'node_data'} line {number} is no node: give id, east and north") from None
    number_of = {name: place for place, name in enumerate(places)}
    edges: dict[frozenset[int], tuple[int, int]] = {}
    for number, words in _lines(folder / "req_edge_list"):
        try:
            a, b = number_of[words[0]], number_of[words[1]]
        except (IndexError, KeyError):
            raise BenchError(f"{folder / 'req_edge_list'} line {number} names no two nodes: give two ids") from None
        edges.setdefault(frozenset((a, b)), (a, b))
    numeric = all(str(int(name)) == name if name.isdecimal() else False for name in places)
    ids = tuple(int(name) if numeric else name for name in places)
    return City(folder.name, ids, np.array(list(places.values())).reshape(-1, 2), np.array(list(edges.values())))


def _lines(path: Path) -> Iterator[tuple[int, list[str]]]:
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise BenchError(f"{path} cannot be read: {error.strerror}") from None
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip():
            yield number, line.replace(",", " ").split()


def _published(path: Path) -> dict[str, dict[str, float]]:
    """Figures of each city by column, where there are any."""
    if not path.exists():
        return {}
    out: dict[str, dict[str, float]] = {}
    with path.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            figures = {}
            for key, text in row.items():
                try:
                    figures[key] = float(text)
                except (TypeError, ValueError):
                    continue
            out[row.get("Name", "")] = figures
    return out
