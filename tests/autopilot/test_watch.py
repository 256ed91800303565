"""Distances from the planned line and from the borders."""

from dataclasses import replace

import numpy as np
import pytest
import shapely
from hypothesis import assume, given
from hypothesis import strategies as st
from pymavlink.dialects.v20 import ardupilotmega as mav
from pyproj import Proj

from autopilot import Telemetry
from autopilot.watch import BorderWatch, FlightWatch, places
from geo import geodesic_destination, geodesic_distance_m
from missions import BorderSegment, Mission, MissionItem
from tests.autopilot.scripted import HOME, line_mission

# Two vertices 28 km apart: in degrees the border is a parallel, which a straight line in metres leaves by 10 m.
PARALLEL = BorderSegment("parallel", "USA", "MEX", ((-111.0, 31.333), (-110.7, 31.333)), "left")


def place(seq, north_m, east_m):
    lat, lon = geodesic_destination(HOME[0], HOME[1], 0.0, north_m)
    lat, lon = geodesic_destination(lat, lon, 90.0, east_m)
    return MissionItem(seq, 6, 16, x=round(lat * 1e7), y=round(lon * 1e7), z=90.0)


def mission_of(*places):
    return Mission("test", "ardupilot", (MissionItem(0, 0, 16), *places), (), ())


class Flown:
    """A watch that is fed as a vehicle would."""

    def __init__(self, mission, border=None):
        self.watch = FlightWatch(mission, "AUTO", border)
        self.clock = 0.0
        self.now = {"mode": "AUTO", "armed": True}
        self._take(mav.MAVLink_heartbeat_message(2, 3, 0, 3, 4, 3))

    def _take(self, message):
        self.watch.take(message, Telemetry(vehicle_s=self.clock, time_us=round(self.clock * 1e6), **self.now))

    def disarmed(self, *, after_s=1.0):
        self.clock += after_s
        self.now |= {"mode": "RTL", "armed": False}
        self._take(mav.MAVLink_heartbeat_message(2, 3, 0, 3, 4, 3))

    def reached(self, seq):
        self._take(mav.MAVLink_mission_item_reached_message(seq))

    def at(self, north_m, east_m, *, item, up=90.0, mode="AUTO"):
        self.clock += 1.0
        spot = place(0, north_m, east_m)
        self.now |= {"lat_deg": spot.x / 1e7, "lon_deg": spot.y / 1e7, "above_home_m": up, "mode": mode}
        self._take(mav.MAVLink_mission_current_message(item))
        self._take(mav.MAVLink_global_position_int_message(0, 0, 0, 0, 0, 0, 0, 0, 0))


def test_distance_from_a_leg():
    flown = Flown(mission_of(place(1, 0, 1000), place(2, 0, 3000)))
    flown.at(0, 0, item=1, up=0.0)
    for east, off in ((1500, 30), (2000, -10), (2500, 20)):
        flown.at(off, east, item=2)
    mean, most = flown.watch.deviation_m()
    assert mean == pytest.approx(20, abs=0.1)
    assert most == pytest.approx(30, abs=0.1)


