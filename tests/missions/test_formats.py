"""Files for other programs, and the plan file."""

import json
import math
from dataclasses import replace

import pytest
import shapely
from fastkml import KML
from hypothesis import HealthCheck, given, settings

from geo import FlatTerrain
from missions import (
    FormatError,
    Mission,
    MissionItem,
    compile_mission,
    draw_map,
    load_plan,
    plan,
    plan_geojson,
    read_border,
    read_qgc_plan,
    save_plan,
    write_plan_geojson,
    write_plan_kml,
    write_qgc_plan,
)
from tests.missions.helpers import fleet_for, straight
from tests.missions.mission_strategies import home_of, missions


@pytest.fixture(scope="module")
def made():
    border = straight(12_000)
    return plan(border, fleet_for(border, 2), FlatTerrain(1180.0))


@pytest.mark.parametrize("dialect", ["ardupilot", "px4"])
def test_a_qgc_plan_comes_back(made, tmp_path, dialect):
    mission = compile_mission(made, made.sorties[0], dialect)
    path = tmp_path / f"{mission.name}.plan"
    write_qgc_plan(mission, path, home=(46.0, 8.0, 1180.0))
    # NaN is not equal to itself; its text is.
    assert repr(read_qgc_plan(path)) == repr(mission)


def test_a_qgc_plan_has_what_qgroundcontrol_requires(made, tmp_path):
    """Keys and types of the QGroundControl developer guide, "Plan File Format"."""
    path = tmp_path / "a.plan"
    write_qgc_plan(compile_mission(made, made.sorties[0]), path)
    value = json.loads(path.read_text())
    assert (value["fileType"], value["groundStation"], value["version"]) == ("Plan", "QGroundControl", 1)
    mission = value["mission"]
    assert mission["version"] == 2
    assert (mission["firmwareType"], mission["vehicleType"]) == (3, 2)
    assert len(mission["plannedHomePosition"]) == 3
    assert {"cruiseSpeed", "hoverSpeed"} <= set(mission)
    for number, item in enumerate(mission["items"], 1):
        assert item["type"] == "SimpleItem"
        assert item["doJumpId"] == number
        assert len(item["params"]) == 7
        # Frames that a QGroundControl item knows; the wire's integer frame is not one.
        assert item["frame"] in {0, 2, 3}
        assert item["autoContinue"] is True
    assert value["geoFence"]["version"] == 2
    assert value["geoFence"]["circles"] == []
    (polygon,) = value["geoFence"]["polygons"]
    assert polygon["version"] == 1
    assert polygon["inclusion"] is True
    assert all(len(v) == 2 for v in polygon["polygon"])
    assert value["rallyPoints"]["version"] == 2
    assert all(len(p) == 3 for p in value["rallyPoints"]["points"])


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(missions())
def test_any_lawful_mission_comes_back_from_a_qgc_plan(tmp_path_factory, mission):
    path = tmp_path_factory.mktemp("qgc") / f"{mission.name}.plan"
    write_qgc_plan(mission, path, (46.0, 8.0, home_of(mission)))
    assert repr(read_qgc_plan(path)) == repr(mission)


def test_parameters_of_a_command_without_a_place_are_no_degrees_in_a_qgc_plan(tmp_path):
    """Parameters 5 and 6 of an item of the frame "mission" stand in the file as they are."""
    path = tmp_path / "a.plan"
    items = (MissionItem(0, 6, 16, x=460000000, y=80000000, z=50.0), MissionItem(1, 2, 203, p1=1.0, x=1, y=2))
    write_qgc_plan(Mission("a", "px4", items, (), ()), path)
    first, second = json.loads(path.read_text())["mission"]["items"]
    assert first["params"][4:] == [46.0, 8.0, 50.0]
    assert second["params"] == [1.0, 0.0, 0.0, 0.0, 1.0, 2.0, 0.0]


def test_home_of_a_px4_plan_is_the_one_given_or_the_first_place(tmp_path):
    """A command without a place has zeros where others have one: that is off Africa."""
    speed, place = MissionItem(0, 2, 178, p2=12.5), MissionItem(1, 6, 16, x=460000000, y=80000000, z=50.0)
    both, bare = (Mission("a", "px4", items, (), ()) for items in ((speed, place), (speed,)))
    for home, told in (((45.9, 7.9, 500.0), [45.9, 7.9, 500.0]), (None, [46.0, 8.0, 0.0])):
        write_qgc_plan(both, tmp_path / "a.plan", home)
        assert json.loads((tmp_path / "a.plan").read_text())["mission"]["plannedHomePosition"] == told
    with pytest.raises(FormatError, match="no place, and no home is given"):
        write_qgc_plan(bare, tmp_path / "b.plan")
    assert not (tmp_path / "b.plan").exists()


def test_a_speed_left_as_it_is_sets_no_speed_of_a_qgc_plan(tmp_path):
    place = MissionItem(0, 6, 16, x=460000000, y=80000000, z=50.0)
    speeds = (MissionItem(1, 2, 178, p2=12.5), MissionItem(2, 2, 178, p2=math.nan), MissionItem(3, 2, 178, p2=-1.0))
    mission = Mission("a", "px4", (place, *speeds), (), ())
    write_qgc_plan(mission, tmp_path / "a.plan")
    assert json.loads((tmp_path / "a.plan").read_text())["mission"]["cruiseSpeed"] == 12.5
    assert repr(read_qgc_plan(tmp_path / "a.plan")) == repr(mission)


