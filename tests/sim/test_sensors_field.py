"""Sensors in a world: who is noticed how often, what only seems so, and when the report of it comes."""

import itertools
import math
import time
from datetime import UTC, datetime

import numpy as np
import pytest
import scipy
from hypothesis import given, settings
from hypothesis import strategies as st

from sim import (
    KINDS,
    Actor,
    ConfigError,
    Custody,
    SensorField,
    World,
    detection_probability,
    ground_sensor,
    play_sensors,
    stand,
    walk,
)
from sim.sun import is_day
from sim.times import microseconds
from tests.asked import few

NIGHT_US = microseconds(datetime(2027, 3, 1, 8, tzinfo=UTC))  # one in the morning on the border of Arizona
QUIET = {"false_day_per_h": 0.0, "false_night_per_h": 0.0, "heartbeat_s": 0.0}
MOMENT_FORMAT = "%Y-%m-%dT%H:%M:%S.%fZ"


def world_of(*actors, epoch_us=NIGHT_US, lat=31.345, lon=-110.93):
    return World(lat, lon, 1180.0, epoch_us, tuple(actors))


def sensor_at(east, north, model="pir", *, id="s", **figures):  # noqa: A002
    lat, lon, _ = world_of().frame.to_geodetic(east, north)
    return ground_sensor(id, model, float(lat), float(lon), **(QUIET | figures))


def passer(number, kind, distance, *, start_s=0.0, half_m=30.0):
    """Walks past the origin, northwards, at a distance to its east."""
    return Actor(number, kind, walk([(distance, -half_m), (distance, half_m)], 2.0, start_s=start_s, variation=0))


def cues(field, seconds=3600.0, epoch_us=NIGHT_US):
    return [report for report in field.advance(epoch_us + round(seconds * 1e6)) if report.is_cue]


def moment(text):
    return microseconds(datetime.strptime(text, MOMENT_FORMAT).replace(tzinfo=UTC))


# -- detection --------------------------------------------------------------------------------------------------------

PASSES = 1000


@pytest.mark.parametrize(
    ("model", "kind", "distance"),
    [
        ("pir", "person", 35.0),
        ("pir", "person", 42.0),
        ("pir", "animal", 20.0),
        ("pir", "vehicle", 75.0),
        ("seismic", "person", 27.0),
        ("seismic", "bicycle", 13.0),
        ("acoustic", "person", 11.0),
        ("acoustic", "person", 15.0),
        ("acoustic", "vehicle", 330.0),
    ],
)
def test_a_pass_is_noticed_as_often_as_the_model_says(model, kind, distance):
    """The best moment of a straight pass is its closest point; over many seeds, within the 99.9 % interval."""
    world = world_of(passer(1, kind, distance, half_m=6.0))
    sensor = sensor_at(0, 0, model, field_deg=360, range_m=500)
    noticed = sum(bool(cues(SensorField(world, [sensor], seed), 12)) for seed in range(PASSES))
    # The nearest tick of a tenth of a second is within 0.1 m of the closest point.
    expected = float(detection_probability(model, kind, distance))
    low, high = scipy.stats.binom.interval(0.999, PASSES, expected)
    assert low - 1 <= noticed <= high + 1


def test_a_beam_is_broken_as_often_as_the_model_says_and_only_between_its_posts():
    sensor = sensor_at(0, 0, "beam", heading_deg=90, range_m=20)
    animal = world_of(passer(1, "animal", 10.0, half_m=3.0))
    noticed = sum(bool(cues(SensorField(animal, [sensor], seed), 4)) for seed in range(PASSES))
    low, high = scipy.stats.binom.interval(0.999, PASSES, 0.75)
    assert low <= noticed <= high
    for beside in (-0.5, 20.5):
        world = world_of(passer(1, "vehicle", beside, half_m=3.0))
        assert not any(cues(SensorField(world, [sensor], seed), 4) for seed in range(50))
    # Beside the beam and up to it, never through.
    along = world_of(Actor(1, "vehicle", walk([(-5, 0.5), (30, 0.5)], 3.0, variation=0)))
    assert not any(cues(SensorField(along, [sensor], seed), 20) for seed in range(50))


