"""After a transfer that broke off: no hybrid of old and new items stays."""

from __future__ import annotations

import asyncio

from pymavlink.dialects.v20 import ardupilotmega as mav

from autopilot.compare import differences
from autopilot.dialect import Dialect
from autopilot.errors import AutopilotError, RejectedError, TransferError, TransferTimeoutError, VehicleState
from autopilot.mailbox import Mailbox
from autopilot.pace import RETRY_S
from autopilot.transfer_fetch import fetch_list
from autopilot.transfer_peer import TRIES, Peer
from autopilot.wire import Message
from autopilot.words import MissionKind, mission_words
from missions import MissionItem

__all__ = ["clear_list", "holds_nothing", "repair"]

_REPAIR_S = 12.0  # ArduPilot gives an upload up after 8 s, PX4 after 5 s; until then both refuse to clear
_ACCEPTED = mav.MAV_MISSION_ACCEPTED
_CANCELLED = mav.MAV_MISSION_OPERATION_CANCELLED


def holds_nothing(peer: Peer, dialect: Dialect, read: tuple[MissionItem, ...]) -> bool:
    """Whether a list that was read back is empty, but for a mission's home."""
    return len(read) <= (1 if peer.kind is MissionKind.MISSION and dialect.home_is_item_0 else 0)


async def repair(peer: Peer, dialect: Dialect, held: tuple[MissionItem, ...] | None) -> VehicleState:
    """Give a transfer up, empty the list, and read back that it is empty. Raises nothing that a vehicle can cause.

    A vehicle in the middle of an upload refuses to clear. From the same uploader it takes a new one, and one of no
    items empties the list (ArduPilot `MissionItemProtocol::handle_mission_count`); others clear once they have given
    the upload up by themselves. So both are asked for in turn, for 12 s of the vehicle's time.

    Parameters
    ----------
    peer
        Whose list.
    dialect
        The vehicle's autopilot.
    held
        The list that it was proved to hold before the transfer, None where that is not known.

    Returns
    -------
    VehicleState
        CLEARED where it read back empty, KEPT where it read back as `held` and could not be cleared, else UNKNOWN.
    """
    clock = asyncio.get_running_loop().time
    deadline = clock() + peer.timing.wall_s(_REPAIR_S)
    state = VehicleState.UNKNOWN
    try:
        peer.send(mav.MAVLink_mission_ack_message(peer.sysid, peer.component, _CANCELLED, peer.kind))
        turn = 0
        with peer.link.mailbox(peer.sysid, ("MISSION_ACK",)) as box:
            while state is not VehicleState.CLEARED and clock() < deadline:
                peer.send(_emptying(peer, turn))
                turn += 1
                until = min(deadline, clock() + peer.timing.retry_s(RETRY_S))
                if await _accepted(peer, box, until):
                    state = await _held_now(peer, dialect, held)
        if state is VehicleState.UNKNOWN:
            state = await _held_now(peer, dialect, held)
    except AutopilotError:
        return VehicleState.UNKNOWN
    return state


def _emptying(peer: Peer, turn: int) -> Message:
    if turn % 2 == 0:
        return mav.MAVLink_mission_count_message(peer.sysid, peer.component, 0, peer.kind)
    return mav.MAVLink_mission_clear_all_message(peer.sysid, peer.component, peer.kind)


async def _accepted(peer: Peer, box: Mailbox, until: float) -> bool:
    """Whether an acceptance came; refusals are waited out, so that they are not asked for in a rush."""
    clock = asyncio.get_running_loop().time
    while (message := await box.get(until - clock())) is not None:
        if peer.is_ours(message) and message.type == _ACCEPTED:
            return True
    return False


async def _held_now(peer: Peer, dialect: Dialect, held: tuple[MissionItem, ...] | None) -> VehicleState:
    """What the list reads back as: an acceptance may be a late answer to what broke off."""
    try:
        read = await fetch_list(peer, dialect.download_window, None, most=len(held or ()) + 2)
    except TransferError:
        return VehicleState.UNKNOWN
    if holds_nothing(peer, dialect, read):
        return VehicleState.CLEARED
    if held is not None and not differences(held, read, peer.kind, dialect):
        return VehicleState.KEPT
    return VehicleState.UNKNOWN


async def clear_list(peer: Peer) -> None:
    """Clear the list of a vehicle that is in no transfer. Raises as `autopilot.transfer.upload` does."""
    clock = asyncio.get_running_loop().time
    with peer.link.mailbox(peer.sysid, ("MISSION_ACK",)) as box:
        for _ in range(TRIES):
            peer.send(mav.MAVLink_mission_clear_all_message(peer.sysid, peer.component, peer.kind))
            deadline = clock() + peer.timing.retry_s(RETRY_S)
            while (message := await box.get(deadline - clock())) is not None:
                if not peer.is_ours(message) or message.type == _CANCELLED:
                    continue
                if message.type == _ACCEPTED:
                    return
                raise RejectedError(
                    f"{peer}: clearing refused: {mission_words(message.type)} (MISSION_ACK {message.type})",
                    message.type,
                    VehicleState.UNKNOWN,
                )
    raise TransferTimeoutError(f"{peer}: no answer to clearing: check the link and send again", VehicleState.UNKNOWN)
