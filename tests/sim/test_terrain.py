"""Terrain under simulated vehicles: beside geo's own heights, closed forms of planes, a ground station that answers."""

import csv
from math import cos, hypot, radians
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymavlink.dialects.v20 import ardupilotmega as mav

import sim
from geo import GridTerrain, LocalFrame, TerrainError, TileTerrain
from sim.flight_frame import FlightFrame
from sim.flight_ground import Ground
from sim.flight_posts import Posts
from sim.flight_terrain import BLOCKS, TerrainMap
from sim.sitl import sitl_config
from tests.asked import few
from tests.sim.lockstep_pilot import BOOT, Pilot, lockstep
from tests.sim.mav_client import ACCEPTED, HOME, RTL, Client, home_item, item, takeoff

LAT, LON, HOME_M = HOME
METRE_N, METRE_E = 1.0 / 110_900.0, 1.0 / (111_320.0 * cos(radians(LAT)))
SRTM = 1200
ABOVE_TERRAIN, ABOVE_HOME = 10, 3


def tile(folder, height):
    """An SRTM tile about HOME of a height, metres AMSL, by metres east and north of home; whole metres."""
    lat = np.linspace(32.0, 31.0, SRTM + 1)[:, None]
    lon = np.linspace(-111.0, -110.0, SRTM + 1)[None, :]
    east, north = (lon - LON) / METRE_E, (lat - LAT) / METRE_N
    heights = np.broadcast_to(height(east, north), (SRTM + 1, SRTM + 1))
    path = Path(folder) / "N31W111.hgt"
    np.round(heights).astype(">i2").tofile(path)
    return path


def place(east, north):
    return LAT + north * METRE_N, LON + east * METRE_E


def waypoint(east, north, up_m, frame=ABOVE_HOME, hold_s=0.0):
    lat, lon = place(east, north)
    return item(16, frame=frame, params=(hold_s,), lat=lat, lon=lon, z=up_m)


def land(east, north):
    lat, lon = place(east, north)
    return item(21, frame=ABOVE_HOME, lat=lat, lon=lon)


def hill(height_m=300.0, at=(0.0, 1500.0), width_m=400.0):
    return lambda e, n: 1200.0 + height_m * np.exp(-((e - at[0]) ** 2 + (n - at[1]) ** 2) / (2.0 * width_m**2))


@pytest.fixture(scope="module")
def slope(tmp_path_factory):
    """One in ten up to the north, and 1 in 50 up to the east."""
    return tile(tmp_path_factory.mktemp("slope"), lambda e, n: 1200.0 + 0.1 * n + 0.02 * e)


@pytest.fixture(scope="module")
def rough(tmp_path_factory):
    rng = np.random.default_rng(1)
    heights = rng.uniform(800.0, 1500.0, (SRTM + 1, SRTM + 1))
    return tile(tmp_path_factory.mktemp("rough"), lambda *_: heights)


@pytest.fixture(scope="module")
def mountain(tmp_path_factory):
    return tile(tmp_path_factory.mktemp("hill"), hill())


def flown(pilot, mission, most_s=900.0):
    """Fly a mission and return what is under and above the vehicle, by `geo`, twice a simulated second."""
    flight = pilot.fleet.vehicles[0].flight
    assert pilot.upload(mission) == ACCEPTED
    pilot.arm_and_start()
    rows = []
    # The way back is another matter.
    while flight.run.index < len(mission) - 1 and pilot.fleet.time_s < most_s:
        pilot.advance(0.5)
        rows.append((pilot.fleet.time_s, *flight.setup.frame.to_geodetic(flight.body.e, flight.body.n), flight.body.u))
    return np.array(rows)


# --- the ground itself ---------------------------------------------------------------------------------------------


@given(st.floats(-5_000, 20_000), st.floats(-20_000, 20_000))
@settings(max_examples=few(60), deadline=None)
def test_the_ground_is_what_geo_says_against_home(rough, east, north):
    terrain = TileTerrain(rough)
    frame = FlightFrame(LAT, LON)
    ground = Ground(Posts(terrain), frame)
    there = float(terrain.elevation_m(*frame.to_geodetic(east, north)))
    assert ground.at(east, north) == pytest.approx(there - float(terrain.elevation_m(LAT, LON)), abs=1e-5)
    assert ground.below(east, north, ground.at(east, north)) == ground.at(east, north)