@given(
    st.sampled_from(["pir", "seismic", "beam", "acoustic"]),
    st.sampled_from(sorted(KINDS)),
    st.floats(5, 200),
    st.floats(0, 360),
    st.integers(0, 2**31),
)
@settings(max_examples=few(60), deadline=None)
def test_nobody_out_of_range_is_ever_noticed(model, kind, range_m, bearing, seed):
    away = (range_m + 0.01) * np.array([math.sin(math.radians(bearing)), math.cos(math.radians(bearing))])
    across = np.array([away[1], -away[0]]) / range_m
    path = walk([away - 30 * across, away + 30 * across], 3.0, variation=0)
    field = SensorField(world_of(Actor(1, kind, path)), [sensor_at(0, 0, model, range_m=range_m, field_deg=360)], seed)
    assert cues(field, 60) == []


def test_a_sector_looks_one_way():
    # East of the sensor, which opens 90 degrees: it looks west, then east.
    for heading, sees in ((270.0, False), (90.0, True), (46.0, True), (20.0, False)):
        sensor = sensor_at(0, 0, "pir", heading_deg=heading, field_deg=90)
        world = world_of(passer(1, "vehicle", 10.0, half_m=1.0))
        assert bool(cues(SensorField(world, [sensor], 3), 10)) == sees


def test_only_what_moves_is_noticed():
    still = Actor(1, "person", stand((5, 0), start_s=0, end_s=600))
    later = Actor(2, "person", walk([(6, 0), (6, 4)], 1.0, start_s=100, variation=0))
    for model in ("pir", "seismic", "acoustic"):
        told = cues(SensorField(world_of(still, later), [sensor_at(0, 0, model, field_deg=360)], 5), 600)
        assert {report.actor for report in told} == {2}
        events = [moment(report.message["phenomenonTime"]) for report in told]
        assert all(NIGHT_US + 100e6 <= event <= NIGHT_US + 104.1e6 for event in events)


def test_who_stays_is_told_again_after_the_hold_off():
    path = walk([(3, -1), (3, 1)] * 60, 1.0, variation=0)  # to and fro, two metres at a time
    sensor = sensor_at(0, 0, "pir", field_deg=360, hold_off_s=7)
    told = cues(SensorField(world_of(Actor(1, "person", path)), [sensor], 2), 100)
    events = np.array([moment(report.message["phenomenonTime"]) for report in told]) / 1e6
    assert len(events) == 15
    assert np.diff(events) == pytest.approx(7.0, abs=0.11)


# -- false alarms -----------------------------------------------------------------------------------------------------


def test_false_alarms_come_as_a_poisson_process_by_day_and_by_night():
    """Counts of each hour over 60 days against the Poisson distribution of its rate, twilight hours left out."""
    sensor = sensor_at(
        0, 0, "seismic", false_day_per_h=3.0, false_night_per_h=0.8, hold_off_s=0.1, jitter_s=0, latency_s=0
    )
    hours = 24 * 60
    told = cues(SensorField(world_of(), [sensor], 11), hours * 3600)
    assert all(report.actor is None for report in told)
    times = np.array([moment(report.message["phenomenonTime"]) for report in told])
    starts = NIGHT_US + 3_600_000_000 * np.arange(hours)
    counts = np.histogram(times, bins=[*starts, starts[-1] + 3_600_000_000])[0]
    day_first, day_last = (is_day(31.345, -110.93, starts + shift) for shift in (0, 3_599_000_000))
    for which, rate in ((day_first & day_last, 3.0), (~day_first & ~day_last, 0.8)):
        seen = counts[which]
        low, high = scipy.stats.poisson.interval(0.999, rate * seen.size)
        assert low <= seen.sum() <= high
        top = 7 if rate > 1 else 4
        likely = scipy.stats.poisson(rate)
        expected = seen.size * np.append(likely.pmf(np.arange(top)), likely.sf(top - 1))
        found = np.bincount(np.minimum(seen, top), minlength=top + 1)
        assert scipy.stats.chisquare(found, expected).pvalue > 1e-3
    # What is left of a day between two alarms is exponential: no memory.
    night = times[:-1][np.diff(times) > 0]
    assert night.size == times.size - 1


