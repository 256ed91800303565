"""The hours of a shift by a time zone, against the conversions of zoneinfo minute by minute; past crossings as risk."""

import json
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

import vision
from cli.commands import app
from missions import (
    Branch,
    FormatError,
    LineKind,
    Objective,
    PastCrossing,
    PlanError,
    PlanOptions,
    Risk,
    RiskTable,
    build_network,
    load_plan,
    plan,
    plan_network,
    read_past_crossings,
    risk_of_past,
    write_border,
)
from missions.clock import ShiftClock, zone_of
from missions.replanning import replan
from tests.asked import few
from tests.missions.helpers import LAT, LON, M_LAT, M_LON, border_from_metres, fleet_for, straight

# Days on which the clock is put forward and back, one by half an hour; and one of none.
STARTS = [
    "2027-03-28T00:30+01:00",
    "2027-10-31T00:10+02:00",
    "2027-04-03T13:00+00:00",
    "2027-10-02T14:00Z",
    "2027-06-01T22:00Z",
]
ZONES = ["", "Europe/Zurich", "Australia/Lord_Howe", "America/New_York", "UTC", "-03:30"]
# Most of them about the hours that are left out or come twice.
hours = (st.integers(0, 16) | st.integers(0, 96)).map(lambda quarter: quarter / 4)


@st.composite
def tables(draw):
    rows = []
    for _ in range(draw(st.integers(1, 4))):
        a, b = draw(hours), draw(hours)
        if a != b and (a, b) != (24, 0):
            rows.append(Risk(0.0, 1000.0, draw(st.floats(1, 9)), a, b))
    return RiskTable(tuple(rows), draw(st.sampled_from(ZONES)))


@settings(max_examples=few(150))
@given(tables(), st.sampled_from(STARTS), st.integers(1, 60))
def test_a_row_holds_when_the_clock_on_the_wall_shows_its_hours(table, start, half_hours):
    shift_s = half_hours * 1800.0
    clock = ShiftClock.of(0.0, start, table.zone)
    changes = [0.0, *table.changes(clock, shift_s), shift_s]
    begun = datetime.fromisoformat(start)
    zone = begun.tzinfo if not table.zone else datetime.now(zone_of(table.zone, "test")).tzinfo
    for low, high in pairwise(changes):
        middle = table.weights([0.0], [1000.0], clock.hour((low + high) / 2))[0]
        for at_s in range(int(low // 60 + 1) * 60, int(high), 60):
            wall = datetime.fromtimestamp(begun.timestamp() + at_s, zone)
            hour = wall.hour + wall.minute / 60
            holding = [row.weight for row in table.rows if row.holds(hour)]
            assert max(holding, default=1.0) == middle, (wall, low, high)


@pytest.mark.parametrize(
    ("start", "told", "jump_s"),
    [
        ("2027-03-28T00:30+01:00", "from 02:00 to 03:00", 5400.0),
        ("2027-10-31T00:30+02:00", "from 03:00 to 02:00", 9000.0),
        ("2027-06-01T00:30+02:00", None, None),
    ],
)
def test_a_shift_in_which_the_clock_changes_has_its_risk_by_the_new_one_and_says_so(start, told, jump_s):
    """From 4 to 6 o'clock the risk is high: on these days that begins an hour sooner or later after the start."""
    border = straight(6000)
    options = PlanOptions(objective=Objective.RISK, shift_start=start, shift_s=6 * 3600.0)
    made = plan(
        border, fleet_for(border, 1), options=options, risk=RiskTable((Risk(0, 2000, 5.0, 4, 6),), "Europe/Zurich")
    )
    assert f"hours of risk are of Europe/Zurich: the shift begins at {start[:10]} 00:30" in " ".join(made.notes)
    assert any("the clock goes" in note for note in made.notes) == (told is not None)
    assert told is None or any(told in note for note in made.notes)
    four = datetime.fromisoformat(start).replace(hour=4, minute=0, tzinfo=ZoneInfo("Europe/Zurich"))
    wait_s = (four - datetime.fromisoformat(start)).total_seconds()
    clock = ShiftClock.of(0.0, start, "Europe/Zurich")
    assert clock.hour(wait_s) == 4.0
    assert wait_s == {5400.0: 9000.0, 9000.0: 16_200.0, None: 12_600.0}[jump_s]
    assert clock.jumps(6 * 3600.0) == ([] if jump_s is None else [jump_s])
    # What is left of the shift later has the same hours at the same moments.
    rest = replan(made, [1], 3600.0)
    later = ShiftClock.of(rest.options.shift_hour, rest.options.shift_start, rest.risk.zone)
    assert later.hour(1000.0) == clock.hour(4600.0)


@given(st.sampled_from([0, 300_000, 700_000, 999_999]), st.floats(-3, 3), st.booleans())
@example(700_000, 1.0, True)
def test_a_jump_in_the_last_seconds_of_a_shift_is_found_to_the_fraction(micro, more_s, spring):
    """The clock of Zurich is put forward on 28 March at 01:00 UTC, and back on 31 October at the same hour."""
    jump = datetime(2027, 3, 28, 1, tzinfo=UTC) if spring else datetime(2027, 10, 31, 1, tzinfo=UTC)
    start = jump - timedelta(hours=8) + timedelta(microseconds=micro)
    at_s = (jump - start).total_seconds()
    assume(abs(more_s) > 1e-3)
    found = ShiftClock.of(0, start.isoformat(), "Europe/Zurich").jumps(at_s + more_s)
    assert found == ([pytest.approx(at_s, abs=1e-6)] if more_s > 0 else [])


def test_without_a_date_the_hours_are_those_of_the_shift_and_the_plan_says_so():
    border = straight(6000)
    options = PlanOptions(objective=Objective.RISK, shift_hour=3.0, shift_s=7200.0)
    rows = (Risk(0, 2000, 5.0, 4, 6),)
    made = plan(border, fleet_for(border, 1), options=options, risk=RiskTable(rows))
    assert any("hours of risk are of the clock that the hour is read from" in note for note in made.notes)
    all_day = plan(border, fleet_for(border, 1), options=options, risk=RiskTable((Risk(0, 2000, 5.0),)))
    assert not any("hours of risk" in note for note in all_day.notes)
    with pytest.raises(PlanError, match="those of Europe/Zurich, and the shift has no date: give shift_start"):
        plan(border, fleet_for(border, 1), options=options, risk=RiskTable(rows, "Europe/Zurich"))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: RiskTable((), "Europe/Zurch"), "no time zone is called 'Europe/Zurch'"),
        (lambda: RiskTable((), "../etc/passwd"), "no time zone"),
        (lambda: RiskTable((), "Europe"), "no time zone"),
        (lambda: RiskTable((), "+25:00"), "no time zone"),
        (lambda: PlanOptions(shift_start="2027-03-28T00:30"), "give date and time with the zone"),
        (lambda: PlanOptions(shift_start="tomorrow"), "shift_start is 'tomorrow'"),
        (lambda: PlanOptions(shift_start="2027-03-28T00:30Z", shift_hour=3), "give one of them"),
    ],
)
def test_a_zone_or_a_start_that_is_none_is_refused(make, words):
    with pytest.raises(PlanError, match=words):
        make()


