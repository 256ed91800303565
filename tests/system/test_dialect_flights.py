"""Plans for every form of aircraft, compiled for every autopilot and flown by `autopilot` on vehicles of that kind."""

import asyncio
from dataclasses import replace

import numpy as np
import pytest
import shapely

import autopilot
import missions
import sim
from cli.simulated import simulated_fleet
from geo import LocalFrame, geodesic_destination

BORDER = missions.BorderSegment("line", "USA", "MEX", ((-110.97, 31.333), (-110.93, 31.333)), "left")
BASE = missions.Base("base", *geodesic_destination(31.333, -110.95, 0.0, 1500.0))
WING = missions.Aircraft("wing", 20, 28, 3, 3, 300, 300, 600, 500, form="fixed_wing", min_m_s=15, turn_radius_m=60)
VTOL = missions.Aircraft(
    "vtol", 20, 28, 3, 3, 900, 300, 1200, 700, form="vtol",
    min_m_s=14, turn_radius_m=60, takeoff_s=15, landing_s=20, transition_s=10,
)  # fmt: skip
SPEEDUP = 200.0
TAKEOFF, VTOL_TAKEOFF, LAND, LAND_START, WAYPOINT, RTL, VIDEO = 22, 84, 21, 189, 16, 20, 2500


def plan_for(aircraft):
    fleet = missions.default_fleet(BASE, 1)
    if aircraft is not None:
        fleet = missions.Fleet(fleet.camera, (replace(fleet.vehicles[0], aircraft=aircraft),))
    return missions.plan(BORDER, fleet, options=missions.PlanOptions(dwell_s=3.0))


@pytest.fixture(scope="module")
def plans():
    return {"copter": plan_for(None), "plane": plan_for(WING), "vtol": plan_for(VTOL)}


def without_landing(mission):
    """The mission with a return in place of its landing sequence."""
    items = tuple(item for item in mission.items if item.command not in {LAND, LAND_START})
    return replace(mission, items=(*items, missions.MissionItem(len(items), 2, RTL)))


def off_the_line_m(sortie, folder):
    """Distances of the flight, as the vehicle recorded it, from the legs, metres."""
    (record,) = folder.glob("*.csv")
    rows = np.genfromtxt(record, delimiter=",", names=True, usecols=("lat_deg", "lon_deg"))
    frame = LocalFrame(BASE.lat_deg, BASE.lon_deg)
    ends = [sortie.legs[0].start, *(leg.end for leg in sortie.legs)]
    line = np.stack(frame.to_enu([p.lat_deg for p in ends], [p.lon_deg for p in ends])[:2], axis=-1)
    flown = np.stack(frame.to_enu(rows["lat_deg"], rows["lon_deg"])[:2], axis=-1)
    return shapely.distance(shapely.LineString(line), shapely.points(flown))


def fly(plan, mission, folder, name, wind=None, **changes):
    config = replace(
        simulated_fleet(plan, speedup=SPEEDUP, seed=1, autopilot=name, record=folder, wind=wind), **changes
    )
    with sim.start_fleet(config) as fleet:
        tasks = [autopilot.FlightTask(1, fleet.endpoints[0].url, (mission,))]
        limits = autopilot.FlightLimits(ceiling_m=130.0, flight_s=3000.0)
        return asyncio.run(autopilot.fly(tasks, borders=plan.borders, time_scale=SPEEDUP, limits=limits))


@pytest.mark.parametrize("frame", ["copter", "plane", "vtol"])
@pytest.mark.parametrize("name", ["ardupilot", "px4"])
def test_a_plan_is_flown_by_every_kind(plans, frame, name, tmp_path):
    plan = plans[frame]
    mission = missions.compile_mission(plan, plan.sorties[0], name)
    report = fly(plan, mission, tmp_path, name)
    assert report.completed, report.vehicles[0].failure
    (sortie,) = report.vehicles[0].sorties
    assert {upload.kind.name: upload.items for upload in sortie.uploads}["MISSION"] == len(mission.items)
    assert {item.command for item in sortie.reached} >= {VTOL_TAKEOFF if frame == "vtol" else TAKEOFF, WAYPOINT}
    assert sortie.landing.from_home_m < (1.0 if frame != "plane" else 200.0)
    assert sortie.nearest_border_m > plan.border.stand_off_m
    # What is heard at this speed is coarse, and the more so on a busy machine: by its own record.
    off = off_the_line_m(plan.sorties[0], tmp_path)
    if frame == "copter":
        assert off.mean() < 0.5
    elif frame == "plane":
        assert off.max() < 0.6 * plan.fleet.vehicles[0].aircraft.turn_radius_m
    else:
        assert off.mean() < 10.0


