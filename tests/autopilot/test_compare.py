"""Read-back compared by meaning."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from autopilot import ARDUCOPTER, ARDUPLANE, PX4, MissionKind, TransferError, VehicleState, differences
from autopilot.compare import prepared
from missions import MissionItem

MISSION, FENCE, RALLY = MissionKind

f32 = st.floats(-1e4, 1e4, width=32)
lat = st.integers(-900_000_000, 900_000_000)
lon = st.integers(-1_800_000_000, 1_800_000_000)
waypoints = st.builds(
    MissionItem,
    seq=st.just(1),
    frame=st.sampled_from([0, 3, 5, 6, 10]),
    command=st.sampled_from([16, 22, 21]),
    p1=f32, p2=f32, p3=f32, p4=f32, x=lat, y=lon, z=st.floats(-500, 9000, width=32),
)  # fmt: skip
actions = st.builds(
    MissionItem, seq=st.just(1), frame=st.sampled_from([0, 2, 3, 6]), command=st.sampled_from([178, 205, 2500, 20]),
    p1=f32, p2=f32, p3=f32, p4=f32, x=st.integers(-5, 5), y=st.integers(-5, 5), z=f32,
)  # fmt: skip
HOME = MissionItem(0, 0, 16, x=1, y=2, z=3.0)
INT_FRAME = {5: 0, 6: 3, 11: 10}
KEPT = {16: (1,), 22: (1,), 21: (1,), 178: (1, 2, 3), 205: (1, 2, 3), 2500: (1,), 20: ()}


def ardupilot_stores(item):
    """What ArduCopter 4.7 answers for an item: an oracle of its own."""
    params = {f"p{i}": getattr(item, f"p{i}") if i in KEPT[item.command] else 0.0 for i in (1, 2, 3, 4)}
    if item.command in (16, 21, 22):
        z = math.trunc(item.z * 100) / 100
        return replace(item, **params, frame=INT_FRAME.get(item.frame, item.frame), z=z, autocontinue=True)
    return replace(item, **params, frame=0, x=0, y=0, z=0.0, autocontinue=True)


def compare(sent, read, dialect=ARDUCOPTER):
    return differences([HOME, sent], [replace(HOME, x=9, z=7.0), read], MISSION, dialect)


@given(st.one_of(waypoints, actions))
def test_what_ardupilot_makes_of_an_item_means_the_same(item):
    assert compare(item, ardupilot_stores(item)) == ()


@given(waypoints, st.sampled_from(["x", "y"]), st.integers(2, 10**6), st.sampled_from([-1, 1]))
def test_a_moved_place_is_found(item, axis, by, sign):
    read = replace(ardupilot_stores(item), **{axis: getattr(item, axis) + sign * by})
    assert [d.field for d in compare(item, read)] == [axis]


@given(waypoints, st.sampled_from(["x", "y"]), st.sampled_from([-1, 1]))
def test_the_last_digit_of_a_place_is_not(item, axis, by):
    assert compare(item, replace(ardupilot_stores(item), **{axis: getattr(item, axis) + by})) == ()


@given(waypoints, st.floats(0.03, 100))
def test_another_height_is_found(item, by):
    assert [d.field for d in compare(item, replace(ardupilot_stores(item), z=item.z + by))] == ["z"]


@given(waypoints, st.sampled_from([0, 3, 10]))
def test_another_height_reference_is_found(item, frame):
    same = INT_FRAME.get(item.frame, item.frame) == frame
    found = compare(item, replace(ardupilot_stores(item), frame=frame))
    assert [d.field for d in found] == ([] if same else ["frame"])


@given(st.one_of(waypoints, actions), st.sampled_from([1, 2, 3, 4]), f32)
def test_a_parameter_counts_where_the_autopilot_keeps_it(item, index, value):
    name = f"p{index}"
    assume(not math.isclose(getattr(item, name), value, rel_tol=1e-5, abs_tol=1e-5))
    found = compare(item, replace(ardupilot_stores(item), **{name: value}))
    assert [d.field for d in found] == ([name] if index in KEPT[item.command] else [])


@given(st.one_of(waypoints, actions), st.sampled_from([17, 93, 2501]))
def test_another_command_is_found(item, command):
    assert [d.field for d in compare(item, replace(ardupilot_stores(item), command=command))] == ["command"]


PX4_KEPT = {
    16: (1, 2, 4),
    22: (4,),
    21: (2, 4),
    178: (1, 2, 3, 4),
    205: (1, 2, 3, 4),
    2500: (1, 2, 3, 4),
    20: (1, 2, 3, 4),
}


def px4_stores(item):
    """What PX4 1.15 answers for an item: an oracle of its own, in its float32 and radians."""
    params = {f"p{i}": getattr(item, f"p{i}") if i in PX4_KEPT[item.command] else 0.0 for i in (1, 2, 3, 4)}
    if item.command in (16, 21, 22):
        yaw = np.float32(np.radians(np.float32(item.p4))) % np.float32(2 * math.pi)
        params["p4"] = float(np.float32(np.degrees(yaw)))
    return replace(item, **params, frame=INT_FRAME.get(item.frame, item.frame))


@given(st.one_of(waypoints, actions))
def test_what_px4_makes_of_an_item_means_the_same(item):
    assert differences([item], [px4_stores(item)], MISSION, PX4) == ()


@given(st.one_of(waypoints, actions), st.sampled_from([1, 2, 3, 4]), st.floats(0.1, 300.0))
def test_a_parameter_counts_where_px4_keeps_it(item, index, by):
    name = f"p{index}"
    stored = px4_stores(item)
    found = differences([item], [replace(stored, **{name: getattr(stored, name) + by})], MISSION, PX4)
    assert [d.field for d in found] == ([name] if index in PX4_KEPT[item.command] else [])
    assert [d.field for d in differences([item], [replace(stored, autocontinue=False)], MISSION, PX4)] == [
        "autocontinue"
    ]


@pytest.mark.parametrize("command", [5000, 5001, 5002, 5003, 5004])
def test_px4_has_no_autocontinue_of_a_fence(command):
    """Seen on PX4 main of May 2026; of a mission and of rally points it answers what was sent."""
    corner = MissionItem(0, 0, command, 4.0, x=5, y=6)
    assert differences([corner], [replace(corner, autocontinue=False)], MissionKind.FENCE, PX4) == ()


@pytest.mark.parametrize(("sent", "read", "same"), [(-90.0, 270.0, True), (360.0, 0.0, True), (359.99, 0.0, True),
                                                    (-90.0, 90.0, False), (0.0, 359.9, False)])  # fmt: skip
def test_headings_are_compared_round_the_circle(sent, read, same):
    one = MissionItem(0, 3, 16, p4=sent)
    assert (differences([one], [replace(one, p4=read)], MISSION, PX4) == ()) is same


LAND_START = 189
marks = st.builds(
    MissionItem, seq=st.just(1), frame=st.sampled_from([0, 2, 3, 6]), command=st.just(LAND_START),
    x=st.just(0) | lat, y=st.just(0) | lon, z=st.just(0.0) | st.floats(-500, 900, width=32),
)  # fmt: skip


@given(marks, st.sampled_from([ARDUCOPTER, ARDUPLANE]))
def test_the_mark_of_a_landing_comes_back_from_ardupilot_as_a_place(mark, dialect):
    """AP_Mission stores it as a location: frame 2 is absolute there, 6 is 3, heights are in centimetres."""
    frame = {2: 0, 6: 3}.get(mark.frame, mark.frame)
    assert compare(mark, replace(mark, frame=frame, z=math.trunc(mark.z * 100) / 100), dialect) == ()


@given(marks, st.sampled_from([ARDUCOPTER, ARDUPLANE]), st.sampled_from(["x", "y"]), st.integers(2, 10**6))
def test_the_mark_of_a_landing_elsewhere_is_found(mark, dialect, axis, by):
    """By its place ArduPilot picks the nearest of several."""
    assert [d.field for d in compare(mark, replace(mark, **{axis: getattr(mark, axis) + by}), dialect)] == [axis]


def test_the_mark_of_a_landing_comes_back_from_px4_as_it_was():
    mark = MissionItem(1, 2, LAND_START)
    assert differences([HOME, mark], [HOME, mark], MISSION, PX4) == ()
    assert [d.field for d in differences([HOME, mark], [HOME, replace(mark, command=20)], MISSION, PX4)] == ["command"]


def test_item_0_is_home_on_ardupilot_missions_alone():
    sent, read = [MissionItem(0, 3, 5100, x=5, y=5, z=1.0)], [MissionItem(0, 3, 5100, x=50, y=5, z=1.0)]
    assert [d.field for d in differences(sent, read, RALLY, ARDUCOPTER)] == ["x"]
    assert [d.field for d in differences([HOME], [replace(HOME, x=100)], MISSION, PX4)] == ["x"]
    assert differences([HOME], [replace(HOME, x=100)], MISSION, ARDUCOPTER) == ()


corners = st.lists(st.tuples(lat, lon), min_size=3, max_size=6)


@given(
    polygons=st.lists(st.tuples(st.sampled_from([5001, 5002]), corners), min_size=1, max_size=4),
    dialect=st.sampled_from([ARDUCOPTER, PX4]),
    data=st.data(),
)
def test_a_fence_of_many_polygons_is_compared_vertex_by_vertex(polygons, dialect, data):
    vertices = [(command, float(len(ring)), x, y) for command, ring in polygons for x, y in ring]
    sent = [MissionItem(n, 0, c, p1=p1, x=x, y=y) for n, (c, p1, x, y) in enumerate(vertices)]
    assert differences(sent, [replace(v, frame=3) for v in sent], FENCE, dialect) == ()
    k = data.draw(st.integers(0, len(sent) - 1))
    # What is to be kept out of has become what is to be stayed in; a vertex has moved; one is missing.
    turned = [replace(v, command=10_003 - v.command) if i == k else v for i, v in enumerate(sent)]
    assert [(d.seq, d.field) for d in differences(sent, turned, FENCE, dialect)] == [(k, "command")]
    moved = [replace(v, x=v.x + 3) if i == k else v for i, v in enumerate(sent)]
    assert [(d.seq, d.field) for d in differences(sent, moved, FENCE, dialect)] == [(k, "x")]
    assert [d.field for d in differences(sent, sent[:-1], FENCE, dialect)] == ["count"]


def test_the_frame_of_a_fence_vertex_says_nothing():
    sent, read = MissionItem(0, 6, 5001, 3.0, x=5, y=5), MissionItem(0, 0, 5001, 3.0, x=5, y=5)
    assert differences([sent], [read], FENCE, ARDUCOPTER) == ()
    assert [d.field for d in differences([sent], [replace(read, p1=4.0)], FENCE, ARDUCOPTER)] == ["p1"]


@pytest.mark.parametrize(("sent", "read"), [(3, 2), (2, 3), (1, 0)])
def test_another_count_is_found(sent, read):
    (found,) = differences([HOME] * sent, [HOME] * read, MISSION, ARDUCOPTER)
    assert str(found) == f"count: sent {sent}, read {read}"


def test_nan_equals_nan_alone():
    one = MissionItem(0, 3, 16, p4=math.nan)
    assert differences([one], [replace(one)], MISSION, PX4) == ()
    assert [d.field for d in differences([one], [replace(one, p4=0.0)], MISSION, PX4)] == ["p4"]


@given(st.floats(-1e6, 1e6, allow_nan=False))
def test_float32_rounding_is_no_difference(value):
    one = MissionItem(1, 2, 178, p2=value)
    assert compare(one, ardupilot_stores(replace(one, p2=float(np.float32(value))))) == ()


@pytest.mark.parametrize("dialect", [ARDUCOPTER, PX4])
def test_a_height_that_is_none_is_no_height(dialect):
    place = MissionItem(1, 3, 16, x=1, y=2, z=50.0)
    for sent, read in ((50.0, math.nan), (math.nan, 50.0)):
        found = differences([HOME, replace(place, z=sent)], [HOME, replace(place, z=read)], MISSION, dialect)
        assert [d.field for d in found] == ["z"]


def test_a_parameter_7_that_is_left_open_comes_back_open_from_px4():
    """As QGroundControl leaves it in the mode of a camera; anything else there is something else."""
    mode = MissionItem(1, 2, 530, p2=2.0, p3=math.nan, p4=math.nan, z=math.nan)
    assert differences([HOME, mode], [HOME, mode], MISSION, PX4) == ()
    assert [d.field for d in differences([HOME, mode], [HOME, replace(mode, z=1.0)], MISSION, PX4)] == ["z"]


def ardupilot_turns(turns):
    """What AP_Mission of 4.7 makes of the turns of a LOITER_TURNS, in the words of its sources."""
    if 0 < turns < 1:
        return math.trunc(turns * 256) / 256
    return float(min(255, math.trunc(turns)))


def ardupilot_radius(radius):
    size = abs(radius)
    kept = math.trunc(size) if size <= 255 else min(255, math.trunc(size * 0.1)) * 10
    return math.copysign(kept, radius)


circles = st.builds(
    MissionItem, seq=st.just(1), frame=st.just(3), command=st.just(18), x=lat, y=lon, z=st.just(30.0),
    p1=st.floats(0.0, 255.0), p3=st.floats(-2550.0, 2550.0),
)  # fmt: skip


@given(circles)
@example(MissionItem(1, 3, 18, p1=1.5, p3=300.0))
@example(MissionItem(1, 3, 18, p1=0.999, p3=-255.5))
def test_turns_are_sent_as_ardupilot_holds_them_and_no_fewer(item):
    """Truncated there: with 1.5 turns no read-back was ever right, and the plan never flew."""
    (_, sent) = prepared([HOME, item], MISSION, ARDUCOPTER)
    assert sent.p1 == pytest.approx(ardupilot_turns(sent.p1), abs=1e-9)
    assert sent.p3 == ardupilot_radius(sent.p3)
    assert 0 <= sent.p1 - item.p1 + 1e-3 < (1 / 256 if item.p1 < 255 / 256 else 1) + 1e-3
    assert 0 <= abs(sent.p3) - abs(item.p3) + 0.01 < (1 if abs(item.p3) <= 255 else 10) + 0.01
    assert sent.p3 * item.p3 >= 0


@pytest.mark.parametrize(
    ("command", "figure", "dialect", "most"),
    [
        (18, {"p1": 300.0}, ARDUCOPTER, 255),
        (18, {"p3": -2600.0}, ARDUCOPTER, 2550),
        (16, {"p1": 70000.0}, ARDUCOPTER, 65535),
        (16, {"p2": 300.0}, ARDUPLANE, 255),
    ],
)
def test_more_than_ardupilot_holds_is_refused_before_anything_is_sent(command, figure, dialect, most):
    """Seen on ArduCopter 4.7-dev: 300 turns came back as 255, 2,600 m as 2,550, and 70,000 s as 4,464."""
    item = MissionItem(1, 3, command, x=5, y=6, z=30.0, **figure)
    with pytest.raises(TransferError, match=rf"item 1 .* parameter \d is .*holds {most} at most") as caught:
        prepared([HOME, item], MISSION, dialect)
    assert caught.value.state is VehicleState.KEPT
    prepared([replace(item, seq=0)], MISSION, PX4)


@given(st.floats(-128.49, 127.49), st.floats(-32768.0, 32767.0), st.floats(-127.0, 127.0))
@example(-45.4, 30.6, 0.2)
@example(-128.0, -32768.0, -127.0)
def test_angles_of_a_gimbal_are_sent_as_the_nearest_that_ardupilot_holds(pitch, yaw, rate):
    """AP_Mission puts them into int8_t and int16_t, which cuts them: sent whole, they come back as they are."""
    item = MissionItem(1, 2, 1000, p1=pitch, p2=yaw, p3=rate, p4=rate)
    (_, sent) = prepared([HOME, item], MISSION, ARDUCOPTER)
    assert (abs(sent.p1 - pitch) <= 0.5, abs(sent.p2 - yaw) <= 0.5) == (True, True)
    assert (int(np.int8(sent.p1)), int(np.int16(sent.p2)), int(np.int8(sent.p3))) == (sent.p1, sent.p2, sent.p3)
    # A rate that is slow is not none.
    assert (rate == 0.0 or abs(sent.p3) >= abs(rate) - 1e-3, sent.p4) == (True, sent.p3)


@pytest.mark.parametrize("figure", [{"p1": 128.0}, {"p1": -129.0}, {"p2": 32768.0}])
def test_angles_that_ardupilot_does_not_hold_are_refused(figure):
    with pytest.raises(TransferError, match=r"item 1 .* parameter \d is .*holds \d+ at most"):
        prepared([HOME, MissionItem(1, 2, 1000, **figure)], MISSION, ARDUCOPTER)
