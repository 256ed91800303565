"""Time, energy and reserve of whole plans by hand: the wind triangle, the powers, the procedures, the turn-round."""

import json
import math
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyproj import Geod

from cli.simulated import simulated_fleet
from geo import FlatTerrain
from missions import Aircraft, Fleet, LegKind, PlanOptions, Vehicle, Wind, plan, save_plan
from missions.effort import leg_effort
from tests.asked import asked
from tests.missions.helpers import beside, border_from_metres, fleet_for, straight
from tests.missions.test_steep_ground import hills

GEOD = Geod(ellps="WGS84")
CRAFT = {
    "multirotor": Aircraft(
        "rotor", 15.0, 21.0, 4.0, 3.0, 500.0, 540.0, 800.0, 500.0, takeoff_s=12.0, landing_s=18.0, turn_round_s=200.0
    ),
    "fixed_wing": Aircraft(
        "wing", 20.0, 28.0, 3.0, 3.0, 280.0, 300.0, 600.0, 500.0, form="fixed_wing", min_m_s=14.0, turn_radius_m=60.0,
        takeoff_s=20.0, landing_s=60.0, turn_round_s=300.0,
    ),
    "vtol": Aircraft(
        "lifter", 18.0, 25.0, 3.0, 2.5, 900.0, 220.0, 1100.0, 600.0, form="vtol", min_m_s=13.0, turn_radius_m=50.0,
        takeoff_s=15.0, landing_s=20.0, transition_s=10.0, turn_round_s=400.0,
    ),
}  # fmt: skip


def power_w(craft, air_m_s):
    """As `Aircraft.power_w` says in words."""
    ratio = air_m_s / craft.cruise_m_s
    if craft.has_wings:
        return craft.cruise_power_w * max(1.0, ratio) ** 3
    more = craft.cruise_power_w - craft.hover_power_w
    if ratio <= 1:
        return craft.hover_power_w + more * ratio**2
    return craft.cruise_power_w + max(abs(more), craft.cruise_power_w - craft.hover_power_w / 3) * (ratio**3 - 1)


def thin(leg):
    """True by equivalent airspeed midway on a leg: T / T0 to the power of -2.128 (ISA)."""
    amsl_m = (leg.start.amsl_m + leg.end.amsl_m) / 2
    return (1 - 0.0065 * amsl_m / 288.15) ** -2.128


def in_air_w(craft, air_m_s, thin):
    """Power at a true airspeed: as at sea level at the equivalent one, overcome at the true; rotors save no drag."""
    power = thin * power_w(craft, air_m_s / thin)
    return power if craft.has_wings else max(power, power_w(craft, air_m_s))


def by_hand(leg, craft, wind, wanted_m_s):
    """Seconds and watt seconds of a leg, from its ends alone."""
    azimuth, _, length = GEOD.inv(leg.start.lon_deg, leg.start.lat_deg, leg.end.lon_deg, leg.end.lat_deg)
    rise = leg.end.amsl_m - leg.start.amsl_m
    up_s, down_s = max(rise, 0.0) / craft.climb_m_s, max(-rise, 0.0) / craft.descent_m_s
    if length < 0.05:
        more_w = max(craft.climb_power_w - craft.hover_power_w, 0.0)
        return max(up_s, down_s), thin(leg) * craft.hover_power_w * max(up_s, down_s) + up_s * more_w
    angle = math.radians(wind.from_deg - azimuth)
    ahead, across = wind.speed_m_s * math.cos(angle), wind.speed_m_s * math.sin(angle)

    true = thin(leg) if craft.has_wings else 1.0

    def over_ground(air_m_s):
        return math.sqrt((air_m_s * true) ** 2 - across**2) - ahead

    ground = over_ground(craft.cruise_m_s)
    if leg.kind is LegKind.PATROL:
        ground = min(wanted_m_s, over_ground(craft.max_m_s))
        if math.hypot(ground + ahead, across) < craft.min_m_s * true:
            ground = over_ground(craft.min_m_s)
    time = max(length / ground, up_s, down_s)
    level = in_air_w(craft, math.hypot(length / time + ahead, across), thin(leg)) * time
    held_w = craft.cruise_power_w if craft.has_wings else craft.hover_power_w
    return time, level + up_s * max(craft.climb_power_w - held_w, 0.0)


