"""The tables that `vedette plan` prints: every word and every figure is there, however narrow the terminal."""

import io
import json
import re
from dataclasses import replace

import pytest
from rich.console import Console

from cli.planning import changes_table, flights_table, plan_table, seen_table, validation_table
from geo import FlatTerrain
from missions import Change, Flight, PlanOptions, Progress, Uncovered, Vehicle, plan, resume, save_plan, validate
from tests.missions.helpers import beside, fleet_for, straight


@pytest.fixture(scope="module")
def made():
    border = straight(6000)
    return plan(border, fleet_for(border, 1), FlatTerrain(500.0))


def printed(table, width):
    """What stands in the cells, without the frames and where lines break."""
    console = Console(width=width, file=io.StringIO())
    console.print(table)
    text = console.file.getvalue()
    assert "…" not in text
    return text


def words(text):
    """All letters and figures in their order, column by column."""
    rows = [line.strip("│┃").split("│" if "│" in line else "┃") for line in text.splitlines() if line[:1] in "│┃"]
    return ["".join(re.sub(r"\s", "", cell) for cell in column) for column in zip(*rows, strict=True)]


@pytest.mark.parametrize("width", [45, 60, 80, 200])
def test_no_reason_and_no_figure_is_cut(made, width):
    reason = "no plan: base-of-the-northern-stretch has 2 batteries, and one sortie needs 3600 s to charge it"
    changes = (
        Change("one more drone at base-of-the-northern-stretch", 1234.0, 0.9876),
        Change("one more battery at base-of-the-northern-stretch", None, None, reason),
    )
    first, *_, last = words(printed(changes_table(made, changes), width))
    assert re.sub(r"\s", "", reason) in first
    assert last == "coverage98.8%"
    narrow, wide = (words(printed(table, w)) for table in [plan_table(made)] for w in (width, 300))
    assert narrow == wide
    narrow, wide = (words(printed(table, w)) for table in [validation_table(validate(made))] for w in (width, 300))
    assert narrow == wide
    narrow, wide = (words(printed(table, w)) for table in [flights_table(made)] for w in (width, 300))
    assert narrow == wide


@pytest.mark.parametrize("width", [80, 100])
def test_who_flies_when_from_where_until_when_and_with_what_reserve_is_read_in_a_row(tmp_path, width):
    border = straight(9000)
    craft, middle = fleet_for(border, 1).vehicles[0].aircraft, beside(border, 900.0)
    west, east = (
        replace(middle, name=name, lon_deg=middle.lon_deg + off) for name, off in (("west", -0.04), ("east", 0.04))
    )
    bases = [west, east, east]
    crew = tuple(Vehicle(k, f"drone-{k}", craft, base) for k, base in enumerate(bases, 1))
    made = plan(border, replace(fleet_for(border, 1), vehicles=crew), FlatTerrain(500.0))
    save_plan(made, tmp_path / "plan.json")
    told = json.loads((tmp_path / "plan.json").read_text())["plan"]
    rows, row = [], None
    for line in printed(flights_table(made), width).splitlines():
        if line.startswith("│"):
            cells = [cell.strip() for cell in line.strip("│").split("│")]
            if cells[0]:
                row = cells
                rows.append(row)
            else:
                row[:] = [f"{a} {b}".strip() for a, b in zip(row, cells, strict=True)]
    of = {vehicle["sysid"]: vehicle for vehicle in told["fleet"]["vehicles"]}
    flown = {(flight["sysid"], flight["sortie"]) for flight in told["flights"]}
    assert len(rows) == len(flown)
    for sysid, number in flown:
        sortie = told["sorties"][number]
        (row,) = (row for row in rows if row[:2] == [of[sysid]["name"], sortie["name"]])
        starts = [f["start_s"] / 60 for f in told["flights"] if (f["sysid"], f["sortie"]) == (sysid, number)]
        capacity = of[sysid]["aircraft"]["battery_wh"]
        used = sum(leg["energy_wh"] for leg in sortie["legs"])
        assert row[2] == of[sysid]["base"]["name"]
        assert float(row[4]) == pytest.approx(sum(leg["duration_s"] for leg in sortie["legs"]) / 60, abs=0.051)
        assert row[5] == f"{1 - used / capacity:.0%}"
        first, apart, last = map(float, re.findall(r"[0-9.]+", row[3]))
        assert [first, last] == [pytest.approx(min(starts), abs=0.051), pytest.approx(max(starts), abs=0.051)]
        for k, start in enumerate(sorted(starts)):
            assert first + k * apart == pytest.approx(start, abs=0.1 + 0.05 * k)
    assert {row[2] for row in rows} == {"west", "east"}


def test_times_count_from_when_the_shift_begins_and_those_of_a_rest_from_now():
    border = straight(12_000)
    dated = plan(border, fleet_for(border, 1), options=PlanOptions(shift_start="2027-03-01T06:00+01:00"))
    sortie = dated.sorties[0]
    middle = sortie.patrol[len(sortie.patrol) // 2].start
    rest = resume(dated, Progress(sortie.name, at=(middle.lat_deg, middle.lon_deg), battery=0.9, airborne=True))
    shift, left = (" ".join(printed(flights_table(made), 200).split()) for made in (dated, rest))
    assert "minutes of the shift from 2027-03-01T06:00+01:00" in shift
    assert "in the air" not in shift
    assert "take-offs in minutes from now" in left
    (row,) = (line for line in printed(flights_table(rest), 200).splitlines() if f"{sortie.name}-rest-1" in line)
    assert "in the air" in row


def test_take_offs_that_are_not_evenly_apart_are_told_one_by_one_and_of_many_the_first_and_the_last(made):
    flights = tuple(Flight(60.0 * start, 0, 1, k) for k, start in enumerate([0, 10, 25, 31], 1))
    assert "0.0 10.0 25.0 31.0" in printed(flights_table(replace(made, flights=flights)), 100)
    flights = tuple(Flight(60.0 * start, 0, 1, k) for k, start in enumerate([0, 10, 25, 31, 50, 70, 71, 90], 1))
    assert "0.0 10.0 25.0 31.0 50.0 ... 90.0 (8 times)" in printed(flights_table(replace(made, flights=flights)), 200)


def test_reasons_keep_their_figures(made):
    """Places that differ in a figure are one row, which says from where to where it goes."""
    told = (
        (300.0, "no lawful way round zone 'lake' within 350 m, patrol_ceiling_agl_m 90 must hold"),
        (100.0, "no lawful way round zone 'lake' within 420.5 m, patrol_ceiling_agl_m 90 must hold"),
        (50.0, "the ridge {east} hides it for 75 m"),
    )
    gaps = [Uncovered(0.0, 50.0, area, 46.0, 8.0, reason, "border") for area, reason in told]
    coverage = replace(made.coverage, uncovered=tuple(gaps), band_area_m2=1000.0)
    text = printed(seen_table(coverage), 150)
    row = next(line for line in text.splitlines() if "lake" in line)
    assert "within 350 to 420.5 m, patrol_ceiling_agl_m 90 must hold" in row
    assert "40.0%" in row
    assert "the ridge {east} hides it for 75 m" in text
    assert "..." not in text
