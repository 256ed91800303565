"""Whether a list that was read back means what was sent.

A plain comparison fails lawfully: ArduPilot puts its home into item 0, answers frame 6 as 3, forgets parameters that
a command does not use, and stores heights in centimetres; PX4 forgets others, and turns headings into [0, 360). What
remains after that must be equal.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from pymavlink.dialects.v20 import ardupilotmega as mav

from autopilot.dialect import LOCATED, Dialect
from autopilot.errors import Difference, TransferError, VehicleState
from autopilot.words import MissionKind, command_name
from missions import MissionItem

__all__ = ["differences", "item_differences", "prepared"]

_SAME_FRAME = MappingProxyType(
    {
        mav.MAV_FRAME_GLOBAL_INT: mav.MAV_FRAME_GLOBAL,
        mav.MAV_FRAME_GLOBAL_RELATIVE_ALT_INT: mav.MAV_FRAME_GLOBAL_RELATIVE_ALT,
        mav.MAV_FRAME_GLOBAL_TERRAIN_ALT_INT: mav.MAV_FRAME_GLOBAL_TERRAIN_ALT,
    }
)
_PARAMS = ("p1", "p2", "p3", "p4")
_HEIGHT = 7
_PLACE_TOLERANCE = 1  # 1e-7 degrees, 11 mm: autopilots pass coordinates through other types
_RELATIVE_TOLERANCE = 1e-6  # float32 keeps 24 bits
_HEADING_TOLERANCE_DEG = 0.01  # through radians in float32 and back, some turns away from north
_MAX_ITEMS = 0xFFFF
_MAX_X, _MAX_Y = 900_000_000, 1_800_000_000


_FENCE = frozenset(
    {
        mav.MAV_CMD_NAV_FENCE_RETURN_POINT,
        mav.MAV_CMD_NAV_FENCE_POLYGON_VERTEX_INCLUSION,
        mav.MAV_CMD_NAV_FENCE_POLYGON_VERTEX_EXCLUSION,
        mav.MAV_CMD_NAV_FENCE_CIRCLE_INCLUSION,
        mav.MAV_CMD_NAV_FENCE_CIRCLE_EXCLUSION,
    }
)
_FLAT = _FENCE | {mav.MAV_CMD_DO_LAND_START}
"""A place without a height, whose frame says nothing.

