"""A plan among no-fly zones, flown by simulated vehicles: what is uploaded is what guards the flight."""

import asyncio
from dataclasses import replace

import numpy as np
import pytest
import shapely

import autopilot
import missions
import sim
from cli.simulated import simulated_fleet
from geo import geodesic_destination

BORDER = missions.BorderSegment("line", "USA", "MEX", ((-110.97, 31.333), (-110.93, 31.333)), "left")
BASE = missions.Base("base", *geodesic_destination(31.333, -110.95, 0.0, 1500.0))
SPEEDUP = 200.0


def lake(size_m=220.0):
    """A zone between the ways out and home."""
    centre = geodesic_destination(31.333, -110.95, 0.0, 600.0)
    ring = [geodesic_destination(*centre, azimuth, size_m) for azimuth in range(0, 360, 30)]
    return missions.Zone("lake", (tuple((lon, lat) for lat, lon in ring),))


@pytest.fixture(scope="module")
def made():
    fleet = missions.default_fleet(BASE, 1)
    return missions.plan(BORDER, fleet, airspace=missions.Airspace((lake(),)))


def flown(plan, mission, tmp_path):
    config = simulated_fleet(plan, speedup=SPEEDUP, seed=1, record=tmp_path)
    with sim.start_fleet(config) as fleet:
        tasks = [autopilot.FlightTask(1, fleet.endpoints[0].url, (mission,))]
        limits = autopilot.FlightLimits(ceiling_m=130.0)
        return asyncio.run(autopilot.fly(tasks, borders=plan.borders, time_scale=SPEEDUP, limits=limits))


def test_a_plan_among_zones_is_flown_without_a_breach(made, tmp_path):
    mission = missions.compile_mission(made, made.sorties[0])
    assert {item.command for item in mission.fence} == {5001, 5002}
    report = flown(made, mission, tmp_path)
    assert report.completed, report.vehicles[0].failure
    fence, rally, items = report.vehicles[0].sorties[0].uploads
    assert (fence.items, rally.items, items.items) == (len(mission.fence), len(mission.rally), len(mission.items))
    texts = [event.text for event in report.vehicles[0].sorties[0].events]
    assert not any("fence" in text.lower() for text in texts)


def test_a_mission_into_a_zone_is_ended_by_the_fence_alone(made, tmp_path):
    """The items of a plan that knew of no zone, under the fence of one that does."""
    mission = missions.compile_mission(made, made.sorties[0])
    centre = shapely.Polygon(lake().rings[0]).centroid
    at = next(k for k, item in enumerate(mission.items) if item.command == 16 and k > 1)
    strayed = replace(mission.items[at], x=round(centre.y * 1e7), y=round(centre.x * 1e7))
    items = (*mission.items[:at], strayed, *mission.items[at + 1 :])
    report = flown(made, replace(mission, items=items), tmp_path)
    assert not report.completed
    (sortie,) = report.vehicles[0].sorties
    assert any("Polygon fence breached" in event.text for event in sortie.events), sortie.events
    assert "RTL" in report.vehicles[0].failure
    (record,) = tmp_path.glob("*.csv")
    rows = np.genfromtxt(record, delimiter=",", names=True, usecols=("lat_deg", "lon_deg"))
    zone = shapely.Polygon(lake().rings[0])
    # It was turned before it came to the middle: 220 m in, and an aircraft of 18 m/s brakes in about 60.
    nearest = min(shapely.Point(lon, lat).distance(centre) for lat, lon in rows)
    assert nearest > zone.exterior.distance(centre) / 2
