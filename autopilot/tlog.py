"""Reading telemetry logs: ours and those of QGroundControl, Mission Planner and MAVProxy."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

from autopilot.errors import LogError
from autopilot.px4_events import event_in
from autopilot.wire import Codec, Message, frame_length, is_unknown

__all__ = ["read_tlog"]

_STAMP = struct.Struct(">Q")
_MAGIC = (0xFD, 0xFE)
# Of a stamp that can be believed: from 2000 to 2100, microseconds.
_EARLIEST_US, _LATEST_US = 946_684_800_000_000, 4_102_444_800_000_000


def read_tlog(path: Path) -> Iterator[tuple[int, Message]]:
    """Messages of a log, each with its time.

    A log that breaks off, as when its program was killed, is read as far as it goes; bytes that are no record are
    passed over.

    Parameters
    ----------
    path
        The file: for each packet its time, 8 bytes big-endian, and the packet.

    Yields
    ------
    tuple
        UTC microseconds since the Unix epoch, and the message. Of those that the dialect lacks EVENT alone, which is
        no message of pymavlink's: it has its type, its sender and its words.

    Raises
    ------
    LogError
        When the file cannot be read, or holds no record at all.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise LogError(f"{path}: cannot be read: {error.strerror}: check the path") from error
    codec = Codec(0, 0)
    found = False
    at = 0
    while at + _STAMP.size < len(data):
        begin = at + _STAMP.size
        (time_us,) = _STAMP.unpack_from(data, at)
        length = frame_length(data, begin) if data[begin] in _MAGIC else None
        if length is None or not _EARLIEST_US <= time_us <= _LATEST_US or begin + length > len(data):
            at += 1
            continue
        packet = data[begin : begin + length]
        messages = codec.feed(packet, datagram=True)
        if not messages:
            at += 1
            continue
        found = True
        at = begin + length
        for message, _ in messages:
            known = event_in(packet) if is_unknown(message) else message
            if known is not None:
                yield time_us, known
    if not found and data:
        raise LogError(f"{path}: holds no packet with its time: give a .tlog of a ground station")
