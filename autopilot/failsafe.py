"""What a vehicle does by itself when it hears nobody, or its battery is low: known before it takes off."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from autopilot.errors import AbsentError, NotReadyError, ParameterError
from autopilot.low_battery import GOES_ON
from autopilot.vehicle import Vehicle

__all__ = ["LINK_LOSS", "Lost", "LostLink", "check_link_loss", "check_low_battery", "found"]


@dataclass(frozen=True, slots=True)
class LostLink:
    """What the values of a parameter mean that says what is done when a link is lost.

    Parameters
    ----------
    acts
        What each value makes the vehicle do, in words; what is not here is done by `then`, where there is one.
    returns, deadly
        Values that bring it home whatever it flies, and those that end its flight where it is.
    then
        Parameter that says more, or empty.
    but, bit
        Parameter and bit that keep a mission from it; empty where there are none.
    """

    acts: Mapping[int, str]
    returns: frozenset[int] = frozenset()
    deadly: frozenset[int] = frozenset()
    then: str = ""
    but: str = ""
    bit: int = 0


_COPTER = {
    0: GOES_ON,
    1: "returns",
    2: "goes on with its mission, or returns",
    3: "returns the way it came, or straight",
    4: "returns the way it came, or lands",
    5: "lands where it is",
    6: "goes to the landing of its mission, or returns",
    7: "stops, or lands where it is",
}
_COPTER_RADIO = {
    **_COPTER,
    3: "lands where it is",
    4: "returns the way it came, or straight",
    5: "returns the way it came, or lands",
}
# PX4's commander_params.c; 4 was taken away.
_PX4 = {
    0: GOES_ON,
    1: "stays where it is",
    2: "returns",
    3: "lands where it is",
    5: "ends its flight",
    6: "stops its motors",
}
_PX4_DEADLY = frozenset({5, 6})
LINK_LOSS: Mapping[str, LostLink] = MappingProxyType(
    {
        # ArduCopter's Parameters.cpp and its events.cpp.
        "FS_GCS_ENABLE": LostLink(MappingProxyType(_COPTER), frozenset({1, 3, 6}), but="FS_OPTIONS", bit=1 << 1),
        "FS_THR_ENABLE": LostLink(MappingProxyType(_COPTER_RADIO), frozenset({1, 4, 6}), but="FS_OPTIONS", bit=1 << 0),
        # ArduPlane's Parameters.cpp: both only switch on what FS_LONG_ACTN says.
        "FS_GCS_ENABL": LostLink(MappingProxyType({0: GOES_ON}), then="FS_LONG_ACTN"),
        "THR_FAILSAFE": LostLink(MappingProxyType({0: GOES_ON, 2: GOES_ON}), then="FS_LONG_ACTN"),
        "FS_LONG_ACTN": LostLink(
            MappingProxyType(
                {
                    0: GOES_ON,
                    1: "returns",
                    2: "glides down where it is",
                    3: "opens its parachute",
                    4: GOES_ON,
                    5: "goes to its landing",
                }
            ),
            returns=frozenset({1, 5}),
            deadly=frozenset({2, 3}),
        ),
        "NAV_DLL_ACT": LostLink(MappingProxyType(_PX4), frozenset({2}), _PX4_DEADLY, but="COM_DLL_EXCEPT", bit=1 << 0),
        "NAV_RCL_ACT": LostLink(MappingProxyType(_PX4), frozenset({2}), _PX4_DEADLY, but="COM_RCL_EXCEPT", bit=1 << 0),
    }
)


@dataclass(frozen=True, slots=True)
class Lost:
    """What a vehicle does by itself when a link is lost, or its battery low: in words, and whether it comes home."""

    words: str
    returns: bool = False


async def check_link_loss(vehicle: Vehicle) -> tuple[Lost, Lost]:
    """What a vehicle does when it hears no ground station, and when it hears its radio control no more.

    Raises
    ------
    NotReadyError
        When it would end its flight where it is.
    """
    return await asyncio.gather(
        _when_lost(vehicle, vehicle.dialect.ground.action, "when it hears nobody"),
        _when_lost(vehicle, vehicle.dialect.radio, "without its radio control"),
    )


async def check_low_battery(vehicle: Vehicle) -> Lost:
    """What a vehicle does when its battery is low."""
    meaning, when = vehicle.dialect.battery, "when its battery is low"
    value = await _found(vehicle, meaning.parameter)
    if isinstance(value, str):
        return Lost(f"what it does {when} is not known: {value}")
    act, returns, said = meaning.acts.get(value), value in meaning.returns, f"{meaning.parameter} {value}"
    levels = [(name, await found(vehicle, name)) for name in meaning.levels]
    unknown = [
        name for name, level in levels if isinstance(level, ParameterError) and not isinstance(level, AbsentError)
    ]
    if act != GOES_ON and levels and not any(isinstance(level, float) and level > 0 for _, level in levels):
        if unknown:
            return Lost(f"what it does {when} is not known ({said}): it gives no value for {unknown[0]}")
        act, returns, said = GOES_ON, False, f"{said}, no level in {' or '.join(meaning.levels)}"
    return Lost(f"{when} it {act or 'does what this program does not know'} ({said})", returns)


async def _when_lost(vehicle: Vehicle, parameter: str, when: str) -> Lost:
    value = await _found(vehicle, parameter)
    if isinstance(value, str):
        return Lost(f"what it does {when} is not known: {value}")
    meaning, said = LINK_LOSS[parameter], f"{parameter} {value}"
    if value not in meaning.acts and meaning.then:
        then = await _found(vehicle, meaning.then)
        if isinstance(then, str):
            return Lost(f"what it does {when} is not known ({said}): {then}")
        value, meaning, said = then, LINK_LOSS[meaning.then], f"{said}, {meaning.then} {then}"
    act, returns = meaning.acts.get(value, "does what this program does not know"), value in meaning.returns
    # In any mode but that of its mission it would do it all the same.
    if value in meaning.deadly:
        raise NotReadyError(f"{vehicle}: {act} {when} ({said}): set it to return, or to go on")
    if act != GOES_ON and meaning.but:
        bits = await found(vehicle, meaning.but)
        if isinstance(bits, AbsentError):
            bits = 0.0
        if isinstance(bits, ParameterError):
            return Lost(f"what it does {when} is not known ({said}): it gives no value for {meaning.but}")
        if round(bits) & meaning.bit:
            act, returns, said = GOES_ON, False, f"{said}, {meaning.but} bit {meaning.bit.bit_length() - 1}"
    return Lost(f"{when} it {act} ({said})", returns)


async def _found(vehicle: Vehicle, parameter: str) -> int | str:
    """Its value, or why that is not known, in words."""
    value = await found(vehicle, parameter)
    if isinstance(value, AbsentError):
        return f"it has no {parameter}"
    return f"it gives no value for {parameter}" if isinstance(value, ParameterError) else round(value)


async def found(vehicle: Vehicle, parameter: str) -> float | ParameterError:
    """The value of a parameter, or why there is none."""
    try:
        return await vehicle.parameter(parameter)
    except ParameterError as error:
        return error
