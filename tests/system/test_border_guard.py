"""A network of two borders that never meet, flown by a simulated vehicle: each of them is guarded in flight."""

from dataclasses import replace

import numpy as np
import pytest
from pyproj import Geod

import missions
from tests.system.test_fence_flight import flown

WEST, EAST = -110.97, -110.94
SOUTH = missions.BorderSegment("south", "USA", "MEX", ((WEST, 31.333), (EAST, 31.333)), "left")
NORTH = missions.BorderSegment("north", "USA", "CAN", ((WEST + 0.005, 31.36), (EAST - 0.005, 31.36)), "right")
GEOD = Geod(ellps="WGS84")


@pytest.fixture(scope="module")
def made():
    base = missions.Base("base", 31.3465, (WEST + EAST) / 2)
    plan = missions.plan_network(missions.build_network("two", [NORTH, SOUTH]), missions.default_fleet(base, 1))
    assert [border.name for border in plan.borders] == ["south", "north"]
    return plan


def to_north(lat, lon):
    """Metres from a place to the northern border, straight along a meridian; negative beyond it."""
    _, _, away = GEOD.inv(lon, lat, lon, np.full_like(lat, 31.36))
    return np.where(lat > 31.36, -away, away)


def test_one_that_strays_over_the_second_border_is_sent_home(made, tmp_path):
    """Its fence is taken away: the guard alone turns it."""
    mission = missions.compile_mission(made, made.sorties[0])
    at = max(
        (k for k, item in enumerate(mission.items) if item.command == 16 and k > 1), key=lambda k: mission.items[k].x
    )
    strayed = replace(mission.items[at], x=round(31.375 * 1e7), y=round((WEST + EAST) / 2 * 1e7))
    items = (*mission.items[:at], strayed, *mission.items[at + 1 :])
    report = flown(made, replace(mission, items=items, fence=()), tmp_path)
    (sortie,) = report.vehicles[0].sorties
    assert "crossed the border and was sent home" in report.vehicles[0].failure
    assert any(event.kind == "border" for event in sortie.events), sortie.events
    assert sortie.landing.from_home_m < 5
    (record,) = tmp_path.glob("*.csv")
    rows = np.genfromtxt(record, delimiter=",", names=True, usecols=("lat_deg", "lon_deg"))
    furthest = to_north(rows["lat_deg"], rows["lon_deg"]).min()
    # It was on its way to a place 1660 m beyond, and turned in a fraction of that.
    assert -600 < furthest < 0
    assert sortie.nearest_border_m == pytest.approx(furthest, abs=40)


def test_the_nearest_approach_is_that_to_the_nearest_of_all(made, tmp_path):
    mission = missions.compile_mission(made, made.sorties[0])
    report = flown(made, mission, tmp_path)
    assert report.completed, report.vehicles[0].failure
    (sortie,) = report.vehicles[0].sorties
    (record,) = tmp_path.glob("*.csv")
    rows = np.genfromtxt(record, delimiter=",", names=True, usecols=("lat_deg", "lon_deg"))
    lat, lon = rows["lat_deg"], rows["lon_deg"]
    _, _, to_south = GEOD.inv(lon, lat, lon, np.full_like(lat, 31.333))
    nearest = min(to_north(lat, lon).min(), to_south.min())
    assert sortie.nearest_border_m == pytest.approx(nearest, abs=3)
    assert sortie.nearest_border_m > 50
