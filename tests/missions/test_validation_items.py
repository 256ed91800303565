"""What is uploaded is held against the legs: every item that is put wrong by hand is named, and none that is right."""

import re
from dataclasses import replace

import pytest

from geo import FlatTerrain
from missions import (
    Airspace,
    Fleet,
    MissionItem,
    PlanOptions,
    Progress,
    Wind,
    compile_mission,
    plan,
    resume,
    validate_missions,
)
from tests.missions.helpers import fleet_for, straight, zone
from tests.missions.test_airspace_plans import WING

TAKEOFF, WAYPOINT, RETURN, LAND, JUMP, SPEED, CAMERA, MARK = 22, 16, 20, 21, 177, 178, 205, 189
FILM, CUT = 2500, 2501
RULE = "items fly the legs"


def winged(form):
    craft = WING if form == "fixed_wing" else replace(WING, form="vtol", transition_s=10, takeoff_s=15, landing_s=20)
    border = straight(8000)
    fleet = fleet_for(border, 1, 2500.0)
    vehicles = tuple(replace(v, aircraft=replace(craft, hover_power_w=900)) for v in fleet.vehicles)
    camera = replace(fleet.camera, max_gsd_m=0.3)
    options = PlanOptions(shift_s=3600.0, dwell_s=1.0, wind=Wind(5.0, 200.0))
    return plan(border, Fleet(camera, vehicles), FlatTerrain(100.0), options)


@pytest.fixture(scope="module")
def plans():
    border = straight()
    airspace = Airspace((zone("mast", 3800, 500, 300),))
    options = PlanOptions(shift_s=3600.0, wind=Wind(4.0, 30.0))
    rotors = plan(border, fleet_for(border), FlatTerrain(100.0), options, airspace=airspace)
    return {"rotors": rotors, "wings": winged("fixed_wing"), "vtol": winged("vtol")}


def broken(made, missions):
    (rule,) = [rule for rule in validate_missions(made, missions).rules if rule.name == RULE]
    return rule.broken


@pytest.mark.parametrize("dialect", ["ardupilot", "px4"])
@pytest.mark.parametrize("form", ["rotors", "wings", "vtol"])
def test_what_is_compiled_flies_the_legs(plans, form, dialect):
    made = plans[form]
    assert broken(made, [compile_mission(made, sortie, dialect) for sortie in made.sorties]) == ()


