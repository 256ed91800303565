"""MAVLink FTP as ArduPilot serves it (GCS_FTP.cpp): sessions, bursts, and errors with its own numbers.

Five requests wait at most, what comes on top is lost; five sessions, of which one that was idle for a while may be
taken by somebody else; the last reply is kept and sent again to whoever repeats its request. A session has the number
that its client names, 0 like any other, as in the releases up to 4.6; what comes after them gives those that name 0 one
of its own, which clients that write before their file is open do not survive.
"""

from __future__ import annotations

import errno
import struct
import zlib
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pymavlink.dialects.v20 import ardupilotmega as mav

from sim.protocol_files import Disk, DiskError, Handle
from sim.protocol_params import ftp_enabled
from sim.protocol_transfer import Peer, wall_timer_s

__all__ = ["FtpServer"]

_DATA = 239
_LAYOUT = struct.Struct("<HBBBBBBI239s")
_QUEUE = 5
_SESSIONS = 5
_IDLE_S, _IDLE_FLOOR_S = 3.0, 1.0
_DEAD_S, _DEAD_FLOOR_S = 20.0, 5.0
_BURST_REPLIES = 2000
_ACK, _NAK = int(mav.MAV_FTP_OPCODE_ACK), int(mav.MAV_FTP_OPCODE_NAK)
_RESET, _BURST = int(mav.MAV_FTP_OPCODE_RESETSESSION), int(mav.MAV_FTP_OPCODE_BURSTREADFILE)
_FAIL, _ERRNO = int(mav.MAV_FTP_ERR_FAIL), int(mav.MAV_FTP_ERR_FAILERRNO)
_SIZE, _NONE_LEFT = int(mav.MAV_FTP_ERR_INVALIDDATASIZE), int(mav.MAV_FTP_ERR_NOSESSIONSAVAILABLE)
_EOF, _UNKNOWN = int(mav.MAV_FTP_ERR_EOF), int(mav.MAV_FTP_ERR_UNKNOWNCOMMAND)
_NOT_FOUND, _EXISTS = int(mav.MAV_FTP_ERR_FILENOTFOUND), int(mav.MAV_FTP_ERR_FILEEXISTS)


class _RefusedError(Exception):
    """A NAK; its data."""

    def __init__(self, *data: int) -> None:
        super().__init__()
        self.data = bytes(data)


@dataclass(slots=True)
class _Frame:
    """A request or a reply: the fields in the order of the wire."""

    seq: int
    session: int
    opcode: int
    size: int
    req_opcode: int = 0
    burst_complete: int = 0
    padding: int = 0
    offset: int = 0
    data: bytes = b""

    def message(self, peer: Peer) -> Any:
        payload = _LAYOUT.pack(
            self.seq, self.session, self.opcode, self.size, self.req_opcode, self.burst_complete, 0, self.offset,
            self.data,
        )  # fmt: skip
        return mav.MAVLink_file_transfer_protocol_message(0, peer.sysid, peer.compid, payload)


@dataclass(slots=True)
class _Session:
    """One slot: whose it is, and its open file."""

    owner: tuple[Any, int, int, int] | None = None
    handle: Handle | None = None
    writing: bool = False
    sent_s: float | None = None


