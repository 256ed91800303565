"""What goes wrong on purpose: the faults of a scenario, as data.

A fault begins `from_s` simulated seconds after its event and, where it lasts, ends at `to_s`. The event is power-on of
the fleet, the first arming, the first take-off, or the first time that a mission item is reached.
What a fault does is written elsewhere: `sim.fault_link` for datagrams, `sim.fault_play` for vehicles.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, fields
from math import inf, isfinite
from typing import Any, ClassVar

from sim.errors import ConfigError

__all__ = [
    "BatteryFailure",
    "Delay",
    "Duplication",
    "Fault",
    "Faults",
    "GpsGlitch",
    "GpsLoss",
    "LastingFault",
    "LinkCut",
    "LinkFault",
    "MissionRejected",
    "MotorFailure",
    "PacketLoss",
    "Reboot",
    "Reordering",
    "SecondStation",
    "WindGust",
]

POWER_ON, ARMED, TAKE_OFF = "power-on", "arming", "take-off"
_ITEM = re.compile(r"item (0|[1-9]\d{0,4})")
_DIRECTIONS = ("both", "up", "down")
_LISTS = ("mission", "fence", "rally", "all")
_ACTS = ("clear", "mode", "upload", "stall", "return", "disarm")


def _number(default: float, low: float, high: float) -> Any:
    return field(default=default, metadata={"low": low, "high": high})


def _word(default: str, *words: str) -> Any:
    return field(default=default, metadata={"words": words})


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault, for all vehicles or for some.

    Parameters
    ----------
    vehicles
        System ids it happens to; none named means all.
    event
        What its times count from: "power-on", "arming", "take-off" or "item N": a navigation item of the mission by its
        number on the wire (ArduPilot's item 0 is home and never reached).
    from_s
        Simulated seconds after the event.

    Raises
    ------
    ConfigError
        When a figure or a word is not one that can be simulated.
    """

    KIND: ClassVar[str] = ""

    vehicles: tuple[int, ...] = ()
    event: str = POWER_ON
    from_s: float = _number(0.0, 0.0, 1e6)

    def __post_init__(self) -> None:
        for each in fields(self):
            value, about = getattr(self, each.name), each.metadata
            if "low" in about and not (isfinite(value) and about["low"] <= value <= about["high"]):
                low, high = about["low"], about["high"]
                raise ConfigError(f"{self.KIND}: {each.name} is {value}: give a figure between {low:g} and {high:g}")
            if "words" in about and value not in about["words"]:
                raise ConfigError(f"{self.KIND}: {each.name} is {value!r}: give one of {', '.join(about['words'])}")
        if self.event not in (POWER_ON, ARMED, TAKE_OFF) and not _ITEM.fullmatch(self.event):
            words = f"{POWER_ON}, {ARMED}, {TAKE_OFF} or item N"
            raise ConfigError(f"{self.KIND}: event is {self.event!r}: give {words}, with the item's number for N")

    @property
    def end_s(self) -> float:
        """Simulated seconds after the event at which it is over; what happens in an instant is never over."""
        return inf

    @property
    def item(self) -> int | None:
        """Mission item whose reaching is the event, or None."""
        found = _ITEM.fullmatch(self.event)
        return None if found is None else int(found[1])

    def happens_to(self, sysid: int) -> bool:
        """Whether it is a fault of this vehicle."""
        return not self.vehicles or sysid in self.vehicles


@dataclass(frozen=True, slots=True, kw_only=True)
class LastingFault(Fault):
    """A fault that begins and ends; `to_s` counts from the event as `from_s` does, infinity means to the end."""

    to_s: float = inf

    def __post_init__(self) -> None:
        super(LastingFault, self).__post_init__()
        if not self.to_s > self.from_s:
            raise ConfigError(f"{self.KIND}: to_s is {self.to_s}, from_s {self.from_s}: give an end after the begin")

    @property
    def end_s(self) -> float:
        """Simulated seconds after the event at which it is over."""
        return self.to_s


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkFault(LastingFault):
    """Something that happens to datagrams: `direction` is "up" (to the vehicle), "down" (from it) or "both"."""

    direction: str = _word("both", *_DIRECTIONS)

    def happens(self, *, up: bool) -> bool:
        """Whether it happens in a direction."""
        return self.direction in ("both", "up" if up else "down")