def test_a_lane_close_by_lends_no_nearness():
    lanes = [place(n + 1, 60.0 * (n // 2), (0, 2000)[((n + 1) // 2) % 2]) for n in range(8)]
    flown = Flown(mission_of(*lanes))
    flown.at(0, 0, item=1, up=0.0)
    # To item 8 along lane 3, at 180 m; flown on lane 0.
    flown.at(0, 1000, item=8)
    _, most = flown.watch.deviation_m()
    assert most > 100


def test_flying_home_is_no_deviation():
    flown = Flown(mission_of(place(1, 0, 1000), place(2, 0, 3000)))
    flown.at(0, 0, item=1, up=0.0)
    flown.at(5, 2000, item=2)
    flown.at(900, 1000, item=2, mode="RTL")
    assert flown.watch.deviation_m()[1] == pytest.approx(5, abs=0.1)


def test_one_that_came_down_in_a_silence_did_not_end_in_the_air():
    """Its first heartbeat after it says disarmed, while the last known height is that of the patrol."""
    flown = Flown(mission_of(place(1, 0, 1000), place(2, 0, 3000)))
    flown.at(0, 0, item=1, up=0.0)
    flown.at(0, 500, item=1)
    flown.clock += 30.0
    flown.disarmed()
    assert not flown.watch.ended
    flown.at(0, 40, item=1, up=0.1, mode="RTL")
    assert flown.watch.ended
    assert not flown.watch.ended_in_air
    assert flown.watch.events[-1].kind == "disarmed"
    assert flown.watch.landing().from_home_m == pytest.approx(40.0, abs=0.1)


def test_one_that_is_asked_again_where_it_is_has_time_to_say_it_however_fast_it_beats():
    """As a simulator of ten times the pace of the wall, which forgot the station in the silence."""
    flown = Flown(mission_of(place(1, 0, 1000), place(2, 0, 3000)))
    flown.at(0, 0, item=1, up=0.0)
    flown.at(0, 500, item=1)
    flown.clock += 30.0
    for _ in range(12):
        flown.disarmed(after_s=0.1)
    assert not flown.watch.ended
    flown.at(0, 40, item=1, up=0.1, mode="RTL")
    assert flown.watch.ended
    assert not flown.watch.ended_in_air


def test_one_that_says_no_more_where_it_is_ended_where_it_last_was():
    flown = Flown(mission_of(place(1, 0, 1000)))
    flown.at(0, 500, item=1)
    flown.clock += 30.0
    for _ in range(4):
        assert not flown.watch.ended
        flown.disarmed()
    assert flown.watch.ended
    assert flown.watch.ended_in_air


def test_motors_that_stop_in_the_air_are_told_at_once():
    flown = Flown(mission_of(place(1, 0, 1000)))
    flown.at(0, 500, item=1)
    flown.disarmed()
    assert flown.watch.ended_in_air


def test_no_flight_has_no_figures():
    watch = Flown(mission_of(place(1, 0, 1000)), BorderWatch((PARALLEL,))).watch
    assert watch.deviation_m() is None
    assert watch.nearest_border_m() is None
    assert watch.landing() is None
    assert watch.missed == (1,)


@given(lon=st.floats(-110.99, -110.71), north_m=st.floats(-3000, 3000).filter(lambda v: abs(v) > 1))
def test_the_border_runs_straight_in_degrees(lon, north_m):
    lat, lon = geodesic_destination(31.333, lon, 0.0, north_m)
    (found,) = BorderWatch((PARALLEL,)).distance_m(np.array([lat]), np.array([lon]))
    along_meridian = float(geodesic_distance_m(31.333, lon, lat, lon))
    assert found == pytest.approx(np.copysign(along_meridian, north_m), abs=1.0)


def test_the_other_side_is_negative_and_turns_it_back():
    line = BorderSegment("reversed", "USA", "MEX", PARALLEL.coordinates[::-1], "right")
    flown = Flown(mission_of(place(1, 0, 1000)), BorderWatch((line,)))
    flown.at(0, 0, item=1)
    assert not flown.watch.must_return
    flown.at(-1500, 0, item=1)
    assert flown.watch.must_return
    assert flown.watch.nearest_border_m() == pytest.approx(-169, abs=3)
    flown.watch.sent_home = True
    assert flown.watch.must_return  # it was told, and flies its mission all the same
    flown.watch.mode = "RTL"
    assert not flown.watch.must_return


def test_a_point_on_a_long_edge_in_degrees_is_on_the_border():
    border = BorderSegment("n", "USA", "MEX", ((-111.045, 31.33), (-110.835, 31.34)), "left")
    distance = BorderWatch((border,)).distance_m(np.array([31.335, 31.334875]), np.array([-110.94, -110.942625]))
    assert np.abs(distance).max() < 0.01


# Two lines that never meet, about 3 km apart.
SOUTH = ((-111.0, 31.330), (-110.93, 31.337), (-110.84, 31.329), (-110.7, 31.334))
NORTH = ((-110.98, 31.362), (-110.9, 31.357), (-110.8, 31.366))


def south_of(line):
    """Everything south of a line, and a margin east and west of its ends that no point here comes near to."""
    west, east = line[0][0] - 1.0, line[-1][0] + 1.0
    return shapely.Polygon([(west, line[0][1]), *line, (east, line[-1][1]), (east, 30.0), (west, 30.0)])


def as_seen(line, lat, lon):
    """Distance from a line, metres, and whether its nearest point is an end: shapely, projected about the place."""
    dense = shapely.segmentize(shapely.LineString(line), 0.0005)
    east, north = Proj(proj="aeqd", lat_0=lat, lon_0=lon, ellps="WGS84")(*shapely.get_coordinates(dense).T)
    track = shapely.LineString(np.column_stack([east, north]))
    here = shapely.Point(0, 0)
    return track.distance(here), track.project(here) in (0.0, track.length)


@given(lat=st.floats(31.31, 31.385), lon=st.floats(-111.03, -110.67), between=st.booleans(), turned=st.booleans())
def test_the_nearest_of_two_borders_decides(lat, lon, between, turned):
    """Own country lies between the lines, or on both sides of a strip of the neighbour's."""
    south_side, north_side = ("left", "right") if between else ("right", "left")
    borders = [
        BorderSegment("south", "USA", "MEX", SOUTH, south_side),
        BorderSegment("north", "USA", "CAN", NORTH, north_side),
    ]
    here = shapely.Point(lon, lat)
    abroad = [south_of(SOUTH).contains(here) == between, south_of(NORTH).contains(here) != between]
    seen = [as_seen(line, lat, lon) for line in (SOUTH, NORTH)]
    (near, at_end), (far, _) = sorted(seen)
    # Where both are as near, or the side turns on a centimetre, either answer is right.
    assume(far - near > 1.0 and near > 0.1)
    sign = -1 if abroad[seen.index((near, at_end))] and not at_end else 1
    (found,) = BorderWatch(borders[::-1] if turned else borders).distance_m(np.array([lat]), np.array([lon]))
    assert found == pytest.approx(sign * near, abs=0.05 + 1e-5 * near)


def test_many_places_are_judged_as_each_alone():
    borders = [BorderSegment("s", "USA", "MEX", SOUTH, "left"), BorderSegment("n", "USA", "CAN", NORTH, "right")]
    watch = BorderWatch(borders)
    lat, lon = np.random.default_rng(1).uniform((31.31, -111.03), (31.385, -110.67), (700, 2)).T
    alone = [watch.distance_m(lat[k : k + 1], lon[k : k + 1])[0] for k in range(len(lat))]
    assert watch.distance_m(lat, lon) == pytest.approx(alone, abs=1e-6)


def test_beyond_the_second_border_it_is_turned_back():
    second = BorderSegment("second", "USA", "CAN", ((-111.0, 31.36), (-110.7, 31.36)), "right")
    flown = Flown(mission_of(place(1, 0, 1000)), BorderWatch((PARALLEL, second)))
    flown.at(1500, 0, item=1)
    assert not flown.watch.must_return
    flown.at(1800, 0, item=1)
    assert flown.watch.must_return
    past = float(geodesic_distance_m(31.36, HOME[1], *geodesic_destination(HOME[0], HOME[1], 0.0, 1800)))
    assert flown.watch.nearest_border_m() == pytest.approx(-past, abs=0.5)


def test_what_the_camera_looks_at_is_no_place_that_is_flown_to():
    mission = line_mission()
    look = replace(mission.items[4], command=195)
    watched = replace(mission, items=(*mission.items[:4], look, *mission.items[5:]))
    assert [item.seq for item in places(watched)] == [item.seq for item in places(mission) if item.seq != look.seq]


def test_the_mark_of_a_landing_is_no_place_that_is_reached():
    ways = [
        MissionItem(n, 3, command, x=313_000_000 + n, y=-1_109_000_000, z=50.0)
        for n, command in enumerate((16, 189, 16, 21), 1)
    ]
    assert [item.seq for item in places(mission_of(*ways))] == [1, 3, 4]


def test_a_report_of_the_flight_before_is_none_of_this_one():
    """PX4 repeats the last item for ten seconds: one that is armed anew says it with its motors on, on the ground."""
    flown = Flown(mission_of(place(1, 0, 1000), MissionItem(2, 2, mav.MAV_CMD_DO_CHANGE_SPEED), place(3, 0, 3000)))
    flown.at(0, 0, item=1, up=0.0)
    flown.reached(3)
    flown.reached(2)
    assert [item.seq for item in flown.watch.reached] == [2]
    flown.at(0, 500, item=1)
    flown.at(0, 1000, item=3)
    for _ in range(10):
        flown.reached(1)
    assert flown.watch.missed == (3,)
    flown.reached(3)
    assert flown.watch.missed == ()
    assert [item.seq for item in flown.watch.reached] == [2, 1, 3]
