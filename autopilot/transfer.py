"""Mission, fence and rally lists, to a vehicle and back (MAVLink mission protocol, MAVLink 2).

After an upload that fails the vehicle may hold a hybrid of old and new items. `upload_verified` therefore clears the
list then and reads back that it is empty, and every error says what the vehicle holds: its old list (refused before an
item was asked for), nothing (cleared), or something unknown (it could not even be cleared).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pymavlink.dialects.v20 import ardupilotmega as mav

from autopilot.compare import differences, prepared
from autopilot.dialect import Dialect
from autopilot.errors import (
    STATE_WORDS,
    MismatchError,
    RejectedError,
    TransferError,
    TransferTimeoutError,
    VehicleState,
)
from autopilot.link import Link
from autopilot.steadfast import to_the_end
from autopilot.timing import Timing
from autopilot.transfer_fetch import fetch_list
from autopilot.transfer_peer import Peer, Progress
from autopilot.transfer_repair import clear_list, holds_nothing, repair
from autopilot.transfer_send import send_list
from autopilot.transfer_way import Way, choose_way
from autopilot.words import MissionKind
from missions import MissionItem

__all__ = ["Progress", "Verified", "clear", "download", "upload", "upload_verified", "verify"]

_NO_SPACE_WAIT_S = 3.0  # ArduPilot's capacity is 0 for about 3 s after boot
_SHOWN = 3
_GIVEN_UP = (mav.MAV_MISSION_OPERATION_CANCELLED, mav.MAV_MISSION_ERROR)
"""What a vehicle says whose patience ended before our packets came, ArduPilot at once, PX4 to what comes then."""


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
    most: int = 10_000,
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
    most
        Items beyond which the list is not read; more than any autopilot holds by default.

    Raises
    ------
    TransferError
        The vehicle says that it holds more than `most`.
    RejectedError, TransferTimeoutError, LinkError
        As for `upload`.
    """
    peer = Peer(link, sysid, component, kind, timing or Timing())
    async with link.transfer_lock(sysid):
        return await fetch_list(peer, window, progress, most=most, whole=True)


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
        await clear_list(Peer(link, sysid, component, kind, timing or Timing()))


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
    in_part: bool = False,
    progress: Progress | None = None,
    held: tuple[MissionItem, ...] | None = None,
    repaired: Callable[[VehicleState], None] | None = None,
) -> Verified:
    """Upload a list and prove by read-back that the vehicle holds what was meant; an empty one clears the vehicle's.

    Parameters
    ----------
    link, sysid, items, kind, component, timing, progress
        As for `upload`.
    dialect
        The vehicle's autopilot.
    attempts
        Uploads before giving up on losses and mismatches. A refusal is final, but for "no space" soon after boot, and
        for what a vehicle says that gave up waiting for our packets.
    by_file
        Whether it goes as a file over MAVLink FTP, at a tenth of the time over a slow link and less; None asks the
        vehicle whether it can. What fails so goes item by item.
    in_part
        Whether, where it goes item by item and is as long as `held`, only the part that differs is sent
        (MISSION_WRITE_PARTIAL_LIST). The whole list is read back all the same; if it is not what was meant, or the
        vehicle takes no part, the whole goes.
    held
        The list that the vehicle was proved to hold before, as `prepared`; None where that is not known.
    repaired
        Told what the vehicle holds after an upload that broke off, whatever broke it: an error, a cancellation.

    Raises
    ------
    MismatchError
        What was read back means something else; the message shows the first differences.
    RejectedError, TransferTimeoutError, LinkError
        As for `upload`. `TransferError.state` says what the vehicle holds: nothing was left half-written knowingly.
        Any other exception, a cancellation too, carries it as a note.
    """
    peer = Peer(link, sysid, component, kind, timing or Timing())
    wanted = prepared(items, kind, dialect)
    async with link.transfer_lock(sysid):
        way = await choose_way(peer, dialect, by_file=by_file, held=held if in_part else None)
        try:
            return await _prove(peer, wanted, dialect, way, attempts=attempts, progress=progress)
        except (Exception, asyncio.CancelledError) as error:
            if not (isinstance(error, TransferError) and error.state is VehicleState.KEPT):
                await to_the_end(_mend(peer, dialect, held, error, repaired))
            raise


