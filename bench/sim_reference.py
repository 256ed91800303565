"""How far simulated flights are from closed forms, as a ground station sees them.

The vehicles run in lock-step and are measured by their own telemetry, so a row is the same at every run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import atan, cos, hypot, radians, sqrt
from typing import Any

from pymavlink.dialects.v20 import ardupilotmega as mav

from bench.rows import BenchError, Row, wanted
from sim import Boot, FleetConfig, LockstepFleet, PowerModel, Wind

__all__ = ["rows"]

_GRAVITY_MPS2 = 9.80665
_CRUISE_MPS = 18.0
_RADIUS_M = 100.0
_CROSS_MPS = 8.0
_UP_M = 60.0
_CRUISE_W = 660.0
_SPEED_MPS = 10.0
_FAR_DEG = 1.0
_M_A_DEG = 111_132.95  # meridian at 45 degrees; it cancels where ratios of one flight are taken
_ARDUPLANE_FBWA, _AUTO_PLANE = 5.0, 10.0

Home = tuple[float, float, float]


def rows(home: Home, only: str | None) -> Iterator[Row]:
    """Yield deviations in percent, each with the tolerance that it is held to."""
    for name, (deviation, tolerance) in _DEVIATIONS.items():
        if wanted(f"deviation/{name}", only):
            value = 100.0 * abs(deviation(home))
            yield Row(f"deviation/{name}", value, "% off closed form", goal=f"<= {tolerance:g}", met=value <= tolerance)


class _Flight:
    """One vehicle in lock-step, on its mission, and what it tells."""

    def __init__(self, home: Home, frame: str, items: list[tuple[float, ...]], wind: Wind) -> None:
        power = PowerModel(capacity_wh=1e6, cruise_w=_CRUISE_W, cruise_mps=_CRUISE_MPS)
        boot = Boot(0.0, 0.0, 0.0)
        config = FleetConfig(home=home, frame=frame, clock="lockstep", boot=boot, power=power, wind=wind)
        self._fleet = LockstepFleet(config)
        self._link = self._fleet.connect(1)
        self._mav = mav.MAVLink(None, srcSystem=255, srcComponent=190)
        self._send(mav.MAVLink_mission_count_message(1, 1, len(items), 0))
        for seq, (command, item_frame, p1, p3, lat, lon, up_m) in enumerate(items):
            place = (round(lat * 1e7), round(lon * 1e7), up_m)
            head = (1, 1, seq, int(item_frame), int(command), 0, 1, p1, 0.0, p3, 0.0)
            self._send(mav.MAVLink_mission_item_int_message(*head, *place, 0))
        wing = frame == "plane"
        first, auto = (_ARDUPLANE_FBWA, _AUTO_PLANE) if wing else (4.0, 3.0)
        for order in ((176, 1.0, first), (400, 1.0, 0.0), (176, 1.0, auto), *([] if wing else [(300, 0.0, 0.0)])):
            self._order(*order)
        for message in (30, 33, 74, 147):
            self._order(511, float(message), 200_000.0)

    def told(self, seconds: float) -> dict[str, list[Any]]:
        """Messages of the next simulated seconds, by kind."""
        self._link.read()
        self._fleet.advance(seconds)
        found: dict[str, list[Any]] = {}
        for data in self._link.read():
            for message in self._mav.parse_buffer(data) or ():
                found.setdefault(message.get_type(), []).append(message)
        return found

    def _order(self, command: int, first: float, second: float) -> None:
        self._send(mav.MAVLink_command_long_message(1, 1, command, 0, first, second, 0, 0, 0, 0, 0))
        answers = [m for data in self._link.read() for m in self._mav.parse_buffer(data) or ()]
        results = [m.result for m in answers if m.get_type() == "COMMAND_ACK"]
        if results != [mav.MAV_RESULT_ACCEPTED]:
            raise BenchError(f"the simulated vehicle refused command {command}: run the tests of sim")

    def _send(self, message: Any) -> None:
        self._link.write(message.pack(self._mav))


def _thin(home: Home) -> float:
    """True by equivalent airspeed at the height of the flights: 1 / sqrt of the density ratio of ICAO Doc 7488."""
    return float((1.0 - 2.25577e-5 * (home[2] + _UP_M)) ** (-4.25588 / 2.0))


def _mission(home: Home, *items: tuple[float, ...]) -> list[tuple[float, ...]]:
    off = (22, 3, 0.0, 0.0, home[0], home[1], _UP_M)
    return [(16, 0, 0.0, 0.0, 0.0, 0.0, 0.0), off, *items]


def _circling(home: Home) -> dict[str, list[Any]]:
    """A fixed wing on its circle in still air: what it tells of ten minutes."""
    around = (17, 3, 0.0, _RADIUS_M, home[0] + 0.01, home[1], _UP_M)
    flight = _Flight(home, "plane", _mission(home, around), Wind())
    flight.told(240.0)
    return flight.told(600.0)


def _radius(home: Home) -> float:
    """Radius of the circle against what ArduPlane makes of the one asked for, the worst of it.

    In thin air that is wider by the square of true by equivalent airspeed; metres of a sphere at the place.
    """
    radius_m = _RADIUS_M * _thin(home) ** 2
    north = _north_m(home[0])
    east = 111_412.84 * cos(radians(home[0])) - 93.5 * cos(radians(3 * home[0]))
    places = _circling(home)["GLOBAL_POSITION_INT"]
    away = [hypot((m.lat / 1e7 - home[0] - 0.01) * north, (m.lon / 1e7 - home[1]) * east) for m in places]
    return float(max(abs(radius - radius_m) for radius in away)) / radius_m


def _bank(home: Home) -> float:
    """Mean bank on the circle against atan(v^2 / gR), which thin air leaves as it is: both grow by the same."""
    rolls = [m.roll for m in _circling(home)["ATTITUDE"]]
    wanted_rad = atan(_CRUISE_MPS**2 / (_GRAVITY_MPS2 * _RADIUS_M))
    return float(sum(rolls)) / len(rolls) / wanted_rad - 1.0


def _crossing(home: Home, wind: Wind) -> dict[str, list[Any]]:
    """A fixed wing on a long leg due north: what it tells of five minutes."""
    flight = _Flight(home, "plane", _mission(home, (16, 3, 0.0, 0.0, home[0] + _FAR_DEG, home[1], _UP_M)), wind)
    flight.told(240.0)
    return flight.told(300.0)


def _ground_speed(home: Home) -> float:
    """Way over ground across the wind against the wind triangle, sqrt(v^2 - w^2) of the true airspeed."""
    places = _crossing(home, Wind(_CROSS_MPS, 270.0))["GLOBAL_POSITION_INT"]
    return _northward_mps(places) / sqrt((_CRUISE_MPS * _thin(home)) ** 2 - _CROSS_MPS**2) - 1.0


def _power(home: Home) -> float:
    """Energy of level flight at cruise against the power that the model gives there: the same drag, flown faster."""
    told = _crossing(home, Wind())["BATTERY_STATUS"]
    used_j = float(told[-1].energy_consumed - told[0].energy_consumed) * 100.0
    lasted_s = (len(told) - 1) * 0.2  # five messages a second
    return used_j / lasted_s / (_CRUISE_W * _thin(home)) - 1.0


def _hover_leg(home: Home) -> float:
    """Ground speed of a multirotor on a long leg into the wind against what was asked for."""
    mission = _mission(home, (16, 3, 0.0, 0.0, home[0] + _FAR_DEG, home[1], _UP_M))
    flight = _Flight(home, "copter", mission, Wind(_CROSS_MPS, 0.0))
    flight.told(120.0)
    places = flight.told(300.0)["GLOBAL_POSITION_INT"]
    return _northward_mps(places) / _SPEED_MPS - 1.0


def _northward_mps(places: list[Any]) -> float:
    """Mean speed to the north between the first and the last of positions."""
    first, last = places[0], places[-1]
    way_m = float(last.lat - first.lat) / 1e7 * _north_m(0.5e-7 * (last.lat + first.lat))
    return way_m / (float(last.time_boot_ms - first.time_boot_ms) / 1000.0)


def _north_m(lat_deg: float) -> float:
    """Metres a degree of latitude (NIMA TR8350.2, the series of the meridian)."""
    return _M_A_DEG - 559.822 * cos(radians(2 * lat_deg)) + 1.175 * cos(radians(4 * lat_deg))


_DEVIATIONS: dict[str, tuple[Callable[[Home], float], float]] = {
    "loiter_radius": (_radius, 0.2),
    "loiter_bank": (_bank, 0.5),
    "ground_speed_across_wind": (_ground_speed, 0.1),
    "power_at_cruise": (_power, 0.1),
    "rotor_speed_into_wind": (_hover_leg, 0.1),
}