def procedures(craft, number, last):
    """Seconds and watt seconds that take-off and landing take beside climb and descent, by the number of a leg."""
    on_spot_s = craft.takeoff_s * (number == 0) + craft.landing_s * (number == last)
    changes = (number == 0) + (number == last)
    time = on_spot_s + craft.transition_s * changes
    return time, on_spot_s * craft.hover_power_w + craft.transition_s * changes * max(
        craft.climb_power_w, craft.hover_power_w
    )


@settings(max_examples=asked(12), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    form=st.sampled_from(sorted(CRAFT)),
    wind=st.builds(Wind, st.sampled_from([0.0, 3.0, 6.0]), st.floats(0, 360)),
    hilly=st.booleans(),
    dwell_s=st.floats(1.0, 4.0),
)
def test_legs_take_what_they_take_by_hand_and_every_sortie_lands_with_its_reserve(form, wind, hilly, dwell_s):
    border, craft = straight(16_000.0) if form == "multirotor" else straight(9000.0), CRAFT[form]
    base = beside(border, 1500.0)
    fleet = fleet_for(border, 2)
    camera = replace(fleet.camera, max_gsd_m=0.3)
    fleet = Fleet(camera, tuple(Vehicle(n, f"v{n}", craft, base) for n in (1, 2)))
    # A runway among hills may be shut, which is another test's.
    terrain = hills(30.0, 3000.0) if hilly and form != "fixed_wing" else FlatTerrain(500.0)
    made = plan(border, fleet, terrain, PlanOptions(dwell_s=dwell_s, wind=wind))
    for sortie in made.sorties:
        joules, last = 0.0, len(sortie.legs) - 1
        for number, leg in enumerate(sortie.legs):
            flown = by_hand(leg, craft, wind, made.observation_of(sortie).speed_m_s)
            more_s, more_j = procedures(craft, number, last)
            time, energy = flown[0] + more_s, flown[1] + thin(leg) * more_j
            assert leg.duration_s == pytest.approx(time, rel=2e-3, abs=0.1)
            joules += energy
        left = 1 - joules / 3600 / craft.battery_wh
        assert sortie.reserve_left == pytest.approx(left, abs=2e-3)
        assert left >= craft.reserve_fraction - 2e-3
    for vehicle in fleet.vehicles:
        own = sorted((f.start_s, made.sorties[f.sortie].duration_s) for f in made.flights if f.sysid == vehicle.sysid)
        assert len(own) > 1
        assert all(b >= a + airborne_s + craft.turn_round_s - 1e-3 for (a, airborne_s), (b, _) in pairwise(own))


def test_against_the_wind_the_same_way_takes_longer_and_with_it_less():
    """With 6 m/s to a cruise of 15 m/s: 21 m/s, and 9 m/s against it."""
    border = straight(600.0)
    fleet = Fleet(fleet_for(border).camera, (Vehicle(1, "one", CRAFT["multirotor"], beside(border, 3000.0)),))
    speeds = []
    for from_deg in (0.0, 180.0):
        made = plan(border, fleet, options=PlanOptions(wind=Wind(6.0, from_deg)))
        # From the base to the border is south.
        (out,) = (leg for leg in made.sorties[0].legs if leg.kind is LegKind.TRANSIT and leg.distance_m > 500)
        speeds.append(out.distance_m / out.duration_s)
    assert speeds == pytest.approx([21.0, 9.0], rel=0.02)


