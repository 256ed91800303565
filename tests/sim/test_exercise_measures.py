"""Measures of an exercise against records that are worked out by hand, and against other ways to the same figure."""

import math

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

import sim
from geo import Altitude, CameraPose, Datum
from tests.sim.exercise_records import exercise, hover, measured, truth


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    return exercise(tmp_path_factory.mktemp("toy"))


def test_distance_to_the_border_has_the_sign_of_the_side(toy):
    rows = [(0, 0, 600, 0, 0, 0, 0, 0), (1, 100, 70, 50, 0, -45, 1, 1), (2, 100, 40, 50, 0, -45, 1, 1)]
    assert measured(toy, {1: rows}, "nearest_border").value == pytest.approx(40, abs=0.05)
    over = [*rows, (3, 100, -12, 50, 0, -45, 1, 1)]
    assert measured(toy, {1: over}, "nearest_border").value == pytest.approx(-12, abs=0.05)
    # On the ground it breaks nothing, and what never flew was not measured, which is not met.
    parked = measured(toy, {1: hover([0, 1], 0, -5, airborne=0)}, "nearest_border")
    assert (parked.value, parked.met) == (None, False)


@given(east=st.floats(-490, 490), north=st.floats(-300, 300))
def test_distance_to_the_border_is_that_of_shapely(toy, east, north):
    one = truth(toy, hover([0], east, north))
    told = sim.border_distance_m(toy, one.lat_deg, one.lon_deg)[0]
    line = shapely.LineString(toy.border_m)
    assert abs(told) == pytest.approx(line.distance(shapely.Point(east, north)), abs=0.02)
    if abs(north) > 0.1:
        assert math.copysign(1, told) == math.copysign(1, north)


def test_time_inside_the_stand_off_counts_each_moment_up_to_the_next(toy):
    rows = [
        *hover([0, 1, 2], 0, 100),
        *hover([3, 4], 0, 50),
        *hover([10], 0, 100),
    ]
    assert measured(toy, {1: rows}, "inside_stand_off", at_most=7).value == pytest.approx(7)
    assert measured(toy, {1: rows}, "inside_stand_off", at_most=7).met
    assert not measured(toy, {1: rows}, "inside_stand_off", at_most=6.9).met


@given(
    up=st.floats(20, 120), axis=st.floats(0, 359), pitch=st.floats(-90, -15), east=st.floats(-80, 80),
    north=st.floats(-80, 80),
)  # fmt: skip
def test_what_is_in_view_is_what_the_camera_model_projects_into_the_picture(toy, up, axis, pitch, east, north):
    one = truth(toy, hover([0], 10, 20, up=up, axis=axis, pitch=pitch))
    told = sim.in_view(toy, one, np.array([[10 + east, 20 + north]]))[0, 0]
    pose = CameraPose(one.lat_deg[0], one.lon_deg[0], Altitude(one.amsl_m[0], Datum.AMSL), axis, pitch)
    away = np.array([east, north, -up])
    pixel = toy.fleet.camera.model.project(pose.rotation_enu_from_camera().T @ away)
    model = toy.fleet.camera.model
    near = np.linalg.norm(away) / model.focal_px - toy.fleet.camera.seen_gsd_m
    edges = [pixel[0], pixel[1], model.width_px - pixel[0], model.height_px - pixel[1]]
    if np.isnan(pixel).any():
        assert not told
    elif min(map(abs, edges)) > 1.0 and abs(near) > 1e-3:  # beside an edge either answer is right
        assert told == (min(edges) > 0 and near < 0)


def test_what_is_too_far_off_to_be_made_out_is_not_seen(toy):
    # Straight below, a pixel is 0.15 m wide from 168.75 m: 0.15 times the focal length of 1125 pixels.
    for up, seen in ((168.6, True), (168.9, False)):
        one = truth(toy, hover([0], 0, 80, up=up, pitch=-90))
        assert sim.in_view(toy, one, np.array([[0.0, 80.0]]))[0, 0] == seen


def test_a_vehicle_on_the_ground_sees_nothing(toy):
    below = np.array([[0.0, 0.0]])
    for airborne in (0, 1):
        one = truth(toy, hover([0], 0, 80, pitch=-45, airborne=airborne))
        assert sim.in_view(toy, one, below)[0, 0] == bool(airborne)


def test_the_longest_gap_is_between_looks_and_up_to_the_ends(tmp_path):
    # A border of 20 m, so that one look sees all of it.
    short = exercise(tmp_path, border=toy_border(20))
    looks = {1: [*hover([100], 0, 80), *hover([101, 250], 0, 400), *hover([400], 0, 80), *hover([600], 0, 400)]}
    assert measured(short, looks, "longest_gap", from_s=0, to_s=600).value == pytest.approx(300)
    assert measured(short, looks, "longest_gap", from_s=0, to_s=450).value == pytest.approx(300)
    assert measured(short, looks, "longest_gap", from_s=350, to_s=900).value == pytest.approx(200)
    assert measured(short, looks, "seen_share", from_s=0, to_s=600).value == 1
    assert measured(short, looks, "seen_share", from_s=101, to_s=399).value == 0


