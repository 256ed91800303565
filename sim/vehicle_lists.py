"""The three lists of a vehicle (mission, fence, rally), as its autopilot transfers them, and what its flight sees."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from pymavlink.dialects.v20 import ardupilotmega as mav

from sim.fleet_config import FleetConfig
from sim.flight import Flight
from sim.flight_items import Item
from sim.flight_mission import LANDINGS
from sim.flight_state import Severity
from sim.protocol_transfer import Transfer
from sim.protocol_transfer_px4 import Desk, Px4Transfer

__all__ = ["Lists", "Storage", "make_lists"]

Lists = dict[int, Transfer] | dict[int, Px4Transfer]
_LANDING_REQUIRED = 2.0  # of MIS_TKO_LAND_REQ; of the others none is simulated
_HOME = Item(mav.MAV_CMD_NAV_WAYPOINT, mav.MAV_FRAME_GLOBAL, (0.0, 0.0, 0.0, 0.0), 0, 0, 0.0)


class Storage:
    """What there is room for in a vehicle: it is looked up when the autopilot starts, as ArduPilot does."""

    def __init__(self, flight: Flight) -> None:
        self._flight = flight
        self.start_anew()

    def start_anew(self) -> None:
        """The autopilot starts."""
        self.room = self._flight.dialect.room(self._flight.params)

    def items(self, kind: int) -> int:
        """How many items of a list fit now: none before the storage is open."""
        room = self.room
        most = {
            mav.MAV_MISSION_TYPE_MISSION: room.mission,
            mav.MAV_MISSION_TYPE_FENCE: room.fence,
            mav.MAV_MISSION_TYPE_RALLY: room.rally,
        }
        return most[kind] if self._flight.storage_ready else 0


def make_lists(
    flight: Flight,
    config: FleetConfig,
    storage: Storage,
    refusal: Callable[[str], int | None],
    *,
    new_mission: Callable[[], None],
) -> Lists:
    """The stores of a vehicle by MAV_MISSION_TYPE; its flight takes over what changes.

    Parameters
    ----------
    flight
        The vehicle.
    config
        Speed of the simulation.
    storage
        What they have room for.
    refusal
        Returns the MAV_MISSION_RESULT with which uploads to "mission", "fence" or "rally" are refused now, or None.
    new_mission
        Called when a vehicle that takes lists whole has another mission (PX4).
    """
    dialect = flight.dialect
    mission, fence, rally = mav.MAV_MISSION_TYPE_MISSION, mav.MAV_MISSION_TYPE_FENCE, mav.MAV_MISSION_TYPE_RALLY
    names = {mission: "mission", fence: "fence", rally: "rally"}

    def capacity(kind: int) -> Callable[[], int]:
        return lambda: storage.items(kind)

    def say(text: str) -> None:
        flight.say(Severity.WARNING, text)

    def say_as_px4(text: str, severity: Severity = Severity.CRITICAL) -> None:
        flight.say(severity, f"{text}\t")  # told as an event, too

    def reject(kind: int) -> Callable[[], int | None]:
        return lambda: refusal(names[kind])

    def fence_changed(items: list[Item]) -> None:
        _take_fence(flight, items, say_as_px4)

    def rally_changed(items: list[Item]) -> None:
        flight.course.rally_items = list(items)

    def mission_changed(items: list[Item]) -> None:
        _fly_instead(flight, items)
        _judge(flight, items, say_as_px4)
        new_mission()

    if dialect.atomic:
        desk = Desk()
        changed = {mission: mission_changed, fence: fence_changed, rally: rally_changed}
        lists: dict[int, Px4Transfer] = {}
        for kind in names:
            lists[kind] = Px4Transfer(
                kind,
                desk,
                capacity=capacity(kind),
                rules=dialect.rules,
                changed=lambda kind=kind: changed[kind](lists[kind].items),  # type: ignore[misc]
                say=say_as_px4,
                speedup=config.timer_speedup,
                reject=reject(kind),
                current=lambda: max(0, flight.run.index - dialect.first),
            )
        return lists
    stores: dict[int, list[Item]] = {mission: flight.mission, fence: [], rally: []}
    told = {mission: lambda _: None, fence: fence_changed, rally: rally_changed}
    return {
        kind: Transfer(
            kind,
            stores[kind],
            capacity=capacity(kind),
            home=(lambda: _home_item(flight)) if kind == mission else None,
            changed=lambda kind=kind: told[kind](stores[kind]),  # type: ignore[misc]
            say=say,
            speedup=config.timer_speedup,
            reject=reject(kind),
            rules=dialect.rules,
            most_bytes=lambda: storage.room.fence_bytes,
        )
        for kind in names
    }


def _fly_instead(flight: Flight, items: list[Item]) -> None:
    """A new mission, which begins at its first item: to a flight item 0 is home, and jumps count with it."""
    flight.mission[:] = [_HOME, *(_shifted(item) for item in items)] if items else []
    flight.new_mission()


def _judge(flight: Flight, items: list[Item], say: Callable[[str], None]) -> None:
    """Whether PX4 would fly it (FeasibilityChecker.cpp); of its checks the one for a landing is simulated."""
    required = flight.dialect.atomic and flight.params["MIS_TKO_LAND_REQ"] == _LANDING_REQUIRED
    flight.run.rejected = bool(items) and required and not any(item.command in LANDINGS for item in items)
    if flight.run.rejected:
        say("Mission rejected: Landing waypoint/pattern required.")


def _shifted(item: Item) -> Item:
    if item.command != mav.MAV_CMD_DO_JUMP:
        return item
    p = item.params
    return replace(item, params=(p[0] + 1.0, p[1], p[2], p[3]))


def _home_item(flight: Flight) -> Item | None:
    if not flight.has_position:
        return None
    lat, lon, amsl_m = flight.course.home.place(flight.setup.frame, flight.setup.home_amsl_m)
    return replace(_HOME, x=round(lat * 1e7), y=round(lon * 1e7), z=amsl_m)


def _take_fence(flight: Flight, items: list[Item], say: Callable[[str], None]) -> None:
    """At once, or when the autopilot has come to it: until then the fence before is in force."""

    def load() -> None:
        for text in flight.guard.load(items, _must_hold(flight)):
            say(text)

    item_s = flight.dialect.failsafes.fence_item_s
    if item_s:
        flight.coming_fence = flight.time_s + item_s * (len(items) + 1), load
    else:
        load()


def _must_hold(flight: Flight) -> dict[str, tuple[float, float]]:
    """Where every shape of a fence has to be right; PX4 drops it else (geofence.cpp)."""
    if not flight.dialect.failsafes.drops_fence_off_home:
        return {}
    places = {}
    if flight.has_position:
        places["Geofence invalid, doesn't contain Home position"] = flight.course.home.at[:2]
    if not flight.landed and flight.params["FENCE_ENABLE"]:
        places["Geofence invalid, doesn't contain current vehicle position"] = (flight.body.e, flight.body.n)
    return places