def test_an_alarm_within_the_hold_off_is_not_told():
    often = sensor_at(0, 0, "pir", false_night_per_h=600.0, false_day_per_h=600.0, hold_off_s=30)
    told = cues(SensorField(world_of(), [often], 1), 7200)
    gaps = np.diff([moment(report.message["phenomenonTime"]) for report in told]) / 1e6
    assert gaps.min() >= 30
    # Dead time tau at rate r leaves r / (1 + r tau) of the alarms: 600/h and 30 s leave 100 an hour.
    assert 200 * 0.8 < len(told) < 200 * 1.2


def test_no_message_tells_a_false_alarm_from_a_true_one():
    world = world_of(passer(1, "person", 5.0))
    told = cues(SensorField(world, [sensor_at(0, 0, "acoustic", false_night_per_h=60.0)], 4), 3600)
    assert {report.actor for report in told} == {1, None}
    assert len({frozenset(report.message) for report in told}) == 1
    assert len({frozenset(report.message["parameters"]) for report in told}) == 1
    assert all(0.5 <= report.message["confidence"] <= 1 for report in told)


# -- order and repetition ---------------------------------------------------------------------------------------------


def busy(seed):
    world = world_of(
        *(passer(i, kind, 4.0 * i, start_s=11.0 * i) for i, kind in enumerate(("person", "vehicle", "animal"), start=1))
    )
    # Reports overtake each other, and come between two looks.
    noisy = {"false_night_per_h": 1200.0, "heartbeat_s": 20.0, "latency_s": 0.0, "jitter_s": 0.3, "hold_off_s": 0.5}
    sensors = [sensor_at(2 * n, 0, model, id=model, **noisy) for n, model in enumerate(("pir", "beam", "acoustic"))]
    return SensorField(world, sensors, seed)


@given(st.lists(st.integers(1, 60_000_000), min_size=1, max_size=12), st.integers(0, 1000))
@settings(max_examples=40, deadline=None)
def test_the_reports_do_not_depend_on_how_time_is_cut(steps, seed):
    whole = busy(seed).advance(NIGHT_US + 300_000_000)
    pieces, field = [], busy(seed)
    for step in itertools.accumulate(steps):
        pieces += field.advance(NIGHT_US + step)
    pieces += field.advance(NIGHT_US + 300_000_000) if sum(steps) < 300_000_000 else []
    if sum(steps) >= 300_000_000:
        pieces = [report for report in pieces if report.time_us <= NIGHT_US + 300_000_000]
    assert pieces == whole
    times = [report.time_us for report in whole]
    assert times == sorted(times)
    assert whole


def test_what_is_reported_at_once_does_not_overtake_what_was_on_its_way():
    """Steps that end between two looks, with so many alarms that some fall between a look and the end of a step."""
    quick = {"false_night_per_h": 3000.0, "latency_s": 0.0, "jitter_s": 0.1, "hold_off_s": 0.1}
    sensors = [sensor_at(n, 0, "pir", id=f"s{n}", **quick) for n in range(40)]
    whole = SensorField(world_of(), sensors, 1).advance(NIGHT_US + 20_000_000)
    field, pieces = SensorField(world_of(), sensors, 1), []
    for step in range(1, 155):
        pieces += field.advance(NIGHT_US + 130_000 * step)
    assert pieces == [report for report in whole if report.time_us <= NIGHT_US + 20_000_000]
    assert len(pieces) > 500


def test_another_seed_is_another_night_and_the_same_seed_the_same():
    first, again, other = (busy(seed).advance(NIGHT_US + 600_000_000) for seed in (1, 1, 2))
    assert first == again
    assert [r.message for r in first] != [r.message for r in other]


def test_a_sensor_does_not_depend_on_its_neighbours():
    world, sensor = world_of(passer(1, "person", 30.0)), sensor_at(0, 0, "pir", false_night_per_h=30.0, field_deg=360)
    other = sensor_at(0, 1, "acoustic", id="other", false_night_per_h=50.0)
    alone = cues(SensorField(world, [sensor], 9))
    beside = [r for r in cues(SensorField(world, [other, sensor], 9)) if r.sensor == "s"]
    assert alone == beside
    assert alone


# -- reports ----------------------------------------------------------------------------------------------------------