@given(st.integers(0, 2**31), st.floats(0.02, 0.98), st.floats(0.02, 0.98), st.floats(0.0, 0.02), st.booleans())
@settings(max_examples=few(60), deadline=None)
def test_single_places_are_those_of_the_data_wherever_its_posts_lie(seed, lat, lon, shift, srtm):
    """Posts at whole fractions of a degree, and others: by geo's own bilinear grid."""
    heights = np.random.default_rng(seed).uniform(0.0, 2000.0, (51, 51))
    data = GridTerrain(heights, 32.0 + (0.0 if srtm else shift), -111.0, 0.02 if srtm else 0.0213)
    posts = Posts(data)
    for place in ((31.0 + lat, -111.0 + lon), (31.0 + lat, -111.0 + lon * 0.5)):
        assert posts.at(*place) == pytest.approx(float(data.elevation_m(*place)), abs=1e-3)
    with pytest.raises(TerrainError, match="no elevation at"):
        posts.at(40.0, -111.0)
    with pytest.raises(TerrainError, match="give finite degrees"):
        posts.at(float("nan"), -111.0)


@given(st.lists(st.tuples(st.floats(-300, 300), st.floats(-300, 300), st.floats(-700, 1500)), min_size=1, max_size=30))
@settings(max_examples=30, deadline=None)
def test_what_is_left_out_high_above_the_ground_hides_no_ground(rough, hops):
    """Whatever the way, a vehicle that is in the ground is found to be."""
    terrain, frame = TileTerrain(rough), FlightFrame(LAT, LON)
    ground = Ground(Posts(terrain), frame)
    zero = float(terrain.elevation_m(LAT, LON))
    e = n = 0.0
    for de, dn, u in hops:
        e, n = e + de, n + dn
        true = float(terrain.elevation_m(*frame.to_geodetic(e, n))) - zero
        seen = ground.below(e, n, u)
        assert (u <= seen) == (u <= true) or abs(u - true) < 1e-5
        assert seen == pytest.approx(true, abs=1e-5) or u > true + 60.0


def test_without_data_the_ground_is_as_it_last_was(slope):
    ground = Ground(Posts(TileTerrain(slope)), FlightFrame(LAT, LON))
    last = ground.at(1000.0, 1000.0)
    assert not ground.ended
    assert ground.at(1e6, 0.0) == last
    assert ground.below(1e6, 0.0, last + 1.0) == last
    assert ground.ended


def test_a_fleet_outside_its_terrain_does_not_start(slope):
    with pytest.raises(TerrainError, match=r"no elevation at .*50\.0"):
        lockstep(home=(50.0, 8.0, 100.0), terrain=slope)


def test_pads_lie_as_the_ground_does(slope):
    fleet = lockstep(vehicles=3, pad_spacing_m=1000.0, terrain=slope)
    heights = [vehicle.flight.setup.home_amsl_m for vehicle in fleet.vehicles]
    assert heights == pytest.approx([HOME_M, HOME_M + 20.0, HOME_M + 40.0], abs=1.1)


# --- on it and over it ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("frame", ["copter", "plane", "vtol"])
def test_one_lands_where_the_ground_is(slope, frame):
    up_m, far = 120.0, 800.0
    fleet = lockstep(terrain=slope, frame=frame, terrain_on_card=True, turnaround_s=1e4)
    pilot = Pilot(fleet)
    flight = fleet.vehicles[0].flight
    mission = [home_item(), takeoff(up_m), waypoint(0, 300, up_m), waypoint(0, far, up_m), land(0, far + 400)]
    assert pilot.upload(mission) == ACCEPTED
    if frame == "copter":
        pilot.arm_and_start()
    else:
        assert pilot.command(176, 1, 5) == ACCEPTED
        assert pilot.command(400, 1) == ACCEPTED
        assert pilot.command(176, 1, 10) == ACCEPTED
    pilot.until(lambda: not flight.landed)
    pilot.until(lambda: flight.landed, 600.0)
    terrain = TileTerrain(slope)
    under = float(terrain.elevation_m(*flight.setup.frame.to_geodetic(flight.body.e, flight.body.n)))
    assert flight.body.u == pytest.approx(under - float(terrain.elevation_m(LAT, LON)), abs=0.01)
    assert flight.body.u > 60.0
    assert not flight.wrecked
    assert "Crash: Disarming" not in pilot.texts


