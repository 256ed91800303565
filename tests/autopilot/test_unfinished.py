"""What a flight report leaves of a plan."""

from dataclasses import replace
from itertools import pairwise

import pytest

from autopilot import (
    FlightError,
    FlightReport,
    ItemReached,
    Landing,
    PatrolFlight,
    PatrolReport,
    PatrolVehicle,
    SortieReport,
    VehicleReport,
    tasks_of,
    unfinished,
)
from geo import FlatTerrain
from missions import FormatError, Progress, ProgressError, compile_mission, plan, resume
from tests.missions.helpers import fleet_for, straight

LANDED = Landing(46.0, 8.0, 3.0)
HERE = (46.0007, 8.05)


@pytest.fixture(scope="module")
def made():
    border = straight(60_000)
    return plan(border, fleet_for(border, 2), FlatTerrain(500.0))


def sortie(number, reached=(), *, completed=False, lost=(), **more):
    items = tuple(ItemReached(seq, 16, 0, None, seq not in lost) for seq in reached)
    fields = {"landing": LANDED, "left_at": HERE} | more
    return SortieReport(number, completed, None if completed else "why", (), (), items, 9, **fields)


@pytest.fixture
def read(made, tmp_path):
    def call(*sorties, sysid=1):
        path = tmp_path / "flight.json"
        FlightReport((VehicleReport(sysid, "udp:a:1", sorties, 2, None, None),), 0, 1, 1.0).write(path)
        return unfinished(made, path)

    return call


def test_what_is_completed_is_done_and_what_never_flew_is_neither(made, read):
    own = sorted((s for s in made.sorties if s.vehicle.sysid == 1), key=lambda s: s.turn)
    assert len(own) > 1
    flown = sortie(1, (1, 3, 4, 8), completed=True)
    assert read(flown, sortie(2, landing=None, left_at=None)) == ((), (own[0].name,))
    broken, done = read(flown, sortie(2, (1, 3, 4)))
    assert broken == (Progress(own[1].name, item=4, at=HERE),)
    assert done == (own[0].name,)


def test_beyond_a_place_that_was_not_reported_nothing_counts(read):
    (progress,), _ = read(sortie(1, (1, 3, 4, 8), lost=(4,)))
    assert (progress.item, progress.at) == (3, None)
    (progress,), _ = read(sortie(1, (1, 3, 8)))
    assert (progress.item, progress.at) == (3, None)
    (progress,), _ = read(sortie(1, (1, 3, 4), left_at=None))
    assert (progress.item, progress.at) == (4, None)


def test_actions_that_are_told_beyond_the_last_place_take_nothing_away(made, read):
    first = next(s for s in made.sorties if s.vehicle.sysid == 1)
    items = compile_mission(made, first, "ardupilot").items
    waypoints = [item.seq for item in items[1:] if item.command in (22, 16)]
    action = next(item.seq for item in items[1:] if item.seq not in waypoints)
    reached = [seq for seq in waypoints if seq < action]
    (progress,), _ = read(sortie(1, (*reached, action)))
    assert (progress.item, progress.at) == (reached[-1], HERE)


def test_a_place_that_was_passed_and_is_told_of_by_its_action_counts(made, read):
    """Of items that are done at once ArduPilot tells the last alone: the action, and not the place."""
    first = next(s for s in made.sorties if s.vehicle.sysid == 1)
    items = compile_mission(made, first, "ardupilot").items
    waypoints = [item.seq for item in items[1:] if item.command in (22, 16)]
    place, following = next((a, b) for a, b in pairwise(waypoints[1:]) if b > a + 1)
    before = [seq for seq in waypoints if seq < place]
    (progress,), _ = read(sortie(1, (*before, place, place + 1), lost=(place,)))
    assert (progress.item, progress.at) == (place, HERE)
    # It has to have been there, and what comes after the next place is no word about this one.
    for reached, lost in (((*before, place + 1), ()), ((*before, place, following + 1), (place,))):
        (progress,), _ = read(sortie(1, reached, lost=lost))
        assert progress.item == before[-1]


