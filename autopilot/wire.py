"""Bytes to messages and back: MAVLink framing that survives noise, sequence statistics, tlog recording."""

from __future__ import annotations

import contextlib
import errno
import os
import struct
import time
from dataclasses import dataclass
from io import RawIOBase
from pathlib import Path
from typing import Any

from pymavlink.dialects.v20 import ardupilotmega as mav

from autopilot.errors import LinkError
from autopilot.signing import Signing
from autopilot.wire_decode import checksum, decoded, whole_frames

__all__ = ["Codec", "Message", "Recorder", "SequenceCounter", "frame_length", "identity", "is_unknown"]

Message = Any
"""A pymavlink message object; pymavlink's classes carry no types."""

_V1, _V2 = 0xFE, 0xFD
_MAGIC = (_V1, _V2)
_SIGNED = 0x01


@dataclass(slots=True)
class SequenceCounter:
    """Counts packets, and gaps in the sequence numbers, of one component."""

    received: int = 0
    lost: int = 0
    late: int = 0
    _last: int | None = None  # not cut to a byte

    def add(self, seq: int) -> int:
        """Count a packet of sequence number `seq`; a step back is a late or repeated packet, not a loss of 200.

        Returns
        -------
        int
            Its place among all that were sent: less than that of a packet that was sent after it.
        """
        self.received += 1
        if self._last is None:
            self._last = seq
            return seq
        step = (seq - self._last) % 256
        if 1 <= step < 128:
            self.lost += step - 1
            self._last += step
            return self._last
        self.late += 1
        return self._last - (-step % 256)


