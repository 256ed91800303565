"""The rest of a network patrol: whichever line it broke off beside, or between two."""

from dataclasses import replace

import numpy as np
import pytest
import shapely
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from geo import FlatTerrain, GridTerrain
from missions import (
    Airspace,
    Base,
    LegKind,
    PlanError,
    PlanOptions,
    Progress,
    Wind,
    build_network,
    check,
    compile_mission,
    default_fleet,
    load_plan,
    plan_network,
    resume,
    save_plan,
)
from missions.coverage import cover
from missions.mission import legs_behind
from missions.resume import OVERLAP_M
from missions.views import Watch
from tests.asked import asked
from tests.missions.helpers import LAT, LON, M_LAT, M_LON, beside, straight
from tests.missions.test_airspace_plans import WING, zone
from tests.missions.test_network_plan import branch, networks, track

SLOW = settings(max_examples=asked(15), deadline=None, suppress_health_check=[HealthCheck.too_slow])
DIALECTS = ("ardupilot", "px4")


def broken_off(made, sortie, share, dialect="ardupilot"):
    """After a share of the way of a sortie: the place and the last item that was reached, and the legs till there.

    A network is flown past many a place twice: the item tells which time it is.
    """
    lengths = np.array([leg.distance_m for leg in sortie.legs])
    behind = np.cumsum(lengths)
    number = min(int(np.searchsorted(behind, share * behind[-1])), len(lengths) - 1)
    leg = sortie.legs[number]
    part = 1 - min(max((behind[number] - share * behind[-1]) / max(lengths[number], 1e-9), 0), 1)
    a, b = leg.start, leg.end
    here = replace(
        a, lat_deg=a.lat_deg + part * (b.lat_deg - a.lat_deg), lon_deg=a.lon_deg + part * (b.lon_deg - a.lon_deg)
    )
    mission = compile_mission(made, sortie, dialect)
    # For PX4 the first item is the take-off: before its end none is reached.
    item = max((one.seq for one in mission.items if legs_behind(mission, sortie, one.seq) <= number), default=None)
    flown = (*sortie.legs[:number], replace(leg, end=here))
    return (here.lat_deg, here.lon_deg), item, [one for one in flown if one.kind is LegKind.PATROL]


def lines(legs):
    return [line for leg in legs if (line := track([leg])).length > 0.01]


def rest_of(after):
    return [one for one in after.sorties if "-rest-" in one.name]


def lawful(after, terrain=None):
    assert check(after, terrain) == []
    for sortie in after.sorties:
        craft = sortie.vehicle.aircraft
        assert sortie.charge - sortie.energy_wh / craft.battery_wh >= craft.reserve_fraction - 1e-9
        for dialect in DIALECTS:
            assert len(compile_mission(after, sortie, dialect).items) <= 600


def together_whole(sortie, flown, after):
    """Nothing of the patrol is missed; how much is flown twice, metres."""
    rest = lines([leg for one in rest_of(after) for leg in one.patrol])
    whole, before = lines(sortie.patrol), lines(flown)
    missed = shapely.union_all(whole).difference(shapely.union_all([*rest, *before]).buffer(0.5))
    assert missed.length < 0.1
    return sum(line.length for line in [*rest, *before]) - sum(line.length for line in whole)


def looks_as_before(sortie, after):
    """Over each place of the rest the camera looks where it would have looked."""
    before = [(track([leg]), leg) for leg in sortie.patrol if leg.distance_m > 0.01]
    for leg in (leg for one in rest_of(after) for leg in one.patrol if leg.distance_m > 1):
        line = track([leg])
        here = line.interpolate(0.5, normalized=True)
        own = [(o, one) for o, one in before if o.distance(here) < 0.5 and o.buffer(0.6).covers(line)]
        for old, one in own:
            # Both are flown the same way.
            assert np.dot(*(np.diff(part.coords, axis=0)[0] for part in (old, line))) > 0
            assert one.look is leg.look
        assert own


