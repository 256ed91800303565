"""What is a crossing, what is not, and what may be called confirmed."""

from dataclasses import replace

import numpy as np
import pytest
import scipy
from hypothesis import given, settings
from hypothesis import strategies as st

from geo import LocalFrame
from vision.border import BorderLine, GroundLine
from vision.crossing import CrossingRule, Outcome, _both_sides, judge
from vision.crossing_records import crossing_of
from vision.errors import BorderError
from vision.ground import ground_track
from vision.one_object import same_passage
from vision.records import Direction, Method, Status
from vision.types import Detection, GroundPoint, Observation, Track

T0 = 1_790_000_000_000_000
# Runs east; the own side is to its north (left).
LINE = GroundLine("test", np.array([[-50.0, 0.0], [50.0, 0.0]]), 1.0)
BOX = Detection(0, 0, 10, 20, "person", 0.9)
# One sigma of each shared error and the share of it that a change of view undoes, as a drone at 90 m has them.
SHARED = np.array([[1.0, 0.0, 0.6, 0.0], [0.0, 1.0, 0.0, 0.8]])


def walk(places, *, seconds=0.2, noise=0.1, shared=SHARED, bias=(0.0, 0.0), seed=0, number=1, kind="person", start=T0):
    """A ground track through places, shape (n, 2), one each `seconds`, seen with noise and a bias."""
    rng = np.random.default_rng(seed)
    seen = np.asarray(places, float) + rng.normal(0, noise, (len(places), 2)) + bias
    box = Detection(0, 0, 10, 20, kind, 0.9)
    observations = tuple(
        Observation(
            start + round(i * seconds * 1e6),
            i,
            box,
            GroundPoint(start + round(i * seconds * 1e6), xy, np.eye(2) * max(noise, 0.02) ** 2, np.asarray(shared)),
        )
        for i, xy in enumerate(seen)
    )
    track = ground_track(Track(number, kind, 0.9, observations))
    assert track is not None
    return track


def straight(start, end, speed=1.4, seconds=0.2):
    start, end = np.asarray(start, float), np.asarray(end, float)
    steps = max(2, round(np.hypot(*(end - start)) / speed / seconds))
    return start + np.linspace(0, 1, steps + 1)[:, None] * (end - start)


def judged(places, **kwargs):
    rule = kwargs.pop("rule", None)
    line = kwargs.pop("line", LINE)
    cut = {name: kwargs.pop(name, False) for name in ("cut_in", "cut_off")}
    return judge(replace(walk(places, **kwargs), **cut), line, rule)


@settings(max_examples=40, deadline=None)
@given(
    angle=st.floats(-60, 60),
    along=st.floats(-20, 20),
    speed=st.floats(0.5, 3.0),
    inbound=st.booleans(),
    seed=st.integers(0, 999),
)
def test_a_walk_over_the_line_is_one_crossing_with_its_time_and_place(angle, along, speed, inbound, seed):
    step = np.array([np.sin(np.radians(angle)), np.cos(np.radians(angle))]) * (1 if inbound else -1)
    start, end = np.array([along, 0.0]) - 8 * step, np.array([along, 0.0]) + 8 * step
    places = straight(start, end, speed)
    verdict = judged(places, seed=seed)
    assert verdict.outcome is Outcome.CROSSED
    (passage,) = verdict.passages
    assert passage.direction is (Direction.INBOUND if inbound else Direction.OUTBOUND)
    assert abs(passage.time_us - T0 - (len(places) - 1) * 1e5) / 1e6 < 0.15 + 0.15 / speed
    assert np.hypot(*(passage.xy - [along, 0.0])) < 0.5
    assert passage.xy[1] == pytest.approx(0.0, abs=1e-6)