def toy_border(length):
    return {
        "name": "line", "own": "Westland", "neighbour": "Eastland", "own_side": "left", "stand_off_m": 60,
        "points": [{"east_m": -length / 2, "north_m": 0}, {"east_m": length / 2, "north_m": 0}],
    }  # fmt: skip


def cue(t_s, actor=None, east=0, north=0, source="s"):
    return {
        "t_s": t_s, "by": "control", "kind": "cue", "words": "w", "source": source, "actor": actor, "east_m": east,
        "north_m": north,
    }  # fmt: skip


def test_a_report_of_somebody_is_answered_by_seeing_who_moves_not_where_it_came_from(toy):
    # The person walks from north -50 to 50 in 100 s: at 90 s it is at 40.
    rows = {1: [*hover(range(60), 0, 600, up=1), *hover(range(60, 200), 0, 120)]}
    answer = measured(toy, rows, "longest_answer", [cue(10, actor=1, north=-40)])
    seen = [t for t in range(60, 101) if abs(math.degrees(math.atan2(120 - (t - 50), 80)) - 45) < 12.8]
    assert answer.value == pytest.approx(seen[0] - 10, abs=1)
    share = measured(toy, rows, "answered_share", [cue(10, actor=1), cue(12, east=300)], within_s=60)
    assert share.value == pytest.approx(0.5)
    # A look before the report answers nothing.
    before = {1: [*hover(range(5), 300, 80), *hover(range(5, 200), 0, 600, up=1)]}
    assert measured(toy, before, "longest_answer", [cue(12, east=300)]).value is None
    assert measured(toy, before, "longest_answer", [cue(2, east=300)]).value == pytest.approx(0)
    never = measured(toy, rows, "longest_answer", [cue(10, actor=1), cue(12, east=300)])
    assert (never.value, never.met) == (None, False)
    assert measured(toy, rows, "longest_answer", []).value is None


def test_a_camera_that_is_lost_sees_nothing_until_the_next_take_off(tmp_path):
    lost = [{"at_s": 50, "kind": "camera_lost", "vehicles": [1]}]
    made = exercise(tmp_path, injects=lost, border=toy_border(20))
    rows = {1: [*hover(range(100), 0, 80), *hover([100], 0, 600, airborne=0), *hover(range(101, 130), 0, 80, sortie=2)]}
    standing = [{"id": 7, "kind": "person", "path": [{"time_s": 0, "east_m": 0, "north_m": 0}]}]
    made = exercise(
        tmp_path, injects=lost, world={**made.world.model_dump(mode="json", exclude_none=True), "actors": standing}
    )
    assert measured(made, rows, "watched", actors=[7]).value == pytest.approx(50 + 28)


def test_the_zone_counts_from_when_it_is_in_force(tmp_path):
    ring = [{"east_m": e, "north_m": n} for e, n in ((-50, 50), (50, 50), (50, 150), (-50, 150))]
    zone = {"at_s": 10, "kind": "no_fly_zone", "name": "z", "grace_s": 20, "ring": ring}
    made = exercise(tmp_path, injects=[zone])
    rows = {1: [*hover(range(40), 0, 100), *hover([40, 41], 0, 300)]}
    assert measured(made, rows, "in_zone", at_most=0).value == pytest.approx(10)
    assert measured(made, {1: hover(range(40), 0, 300)}, "in_zone", at_most=0).value == 0


def test_who_is_home_and_who_is_not(toy):
    pad = hover([0], 0, 600, up=0, airborne=0, sortie=0)
    away = {
        1: [*pad, *hover([5], 0, 590, up=0, airborne=0)],
        2: [*pad, *hover([5], 0, 500, up=0, airborne=0)],
        3: [*pad, *hover([5], 0, 600, up=9)],
    }
    assert measured(toy, away, "home_share").value == pytest.approx(1 / 3, abs=1e-3)


def test_down_by_counts_from_the_order_and_only_for_who_was_in_the_air(toy):
    rows = {1: [*hover(range(30), 0, 100), *hover(range(30, 60), 0, 100, up=0, airborne=0)]}
    assert measured(toy, rows, "down_by", vehicle=1, from_s=12).value == pytest.approx(18)
    assert measured(toy, rows, "down_by", vehicle=1, from_s=40).value is None
    assert measured(toy, {1: rows[1][:30]}, "down_by", vehicle=1, from_s=12).value is None