def test_reports_come_with_the_latency_of_the_sensor():
    sensor = sensor_at(
        0, 0, "pir", false_night_per_h=600.0, false_day_per_h=600.0, latency_s=3, jitter_s=2, hold_off_s=0.1
    )
    told = cues(SensorField(world_of(), [sensor], 6), 3600 * 5)
    delays = np.array([r.time_us - moment(r.message["phenomenonTime"]) for r in told]) / 1e6
    assert all(moment(r.message["resultTime"]) == r.time_us for r in told)
    assert delays.min() >= 3
    assert scipy.stats.kstest(delays - 3, "expon", args=(0, 2)).pvalue > 1e-3


def test_a_microphone_measures_the_bearing():
    errors = []
    for seed in range(400):
        sensor = sensor_at(0, 0, "acoustic", range_m=400)
        world = world_of(Actor(1, "vehicle", walk([(100, 0), (100, 0.5)], 2.0, variation=0)))
        for report in cues(SensorField(world, [sensor], seed), 5):
            errors.append(report.message["parameters"]["azimuth_deg"] - 90)
            lon, lat = report.message["location"]["coordinates"]
            east, north, _ = world.frame.to_enu(lat, lon, 1180)
            assert math.degrees(math.atan2(east, north)) == pytest.approx(90 + errors[-1], abs=0.1)
            assert math.hypot(east, north) == pytest.approx(200, abs=0.1)
    assert len(errors) > 350
    assert scipy.stats.kstest(errors, "norm", args=(0, 6)).pvalue > 1e-3


def test_heartbeats_come_until_the_battery_is_empty_and_then_nothing():
    sensor = sensor_at(
        0, 0, "pir", heartbeat_s=600, battery_h=10, battery_pct=50, false_night_per_h=60.0, false_day_per_h=60.0
    )
    told = SensorField(world_of(), [sensor], 8).advance(NIGHT_US + 10 * 3_600_000_000)
    assert NIGHT_US + 4.8 * 3.6e9 < max(r.time_us for r in told) < NIGHT_US + 5 * 3.6e9 + 60e6
    beats = [r for r in told if not r.is_cue]
    assert len(beats) == 30
    assert set(np.diff([r.time_us for r in beats])) == {600_000_000}
    for report in beats:
        left = 50 - (report.time_us - NIGHT_US) / 3.6e9 * 10
        assert report.message["battery_pct"] == pytest.approx(left, abs=0.06)
        assert report.message["status"] == ("ok" if left >= 20 else "battery low")
    assert {r.message["status"] for r in beats} == {"ok", "battery low"}


def test_cues_carry_the_custody_of_their_network():
    field = SensorField(
        world_of(), [sensor_at(0, 0, false_night_per_h=99.0)], 1, custody=Custody("Guard", "watch", "REL")
    )
    told = cues(field)
    assert {r.message["custody"]["marking"] for r in told} == {"REL"}
    assert "custody" not in cues(SensorField(world_of(), [sensor_at(0, 0, false_night_per_h=99.0)], 1))[0].message
    assert len({r.message["id"] for r in told}) == len(told)


def test_played_time_goes_by_the_wall_clock_times_the_speed_up():
    field, told = busy(3), []
    with play_sensors(field, NIGHT_US, 50.0, told.append) as played:
        begin, first = time.monotonic(), played()
        while time.monotonic() < begin + 1.0:
            time.sleep(0.05)
        wall_s, sim_s = time.monotonic() - begin, (played() - first) / 1e6
    assert 0.7 * 50 * wall_s < sim_s < 1.3 * 50 * wall_s + 10
    again = busy(3).advance(told[-1].time_us)
    assert told[: len(again)] == again
    assert len(told) > 10


def test_what_goes_wrong_while_playing_is_raised_at_the_end():
    def broken(_report):
        raise ValueError("no more room")

    with pytest.raises(ValueError, match="no more room"), play_sensors(busy(3), NIGHT_US, 1000.0, broken):
        time.sleep(0.3)
    with pytest.raises(ConfigError, match="speedup is 0"), play_sensors(busy(3), NIGHT_US, 0, broken):
        pass


def test_two_sensors_of_one_name_are_refused():
    with pytest.raises(ConfigError, match="two sensors have the id s"):
        SensorField(world_of(), [sensor_at(0, 0), sensor_at(1, 0)], 1)