def test_the_plan_file_says_who_flies_when_from_where_and_with_what_reserve(tmp_path):
    """Read by the json module alone."""
    border = straight(24_000.0)
    west, east = (
        replace(beside(border_from_metres([(x, 0), (x + 10, 0)]), 1500.0), name=f"at {x}") for x in (6000, 18_000)
    )
    fleet = fleet_for(border, 3)
    vehicles = tuple(replace(v, base=west if n else east) for n, v in enumerate(fleet.vehicles))
    save_plan(plan(border, replace(fleet, vehicles=vehicles)), tmp_path / "plan.json")
    told = json.loads((tmp_path / "plan.json").read_text())["plan"]
    who = {vehicle["sysid"]: vehicle for vehicle in told["fleet"]["vehicles"]}
    flown = {sysid: [] for sysid in who}
    for flight in told["flights"]:
        vehicle, sortie = who[flight["sysid"]], told["sorties"][flight["sortie"]]
        for end in (sortie["legs"][0]["start"], sortie["legs"][-1]["end"]):
            assert [end["lat_deg"], end["lon_deg"]] == [vehicle["base"]["lat_deg"], vehicle["base"]["lon_deg"]]
        craft = vehicle["aircraft"]
        left = sortie["charge"] - sum(leg["energy_wh"] for leg in sortie["legs"]) / craft["battery_wh"]
        assert craft["reserve_fraction"] <= left < 1
        flown[flight["sysid"]].append((flight["start_s"], sum(leg["duration_s"] for leg in sortie["legs"])))
    for sysid, own in flown.items():
        assert own
        assert own == sorted(own)
        gap = who[sysid]["aircraft"]["turn_round_s"]
        assert all(a + airborne_s + gap <= b + 1e-3 for (a, airborne_s), (b, _) in pairwise(own))


def test_no_climb_gives_energy_back():
    """On their wings VTOLs may climb with less than they hover with."""
    craft = replace(CRAFT["vtol"], climb_power_w=400.0)
    level, rising = (leg_effort(craft, 500.0, rise, craft.cruise_m_s) for rise in (0.0, 60.0))
    assert rising[1] >= level[1] > 0
    upright = leg_effort(craft, 0.0, 60.0, craft.cruise_m_s)
    assert upright[1] >= craft.climb_power_w * upright[0] / 3600


@pytest.mark.parametrize("climb_power_w", [250.0, 400.0, 1100.0])
def test_wings_climb_at_the_power_of_a_climb_and_not_at_that_of_their_rotors_more(climb_power_w):
    """At 18 m/s and 3 m/s up, 60 m higher: 20 s at the power of a climb, whatever hovering takes."""
    craft = replace(CRAFT["vtol"], climb_power_w=climb_power_w)
    time, energy = leg_effort(craft, 18.0 * 20.0, 60.0, craft.cruise_m_s)
    assert time == pytest.approx(20.0)
    assert energy * 3600 == pytest.approx(20.0 * climb_power_w)
    # On the spot its rotors hold it up and lift it: never for less than they hover.
    time, energy = leg_effort(craft, 0.0, 60.0, craft.cruise_m_s)
    assert energy * 3600 == pytest.approx(20.0 * max(climb_power_w, craft.hover_power_w))


@pytest.mark.parametrize("climb_power_w", [400.0, 1100.0])
def test_the_simulator_pays_for_a_climb_on_wings_what_the_plan_does(climb_power_w):
    craft = replace(CRAFT["vtol"], climb_power_w=climb_power_w)
    border = straight(3000.0)
    fleet = Fleet(fleet_for(border).camera, (Vehicle(1, "one", craft, beside(border, 1500.0)),))
    made = plan(border, fleet, options=PlanOptions(dwell_s=2.0))
    power = simulated_fleet(made, port=0, speedup=1.0, seed=1).power
    assert power.power_w(18.0, 3.0, 1.0) == pytest.approx(climb_power_w)
    assert power.power_w(0.0, 3.0) == pytest.approx(max(climb_power_w, craft.hover_power_w))
