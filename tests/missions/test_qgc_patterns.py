"""Surveys, corridor scans and landing patterns in plan files: what QGroundControl sends to a vehicle for them.

The objects are as QGroundControl 4 and 5 save them, less the figures of the camera that no item needs.
"""

import json
import math

import pytest

from missions import FormatError, read_qgc_plan, write_qgc_plan
from tests.missions.test_qgc_files import document, item, read


def transects(kind, *items, **more):
    inner = {
        "CameraCalc": {"CameraName": "Manual (no camera specs)", "DistanceMode": 1, "version": 2},
        "CameraShots": 14,
        "CameraTriggerInTurnAround": False,
        "HoverAndCapture": False,
        "Items": list(items),
        "Refly90Degrees": False,
        "TurnAroundDistance": 10,
        "VisualTransectPoints": [[46.001, 8.0], [46.002, 8.0]],
        "version": 2,
    }
    return {"TransectStyleComplexItem": inner, "complexItemType": kind, "type": "ComplexItem", "version": 5, **more}


def inner(command, frame, params, number):
    return {
        "autoContinue": True,
        "command": command,
        "doJumpId": number,
        "frame": frame,
        "params": params,
        "type": "SimpleItem",
    }


SURVEY = transects(
    "survey",
    inner(16, 3, [0, 0, 0, None, 46.001, 8.0, 60], 3),
    inner(206, 2, [25, 0, 1, 0, 0, 0, 0], 4),
    inner(16, 3, [0, 0, 0, None, 46.002, 8.0, 60], 5),
    inner(206, 2, [0, 0, 1, 0, 0, 0, 0], 6),
    angle=0,
    entryLocation=0,
    flyAlternateTransects=False,
    polygon=[[46.001, 8.0], [46.002, 8.0], [46.002, 8.001]],
)
CORRIDOR = transects(
    "CorridorScan",
    inner(16, 0, [0, 0, 0, None, 46.003, 8.0, 580.5], 3),
    inner(16, 0, [0, 0, 0, None, 46.004, 8.0, 590.5], 4),
    CorridorWidth=50,
    EntryPoint=0,
    polyline=[[46.003, 8.0], [46.004, 8.0]],
)


def landing(kind, version, **more):
    return {
        "altitudesAreRelative": True,
        "complexItemType": kind,
        "landCoordinate": [46.0, 8.0, 0],
        "landingApproachCoordinate": [46.0, 8.004, 40],
        "loiterClockwise": False,
        "loiterRadius": 75,
        "stopTakingPhotos": True,
        "stopVideoPhotos": True,
        "type": "ComplexItem",
        "useLoiterToAlt": True,
        "version": version,
        **more,
    }


def without(value, *names):
    return {name: v for name, v in value.items() if name not in names}


def told(mission):
    """Items as in the list that QGroundControl uploads, home left out: NaN, which is equal to nothing, as None."""
    items = mission.items[1:] if mission.dialect == "ardupilot" else mission.items
    scale = {True: 1.0, False: 1e7}
    return [
        (
            i.frame,
            i.command,
            *(None if math.isnan(p) else p for p in (i.p1, i.p2, i.p3, i.p4)),
            i.x / scale[i.frame == 2],
            i.y / scale[i.frame == 2],
            i.z,
        )
        for i in items
    ]


STOPS = [(2, 206, 0, 0, 0, 0, 0, 0, 0), (2, 2001, 0, 0, 0, 0, 0, 0, 0), (2, 2501, 0, 0, 0, 0, 0, 0, 0)]
MARK = (2, 189, 0, 0, 0, 0, 0, 0, 0)
CASES = {
    "survey": (
        SURVEY,
        [
            (6, 16, 0, 0, 0, None, 46.001, 8.0, 60),
            (2, 206, 25, 0, 1, 0, 0, 0, 0),
            (6, 16, 0, 0, 0, None, 46.002, 8.0, 60),
            (2, 206, 0, 0, 1, 0, 0, 0, 0),
        ],
    ),
    "corridor over terrain": (
        CORRIDOR,
        [(0, 16, 0, 0, 0, None, 46.003, 8.0, 580.5), (0, 16, 0, 0, 0, None, 46.004, 8.0, 590.5)],
    ),
    "vtol": (
        landing("vtolLandingPattern", 1),
        [MARK, *STOPS, (6, 31, 1, -75, 0, 1, 46.0, 8.004, 40), (6, 85, 0, 0, 0, None, 46.0, 8.0, 0)],
    ),
    "wing, straight in, above the sea": (
        landing(
            "fwLandingPattern",
            2,
            altitudesAreRelative=False,
            landCoordinate=[46.0, 8.0, 488],
            landingApproachCoordinate=[46.0, 8.004, 528],
            stopTakingPhotos=False,
            stopVideoPhotos=False,
            useLoiterToAlt=False,
            valueSetIsDistance=True,
        ),
        [MARK, (0, 16, 0, 0, 0, None, 46.0, 8.004, 528), (0, 21, 0, 0, 0, 0, 46.0, 8.0, 488)],
    ),
    "wing of version 1": (
        without(
            landing(
                "fwLandingPattern",
                1,
                landAltitudeRelative=True,
                loiterAltitudeRelative=True,
                loiterClockwise=True,
                loiterCoordinate=[46.0, 8.004, 40],
            ),
            "altitudesAreRelative",
            "landingApproachCoordinate",
            "stopTakingPhotos",
            "stopVideoPhotos",
            "useLoiterToAlt",
        ),
        [MARK, (6, 31, 1, 75, 0, 1, 46.0, 8.004, 40), (6, 21, 0, 0, 0, 0, 46.0, 8.0, 0)],
    ),
}


