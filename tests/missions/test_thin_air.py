"""Thin air: wings are as fast through it as their pitot tube says, and wider in turns; rotors turn faster, and tire."""

import json
import math
from dataclasses import replace
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest
import shapely
from hypothesis import example, given
from hypothesis import strategies as st

from geo import FlatTerrain, GridTerrain
from missions import (
    Aircraft,
    Fleet,
    PlanOptions,
    Vehicle,
    Wind,
    compile_mission,
    load_plan,
    plan,
    planning,
    save_plan,
    straight_effort,
    straight_home,
    validate,
)
from missions.effort import effort
from missions.sortie import Waypoint
from missions.task import Task
from missions.thin_air import in_thin_air
from tests.missions.helpers import LAT, LON, M_LAT, M_LON, beside, border_from_metres, fleet_for, metres, straight

DENSITY = {0: 1.225, 1000: 1.11164, 2000: 1.00649, 3000: 0.909122}
"""Of the standard atmosphere, kg/m3, by height in metres: ICAO Doc 7488."""
WING = Aircraft(
    "wing", 20.0, 28.0, 3.0, 3.0, 280.0, 300.0, 600.0, 500.0, form="vtol", min_m_s=14.0, turn_radius_m=60.0,
    takeoff_s=10.0, landing_s=10.0, transition_s=5.0,
)  # fmt: skip
ROTOR = replace(fleet_for(straight()).vehicles[0].aircraft, cruise_m_s=20.0, max_m_s=24.0)
DO_CHANGE_SPEED = 178


def planned(border, ground, **options):
    # From as far off as those turns ask for.
    camera = replace(fleet_for(border).camera, max_gsd_m=0.3)
    fleet = Fleet(camera, (Vehicle(1, "one", WING, beside(border, 1500.0)),))
    return plan(border, fleet, ground, PlanOptions(dwell_s=2.0, **options))


@pytest.mark.parametrize("amsl_m", [1000, 2000, 3000])
def test_a_metre_takes_wings_less_time_and_as_much_energy(amsl_m):
    step, thin = np.array([[1000.0, 0.0]]), math.sqrt(DENSITY[0] / DENSITY[amsl_m])
    flown = {}
    for height_m in (0.0, float(amsl_m)):
        flown[height_m] = effort(
            WING, step, np.zeros(1), speed_m_s=20.0, wind=Wind(), patrol=False, amsl_m=np.array([height_m])
        )
    assert flown[0.0][0][0] == pytest.approx(50.0)
    assert flown[amsl_m][0][0] == pytest.approx(50.0 / thin, rel=1e-4)
    assert flown[amsl_m][1][0] == pytest.approx(flown[0.0][1][0])
    # Wanted slower than they can fly there, they patrol at their least airspeed, with its power.
    time, energy = effort(WING, step, np.zeros(1), speed_m_s=10.0, wind=Wind(), patrol=True, amsl_m=float(amsl_m))
    assert time[0] == pytest.approx(1000.0 / (14.0 * thin), rel=1e-4)
    assert energy[0] == pytest.approx(300.0 * thin * time[0] / 3600, rel=1e-4)


@pytest.mark.parametrize("amsl_m", [1000, 2000, 3000])
def test_turns_are_wider_as_the_air_is_thinner_and_with_the_wind(amsl_m):
    wider = DENSITY[0] / DENSITY[amsl_m]
    assert WING.turn_radius_in(Wind(air_amsl_m=amsl_m)) == pytest.approx(60.0 * wider, rel=1e-4)
    # V^2 / (g tan(bank)) with the bank that gives 60 m at 20 m/s, and the wind behind.
    fastest = 20.0 * math.sqrt(wider) + 5.0
    assert WING.turn_radius_in(Wind(5.0, air_amsl_m=amsl_m)) == pytest.approx(60.0 * (fastest / 20.0) ** 2, rel=1e-4)
    rotor = fleet_for(straight()).vehicles[0].aircraft
    assert rotor.turn_radius_in(Wind(air_amsl_m=amsl_m)) == 0.0
    assert rotor.true_m_s(12.0, Wind(air_amsl_m=amsl_m)) == 12.0


