"""Faults from a scenario file, YAML or JSON, and as plain values for another process.

::

    faults:
      - kind: packet_loss
        probability: 0.2
      - kind: link_cut
        vehicles: [2]
        event: item 3
        from_s: 5
        to_s: 35
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from math import inf, isfinite
from pathlib import Path
from typing import Any

from sim.errors import ConfigError
from sim.faults import (
    BatteryFailure,
    Delay,
    Duplication,
    Fault,
    Faults,
    GpsGlitch,
    GpsLoss,
    LinkCut,
    MissionRejected,
    MotorFailure,
    PacketLoss,
    Reboot,
    Reordering,
    SecondStation,
    WindGust,
)

__all__ = ["KINDS", "faults_from", "faults_values", "load_faults"]

KINDS: dict[str, type[Fault]] = {
    each.KIND: each
    for each in (
        PacketLoss,
        Delay,
        Duplication,
        Reordering,
        LinkCut,
        GpsLoss,
        GpsGlitch,
        WindGust,
        MotorFailure,
        BatteryFailure,
        MissionRejected,
        Reboot,
        SecondStation,
    )
}
_MOST_BYTES = 1_000_000


def load_faults(path: Path) -> Faults:
    """Read a scenario file.

    Parameters
    ----------
    path
        YAML; JSON is YAML too.

    Raises
    ------
    ConfigError
        When it cannot be read or says what cannot be simulated: names the file, the fault and the key.
    """
    import yaml  # noqa: PLC0415 - faults come to a fleet's own process without a file

    try:
        if path.stat().st_size > _MOST_BYTES:
            raise ConfigError(f"faults file {path} is over {_MOST_BYTES} bytes: it is no list of faults")
        read = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(
            f"faults file {path} cannot be read ({error.strerror}): give a file in YAML or JSON"
        ) from error
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        where = getattr(error, "problem_mark", None)
        line = "" if where is None else f", line {where.line + 1}"
        raise ConfigError(f"faults file {path}{line} is neither YAML nor JSON: mend or replace it") from error
    if not isinstance(read, dict) or set(read) != {"faults"} or not isinstance(read["faults"], list):
        raise ConfigError(f"faults file {path}: give one key, faults, with a list of faults")
    listed = []
    for number, values in enumerate(read["faults"], start=1):
        try:
            listed.append(_fault(values))
        except ConfigError as error:
            raise ConfigError(f"faults file {path}, fault {number}: {error}") from error
    return Faults(listed=tuple(listed))


def faults_values(faults: Faults) -> list[dict[str, Any]]:
    """Faults as plain values that JSON can carry; `faults_from` takes them back."""
    return [
        {"kind": fault.KIND} | {name: value for name, value in asdict(fault).items() if value not in (inf, ())}
        for fault in faults.all
    ]


def faults_from(values: list[dict[str, Any]]) -> Faults:
    """The faults of `faults_values`. Raises ConfigError where a value cannot be simulated."""
    return Faults(listed=tuple(_fault(each) for each in values))


def _fault(values: object) -> Fault:
    if not isinstance(values, Mapping):
        raise ConfigError(f"is {values!r}: give keys and values, kind first")
    kind = values.get("kind")
    made = KINDS.get(kind) if isinstance(kind, str) else None
    if made is None:
        raise ConfigError(f"kind is {kind!r}: give one of {', '.join(KINDS)}")
    known = {each.name: each.default for each in fields(made)}
    given = {}
    for key, value in values.items():
        if key == "kind":
            continue
        if key not in known:
            raise ConfigError(f"{kind} has no key {key!r}: it has {', '.join(known)}")
        given[key] = _value(str(kind), str(key), value, known[key])
    return made(**given)


def _value(kind: str, key: str, value: object, default: object) -> Any:
    """A value of the type of its default. A boolean is no number, a whole number may be written as a decimal."""
    if key == "vehicles":
        items = value if isinstance(value, list | tuple) else [value]
        if not items or any(type(each) is not int or not 1 <= each <= 255 for each in items):
            raise ConfigError(f"{kind}: vehicles is {value!r}: give system ids of 1 to 255")
        return tuple(items)
    if isinstance(default, str):
        if isinstance(value, str):
            return value
        raise ConfigError(f"{kind}: {key} is {value!r}: give a word")
    if type(value) not in (int, float) or not isfinite(value):  # type: ignore[arg-type]
        raise ConfigError(f"{kind}: {key} is {value!r}: give a finite number")
    if isinstance(default, int) and value != int(value):  # type: ignore[call-overload]
        raise ConfigError(f"{kind}: {key} is {value!r}: give a whole number")
    return type(default)(value)  # type: ignore[call-arg]