@pytest.mark.parametrize("firmware", [3, 12])
@pytest.mark.parametrize("case", CASES)
def test_a_pattern_is_the_items_that_are_sent_for_it(tmp_path, case, firmware):
    pattern, items = CASES[case]
    before, after = item(22), item(16, number=9, params=(0, 0, 0, None, 46.0, 8.002, 50))
    mission = read(tmp_path, document(before, pattern, after, firmware=firmware))
    first = (6, 22, 0, 0, 0, None, 46.0, 8.0, 50)
    assert told(mission) == [first, *items, (6, 16, 0, 0, 0, None, 46.0, 8.002, 50)]
    assert [i.seq for i in mission.items] == list(range(len(mission.items)))
    write_qgc_plan(mission, tmp_path / "ours.plan", (46.0, 8.0, 488.0))
    assert repr(read_qgc_plan(tmp_path / "ours.plan").items) == repr(mission.items)


def test_a_jump_over_a_survey_leads_to_its_item_and_one_into_it_is_refused(tmp_path):
    jump = {"frame": 2, "params": [7, 2, 0, 0, 0, 0, 0]}
    items = item(22), SURVEY, item(16, number=7), item(177, number=8, **jump)
    mission = read(tmp_path, document(*items))
    assert mission.items[int(mission.items[-1].p1)].command == 16
    assert mission.items[-1].p1 == 6
    into = {"frame": 2, "params": [4, 2, 0, 0, 0, 0, 0]}
    with pytest.raises(FormatError, match="jumps to doJumpId 4, which no item has"):
        read(tmp_path, document(*items[:3], item(177, number=8, **into)))


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ({"complexItemType": "StructureScan", "type": "ComplexItem", "version": 3}, "is a StructureScan, whose items"),
        ({"complexItemType": ["survey"], "type": "ComplexItem"}, "whose items"),
        (without(SURVEY, "TransectStyleComplexItem"), "item 2, a survey, has no items in it"),
        (transects("survey"), "item 2, a survey, has no items in it"),
        (transects("CorridorScan", SURVEY), "its item 1 is no simple item"),
        (transects("survey", inner(16, 1, [0] * 7, 3)), "item 2, its item 1: frame 1 has no latitude"),
        (landing("vtolLandingPattern", 2), "of version 2, this program reads 1:"),
        (landing("fwLandingPattern", 3), "of version 3, this program reads 1 and 2:"),
        (landing("fwLandingPattern", 2, loiterClockwise="false"), "loiterClockwise is 'false': give true or false"),
        (landing("fwLandingPattern", 2, landCoordinate=[46.0, 8.0]), "landCoordinate is .46.0, 8.0.: give latitude"),
        (landing("fwLandingPattern", 2, landCoordinate=[None, 8.0, 0]), "landCoordinate is .None"),
        (without(landing("fwLandingPattern", 2), "landingApproachCoordinate"), "loiterCoordinate is None"),
        (without(landing("fwLandingPattern", 2), "loiterRadius"), "loiterRadius"),
        (item(16, params=[0, 0, 0, None, None, 8.0, 50]), "item 2: of its place one figure is null"),
        (
            without(
                landing("fwLandingPattern", 1, landAltitudeRelative=True, loiterAltitudeRelative=False),
                "altitudesAreRelative",
            ),
            "make both the same",
        ),
    ],
)
def test_a_pattern_whose_items_cannot_be_told_is_refused_by_name(tmp_path, pattern, words):
    with pytest.raises(FormatError, match=words):
        read(tmp_path, json.loads(json.dumps(document(item(22), pattern))))