def test_heights_above_home_and_above_terrain_differ_by_the_hill(mountain):
    terrain = TileTerrain(mountain)
    top = 60.0

    def clearances(frame, up_m):
        pilot = Pilot(lockstep(terrain=mountain, terrain_on_card=True))
        way = [waypoint(0, 3000, up_m, frame), waypoint(0, 0, up_m, frame)]
        rows = flown(pilot, [home_item(), takeoff(up_m), *way, item(RTL)])
        ground = terrain.elevation_m(rows[:, 1], rows[:, 2]) - float(terrain.elevation_m(LAT, LON))
        # On the way, not near its ends.
        north = (rows[:, 1] - LAT) / METRE_N
        inside = (north > 300.0) & (north < 2700.0)
        return rows[inside, 3] - ground[inside], rows[inside, 3], ground[inside]

    above, up, ground = clearances(ABOVE_TERRAIN, top)
    assert ground.max() > 280.0  # the way does lead over the hill
    assert np.abs(above - top).max() < 6.0
    above, up, ground = clearances(ABOVE_HOME, 400.0)
    assert np.abs(up - 400.0).max() < 0.5


def test_the_steepest_slope_is_climbed_as_fast_as_it_can_climb(tmp_path):
    """On a plane of slope s above terrain the ground speed is that at which the climb is the fastest there is."""
    slope = 0.5
    path = tile(tmp_path, lambda _, n: 1200.0 + slope * np.maximum(n - 100.0, 0.0))
    pilot = Pilot(lockstep(terrain=path, terrain_on_card=True))
    flight = pilot.fleet.vehicles[0].flight
    assert pilot.upload([home_item(), takeoff(50.0), waypoint(0, 2500, 50.0, ABOVE_TERRAIN), item(RTL)]) == ACCEPTED
    pilot.arm_and_start()
    pilot.until(lambda: flight.body.n > 600.0, 300.0)
    fastest_up = 2.5  # WPNAV_SPEED_UP
    assert flight.body.vu == pytest.approx(fastest_up, rel=0.03)
    assert hypot(flight.body.ve, flight.body.vn) == pytest.approx(fastest_up / slope, rel=0.06)
    assert flight.body.u - flight.ground.at(flight.body.e, flight.body.n) == pytest.approx(50.0, abs=5.0)


@pytest.mark.parametrize("frame", ["copter", "plane"])
def test_a_ridge_in_the_way_is_hit_and_recorded(mountain, frame, tmp_path):
    fleet = lockstep(terrain=mountain, frame=frame, terrain_on_card=True, record_dir=tmp_path)
    pilot = Pilot(fleet)
    flight = fleet.vehicles[0].flight
    assert pilot.upload([home_item(), takeoff(100.0), waypoint(0, 3000, 100.0), item(RTL)]) == ACCEPTED
    if frame == "copter":
        pilot.arm_and_start()
    else:
        assert [pilot.command(176, 1, 5), pilot.command(400, 1), pilot.command(176, 1, 10)] == [ACCEPTED] * 3
    pilot.until(lambda: flight.wrecked, 600.0)
    pilot.advance(1.0)
    assert "Crash: Disarming" in pilot.texts
    assert flight.landed
    assert not flight.armed
    (record,) = tmp_path.glob("*.csv")
    with record.open(newline="") as file:
        last = list(csv.DictReader(file))[-1]
    # Where the hill is as high as it flew, by the hill's own formula.
    north = (float(last["lat_deg"]) - LAT) / METRE_N
    rise = hill()(0.0, north) - hill()(0.0, 0.0)
    assert float(last["amsl_m"]) - HOME_M == pytest.approx(rise, abs=6.0)
    assert pilot.command(400, 1) != ACCEPTED


@pytest.mark.parametrize("kind", [0.0, 1.0], ids=["above home", "above terrain"])
def test_a_return_above_terrain_passes_the_hill_that_one_above_home_hits(mountain, kind):
    pilot = Pilot(lockstep(terrain=mountain, terrain_on_card=True, params={"RTL_ALT_TYPE": kind, "RTL_ALT": 5000.0}))
    flight = pilot.fleet.vehicles[0].flight
    assert pilot.upload([home_item(), takeoff(60.0), waypoint(0, 3000, 60.0, ABOVE_TERRAIN), item(RTL)]) == ACCEPTED
    pilot.arm_and_start()
    pilot.until(lambda: flight.body.n > 2990.0, 900.0)
    clear = []
    while flight.armed:
        pilot.advance(1.0)
        if flight.body.n > 20.0 and not flight.landed:
            clear.append(flight.body.u - flight.ground.at(flight.body.e, flight.body.n))
    assert flight.wrecked == (kind == 0.0)
    if kind:
        assert hypot(flight.body.e, flight.body.n) < 3.0
        assert min(clear) > 45.0