def turned(sortie, radius_m):
    """By how much more than an arc of a radius a patrol turns at most, radians, over any stretch of it."""
    course = [
        (
            leg.distance_m,
            math.atan2(
                *(metres((leg.end.lon_deg, leg.end.lat_deg)) - metres((leg.start.lon_deg, leg.start.lat_deg)))[::-1]
            ),
        )
        for leg in sortie.legs
        if leg.kind == "patrol"
    ]
    worst = 0.0
    for side in (1, -1):
        more = 0.0
        for (length, before), (_, after) in pairwise(course):
            bend = (after - before + math.pi) % (2 * math.pi) - math.pi
            more = max(more - length / radius_m, 0.0) + side * bend
            worst = max(worst, more)
    return worst


@pytest.mark.parametrize("amsl_m", [0.0, 3000.0])
def test_on_a_plateau_patrols_bend_wider_and_keep_more_from_the_border(amsl_m):
    border = border_from_metres([(0, 0), (3000, 0), (3600, 500), (4200, 0), (7000, 0)], "left")
    made = planned(border, FlatTerrain(amsl_m))
    assert validate(made, FlatTerrain(amsl_m)).violations == []
    (sortie,) = made.sorties[:1]
    flown_m = amsl_m + made.observations[0].height_agl_m
    radius_m = 60.0 * (1 - 2.25577e-5 * flown_m) ** -4.25588
    assert turned(sortie, radius_m) < 0.4
    # What lies beyond the stand-off: place and way, twice at 95 %, and half a turn that is cut off a bend.
    line = shapely.LineString(metres(border.coordinates))
    patrol = shapely.MultiLineString(
        [[metres((w.lon_deg, w.lat_deg)) for w in (leg.start, leg.end)] for leg in sortie.legs if leg.kind == "patrol"]
    )
    assert patrol.distance(line) >= border.stand_off_m + 9.5 + radius_m / 2 - 0.1
    transits = [leg for leg in sortie.legs if leg.kind == "transit" and leg.distance_m > 300]
    assert transits
    for leg in transits:
        thin = (1 - 2.25577e-5 * leg.start.amsl_m) ** -2.12794
        assert leg.distance_m / leg.duration_s == pytest.approx(20.0 * thin, rel=1e-3)


def test_the_mission_asks_for_the_airspeed_that_the_autopilot_measures():
    border = straight(4000.0)
    made = planned(border, FlatTerrain(3000.0))
    (sortie,) = made.sorties[:1]
    told = {round(item.p2, 2) for item in compile_mission(made, sortie).items if item.command == DO_CHANGE_SPEED}
    thin = (1 - 2.25577e-5 * (3000.0 + made.observations[0].height_agl_m)) ** -2.12794
    (patrol_m_s,) = {round(leg.speed_m_s, 3) for leg in sortie.patrol}
    assert sorted(told) == pytest.approx(sorted({20.0, patrol_m_s / thin}), abs=0.02)
    # Over the ground it is faster by 16 %.
    assert max(leg.speed_m_s for leg in sortie.legs if leg.kind == "transit") == pytest.approx(20.0 * thin, rel=1e-3)


@pytest.mark.parametrize(("wind_m_s", "from_deg"), [(8.0, 60.0), (7.0, 20.0), (5.0, 200.0)])
def test_the_mission_asks_wings_for_no_airspeed_beyond_their_own(wind_m_s, from_deg):
    """ArduPlane takes none that is, by however little, and goes on at the one before."""
    border = border_from_metres([(0, 0), (1500, 300), (3000, -200), (4500, 0)], "left")
    made = planned(border, FlatTerrain(0.0), wind=Wind(wind_m_s, from_deg))
    items = [item for one in made.sorties for item in compile_mission(made, one).items]
    told = [np.float32(item.p2) for item in items if item.command == DO_CHANGE_SPEED]
    assert max(told) == WING.max_m_s
    assert min(told) >= WING.min_m_s