def test_so_does_what_is_left_of_a_sortie(plans):
    made = plans["rotors"]
    sortie = made.sorties[0]
    at = sortie.patrol[len(sortie.patrol) // 2].end
    rest = resume(made, Progress(sortie.name, at=(at.lat_deg, at.lon_deg), battery=0.9, airborne=True))
    assert rest.sorties[0].airborne
    for dialect in ("ardupilot", "px4"):
        assert broken(rest, [compile_mission(rest, one, dialect) for one in rest.sorties]) == ()


def numbered(items):
    return [replace(item, seq=k) for k, item in enumerate(items)]


def at(command, nth, /, **changes):
    """The nth item of a command with other figures: values, or functions of what it has."""

    def change(items):
        k = [k for k, item in enumerate(items) if item.command == command][nth]
        new = {name: v(getattr(items[k], name)) if callable(v) else v for name, v in changes.items()}
        return [*items[:k], replace(items[k], **new), *items[k + 1 :]]

    return change


def without(command, nth):
    def change(items):
        k = [k for k, item in enumerate(items) if item.command == command][nth]
        return numbered(items[:k] + items[k + 1 :])

    return change


def swapped(items):
    one, other = [k for k, item in enumerate(items) if item.command == WAYPOINT][2:4]
    new = list(items)
    new[one], new[other] = items[other], items[one]
    return numbered(new)


BROKEN = {
    "over the border": (at(WAYPOINT, 3, x=lambda x: x - 20_000), "222.4 m from the end of its leg"),
    "two metres off": (at(WAYPOINT, 3, x=lambda x: x + 180), "2.0 m from the end of its leg"),
    "over the ceiling": (at(WAYPOINT, 3, z=lambda z: z + 300), r"\+300.0 m high"),
    "below the floor": (at(WAYPOINT, 3, z=5.0), "-.* m high"),
    "a height that is none": (at(WAYPOINT, 3, z=float("nan")), "nan m high"),
    "above the sea": (at(WAYPOINT, 3, frame=0), "in frame 0, not above home"),
    "above terrain": (at(WAYPOINT, 3, frame=10), "in frame 10, not above home"),
    "a place left out": (without(WAYPOINT, 3), "its mission leads to"),
    "two places the wrong way round": (swapped, "from the end of its leg"),
    "no return": (without(RETURN, 0), "ends with command 16, wanted is 20"),
    "lands where the last leg ends": (at(RETURN, 0, command=LAND), "ends with command 21, wanted is 20"),
    "no take-off": (at(TAKEOFF, 0, command=WAYPOINT), "is of command 16, wanted is 22"),
    "takes off to nowhere": (at(TAKEOFF, 0, z=0.0), "m high"),
    "round and round": (
        lambda items: [*items[:-1], MissionItem(len(items) - 1, 2, JUMP, 2, -1), replace(items[-1], seq=len(items))],
        "is of command 177, which is no part of its legs",
    ),
    "too fast": (at(SPEED, 1, p2=25.0), "at 25.0 m/s, its leg at"),
    "a speed through the air": (at(SPEED, 1, p1=0.0), "at a speed of kind 0"),
    "no speed": (without(SPEED, 0), "at a speed that nobody has told"),
    "looks to the other side": (at(CAMERA, 0, p3=lambda p: -p), "with a camera at"),
    "looks down": (at(CAMERA, 0, p1=-90.0), "with a camera at"),
    "no camera": (without(CAMERA, 0), "with a camera at None"),
    "no film": (without(FILM, 0), "without a film of what its leg watches"),
    "films all the way home": (without(CUT, -1), "is filmed on the way to"),
    "hovers for ten minutes": (at(WAYPOINT, 3, p1=600.0), "waits there for 600 s, its leg for 0.0"),
    "cuts corners": (at(WAYPOINT, 3, p2=200.0), "for reached 200 m away"),
    "out of order": (at(WAYPOINT, 3, seq=99), "is out of order, or waits"),
    "waits for somebody": (at(WAYPOINT, 3, autocontinue=False), "is out of order, or waits"),
    "home elsewhere": (at(WAYPOINT, 0, x=lambda x: x + 90_000), "its home is 1000.*m from that of the plan"),
    "home higher": (at(WAYPOINT, 0, z=lambda z: z + 50), r"its home is 0.0 m from that of the plan, \+50.0 m high"),
    "no home": (lambda items: numbered(items[1:]), "item 0 is no home"),
    "more than its vehicle stores": (
        lambda items: numbered([*items[:5], *[items[4]] * 600, *items[5:]]),
        r"its mission has 6.. items, vehicle-1 stores 500$",
    ),
    "nothing": (lambda _: [], "ends with command None"),
    "wings with no mark": (without(MARK, 0), "its landing sequence is not marked", "wings"),
    "wings told too slow": (at(SPEED, 0, p2=5.0), "at 5.0 m/s through the air", "wings"),
    "wings that return": (at(LAND, 0, command=RETURN), "its mission leads to", "wings"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_what_is_broken_is_named_with_its_sortie(plans, what):
    change, words, *form = BROKEN[what]
    made = plans[form[0] if form else "rotors"]
    missions = [compile_mission(made, sortie) for sortie in made.sorties]
    missions[0] = replace(missions[0], items=tuple(change(list(missions[0].items))))
    found = broken(made, missions)
    assert found
    assert all(sentence.startswith(f"{made.sorties[0].name}: ") for sentence in found)
    assert any(re.search(words, sentence) for sentence in found), found
