"""Plan files as QGroundControl and others write them, by the form of its developer guide: what Vedette never writes."""

import json
import math
from dataclasses import replace

import pytest

from missions import (
    FormatError,
    Mission,
    MissionItem,
    PlanOptions,
    plan,
    read_qgc_plan,
    write_plan_folder,
    write_qgc_plan,
)
from tests.missions.helpers import fleet_for, straight
from tests.missions.test_airspace_plans import WING


def item(command, frame=3, params=(0, 0, 0, None, 46.0, 8.0, 50), number=1, **more):
    return {
        "AMSLAltAboveTerrain": None,
        "Altitude": 50,
        "AltitudeMode": 1,
        "autoContinue": True,
        "command": command,
        "doJumpId": number,
        "frame": frame,
        "params": list(params),
        "type": "SimpleItem",
        **more,
    }


def document(*items, firmware=3, **more):
    return {
        "fileType": "Plan",
        "geoFence": {"circles": [], "polygons": [], "version": 2},
        "groundStation": "QGroundControl",
        "mission": {
            "cruiseSpeed": 15,
            "firmwareType": firmware,
            "globalPlanAltitudeMode": 1,
            "hoverSpeed": 5,
            "items": list(items),
            "plannedHomePosition": [46.0, 8.0, 488],
            "vehicleType": 2,
            "version": 2,
        },
        "rallyPoints": {"points": [], "version": 2},
        "version": 1,
        **more,
    }


def read(tmp_path, value):
    path = tmp_path / "theirs.plan"
    path.write_text(json.dumps(value))
    return read_qgc_plan(path)


JUMP = {"frame": 2, "params": [12, 3, 0, 0, 0, 0, 0]}


@pytest.mark.parametrize(("firmware", "target"), [(3, 2), (12, 1)])
def test_a_jump_leads_to_the_item_with_its_do_jump_id(tmp_path, firmware, target):
    """The ids have a gap where a survey was: they are names, no places in the list."""
    items = item(22, number=1), item(16, number=12), item(16, number=13), item(177, number=14, **JUMP)
    mission = read(tmp_path, document(*items, firmware=firmware))
    jump = mission.items[-1]
    assert (jump.p1, jump.p2) == (target, 3)
    # QGroundControl finds the same item in what is written of it.
    write_qgc_plan(mission, tmp_path / "ours.plan", (46.0, 8.0, 488.0))
    ours = json.loads((tmp_path / "ours.plan").read_text())["mission"]["items"]
    assert [i["doJumpId"] for i in ours] == [1, 2, 3, 4]
    assert ours[3]["params"][:2] == [2, 3]
    assert repr(read_qgc_plan(tmp_path / "ours.plan").items) == repr(mission.items)


def test_a_jump_to_nowhere_is_refused_both_ways(tmp_path):
    with pytest.raises(FormatError, match="item 2: jumps to doJumpId 12, which no item has"):
        read(tmp_path, document(item(22), item(177, number=2, **JUMP)))
    items = MissionItem(0, 0, 16), MissionItem(1, 6, 22), MissionItem(2, 2, 177, p1=0.0, p2=2.0)
    with pytest.raises(FormatError, match="item 2: jumps to item 0, which is none that is flown"):
        write_qgc_plan(Mission("a", "ardupilot", items, (), ()), tmp_path / "a.plan")


@pytest.mark.parametrize("missing", [("geoFence",), ("rallyPoints",), ("geoFence", "rallyPoints")])
def test_fence_and_rally_points_are_optional(tmp_path, missing):
    value = {name: part for name, part in document(item(22)).items() if name not in missing}
    mission = read(tmp_path, value)
    assert [i.command for i in mission.items] == [16, 22]
    assert (mission.fence, mission.rally) == ((), ())


@pytest.mark.parametrize(
    ("change", "words"),
    [
        # As QGroundControl wrote them in 2018: a fence that would be lost, and rally points.
        ({"geoFence": {"polygon": [[46, 8], [46.1, 8], [46.1, 8.1]], "version": 1}}, "geoFence is of version 1"),
        ({"rallyPoints": {"points": [[46, 8, 20]], "version": 1}}, "rallyPoints is of version 1"),
        ({"mission": {**document()["mission"], "version": 1}}, "mission is of version 1"),
        ({"geoFence": []}, None),
        ({"geoFence": "none"}, "geoFence is no object"),
    ],
)
def test_parts_of_other_versions_are_refused_rather_than_dropped(tmp_path, change, words):
    value = document(item(22)) | change
    if words is None:
        assert read(tmp_path, value).fence == ()
        return
    with pytest.raises(FormatError, match=words):
        read(tmp_path, value)


