"""A thousand vehicles that report: ``python -m bench.telemetry_source``, in a process of its own.

Told the ports, it makes all packets before the first is sent, so that sending them costs little; each position says in
its boot clock when it is due. What is not sent together goes one after the other, 20 ms apart. ``hello`` sends a
heartbeat of every vehicle, ``start`` the rest, and answers when all is sent.
"""

from __future__ import annotations

import resource
import socket
import time
from typing import Any

from pymavlink.dialects.v20 import ardupilotmega as mav

from bench.link_lines import HOME, serve

BATCHES_A_S = 10
ON_EVERY_BATCH = 3
"""Position, attitude and speed; the rest take turns."""

MESSAGES_A_S = 50
_PROBE_S = 0.0005


class _Source:
    """Vehicles on their ports, and what they send."""

    def __init__(self, ports: list[int], vehicles: int, seconds: int, together: int) -> None:
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
        self._sockets = []
        self._hello = []
        batches: list[tuple[float, int, bytes]] = []
        for number in range(vehicles):
            udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            # System ids have 8 bits: every port has its own.
            udp.connect(("127.0.0.1", ports[number % len(ports)]))
            self._sockets.append(udp)
            sender = mav.MAVLink(None, srcSystem=number // len(ports) + 1, srcComponent=1)
            self._hello.append(_packed(sender, [_heartbeat()]))
            phase_s = number / vehicles / BATCHES_A_S
            for turn in range(seconds * BATCHES_A_S):
                due_s = phase_s + turn / BATCHES_A_S
                messages = _batch(due_s, turn)
                for first in range(0, len(messages), together):
                    at_s = due_s + first / MESSAGES_A_S
                    batches.append((at_s, number, _packed(sender, messages[first : first + together])))
        self._batches = sorted(batches, key=lambda batch: batch[0])

    def hello(self) -> None:
        """A heartbeat of everybody."""
        for udp, packet in zip(self._sockets, self._hello, strict=True):
            udp.send(packet)
            time.sleep(_PROBE_S)

    def start(self, at: float) -> float:
        """Send everything from `at` on, on the monotonic clock; by how many seconds the latest was late."""
        latest_s = 0.0
        for due_s, number, packet in self._batches:
            while (ahead_s := at + due_s - time.monotonic()) > 0:
                time.sleep(min(ahead_s, _PROBE_S))
            latest_s = max(latest_s, -ahead_s)
            self._sockets[number].send(packet)
        return latest_s


def _heartbeat() -> Any:
    return mav.MAVLink_heartbeat_message(mav.MAV_TYPE_QUADROTOR, mav.MAV_AUTOPILOT_ARDUPILOTMEGA, 0x81, 3, 4, 3)


def _batch(due_s: float, turn: int) -> list[Any]:
    """Five messages of one moment: 50 a second."""
    boot_ms = round(1000 * due_s)
    lat, lon, up = round(HOME[0] * 1e7), round(HOME[1] * 1e7) + turn, round(HOME[2] * 1000)
    own = [
        mav.MAVLink_global_position_int_message(boot_ms, lat, lon, up, 90_000, 0, 1000, 0, 9000),
        mav.MAVLink_attitude_message(boot_ms, 0.01, -0.02, 1.57, 0.0, 0.0, 0.0),
        mav.MAVLink_vfr_hud_message(10.0, 10.0, 90, 40, up / 1000, 0.0),
    ]
    rest = [
        _heartbeat(),
        mav.MAVLink_gps_raw_int_message(boot_ms * 1000, 6, lat, lon, up, 80, 120, 1000, 9000, 14),
        mav.MAVLink_sys_status_message(0x1F, 0x1F, 0x1F, 100, 22_000, 1500, 80, 0, 0, 0, 0, 0, 0),
        mav.MAVLink_ekf_status_report_message(0x1F, 0.02, 0.02, 0.02, 0.02, 0.0),
        mav.MAVLink_mission_current_message(turn % 50),
        mav.MAVLink_system_time_message(0, boot_ms),
    ]
    return [*own, rest[2 * turn % len(rest)], rest[(2 * turn + 1) % len(rest)]]


def _packed(sender: Any, messages: list[Any]) -> bytes:
    packets = []
    for message in messages:
        packets.append(bytes(message.pack(sender)))
        sender.seq = (sender.seq + 1) % 256
    return b"".join(packets)


def main() -> None:
    """Answer standard input."""
    sources: list[_Source] = []

    def answer(asked: dict[str, Any]) -> dict[str, Any]:
        if asked["what"] == "make":
            sources.append(_Source(asked["ports"], asked["vehicles"], asked["seconds"], asked["together"]))
        elif asked["what"] == "hello":
            sources[0].hello()
        else:
            return {"late_s": sources[0].start(asked["at"])}
        return {}

    serve(answer)


if __name__ == "__main__":
    main()
