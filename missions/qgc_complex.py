"""Complex items of QGroundControl's plans, as the simple items that it sends to a vehicle for them.

A survey and a corridor scan bring the items along that QGroundControl worked out, and it sends those until somebody
changes the pattern. A landing pattern brings its figures alone: a mark, what ends pictures and video, the approach and
the landing are made of them. A structure scan brings neither. Versions and names as in QGroundControl's
TransectStyleComplexItem and LandingComplexItem.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from missions.errors import FormatError

__all__ = ["simple_items"]

_COMPLEX, _SIMPLE = "ComplexItem", "SimpleItem"
_FRAME_AMSL, _FRAME_MISSION, _FRAME_HOME = 0, 2, 3
_WAYPOINT, _LOITER_TO_ALT, _LAND_START = 16, 31, 189
_TRIGGER_DISTANCE, _PHOTOS_STOP, _VIDEO_STOP = 206, 2001, 2501

_Items = list[dict[str, Any]]


def simple_items(item: dict[str, Any], where: str) -> _Items:
    """The simple items that an item of a plan stands for: itself, where it is one.

    Raises
    ------
    FormatError
        When it is of a kind or version from which they cannot be told; `where` stands in the message.
    """
    if item.get("type") == _SIMPLE:
        return [item]
    kind = item.get("complexItemType", item.get("type"))
    made = _KINDS.get(kind) if item.get("type") == _COMPLEX and isinstance(kind, str) else None
    if made is None:
        raise FormatError(
            f"{where} is a {kind}, whose items QGroundControl does not write down: send the plan to a vehicle, load it "
            "back from there and save that"
        )
    return made(item, f"{where}, a {kind}")


def _transects(item: dict[str, Any], where: str) -> _Items:
    inner = item.get("TransectStyleComplexItem")
    found = inner.get("Items") if isinstance(inner, dict) else None
    if not isinstance(found, list) or not found:
        raise FormatError(f"{where}, has no items in it: open it in QGroundControl, let it draw the pattern, save it")
    for number, own in enumerate(found, 1):
        # Older versions do not say of what type these are.
        if not isinstance(own, dict) or own.get("type", _SIMPLE) != _SIMPLE:
            raise FormatError(f"{where}: its item {number} is no simple item: save the plan again in QGroundControl")
    return found


def _landing(command: int, yaw: float | None, versions: tuple[int, ...]) -> Callable[[dict[str, Any], str], _Items]:
    def made(item: dict[str, Any], where: str) -> _Items:
        if item.get("version") not in versions:
            raise FormatError(
                f"{where}, is of version {item.get('version')!r}, this program reads "
                f"{' and '.join(map(str, versions))}: open it in QGroundControl and save it again"
            )
        frame = _FRAME_HOME if _above_home(item, where) else _FRAME_AMSL
        # Its name before an approach without circles came in.
        name = "landingApproachCoordinate" if "landingApproachCoordinate" in item else "loiterCoordinate"
        approach, land = (_place(item, one, where) for one in (name, "landCoordinate"))
        items = [_simple(_LAND_START, _FRAME_MISSION, 0, 0, 0, 0, 0, 0, 0)]
        if _told(item, "stopTakingPhotos", where, default=False):
            items.append(_simple(_TRIGGER_DISTANCE, _FRAME_MISSION, 0, 0, 0, 0, 0, 0, 0))
            items.append(_simple(_PHOTOS_STOP, _FRAME_MISSION, 0, 0, 0, 0, 0, 0, 0))
        if _told(item, "stopVideoPhotos", where, default=False):
            items.append(_simple(_VIDEO_STOP, _FRAME_MISSION, 0, 0, 0, 0, 0, 0, 0))
        if _told(item, "useLoiterToAlt", where, default=True):
            # Down in circles to the right or left, and out of them along the tangent to the landing.
            radius_m = item["loiterRadius"] * (1 if _told(item, "loiterClockwise", where) else -1)
            items.append(_simple(_LOITER_TO_ALT, frame, 1, radius_m, 0, 1, *approach))
        else:
            items.append(_simple(_WAYPOINT, frame, 0, 0, 0, None, *approach))
        return [*items, _simple(command, frame, 0, 0, 0, yaw, *land)]

    return made


_KINDS: Mapping[str, Callable[[dict[str, Any], str], _Items]] = MappingProxyType(
    {
        "survey": _transects,
        "CorridorScan": _transects,
        "fwLandingPattern": _landing(21, 0, (1, 2)),
        "vtolLandingPattern": _landing(85, None, (1,)),
    }
)


def _above_home(item: dict[str, Any], where: str) -> bool:
    """Whether the heights of a landing pattern are above home: once said of each of its two places."""
    if "altitudesAreRelative" in item:
        return _told(item, "altitudesAreRelative", where)
    loiter, land = (_told(item, name, where) for name in ("loiterAltitudeRelative", "landAltitudeRelative"))
    if loiter != land:
        raise FormatError(
            f"{where}: one of its heights is above home, the other above the sea, which QGroundControl reads no more: "
            "make both the same"
        )
    return loiter


def _told(item: dict[str, Any], name: str, where: str, *, default: bool | None = None) -> bool:
    """True or false as an item says it."""
    value = item.get(name, default)
    if not isinstance(value, bool):
        raise FormatError(f"{where}: {name} is {value!r}: give true or false")
    return value


def _place(item: dict[str, Any], name: str, where: str) -> list[float]:
    """Latitude, longitude and height of a place of a landing pattern."""
    value = item.get(name)
    if not isinstance(value, list) or len(value) != len("xyz") or None in value:
        raise FormatError(f"{where}: {name} is {value!r}: give latitude, longitude and height")
    return value


def _simple(command: int, frame: int, *params: float | None) -> dict[str, Any]:
    return {"type": _SIMPLE, "command": command, "frame": frame, "autoContinue": True, "params": list(params)}