@pytest.mark.parametrize(
    ("items", "words"),
    [((), "has no items"), ((MissionItem(0, 6, 16, p1=math.inf, x=1, y=1),), "infinite or NaN")],
)
@pytest.mark.parametrize("dialect", ["ardupilot", "px4"])
def test_what_a_qgc_plan_cannot_say_is_not_written(tmp_path, dialect, items, words):
    home = (MissionItem(0, 0, 16, x=460000000, y=80000000),) if items and dialect == "ardupilot" else ()
    with pytest.raises(FormatError, match=words):
        write_qgc_plan(Mission("a", dialect, (*home, *items), (), ()), tmp_path / "a.plan")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("dialect", "rally_frame", "words"),
    [("ardupilot", 6, "item 0 of mission 'a' is no home"), ("px4", 0, "rally point of mission 'a' is not above home")],
)
def test_what_a_qgc_plan_would_change_is_not_written(tmp_path, dialect, rally_frame, words):
    """A take-off would become home, 500 m above the sea 500 m above home."""
    takeoff = MissionItem(0, 6, 22, x=460000000, y=80000000, z=50.0)
    rally = MissionItem(0, rally_frame, 5100, x=460000000, y=80000000, z=500.0)
    with pytest.raises(FormatError, match=words):
        write_qgc_plan(Mission("a", dialect, (takeoff, takeoff), (), (rally,)), tmp_path / "a.plan")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda v: v | {"fileType": "Mission"}, "fileType"),
        (lambda v: v | {"version": 2}, "version 2"),
        (
            lambda v: v | {"mission": v["mission"] | {"items": [{"type": "ComplexItem", "complexItemType": "survey"}]}},
            "survey",
        ),
        (lambda v: v | {"geoFence": v["geoFence"] | {"circles": [{}]}}, "circle"),
        (
            lambda v: v | {"mission": v["mission"] | {"items": [{"type": "SimpleItem", "params": "x"}]}},
            "not what it should be",
        ),
        (
            lambda v: v | {"mission": v["mission"] | {"plannedHomePosition": [math.inf, 8.0, 1180.0]}},
            "not what it should be",
        ),
        (lambda v: [v], "not a QGroundControl plan"),
    ],
)
def test_a_qgc_plan_that_cannot_be_read_says_why(made, tmp_path, change, words):
    path = tmp_path / "a.plan"
    write_qgc_plan(compile_mission(made, made.sorties[0]), path)
    path.write_text(json.dumps(change(json.loads(path.read_text()))))
    with pytest.raises(FormatError, match=words):
        read_qgc_plan(path)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda v: v | {"version": 99}, "version 99"),
        (lambda v: v | {"format": "other"}, "not a plan file"),
        (lambda v: v | {"plan": {k: x for k, x in v["plan"].items() if k != "revisit_s"}}, "plan.revisit_s is missing"),
        (lambda v: v | {"plan": v["plan"] | {"revisit_s": "soon"}}, "plan.revisit_s"),
        (lambda v: v | {"plan": v["plan"] | {"sorties": 3}}, "plan.sorties"),
        (lambda v: v | {"plan": v["plan"] | {"border": v["plan"]["border"] | {"own_side": "up"}}}, "own_side"),
        (lambda v: v | {"plan": v["plan"] | {"border": v["plan"]["border"] | {"stand_off_m": -1}}}, "stand_off_m"),
    ],
)
def test_a_plan_file_that_was_garbled_names_the_field(made, tmp_path, change, words):
    path = tmp_path / "plan.json"
    save_plan(made, path)
    path.write_text(json.dumps(change(json.loads(path.read_text()))))
    with pytest.raises(FormatError, match=words):
        load_plan(path)


def test_geojson_has_every_sortie_and_the_border_can_be_read_from_it(made, tmp_path):
    value = plan_geojson(made)
    kinds = [f["properties"].get("kind") for f in value["features"]]
    assert kinds.count("sortie") == kinds.count("fence") == len(made.sorties)
    for feature in value["features"]:
        assert shapely.geometry.shape(feature["geometry"]).is_valid
    (tmp_path / "border.json").write_text(json.dumps(value["features"][0]))
    assert read_border(tmp_path / "border.json") == made.border
    write_plan_geojson(made, tmp_path / "plan.geojson")
    assert json.loads((tmp_path / "plan.geojson").read_text()) == json.loads(json.dumps(value))


def test_kml_is_read_by_another_library(made, tmp_path):
    path = tmp_path / "plan.kml"
    write_plan_kml(made, path)
    document = KML.parse(path).features[0]
    folders = [f for f in document.features if type(f).__name__ == "Folder"]
    assert [f.name for f in folders] == [s.name for s in made.sorties]
    patrol = next(p for p in folders[0].features if p.name == "patrol")
    first = made.sorties[0].patrol[0].start
    assert patrol.geometry.coords[0] == pytest.approx((first.lon_deg, first.lat_deg, 1270.0))


def test_a_name_that_xml_cannot_hold_is_refused(made, tmp_path):
    named = replace(made, border=replace(made.border, name="a\x01b"))
    with pytest.raises(FormatError, match="character that XML cannot hold"):
        write_plan_kml(named, tmp_path / "plan.kml")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("ending", ["png", "svg"])
def test_a_map_is_drawn(made, tmp_path, ending):
    path = tmp_path / f"map.{ending}"
    draw_map(made, path)
    assert path.stat().st_size > 20_000
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_a_map_of_no_kind_is_refused(made, tmp_path):
    with pytest.raises(FormatError, match="no kind of picture"):
        draw_map(made, tmp_path / "map.doc")
    assert not list(tmp_path.iterdir())
