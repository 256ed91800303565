"""A program as DroneKit's guide has them: connect, take off, go to, a mission, home. Told is what it saw, line by line.

Run as ``python pilot_dronekit.py CONNECTION``; nothing of this project is imported.
"""

import sys
import time

from dronekit import Command, LocationGlobalRelative, VehicleMode, connect
from pymavlink import mavutil

WITHIN_S = 60.0


def until(what):
    end = time.monotonic() + WITHIN_S
    while not what():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.02)


def tell(words):
    sys.stdout.write(words + "\n")


def item(command, lat, lon, up_m):
    frame = mavutil.mavlink.MAV_FRAME_GLOBAL_RELATIVE_ALT
    return Command(0, 0, 0, frame, command, 0, 0, 0, 0, 0, 0, lat, lon, up_m)


def main():
    vehicle = connect(sys.argv[1], wait_ready=True, heartbeat_timeout=30)
    here = vehicle.location
    until(lambda: vehicle.is_armable)
    vehicle.mode = VehicleMode("GUIDED")
    vehicle.armed = True
    until(lambda: vehicle.armed)
    vehicle.simple_takeoff(20)
    until(lambda: here.global_relative_frame.alt > 19)
    tell("up")
    lat, lon = here.global_frame.lat, here.global_frame.lon
    vehicle.simple_goto(LocationGlobalRelative(lat + 0.0005, lon, 30), groundspeed=8)
    until(lambda: abs(here.global_frame.lat - lat - 0.0005) < 1e-5 and here.global_relative_frame.alt > 29)
    tell("there")
    mission = vehicle.commands
    mission.clear()
    # The first is taken for home.
    for step in range(4):
        mission.add(item(mavutil.mavlink.MAV_CMD_NAV_WAYPOINT, lat + 0.0003 * step, lon + 0.0006, 25))
    mission.upload()
    mission.download()
    mission.wait_ready()
    tell(f"holds {[command.command for command in mission]}")
    vehicle.mode = VehicleMode("AUTO")
    until(lambda: mission.next == 3)
    until(lambda: abs(here.global_frame.lat - lat - 0.0009) < 1e-5)
    tell("flown")
    vehicle.mode = VehicleMode("RTL")
    until(lambda: not vehicle.armed)
    tell(f"down {round(here.global_relative_frame.alt)}")
    vehicle.close()


if __name__ == "__main__":
    main()
