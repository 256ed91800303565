"""The tables that `vedette plan` prints: every word and every figure is there, however narrow the terminal."""

import io
import re
from dataclasses import replace

import pytest
from rich.console import Console

from cli.planning import changes_table, plan_table, seen_table, validation_table
from geo import FlatTerrain
from missions import Change, Uncovered, plan, validate
from tests.missions.helpers import fleet_for, straight


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