def test_a_plan_for_the_sea_is_refused_on_a_plateau():
    border = straight(4000.0)
    made = planned(border, FlatTerrain(0.0))

    sorties = tuple(
        replace(one, legs=tuple(replace(leg, start=_up(leg.start), end=_up(leg.end)) for leg in one.legs))
        for one in made.sorties
    )
    assert validate(made).violations == []
    broken = " ".join(validate(replace(made, sorties=sorties)).violations)
    # Its patrol would be slower than anything stays up there, and nearer to the border than its bends let it be.
    assert "from the border" in broken


def test_wings_over_higher_ground_than_the_border_are_planned_for_the_air_there():
    """A ridge 70 m high lies between the flight line and the base, where nothing of the border is."""
    x, y = np.arange(-12_000.0, 16_000.0, 200.0), np.arange(-12_000.0, 12_000.0, 200.0)
    up = np.tile(np.clip(500.0 + y[::-1, None] * 0.02, 500.0, 520.0), (1, len(x))) + np.where(
        np.abs(y[::-1, None] - 700) < 300, 70.0, 0.0
    )
    ground = GridTerrain(
        up, north_deg=LAT + y[-1] / M_LAT, west_deg=LON + x[0] / M_LON, step_deg=200 / M_LAT, lon_step_deg=200 / M_LON
    )
    border = straight(4000.0)
    made = planned(border, ground)
    highest_m = max(leg.end.amsl_m for sortie in made.sorties for leg in sortie.legs)
    assert highest_m <= made.options.wind.air_amsl_m <= highest_m + 200.0
    # Above what the ground below border and base says.
    at_first = in_thin_air(PlanOptions(dwell_s=2.0), Task.of(border), made.fleet, ground)
    assert made.options.wind.air_amsl_m > at_first.wind.air_amsl_m
    assert validate(made, ground).violations == []


def read_of_old(made, folder):
    """A plan as it is read of its file of version 7 without the height of the air, which the first ones have not."""
    save_plan(made, folder / "plan.json")
    told = json.loads((folder / "plan.json").read_text())
    told["version"] = 7
    assert told["plan"]["options"]["wind"].pop("air_amsl_m") == made.options.wind.air_amsl_m
    (folder / "old.json").write_text(json.dumps(told))
    assert load_plan(folder / "plan.json") == made
    return load_plan(folder / "old.json")


def test_plans_of_earlier_versions_are_read_with_the_air_that_their_wings_fly_in(tmp_path):
    """At 3,000 m their turns are wider by a third than at sea level, where the default of a wind is."""
    made = planned(straight(3000.0), FlatTerrain(3000.0))
    old = read_of_old(made, tmp_path)
    highest_m = max(leg.end.amsl_m for sortie in made.sorties for leg in sortie.legs)
    assert highest_m <= old.options.wind.air_amsl_m < highest_m + 50.0
    assert WING.turn_radius_in(old.options.wind) >= 60.0 * DENSITY[0] / DENSITY[3000]
    assert replace(old, options=made.options, sorties=made.sorties) == made
    # What they take in the air stands as it is.
    for one, read in zip(made.sorties, old.sorties, strict=True):
        assert [leg for leg in read.legs if leg.distance_m > 0] == [leg for leg in one.legs if leg.distance_m > 0]
        assert read.reserve_left <= one.reserve_left


def test_of_plans_of_earlier_versions_rotors_take_what_they_do_in_their_air(tmp_path):
    """At 3,000 m what version 7 said of them is short by a seventh: it was that at sea level."""
    border = straight(3000.0)
    low, high = (plan(border, fleet_for(border), FlatTerrain(height_m)) for height_m in (0.0, 3000.0))
    at_sea = [leg.energy_wh for leg in low.sorties[0].legs]
    first, *rest = high.sorties
    legs = tuple(replace(leg, energy_wh=wh) for leg, wh in zip(first.legs, at_sea, strict=True))
    of_old = read_of_old(replace(high, sorties=(replace(first, legs=legs), *rest)), tmp_path)
    assert of_old.options == high.options
    # On the safe side, for a climb takes no more up there.
    read = of_old.sorties[0]
    assert 1.0 <= read.energy_wh / first.energy_wh < 1.05
    assert sum(at_sea) < 0.9 * first.energy_wh
    assert not [one for one in validate(of_old).violations if read.name in one]


