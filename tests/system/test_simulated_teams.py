"""`vedette sim --plan`: each vehicle of a plan stands at its own base and is of its own type."""

import json
import re
import subprocess
import sys
from dataclasses import replace

import pytest

import missions
import sim
from cli.simulated import simulated_teams
from geo import FlatTerrain, geodesic_distance_m
from tests.programs import Program

_AT_M = 900.0
_GIVEN = {"speedup": 1.0, "seed": 1}


@pytest.fixture(scope="module")
def plan():
    """Two bases some kilometres apart, with a vehicle each; system ids with a gap between them."""
    segment = missions.cut(missions.land_border("ITA", "CHE"), 6000)
    bases = [missions.base_behind(segment, along_m, name=name) for name, along_m in (("west", 0), ("east", 6000))]
    alone = missions.default_fleet(bases[0], 1)
    quick = replace(alone.vehicles[0].aircraft, kind="quick", cruise_m_s=20.0)
    vehicles = (
        replace(alone.vehicles[0], sysid=2, name="first"),
        missions.Vehicle(5, "second", quick, bases[1]),
    )
    return missions.plan(segment, replace(alone, vehicles=vehicles), FlatTerrain(_AT_M))


def test_each_part_has_the_base_type_and_addresses_of_its_vehicles(plan):
    west, east = (vehicle.base for vehicle in plan.fleet.vehicles)
    rotor = plan.fleet.vehicles[0].aircraft
    wings = replace(rotor, kind="vtol", form=missions.AircraftForm.VTOL, min_m_s=12.0, turn_radius_m=60.0)
    kinds = ((2, rotor, west), (3, rotor, west), (4, wings, west), (5, rotor, east), (9, rotor, east))
    mixed = tuple(missions.Vehicle(sysid, f"v{sysid}", kind, base) for sysid, kind, base in kinds)
    parts = simulated_teams(
        replace(plan, fleet=replace(plan.fleet, vehicles=mixed)),
        sim.Faults(listed=(sim.GpsLoss(vehicles=(3, 9)), sim.PacketLoss(probability=0.1))),
        port=15000,
        **_GIVEN,
    )
    stands = {}
    for part in parts:
        for index, port in enumerate(part.ports):
            sysid = part.start_sysid + index
            stands[sysid] = (part.frame, port)
            base = next(vehicle.base for vehicle in mixed if vehicle.sysid == sysid)
            assert geodesic_distance_m(base.lat_deg, base.lon_deg, *part.home[:2]) < 20
            assert part.home[2] == _AT_M
    assert stands == {
        2: ("quad", 15000),
        3: ("quad", 15010),
        4: ("vtol", 15020),
        5: ("quad", 15030),
        9: ("quad", 15040),
    }
    assert [[fault.vehicles for fault in part.faults.listed] for part in parts] == [[(3,), ()], [()], [()], [(9,), ()]]
    # Nobody stands where another stands.
    of_west = [part.home for part in parts if part.start_sysid < 5]
    assert geodesic_distance_m(*of_west[0][:2], *of_west[1][:2]) == pytest.approx(10.0, abs=0.1)


def test_a_fault_of_a_vehicle_that_the_plan_does_not_have_is_refused(plan):
    with pytest.raises(sim.ConfigError, match=r"vehicle 3 is not in the fleet: it has \[2, 5\]"):
        simulated_teams(plan, sim.Faults(listed=(sim.GpsLoss(vehicles=(3,)),)), port=0, **_GIVEN)


def test_the_vehicles_of_two_bases_fly_their_plan(plan, run, tmp_path):
    file, report = tmp_path / "plan.json", tmp_path / "flight.json"
    missions.save_plan(plan, file)
    simulate = [sys.executable, "-m", "vedette", "sim", "--plan", file, "--port", "0", "--speedup", "100"]
    with Program(simulate, stdout=subprocess.PIPE, text=True) as fleet:
        try:
            told = dict(re.search(r"vehicle (\d+) listens on (\S+)", fleet.stdout.readline()).groups() for _ in "12")
            links = [word for sysid in ("2", "5") for word in ("--link", told[sysid])]
            ran = run("fly", file, *links, "--time-scale", 100, "--wait", 60, "--json", report)
        finally:
            fleet.terminate()
    assert ran.code == 0, ran.err
    flown = json.loads(report.read_text())
    assert flown["completed"]
    assert sorted(vehicle["sysid"] for vehicle in flown["vehicles"]) == [2, 5]