def test_who_walks_out_of_the_picture_shortly_behind_a_line_that_may_lie_off_has_probably_crossed():
    """The pose may show it so late; a place that is exact, or somebody who does not walk on, says that it was not."""
    out = straight((0, -8), (0, 1.4))
    (passage,) = judged(out, noise=0.03, cut_off=True).passages
    assert passage.status is Status.PROBABLE
    # The error may have taken all of the second: two places that are clear of the random error do.
    (passage,) = judged(straight((0, -8), (0, 0.9)), noise=0.03, cut_off=True).passages
    assert passage.status is Status.PROBABLE
    assert judged(straight((0, -8), (0, 0.3)), noise=0.03, cut_off=True).passages == ()
    # Clear of the line, and gone too soon all the same.
    (clear,) = judged(straight((0, -8), (0, 1.7)), noise=0.03, shared=SHARED * 0.35, cut_off=True).passages
    assert clear.status is Status.PROBABLE
    assert judged(out, noise=0.03, shared=SHARED * 0.05, cut_off=True).passages == ()
    for after in (straight((0, 1.4), (0, 0.6)), np.tile([0, 0.6], (3, 1))):
        assert judged([*straight((0, -8), (0, 0.6)), *after[1:]], noise=0.03, cut_off=True).passages == ()


def test_who_walks_into_the_picture_shortly_before_a_line_that_may_lie_off_has_probably_crossed():
    """The pose may show it so early; what is first seen astride, or somebody found in the middle, shows no side."""
    way = straight((0, -0.9), (0, 8))
    (passage,) = judged(way, noise=0.03, cut_in=True).passages
    assert passage.status is Status.PROBABLE
    assert judged(way, noise=0.03).passages == ()
    assert judged(way, noise=0.03, shared=SHARED * 0.01, cut_in=True).passages == ()
    assert judged(straight((0, -0.3), (0, 8)), noise=0.03, cut_in=True).passages == ()


def test_who_is_lost_in_the_middle_of_the_picture_or_stands_when_it_ends_has_to_have_stayed():
    """Only the edge of the picture takes away what would have been seen: behind a bush people turn back."""
    out = straight((0, -8), (0, 1.4))
    assert judged(out, noise=0.03).passages == ()
    assert len(judged(straight((0, -8), (0, 1.9)), noise=0.03).passages) == 1
    # Quick over the line and then at rest: fast enough on the whole, and not on the way out.
    rest = [*straight((0, -8), (0, 1.5), 2.5), *np.tile([0, 1.5], (2, 1))]
    assert judged(rest, noise=0.01, cut_off=True).passages == ()


def test_own_side_on_the_right_turns_the_direction():
    line = GroundLine("test", LINE.xy, -1.0)
    (passage,) = judged(straight((0, -8), (0, 8)), line=line).passages
    assert passage.direction is Direction.OUTBOUND


@settings(max_examples=30, deadline=None)
@given(offset=st.floats(-1.5, 1.5), noise=st.floats(0.02, 0.4), seed=st.integers(0, 999), seconds=st.floats(3, 20))
def test_what_stands_near_the_line_does_not_cross(offset, noise, seed, seconds):
    places = np.tile([3.0, offset], (int(seconds / 0.2), 1))
    assert judged(places, noise=noise, seed=seed).passages == ()


@settings(max_examples=30, deadline=None)
@given(offset=st.floats(-3, 3), noise=st.floats(0.02, 0.4), seed=st.integers(0, 999))
def test_walking_along_the_line_does_not_cross(offset, noise, seed):
    assert judged(straight((-20, offset), (20, offset)), noise=noise, seed=seed).passages == ()


@settings(max_examples=30, deadline=None)
@given(offset=st.floats(0.2, 6.0), bias=st.floats(-8, 8), turn=st.floats(-2.0, 2.0), seed=st.integers(0, 999))
def test_a_bias_cannot_confirm_what_did_not_happen(offset, bias, turn, seed):
    """Along the line at 3 m with a bias of 4 m, and a yaw error that drifts: never confirmed."""
    places = straight((-20, offset), (20, offset))
    drift = np.linspace(-0.5, 0.5, len(places))
    # The drift is a parameter of the error model: its factor changes along the track.
    rng = np.random.default_rng(seed)
    observations = tuple(
        Observation(
            T0 + i * 200_000,
            i,
            BOX,
            GroundPoint(
                T0 + i * 200_000,
                place + rng.normal(0, 0.1, 2) + [0.0, bias + turn * 1.5 * drift[i]],
                np.eye(2) * 0.01,
                np.array([[1.0, 0.0, 0.0], [0.0, 1.5, 1.5 * drift[i]]]),
            ),
        )
        for i, place in enumerate(places)
    )
    track = ground_track(Track(1, "person", 0.9, observations))
    assert all(p.status is not Status.CONFIRMED for p in judge(track, LINE).passages)