async def _mend(
    peer: Peer,
    dialect: Dialect,
    held: tuple[MissionItem, ...] | None,
    error: BaseException,
    repaired: Callable[[VehicleState], None] | None,
) -> None:
    state = await repair(peer, dialect, held)
    if isinstance(error, TransferError):
        error.state = state
    else:
        error.add_note(f"{peer}: the upload broke off; {STATE_WORDS[state]}")
    if repaired is not None:
        repaired(state)


async def verify(
    link: Link,
    sysid: int,
    wanted: tuple[MissionItem, ...],
    kind: MissionKind,
    *,
    dialect: Dialect,
    component: int = mav.MAV_COMP_ID_AUTOPILOT1,
    timing: Timing | None = None,
    progress: Progress | None = None,
) -> None:
    """Prove once more by read-back that the vehicle holds a list; nothing is written.

    Parameters
    ----------
    link, sysid, kind, dialect, component, timing, progress
        As for `upload_verified`.
    wanted
        The list as it went on the wire: `prepared`.

    Raises
    ------
    MismatchError
        The vehicle holds something else by now.
    RejectedError, TransferTimeoutError, LinkError
        It could not be read.
    """
    peer = Peer(link, sysid, component, kind, timing or Timing())
    async with link.transfer_lock(sysid):
        read = await fetch_list(peer, dialect.download_window, progress, most=len(wanted) + _SHOWN)
    try:
        _demand_equal(peer, wanted, read, dialect)
    except MismatchError as error:
        error.state = VehicleState.UNKNOWN
        raise


async def _prove(
    peer: Peer, wanted: tuple[MissionItem, ...], dialect: Dialect, way: Way, *, attempts: int, progress: Progress | None
) -> Verified:
    clock = asyncio.get_running_loop().time
    attempt = 0
    written = False
    while True:
        attempt += 1
        started = clock()
        try:
            if wanted:
                acknowledged = await way.send(wanted, progress)
            else:
                await clear_list(peer)
                acknowledged = True
            uploaded = clock()
            read = await way.fetch(progress, len(wanted) + _SHOWN)
            _demand_equal(peer, wanted, read, dialect)
            return Verified(
                peer.sysid, peer.kind, len(wanted), uploaded - started, clock() - uploaded, attempt, acknowledged,
                way.by_file, way.remark, way.opaque_id,
            )  # fmt: skip
        except RejectedError as error:
            if written:
                error.state = VehicleState.UNKNOWN  # what an attempt before this one wrote is there still
            kept = error.state is VehicleState.KEPT
            written = written or not kept
            full = error.result == mav.MAV_MISSION_NO_SPACE
            if attempt >= attempts or not (full or (error.result in _GIVEN_UP and not kept)):
                raise
            if full:
                await asyncio.sleep(peer.timing.retry_s(_NO_SPACE_WAIT_S))
        except (TransferTimeoutError, MismatchError) as error:
            written = True
            if attempt >= attempts:
                raise
            if isinstance(error, MismatchError):
                way.doubt(error)


def _demand_equal(peer: Peer, wanted: tuple[MissionItem, ...], read: tuple[MissionItem, ...], dialect: Dialect) -> None:
    if not wanted and holds_nothing(peer, dialect, read):
        return
    found = differences(wanted, read, peer.kind, dialect)
    if found:
        shown = "; ".join(map(str, found[:_SHOWN])) + ("; ..." if len(found) > _SHOWN else "")
        raise MismatchError(f"{peer}: reads back differently in {len(found)} places: {shown}", found)
