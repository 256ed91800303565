"""The plan file: everything that a flight needs, as JSON that comes back exactly as it went."""

from __future__ import annotations

import types
import typing
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any

from geo import VedetteError, true_per_equivalent
from missions.errors import FormatError
from missions.files import read_json, write_json
from missions.patrol import PatrolPlan
from missions.sortie import Leg, LegKind, Sortie
from missions.thin_air import in_thinner_air

__all__ = ["load_plan", "save_plan"]

_FORMAT, _VERSION = "vedette-plan", 8
_THICK = 7
"""Plans of this version have rotors take no more power in thin air, and of some of them wings fly as at sea level."""


def save_plan(plan: PatrolPlan, path: Path) -> None:
    """Write a plan with its border, fleet and options.

    Raises
    ------
    FileWriteError
        When the file cannot be written.
    """
    write_json(path, {"format": _FORMAT, "version": _VERSION, "plan": _to_json(plan)})


def load_plan(path: Path) -> PatrolPlan:
    """Read a plan that `save_plan` wrote; every value is validated again as at construction.

    Of a plan from before air was thin the air is raised to its highest leg: read as at sea level wings would be held to
    turns narrower than they fly. What its legs take on rotors is raised by the most that the air there makes it, so
    that none says it lands with more than it does.

    Raises
    ------
    FormatError
        When the file is no plan, of another version, or lacks or garbles a field; the message names the field.
    """
    value = read_json(path)
    if not isinstance(value, dict) or value.get("format") != _FORMAT:
        raise FormatError(f"{path}: is not a plan file: its format is not {_FORMAT!r}")
    if value.get("version") not in {_THICK, _VERSION}:
        raise FormatError(
            f"{path}: plan version {value.get('version')!r}, this program reads versions {_THICK} and {_VERSION}"
        )
    try:
        plan = _from_json(PatrolPlan, value.get("plan"), "plan")
    except VedetteError as error:
        raise FormatError(f"{path}: {error}") from None
    assert isinstance(plan, PatrolPlan)
    if value["version"] == _THICK:
        sorties = tuple(replace(one, legs=tuple(_on_rotors(leg, one) for leg in one.legs)) for one in plan.sorties)
        plan = replace(plan, sorties=sorties, options=in_thinner_air(plan) or plan.options)
    return plan


def _on_rotors(leg: Leg, sortie: Sortie) -> Leg:
    """A leg with what it takes in the air at its higher end, where it is flown on rotors, or with full power."""
    craft = sortie.vehicle.aircraft
    if craft.has_wings and leg.distance_m > 0 and leg.kind not in {LegKind.TAKEOFF, LegKind.LANDING}:
        return leg
    thin = float(true_per_equivalent(max(leg.start.amsl_m, leg.end.amsl_m)))
    return replace(leg, energy_wh=leg.energy_wh * max(craft.most_more(thin), 1.0))


def _to_json(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: _to_json(getattr(value, f.name)) for f in fields(value) if f.init}
    if isinstance(value, tuple):
        return [_to_json(item) for item in value]
    return value.value if isinstance(value, Enum) else value


def _from_json(kind: Any, value: Any, where: str) -> Any:
    """Build a value of an annotated type from JSON, by the type alone."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in {types.UnionType, typing.Union}:
        return None if value is None else _from_json(next(a for a in arguments if a is not type(None)), value, where)
    if origin is tuple:
        return _tuple(arguments, value, where)
    if is_dataclass(kind):
        return _object(kind, value, where)
    if isinstance(kind, type) and issubclass(kind, Enum):
        try:
            return kind(value)
        except ValueError:
            raise FormatError(f"{where} is {value!r}, not one of {', '.join(str(k.value) for k in kind)}") from None
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise FormatError(f"{where} is {value!r}, not {kind.__name__}")
    return value


def _tuple(kinds: tuple[Any, ...], value: Any, where: str) -> tuple[Any, ...]:
    if not isinstance(value, list):
        raise FormatError(f"{where} is {type(value).__name__}, not a list")
    each = kinds[:1] * len(value) if kinds[-1] is Ellipsis else kinds
    if len(each) != len(value):
        raise FormatError(f"{where} has {len(value)} entries, not {len(each)}")
    return tuple(_from_json(k, v, f"{where}[{i}]") for i, (k, v) in enumerate(zip(each, value, strict=True)))


def _object(kind: Any, value: Any, where: str) -> Any:
    if not isinstance(value, dict):
        raise FormatError(f"{where} is {type(value).__name__}, not an object")
    hints = _hints(kind)
    later = {f.name for f in fields(kind) if f.metadata.get("later")}
    lost = next((name for name in hints if name not in value and name not in later), None)
    if lost is not None:
        raise FormatError(f"{where}.{lost} is missing")
    given = {name: hint for name, hint in hints.items() if name in value}
    return kind(**{name: _from_json(hint, value[name], f"{where}.{name}") for name, hint in given.items()})


@cache
def _hints(kind: Any) -> dict[str, Any]:
    """Type of each field that the constructor takes."""
    hints = typing.get_type_hints(kind)
    return {f.name: hints[f.name] for f in fields(kind) if f.init}