def test_heights_of_all_altitude_modes_are_read_as_they_are_flown(tmp_path):
    """Above home, AMSL, worked out over terrain (the file has it AMSL), and above terrain as the autopilot follows."""
    items = (
        item(22, 3, number=1),
        item(16, 0, (0, 0, 0, None, 46.0, 8.0, 700), 2, AltitudeMode=2, Altitude=700),
        item(16, 0, (0, 0, 0, None, 46.0, 8.0, 538.5), 3, AltitudeMode=3, Altitude=50, AMSLAltAboveTerrain=538.5),
        item(16, 10, (0, 0, 0, None, 46.0, 8.0, 40), 4, AltitudeMode=4, Altitude=40),
    )
    mission = read(tmp_path, document(*items))
    assert [(i.frame, i.z) for i in mission.items[1:]] == [(6, 50), (0, 700), (0, 538.5), (10, 40)]
    assert all(math.isnan(i.p4) for i in mission.items[1:])
    write_qgc_plan(mission, tmp_path / "ours.plan", (46.0, 8.0, 488.0))
    ours = json.loads((tmp_path / "ours.plan").read_text())["mission"]
    assert [i["frame"] for i in ours["items"]] == [3, 0, 0, 10]
    assert [i["AltitudeMode"] for i in ours["items"]] == [1, 2, 2, 4]
    # Mixed: with one mode for all QGroundControl would show them all so.
    assert ours["globalPlanAltitudeMode"] == 0


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"frame": 1}, "item 1: frame 1 has no latitude"),
        ({"frame": 3.5}, r"item 1: frame 3\.5 has no latitude"),
        ({"command": 16.5}, r"item 1: command is 16\.5"),
        ({"command": 70_000}, "item 1: command is 70000"),
        ({"command": -1}, "item 1: command is -1"),
        ({"params": [0, 0, 0, 0, 91, 8, 50]}, "item 1: x is 91: give degrees"),
        ({"params": [0, 0, 0, 0, 46, 181, 50]}, "item 1: y is 181: give degrees"),
        ({"frame": 2, "params": [0, 0, 0, 0, 46.5, 8, 4]}, r"item 1: parameter 5 is 46\.5"),
        ({"frame": 2, "params": [0, 0, 0, 0, 0, 3e9, 4]}, "item 1: parameter 6 is 3e"),
    ],
)
def test_what_an_item_cannot_carry_is_refused(tmp_path, wrong, words):
    with pytest.raises(FormatError, match=words):
        read(tmp_path, document(item(16) | wrong))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"mission": {**document(item(16))["mission"], "firmwareType": 0}}, "firmwareType is 0, neither 3"),
        ({"mission": {**document()["mission"], "items": [1.5]}}, "not what it should be"),
        ({"mission": {**document()["mission"], "items": [item(16, autoContinue="false")]}}, "autoContinue is 'false'"),
        ({"mission": {**document()["mission"], "plannedHomePosition": [46, 8, math.inf]}}, "no finite number"),
        (
            {"mission": {**document()["mission"], "items": [item(16, params=(0, 0, 0, 0, 46, 8, math.inf))]}},
            "no finite",
        ),
        ({"mission": {**document()["mission"], "items": [item(16, params=(0, 0, 0, 0, "46", 8, 50))]}}, "no finite"),
        ({"rallyPoints": {"points": [[46, 200, 20]], "version": 2}}, "rally point 1: y is 200: give degrees"),
        ({"rallyPoints": {"points": [[46, 8, math.inf]], "version": 2}}, "no finite number"),
    ],
)
def test_figures_that_are_none_are_refused(tmp_path, change, words):
    with pytest.raises(FormatError, match=words):
        read(tmp_path, document(item(16)) | change)


@pytest.mark.parametrize(
    ("fence", "words"),
    [
        (
            {"polygons": [{"inclusion": True, "polygon": [[91, 8], [46, 8], [46, 9]], "version": 1}]},
            "vertex .* x is 91",
        ),
        ({"circles": [{"inclusion": True, "circle": {"center": [46, 181], "radius": 5}, "version": 1}]}, "y is 181"),
        ({"circles": [{"inclusion": True, "circle": {"center": [46, 8], "radius": math.inf}}]}, "no finite number"),
    ],
)
def test_a_fence_that_is_nowhere_is_refused(tmp_path, fence, words):
    with pytest.raises(FormatError, match=words):
        read(tmp_path, document(item(16), geoFence={"version": 2, **fence}))


def test_a_height_that_is_said_twice_differently_is_refused(tmp_path):
    """QGroundControl takes Altitude, programs that know no more than MAVLink parameter 7."""
    with pytest.raises(FormatError, match="item 1: its Altitude is 100 and parameter 7 50"):
        read(tmp_path, document(item(16, Altitude=100)))


@pytest.mark.parametrize(
    ("craft", "vehicle"),
    [(None, 2), (WING, 1), (replace(WING, form="vtol", transition_s=8), 20)],
    ids=["multirotor", "fixed wing", "vtol"],
)
def test_a_plan_file_says_what_flies_it(tmp_path, craft, vehicle):
    """As QGroundControl numbers its classes of vehicles: MAV_TYPE of a quadrotor, a fixed wing, a VTOL."""
    border = straight(10_000)
    fleet = fleet_for(border, 1)
    if craft is not None:
        fleet = replace(fleet, vehicles=(replace(fleet.vehicles[0], aircraft=craft),))
    made = plan(border, fleet, options=PlanOptions(dwell_s=2.0))
    write_plan_folder(made, tmp_path)
    value = json.loads((tmp_path / f"{made.sorties[0].name}.plan").read_text())
    assert value["mission"]["vehicleType"] == vehicle
    assert value["mission"]["globalPlanAltitudeMode"] == 1
