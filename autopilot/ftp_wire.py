"""Requests and replies of MAVLink FTP: the payload of FILE_TRANSFER_PROTOCOL (MAVLink file transfer protocol)."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum
from types import MappingProxyType

from pymavlink.dialects.v20 import ardupilotmega as mav

from autopilot.wire import Message

__all__ = ["MOST_DATA", "FtpCode", "FtpOp", "Packet", "ftp_words"]

_HEAD = struct.Struct("<HBBBBBxI")
_PAYLOAD = 251

MOST_DATA = _PAYLOAD - _HEAD.size
"""Bytes of a file, or of a name, that one message carries: 239."""


class FtpOp(IntEnum):
    """MAV_FTP_OPCODE."""

    NONE = 0
    TERMINATE = 1
    RESET = 2
    LIST = 3
    OPEN_READ = 4
    READ = 5
    CREATE = 6
    WRITE = 7
    REMOVE = 8
    MAKE_DIRECTORY = 9
    REMOVE_DIRECTORY = 10
    OPEN_WRITE = 11
    TRUNCATE = 12
    RENAME = 13
    CRC32 = 14
    BURST_READ = 15
    ACK = 128
    NAK = 129


class FtpCode(IntEnum):
    """MAV_FTP_ERR, the first byte of a NAK."""

    NONE = 0
    FAIL = 1
    FAIL_ERRNO = 2
    INVALID_SIZE = 3
    INVALID_SESSION = 4
    NO_SESSIONS = 5
    END_OF_FILE = 6
    UNKNOWN_COMMAND = 7
    EXISTS = 8
    PROTECTED = 9
    NOT_FOUND = 10


_WORDS = MappingProxyType(
    {
        FtpCode.NONE: "refused without a reason",
        FtpCode.FAIL: "failed: not in the session's present state",
        FtpCode.FAIL_ERRNO: "failed in the vehicle's file system",
        FtpCode.INVALID_SIZE: "the request's size makes no sense to the vehicle",
        # ArduPilot up to July 2025 has one for all ground stations, and says so to who comes while it is in use.
        FtpCode.INVALID_SESSION: "the session is not open, or another program's is: try again in a few seconds",
        FtpCode.NO_SESSIONS: "all sessions are in use: another program transfers files; try again in a few seconds",
        FtpCode.END_OF_FILE: "past the end of the file or folder",
        FtpCode.UNKNOWN_COMMAND: "the vehicle does not know this request",
        FtpCode.EXISTS: "the file or folder exists already",
        FtpCode.PROTECTED: "the file is protected",
        FtpCode.NOT_FOUND: "no such file or folder",
    }
)


def ftp_words(data: bytes) -> str:
    """A NAK's data in words, with the number of the system's own error where there is one."""
    code = data[0] if data else 0
    words = _WORDS[FtpCode(code)] if code in set(FtpCode) else f"code {code}, which this version does not know"
    return f"{words} (errno {data[1]})" if code == FtpCode.FAIL_ERRNO and len(data) > 1 else words


@dataclass(frozen=True, slots=True)
class Packet:
    """One request or reply.

    Parameters
    ----------
    seq
        Of a request any number; a reply has the next one. 16 bits, wraps.
    session
        Which open file.
    op
        FtpOp; ACK or NAK in a reply.
    request_op
        In a reply, what it answers.
    offset
        Byte of the file, or number of the folder's entry, that `data` begins with.
    data
        At most `MOST_DATA` bytes.
    size
        What a request to read asks for; None for the length of `data`.
    burst_complete
        In a reply to a burst, whether it is the burst's last.
    """

    seq: int
    session: int
    op: int
    request_op: int = 0
    offset: int = 0
    data: bytes = b""
    size: int | None = None
    burst_complete: bool = False

    def to_message(self, sysid: int, component: int) -> Message:
        """FILE_TRANSFER_PROTOCOL to a vehicle."""
        size = len(self.data) if self.size is None else self.size
        head = _HEAD.pack(self.seq, self.session, self.op, size, self.request_op, int(self.burst_complete), self.offset)
        payload = (head + self.data).ljust(_PAYLOAD, b"\0")
        return mav.MAVLink_file_transfer_protocol_message(0, sysid, component, payload)

    @classmethod
    def from_message(cls, message: Message) -> Packet | None:
        """The reply in a FILE_TRANSFER_PROTOCOL; None where its size is more than a message can carry."""
        payload = bytes(message.payload)
        seq, session, op, size, request_op, burst_complete, offset = _HEAD.unpack_from(payload)
        if size > MOST_DATA:
            return None
        data = payload[_HEAD.size : _HEAD.size + size]
        return cls(seq, session, op, request_op, offset, data, burst_complete=bool(burst_complete))
