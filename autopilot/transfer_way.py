"""The two ways of a list to a vehicle and back: as a file where the vehicle offers it, else item by item.

What fails as a file goes item by item, where the vehicle names the item that it does not take, and why.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol
from weakref import WeakKeyDictionary

from pymavlink.dialects.v20 import ardupilotmega as mav

from autopilot.dialect import Dialect
from autopilot.errors import FtpError, MismatchError, TransferError, VehicleState
from autopilot.ftp import Ftp, FtpProgress
from autopilot.link import Link
from autopilot.mission_file import SPOIL, items_in, pack_list, path_of, pieces, unpack_list
from autopilot.opaque import opaque_id
from autopilot.pace import RETRY_S
from autopilot.transfer_fetch import fetch_list
from autopilot.transfer_peer import Peer, Progress
from autopilot.transfer_send import send_list
from missions import MissionItem

__all__ = ["ByFile", "ByItem", "Way", "choose_way"]

_MOST_BYTES = 4 << 20  # 65,535 items take 2.5 MB
_TRIES = 3

_flags: WeakKeyDictionary[Link, dict[int, int]] = WeakKeyDictionary()
"""What each vehicle of a link said that it can (MAV_PROTOCOL_CAPABILITY); asked once, three lists follow each other."""


class Way(Protocol):
    """How a list travels.

    Attributes
    ----------
    by_file
        Whether everything so far went as a file.
    remark
        Why something went the longer way; empty where nothing failed.
    opaque_id
        The vehicle's own number of the list that was fetched last; 0 where it gives none.
    """

    by_file: bool
    remark: str
    opaque_id: int

    async def send(self, items: Sequence[MissionItem], progress: Progress | None) -> bool:
        """Send a list that is not empty; whether its acceptance arrived. Raises as `autopilot.transfer.upload` does."""

    async def fetch(self, progress: Progress | None, most: int) -> tuple[MissionItem, ...]:
        """Read a list, item by item no more than `most` of it. Raises as `autopilot.transfer.download` does."""

    def doubt(self, error: MismatchError) -> None:
        """What was sent does not read back: the next time it goes the way on which the vehicle gives its reason."""


class ByItem:
    """The classic protocol.

    Parameters
    ----------
    peer
        The list.
    window
        Items asked for at once in reading.
    held
        What the vehicle holds, as far as is known; the first list that is sent goes in place of the part of it that
        differs. None for lists that go whole.
    """

    def __init__(self, peer: Peer, window: int, held: Sequence[MissionItem] | None = None) -> None:
        self.by_file = False
        self.remark = ""
        self.opaque_id = 0
        self._peer = peer
        self._window = window
        self._held = held

    async def send(self, items: Sequence[MissionItem], progress: Progress | None) -> bool:
        """See `Way.send`."""
        part = None if self._held is None else _changed(self._held, items)
        self._held = None
        if part is None:
            return await send_list(self._peer, items, progress)
        if not part:
            return True
        try:
            return await send_list(self._peer, items, progress, part=part)
        except TransferError as error:
            self.remark = str(error)
            with _not_kept(error.state is not VehicleState.KEPT):
                return await send_list(self._peer, items, progress)

    async def fetch(self, progress: Progress | None, most: int) -> tuple[MissionItem, ...]:
        """See `Way.fetch`."""
        ids = [0]
        peer = self._peer
        stop = peer.link.listen(
            lambda message: ids.append(opaque_id(message)) if peer.is_ours(message) else None,
            sysid=peer.sysid,
            types=("MISSION_COUNT",),
        )
        try:
            items = await fetch_list(peer, self._window, progress, most=most)
        finally:
            stop()
        # Two counts that differ: it changed while it was read.
        self.opaque_id = ids[-1] if len(set(ids[1:])) == 1 else 0
        return items

    def doubt(self, error: MismatchError) -> None:
        """See `Way.doubt`."""


class ByFile:
    """One of the files under ``@MISSION``; what fails goes by `other`."""

    def __init__(self, peer: Peer, other: ByItem) -> None:
        self.by_file = True
        self.remark = ""
        self.opaque_id = 0
        self._peer = peer
        self._other = other
        self._path = path_of(peer.kind)
        self._ftp = Ftp(peer.link, peer.sysid, peer.component, timing=peer.timing)

    async def send(self, items: Sequence[MissionItem], progress: Progress | None) -> bool:
        """See `Way.send`."""
        acted = False
        if self.by_file:
            peer = self._peer
            data = pack_list(items, peer.kind, peer.sysid, peer.component)
            told = _in_items(f"upload {peer.kind}", progress)
            try:
                await self._ftp.write(self._path, data, pieces=pieces(data), spoil=SPOIL, progress=told)
            except FtpError as error:
                self._give_up(error)
                acted = error.at_close
            else:
                return True
        # ArduPilot clears a mission or rally set and fills it up to the item that it does not take.
        with _not_kept(acted):
            return await self._other.send(items, progress)

    async def fetch(self, progress: Progress | None, most: int) -> tuple[MissionItem, ...]:
        """See `Way.fetch`."""
        if self.by_file:
            told = _in_items(f"read back {self._peer.kind}", progress)
            try:
                data = await self._ftp.read(self._path, most=_MOST_BYTES, progress=told)
                items = unpack_list(data, self._peer.kind)
            except (FtpError, TransferError) as error:
                self._give_up(error)
            else:
                if told is not None:
                    told(len(data), len(data))
                return items
        items = await self._other.fetch(progress, most)
        self.opaque_id = self._other.opaque_id
        return items

    def doubt(self, error: MismatchError) -> None:
        """See `Way.doubt`. ArduPilot acknowledges a file whose list it did not take (`GCS_FTP.cpp` of July 2025)."""
        if self.by_file:
            self._give_up(error)

    def _give_up(self, error: FtpError | TransferError) -> None:
        self.by_file = False
        self.remark = str(error)


async def choose_way(
    peer: Peer, dialect: Dialect, *, by_file: bool | None = None, held: Sequence[MissionItem] | None = None
) -> Way:
    """The way of a list to a vehicle.

    Parameters
    ----------
    peer, dialect
        The list, and the vehicle's autopilot.
    by_file
        Whether to send files; None asks the vehicle whether it takes them.
    held
        What the vehicle holds, where it is known: where lists go item by item, only the part that differs is sent.
    """
    classic = ByItem(peer, dialect.download_window, held if dialect.takes_partial_lists else None)
    if by_file is None:
        by_file = dialect.has_list_files and bool(await _capabilities(peer) & mav.MAV_PROTOCOL_CAPABILITY_FTP)
    return ByFile(peer, classic) if by_file else classic


@contextmanager
def _not_kept(changed: bool) -> Iterator[None]:
    """Where the vehicle's list was changed before, a refusal leaves it not as it was."""
    try:
        yield
    except TransferError as error:
        if changed and error.state is VehicleState.KEPT:
            error.state = VehicleState.UNKNOWN
        raise