class Recorder:
    """Writes a telemetry log that Mission Planner, QGroundControl and pymavlink open.

    Each packet, both directions, follows its time as an 8-byte big-endian count of microseconds since the Unix epoch.
    A packet is with the operating system once `write` returns, so a program that is killed leaves whole packets. A disk
    that fails later costs the rest of the log and nothing else: a flight must not end for its record.

    Attributes
    ----------
    path
        The file.
    failure
        Why the log ends before the flight, in words; None where it is whole.

    Raises
    ------
    LinkError
        When the file cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file: RawIOBase | None = path.open("wb", buffering=0)
        except OSError as error:
            raise LinkError(f"{path}: cannot record the link: {error.strerror}: choose another place") from error
        self.path = path
        self.failure: str | None = None

    def write(self, packet: bytes) -> None:
        """Append one packet, timed now; nothing once the log has failed."""
        if self._file is None:
            return
        try:
            record = struct.pack(">Q", time.time_ns() // 1000) + packet
            if self._file.write(record) != len(record):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))  # noqa: TRY301  as where nothing was written
        except OSError as error:
            self._failed(error)

    def close(self) -> None:
        """Close the file."""
        file, self._file = self._file, None
        if file is not None:
            try:
                file.close()
            except OSError as error:
                self._failed(error)

    def _failed(self, error: OSError) -> None:
        file, self._file = self._file, None
        self.failure = f"{self.path}: the log breaks off: {error.strerror}: make room on the disk"
        if file is not None:
            with contextlib.suppress(OSError):
                file.close()


class Codec:
    """Encodes messages of ours and finds messages in bytes of theirs.

    A frame whose checksum is wrong costs one byte, not its claimed length, so that noise before a packet cannot eat
    the packet.

    Parameters
    ----------
    system_id, component_id
        Our own identity on the wire.
    signing
        Signs what goes out and judges what comes; None for an unsigned link. All links of a ground station share it.
    """

    def __init__(self, system_id: int, component_id: int, signing: Signing | None = None) -> None:
        self._mav = mav.MAVLink(None, srcSystem=system_id, srcComponent=component_id)
        # Signatures of others are judged here, not by pymavlink: its parser knows no key.
        self._parser = mav.MAVLink(None)
        self._signing = signing
        if signing is not None:
            self._mav.signing.secret_key = signing.key.secret
            self._mav.signing.sign_outgoing = True
            self._mav.signing.link_id = signing.link_id()
        self._buffers: dict[Any, bytearray] = {}
        self.bad_bytes = 0
        self.refused = 0
        self.signers_unjudged: set[int] = set()

    def encode(self, message: Message) -> bytes:
        """Packet of a message, with the next sequence number."""
        if self._signing is not None:
            self._mav.signing.timestamp = self._signing.clock.next()
        packet = bytes(message.pack(self._mav))
        self._mav.seq = (self._mav.seq + 1) % 256
        return packet

    @property
    def signed(self) -> bool:
        """Whether packets are signed, both ways."""
        return self._signing is not None

    def ahead(self, message: Message) -> bytes:
        """Packet of a message, unsigned, that has the next sequence number and does not take it yet."""
        return bytes(message.pack(self._mav))

    def take_number(self, packet: bytes) -> bool:
        """Take the sequence number of a packet that was packed ahead, if it is still the next; whether it is."""
        number = self._mav.seq
        if packet[4] != number:
            return False
        self._mav.seq = (number + 1) % 256
        return True

    def at_start(self, source: Any) -> bool:
        """Whether what comes next from a source begins a frame."""
        return source not in self._buffers

    def forget(self, source: Any = None) -> None:
        """Forget the unfinished frame of a source whose connection has ended."""
        self._buffers.pop(source, None)

    def feed(self, data: bytes, source: Any = None, *, datagram: bool = False) -> list[tuple[Message, bytes]]:
        """Messages that `data` completes, with their packets.

        Parameters
        ----------
        data
            Bytes as they came.
        source
            Where they came from: each source has its own unfinished frame.
        datagram
            True where `data` is one datagram: a new one that begins with a frame ends an unfinished frame of noise.
        """
        if datagram and source not in self._buffers and self._mav.signing.secret_key is None:
            whole = whole_frames(data, self._mav.decode)
            if whole is not None:
                return whole
        buffer = self._buffers.setdefault(source, bytearray())
        found: list[tuple[Message, bytes]] = []
        if datagram and buffer and data[:1] in (b"\xfd", b"\xfe"):
            self._scan(buffer, found, final=True)
            buffer.clear()
        buffer += data
        self._scan(buffer, found, final=False)
        if datagram and buffer:
            # Noise that looks like the head of a long frame: whole frames behind it need not wait for more.
            behind: list[tuple[Message, bytes]] = []
            bad_bytes = self.bad_bytes
            self._scan(bytearray(buffer), behind, final=True)
            if any(not is_unknown(message) for message, _ in behind):
                found += behind
                buffer.clear()
            else:
                self.bad_bytes = bad_bytes
        if not buffer:
            del self._buffers[source]  # sources may be as many as a stranger likes
        return found

    def _scan(self, buffer: bytearray, found: list[tuple[Message, bytes]], *, final: bool) -> None:
        position = 0
        end = len(buffer)
        while position < end:
            if buffer[position] not in _MAGIC:
                position += 1
                self.bad_bytes += 1
                continue
            length = frame_length(buffer, position)
            if length is None or position + length > end:
                if not final:
                    break
                position += 1
                self.bad_bytes += 1
                continue
            refused = self.refused
            message = self._decode(buffer[position : position + length])
            after = position + length
            if self.refused > refused and _checksum_holds(buffer[position:after]):
                # A whole frame, only not for us: its signature, any bytes, must not be taken for the head of another.
                position = after
                continue
            # A message that this dialect lacks has no checksum to test: believe it where a frame or nothing follows.
            if message is None or (is_unknown(message) and after < end and buffer[after] not in _MAGIC):
                position += 1
                self.bad_bytes += 1
                continue
            found.append((message, bytes(buffer[position:after])))
            position = after
        del buffer[:position]

    def _decode(self, frame: bytearray) -> Message | None:
        if frame[0] == _V2 and frame[2] & ~_SIGNED:
            return None
        if self._signing is not None and not self._signing.accepts(frame):
            self.refused += 1
            return None
        try:
            if frame[0] == _V2 and not frame[2]:
                return decoded(frame, self._parser.decode)
            message = self._parser.decode(frame)
        except mav.MAVError:
            return None
        # Unsigned ones of version 2 are decoded above; what the dialect lacks may be noise, for it has no checksum.
        if self._signing is None and frame[0] == _V2 and not is_unknown(message):
            self.signers_unjudged.add(frame[5])  # its system id
        return message


def is_unknown(message: Message) -> bool:
    """Whether the dialect lacks this message: it counts in the sequence and in a recording, and says nothing."""
    return isinstance(message, mav.MAVLink_unknown)


def identity(packet: bytes) -> tuple[int, int, int]:
    """System id, component id and sequence number of a packet."""
    if packet[0] == _V1:
        return packet[3], packet[4], packet[2]
    return packet[5], packet[6], packet[4]


def _checksum_holds(frame: bytearray) -> bool:
    """Whether the checksum of a complete frame of a message that the dialect has is right."""
    v1 = frame[0] == _V1
    number = frame[5] if v1 else int.from_bytes(frame[7:10], "little")
    message = mav.mavlink_map.get(number)
    if message is None:
        return False
    end = frame[1] + (6 if v1 else 10)
    found = checksum(frame[1:end] + bytes((message.crc_extra,)))
    return found == int.from_bytes(frame[end : end + 2], "little")


def frame_length(buffer: bytes | bytearray, position: int) -> int | None:
    """Length in bytes of the frame that begins at `position`, or None while its header is incomplete."""
    if len(buffer) - position < 3:
        return None
    payload = buffer[position + 1]
    if buffer[position] == _V1:
        return payload + 8
    return payload + 12 + (13 if buffer[position + 2] & _SIGNED else 0)
