"""One event for one crossing that two drones saw; a group of persons stays as many as they are."""

import math
from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.asked import few
from tests.vision.flown import ALONG, INBOUND, OUTBOUND, STANDING, border, fly
from vision import Direction, Ellipse, Method, Status, Stream, TrackError, TrackPoint, watch_streams
from vision.fusion import FusionGates, one_each
from vision.records import Crossing

LAT, LON = 46.0, 8.0
M_LAT, M_LON = 111_132.0, 111_320.0 * math.cos(math.radians(46.0))
SLOW = settings(max_examples=few(60), deadline=None, suppress_health_check=[HealthCheck.too_slow])


def report(source, number, east=0.0, start_s=0.0, *, shift=(0.0, 0.0), sigma=2.0, since=0.0, until=20.0, **more):
    """A person who walks north over the line at 1.5 m/s, seen with the error of one camera; metres of LAT, LON."""
    times = np.arange(since, until + 0.01, 0.5)
    points = tuple(
        TrackPoint(
            round((start_s + t) * 1e6),
            LAT + (1.5 * (t - 10.0) + shift[1]) / M_LAT,
            LON + (east + shift[0]) / M_LON,
            sigma,
        )
        for t in times
    )
    # The line is where the camera's own error puts the person on it.
    passed = start_s + 10.0 - shift[1] / 1.5
    fields = {
        "kind": "person",
        "direction": Direction.INBOUND,
        "status": Status.PROBABLE,
        "method": Method.GROUND,
        "border": "line",
        "confidence": 0.8,
        "lat_deg": LAT,
        "lon_deg": points[0].lon_deg,
        "ellipse": Ellipse(2.45 * sigma, 2.45 * sigma, 0.0),
        "track": points,
    } | more
    return Crossing(source, number, round(passed * 1e6), round((start_s + until) * 1e6), **fields)


def test_two_reports_of_one_person_are_one_event_that_names_both():
    sure = report("drone-1", "a", shift=(1.0, -1.0), sigma=1.5, status=Status.CONFIRMED)
    other = report("drone-2", "b", shift=(-1.5, 0.5), sigma=1.0)
    (event,) = one_each([other, sure])
    # Confirmed comes before precise.
    assert (event.source, event.source_id) == ("drone-1", "a")
    assert event.also_seen == (("drone-2", "b"),)
    assert event.to_json()["also_seen"] == [{"source": "drone-2", "source_id": "b"}]
    assert "also_seen" not in sure.to_json()
    (precise,) = one_each([replace(sure, status=Status.PROBABLE), other])
    assert precise.source == "drone-2"


@SLOW
@given(
    persons=st.lists(st.floats(-30, 30), min_size=1, max_size=6),
    errors=st.tuples(st.floats(-1.5, 1.5), st.floats(-1.5, 1.5)),
    seed=st.integers(0, 2**31),
)
def test_a_group_is_counted_by_its_persons_whatever_the_order_of_the_reports(persons, errors, seed):
    """Two cameras, each with one error for all: as many events as persons, each seen by both."""
    rng = np.random.default_rng(seed)
    starts = rng.uniform(0.0, 3.0, len(persons))
    reports = [
        report(f"drone-{k}", f"{k}-{n}", east, start, shift=(errors[k - 1], -errors[k - 1]), sigma=2.0)
        for k in (1, 2)
        for n, (east, start) in enumerate(zip(persons, starts, strict=True))
    ]
    rng.shuffle(reports)
    events = one_each(reports)
    assert len(events) == len(persons)
    assert all(len(event.also_seen) == 1 for event in events)
    names = [(e.source, e.source_id) for e in events] + [name for e in events for name in e.also_seen]
    assert sorted(names) == sorted((r.source, r.source_id) for r in reports)
    assert [e.time_us for e in events] == sorted(e.time_us for e in events)


@pytest.mark.parametrize(
    "change",
    [
        {"east": 12.0},
        {"start_s": 9.0},
        {"direction": Direction.OUTBOUND},
        {"kind": "vehicle"},
        {"border": "another"},
        {"ellipse": None, "lat_deg": None, "lon_deg": None, "track": ()},
        {"since": 15.0, "until": 20.0, "start_s": -16.0},
    ],
    ids=["elsewhere", "later", "the other way", "another kind", "another line", "no place", "never at one time"],
)
def test_two_events_stay_two(change):
    east, start = change.pop("east", 0.0), change.pop("start_s", 0.0)
    events = one_each([report("drone-1", "a"), report("drone-2", "b", east, start, **change)])
    assert len(events) == 2
    assert all(event.also_seen == () for event in events)


def test_reports_of_one_camera_are_never_joined():
    assert len(one_each([report("drone-1", "a"), report("drone-1", "b")])) == 2


def test_errors_that_allow_everything_prove_nothing():
    far = report("drone-2", "b", 40.0, sigma=60.0)
    assert len(one_each([report("drone-1", "a", sigma=60.0), far])) == 2
    assert len(one_each([report("drone-1", "a", sigma=60.0), far], FusionGates(apart_m=50.0))) == 1


def test_true_pairs_are_joined_as_often_as_the_gate_says():
    """Errors drawn from the sigma that the tracks state: 99 % of pairs lie within chi2 of 9.21."""
    rng = np.random.default_rng(5)
    joined = 0
    for _ in range(1500):
        shifts = rng.normal(0.0, 2.0, (2, 2))
        pair = [report(f"drone-{k}", str(k), shift=tuple(shifts[k])) for k in (0, 1)]
        joined += len(one_each(pair)) == 1
    assert joined / 1500 == pytest.approx(0.99, abs=0.01)


def test_three_drones_and_the_antimeridian():
    reports = [report(f"drone-{k}", str(k), shift=(k * 0.5, 0.0)) for k in range(3)]
    over = [
        replace(
            one,
            lon_deg=(one.lon_deg + 172.0 + 180.0) % 360.0 - 180.0,
            track=tuple(replace(p, lon_deg=(p.lon_deg + 172.0 + 180.0) % 360.0 - 180.0) for p in one.track),
        )
        for one in reports
    ]
    for order in permutations(over):
        (event,) = one_each(order)
        assert len(event.also_seen) == 2


@pytest.mark.parametrize("name", ["seconds", "chi2", "apart_m"])
def test_impossible_gates_are_refused(name):
    with pytest.raises(TrackError, match=f"fusion: {name}"):
        FusionGates(**{name: 0.0})


def test_what_two_flights_see_of_two_people_are_two_events():
    """Two cameras that fly by at other times, each with errors of its own, over the same people."""
    streams = []
    for number, (speed, start_east) in enumerate(((7.5, -52.0), (6.0, -42.0)), start=1):
        frames, oracle = fly([INBOUND, OUTBOUND, STANDING, ALONG], seed=number, speed=speed, start_east=start_east)
        streams.append(Stream(frames, border=border(), name=f"drone-{number}", detector=oracle))
    crossings = [one for outcome in watch_streams(streams) for one in outcome.result.crossings]
    assert sorted((one.source, one.direction) for one in crossings) == sorted(
        (f"drone-{number}", way) for number in (1, 2) for way in (Direction.INBOUND, Direction.OUTBOUND)
    )
    events = one_each(crossings)
    assert sorted(event.direction for event in events) == [Direction.INBOUND, Direction.OUTBOUND]
    for event in events:
        ((other, _),) = event.also_seen
        assert {event.source, other} == {"drone-1", "drone-2"}
