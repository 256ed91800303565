"""What a flight report says, held against its ``.tlog``: read with pymavlink alone, reckoned by arithmetic of its own.

Nothing of `autopilot` or `missions` is asked: the mission is what went over the link, or the text file of it, places
are on a sphere that is flattened about the middle of the flight, and the border runs straight in degrees.
"""

import json
import os
from dataclasses import dataclass, field, replace
from itertools import pairwise
from math import cos, hypot, radians

import pytest

import missions
import sim
from cli.simulated import simulated_fleet
from geo import FlatTerrain
from tests.system.test_patrol import winged

os.environ.setdefault("MAVLINK20", "1")
from pymavlink import mavutil

SPEEDUP = 40.0
METRE_E7 = 6_371_008.8 * radians(1e-7)
# Waypoints, loiters, take-offs and landings: a vehicle that stands beside the place of its take-off is off the line.
FLOWN_TO = {16, 17, 18, 19, 31, 22, 84, 21, 85}
AIRBORNE_M = 2.0
MISSION_MODES = {"ardupilot copter": 3, "ardupilot plane": 10, "px4 copter": 4 << 16 | 4 << 24}
A_METRE, A_SECOND = 1.0, 1.0


@dataclass
class Logged:
    """What a log of one vehicle holds."""

    items: dict = field(default_factory=dict)
    reached: list = field(default_factory=list)
    samples: list = field(default_factory=list)
    """Time of the log, time of the vehicle, place (1e-7 degrees), metres up, mode, current item; armed alone."""
    last: tuple | None = None
    battery: int | None = None
    armed_s: float | None = None
    disarmed_s: float | None = None
    mode: int | None = None
    current: int | None = None

    @property
    def armed(self):
        return self.armed_s is not None and self.disarmed_s is None

    def heartbeat(self, m, stamp):
        armed, self.mode = bool(m.base_mode & 128), m.custom_mode
        if armed and not self.armed:
            self.armed_s = stamp
        elif self.armed and not armed:
            self.disarmed_s = stamp

    def mission_current(self, m, _):
        self.current = m.seq

    def mission_item_reached(self, m, stamp):
        if self.armed and m.seq not in dict(self.reached):
            self.reached.append((m.seq, stamp))

    def sys_status(self, m, _):
        if m.battery_remaining >= 0 and self.disarmed_s is None:
            self.battery = m.battery_remaining

    def global_position_int(self, m, stamp):
        sample = stamp, m.time_boot_ms / 1000.0, (m.lon, m.lat), m.relative_alt / 1000.0, self.mode, self.current
        if self.armed:
            self.samples.append(sample)
        if self.disarmed_s is None:
            self.last = sample


def read(path, sysid):
    log, logged = mavutil.mavlogfile(str(path), robust_parsing=True), Logged()
    while (m := log.recv_msg()) is not None:
        kind = m.get_type().lower()
        if m.get_srcSystem() == sysid:
            getattr(logged, kind, lambda *_: None)(m, log.timestamp)
        elif kind == "mission_item_int" and m.mission_type == 0:
            logged.items[m.seq] = m
    log.close()
    return logged


class Flat:
    """Metres east and north about a place."""

    def __init__(self, middle):
        self._lon, self._lat = middle
        self._east = METRE_E7 * cos(radians(middle[1] * 1e-7))

    def __call__(self, place):
        return (place[0] - self._lon) * self._east, (place[1] - self._lat) * METRE_E7


def from_line(point, line):
    """Distance of a point from a broken line, metres."""

    def from_part(a, b):
        de, dn = b[0] - a[0], b[1] - a[1]
        square = de * de + dn * dn
        share = 0.0 if square == 0.0 else ((point[0] - a[0]) * de + (point[1] - a[1]) * dn) / square
        share = min(1.0, max(0.0, share))
        return hypot(point[0] - a[0] - share * de, point[1] - a[1] - share * dn)

    return min(from_part(a, b) for a, b in pairwise(line))