def test_along_the_line_at_3_m_with_a_bias_of_4_m_is_no_crossing():
    assert judged(straight((-20, 3), (20, 3)), bias=(0, -4.0)).passages == ()


def test_far_enough_on_both_sides_is_confirmed_else_probable():
    # Sigma across is sqrt(1 + 0.8²) = 1.28 m: its ellipse reaches 3.13 m.
    (near,) = judged(straight((0, -2.8), (0, 2.8))).passages
    (one_side,) = judged(straight((0, -2.8), (0, 8))).passages
    (both,) = judged(straight((0, -3.8), (0, 3.8))).passages
    assert [p.status for p in (near, one_side, both)] == [Status.PROBABLE, Status.PROBABLE, Status.CONFIRMED]
    assert near.probability < both.probability
    assert both.probability > 0.97


def test_confirmed_keeps_its_promise_under_bias():
    """Walks of random length beside a line, seen with random bias: what is confirmed did cross, 19 times in 20."""
    rng = np.random.default_rng(7)
    confirmed = []
    for number in range(400):
        start, end = rng.uniform(-7, 7, 2)
        bias = SHARED @ rng.standard_normal(4)
        track = walk(straight((0, start), (4, end)), bias=bias, seed=number)
        confirmed += [start * end < 0 for p in judge(track, LINE).passages if p.status is Status.CONFIRMED]
    assert len(confirmed) > 40
    assert np.mean(confirmed) >= 0.95


def test_walking_round_the_end_crosses_nothing():
    round_end = np.concatenate([straight((45, -6), (56, -6)), straight((56, -6), (56, 6)), straight((56, 6), (45, 6))])
    assert judged(round_end).passages == ()
    # The same way round a line that goes on is a crossing.
    longer = GroundLine("test", np.array([[-50.0, 0.0], [80.0, 0.0]]), 1.0)
    assert len(judged(round_end, line=longer).passages) == 1


def test_a_fast_vehicle_does_not_jump_over_the_end():
    places = straight((52, -30), (49.6, 30), speed=20.0)
    assert judged(places, kind="vehicle").passages == () or judged(places, kind="vehicle").passages[0].xy[0] <= 50
    past = straight((52, -30), (51, 30), speed=20.0)
    assert judged(past, kind="vehicle").passages == ()


def test_first_seen_astride_crosses_nothing():
    way = straight((0, -0.2), (0, 8))
    for shared, outcome in ((SHARED, Outcome.OPEN), (SHARED * 0.01, Outcome.ASTRIDE)):
        verdict = judged(way, noise=0.05, shared=shared)
        assert verdict.passages == ()
        assert verdict.outcome is outcome


@settings(max_examples=40, deadline=None)
@given(bias=st.floats(-3.1, 3.1), behind=st.floats(0.5, 3.0), back=st.booleans(), seed=st.integers(0, 999))
def test_who_crossed_has_crossed_or_it_is_open_wherever_in_the_ellipse_the_truth_lies(bias, behind, back, seed):
    """The ellipse reaches 3.13 m across. Seen from well before the line to a little behind it, or the other way."""
    way = straight((0, -9), (0, behind))
    verdict = judged(way[::-1] if back else way, bias=(0, bias), seed=seed, cut_in=True, cut_off=True)
    assert verdict.outcome in {Outcome.CROSSED, Outcome.OPEN}
    assert (verdict.outcome is Outcome.OPEN) == (not verdict.passages)


def test_open_is_said_of_nobody_whose_places_rule_it_out():
    """Well before the line and off again, along it, on the spot, or with places that are exact."""
    there = straight((0, -9), (0, -1))
    assert judged([*there, *there[::-1]]).outcome is not Outcome.OPEN
    assert judged(straight((-20, -1), (20, -1))).outcome is not Outcome.OPEN
    assert judged(np.tile([3.0, 1.0], (40, 1))).outcome is not Outcome.OPEN
    assert judged(there, shared=SHARED * 0.1).outcome is Outcome.APPROACHED
    assert judged(there).outcome is Outcome.OPEN
    assert judged(straight((0, -14), (0, -4))).outcome is Outcome.APPROACHED
    # Past the end of the line there is none to pass.
    assert judged(straight((53, -9), (53, 1))).outcome is not Outcome.OPEN


