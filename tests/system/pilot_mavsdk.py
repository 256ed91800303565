"""MAVSDK as a pilot, with the peers: ``pilot_mavsdk.py PORT hand|steered|plan|mission [PLAN]``: prints what it saw."""

import json
import sys
import time

from mavsdk.logging import log_subscribe
from mavsdk.mavsdk import Configuration, Mavsdk
from mavsdk.plugins.action import Action, ActionError, OrbitYawBehavior
from mavsdk.plugins.ftp import Ftp
from mavsdk.plugins.geofence import Circle, FenceType, Geofence, GeofenceData, Point, Polygon
from mavsdk.plugins.log_files import LogFiles, LogFilesError
from mavsdk.plugins.mission import Mission, MissionItem, MissionPlan
from mavsdk.plugins.mission_raw import MissionRaw
from mavsdk.plugins.offboard import Offboard, VelocityNedYaw
from mavsdk.plugins.param import Param
from mavsdk.plugins.telemetry import Telemetry

FIELDS = ("seq", "frame", "command", "autocontinue", "param1", "param2", "param3", "param4", "x", "y", "z")
UP_M = 20.0
NORTH_DEG = 0.0005


def until(what, true, seconds=40.0):
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            raise TimeoutError(f"{what}: not in {seconds:g} s")
        time.sleep(0.02)


def rows(items):
    return [[getattr(item, name) for name in FIELDS] for item in items]


def connect(port):
    """Telemetry, orders, missions and parameters of a vehicle that is healthy."""
    sdk = Mavsdk(Configuration.create_manual(245, 190, always_send_heartbeats=True))
    sdk.add_any_connection(f"udpout://127.0.0.1:{port}")
    system = sdk.first_autopilot(10.0)
    told = Telemetry(system)
    told.subscribe_status_text(lambda text, _: sys.stderr.write(text.text + "\n"))
    # ArduPilot streams nothing unasked.
    for kind in ("health", "position", "landed_state", "battery"):
        getattr(told, f"set_rate_{kind}")(5.0)
    until("healthy", told.health_all_ok)
    return sdk, told, system, Action(system), MissionRaw(system), Param(system)


def by_hand(told, order):
    """Up, to a place, home."""
    order.set_takeoff_altitude(UP_M)
    order.arm()
    until("armed", told.armed)
    order.takeoff()
    until("up", lambda: told.position().relative_altitude_m > UP_M - 1)
    start = told.position()
    north = start.latitude_deg + NORTH_DEG
    order.goto_location(north, start.longitude_deg, start.absolute_altitude_m + 10, 0.0)
    until("there", lambda: abs(told.position().latitude_deg - north) < 2e-5)
    until("higher", lambda: abs(told.position().absolute_altitude_m - start.absolute_altitude_m - 10) < 1)
    order.return_to_launch()
    until("down", lambda: not told.armed(), 60.0)
    return {"from_start_deg": abs(told.position().latitude_deg - start.latitude_deg)}


def by_targets(told, order, system):
    """Up, north by a stream of velocities, round where it then is (PX4), home; files and logs are asked for too."""
    order.set_takeoff_altitude(UP_M)
    order.arm()
    order.takeoff()
    until("up", lambda: told.position().relative_altitude_m > UP_M - 1)
    start = told.position()
    stream = Offboard(system)
    stream.set_velocity_ned(VelocityNedYaw(3.0, 0.0, 0.0, 0.0))
    stream.start()
    until("north", lambda: told.position().latitude_deg > start.latitude_deg + NORTH_DEG)
    stream.stop()
    seen = {"files": len(Ftp(system).list_directory("/").entries), "logs": "some", "orbit": "went round"}
    try:
        LogFiles(system).get_entries()
    except LogFilesError as error:
        seen["logs"] = error.result.name
    centre = told.position()
    place = (centre.latitude_deg, centre.longitude_deg, centre.absolute_altitude_m)
    try:
        order.do_orbit(15.0, 4.0, OrbitYawBehavior.HOLD_FRONT_TO_CIRCLE_CENTER, *place)
        for side in (1.0, -1.0):
            until("round", lambda side=side: (told.position().latitude_deg - place[0]) * side > NORTH_DEG / 5)
    except ActionError as error:
        seen["orbit"] = error.result.name
    order.return_to_launch()
    until("down", lambda: not told.armed(), 60.0)
    return seen