def agrees(flown, logged, border, mode):
    """A sortie of a report with its log."""
    flat = Flat(logged.samples[len(logged.samples) // 2][2])
    # Items: what the vehicle said that it had reached, once each, when it said so.
    told = [(item["seq"], item["time_us"] / 1e6) for item in flown["reached"] if item["reported"]]
    assert [seq for seq, _ in told] == [seq for seq, _ in logged.reached]
    assert [at for _, at in told] == pytest.approx([at for _, at in logged.reached], abs=A_SECOND)
    assert all(item["command"] == logged.items[item["seq"]].command for item in flown["reached"])
    # Off the planned line: of the legs to the item that is flown to, and of those beside it.
    places = [seq for seq, item in sorted(logged.items.items()) if item.command in FLOWN_TO and seq > 0]
    line = [flat(logged.samples[0][2]), *(flat((logged.items[seq].y, logged.items[seq].x)) for seq in places)]
    off = []
    for _, _, place, up, flown_in, current in logged.samples:
        if flown_in == mode and current in places and up > AIRBORNE_M:
            leg = places.index(current)
            off.append(from_line(flat(place), line[max(0, leg - 1) : leg + 3]))
    assert flown["max_deviation_m"] == pytest.approx(max(off), abs=A_METRE)
    assert flown["mean_deviation_m"] == pytest.approx(sum(off) / len(off), abs=A_METRE)
    # The border.
    line = [flat((lon * 1e7, lat * 1e7)) for lon, lat in border]
    nearest = min(from_line(flat(place), line) for _, _, place, up, *_ in logged.samples if up > 1.0)
    assert flown["nearest_border_m"] == pytest.approx(nearest, abs=A_METRE)
    # Where it came down, when, and with what charge.
    (_, begin_s, begin, *_), (_, end_s, end, up, *_) = logged.samples[0], logged.last
    away = [a - b for a, b in zip(flat(end), flat(begin), strict=True)]
    landing = flown["landing"]
    assert abs(up) < A_METRE
    assert (
        hypot(
            *(a - b for a, b in zip(flat((landing["lon_deg"] * 1e7, landing["lat_deg"] * 1e7)), flat(end), strict=True))
        )
        < A_METRE
    )
    assert landing["from_home_m"] == pytest.approx(hypot(*away), abs=A_METRE)
    assert flown["battery_percent"] == pytest.approx(logged.battery, abs=1.0)
    assert flown["started_us"] / 1e6 == pytest.approx(logged.armed_s, abs=A_SECOND)
    assert flown["ended_us"] / 1e6 == pytest.approx(logged.disarmed_s, abs=A_SECOND)
    assert flown["flight_s"] == pytest.approx(end_s - begin_s, abs=3.0)


@dataclass
class Item:
    command: int
    x: int
    y: int


def written(made, folder):
    """The only mission of a plan as its text file has it: ArduPilot gets it as a file, not item by item."""
    missions.write_plan_folder(made, folder, "ardupilot")
    (file,) = {sortie.name for sortie in made.sorties}
    rows = [line.split("\t") for line in (folder / f"{file}.waypoints").read_text().splitlines()[1:]]
    return {int(r[0]): Item(int(r[3]), round(float(r[8]) * 1e7), round(float(r[9]) * 1e7)) for r in rows}


def rotors(aircraft):
    segment = missions.cut(missions.land_border("ITA", "CHE"), 2500)
    fleet = missions.default_fleet(missions.base_beside(segment), aircraft)
    return missions.plan(segment, fleet, FlatTerrain(900.0), missions.PlanOptions(shift_s=3600.0))


@pytest.mark.parametrize("kind", ["ardupilot copter", "px4 copter", "ardupilot plane"])
def test_a_flight_is_what_its_log_says(run, tmp_path, kind):
    autopilot, frame = kind.split()
    made = winged("fixed_wing") if frame == "plane" else rotors(1)
    missions.save_plan(made, tmp_path / "plan.json")
    config = replace(simulated_fleet(made, speedup=SPEEDUP, seed=1, autopilot=autopilot), boot=sim.Boot(0, 0, 0))
    report = tmp_path / "flight.json"
    with sim.start_fleet(config) as fleet:
        links = [part for end in fleet.endpoints for part in ("--link", end.url)]
        ran = run(
            "fly", tmp_path / "plan.json", *links, "--time-scale", SPEEDUP, "--dialect", autopilot, "--json", report,
            "--log", tmp_path,
        )  # fmt: skip
    assert ran.code == 0, ran.err
    vehicles = json.loads(report.read_text())["vehicles"]
    assert vehicles
    for vehicle in vehicles:
        for flown in vehicle["sorties"]:
            (log,) = tmp_path.glob(f"vehicle-{vehicle['sysid']}-sortie-{flown['number']}-*.tlog")
            logged = read(log, vehicle["sysid"])
            logged.items = logged.items or written(made, tmp_path / "plan")
            agrees(flown, logged, made.border.coordinates, MISSION_MODES[kind])


def test_flights_of_a_patrol_are_what_their_logs_say(run, tmp_path):
    made = rotors(2)
    missions.save_plan(made, tmp_path / "plan.json")
    config = replace(simulated_fleet(made, speedup=SPEEDUP, seed=1), boot=sim.Boot(0, 0, 0), turnaround_s=30.0)
    report = tmp_path / "patrol.json"
    with sim.start_fleet(config) as fleet:
        links = [part for end in fleet.endpoints for part in ("--link", end.url)]
        ran = run(
            "patrol", tmp_path / "plan.json", *links, "--speedup", SPEEDUP, "--hours", 0.2, "--json", report,
            "--log", tmp_path,
        )  # fmt: skip
    assert ran.code == 0, ran.err
    flights = [(v["sysid"], flight) for v in json.loads(report.read_text())["vehicles"] for flight in v["flights"]]
    assert flights
    for sysid, flight in flights:
        flown = flight["flown"]
        logs = [read(path, sysid) for path in sorted(tmp_path.glob(f"vehicle-{sysid}-sortie-*.tlog"))]
        (logged,) = [one for one in logs if one.armed_s and abs(one.armed_s - flown["started_us"] / 1e6) < 2.0]
        logged.items = written(made, tmp_path / "plan")
        agrees(flown, logged, made.border.coordinates, MISSION_MODES["ardupilot copter"])
