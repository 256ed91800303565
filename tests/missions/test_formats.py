"""Files for other programs, and the plan file."""

import json

import pytest
import shapely
from fastkml import KML
from hypothesis import given
from hypothesis import strategies as st

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


@pytest.fixture(scope="module")
def made():
    border = straight(12_000)
    return plan(border, fleet_for(border, 2), FlatTerrain(1180.0))


@pytest.mark.parametrize("dialect", ["ardupilot", "px4"])
def test_a_qgc_plan_comes_back(made, tmp_path, dialect):
    mission = compile_mission(made, made.sorties[0], dialect)
    path = tmp_path / f"{mission.name}.plan"
    write_qgc_plan(mission, path, home_amsl_m=1180.0)
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


items = st.builds(
    MissionItem,
    seq=st.just(0),
    frame=st.sampled_from([0, 2, 6]),
    command=st.integers(16, 3000),
    p1=st.floats(-1e6, 1e6),
    p2=st.floats(-1e6, 1e6),
    p3=st.floats(-1e6, 1e6),
    p4=st.floats(-1e6, 1e6),
    x=st.integers(-900_000_000, 900_000_000),
    y=st.integers(-1_800_000_000, 1_800_000_000),
    z=st.floats(-500, 9000),
    autocontinue=st.booleans(),
)


@given(st.lists(items, min_size=1, max_size=12))
def test_any_simple_items_come_back(tmp_path_factory, some):
    numbered = tuple(
        MissionItem(
            n, *(getattr(i, f) for f in ("frame", "command", "p1", "p2", "p3", "p4", "x", "y", "z", "autocontinue"))
        )
        for n, i in enumerate(some)
    )
    mission = Mission("any", "px4", numbered, (), ())
    path = tmp_path_factory.mktemp("qgc") / "any.plan"
    write_qgc_plan(mission, path)
    assert read_qgc_plan(path) == mission


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda v: v | {"fileType": "Mission"}, "fileType"),
        (lambda v: v | {"version": 2}, "version 2"),
        (lambda v: {k: x for k, x in v.items() if k != "geoFence"}, "geoFence"),
        (
            lambda v: v | {"mission": v["mission"] | {"items": [{"type": "ComplexItem", "complexItemType": "survey"}]}},
            "survey",
        ),
        (lambda v: v | {"geoFence": v["geoFence"] | {"circles": [{}]}}, "circle"),
        (
            lambda v: v | {"mission": v["mission"] | {"items": [{"type": "SimpleItem", "params": "x"}]}},
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
