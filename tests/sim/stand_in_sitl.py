"""Stands in for the simulator of a real autopilot: takes its options, says its lines, and flies a vehicle of ours.

Its first argument says which one it is: ``ardupilot``, ``px4`` or ``docker``. What it was told is left in ``told.json``
of its folder. What STAND_IN says goes wrong, does.
"""

import argparse
import json
import os
import socket
import sys
import threading
import time
from pathlib import Path

import sim

TROUBLE = os.environ.get("STAND_IN", "")


def say(text):
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def fly(sysid, home, speedup, carry):
    """A vehicle of ours for ever; `carry` brings its datagrams to where the real one would have them."""
    config = sim.FleetConfig(home=home, start_sysid=sysid, speedup=speedup)
    sim.run_fleet(config, ready=lambda found: threading.Thread(target=carry, args=(found[0],), daemon=True).start())


def ardupilot(arguments):
    parser = argparse.ArgumentParser(allow_abbrev=False)
    for name in ("model", "speedup", "instance", "sysid", "home", "defaults"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--wipe", action="store_true")
    told = parser.parse_args(arguments)
    lat, lon, amsl, _ = map(float, told.home.split(","))
    port = 5760 + 10 * int(told.instance)
    server = socket.create_server(("127.0.0.1", port))
    Path("told.json").write_text(json.dumps(vars(told) | {"params": Path(told.defaults).read_text()}))
    say(f"Starting sketch 'ArduCopter'\nbind port {port} for SERIAL0\nSERIAL0 on TCP port {port}")

    def carry(endpoint):
        while True:
            client, _ = server.accept()
            with client, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
                udp.connect((endpoint.host, endpoint.port))

                def down(udp=udp, client=client):
                    try:
                        while data := udp.recv(2048):
                            client.sendall(data)
                    except OSError:
                        return

                threading.Thread(target=down, daemon=True).start()
                try:
                    while data := client.recv(2048):
                        udp.send(data)
                except OSError:
                    continue

    fly(int(told.sysid), (lat, lon, amsl), float(told.speedup), carry)


def px4(arguments):
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("-i", type=int, required=True)
    parser.add_argument("-d", action="store_true", required=True)
    parser.add_argument("scripts", nargs="?")
    told = parser.parse_args(arguments)
    variables = {k: v for k, v in os.environ.items() if k.startswith(("PX4_", "XDG_"))}
    Path("told.json").write_text(json.dumps(vars(told) | variables))
    here, there = 14580 + told.i, 14540 + told.i
    local = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    local.bind(("127.0.0.1", here))
    say(f"INFO  [mavlink] mode: Normal, data rate: 4000000 B/s on udp port {18570 + told.i} remote port 14550")
    say(f"INFO  [mavlink] mode: Onboard, data rate: 4000000 B/s on udp port {here} remote port {there}")
    home = tuple(float(variables[f"PX4_HOME_{part}"]) for part in ("LAT", "LON", "ALT"))

    def carry(endpoint):
        vehicle = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        vehicle.connect((endpoint.host, endpoint.port))
        vehicle.send(b"\0")  # it answers whoever talks to it

        def up():
            while True:
                vehicle.send(local.recvfrom(2048)[0])

        threading.Thread(target=up, daemon=True).start()
        while True:
            try:
                local.sendto(vehicle.recv(2048), ("127.0.0.1", there))
            except ConnectionRefusedError:
                continue

    fly(told.i + 1, home, float(variables["PX4_SIM_SPEED_FACTOR"]), carry)


def docker(arguments):
    with Path(os.environ["STAND_IN_DOCKER"]).open("a") as log:
        log.write(json.dumps(arguments) + "\n")
    if arguments[0] == "version":
        sys.exit(1 if TROUBLE == "no engine" else 0)
    if arguments[0] == "run":
        for at, value in enumerate(arguments):
            if value == "-e":
                os.environ.update([arguments[at + 1].split("=", 1)])
        px4(arguments[arguments.index("px4io/px4-sitl:latest") + 1 :])


if TROUBLE == "crash":
    sys.stderr.write("could not read its parameters\n")
    sys.exit(7)
if TROUBLE == "deaf":
    import signal

    signal.signal(signal.SIGTERM, signal.SIG_IGN)
if TROUBLE == "mute":
    time.sleep(600.0)
{"ardupilot": ardupilot, "px4": px4, "docker": docker}[Path(sys.argv[1]).stem](sys.argv[2:])