def test_where_the_data_end_is_told(slope):
    pilot = Pilot(lockstep(home=(31.999, -110.94, 1200.0), terrain=slope, terrain_on_card=True))
    far = item(16, frame=ABOVE_HOME, lat=32.002, lon=-110.94, z=60.0)
    assert pilot.upload([home_item(), takeoff(60.0), far, item(RTL)]) == ACCEPTED
    pilot.arm_and_start()
    pilot.until(lambda: "Simulated terrain ends here" in pilot.texts, 300.0)
    pilot.until(lambda: not pilot.fleet.vehicles[0].flight.armed, 600.0)
    assert pilot.texts.count("Simulated terrain ends here") == 1


def test_one_that_falls_meets_the_hill_not_the_plain(mountain):
    fleet = lockstep(terrain=mountain, terrain_on_card=True)
    pilot = Pilot(fleet)
    flight = fleet.vehicles[0].flight
    assert pilot.upload([home_item(), takeoff(400.0), waypoint(0, 1500, 400.0, hold_s=60.0), item(RTL)]) == ACCEPTED
    pilot.arm_and_start()
    pilot.until(lambda: flight.body.n > 1490.0, 600.0)
    assert pilot.command(185, 1) == ACCEPTED
    pilot.until(lambda: flight.landed, 60.0)
    assert flight.body.u == pytest.approx(300.0, abs=4.0)
    assert flight.wrecked


# --- the terrain protocol ------------------------------------------------------------------------------------------

A_1E7_M = 0.011131884502145034


class Answerer(Pilot):
    """A ground station that has terrain and answers for it, by the layout of the message definitions."""

    def __init__(self, fleet, terrain, **how):
        super().__init__(fleet, **how)
        self.terrain = terrain
        self.asked = 0

    def serve(self, rounds=400, budget=BLOCKS):
        self.stream(133, interval_s=0.2)
        for _ in range(rounds):
            self.advance(0.5)
            requests = self.said("TERRAIN_REQUEST")
            for request in requests[self.asked :]:
                bits = [bit for bit in range(64) if request.mask >> bit & 1]
                for bit in bits[:budget]:
                    self.send(self.data(request, bit))
            done = self.asked == len(requests)
            self.asked = len(requests)
            if done and self.fleet.vehicles[0].flight.terrain.counts[0] == 0:
                return

    def data(self, request, bit):
        scale = cos(radians(np.floor(request.lat / 1e7 + 1e-9)))
        heights = []
        for number in range(16):
            row, column = bit // 8 * 4 + number // 4, bit % 8 * 4 + number % 4
            lat = request.lat + row * request.grid_spacing / A_1E7_M
            lon = request.lon + column * request.grid_spacing / A_1E7_M / scale
            heights.append(round(float(self.terrain.elevation_m(lat / 1e7, lon / 1e7))))
        return mav.MAVLink_terrain_data_message(request.lat, request.lon, request.grid_spacing, bit, heights)

    def check(self, lat, lon):
        self.send(mav.MAVLink_terrain_check_message(round(lat * 1e7), round(lon * 1e7)))
        return self.last("TERRAIN_REPORT")


MISSION = [home_item(), takeoff(60.0), waypoint(0, 2500, 60.0, ABOVE_TERRAIN), item(RTL)]


def test_a_mission_above_terrain_waits_for_a_ground_station_that_answers(mountain):
    fleet = lockstep(terrain=mountain)
    pilot = Answerer(fleet, TileTerrain(mountain))
    assert pilot.upload(MISSION) == ACCEPTED
    assert pilot.command(176, 1, 4) == ACCEPTED
    assert pilot.command(400, 1) != ACCEPTED
    assert "Arm: waiting for terrain data" in pilot.texts
    assert not pilot.request(1).onboard_control_sensors_health & mav.MAV_SYS_STATUS_PREARM_CHECK
    pilot.serve()
    assert pilot.command(400, 1) == ACCEPTED
    assert pilot.request(1).onboard_control_sensors_health & mav.MAV_SYS_STATUS_PREARM_CHECK


def test_without_terrain_frames_nothing_is_waited_for(mountain):
    pilot = Pilot(lockstep(terrain=mountain))
    assert pilot.upload([home_item(), takeoff(60.0), waypoint(0, 250, 60.0), item(RTL)]) == ACCEPTED
    pilot.arm_and_start()