@SLOW
@given(
    given_=networks(),
    drones=st.integers(1, 3),
    which=st.integers(0, 50),
    share=st.floats(0.0, 1.0),
    battery=st.floats(0.4, 1.0),
    airborne=st.booleans(),
    wind=st.tuples(st.sampled_from([0.0, 7.0]), st.floats(0, 360)),
    dialect=st.sampled_from(DIALECTS),
)
def test_what_was_flown_and_what_is_left_are_the_whole(given_, drones, which, share, battery, airborne, wind, dialect):
    network, base = given_
    before = plan_network(network, default_fleet(base, drones), options=PlanOptions(wind=Wind(*wind)))
    sortie = before.sorties[which % len(before.sorties)]
    at, item, flown = broken_off(before, sortie, share, dialect)
    # Of a whole round that is done nothing is left, nor of the last sortie of the only one who flies.
    left = {one.name for one in before.sorties if one.vehicle != sortie.vehicle or one.turn > sortie.turn}
    assume(left or share < 0.5)
    progress = Progress(sortie.name, item, at, battery, airborne=airborne)
    after = resume(before, progress, dialect=dialect)
    lawful(after)
    assert (after.network, after.coverage, after.flight_line) == (network, before.coverage, before.flight_line)
    assert -0.5 < together_whole(sortie, flown, after) < OVERLAP_M + 0.5
    looks_as_before(sortie, after)
    rest = rest_of(after)
    assert rest or share > 0.5
    assert [one.airborne for one in rest] == [airborne and k == 0 for k in range(len(rest))]
    others = {one.name for one in after.sorties} - {one.name for one in rest}
    assert others == left


ROADS = [branch([(x, 5), (x + 400, 2500)], f"road {x}") for x in (1500, 4000, 6500)]


@pytest.fixture(scope="module")
def made():
    network = build_network("net", [straight(8000)], [*ROADS, branch([(500, 1500), (7500, 1300)], "river", "river")])
    return plan_network(network, default_fleet(beside(straight(8000), 900), 2))


@SLOW
@given(share=st.floats(0.05, 0.95), which=st.integers(0, 9))
def test_by_the_place_alone_nothing_is_missed(made, share, which):
    """Where it is flown past twice, the first time counts: more is flown again, never less."""
    sortie = made.sorties[which % len(made.sorties)]
    at, _, flown = broken_off(made, sortie, share)
    after = resume(made, Progress(sortie.name, at=at, battery=0.9, airborne=True))
    lawful(after)
    assert together_whole(sortie, flown, after) > -0.5


@pytest.mark.parametrize("share", [0.2, 0.45, 0.7])
def test_no_place_of_any_band_is_missed(made, share):
    """By what the camera sees on the ground of all five lines, which knows nothing of a course."""
    sortie = made.sorties[0]
    at, item, flown = broken_off(made, sortie, share)
    after = resume(made, Progress(sortie.name, item, at, 0.95, airborne=True))
    whole = seen(made, [leg for one in made.sorties for leg in one.patrol])
    rest = [leg for one in after.sorties for leg in one.patrol]
    assert seen(made, [*flown, *rest]) >= whole - 1e-4
    # Each of the two alone sees less.
    assert max(seen(made, rest), seen(made, flown)) < whole - 0.002


def seen(made, legs):
    camera, pitch = made.fleet.camera, made.observation.gimbal_pitch_deg
    watches = [Watch([leg], [float(leg.look.sign)], camera, pitch, camera.max_gsd_m) for leg in legs]
    return cover(list(made.watched_lines()), watches, [], FlatTerrain()).share