@example(craft=WING, from_deg=270.0, speed_m_s=12.0, amsl_m=5000.0, share=1.0)
@example(craft=ROTOR, from_deg=90.0, speed_m_s=0.0, amsl_m=3000.0, share=1.0)
@given(
    craft=st.sampled_from([WING, ROTOR]), from_deg=st.floats(0.0, 360.0), speed_m_s=st.floats(0.0, 15.0),
    amsl_m=st.floats(0.0, 5000.0), share=st.floats(0, 1),
)  # fmt: skip
def test_the_way_home_takes_no_less_than_in_any_air_that_it_may_be_flown_in(craft, from_deg, speed_m_s, amsl_m, share):
    """With the wind behind a metre takes wings more up there: the drag is the same, less of the way is the wind's."""
    wind = Wind(speed_m_s, from_deg, air_amsl_m=amsl_m)
    vehicle = Vehicle(1, "one", craft, beside(straight(4000.0), 1500.0))
    here = (vehicle.base.lat_deg, vehicle.base.lon_deg - 10_000.0 / M_LON)
    time, energy = straight_effort(vehicle, here, (vehicle.base.lat_deg, vehicle.base.lon_deg), 0.0, wind)
    in_air_s, in_air_wh = effort(
        craft, np.array([[10_000.0, 0.0]]), np.zeros(1), speed_m_s=20.0, wind=wind, patrol=False, amsl_m=share * amsl_m
    )
    # Another projection than theirs.
    assert energy >= in_air_wh[0] * 0.995
    assert time >= in_air_s[0] * 0.995


def test_the_way_home_of_rotors_is_landed_in_thin_air():
    vehicle = Vehicle(1, "one", replace(ROTOR, landing_s=100.0), beside(straight(4000.0), 1500.0))
    here = vehicle.base.lat_deg, vehicle.base.lon_deg
    low, high = (straight_home(vehicle, here, 60.0, Wind(air_amsl_m=amsl_m)) for amsl_m in (0.0, 3000.0))
    assert high[0] == low[0]
    assert high[1] == pytest.approx(low[1] * math.sqrt(DENSITY[0] / DENSITY[3000]), rel=1e-4)


@pytest.mark.parametrize("speed_m_s", [4.0, 12.0])
def test_the_energy_home_with_the_wind_behind_is_that_of_thin_air(speed_m_s):
    thin = math.sqrt(DENSITY[0] / DENSITY[3000])
    more = thin * (20.0 + speed_m_s) / (thin * 20.0 + speed_m_s)
    vehicle = Vehicle(1, "one", WING, beside(straight(4000.0), 1500.0))
    ends = (vehicle.base.lat_deg, vehicle.base.lon_deg - 10_000.0 / M_LON), (vehicle.base.lat_deg, vehicle.base.lon_deg)
    low, high = (straight_effort(vehicle, *ends, 0.0, Wind(speed_m_s, 270.0, air_amsl_m=m)) for m in (0.0, 3000.0))
    assert high[1] == pytest.approx(low[1] * more, rel=0.002)
    assert high[0] == low[0]


class _Course:
    """What a course comes to in the air of its setting, by the height of the air: made for the test below."""

    def __init__(self, setting):
        self.setting = setting
        self.name = setting.course or "first"

    def _lost_m(self):
        return {"first": 0.0, "other": 20.0}[self.name] + (50.0 if self.name == "first" and self._thin() else 0.0)

    def _thin(self):
        return self.setting.options.wind.air_amsl_m > 0

    def figure(self):
        return self._lost_m(), 100.0

    def plan(self):
        return SimpleNamespace(name=self.name, revisit_s=100.0, lost_m=self._lost_m(), thin=self._thin())


