"""The far end of an upload, as fast as it can be: ``python -m bench.link_responder``, for one client.

Every packet that it will ever send is made beforehand; to answer it looks at the number of a message and of an item. So
what is measured against it is the client, and each client meets the same. It takes whatever it is sent: it serves to
measure time, and no safety. Prints its port, and ends with its standard input.
"""

from __future__ import annotations

import json
import select
import socket
import struct
import sys
import time
from typing import Any

from pymavlink.dialects.v20 import ardupilotmega as mav

from bench.link_lines import places

SYSID = 1
_HEARTBEAT_S = 1.0
_COUNT, _ITEM, _LIST, _ASKED = (
    int(number)
    for number in (
        mav.MAVLINK_MSG_ID_MISSION_COUNT,
        mav.MAVLINK_MSG_ID_MISSION_ITEM_INT,
        mav.MAVLINK_MSG_ID_MISSION_REQUEST_LIST,
        mav.MAVLINK_MSG_ID_MISSION_REQUEST_INT,
    )
)
_COMMAND = int(mav.MAVLINK_MSG_ID_COMMAND_LONG)
_LOOK_S = 0.2
_MOST = 1024


class _Packets:
    """What is said to one client."""

    def __init__(self, station: tuple[int, int]) -> None:
        codec = mav.MAVLink(None, srcSystem=SYSID, srcComponent=1)

        def packed(number: int, message: Any) -> bytes:
            codec.seq = number % 256
            return bytes(message.pack(codec))

        self.count = 0
        each = range(_MOST)
        self.requests = [packed(n, mav.MAVLink_mission_request_int_message(*station, n, 0)) for n in each]
        self.counts = [packed(n, mav.MAVLink_mission_count_message(*station, n, 0)) for n in each]
        self.items = [
            packed(n, mav.MAVLink_mission_item_int_message(*station, n, frame, command, 0, 1, 0, 0, 0, 0, x, y, z, 0))
            for n, frame, command, x, y, z in places(_MOST)
        ]
        self.accepted = packed(0, mav.MAVLink_mission_ack_message(*station, 0, 0))
        self.heartbeat = packed(0, mav.MAVLink_heartbeat_message(2, 3, 0x51, 0, 3, 3))
        no = [0] * 8
        able = mav.MAV_PROTOCOL_CAPABILITY_MISSION_INT | mav.MAV_PROTOCOL_CAPABILITY_MAVLINK2
        version = mav.MAVLink_autopilot_version_message(able, 4 << 24, 0, 0, 0, no, no, no, 0, 0, 1)
        self.version = packed(0, version)
        self._codec, self._station = codec, station

    def done(self, command: int) -> bytes:
        """Acceptance of a command."""
        return bytes(mav.MAVLink_command_ack_message(command, 0, 0, 0, *self._station).pack(self._codec))


def main() -> None:
    """Answer until standard input ends."""
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind(("127.0.0.1", 0))
    # One system call a packet: the kernel wakes this process, and nothing is asked in between.
    udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", 0, round(1e6 * _LOOK_S)))
    print(json.dumps(udp.getsockname()[1]), flush=True)
    clients: dict[Any, _Packets] = {}
    looked_s = beat_s = 0.0
    while True:
        _take(udp, clients)
        now_s = time.monotonic()
        if now_s - looked_s > _LOOK_S:
            looked_s = now_s
            if select.select([sys.stdin], [], [], 0.0)[0]:
                return
            if now_s - beat_s > _HEARTBEAT_S:
                beat_s = now_s
                for client, packets in clients.items():
                    udp.sendto(packets.heartbeat, client)


def _take(udp: socket.socket, clients: dict[Any, _Packets]) -> None:
    """Answer one packet, or wait in vain."""
    try:
        data, client = udp.recvfrom(2048)
    except (BlockingIOError, ConnectionRefusedError):
        return
    packets = clients.get(client)
    if packets is None:
        packets = clients[client] = _Packets((data[5], data[6]))
    number = data[7] | data[8] << 8 | data[9] << 16
    if number == _COUNT:
        packets.count = data[10] | data[11] << 8
    for answer in _answers(packets, number, data):
        udp.sendto(answer, client)


def _answers(packets: _Packets, number: int, data: bytes) -> tuple[bytes, ...]:
    """To a packet of this message number; what it says is taken from where it stands in the packet."""
    if number == _ITEM:
        seq = data[38] | data[39] << 8
        return (packets.requests[seq + 1] if seq + 1 < packets.count else packets.accepted,)
    if number == _ASKED:
        return (packets.items[data[10] | data[11] << 8],)
    if number == _COUNT:
        return (packets.requests[0],)
    if number == _LIST:
        return (packets.counts[packets.count],)
    if number == _COMMAND:
        return (packets.done(data[38] | data[39] << 8), packets.version)
    return ()


if __name__ == "__main__":
    main()
