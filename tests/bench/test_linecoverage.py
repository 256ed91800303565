"""Tours of the bench of line coverage, read back from its JSON and costed by what was published of the cost model."""

import json
import math
from collections import Counter
from itertools import pairwise

import pytest
import typer
from typer.testing import CliRunner

from bench.__main__ import measure

EAST = NORTH = 2.0 * math.cos(math.radians(45.0))
SPEED_M_S = {True: 7.0, False: 10.0}
"""Airspeed on a step that services its line, and on a deadhead."""


def ground_speed(x, y, airspeed):
    """Speed made good towards (x, y): heading is turned until drift is made up for (sine rule of the wind triangle)."""
    drift = math.atan2(EAST, NORTH) - math.atan2(x, y)
    wind = math.hypot(EAST, NORTH)
    crab = math.asin(wind * math.sin(drift) / airspeed)
    return airspeed * math.cos(crab) + wind * math.cos(drift)


def table(path):
    return [line.replace(",", " ").split() for line in path.read_text().splitlines() if line.strip()]


@pytest.mark.parametrize("city", ["nagoya", "kuala_lumpur"])
def test_a_tour_services_every_line_once_and_costs_what_the_row_says(shared_data, tmp_path, city):
    folder = shared_data(f"linecoverage/{city}")
    out = tmp_path / "rows.json"
    name = f"linecoverage/{city}"
    bench = typer.Typer()
    bench.command()(measure)
    words = ["planner", "--only", name, "--data", str(folder.parent), "--json", str(out)]
    ran = CliRunner().invoke(bench, words)
    assert ran.exit_code == 0, ran.output
    (row,) = [row for row in json.loads(out.read_text()) if row["name"] == name]
    tour = row["tour"]

    place = {int(words[0]): (float(words[1]), float(words[2])) for words in table(folder / "node_data")}
    required = {frozenset(map(int, words[:2])) for words in table(folder / "req_edge_list")}
    assert Counter(frozenset((a, b)) for a, b, serviced in tour if serviced) == Counter(required)
    assert all(before[1] == after[0] for before, after in pairwise([*tour, tour[0]]))

    total = 0.0
    for a, b, serviced in tour:
        x, y = place[b][0] - place[a][0], place[b][1] - place[a][1]
        total += math.hypot(x, y) / ground_speed(x, y, SPEED_M_S[serviced])
    assert row["value"] == pytest.approx(total, rel=1e-12)
    assert row["peer"] == "published optimum"
    assert row["ratio"] == pytest.approx(total / row["peer_value"], rel=1e-12)
    # The optimum is published to five or six digits: no tour is below it by more than that.
    assert 1 - 1e-5 < row["ratio"] < 1 + 1e-4
