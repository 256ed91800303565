"""Worlds and sensors from files, and the true tracks of a world."""

import itertools
import json
from datetime import UTC, datetime

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from geo import geodesic_distance_m
from sim import Actor, ConfigError, World, WorldError, join, load_sensors, load_world, stand, track_features, walk
from sim import write_tracks as write
from sim.times import microseconds
from sim.world import Path

NOON = microseconds(datetime(2027, 3, 1, 12, tzinfo=UTC))

WORLD = {
    "origin": {"lat": 31.345, "lon": -110.93, "ground_amsl_m": 1180},
    "epoch": "2027-03-01T06:00:00-07:00",
    "seed": 7,
    "bushes": 0.5,
    "roads": [{"width_m": 4, "points": [{"east_m": -9, "north_m": 8}, {"east_m": 9, "north_m": 8}]}],
    "actors": [
        {
            "id": 1,
            "kind": "person",
            "looks": 12,
            "path": [
                {"time_s": 0, "east_m": 0, "north_m": -40},
                {"time_s": 60.5, "lat": 31.346, "lon": -110.93},
            ],
        },
        {
            "id": 2,
            "kind": "vehicle",
            "start_s": 20,
            "speed_mps": 8,
            "path": [{"east_m": -200, "north_m": 8}, {"east_m": 200, "north_m": 8}],
        },
    ],
}


def written(folder, document, name="world.yaml"):
    path = folder / name
    path.write_text(document if isinstance(document, str) else yaml.safe_dump(document))
    return path


@pytest.mark.parametrize("form", [yaml.safe_dump, json.dumps])
def test_a_world_is_what_its_file_says(tmp_path, form):
    world = load_world(written(tmp_path, form(WORLD)), epoch_us=0)
    assert (world.lat_deg, world.lon_deg, world.ground_amsl_m) == (31.345, -110.93, 1180.0)
    assert world.epoch_us == microseconds(datetime(2027, 3, 1, 13, tzinfo=UTC))
    assert (world.seed, world.bushes, world.roads[0].width_m) == (7, 0.5, 4)
    person, vehicle = world.actors
    assert (person.id, person.kind, person.seed, vehicle.seed) == (1, "person", 12, 2)
    north = float(geodesic_distance_m(31.345, -110.93, 31.346, -110.93))
    assert person.path.at([0, 60.5]) == pytest.approx(
        np.array([(0, -40), (0, north)]), abs=3e-2
    )  # a kilometre up, degrees are wider
    assert vehicle.path.time_s[0] == 20
    assert vehicle.path.time_s[-1] == pytest.approx(20 + 400 / 8, rel=0.05)


def test_yaml_times_and_no_time_at_all(tmp_path):
    text = "origin: {lat: 1, lon: 2}\n"
    assert load_world(written(tmp_path, text), epoch_us=5).epoch_us == 5
    text += "epoch: 2027-03-01T12:00:00Z\n"
    assert load_world(written(tmp_path, text), epoch_us=5).epoch_us == NOON