def test_a_fault_counts_from_the_take_off_that_it_waits_for(tmp_path):
    lost = [{"at_s": 7, "event": "take-off", "kind": "gps_loss", "vehicles": [1]}]
    made = exercise(tmp_path, injects=lost)
    rows = [*hover(range(10), 0, 600, airborne=0), *hover(range(10, 30), 0, 100), *hover([30, 31], 0, 100, airborne=0)]
    again = [*rows, *hover([40, 41], 0, 100, sortie=2)]
    assert measured(made, {1: rows}, "down_by", vehicle=1, after="gps_loss").value == pytest.approx(30 - 17)
    assert measured(made, {1: rows}, "take_offs", vehicle=1, after="gps_loss", at_most=0).value == 0
    assert measured(made, {1: again}, "take_offs", vehicle=1, after="gps_loss", at_most=0).value == 1
    parked = {1: hover(range(9), 0, 600, airborne=0)}
    assert measured(made, parked, "down_by", vehicle=1, after="gps_loss", at_most=9).value is None


def test_take_offs_are_counted_when_they_leave_the_ground(toy):
    ground = {"airborne": 0}
    rows = {1: [*hover([0], 0, 0, **ground), *hover([1, 2], 0, 0), *hover([3], 0, 0, **ground), *hover([4], 0, 0)]}
    assert measured(toy, rows, "take_offs").value == 2
    assert measured(toy, rows, "take_offs", from_s=2).value == 1


ZERO_US = 1_700_000_000_000_000


def read(t_s, *features):
    return {
        "t_s": t_s,
        "by": "control",
        "kind": "partner_read",
        "words": "w",
        "partner": "P",
        "records": list(features),
    }


def feature(toy, name, time_s, east, north, **more):
    lat, lon, _ = toy.frame.to_geodetic(east, north)
    moment = np.datetime64(ZERO_US + round(time_s * 1e6), "us")
    return {
        "id": name, "geometry": {"type": "Point", "coordinates": [float(lon), float(lat)]},
        "properties": {"time": f"{moment}Z", "kind": "person", **more},
    }  # fmt: skip


@pytest.fixture
def shared(tmp_path):
    order = [{"at_s": 200, "kind": "recall", "partner": "P"}]
    return exercise(tmp_path, partners=[{"name": "P"}], injects=order)


def sharing(made, measure, events, **keys):
    return measured(
        made, {1: hover(range(300), 0, 100)}, measure, events, {"service_zero_us": ZERO_US}, partner="P", **keys
    )


def test_a_crossing_is_reported_when_the_partner_reads_of_that_one(shared):
    # It crosses at 50 s, at the origin.
    right, late = feature(shared, "a", 50, 3, 4), feature(shared, "b", 90, 0, 0)
    far = feature(shared, "c", 50, 200, 0)
    assert sharing(shared, "reported_in", [read(80, right)], actors=[1]).value == pytest.approx(30, abs=0.1)
    for wrong in (late, far):
        assert sharing(shared, "reported_in", [read(80, wrong)], actors=[1]).value is None
        assert sharing(shared, "false_reports", [read(80, wrong)], at_most=0).value == 1
    assert sharing(shared, "false_reports", [read(80, right)], at_most=0).met
    # What a crew says of itself counts for nothing.
    claimed = {**read(80, right), "by": "crew"}
    assert sharing(shared, "reported_in", [claimed], actors=[1]).value is None


def test_fields_that_were_not_agreed_are_counted(shared):
    events = [read(80, feature(shared, "a", 50, 0, 0, track=[1], ellipse=None))]
    told = sharing(shared, "extra_fields", events, fields=["time", "kind"], at_most=0)
    assert told.value == 2  # track, and the position
    assert sharing(shared, "extra_fields", events, fields=["time", "kind", "track", "position"], at_most=0).met


def test_a_recall_holds_once_nothing_of_it_can_be_read(shared):
    one, two = feature(shared, "a", 50, 0, 0), feature(shared, "b", 50, 0, 0)
    done = [read(80, one, two), read(210, two), read(230)]
    assert sharing(shared, "recalled_in", done, at_most=60).value == pytest.approx(30)
    assert sharing(shared, "recalled_in", done[:2], at_most=60).value is None
    assert sharing(shared, "recalled_in", [], at_most=60).value is None


def test_a_must_that_is_not_met_fails_the_whole(tmp_path):
    many = [
        {"id": "must", "words": "w", "measure": "nearest_border", "at_least": 60, "must": True},
        {"id": "other", "words": "w", "measure": "take_offs", "at_least": 0, "weight": 99},
    ]
    made = exercise(tmp_path, objectives=many)
    for north, passed in ((61, True), (59, False)):
        one = truth(made, hover([0, 1], 0, north))
        score = sim.score_exercise(sim.ExerciseRecord(made, {}, {1: one}, []))
        assert score.passed is passed
        assert score.share == (1.0 if passed else 0.99)