PLACE = (LAT + 10 / M_LAT, LON + 3000 / M_LON)
RECORDS = [
    {"time": "2027-01-10T22:30:00Z", "lat": PLACE[0], "lon": PLACE[1], "review": {"state": "confirmed"}},
    {"time": "2027-01-11T23:30:00+01:00", "lat": PLACE[0], "lon": PLACE[1]},
    {"time": "2027-07-11T22:10:00Z", "lat": PLACE[0], "lon": PLACE[1], "review": {"state": "pending"}},
    {"time": "2027-01-10T04:30:00Z", "lat": PLACE[0], "lon": PLACE[1], "review": {"state": "dismissed"}},
    {"time": "2027-01-10T04:30:00Z", "lat": None, "lon": None},
    {"time": "2027-01-10T04:30:00Z", "lat": PLACE[0] + 0.5, "lon": PLACE[1]},
]


def written(path, records=RECORDS):
    if path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(record) + "\n" for record in records))
    elif path.suffix == ".csv":
        kept = [r for r in records if r.get("review") != {"state": "dismissed"}]
        cells = [",".join("" if r[name] is None else str(r[name]) for name in ("lat", "lon", "time")) for r in kept]
        path.write_text("\n".join(["lat,lon,time", *cells]))
    else:
        features = []
        for record in records:
            rest = {name: value for name, value in record.items() if name not in {"lat", "lon"}}
            point = {"type": "Point", "coordinates": [record["lon"], record["lat"]]}
            features.append({"type": "Feature", "properties": rest, "geometry": point if record["lat"] else None})
        path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return path


