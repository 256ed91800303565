"""Files on a vehicle, over MAVLink FTP (MAVLink file transfer protocol)."""

from __future__ import annotations

import asyncio
import random
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

from pymavlink.dialects.v20 import ardupilotmega as mav

from autopilot.errors import AutopilotError, FtpError
from autopilot.ftp_talk import FtpPeer, FtpProgress, Question, Reading, Writing
from autopilot.ftp_wire import MOST_DATA, FtpCode, FtpOp, Packet
from autopilot.link import Link
from autopilot.timing import Timing
from autopilot.transfer_peer import Machine, converse

__all__ = ["Ftp", "FtpEntry", "FtpProgress", "ftp_crc32"]

_MOST_BYTES = 64 << 20
_MOST_ENTRIES = 10_000
_NAMES = 0x100
# Reasons that an earlier session of ours, left open, may be behind; the number of a system error says little there.
_LEFT_OPEN = frozenset({FtpCode.FAIL, FtpCode.FAIL_ERRNO, FtpCode.NO_SESSIONS})


@dataclass(frozen=True, slots=True)
class FtpEntry:
    """One entry of a folder.

    Parameters
    ----------
    name
        Its name there.
    size
        Bytes; None for a folder.
    """

    name: str
    size: int | None


class Ftp:
    """The files of one vehicle. One operation at a time; each may be cancelled.

    Parameters
    ----------
    link, sysid, component
        Whose files.
    timing
        How long to wait at first; then the measured round trip counts.
    """

    def __init__(
        self,
        link: Link,
        sysid: int,
        component: int = mav.MAV_COMP_ID_AUTOPILOT1,
        *,
        timing: Timing | None = None,
    ) -> None:
        self._peer = FtpPeer(link, sysid, component, timing or Timing())
        # Random: tells an answer to an earlier program from ours.
        self._session = self._desk = random.randrange(1, _NAMES)  # noqa: S311
        self._one = asyncio.Lock()

    async def read(self, path: str, *, most: int = _MOST_BYTES, progress: FtpProgress | None = None) -> bytes:
        """The content of a file.

        Parameters
        ----------
        path
            Where, such as ``@MISSION/mission.dat``.
        most
            Bytes beyond which it is given up.
        progress
            Called as bytes come.

        Raises
        ------
        FtpError
            When the vehicle refuses, with its reason in words, stops answering, or the file changes meanwhile.
        LinkError
            When the link is lost.
        """
        async with self._one:
            opened = await self._opened(FtpOp.OPEN_READ, path)
            try:
                size = int.from_bytes(opened.data[:4], "little")
                reading = Reading(self._peer, path, opened.session, size=size, most=most, progress=progress)
                await self._run(reading)
            finally:
                self._forget(opened.session)
            return reading.data

    async def write(
        self,
        path: str,
        data: bytes,
        *,
        pieces: Sequence[tuple[int, bytes]] | None = None,
        spoil: bytes = b"",
        progress: FtpProgress | None = None,
    ) -> None:
        """Make a file, in place of one of that name.

        Parameters
        ----------
        path, data
            Where and what.
        pieces
            How it is cut: offset and bytes of each; None for pieces as long as they can be.
        spoil
            Written over the beginning of a file that is given up before it was closed, for files that a vehicle acts
            on when they are closed: it must act on nothing unfinished.
        progress
            Called as bytes are acknowledged.

        Raises
        ------
        FtpError
            As for `read`; `at_close` says whether the vehicle may have acted on the file.
        LinkError
            When the link is lost.
        """
        if pieces is None:
            pieces = [(at, data[at : at + MOST_DATA]) for at in range(0, len(data), MOST_DATA)]
        async with self._one:
            session = (await self._opened(FtpOp.CREATE, path)).session
            try:
                await self._run(Writing(self._peer, path, session, pieces, progress))
            except BaseException:
                await asyncio.shield(asyncio.create_task(self._abandon(path, session, spoil)))
                raise
            try:
                await self._ask(FtpOp.TERMINATE, path, session=session)
            except FtpError as error:
                error.at_close = True
                raise

    async def list(self, path: str) -> tuple[FtpEntry, ...]:
        """What is in a folder. Raises as `read` does."""
        entries: list[FtpEntry] = []
        count = 0
        async with self._one:
            while True:
                try:
                    reply = await self._ask(FtpOp.LIST, path, offset=count, data=_name(path))
                except FtpError as error:
                    if error.code == FtpCode.END_OF_FILE:
                        return tuple(entries)
                    raise
                found = [part for part in reply.data.split(b"\0") if part]
                if not found:
                    return tuple(entries)
                count += len(found)
                if count > _MOST_ENTRIES:
                    raise FtpError(
                        f"{self._peer} folder {path}: it lists more than {_MOST_ENTRIES} entries: read a part"
                    )
                entries += [_entry(part) for part in found if part[:1] in (b"F", b"D")]

    async def remove(self, path: str) -> None:
        """Remove a file. Raises as `read` does."""
        async with self._one:
            await self._ask(FtpOp.REMOVE, path, data=_name(path))

    async def crc32(self, path: str) -> int:
        """Checksum that the vehicle makes of a file; compare with `ftp_crc32`. Raises as `read` does."""
        async with self._one:
            reply = await self._ask(FtpOp.CRC32, path, data=_name(path))
        if len(reply.data) != 4:
            raise FtpError(f"{self._peer} file {path}: the answer holds no checksum: read the file instead")
        return int.from_bytes(reply.data, "little")

    async def reset(self) -> None:
        """Close all sessions of this ground station. Raises as `read` does."""
        async with self._one:
            await self._reset()

    async def _reset(self) -> None:
        await self._ask(FtpOp.RESET, "")

    async def _opened(self, op: FtpOp, path: str) -> Packet:
        name = _name(path)
        try:
            return await self._ask(op, path, session=self._next_session(), data=name)
        except FtpError as error:
            if error.code not in _LEFT_OPEN:
                raise
        await self._reset()
        return await self._ask(op, path, session=self._next_session(), data=name)

    def _next_session(self) -> int:
        """Number of the next file's session.

        Never 0: ArduPilot gives a request of session 0 one of its five, and another one each time it is repeated.
        """
        self._session = self._session % (_NAMES - 1) + 1
        if self._session == self._desk:
            self._session = self._session % (_NAMES - 1) + 1
        return self._session

    async def _ask(
        self, op: FtpOp, path: str, *, session: int | None = None, offset: int = 0, data: bytes = b""
    ) -> Packet:
        session = self._desk if session is None else session
        question = Question(self._peer, path, op, session=session, offset=offset, data=data)
        await self._run(question)
        return question.reply

    async def _run(self, machine: Machine) -> None:
        await converse(self._peer, ("FILE_TRANSFER_PROTOCOL",), machine)

    def _forget(self, session: int) -> None:
        """Close a file that was read. Nobody waits for the answer: the vehicle closes what is idle by itself."""
        if self._peer.link.alive:
            self._peer.send(Packet(self._peer.next_seq(), session, FtpOp.TERMINATE))

    async def _abandon(self, path: str, session: int, spoil: bytes) -> None:
        try:
            if spoil:
                await self._run(Writing(self._peer, path, session, [(0, spoil)], None))
            await self._ask(FtpOp.TERMINATE, path, session=session)
        except AutopilotError:
            # A refusal is what spoiling is for; where nothing answers, nothing more can be done from here.
            return


def ftp_crc32(data: bytes) -> int:
    """Checksum of a file as autopilots make it: CRC-32 with neither a first nor a last inversion (ArduPilot, PX4)."""
    return zlib.crc32(data, 0xFFFFFFFF) ^ 0xFFFFFFFF


def _name(path: str) -> bytes:
    name = path.encode()
    if not 0 < len(name) < MOST_DATA or 0 in name:
        raise FtpError(f"{path!r} is no path on a vehicle: give 1 to {MOST_DATA - 1} bytes")
    return name


def _entry(part: bytes) -> FtpEntry:
    name, _, size = part[1:].decode(errors="replace").partition("\t")
    if part[:1] == b"D":
        return FtpEntry(name, None)
    return FtpEntry(name, int(size) if size.isdecimal() else 0)