def test_courses_are_weighed_anew_in_thinner_air(monkeypatch):
    """The first sees all in thick air, and bends so much wider in thin that the other sees more: that one is flown."""

    def setting(task, fleet, terrain, options, *, course, **_):
        return SimpleNamespace(options=options, course=course, others=[] if course else ["other"])

    monkeypatch.setattr(planning, "Setting", setting)
    monkeypatch.setattr(planning, "Planner", _Course)
    monkeypatch.setattr(planning, "in_thin_air", lambda options, *_: options)
    thin = PlanOptions(wind=Wind(air_amsl_m=3000.0))
    monkeypatch.setattr(planning, "in_thinner_air", lambda made: None if made.thin else thin)
    made = planning.best_plan(None, None, None, PlanOptions(), airspace=None, risk=None)
    assert (made.name, made.lost_m, made.thin) == ("other", 20.0, True)


@pytest.mark.parametrize("amsl_m", [1000, 3000])
def test_rotors_take_as_much_more_to_hover_as_momentum_theory_says(amsl_m):
    """By W^1.5 / sqrt(2 rho A); at 3,000 m 16 % more. What a climb adds is the weight that it lifts."""
    rotor = fleet_for(straight()).vehicles[0].aircraft
    thin = math.sqrt(DENSITY[0] / DENSITY[amsl_m])
    up = effort(rotor, np.zeros((1, 2)), np.array([40.0]), speed_m_s=15.0, wind=Wind(), patrol=False, amsl_m=amsl_m)
    climbed_s = 40.0 / rotor.climb_m_s
    more_w = rotor.climb_power_w - rotor.hover_power_w
    assert up[0][0] == pytest.approx(climbed_s)
    assert up[1][0] == pytest.approx(climbed_s * (thin * rotor.hover_power_w + more_w) / 3600, rel=1e-4)
    lifted = float(WING.power_w(0.0, level=False, thin=thin))
    assert lifted == pytest.approx(280.0 * thin)


def test_rotors_turn_home_sooner_on_a_plateau():
    """As far over the ground in as long, with a battery that is good for less: by how much, whole sorties tell."""
    border = straight(30_000.0)
    low, high = (plan(border, fleet_for(border), FlatTerrain(height_m)) for height_m in (0.0, 3000.0))
    assert validate(high, FlatTerrain(3000.0)).violations == []
    longest_s = [max(sortie.duration_s for sortie in made.sorties) for made in (low, high)]
    assert longest_s[1] < 0.95 * longest_s[0]
    # What was planned for the sea lands on the plateau with less than its reserve, and with less than it says.
    raised = tuple(
        replace(one, legs=tuple(replace(leg, start=_up(leg.start), end=_up(leg.end)) for leg in one.legs))
        for one in low.sorties
    )
    broken = " ".join(validate(replace(low, sorties=raised)).violations)
    assert "reserve 20%" in broken
    assert "says it lands with" in broken


def _up(at):
    return Waypoint.above(at.lat_deg, at.lon_deg, at.agl_m, at.ground_amsl_m + 3000.0)


@given(
    hover_w=st.floats(100, 900), cruise_w=st.floats(100, 900), speed_m_s=st.floats(0, 20), least=st.floats(1, 1.2),
    more=st.floats(1, 1.3),
)  # fmt: skip
def test_thinner_air_takes_rotors_no_less_and_no_more_than_is_told(hover_w, cruise_w, speed_m_s, least, more):
    """What bounds and plans of earlier versions are reckoned with."""
    rotor = replace(
        fleet_for(straight()).vehicles[0].aircraft, hover_power_w=hover_w, cruise_power_w=cruise_w, max_m_s=25.0
    )
    here, there = (float(rotor.power_w(speed_m_s, thin=thin)) for thin in (least, least * more))
    assert here <= there * (1 + 1e-12)
    assert there <= here * rotor.most_more(more) * (1 + 1e-12)