def changed(path, value):
    """The world with one value at a path of keys replaced; None removes it."""
    document = json.loads(json.dumps(WORLD))
    place = document
    for key in path[:-1]:
        place = place[key]
    if value is None:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return document


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ("a: [", ["line 1", "neither YAML nor JSON"]),
        ("- 1", ["origin, epoch"]),
        ("", ["origin, epoch"]),
        (changed(["origin"], None), ["origin: is missing"]),
        (changed(["origin", "lat"], 91), ["origin", "91"]),
        (changed(["origin", "lat"], "north"), ["origin.lat: is no number"]),
        (changed(["epoch"], "2027-03-01T06:00:00"), ["epoch", "timezone"]),
        (changed(["people"], 3), ["people: is not known here"]),
        (changed(["actors", 0, "kind"], "dragon"), ["actors.0", "dragon", "person"]),
        (changed(["actors", 1, "id"], 1), ["share an id"]),
        (changed(["actors", 0, "id"], "one"), ["actors.0.id: is no whole number"]),
        (changed(["actors", 0, "path", 1, "time_s"], 0), ["actors.0", "increasing"]),
        (changed(["actors", 0, "path", 1, "time_s"], True), ["actors.0.path.1.time_s: is no number"]),
        (changed(["actors", 0, "path", 1, "time_s"], float("nan")), ["actors.0.path.1.time_s", "finite"]),
        (changed(["actors", 0, "path", 1, "time_s"], None), ["actors.0", "time_s at every point"]),
        (changed(["actors", 0, "path", 0, "lat"], 31.0), ["actors.0.path.0", "east_m and north_m, or lat and lon"]),
        (changed(["actors", 0, "path", 0, "east_m"], None), ["actors.0.path.0", "east_m and north_m, or lat and lon"]),
        (changed(["actors", 0, "path", 1, "lat"], 95.0), ["actors.0", "95"]),
        (changed(["actors", 0, "start_s"], 3), ["actors.0", "start_s goes with speed_mps"]),
        (changed(["actors", 0, "speed_mps"], 3), ["actors.0", "not both"]),
        (changed(["actors", 1, "speed_mps"], 0), ["actors.1.speed_mps"]),
        (changed(["actors", 1, "path"], [{"east_m": 0, "north_m": 0}]), ["actors.1", "n >= 2"]),
        (changed(["actors", 0, "path"], []), ["actors.0.path"]),
    ],
)
def test_a_world_that_cannot_be_is_refused_with_file_and_key(tmp_path, document, words):
    path = written(tmp_path, document)
    with pytest.raises(WorldError) as refusal:
        load_world(path, epoch_us=0)
    for word in [str(path), *words]:
        assert word in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(WorldError, match="cannot be read"):
        load_world(tmp_path / "absent.yaml", epoch_us=0)
    (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(WorldError, match="neither YAML nor JSON"):
        load_world(tmp_path / "bytes.yaml", epoch_us=0)


# -- sensors ----------------------------------------------------------------------------------------------------------

SENSORS = {
    "custody": {"owner": "Guard", "purpose": "watch", "marking": None},
    "sensors": [
        {"id": "gate-3", "model": "pir", "lat": 31.3, "lon": -110.9, "heading_deg": 180},
        {"id": "road", "model": "acoustic", "lat": 31.3, "lon": -110.9, "false_day_per_h": 0},
    ],
}


def test_sensors_have_the_usual_figures_but_for_those_of_the_file(tmp_path):
    network = load_sensors(written(tmp_path, SENSORS))
    gate, road = network.sensors
    assert (gate.id, gate.kind, gate.heading_deg, gate.field_deg, gate.false_day_per_h) == (
        "gate-3",
        "motion",
        180,
        90,
        0.4,
    )
    assert (road.kind, road.false_day_per_h, road.false_night_per_h, road.range_m) == ("acoustic", 0, 0.2, 500)
    assert network.custody.to_json() == {"owner": "Guard", "purpose": "watch", "marking": None, "retention_days": 30}
    del (without := json.loads(json.dumps(SENSORS)))["custody"]
    assert load_sensors(written(tmp_path, without)).custody is None


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"model": "radar"}, ["sensors.0", "radar"]),
        ({"range": 5}, ["sensors.0", "range ", "range_m"]),
        ({"range_m": "far"}, ["sensors.0.range_m: is no number"]),
        ({"range_m": -5}, ["sensors.0", "range_m is -5"]),
        ({"id": "road"}, ["two sensors have the id road"]),
        ({"id": "a/b"}, ["sensors.0", "a/b"]),
        ({"lat": 99}, ["sensors.0", "99"]),
        ({"lat": "x"}, ["sensors.0.lat: is no number"]),
    ],
)
def test_a_sensor_that_cannot_be_is_refused_with_file_and_key(tmp_path, change, words):
    document = json.loads(json.dumps(SENSORS))
    document["sensors"][0] |= change
    path = written(tmp_path, document)
    with pytest.raises(ConfigError) as refusal:
        load_sensors(path)
    for word in [str(path), *words]:
        assert word in str(refusal.value)


