"""The whole land border of two countries: many bases, many aircraft, many zones; and how time grows with length."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np

from bench.rows import BenchError, Row, timed, wanted
from geo import FlatTerrain, densify, wrap_longitudes
from missions import (
    Airspace,
    BorderSegment,
    Fleet,
    PatrolPlan,
    Zone,
    base_behind,
    default_fleet,
    land_border,
    plan,
    read_border,
)

BASES, DRONES, ZONES = 20, 100, 50
LIMIT_S, LIMIT_GIB = 10.0, 1.0
_SEED = 7


def rows(data: Path | None, only: str | None) -> Iterator[Row]:
    """Yield time and memory of the whole USA-Mexico border, or of ``whole-border.geojson`` in `data`; its growth."""
    if not any(wanted(name, only) for name in ("border", "growth")):
        return
    border = _border(data)
    if border is None:
        return
    length = border.length_m() / 1000
    case = f"{length:.0f} km, {BASES} bases, {DRONES} drones, {ZONES} zones"
    if wanted("border", only):
        # In a process of its own: the memory is that of one plan, libraries included.
        call = [sys.executable, "-m", "bench.whole_border", *([str(data)] if data else [])]
        done = subprocess.run(call, capture_output=True, text=True, check=False)  # noqa: S603 - our own module
        if done.returncode:
            raise BenchError(f"whole border: {done.stderr.strip().splitlines()[-1] if done.stderr else 'no answer'}")
        found = json.loads(done.stdout)
        yield Row(f"border/{case}", found["seconds"], "s", goal="under 10 s", met=found["seconds"] < LIMIT_S)
        yield Row("border/memory", found["gib"], "GiB", goal="under 1 GiB", met=found["gib"] < LIMIT_GIB)
        yield Row("border/seen of the band", found["share"], "")
        yield Row("border/looked at every", found["step_m"], "m")
        yield Row(
            "border/revisit",
            found["revisit_s"],
            "s",
            "lower bound",
            found["bound_s"],
            found["revisit_s"] / found["bound_s"],
        )
    if wanted("growth", only):
        # Every tenth of the border in turn: one alone may be straighter than the rest.
        tenths = [scenario(part, BASES // 10, DRONES // 10, ZONES // 10) for part in _tenths(border)]
        one = float(np.mean([_best_s(case) for case in tenths]))
        whole = _best_s(scenario(border, BASES, DRONES, ZONES))
        ratio = whole / one
        yield Row("growth/10x the border", whole, "s", "mean of its tenths", one, ratio, "ratio <= 12", met=ratio <= 12)


def _tenths(border: BorderSegment) -> list[BorderSegment]:
    lon, lat = border.unwrapped().T
    lat, lon = densify(lat, lon, 500.0)
    at = np.linspace(0, len(lat) - 1, 11).astype(int)
    return [
        replace(
            border,
            coordinates=tuple(zip(wrap_longitudes(lon[a : b + 1]).tolist(), lat[a : b + 1].tolist(), strict=True)),
        )
        for a, b in pairwise(at)
    ]


def _best_s(case: tuple[BorderSegment, Fleet, Airspace]) -> float:
    return min(timed(lambda: planned(*case))[1] for _ in range(2))


def _border(data: Path | None) -> BorderSegment | None:
    if data is None:
        return max(land_border("USA", "MEX"), key=lambda part: part.length_m())
    path = data / "whole-border.geojson"
    return read_border(path) if path.exists() else None


def scenario(border: BorderSegment, bases: int, drones: int, zones: int) -> tuple[BorderSegment, Fleet, Airspace]:
    """Bases evenly behind a border, drones evenly among them, zones of 2 to 8 km at random beside and across it."""
    rng = np.random.default_rng(_SEED)
    length = border.length_m()
    places = [base_behind(border, length * (k + 0.5) / bases, name=f"base-{k + 1}") for k in range(bases)]
    areas: list[Zone] = []
    lon, lat = border.unwrapped().T
    while len(areas) < zones:
        k = int(rng.integers(0, len(lon)))
        size, turn = rng.uniform(1000, 4000), rng.uniform(0, 2 * math.pi)
        offset = rng.normal(0, 4000, 2) / 111_000
        angles = turn + np.sort(rng.uniform(0, 2 * math.pi, 7))
        ring = [
            (
                float(lon[k] + offset[0] + size * math.cos(a) / 111_000 / math.cos(math.radians(lat[k]))),
                float(lat[k] + offset[1] + size * math.sin(a) / 111_000),
            )
            for a in angles
        ]
        zone = Zone(f"zone-{len(areas) + 1}", (tuple(ring),))
        near = [
            zone.contains(b.lat_deg + dy, b.lon_deg + dx).item()
            for b in places
            for dx in (-2e-3, 0, 2e-3)
            for dy in (-2e-3, 0, 2e-3)
        ]
        if not any(near):
            areas.append(zone)
    fleet = default_fleet(places[0], drones)
    vehicles = tuple(replace(v, base=places[k * bases // drones]) for k, v in enumerate(fleet.vehicles))
    return border, replace(fleet, vehicles=vehicles), Airspace(tuple(areas))


def planned(border: BorderSegment, fleet: Fleet, airspace: Airspace) -> PatrolPlan:
    """The plan of a scenario."""
    return plan(border, fleet, FlatTerrain(500.0), airspace=airspace)


def _main() -> None:
    import resource  # noqa: PLC0415 - not on every system

    border = _border(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
    assert border is not None  # the caller has looked
    case = scenario(border, BASES, DRONES, ZONES)
    made, seconds = timed(lambda: planned(*case))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    found = {
        "seconds": seconds,
        "gib": peak,
        "share": made.coverage.share,
        "step_m": made.coverage.step_m,
        "revisit_s": made.revisit_s,
        "bound_s": made.revisit_bound_s,
    }
    print(json.dumps(found))


if __name__ == "__main__":
    _main()
