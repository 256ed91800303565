"""Mission, fence and rally lists, to a vehicle and back (MAVLink mission protocol, MAVLink 2).

After an upload that fails the vehicle may hold a hybrid of old and new items. `upload_verified` therefore clears the
list then, and every error says what the vehicle holds: its old list (refused before an item was asked for), nothing
(cleared), or something unknown (it could not even be cleared).
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from pymavlink.dialects.v20 import ardupilotmega as mav

from autopilot.compare import differences, prepared
from autopilot.dialect import Dialect
from autopilot.errors import (
    AutopilotError,
    MismatchError,
    RejectedError,
    TransferError,
    TransferTimeoutError,
    VehicleState,
)
from autopilot.link import Link
from autopilot.timing import Timing
from autopilot.transfer_fetch import fetch_list
from autopilot.transfer_peer import RETRY_S, TRIES, Peer, Progress
from autopilot.transfer_send import send_list
from autopilot.transfer_way import Way, choose_way
from autopilot.words import MissionKind, mission_words
from missions import MissionItem

__all__ = ["Progress", "Verified", "clear", "download", "upload", "upload_verified"]

_NO_SPACE_WAIT_S = 3.0  # ArduPilot's capacity is 0 for about 3 s after boot
_SHOWN = 3

_ACCEPTED = mav.MAV_MISSION_ACCEPTED
_CANCELLED = mav.MAV_MISSION_OPERATION_CANCELLED


@dataclass(frozen=True, slots=True)
class Verified:
    """A list that a vehicle holds, proved by reading it back.

    Parameters
    ----------
    sysid
        Vehicle.
    kind
        Which list.
    items
        How many items.
    upload_s, readback_s
        Wall seconds of the upload and of the read-back that proved it.
    attempts
        Uploads it took.
    acknowledged
        Whether the vehicle's final MISSION_ACK arrived; the read-back is the proof either way.
    by_file
        Whether it went, and came back, as a file over MAVLink FTP.
    remark
        Why it went the longer way, where there is a shorter one.
    opaque_id
        The vehicle's own number of the list, for `still_holds`; 0 where it gives none.
    """

    sysid: int
    kind: MissionKind
    items: int
    upload_s: float
    readback_s: float
    attempts: int
    acknowledged: bool
    by_file: bool = False
    remark: str = ""
    opaque_id: int = 0


async def upload(
    link: Link,
    sysid: int,
    items: Sequence[MissionItem],
    kind: MissionKind = MissionKind.MISSION,
    *,
    component: int = mav.MAV_COMP_ID_AUTOPILOT1,
    timing: Timing | None = None,
    progress: Progress | None = None,
) -> bool:
    """Upload a list, without proof; `upload_verified` is what flights are made from.

    Parameters
    ----------
    link, sysid, component
        Where to.
    items
        At least one; coordinates in 1e-7 degrees as MISSION_ITEM_INT carries them.
    kind
        Which list.
    timing
        How long to wait.
    progress
        Called after each item.

    Returns
    -------
    bool
        Whether the final MISSION_ACK arrived; False where every item was asked for and the answer was lost.

    Raises
    ------
    RejectedError
        The vehicle refused; the reason in words.
    TransferTimeoutError
        The vehicle stopped answering.
    LinkError
        The link was lost.
    """
    async with link.transfer_lock(sysid):
        return await send_list(Peer(link, sysid, component, kind, timing or Timing()), items, progress)


async def download(
    link: Link,
    sysid: int,
    kind: MissionKind = MissionKind.MISSION,
    *,
    component: int = mav.MAV_COMP_ID_AUTOPILOT1,
    window: int = 1,
    timing: Timing | None = None,
    progress: Progress | None = None,
) -> tuple[MissionItem, ...]:
    """Read a list from a vehicle.

    Parameters
    ----------
    link, sysid, component, kind, timing, progress
        As for `upload`.
    window
        Items asked for at once: `Dialect.download_window`.

    Raises
    ------
    RejectedError, TransferTimeoutError, LinkError
        As for `upload`.
    """
    async with link.transfer_lock(sysid):
        return await fetch_list(Peer(link, sysid, component, kind, timing or Timing()), window, progress)


async def clear(
    link: Link,
    sysid: int,
    kind: MissionKind = MissionKind.MISSION,
    *,
    component: int = mav.MAV_COMP_ID_AUTOPILOT1,
    timing: Timing | None = None,
) -> None:
    """Clear a list. Raises as `upload` does."""
    async with link.transfer_lock(sysid):
        await _clear(Peer(link, sysid, component, kind, timing or Timing()))


async def upload_verified(
    link: Link,
    sysid: int,
    items: Sequence[MissionItem],
    kind: MissionKind = MissionKind.MISSION,
    *,
    dialect: Dialect,
    component: int = mav.MAV_COMP_ID_AUTOPILOT1,
    timing: Timing | None = None,
    attempts: int = 2,
    by_file: bool | None = None,
    held: Sequence[MissionItem] | None = None,
    progress: Progress | None = None,
) -> Verified:
    """Upload a list and prove by read-back that the vehicle holds what was meant; an empty one clears the vehicle's.

    Parameters
    ----------
    link, sysid, items, kind, component, timing, progress
        As for `upload`.
    dialect
        The vehicle's autopilot.
    attempts
        Uploads before giving up on losses and mismatches. A refusal is final, but for "no space" soon after boot.
    by_file
        Whether it goes as a file over MAVLink FTP, at a tenth of the time over a slow link and less; None asks the
        vehicle whether it can. What fails so goes item by item.
    held
        What the vehicle was last proved to hold: of a list as long as that, which goes item by item, only the part that
        differs is sent (MISSION_WRITE_PARTIAL_LIST). The whole list is read back all the same; if it is not what was
        meant, or the vehicle takes no part, the whole goes.

    Raises
    ------
    MismatchError
        What was read back means something else; the message shows the first differences.
    RejectedError, TransferTimeoutError, LinkError
        As for `upload`. `TransferError.state` says what the vehicle holds: nothing was left half-written knowingly.
    """
    peer = Peer(link, sysid, component, kind, timing or Timing())
    wanted = prepared(items, kind, dialect)
    async with link.transfer_lock(sysid):
        known = None if held is None else prepared(held, kind, dialect)
        way = await choose_way(peer, dialect, by_file=by_file, held=known)
        try:
            return await _prove(peer, wanted, dialect, way, attempts=attempts, progress=progress)
        except TransferError as error:
            if error.state is not VehicleState.KEPT:
                error.state = await _repair(peer)
            raise
        except asyncio.CancelledError:
            await asyncio.shield(asyncio.create_task(_repair(peer)))
            raise


async def _prove(
    peer: Peer, wanted: tuple[MissionItem, ...], dialect: Dialect, way: Way, *, attempts: int, progress: Progress | None
) -> Verified:
    clock = asyncio.get_running_loop().time
    attempt = 0
    while True:
        attempt += 1
        started = clock()
        try:
            if wanted:
                acknowledged = await way.send(wanted, progress)
            else:
                await _clear(peer)
                acknowledged = True
            uploaded = clock()
            read = await way.fetch(progress)
            _demand_equal(peer, wanted, read, dialect)
            return Verified(
                peer.sysid, peer.kind, len(wanted), uploaded - started, clock() - uploaded, attempt, acknowledged,
                way.by_file, way.remark, way.opaque_id,
            )  # fmt: skip
        except RejectedError as error:
            if error.result != mav.MAV_MISSION_NO_SPACE or attempt >= attempts:
                raise
            await asyncio.sleep(peer.timing.retry_s(_NO_SPACE_WAIT_S))
        except (TransferTimeoutError, MismatchError):
            if attempt >= attempts:
                raise


def _demand_equal(peer: Peer, wanted: tuple[MissionItem, ...], read: tuple[MissionItem, ...], dialect: Dialect) -> None:
    homes = 1 if peer.kind is MissionKind.MISSION and dialect.home_is_item_0 else 0
    if not wanted and len(read) <= homes:
        return
    found = differences(wanted, read, peer.kind, dialect)
    if found:
        shown = "; ".join(map(str, found[:_SHOWN])) + ("; ..." if len(found) > _SHOWN else "")
        raise MismatchError(f"{peer}: reads back differently in {len(found)} places: {shown}", found)


async def _repair(peer: Peer) -> VehicleState:
    """Leave no hybrid: give the transfer up and clear the list."""
    try:
        peer.send(mav.MAVLink_mission_ack_message(peer.sysid, peer.component, _CANCELLED, peer.kind))
        await _clear(peer)
    except AutopilotError:
        return VehicleState.UNKNOWN
    return VehicleState.CLEARED


async def _clear(peer: Peer) -> None:
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