def test_px4_vtol_flies_the_patrol_on_its_wings(plans, tmp_path):
    """A plain take-off would leave it on its rotors for the whole patrol, with their power and speed."""
    plan = plans["vtol"]
    winged = missions.compile_mission(plan, plan.sorties[0], "px4")
    assert winged.items[0].command == VTOL_TAKEOFF
    plain = replace(winged, items=(replace(winged.items[0], command=TAKEOFF), *winged.items[1:]))
    left = {}
    for key, mission in (("plain", plain), ("winged", winged)):
        report = fly(plan, mission, tmp_path / key, "px4")
        assert report.completed, report.vehicles[0].failure
        (sortie,) = report.vehicles[0].sorties
        left[key] = (sortie.battery_percent, sortie.flight_s)
    assert left["plain"][0] < left["winged"][0] - 5.0
    assert left["plain"][1] > left["winged"][1] * 1.3


def test_a_plane_that_would_circle_at_the_end_is_not_flown(plans, tmp_path):
    plan = plans["plane"]
    mission = without_landing(missions.compile_mission(plan, plan.sorties[0], "ardupilot"))
    report = fly(plan, mission, tmp_path, "ardupilot")
    assert "circles there until its battery is empty: put a landing sequence at its end" in report.vehicles[0].failure
    (sortie,) = report.vehicles[0].sorties
    assert sortie.started_us is None
    assert not sortie.uploads


@pytest.mark.parametrize(("name", "wind"), [("ardupilot", (6.0, 250.0)), ("px4", (7.0, 120.0))])
def test_planes_in_gusts_keep_within_their_fences(plans, name, wind, tmp_path):
    """Turns over the ground are as wide as the wind makes them: planned so, they are flown so."""
    given = plans["plane"]
    fleet = replace(given.fleet, camera=replace(given.fleet.camera, max_gsd_m=0.2))
    plan = missions.plan(BORDER, fleet, options=missions.PlanOptions(dwell_s=3.0, wind=missions.Wind(*wind)))
    mission = missions.compile_mission(plan, plan.sorties[0], name)
    report = fly(plan, mission, tmp_path, name, wind=sim.Wind(*wind, 1.5))
    assert report.completed, report.vehicles[0].failure
    (sortie,) = report.vehicles[0].sorties
    assert not any("breach" in event.text for event in sortie.events), sortie.events
    assert sortie.nearest_border_m > plan.border.stand_off_m
    craft = plan.fleet.vehicles[0].aircraft
    assert off_the_line_m(plan.sorties[0], tmp_path).max() < craft.stray_in(plan.options.wind) + plan.clearance.room_m


def test_a_px4_that_sets_its_home_where_it_has_landed_was_not_moved_by_anybody(plans, tmp_path):
    """It says so as it disarms, farther off than a home may be moved by in flight: it has come down by then."""
    plan = plans["plane"]
    mission = missions.compile_mission(plan, plan.sorties[0], "px4")
    north_e7 = 6300  # 70 m
    items = tuple(replace(item, x=item.x + north_e7) if item.command == LAND else item for item in mission.items)
    report = fly(plan, replace(mission, items=items), tmp_path, "px4", turnaround_s=300.0)
    assert report.completed, report.vehicles[0].failure
    assert report.vehicles[0].sorties[0].landing.from_home_m > 40.0


@pytest.mark.parametrize("autoland", [1.0, 2.0, None], ids=["by way of home", "straight", "px4"])
def test_a_plane_turned_back_by_its_fence_lands_and_is_not_called_complete(plans, autoland, tmp_path):
    """It lands by the sequence at the end of its mission, and what lies between was not flown."""
    plan, name = plans["plane"], "px4" if autoland is None else "ardupilot"
    mission = missions.compile_mission(plan, plan.sorties[0], name)
    # Just beyond the line of its runway, on the side to which it takes off: it lands from the other one.
    base, first = round(BASE.lon_deg * 1e7), next(item.y for item in mission.items if item.command == TAKEOFF)
    to_the_east = first > base
    wall = base + (120_000 if to_the_east else -120_000)
    short = min if to_the_east else max
    mission = replace(mission, fence=tuple(replace(item, y=short(item.y, wall)) for item in mission.fence))
    config = simulated_fleet(plan, speedup=SPEEDUP, seed=1, autopilot=name, record=tmp_path)
    # PX4 would circle where it met the fence.
    change = {"GF_ACTION": 3.0} if autoland is None else {"RTL_AUTOLAND": autoland}
    report = fly(plan, mission, tmp_path, name, params={**config.params, **change})
    assert not report.completed
    (sortie,) = report.vehicles[0].sorties
    assert any("fence breached" in event.text for event in sortie.events), sortie.events
    assert sortie.landing is not None
    assert sortie.landing.from_home_m < 200.0
    # The patrol lies beyond, and none of it is said to be flown.
    patrol = next(item.seq for item in mission.items if item.command == VIDEO)
    mark = next(item.seq for item in mission.items if item.command == LAND_START)
    assert not [item for item in sortie.reached if patrol < item.seq < mark - 3]
    assert "without" in report.vehicles[0].failure
    assert sum(event.text == "mode RTL" for event in sortie.events) <= 1