def test_over_and_back_at_once_has_returned():
    places = np.concatenate([straight((0, -6), (0, 1.0)), straight((0, 1.0), (0, -6))])
    exact = np.full((2, 1), 0.01)
    verdict = judged(places, noise=0.05, shared=exact, rule=CrossingRule(stay_s=2.0))
    assert verdict.outcome is Outcome.RETURNED
    assert verdict.passages == ()


def test_over_and_back_after_a_stay_is_two():
    places = np.concatenate([straight((0, -6), (0, 4)), np.tile([0.0, 4.0], (20, 1)), straight((0, 4), (0, -6))])
    assert [p.direction for p in judged(places).passages] == [Direction.INBOUND, Direction.OUTBOUND]


def test_turning_back_near_the_line_is_no_crossing_whatever_the_bias():
    """Turns back 1 m short of the line; a bias of 2 m within the error of the pose carries the turn over it."""
    places = np.concatenate([straight((0, -7), (0, -1)), np.tile([0.0, -1.0], (8, 1)), straight((0, -1), (0, -7))])
    verdict = judged(places, bias=(0, 2.0))
    assert verdict.passages == ()
    assert verdict.outcome is Outcome.RETURNED


def test_a_car_seen_for_half_a_second_before_the_line_crosses_it():
    (passage,) = judged(straight((0, -4.4), (1, 20), speed=9.0), kind="vehicle").passages
    assert passage.direction is Direction.INBOUND


def test_coming_closer_is_approaching_and_passing_by_is_along():
    assert judged(straight((0, 12), (0, 4))).outcome is Outcome.APPROACHED
    assert judged(straight((-20, 9), (20, 9))).outcome is Outcome.ALONG


def test_a_corner_has_one_line():
    corner = GroundLine("corner", np.array([[-40.0, 0.0], [0.0, 0.0], [0.0, -40.0]]), 1.0)
    inside_stays = straight((-12, -4), (-4, -12))
    assert judged(inside_stays, line=corner).passages == ()
    assert len(judged(straight((-6, -6), (5, 5)), line=corner).passages) == 1


def test_an_outlier_is_left_out():
    places = straight((0, 6), (10, 6))
    places[20] += [0.0, -30.0]
    track = walk(places)
    assert len(track.times_us) == len(places) - 1
    assert judge(track, LINE).passages == ()


def test_smoothing_averages_the_random_error_only():
    track = walk(straight((0, -8), (0, 8)), noise=0.3)
    middle = len(track.times_us) // 2
    assert np.sqrt(track.random[middle, 1, 1]) < 0.2
    assert np.allclose(track.covariance[middle] - track.random[middle], SHARED @ SHARED.T)


@pytest.mark.parametrize("rho", [-0.9, 0.0, 0.7])
@pytest.mark.parametrize(("before", "after"), [(3.0, 1.0), (0.2, 2.0), (-1.0, 1.0)])
def test_probability_of_both_sides_agrees_with_scipy(before, after, rho):
    covariance = np.array([[1.3**2, rho * 1.3 * 0.8], [rho * 1.3 * 0.8, 0.8**2]])
    expected = scipy.stats.multivariate_normal([-before, -after], covariance).cdf([0.0, 0.0])
    assert _both_sides(before, after, 1.3, 0.8, covariance[0, 1]) == pytest.approx(expected, abs=2e-4)