def test_it_is_resumed_again_and_again_after_its_file_came_back(made, tmp_path):
    vehicle = made.sorties[0].vehicle
    now, flown = made, []
    for _ in range(3):
        save_plan(now, tmp_path / "plan.json")
        now = load_plan(tmp_path / "plan.json")
        sortie = next(one for one in now.sorties if one.vehicle == vehicle and one.patrol)
        at, item, part = broken_off(now, sortie, 0.4)
        flown += part
        now = resume(now, Progress(sortie.name, item, at, 0.7, airborne=True))
        lawful(now)
    own = [one for one in now.sorties if one.vehicle == vehicle]
    wanted = [leg for one in made.sorties if one.vehicle == vehicle for leg in one.patrol]
    together = shapely.union_all(lines([*flown, *(leg for one in own for leg in one.patrol)])).buffer(0.5)
    assert shapely.union_all(lines(wanted)).difference(together).length < 0.1


def test_between_two_lines_it_goes_on_with_the_next(made):
    """Broken off on a long deadhead nothing is flown again: the camera is set up anew for the line that comes."""
    found = 0
    for sortie in made.sorties:
        behind = np.cumsum([leg.distance_m for leg in sortie.legs])
        patrols = [k for k, leg in enumerate(sortie.legs) if leg.kind is LegKind.PATROL]
        for k in range(patrols[0], patrols[-1]):
            leg = sortie.legs[k]
            if leg.kind is LegKind.PATROL or leg.distance_m < 3 * OVERLAP_M:
                continue
            at, item, flown = broken_off(made, sortie, (behind[k] - leg.distance_m / 2) / behind[-1])
            after = resume(made, Progress(sortie.name, item, at, 0.9, airborne=True))
            assert together_whole(sortie, flown, after) == pytest.approx(0, abs=0.5)
            begun, planned = rest_of(after)[0].patrol[0], next(x for x in sortie.legs[k:] if x.kind is LegKind.PATROL)
            assert begun.start.lat_deg == pytest.approx(planned.start.lat_deg, abs=1e-7)
            assert begun.start.lon_deg == pytest.approx(planned.start.lon_deg, abs=1e-7)
            assert begun.look is planned.look
            found += 1
    assert found


def test_among_zones_with_wings_and_over_hills():
    road = branch([(5000, 500), (5000, 4500)])
    network = build_network("net", [straight()], [road])
    base = Base("b", LAT + 1000 / M_LAT, LON + 3000 / M_LON)
    zones = Airspace((zone("west", 4700, 3500, 240, 40), zone("east", 5300, 1500, 240, 40)))
    fleet = default_fleet(base, 2)
    wings = replace(
        fleet,
        camera=replace(fleet.camera, max_gsd_m=0.2),
        vehicles=tuple(replace(v, aircraft=WING) for v in fleet.vehicles),
    )
    rows, columns, step = 80, 240, 0.001
    lat, lon = LAT + 0.06 - step * np.arange(rows), LON - 0.04 + step * np.arange(columns)
    hills = GridTerrain(600 + 60 * np.sin(lon * 200)[None, :] + 40 * np.cos(lat * 300)[:, None], lat[0], lon[0], step)
    cases = [
        (fleet, PlanOptions(), zones, None),
        (wings, PlanOptions(dwell_s=2), Airspace(), None),
        (fleet, PlanOptions(), Airspace(), hills),
    ]
    for crew, options, airspace, terrain in cases:
        before = plan_network(network, crew, terrain, options, airspace=airspace)
        for sortie in before.sorties:
            for share in (0.3, 0.6):
                at, item, flown = broken_off(before, sortie, share)
                after = resume(before, Progress(sortie.name, item, at, 0.9, airborne=True), terrain)
                lawful(after, terrain)
                assert together_whole(sortie, flown, after) < OVERLAP_M + 0.5


def test_a_plan_of_another_network_is_not_resumed(made):
    other = build_network("net", [straight(8000)], ROADS)
    sortie = made.sorties[0]
    with pytest.raises(PlanError, match="makes of its network: plan it again"):
        resume(replace(made, network=other), Progress(sortie.name, item=6))