@dataclass(slots=True)
class FtpServer:
    """Files of one vehicle, served to whoever asks.

    Parameters
    ----------
    disk
        The files.
    speedup
        Of the simulation, for the timers.
    params
        Parameters, one of which switches it off.
    say
        Called with a text for the ground station.
    tells_close
        Whether a list that is not taken as its file is closed is refused; 4.7-dev of July 2025 and those before
        acknowledge it all the same.
    """

    disk: Disk
    speedup: float
    params: Mapping[str, float]
    say: Callable[[str], None]
    tells_close: bool = True
    _sessions: list[_Session] = field(default_factory=lambda: [_Session() for _ in range(_SESSIONS)])
    _last: tuple[tuple[Any, int, int, int], _Frame] | None = None
    _waiting: deque[tuple[Peer, Any, _Frame]] = field(default_factory=deque)

    def take(self, peer: Peer, channel: Any, payload: Any) -> None:
        """Take a request: it is served by the next `update`.

        Parameters
        ----------
        peer
            Who asks.
        channel
            Where it came in: sessions of different channels are apart.
        payload
            Of FILE_TRANSFER_PROTOCOL.
        """
        if not ftp_enabled(self.params):
            self.say("FTP disabled")
        elif len(self._waiting) < _QUEUE:
            self._waiting.append((peer, channel, _Frame(*_LAYOUT.unpack(bytes(payload)))))

    def update(self, wall_s: float) -> None:
        """Serve whoever waits, and close what was idle for long."""
        while self._waiting:
            self._handle(*self._waiting.popleft(), wall_s)
        dead_s = wall_timer_s(_DEAD_S, _DEAD_FLOOR_S, self.speedup)
        for session in self._sessions:
            if session.sent_s is not None and wall_s - session.sent_s > dead_s:
                _close_quietly(session)

    def forget(self) -> None:
        """The autopilot starts anew: what is open is gone, a list half written with it."""
        self.disk.forget()
        self._sessions = [_Session() for _ in range(_SESSIONS)]
        self._waiting.clear()
        self._last = None

    def _handle(self, peer: Peer, channel: Any, request: _Frame, wall_s: float) -> None:
        if request.opcode == _RESET:
            self._reset((channel, peer.sysid, peer.compid))
            peer.send(_reply_to(request, _ACK).message(peer))
            return
        session = self._session_of(request, (channel, peer.sysid, peer.compid), wall_s)
        if session is None:
            refused = _reply_to(request, _NAK, bytes([_NONE_LEFT]))
            peer.send(refused.message(peer))
            return
        assert session.owner is not None
        if self._last is not None:
            owner, reply = self._last
            if owner == session.owner and (request.seq + 1) % 0x10000 == reply.seq:
                session.sent_s = wall_s
                peer.send(reply.message(peer))
                return
        self._serve(session, request, peer, wall_s)

    def _reset(self, who: tuple[Any, int, int]) -> None:
        for session in self._sessions:
            if session.owner is not None and session.owner[:3] == who:
                _close_quietly(session)

    def _session_of(self, request: _Frame, who: tuple[Any, int, int], wall_s: float) -> _Session | None:
        for session in self._sessions:
            if session.owner == (*who, request.session):
                return session
        oldest = min(self._sessions, key=lambda each: -1.0 if each.sent_s is None else each.sent_s)
        idle_s = wall_timer_s(_IDLE_S, _IDLE_FLOOR_S, self.speedup)
        if oldest.sent_s is not None and wall_s - oldest.sent_s < idle_s:
            return None
        _close_quietly(oldest)
        oldest.owner = (*who, request.session)
        return oldest

    def _serve(self, session: _Session, request: _Frame, peer: Peer, wall_s: float) -> None:
        if request.opcode in (_ACK, _NAK):
            return
        session.sent_s = wall_s
        reply = self._burst(session, request, peer) if request.opcode == _BURST else self._answer(session, request)
        if request.opcode == mav.MAV_FTP_OPCODE_TERMINATESESSION:
            session.sent_s = None
        assert session.owner is not None
        self._last = (session.owner, reply)
        if reply.opcode == _NAK or request.opcode != _BURST:
            peer.send(reply.message(peer))

    def _answer(self, session: _Session, request: _Frame) -> _Frame:
        handler = _HANDLERS.get(request.opcode, _unknown)
        try:
            _check_size(request)
            data = handler(self, session, request)
        except _RefusedError as error:
            reply = _reply_to(request, _NAK, error.data)
            reply.offset = request.offset if request.opcode == mav.MAV_FTP_OPCODE_LISTDIRECTORY else 0
            return reply
        except DiskError as error:
            return _reply_to(request, _NAK, _errno_data(error.number))
        reply = _reply_to(request, _ACK, data)
        if request.opcode in (mav.MAV_FTP_OPCODE_READFILE, mav.MAV_FTP_OPCODE_WRITEFILE):
            reply.offset = request.offset
        return reply

    def _burst(self, session: _Session, request: _Frame, peer: Peer) -> _Frame:
        """Send a burst; what is returned is its end: a NAK that is yet to be sent, or the last piece, which was."""
        reply = _reply_to(request, _ACK)
        reply.offset = request.offset
        try:
            _check_size(request)
            handle = _readable(session)
            for number in range(_BURST_REPLIES):
                data = _some(handle.read(reply.offset, request.size or _DATA))
                reply.data, reply.size = data, len(data)
                reply.burst_complete = int(number == _BURST_REPLIES - 1)
                peer.send(reply.message(peer))
                reply.offset += len(data)
                reply.seq = (reply.seq + 1) % 0x10000
        except (_RefusedError, DiskError) as error:
            known = error.data if isinstance(error, _RefusedError) else _errno_data(error.number)
            reply.opcode, reply.data, reply.size, reply.burst_complete = _NAK, known, len(known), 1
        return reply

    def _terminate(self, session: _Session, _: _Frame) -> bytes:
        handle, session.handle, session.sent_s = session.handle, None, None
        if handle is not None:
            try:
                handle.close()
            except DiskError:
                if self.tells_close:
                    raise
        return b""

    def _open_read(self, session: _Session, request: _Frame) -> bytes:
        if session.handle is not None:
            raise _RefusedError(_FAIL)
        path = _path(request)
        size = self.disk.size(path)
        session.handle, session.writing = self.disk.open(path, write=False), False
        return struct.pack("<I", size)

    def _open_write(self, session: _Session, request: _Frame) -> bytes:
        if session.handle is not None:
            raise _RefusedError(_FAIL)
        empty = request.opcode == mav.MAV_FTP_OPCODE_CREATEFILE
        session.handle, session.writing = self.disk.open(_path(request), write=True, empty=empty), True
        return b""

    def _read(self, session: _Session, request: _Frame) -> bytes:
        return _some(_readable(session).read(request.offset, request.size))

    def _write(self, session: _Session, request: _Frame) -> bytes:
        if session.handle is None:
            raise _RefusedError(_NOT_FOUND)
        if not session.writing:
            raise _RefusedError(_FAIL)
        session.handle.write(request.offset, request.data[: request.size])
        return b""

    def _remove(self, _: _Session, request: _Frame) -> bytes:
        self.disk.remove(_path(request))
        return b""

    def _make_folder(self, _: _Session, request: _Frame) -> bytes:
        self.disk.make_folder(_path(request))
        return b""

    def _rename(self, _: _Session, request: _Frame) -> bytes:
        names = request.data[: request.size].rstrip(b"\0").split(b"\0")
        if len(names) != 2 or not all(names):
            raise _RefusedError(_SIZE)
        old, new = (name.decode(errors="replace") for name in names)
        self.disk.rename(old, new)
        return b""

    def _checksum(self, _: _Session, request: _Frame) -> bytes:
        handle = self.disk.open(_path(request), write=False)
        crc, offset = 0xFFFFFFFF, 0  # zlib inverts before and after, ArduPilot does neither
        while data := handle.read(offset, 64):
            crc = zlib.crc32(data, crc)
            offset += len(data)
        handle.close()
        return struct.pack("<I", crc ^ 0xFFFFFFFF)

    def _folder(self, _: _Session, request: _Frame) -> bytes:
        page = b""
        for name, size in self.disk.entries(_path(request))[request.offset :]:
            entry = f"D{name}\0" if size is None else f"F{name}\t{size}\0"
            if len(page) + len(entry.encode()) >= _DATA:
                break
            page += entry.encode()
        return _some(page)