def test_one_that_was_lost_in_the_air_is_not_planned(read):
    with pytest.raises(ProgressError, match="was lost in the air"):
        read(sortie(1, (1, 3), landing=None))


def test_the_report_of_another_plan_is_refused(read):
    with pytest.raises(ProgressError, match="sortie 9 of vehicle 1"):
        read(sortie(9, (1,)))
    with pytest.raises(ProgressError, match="sortie 1 of vehicle 7"):
        read(sortie(1, (1,)), sysid=7)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"vehicles": [{"flights": [{"number": 0}]}]}',
        "{}",
        '{"vehicles": 3}',
        '{"vehicles": [{"sysid": 1, "sorties": [{"number": 1}]}]}',
        "\udcff",
    ],
)
def test_what_is_no_report_is_refused(made, tmp_path, text):
    path = tmp_path / "flight.json"
    path.write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(FormatError, match="is not a report of vedette fly or patrol"):
        unfinished(made, path)
    with pytest.raises(FormatError, match="cannot be read"):
        unfinished(made, tmp_path / "absent.json")


def test_a_sortie_that_begins_in_the_air_is_not_flown_from_the_ground(made):
    first = made.sorties[0]
    at = first.patrol[0].end
    after = resume(made, Progress(first.name, at=(at.lat_deg, at.lon_deg), battery=0.9, airborne=True))
    with pytest.raises(FlightError, match="begins in the air"):
        tasks_of(after, ["udp:a:1"])


@pytest.fixture
def read_patrol(made, tmp_path):
    def call(*flights):
        vehicles = {}
        for name, took_off_s, flown, more in flights:
            sysid = next((s.vehicle.sysid for s in made.sorties if s.name == name), 1)
            flight = PatrolFlight(0, 0, name, sysid, 0.0, took_off_s, None, None, None, flown)
            vehicles.setdefault(sysid, []).append(replace(flight, **more))
        crews = (PatrolVehicle(sysid, "udp:a:1", (), tuple(own), None, None) for sysid, own in vehicles.items())
        path = tmp_path / "patrol.json"
        PatrolReport(tuple(crews), 0, 1, 1.0).write(path)
        return unfinished(made, path)

    return call


def test_of_a_patrol_the_last_flight_of_each_sortie_counts(made, read_patrol):
    one, two, *_ = [s.name for s in made.sorties]
    whole, cut = sortie(1, (1, 3, 4, 8), completed=True), sortie(1, (1, 3), left_at=None)
    # In whatever order the report has them; what never took off, and what flew to a cue, says nothing.
    broken, done = read_patrol(
        (one, 900.0, cut, {}),
        (one, 10.0, whole, {}),
        (two, 1000.0, whole, {}),
        (two, 20.0, cut, {}),
        (two, None, sortie(1, landing=None, left_at=None), {}),
        ("vehicle-1-cue", 2000.0, cut, {"number": -1}),
    )
    assert broken == (Progress(one, item=3),)
    assert done == (two,)
    rest = resume(made, broken, FlatTerrain(500.0), done=done)
    assert not {one, two} & {s.name for s in rest.sorties}
    assert sum(s.name.startswith(one) for s in rest.sorties) >= 1
    assert len(rest.sorties) >= len(made.sorties) - 1


def test_the_patrol_of_another_plan_and_one_planned_anew_are_refused(made, read_patrol):
    with pytest.raises(ProgressError, match="sortie 'x', the plan has none"):
        read_patrol(("x", 5.0, sortie(1, (1,)), {}))
    with pytest.raises(ProgressError, match=r"planned anew.*journal"):
        read_patrol((made.sorties[0].name, 5.0, sortie(1, (1,)), {"plan": 1}))