Fence items come back with frame 0. ArduPilot stores the mark of a landing sequence as a location, in which frame 2 is
0, and goes by the way over ground to it; PX4 keeps it as it is (AP_Mission.cpp: `mavlink_int_to_mission_cmd`,
`get_landing_sequence_start`; mavlink_mission.cpp).
"""


def differences(
    sent: Sequence[MissionItem], read: Sequence[MissionItem], kind: MissionKind, dialect: Dialect
) -> tuple[Difference, ...]:
    """Every way in which `read` means something else than `sent`; empty where the vehicle would fly what was sent.

    Parameters
    ----------
    sent, read
        Items as uploaded and as downloaded, in order.
    kind
        Which list they are: item 0 is home in missions only.
    dialect
        What the autopilot keeps of an item.
    """
    if len(sent) != len(read):
        return (Difference(None, "count", len(sent), len(read)),)
    first = 1 if kind is MissionKind.MISSION and dialect.home_is_item_0 else 0
    return tuple(
        difference
        for one, other in zip(sent[first:], read[first:], strict=True)
        for difference in item_differences(one, other, dialect)
    )


def prepared(items: Sequence[MissionItem], kind: MissionKind, dialect: Dialect) -> tuple[MissionItem, ...]:
    """The items as they go on the wire.

    Terrain frame 11 becomes 10, which no version of ArduPilot reads as absolute, and a NaN in a parameter that the
    autopilot does not keep becomes 0 where it refuses NaN, as it does in parameter 7 of a command without a place. What
    it holds in steps goes up to the next one: a wait is not shorter, nor a rally point lower, than was meant.

    Raises
    ------
    TransferError
        For items that no vehicle can take: sequence numbers with holes, more than 65,535, a place off the globe, a
        figure that is not finite; and for a figure greater than this one holds. Nothing has been sent then.
    """
    if len(items) > _MAX_ITEMS:
        raise TransferError(f"{kind} of {len(items)} items: the protocol counts to {_MAX_ITEMS}: split it")
    return tuple(_prepared_item(item, number, kind, dialect) for number, item in enumerate(items))


def _prepared_item(item: MissionItem, number: int, kind: MissionKind, dialect: Dialect) -> MissionItem:
    where = f"{kind} item {number} ({command_name(item.command)})"
    if item.seq != number:
        raise TransferError(f"{where}: its sequence number is {item.seq}: number items from 0", VehicleState.KEPT)
    if item.command in LOCATED and not (abs(item.x) <= _MAX_X and abs(item.y) <= _MAX_Y):
        raise TransferError(
            f"{where}: {item.x / 1e7}, {item.y / 1e7} degrees is off the globe: give latitude then longitude",
            VehicleState.KEPT,
        )
    given = {}
    for index, name in enumerate(_PARAMS, 1):
        value = getattr(item, name)
        if math.isnan(value) and not dialect.accepts_nan:
            if index in _kept(item.command, dialect):
                raise TransferError(
                    f"{where}: parameter {index} is not given and {dialect.name} needs it: give a number",
                    VehicleState.KEPT,
                )
            given[name] = 0.0
        elif math.isinf(value):
            raise TransferError(f"{where}: parameter {index} is infinite: give a number", VehicleState.KEPT)
    # Of a command without a place it is a parameter like the others, which ground stations leave open.
    open_z = math.isnan(item.z) and item.command not in LOCATED
    if not (math.isfinite(item.z) or open_z):
        raise TransferError(f"{where}: parameter 7 is {item.z}: give a number", VehicleState.KEPT)
    frame = mav.MAV_FRAME_GLOBAL_TERRAIN_ALT if item.frame == mav.MAV_FRAME_GLOBAL_TERRAIN_ALT_INT else item.frame
    params = {name: given.get(name, getattr(item, name)) for name in _PARAMS}
    z = 0.0 if open_z and not dialect.accepts_nan else item.z
    return _as_held(replace(item, frame=frame, z=z, **params), where, dialect)


def _as_held(item: MissionItem, where: str, dialect: Dialect) -> MissionItem:
    """The item with the figures that the vehicle will hold in place of finer ones."""
    changed: dict[str, Any] = {}
    for index, figure in dialect.held_figures.get(item.command, {}).items():
        name = "z" if index == _HEIGHT else _PARAMS[index - 1]
        held = figure.held(getattr(item, name))
        if held is None:
            raise TransferError(
                f"{where}: parameter {index} is {getattr(item, name):g} and {dialect.name} holds {figure.most:g} at "
                "most: give less",
                VehicleState.KEPT,
            )
        changed[name] = held
    return replace(item, **changed)


def _kept(command: int, dialect: Dialect) -> Iterable[int]:
    return dialect.kept_params.get(command, (1, 2, 3, 4))


def item_differences(sent: MissionItem, read: MissionItem, dialect: Dialect) -> Iterable[Difference]:
    """Every way in which one item means something else than another; item 0 of a mission may be home."""
    if sent.seq != read.seq:
        yield Difference(sent.seq, "seq", sent.seq, read.seq)
    if sent.command != read.command:
        yield Difference(sent.seq, "command", sent.command, read.command)
        return
    for index in _kept(sent.command, dialect):
        name = _PARAMS[index - 1]
        one, other = getattr(sent, name), getattr(read, name)
        same = _same_heading if dialect.headings.get(sent.command) == index else _same_float
        if not same(one, other):
            yield Difference(sent.seq, name, one, other)
    if sent.command in LOCATED or dialect.keeps_place_of_actions:
        yield from _place_differences(sent, read, dialect)
    # Nobody goes on from a corner of a fence: PX4 has no room for the flag there, and answers 0.
    goes_on = dialect.keeps_autocontinue and sent.command not in _FENCE
    if goes_on and bool(sent.autocontinue) != bool(read.autocontinue):
        yield Difference(sent.seq, "autocontinue", sent.autocontinue, read.autocontinue)


def _place_differences(sent: MissionItem, read: MissionItem, dialect: Dialect) -> Iterable[Difference]:
    for name in ("x", "y"):
        if abs(getattr(sent, name) - getattr(read, name)) > _PLACE_TOLERANCE:
            yield Difference(sent.seq, name, getattr(sent, name), getattr(read, name))
    if sent.command in _FLAT:
        return
    # The frame of an action says nothing, whatever the autopilot makes of it.
    one, other = (_SAME_FRAME.get(item.frame, item.frame) for item in (sent, read))
    if sent.command in LOCATED and one != other:
        yield Difference(sent.seq, "frame", sent.frame, read.frame)
    slack = dialect.height_step_m * 1.01 + abs(sent.z) * _RELATIVE_TOLERANCE
    # NaN is near nothing, not even itself.
    both_open = math.isnan(sent.z) and math.isnan(read.z)
    if not (both_open or abs(_float32(sent.z) - read.z) <= slack):
        yield Difference(sent.seq, "z", sent.z, read.z)


def _float32(value: float) -> float:
    return float(struct.unpack("<f", struct.pack("<f", value))[0])


def _same_float(one: float, other: float) -> bool:
    if math.isnan(one) or math.isnan(other):
        return math.isnan(one) and math.isnan(other)
    return math.isclose(one, other, rel_tol=_RELATIVE_TOLERANCE, abs_tol=1e-6)


def _same_heading(one_deg: float, other_deg: float) -> bool:
    """Whether two headings point the same way, whatever turn they are counted in."""
    if math.isnan(one_deg) or math.isnan(other_deg):
        return math.isnan(one_deg) and math.isnan(other_deg)
    return abs(math.remainder(one_deg - other_deg, 360.0)) <= _HEADING_TOLERANCE_DEG