class TestDuplicates:
    """Whether two passages are of one object."""

    @staticmethod
    def pair(first, second):
        (one,), (other,) = judge(first, LINE).passages, judge(second, LINE).passages
        return same_passage(one, first, other, second)

    def test_two_people_abreast_are_two(self):
        a = walk(straight((0, -6), (0, 6)), seed=1)
        b = walk(straight((0.7, -6), (0.7, 6)), seed=2, number=2)
        assert not self.pair(a, b)

    def test_two_boxes_of_one_cyclist_are_one(self):
        a = walk(straight((0, -6), (0, 6)), seed=1)
        b = walk(straight((0.3, -6), (0.3, 6)), seed=2, number=2, kind="bicycle")
        assert self.pair(a, b)

    def test_lost_and_found_near_the_line_is_one(self):
        a = walk(straight((0, -6), (0, 2)), seed=1)
        b = walk(straight((0.4, -1.0), (0.4, 6)), seed=2, number=2, start=int(a.times_us[-1]) + 1_500_000)
        assert self.pair(a, b)

    def test_the_next_in_a_file_is_another(self):
        a = walk(straight((0, -6), (0, 7)), seed=1)
        b = walk(straight((0, -6), (0, 6)), seed=2, number=2, start=int(a.times_us[-1]) + 400_000)
        assert not self.pair(a, b)

    def test_the_way_back_is_another(self):
        a = walk(straight((0, -6), (0, 3)), seed=1)
        b = walk(straight((0, 3), (0, -6)), seed=2, number=2, start=int(a.times_us[-1]) + 400_000)
        assert not self.pair(a, b)


def test_crossing_says_all_that_the_service_takes():
    frame = LocalFrame(31.333, -110.94, 1180.0)
    track = walk(straight((0, -8), (0, 8)))
    (passage,) = judge(track, LINE).passages
    crossing = crossing_of(passage, track, frame=frame, source="vehicle-1", border="test")
    again = crossing_of(passage, track, frame=frame, source="vehicle-1", border="test")
    assert crossing == again
    record = crossing.to_json()
    assert set(record) == {
        "source", "source_id", "time", "update_time", "kind", "direction", "status", "method", "lat", "lon",
        "ellipse", "border", "confidence", "track", "evidence", "model", "purpose", "owner", "marking",
        "retention_days",
    }  # fmt: skip
    assert record["time"].endswith("Z")
    assert len(record["time"]) == 27
    assert record["method"] == Method.GROUND.value
    assert record["marking"] is None
    assert record["lat"] == pytest.approx(31.333, abs=1e-5)
    # The ellipse is longest where the shared error is: 1.28 m across (north), 1.17 m along.
    assert record["ellipse"]["semi_major_m"] == pytest.approx(2.4477 * 1.281, rel=0.02)
    assert record["ellipse"]["orientation_deg"] % 180 == pytest.approx(0.0, abs=2.0) or record["ellipse"][
        "orientation_deg"
    ] == pytest.approx(180.0, abs=2.0)
    assert 0 < record["confidence"] <= 1


def test_a_line_in_degrees_lies_where_degrees_say():
    """Between vertices 20 km apart the line keeps its course in degrees and is not the chord north of it."""
    border = BorderLine("edge", ((-111.045, 31.33), (-110.835, 31.34)), "left")
    frame = LocalFrame(31.333, -110.94, 1180.0)
    line = border.on_ground(frame)
    east, north, _ = frame.to_enu([31.335, 31.334875], [-110.94, -110.942625], 1180.0)
    offsets = line.locate(np.stack([east, north], axis=-1)).offset_m
    assert np.abs(offsets).max() < 0.01


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 999), x=st.floats(-900, 900), y=st.floats(-300, 300))
def test_looking_near_only_gives_the_same_side(seed, x, y):
    rng = np.random.default_rng(seed)
    xy = np.stack([np.linspace(-1000, 1000, 200), np.cumsum(rng.normal(0, 5, 200))], axis=-1)
    line = GroundLine("long", xy, 1.0)
    points = np.array([[x, y], [x + 3, y - 2]])
    from geo import locate

    whole = locate(xy, points)
    near = line.locate(points)
    assert np.allclose(near.offset_m, whole.offset_m)
    assert (near.beyond == whole.beyond).all()


@pytest.mark.parametrize(
    ("vertices", "side", "message"),
    [
        (((0, 0), (1, 1)), "north", "own_side"),
        (((0, 0), (0, 0)), "left", "make no line"),
        (((0, 0), (1, 99)), "left", "latitude"),
    ],
)
def test_a_border_that_makes_no_sense_is_refused(vertices, side, message):
    with pytest.raises(BorderError, match=message):
        BorderLine("b", vertices, side)