def _reply_to(request: _Frame, opcode: int, data: bytes = b"") -> _Frame:
    return _Frame((request.seq + 1) % 0x10000, request.session, opcode, len(data), request.opcode, data=data)


def _unknown(*_: object) -> bytes:
    raise _RefusedError(_UNKNOWN)


def _check_size(request: _Frame) -> None:
    if request.size > _DATA:
        raise _RefusedError(_SIZE)


def _some(data: bytes) -> bytes:
    if not data:
        raise _RefusedError(_EOF)
    return data


def _readable(session: _Session) -> Handle:
    if session.handle is None:
        raise _RefusedError(_NOT_FOUND)
    if session.writing:
        raise _RefusedError(_FAIL)
    return session.handle


def _path(request: _Frame) -> str:
    name = request.data.split(b"\0")[0]
    ended = request.size - len(name) == 1 and request.data[-1] == 0
    if request.size == 0 or not (len(name) == request.size or ended):
        raise _RefusedError(_SIZE)
    return name.decode(errors="replace")


def _errno_data(number: int) -> bytes:
    known = {errno.EEXIST: _EXISTS, errno.ENOENT: _NOT_FOUND}
    return bytes([known[number]]) if number in known else bytes([_ERRNO, number])


def _close_quietly(session: _Session) -> None:
    handle, session.handle, session.sent_s, session.owner = session.handle, None, None, None
    if handle is not None:
        try:
            handle.close()
        except DiskError:
            return


_HANDLERS: dict[int, Callable[[FtpServer, _Session, _Frame], bytes]] = {
    mav.MAV_FTP_OPCODE_NONE: lambda *_: b"",
    mav.MAV_FTP_OPCODE_TERMINATESESSION: FtpServer._terminate,  # noqa: SLF001
    mav.MAV_FTP_OPCODE_LISTDIRECTORY: FtpServer._folder,  # noqa: SLF001
    mav.MAV_FTP_OPCODE_OPENFILERO: FtpServer._open_read,  # noqa: SLF001
    mav.MAV_FTP_OPCODE_READFILE: FtpServer._read,  # noqa: SLF001
    mav.MAV_FTP_OPCODE_CREATEFILE: FtpServer._open_write,  # noqa: SLF001
    mav.MAV_FTP_OPCODE_OPENFILEWO: FtpServer._open_write,  # noqa: SLF001
    mav.MAV_FTP_OPCODE_WRITEFILE: FtpServer._write,  # noqa: SLF001
    mav.MAV_FTP_OPCODE_REMOVEFILE: FtpServer._remove,  # noqa: SLF001
    mav.MAV_FTP_OPCODE_REMOVEDIRECTORY: FtpServer._remove,  # noqa: SLF001
    mav.MAV_FTP_OPCODE_CREATEDIRECTORY: FtpServer._make_folder,  # noqa: SLF001
    mav.MAV_FTP_OPCODE_RENAME: FtpServer._rename,  # noqa: SLF001
    mav.MAV_FTP_OPCODE_CALCFILECRC: FtpServer._checksum,  # noqa: SLF001
}