# -- tracks -----------------------------------------------------------------------------------------------------------


def lines_of(feature):
    """The lines of a track as (lon, lat, time_us) rows."""
    geometry, times = feature["geometry"], feature["properties"]["coordTimes"]
    lines = [geometry["coordinates"]] if geometry["type"] == "LineString" else geometry["coordinates"]
    times = [times] if geometry["type"] == "LineString" else times
    assert geometry["type"] == ("LineString" if len(lines) == 1 else "MultiLineString")
    made = []
    for line, stamps in zip(lines, times, strict=True):
        assert len(line) == len(stamps) >= 2
        moments = [microseconds(datetime.fromisoformat(stamp)) for stamp in stamps]
        made.append(np.array([(*position, moment) for position, moment in zip(line, moments, strict=True)]))
    return made


@given(
    st.lists(st.tuples(st.floats(0.5, 60), st.floats(-700, 700), st.floats(-700, 700)), min_size=1, max_size=6),
    st.sampled_from([(31.345, -110.93), (-17.0, 179.999), (-17.0, -180.0), (65.0, 0.0)]),
    st.lists(st.floats(0, 1), min_size=1, max_size=5),
)
def test_a_track_tells_where_the_actor_is_at_every_time(steps, origin, shares):
    times = np.cumsum([step for step, _, _ in steps])
    path = Path(times, np.array([(east, north) for _, east, north in steps]))
    world = World(*origin, 0.0, NOON, (Actor(4, "person", path),))
    start, end = NOON, NOON + 90_000_000
    (feature,) = track_features(world, start, end)
    assert (feature["id"], feature["properties"]["kind"]) == (4, "person")
    lines = lines_of(feature)
    assert (lines[0][0, 2], lines[-1][-1, 2]) == (start, end)
    for line in lines:
        assert (np.diff(line[:, 2]) > 0).all()
        assert (np.abs(line[:, 0]) <= 180).all()
        assert np.abs(np.diff(line[:, 0])).max() < 180
    for share in shares:
        when = start + share * (end - start)
        line = next(line for line in lines if line[0, 2] <= when <= line[-1, 2])
        lon, lat = (np.interp(when, line[:, 2], line[:, axis]) for axis in (0, 1))
        east, north, _ = world.frame.to_enu(lat, lon, 0.0)
        # Straight in metres and straight in degrees part by centimetres over two kilometres.
        assert np.array([east, north]) == pytest.approx(path.at((when - NOON) / 1e6), abs=0.2)


def test_a_track_over_the_antimeridian_is_cut_there():
    path = walk([(-500, 0), (500, 0), (-500, 10)], 10.0, variation=0)
    world = World(-17.0, 180.0, 0.0, NOON, (Actor(1, "vehicle", path),))
    (feature,) = track_features(world, NOON, NOON + 200_000_000)
    lines = lines_of(feature)
    assert [round(float(line[0, 0])) for line in lines] == [180, -180, 180]
    for before, after in itertools.pairwise(lines):
        assert before[-1, 0] == -after[0, 0]
        assert abs(before[-1, 0]) == 180
        assert (before[-1, 1:] == after[0, 1:]).all()


def test_tracks_are_a_feature_collection_without_heights(tmp_path):
    here = stand((0, 0), start_s=0, end_s=1)
    world = World(
        10,
        20,
        500,
        NOON,
        (Actor(1, "animal", here), Actor(2, "person", join([here, walk([(0, 0), (9, 9)], 1, start_s=5)]))),
    )
    write(tmp_path / "truth" / "tracks.geojson", world, NOON, NOON + 60_000_000)
    collection = json.loads((tmp_path / "truth" / "tracks.geojson").read_text())
    assert collection["type"] == "FeatureCollection"
    standing, walking = collection["features"]
    assert standing["geometry"]["coordinates"] == [[20, 10]] * 3
    assert all(len(position) == 2 for position in walking["geometry"]["coordinates"])
    with pytest.raises(WorldError, match="end after the start"):
        track_features(world, NOON, NOON)