def by_plan(told, order, mission, file):
    """A plan of ours, read by it as QGroundControl's: sent, read back, flown."""
    plan = mission.import_qgroundcontrol_mission(file)
    mission.upload_mission(plan.mission_items)
    mission.upload_geofence(plan.geofence_items)
    mission.upload_rally_points(plan.rally_items)
    seen = {
        "meant": rows(plan.mission_items),
        "read": rows(mission.download_mission()),
        "fence": [len(plan.geofence_items), len(mission.download_geofence())],
        "rally": [len(plan.rally_items), len(mission.download_rallypoints())],
    }
    order.arm()
    until("armed", told.armed)
    mission.start_mission()
    until("off the ground", lambda: told.position().relative_altitude_m > UP_M)
    until("flown", mission.is_mission_finished, 120.0)
    until("down", lambda: not told.armed(), 120.0)
    return seen


def armed(order):
    """Armed where the vehicle lets it: it may be healthy before it knows where it is."""
    try:
        order.arm()
    except ActionError:
        time.sleep(0.2)
    return False


def by_mission(told, order, system):
    """A mission and a fence in its own words: a gimbal that is turned, a film, a wait, and home; paused on its way."""
    until("placed", lambda: told.health().is_global_position_ok and told.position().latitude_deg > 1.0)
    mission, fence, here = Mission(system), Geofence(system), told.position()

    def item(north, east, up_m, **more):
        more = {"speed_m_s": 8.0, "is_fly_through": True} | more
        return MissionItem(here.latitude_deg + north, here.longitude_deg + east, up_m, **more)

    film, stop = MissionItem.CameraAction.START_VIDEO, MissionItem.CameraAction.STOP_VIDEO
    mission.set_return_to_launch_after_mission(True)
    sent = [
        item(0.0, 0.0, UP_M, vehicle_action=MissionItem.VehicleAction.TAKEOFF),
        item(NORTH_DEG, 0.0, UP_M, gimbal_pitch_deg=-45.0, gimbal_yaw_deg=0.0, camera_action=film),
        item(NORTH_DEG, NORTH_DEG, UP_M + 5, loiter_time_s=3.5, is_fly_through=False),
        item(0.0, NORTH_DEG, UP_M, camera_action=stop),
    ]
    mission.upload_mission(MissionPlan(sent))

    def ring(half, north, kind):
        corners = ((-half, -half), (-half, half), (half, half), (half, -half))
        points = [Point(here.latitude_deg + north + a, here.longitude_deg + b) for a, b in corners]
        return Polygon(points, kind)

    shapes = [ring(0.02, 0.0, FenceType.INCLUSION), ring(0.001, -0.01, FenceType.EXCLUSION)]
    circle = Circle(Point(here.latitude_deg, here.longitude_deg + 0.01), 50.0, FenceType.EXCLUSION)
    fence.upload_geofence(GeofenceData(shapes, [circle]))
    fenced = fence.download_geofence()
    until("armed", lambda: told.armed() or armed(order))
    mission.start_mission()
    until("on its way", lambda: told.position().latitude_deg > here.latitude_deg + NORTH_DEG / 4)
    mission.pause_mission()
    held = told.position().latitude_deg
    mission.start_mission()
    until("flown", mission.is_mission_finished, 120.0)
    until("down", lambda: not told.armed(), 120.0)
    back = mission.download_mission().mission_items
    return {
        "back": [[i.latitude_deg, i.longitude_deg, i.relative_altitude_m, int(i.camera_action)] for i in back],
        "meant": [[i.latitude_deg, i.longitude_deg, i.relative_altitude_m, int(i.camera_action)] for i in sent],
        "fence": [len(p.points) for p in fenced.polygons] + [c.radius for c in fenced.circles],
        "paused_north_deg": held - here.latitude_deg,
    }


def main():
    log_subscribe(lambda *_: True)
    port, way, *file = sys.argv[1:]
    sdk, told, system, order, mission, param = connect(port)
    every = param.get_all_params()
    ways = {
        "hand": lambda: by_hand(told, order),
        "steered": lambda: by_targets(told, order, system),
        "plan": lambda: by_plan(told, order, mission, *file),
        "mission": lambda: by_mission(told, order, system),
    }
    seen = ways[way]()
    sys.stdout.write(json.dumps({"params": len(every.int_params) + len(every.float_params), **seen}) + "\n")
    del sdk  # everything lives as long as it does


if __name__ == "__main__":
    main()