def test_disabled_terrain_refuses_what_needs_it(mountain):
    pilot = Pilot(lockstep(terrain=mountain, terrain_on_card=True))
    assert pilot.upload(MISSION) == ACCEPTED
    assert pilot.set_param("TERRAIN_ENABLE", 0.0) == 0.0
    assert pilot.command(176, 1, 4) == ACCEPTED
    assert pilot.command(400, 1) != ACCEPTED
    assert "Arm: terrain disabled" in pilot.texts


def test_px4_refuses_heights_above_terrain():
    pilot = Pilot(lockstep(autopilot="px4", frame="copter"))
    assert pilot.upload([waypoint(0, 100, 50.0, ABOVE_TERRAIN)]) == mav.MAV_MISSION_UNSUPPORTED_FRAME


def test_px4_tells_altitude_and_of_no_ground_below(mountain):
    pilot = Pilot(lockstep(autopilot="px4", frame="copter", terrain=mountain))
    assert [pilot.command(22, 0, 0, 0, float("nan"), 0, 0, HOME_M + 40.0), pilot.command(400, 1)] == [ACCEPTED] * 2
    pilot.advance(15.0)
    position, told = pilot.request(33), pilot.request(141)
    assert position.relative_alt > 10_000
    assert told.altitude_relative == pytest.approx(position.relative_alt / 1000.0, abs=0.01)
    assert told.altitude_amsl == pytest.approx(position.alt / 1000.0, abs=0.01)
    assert np.isnan([told.altitude_terrain, told.bottom_clearance]).all()
    assert Pilot(lockstep()).command(512, 141) != ACCEPTED  # ArduPilot has none


@pytest.fixture(scope="module")
def served(rough):
    pilot = Answerer(lockstep(terrain=rough), TileTerrain(rough))
    pilot.serve()
    return pilot


@given(st.floats(-2500, 2500), st.floats(-2500, 2500))
@settings(max_examples=few(80), deadline=None)
def test_reported_heights_are_bilinear_on_a_grid_of_the_spacing(served, east, north):
    """By geo's own bilinear grid, of the posts that were sent."""
    lat, lon = place(east, north)
    report = served.check(lat, lon)
    assert (report.lat, report.lon, report.spacing) == (round(lat * 1e7), round(lon * 1e7), 100)
    step_n = 100.0 / A_1E7_M / 1e7
    step_e = step_n / cos(radians(31.0))
    row, column = np.floor((lat - 31.0) / step_n), np.floor((lon + 111.0) / step_e)
    south, west = 31.0 + row * step_n, -111.0 + column * step_e
    posts = served.terrain.elevation_m(np.array([[south + step_n], [south]]), np.array([[west, west + step_e]]))
    expected = GridTerrain(np.round(posts), south + step_n, west, step_n, step_e).elevation_m(lat, lon)
    assert report.terrain_height == pytest.approx(
        float(expected), abs=1.5
    )  # posts are whole metres, cut at 1e-7 degrees
    home = served.check(LAT, LON).terrain_height
    assert report.current_height == pytest.approx(home - report.terrain_height, abs=0.01)


def test_blocks_come_one_by_one_and_are_asked_for_again(mountain):
    pilot = Answerer(lockstep(terrain=mountain), TileTerrain(mountain))
    pilot.serve(rounds=20, budget=5)
    flight = pilot.fleet.vehicles[0].flight
    assert flight.terrain.counts[0] > 0
    first = next(m for m in pilot.said("TERRAIN_REQUEST"))
    same = [m.mask for m in pilot.said("TERRAIN_REQUEST") if (m.lat, m.lon) == (first.lat, first.lon)]
    assert same[0] == (1 << BLOCKS) - 1
    assert [mask.bit_count() for mask in same] == sorted((mask.bit_count() for mask in same), reverse=True)
    report = pilot.check(LAT, LON)
    assert (report.pending, report.loaded) == (flight.terrain.counts)
    pilot.serve()
    assert flight.terrain.counts[0] == 0


