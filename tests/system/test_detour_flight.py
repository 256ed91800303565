"""A detour of wings round a zone, flown by both autopilots: what they fly off it, against margin and stand-off."""

import pytest
import shapely

from missions import Airspace, PlanOptions, plan
from tests.missions.helpers import area, border_from_metres, fleet_for, metres, way, zone
from tests.missions.test_wide_turns import wings
from tests.system.test_climbing_flight import flown


# ArduPlane begins the arcs of a detour late, and takes about the whole margin of a zone, 30 m, for it.
@pytest.mark.parametrize(("autopilot", "stray_m", "zone_m"), [("ardupilot", 36.0, 0.0), ("px4", 12.0, 15.0)])
def test_wings_on_a_detour_keep_to_it_and_off_its_zone_and_the_border(autopilot, stray_m, zone_m):
    line, pond = [(0, 0), (3000, 0)], zone("pond", 1500, 150, 120, 16)
    border = border_from_metres(line, stand_off_m=60.0, band_own_m=10.0, band_far_m=10.0)
    fleet = wings(fleet_for(border, 1, distance_m=900.0), 60.0)
    options = PlanOptions(dwell_s=2.0, shift_s=3600.0, zone_margin_m=30.0)
    made = plan(border, fleet, None, options, airspace=Airspace((pond,)))
    (sortie,) = made.sorties
    places, _, craft = flown(made, sortie, autopilot)
    assert not any("Crash" in text for text in craft.texts)
    track = shapely.points(metres(places[:, ::-1]))
    assert shapely.distance(track, shapely.LineString(line)).min() > 60.0
    assert shapely.distance(track, area(pond)).min() > zone_m
    beside = track[shapely.within(track, shapely.box(1100, 0, 1900, 500))]
    assert len(beside) > 500
    assert shapely.distance(beside, way(sortie)).max() < stray_m