@pytest.mark.parametrize("ending", [".jsonl", ".csv", ".geojson"])
def test_past_crossings_weigh_at_the_hours_of_the_zone_in_which_they_are_counted(tmp_path, ending):
    border = straight(10_000)
    past = read_past_crossings(written(tmp_path / f"past{ending}"))
    assert len(past) == 5
    # 23:30, 23:30 and, in summer, 0:10 in Zurich; 22:30, 22:30 and 22:10 in UTC.
    for zone, found in (("Europe/Zurich", {(18, 24): 2, (0, 6): 1}), ("UTC", {(18, 24): 3})):
        table, (told,) = risk_of_past(border, past, zone, "2027-02-01T20:00+01:00")
        assert told.startswith("risk from 3 past crossings; 1 without a place and 1 further than 5 km")
        assert {(row.from_hour, row.to_hour) for row in table.rows} == set(found)
        assert all(row.from_m < 3000 < row.to_m for row in table.rows)
        assert table.zone == zone
    with pytest.raises(PlanError, match="--start"):
        risk_of_past(border, past, "UTC", "")


def test_crossings_of_the_watch_and_the_service_are_read(tmp_path):
    """As they write them, not as they are thought to."""
    time_us = int(datetime(2027, 1, 10, 22, 30, tzinfo=UTC).timestamp() * 1e6)
    own = next(iter(vision.Direction)), next(iter(vision.Status)), next(iter(vision.Method))
    crossings = [vision.Crossing("cam", "1", time_us, time_us, "person", *own, "line", 0.9, *PLACE)]
    for ending in (".jsonl", ".geojson"):
        vision.write_crossings(tmp_path / f"c{ending}", crossings)
        (found,) = read_past_crossings(tmp_path / f"c{ending}")
        assert found.time == datetime(2027, 1, 10, 22, 30, tzinfo=UTC)
        assert found.place == pytest.approx(PLACE)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 1), st.booleans()), max_size=12))
@pytest.mark.parametrize("named", ["source_id", "id"])
def test_a_crossing_that_is_written_again_is_one_and_its_last_record_counts(tmp_path_factory, named, written_so):
    """Which crossing of which camera each record is of, and whether a person dismissed it by then."""
    folder = tmp_path_factory.mktemp("past")
    records, last = [], {}
    for minute, (number, camera, dismissed) in enumerate(written_so):
        time = f"2027-01-10T22:{minute:02}:00+00:00"
        records.append(
            {"time": time, "lat": PLACE[0], "lon": PLACE[1], "source": f"camera {camera}", named: f"c{number}"}
            | {"review": {"state": "dismissed" if dismissed else "pending"}}
        )
        last[camera, number] = None if dismissed else datetime.fromisoformat(time)
    if named == "id":
        path = written(folder / "past.geojson", records)
        value = json.loads(path.read_text())
        for feature in value["features"]:
            feature["id"] = feature["properties"].pop("id")
        path.write_text(json.dumps(value))
    else:
        path = written(folder / "past.jsonl", records)
    found = read_past_crossings(path)
    assert sorted(one.time for one in found) == sorted(time for time in last.values() if time is not None)


def test_the_id_that_the_service_gives_does_not_hide_that_of_the_camera(tmp_path):
    """The watch names features by the id of the crossing, the service by one of its own."""
    record = RECORDS[0] | {"source": "camera", "source_id": "c1"}
    path = written(tmp_path / "past.geojson", [record, record])
    value = json.loads(path.read_text())
    for number, feature in enumerate(value["features"]):
        feature["id"] = f"of the service {number}"
    path.write_text(json.dumps(value))
    assert len(read_past_crossings(path)) == 1


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("a.csv", "lat,lon\n1,2\n", "column 'time' is missing"),
        ("a.csv", "lat,lon,time\n46,8,2027-01-10T22:30\n", "line 2: time is .* with the zone"),
        ("a.csv", "lat,lon,time\n46,east,2027-01-10T22:30Z\n", "line 2: lat is '46' and lon 'east'"),
        ("a.csv", "lat,lon,time\n96,8,2027-01-10T22:30Z\n", "line 2.*96"),
        ("a.jsonl", '{"time": 3}\n', "line 1: time is 3"),
        ("a.jsonl", "{\n", "line 1: is not JSON"),
        ("a.geojson", "{}", "no GeoJSON FeatureCollection"),
        ("a.geojson", '{"features": [{"properties": {}, "geometry": {"type": "LineString"}}]}', "feature 1: geometry"),
    ],
)
def test_crossings_that_are_none_are_refused_by_record_and_field(tmp_path, name, text, words):
    (tmp_path / name).write_text(text)
    with pytest.raises(FormatError, match=words):
        read_past_crossings(tmp_path / name)