def test_what_was_not_asked_for_is_passed_over(mountain):
    pilot = Answerer(lockstep(terrain=mountain), TileTerrain(mountain))
    flight = pilot.fleet.vehicles[0].flight
    pilot.send(mav.MAVLink_terrain_data_message(1, 2, 100, 0, [5] * 16))
    assert flight.terrain.counts == (0, 0)
    pilot.stream(133)
    pilot.advance(1.0)
    asked = pilot.said("TERRAIN_REQUEST")[0]
    pilot.send(mav.MAVLink_terrain_data_message(asked.lat, asked.lon, 30, 0, [5] * 16))
    pilot.send(mav.MAVLink_terrain_data_message(asked.lat, asked.lon, 100, 56, [5] * 16))
    assert flight.terrain.counts[1] == 0
    pilot.send(pilot.data(asked, 0))
    assert flight.terrain.counts[1] == 1


def test_data_that_run_out_in_flight_bring_it_home(mountain):
    """It knows the ground at home and at its goal, but not of all that lies between."""
    pilot = Answerer(lockstep(terrain=mountain), TileTerrain(mountain))
    flight = pilot.fleet.vehicles[0].flight
    far = [home_item(), takeoff(60.0), waypoint(12_000, 0, 60.0, ABOVE_TERRAIN), item(RTL)]
    assert pilot.upload(far) == ACCEPTED
    pilot.serve()
    pilot.order(511, 133, -1)  # the radio is too weak for more
    pilot.arm_and_start()
    at = pilot.until(lambda: "Failsafe: Terrain data missing" in pilot.texts, 900.0)
    assert flight.mode.name == "RTL"
    assert 1000.0 < flight.body.e < 9000.0
    assert at > 60.0
    pilot.until(lambda: not flight.armed, 1800.0)
    assert not flight.wrecked


@pytest.mark.parametrize(("lat", "lon"), [(31.0, -111.0), (-31.5, 20.2), (0.0, 0.0), (-0.3, -0.7), (69.9, 179.9)])
def test_a_grid_holds_its_place_and_begins_where_the_layout_says(lat, lon):
    known = TerrainMap((lat, lon), {"TERRAIN_ENABLE": 1.0, "TERRAIN_SPACING": 100.0}, None)
    known.look_for([(lat, lon)])
    (south, west), mask = known.wanted(0.0)
    assert mask == (1 << 56) - 1
    frame = LocalFrame(south / 1e7, west / 1e7, 0.0)
    east, north, _ = frame.to_enu(lat, lon, 0.0)
    assert -1.0 <= north <= 2400.0 * 1.01
    assert -1.0 <= east <= 2800.0 * 1.02


@pytest.mark.parametrize("frame", ["plane", "vtol"])
def test_wings_follow_a_hill_that_they_can_climb(tmp_path, frame):
    path = tile(tmp_path, hill(120.0, width_m=500.0))
    pilot = Pilot(lockstep(terrain=path, frame=frame, terrain_on_card=True))
    flight = pilot.fleet.vehicles[0].flight
    off = takeoff(80.0) if frame == "plane" else item(84, frame=6, z=80.0)
    assert pilot.upload([home_item(), off, waypoint(0, 4000, 80.0, ABOVE_TERRAIN), item(RTL)]) == ACCEPTED
    assert [pilot.command(176, 1, 5), pilot.command(400, 1), pilot.command(176, 1, 10)] == [ACCEPTED] * 3
    pilot.until(lambda: flight.run.index == 2 and flight.body.n > 600.0, 300.0)
    clear, ups = [], []
    while flight.body.n < 3000.0:
        pilot.advance(1.0)
        clear.append(flight.body.u - flight.ground.at(flight.body.e, flight.body.n))
        ups.append(flight.body.u)
    assert max(ups) > 180.0
    assert (min(clear), max(clear)) == (pytest.approx(80.0, abs=12.0), pytest.approx(80.0, abs=12.0))


def test_a_fleet_in_a_process_of_its_own_has_its_terrain(slope):
    config = sim.FleetConfig(home=HOME, boot=BOOT, clock="lockstep", terrain=slope, terrain_on_card=True, vehicles=2)
    with sim.start_fleet(config) as running, Client(running.endpoints[1]) as client:
        client.send(mav.MAVLink_terrain_check_message(*(round(value * 1e7) for value in place(300.0, 400.0))))
        report = client.wait("TERRAIN_REPORT")
    assert report.terrain_height == pytest.approx(float(TileTerrain(slope).elevation_m(*place(300.0, 400.0))), abs=0.1)


def test_a_path_in_a_marker_is_from_the_folder_of_its_test(tmp_path):
    assert sitl_config({"terrain": "land"}, tmp_path).terrain == tmp_path / "land"