def _changed(held: Sequence[MissionItem], items: Sequence[MissionItem]) -> range | None:
    """The items from the first to the last that differs; None where one list cannot become the other in place."""
    if len(held) != len(items) or not items:
        return None
    differing = [seq for seq, (old, new) in enumerate(zip(held, items, strict=True)) if old != new]
    return range(differing[0], differing[-1] + 1) if differing else range(0)


async def _capabilities(peer: Peer) -> int:
    known = _flags.setdefault(peer.link, {})
    if peer.sysid in known:
        return known[peer.sysid]
    clock = asyncio.get_running_loop().time
    number = mav.MAVLINK_MSG_ID_AUTOPILOT_VERSION
    ask = mav.MAVLink_command_long_message(
        peer.sysid, peer.component, mav.MAV_CMD_REQUEST_MESSAGE, 0, number, 0, 0, 0, 0, 0, 0
    )
    with peer.link.mailbox(peer.sysid, ("AUTOPILOT_VERSION",)) as box:
        for _ in range(_TRIES):
            peer.send(ask)
            deadline = clock() + peer.timing.retry_s(RETRY_S)
            while (answer := await box.get(deadline - clock())) is not None:
                if answer.get_srcComponent() == peer.component:
                    known[peer.sysid] = int(answer.capabilities)
                    return known[peer.sysid]
    return 0


def _in_items(what: str, progress: Progress | None) -> FtpProgress | None:
    """A progress in bytes of a file that tells one in items."""
    if progress is None:
        return None
    return lambda done, total: progress(what, items_in(done), items_in(done if total is None else total))
