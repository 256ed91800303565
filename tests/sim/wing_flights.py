"""Flights of every dialect and form without sockets, for tests of the flight model."""

from math import radians

import numpy as np

from sim.dialects import dialect_for
from sim.fleet_config import Boot
from sim.flight import Flight
from sim.flight_frame import FlightFrame
from sim.flight_items import Item
from sim.flight_power import PowerModel
from sim.flight_state import Mode, Reached, Setup, Text
from sim.flight_wind import Wind
from sim.protocol_params import parameter_table

FRAME = FlightFrame(31.34, -110.94)
STEP_S = 0.05
HOME_AMSL_M = 1180.0
COLUMNS = ("t", "e", "n", "u", "ve", "vn", "vu", "used_j", "item", "bank", "airspeed", "load", "yaw")


def place(east_m, north_m, up_m, command=16, params=(0.0, 0.0, 0.0, 0.0)):
    """An item at a place of the local frame, above home."""
    lat, lon = FRAME.to_geodetic(east_m, north_m)
    p = (*params, 0.0, 0.0, 0.0, 0.0)[:4]
    return Item(command, 3, tuple(map(float, p)), round(lat * 1e7), round(lon * 1e7), float(up_m))


def action(command, *params):
    p = (*params, 0.0, 0.0, 0.0, 0.0)[:4]
    return Item(command, 2, tuple(map(float, p)), 0, 0, 0.0)


class Craft:
    """One vehicle that is stepped by hand, at `home`: a frame, and the elevation of its origin, metres."""

    def __init__(self, autopilot, frame, mission=(), *, params=None, wind=None, power=None, heading_deg=0.0,
                 home=(FRAME, HOME_AMSL_M)):  # fmt: skip
        self.dialect = dialect_for(autopilot, frame)
        self.power = power or PowerModel(capacity_wh=4000.0)
        setup = Setup(
            sysid=1, frame=home[0], home_amsl_m=home[1], heading_rad=radians(heading_deg), boot=Boot(0, 0, 0),
            power=self.power, wind=wind or Wind(), seed=1, step_s=STEP_S, turnaround_s=1e9, idle_floor_s=0.0,
            record_dir=None, dialect=self.dialect,
        )  # fmt: skip
        # With a landing sequence in its mission ArduPlane does not arm without.
        lands = {"RTL_AUTOLAND": 1.0} if "RTL_AUTOLAND" in self.dialect.params else {}
        self.params = parameter_table(1, self.power, lands | (params or {}), self.dialect)
        home = [action(16), *mission] if mission else []
        self.flight = Flight(setup, self.params, home)
        self.rows = []
        self.reached = []
        self.texts = []
        self.modes = []

    def start(self):
        """As the autopilot wants a mission started."""
        flight = self.flight
        if self.dialect.name == "px4":
            assert flight.set_mode(Mode.AUTO)
            assert flight.arm()
        elif self.dialect.form == "rotor":
            assert flight.set_mode(Mode.GUIDED)
            assert flight.arm()
            assert flight.start_mission()
        else:
            assert flight.set_mode(Mode.FBWA)
            assert flight.arm()
            assert flight.set_mode(Mode.AUTO)
        assert not flight.landed
        return self

    def step(self):
        flight = self.flight
        flight.step()
        b = flight.body
        self.rows.append(
            (flight.sortie_s, b.e, b.n, b.u, b.ve, b.vn, b.vu, flight.battery.used_j, flight.run.index,
             getattr(b, "bank", 0.0), getattr(b, "airspeed", 0.0), b.load, b.yaw)
        )  # fmt: skip
        self.reached += [(flight.sortie_s, e.seq) for e in flight.events if isinstance(e, Reached)]
        self.texts += [e.text for e in flight.events if isinstance(e, Text)]
        flight.events.clear()
        if not self.modes or self.modes[-1] != flight.mode:
            self.modes.append(flight.mode)

    def until(self, what, most_s=3000.0):
        """Fly until something holds; the time."""
        end = self.flight.sortie_s + most_s
        while not what(self.flight):
            assert self.flight.sortie_s < end, f"not within {most_s} s: {self.texts[-3:]}"
            self.step()
        return self.flight.sortie_s

    def down(self, most_s=3000.0):
        """Fly to disarming; the rows by name."""
        self.until(lambda flight: not flight.armed, most_s)
        return self.table()

    def table(self):
        rows = np.array(self.rows)
        return {name: rows[:, k] for k, name in enumerate(COLUMNS)}
