"""Validation takes from the planner what a plan is made of, and nothing that plans."""

import ast
import importlib
import inspect
import sys
from pathlib import Path

import pytest

import missions
from missions import Airspace, Objective, PlanOptions, Risk, RiskTable, Wind, plan, validate
from tests.missions.helpers import fleet_for, straight, zone

FOLDER = Path(missions.__file__).parent
MODULES = sorted(FOLDER.glob("validation*.py"))

JUDGED = "what a plan is made of and was made for: the fields are read, every figure is worked out anew"
TAKEN = {
    **dict.fromkeys(
        (
            "airspace.Zone", "border.BorderSegment", "aircraft.Aircraft", "fleet.Camera", "mission.Mission",
            "mission.MissionItem", "network.Branch", "observation.Observation", "patrol.PatrolPlan", "risk.RiskTable",
            "sortie.Leg", "sortie.Sortie", "sortie.Waypoint", "wind.Wind",
        ),
        JUDGED,
    ),
    "airspace.ZoneKind": "the words for what a zone is",
    "options.Objective": "the words for what a plan makes small",
    "sortie.LegKind": "the words for what a leg is for",
    "sortie.BENDING": "which of these words are of legs that wings fly in arcs",
    "limits.RALLY_POINTS": "what autopilots store: a fact of theirs",
    "errors.PlanError": "what the clock raises where hours of a risk have no date",
    "clock.ShiftClock": "the hour of the day at a moment: a fact of time zones, shown by zoneinfo in test_clock",
}  # fmt: skip
"""What validation takes from elsewhere in the package, and why it may."""

FIELDS = "its fields, joined, chosen or counted from another place"
CALLED = {
    **dict.fromkeys(
        (
            "border.BorderSegment.is_ring", "border.BorderSegment.unwrapped", "border.Side.sign",
            "aircraft.Aircraft.has_wings", "aircraft.Aircraft.needs_runway", "fleet.Fleet.camera_of",
            "patrol.Coverage.share",
            "patrol.PatrolPlan.borders", "patrol.PatrolPlan.branches", "patrol.PatrolPlan.figure_s",
            "patrol.PatrolPlan.observation_of", "patrol.PatrolPlan.rest", "risk.Risk.holds", "risk.RiskTable.of_line",
            "sortie.Sortie.airborne", "sortie.Sortie.duration_s", "sortie.Sortie.patrol", "sortie.Sortie.reserve_left",
            "sortie.Sortie.way", "sortie.Waypoint.agl_m", "sortie.Waypoint.amsl_m",
        ),
        FIELDS,
    ),
    "patrol.PatrolPlan.blocking_zones": "which zones are shut whatever the height: legs over the others are judged by "
    "theirs",
    "aircraft.Aircraft.power_w": "what an aircraft is; test_by_hand works it out from its fields",
    "aircraft.Aircraft.turn_radius_in": "by how much a bay is rounded at most: it allows, and test_runway has it",
    "clock.ShiftClock.of": "see TAKEN",
    "clock.ShiftClock.hour": "see TAKEN",
}  # fmt: skip
"""What of the code of such values validation calls, and why it may."""


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_what_is_taken_of_the_planner_has_a_reason(path):
    taken = set()
    for node in ast.walk(ast.parse(path.read_text())):
        assert not isinstance(node, ast.Import) or not any(a.name.startswith("missions") for a in node.names)
        if isinstance(node, ast.ImportFrom) and not node.module.startswith("missions.validation_"):
            if node.module.split(".")[0] != "missions":
                continue
            values = vars(importlib.import_module(node.module))
            assert not [alias.name for alias in node.names if inspect.isroutine(values[alias.name])]
            taken |= {f"{node.module.removeprefix('missions.')}.{alias.name}" for alias in node.names}
    assert taken <= TAKEN.keys()


def test_every_reason_is_needed():
    text = "".join(path.read_text() for path in MODULES)
    assert [name for name in TAKEN if f" {name.split('.')[1]}" not in text] == []


@pytest.mark.parametrize("objective", list(Objective))
def test_what_is_called_of_the_planner_has_a_reason(objective):
    border = straight(6000)
    rows = RiskTable((Risk(0, 2000, 3.0, 0, 1),))
    airspace = Airspace((zone("mast", 3800, 500, 300),))
    options = PlanOptions(objective=objective, wind=Wind(3.0, 90.0), shift_s=7200.0)
    made = plan(border, fleet_for(border, 2), None, options, airspace=airspace, risk=rows)
    called = _called(lambda: validate(made))
    assert called >= {"patrol.PatrolPlan.blocking_zones", "sortie.Waypoint.agl_m"}
    assert called <= CALLED.keys()


def _called(what):
    """Functions, methods and properties of the planner that validation calls."""
    found = set()

    def look(frame, event, _):
        code, caller = frame.f_code, frame.f_back
        if event != "call" or caller is None or not caller.f_code.co_filename.startswith(str(FOLDER / "validation")):
            return
        path = Path(code.co_filename)
        if path.parent == FOLDER and not path.stem.startswith("validation"):
            found.add(f"{path.stem}.{code.co_qualname}")

    before = sys.getprofile()
    sys.setprofile(look)
    try:
        what()
    finally:
        sys.setprofile(before)
    return found