@dataclass(frozen=True, slots=True, kw_only=True)
class PacketLoss(LinkFault):
    """Datagrams are lost with a probability."""

    KIND: ClassVar[str] = "packet_loss"
    probability: float = _number(0.1, 0.0, 0.999)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delay(LinkFault):
    """Datagrams take `delay_s`, up to `jitter_s` more or less; with jitter they overtake each other."""

    KIND: ClassVar[str] = "delay"
    delay_s: float = _number(0.2, 0.0, 60.0)
    jitter_s: float = _number(0.0, 0.0, 60.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Duplication(LinkFault):
    """Datagrams come twice with a probability."""

    KIND: ClassVar[str] = "duplication"
    probability: float = _number(0.1, 0.0, 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reordering(LinkFault):
    """Datagrams are held back until `by` later ones have overtaken them, `hold_s` at the longest."""

    KIND: ClassVar[str] = "reordering"
    probability: float = _number(0.1, 0.0, 1.0)
    by: int = _number(1, 1, 100)
    hold_s: float = _number(0.5, 0.0, 60.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkCut(LinkFault):
    """Nothing passes."""

    KIND: ClassVar[str] = "link_cut"


@dataclass(frozen=True, slots=True, kw_only=True)
class GpsLoss(LastingFault):
    """The receiver has no fix."""

    KIND: ClassVar[str] = "gps_loss"


@dataclass(frozen=True, slots=True, kw_only=True)
class GpsGlitch(LastingFault):
    """The receiver reports a place beside the true one, metres of the grid, and believes in it."""

    KIND: ClassVar[str] = "gps_glitch"
    east_m: float = _number(0.0, -1e5, 1e5)
    north_m: float = _number(100.0, -1e5, 1e5)


@dataclass(frozen=True, slots=True, kw_only=True)
class WindGust(LastingFault):
    """A gust beside the wind of the site: `speed_mps` from `from_deg`, growing and dying over `rise_s`."""

    KIND: ClassVar[str] = "wind_gust"
    speed_mps: float = _number(10.0, 0.0, 40.0)
    from_deg: float = _number(0.0, -360.0, 360.0)
    rise_s: float = _number(2.0, 0.1, 60.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class MotorFailure(Fault):
    """One motor stops."""

    KIND: ClassVar[str] = "motor_failure"


@dataclass(frozen=True, slots=True, kw_only=True)
class BatteryFailure(Fault):
    """The battery suddenly holds no more than `left_pct` of a full one, and `cells_lost` of its `cells` are dead."""

    KIND: ClassVar[str] = "battery_failure"
    left_pct: float = _number(100.0, 0.0, 100.0)
    cells_lost: int = _number(0, 0, 20)
    cells: int = _number(12, 1, 21)

    def __post_init__(self) -> None:
        super(BatteryFailure, self).__post_init__()
        if self.cells_lost >= self.cells:
            raise ConfigError(f"{self.KIND}: {self.cells_lost} of {self.cells} cells lost: leave at least one")
        if self.left_pct == 100.0 and self.cells_lost == 0:
            raise ConfigError(f"{self.KIND}: nothing fails: give left_pct below 100 or cells_lost")


@dataclass(frozen=True, slots=True, kw_only=True)
class MissionRejected(LastingFault):
    """Uploads to a list are refused with a MAV_MISSION_RESULT."""

    KIND: ClassVar[str] = "mission_rejected"
    result: int = _number(1, 1, 15)
    what: str = _word("mission", *_LISTS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reboot(Fault):
    """The autopilot starts anew and is silent for `silent_s`; in the air its motors stop."""

    KIND: ClassVar[str] = "reboot"
    silent_s: float = _number(2.0, 0.0, 600.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondStation(LastingFault):
    """A second ground station that interferes.

    Parameters
    ----------
    does
        "clear" the list `what`, "mode": change to the number `mode` (custom_mode), "upload" a mission of its own,
        "stall": begin an upload to `what` and fall silent, "return" or "disarm" (by force).
    every_s
        Simulated seconds until it does so again; 0 means once.
    sysid
        Its system id; the vehicle takes 255 for its own ground station unless told otherwise.
    """

    KIND: ClassVar[str] = "second_station"
    does: str = _word("mode", *_ACTS)
    what: str = _word("mission", *_LISTS)
    mode: int = _number(5, 0, 2**32 - 1)
    every_s: float = _number(0.0, 0.0, 1e6)
    sysid: int = _number(254, 1, 255)


@dataclass(frozen=True, slots=True)
class Faults:
    """What goes wrong on purpose in a fleet.

    Parameters
    ----------
    loss
        Shorthand for `PacketLoss` all the time in both directions.
    reject_mission
        Shorthand for `MissionRejected` all the time: a MAV_MISSION_RESULT, or None.
    listed
        The faults of a scenario.
    """

    loss: float = 0.0
    reject_mission: int | None = None
    listed: tuple[Fault, ...] = ()

    def __post_init__(self) -> None:
        _ = self.all  # a shorthand is checked as what it stands for

    @property
    def all(self) -> tuple[Fault, ...]:
        """Every fault; its place here is its number, which random draws depend on."""
        short: list[Fault] = []
        if self.loss != 0.0:
            short.append(PacketLoss(probability=self.loss))
        if self.reject_mission is not None:
            short.append(MissionRejected(result=self.reject_mission))
        return (*self.listed, *short)