@pytest.mark.parametrize("name", ["ardupilot", "px4"])
def test_a_plane_that_is_stopped_on_its_patrol_lands_by_its_mission(plans, name, tmp_path):
    plan = plans["plane"]
    mission = missions.compile_mission(plan, plan.sorties[0], name)
    config = simulated_fleet(plan, speedup=SPEEDUP, seed=1, autopilot=name, record=tmp_path)

    async def stopped():
        stop = asyncio.Event()

        def look(progress):
            if progress.stage == "fly" and progress.done > 12:
                stop.set()

        tasks = [autopilot.FlightTask(1, fleet.endpoints[0].url, (mission,))]
        limits = autopilot.FlightLimits(ceiling_m=130.0, flight_s=3000.0)
        return await autopilot.fly(
            tasks, borders=plan.borders, time_scale=SPEEDUP, limits=limits, progress=look, stop=stop
        )

    with sim.start_fleet(config) as fleet:
        report = asyncio.run(stopped())
    (sortie,) = report.vehicles[0].sorties
    assert "the flight was stopped" in report.vehicles[0].failure
    assert "obeyed RTL and is down" in report.vehicles[0].failure.replace("RETURN", "RTL")
    assert sortie.landing.from_home_m < 200.0


@pytest.mark.parametrize("name", ["ardupilot", "px4"])
def test_an_order_home_in_the_air_is_obeyed_by_wings(plans, name, tmp_path):
    """A fence that ends half-way: the vehicle turns by itself and the report says so."""
    plan = plans["vtol"]
    mission = missions.compile_mission(plan, plan.sorties[0], name)
    fence = tuple(replace(item, y=min(item.y, round((BASE.lon_deg + 0.004) * 1e7))) for item in mission.fence)
    mission = replace(mission, fence=fence)
    report = fly(plan, mission, tmp_path, name)
    assert not report.completed
    (sortie,) = report.vehicles[0].sorties
    assert any("Polygon fence breached" in event.text for event in sortie.events), sortie.events
    (record,) = tmp_path.glob("*.csv")
    rows = np.genfromtxt(record, delimiter=",", names=True, usecols=("lat_deg", "lon_deg", "amsl_m"))
    assert rows["lon_deg"].max() < BASE.lon_deg + 0.004 + 0.003
    assert sortie.landing is not None


def test_sim_command_runs_every_kind(run):
    for name in ("ardupilot", "px4"):
        for frame in ("copter", "plane", "vtol"):
            ran = run(
                "sim", "--home", "31.345,-110.93,1180", "--autopilot", name, "--frame", frame, "--wind", "5,270,1",
                "--port", "0", "--seconds", "0.2", "--speedup", "20",
            )  # fmt: skip
            assert ran.code == 0, ran.err
            assert "vehicle 1 listens on udp:127.0.0.1:" in ran.out


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--autopilot", "pixhawk"), "autopilot 'pixhawk' is unknown: give one of ardupilot, px4"),
        (("--frame", "balloon"), "frame 'balloon' is unknown: give one of"),
        (("--wind", "5"), "--wind '5': give MEAN,FROM as numbers"),
        (("--wind", "99,0"), "wind speed_mps is 99"),
        (("--wind", "5,0,x"), "--wind '5,0,x': give MEAN,FROM,GUST as numbers"),
    ],
)
def test_what_cannot_be_simulated_is_said(run, options, said):
    ran = run("sim", "--home", "31.345,-110.93,1180", "--port", "0", "--seconds", "0.1", *options)
    assert ran.code == 1
    assert said in " ".join(ran.err.split())
