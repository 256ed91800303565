"""Exercises are read strictly: what is wrong is told with its place, and the ones that ship are all right."""

import pytest
import yaml

import sim
from tests.sim.exercise_records import document, exercise


def test_the_six_that_ship_are_read_and_differ():
    names = sim.exercise_names()
    assert names == (
        "routine-relief", "cue-dispatch", "lost-link", "gps-denied", "joint-handover", "medical-search",
    )  # fmt: skip
    made = [sim.load_exercise(sim.find_exercise(name)) for name in names]
    assert [one.name for one in made] == list(names)
    assert {trained for one in made for trained in one.trains} == {"pilot", "analyst", "partner liaison"}
    kinds = {inject.kind for one in made for inject in one.injects}
    assert {
        "cue", "link_cut", "no_fly_zone", "gps_loss", "gps_glitch", "battery_failure", "second_station", "camera_lost",
        "message", "request", "recall",
    } <= kinds  # fmt: skip
    assert all(any(one.must for one in each.objectives) for each in made)
    assert len({tuple(o.measure for o in one.objectives) for one in made}) == len(made)


def at(keys, value):
    """The toy with a value put in, or with None taken out, at a path of keys."""
    told = document(
        injects=[
            {"at_s": 10, "kind": "cue", "source": "a shepherd", "actor": 1, "place": {"east_m": 0, "north_m": 9}},
            {"at_s": 20, "kind": "link_cut", "vehicles": [1], "lasts_s": 30},
        ],
        partners=[{"name": "P"}],
    )
    here = told
    for key in keys[:-1]:
        here = here[key]
    if value is None:
        del here[keys[-1]]
    else:
        here[keys[-1]] = value
    return told


@pytest.mark.parametrize(
    ("keys", "value", "words"),
    [
        (["colour"], "red", ["colour", "not known"]),
        (["duration_s"], "long", ["duration_s", "no number"]),
        (["duration_s"], float("nan"), ["duration_s"]),
        (["border", "points"], [{"east_m": 0, "north_m": 0}], ["border.points"]),
        (["border", "own_side"], "north", ["own_side", "left"]),
        (["fleet", "vehicles"], 0, ["fleet.vehicles"]),
        (["fleet", "base"], {"lat": 95, "lon": 0}, ["95"]),
        (["world", "epoch"], None, ["world.epoch", "missing"]),
        (["rules"], [], ["rules"]),
        (["injects", 0, "kind"], "shout", ["injects.0", "shout"]),
        (["injects", 0, "at_s"], 601, ["injects.0", "after the end"]),
        (["injects", 0, "actor"], 9, ["injects.0", "actor 9"]),
        (["injects", 1, "vehicles"], [2], ["injects.1", "vehicle 2"]),
        (["injects", 1, "lasts_s"], 0, ["injects.1", "lasts_s"]),
        (["injects", 1], {"at_s": 5, "kind": "gps_loss", "event": "take-off"}, ["injects.1", "one vehicle"]),
        (
            ["objectives", 0],
            {"id": "d", "words": "w", "measure": "down_by", "at_most": 1, "vehicle": 1, "after": "gps_loss"},
            ["objective d", "gps_loss is not in the exercise"],
        ),
        (["injects", 1, "colour"], "red", ["injects.1", "colour"]),
        (["injects", 1, "from_s"], 3, ["injects.1", "at_s and lasts_s instead"]),
        (["objectives", 0, "measure"], "luck", ["objectives.0", "luck", "nearest_border"]),
        (["objectives", 0, "at_most"], 3, ["objectives.0", "either at_least or at_most"]),
        (["objectives", 0, "at_least"], None, ["objectives.0", "either at_least or at_most"]),
        (["objectives", 0, "partner"], "P", ["objectives.0", "does not look at partner"]),
        (["objectives", 0, "vehicle"], 2, ["objective border", "vehicle 2"]),
        (["objectives", 0], {"id": "w", "words": "w", "measure": "watched", "at_least": 1}, ["needs actors"]),
        (["partners"], [{"name": "P"}, {"name": "P"}], ["partners", "twice"]),
        (["crew"], {"releases_to": ["Q"]}, ["crew.releases_to", "Q"]),
        (["sensors"], {"sensors": [{"id": "s", "model": "nose", "lat": 61.2, "lon": 24.8}]}, ["sensors", "nose"]),
        (["fleet", "wind"], {"mean_mps": 99}, ["fleet.wind.mean_mps"]),
    ],
)
def test_what_is_wrong_is_one_error_with_its_place(tmp_path, keys, value, words):
    path = tmp_path / "broken.yaml"
    path.write_text(yaml.safe_dump(at(keys, value)))
    with pytest.raises(sim.SimError) as told:
        sim.load_exercise(path)
    assert str(path) in str(told.value)
    assert "\n" not in str(told.value)
    for word in words:
        assert word in str(told.value)


def test_the_unbroken_one_is_read(tmp_path):
    path = tmp_path / "whole.yaml"
    path.write_text(yaml.safe_dump(at(["title"], "whole")))
    made = sim.load_exercise(path)
    (cut,) = made.faults.all
    assert (cut.KIND, cut.from_s, cut.end_s, cut.vehicles) == ("link_cut", 20, 50, (1,))


def test_a_name_that_is_none_says_which_there_are(tmp_path):
    with pytest.raises(sim.ExerciseError, match="routine-relief"):
        sim.find_exercise("routine")
    assert sim.find_exercise(str(exercise(tmp_path) and tmp_path / "toy.yaml")) == tmp_path / "toy.yaml"