def crossing(east, north, minute=0):
    time = datetime(2027, 1, 10, 22, minute, tzinfo=UTC)
    return PastCrossing(time, (LAT + north / M_LAT, LON + east / M_LON))


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.integers(-3, 21), st.sampled_from([-6000, -4000, 0, 1000, 4500])), max_size=20))
def test_each_crossing_weighs_on_the_border_that_is_nearest(places):
    """Two borders, 4 km apart, in cells of 2 km, against distances and counts by arithmetic."""
    places = [(1000 * x + 300, y) for x, y in places]
    west = replace(straight(9900), name="west")
    east = replace(border_from_metres([(14_000, 0), (17_900, 0)]), name="east")
    network = build_network("both", [east, west])
    table, (told,) = risk_of_past(network, [crossing(x, y) for x, y in places], "UTC", "2027-02-01T20:00Z")
    spans = {"west": (0, 9900), "east": (14_000, 17_900)}
    expected = Counter()
    for x, y in places:
        away = {name: np.hypot(x - np.clip(x, *span), y) for name, span in spans.items()}
        name = min(away, key=away.get)
        if away[name] <= 5000:
            low, high = spans[name]
            cells = {"west": 5, "east": 2}[name]
            expected[name, min(int((np.clip(x, low, high) - low) / (high - low) * cells), cells - 1)] += 1
    assert told.startswith(f"risk from {expected.total()} past crossings")
    # 7 cells in 4 quarters of a day.
    usual = expected.total() / 28
    weights = {key: min(4.0, (count / usual) ** 0.5) for key, count in expected.items() if count > usual}
    found = {(row.line, round(row.from_m / 2000)): row.weight for row in table.rows}
    assert found == pytest.approx(weights)


def test_a_plan_of_two_borders_looks_more_often_where_the_shorter_was_crossed():
    west = replace(straight(10_000), name="west")
    east = replace(border_from_metres([(12_000, 0), (16_000, 0)]), name="east")
    network = build_network("both", [west, east])
    past = [crossing(13_000, 10, minute) for minute in range(20)]
    start = "2027-02-01T20:00Z"
    table, _ = risk_of_past(network, past, "UTC", start)
    assert {row.line for row in table.rows} == {"east"}
    options = PlanOptions(objective=Objective.RISK, shift_start=start, shift_s=2 * 3600.0)
    made = plan_network(network, fleet_for(straight(16_000), 2), options=options, risk=table)
    assert made.risk == table
    assert not any("no effect" in note for note in made.notes)


def test_crossings_of_what_has_no_border_or_no_name_of_its_own_or_another_zone_are_refused():
    start = "2027-02-01T20:00Z"
    road = Branch("road", LineKind.ROAD, ((LON, LAT), (LON + 0.1, LAT)))
    with pytest.raises(PlanError, match="the network has no border"):
        risk_of_past(build_network("roads", [], [road]), [crossing(0, 0)], "", start)
    twins = build_network("twins", [straight(10_000), border_from_metres([(14_000, 0), (18_000, 0)])])
    with pytest.raises(PlanError, match="several lines are called"):
        risk_of_past(twins, [crossing(15_000, 0)], "", start)
    assert risk_of_past(twins, [crossing(50_000, 0)], "", start)[0].rows == ()
    beside = RiskTable((Risk(0, 2000, 5.0, 4, 6),), "Europe/Zurich")
    with pytest.raises(PlanError, match=r"of Europe/Zurich, those of past crossings of UTC: give one zone"):
        risk_of_past(straight(10_000), [crossing(100, 0)], "UTC", start, beside=beside)
    table, _ = risk_of_past(straight(10_000), [crossing(100, 0)], "Europe/Zurich", start, beside=beside)
    assert beside.rows[0] in table.rows


def test_the_command_takes_risk_from_crossings(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    border = straight(10_000)
    write_border(border, tmp_path / "border.geojson")
    written(tmp_path / "past.geojson")
    base = f"{LAT + 1000 / M_LAT},{LON + 5000 / M_LON}"
    common = ["plan", "border.geojson", "--base", base, "--objective", "risk", "--risk-from", "past.geojson"]
    result = CliRunner().invoke(app, [*common, "--start", "2027-02-01T20:00+01:00", "--risk-zone", "Europe/Zurich"])
    assert result.exit_code == 0, result.output
    text = " ".join(result.output.split())
    assert "risk from 3 past crossings" in text
    assert "hours of risk are of Europe/Zurich: the shift begins at 2027-02-01 20:00+01:00" in text
    made = load_plan(tmp_path / "runs/plan/plan.json")
    assert made.risk.zone == "Europe/Zurich"
    assert made.risk.rows
    assert made.options.shift_start == "2027-02-01T20:00+01:00"
    result = CliRunner().invoke(app, common)
    assert result.exit_code != 0
    assert "--start" in str(result.exception) + result.output
