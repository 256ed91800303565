"""Mission upload beside pymavlink's usual loop: the same simulated vehicle, the same items, the same run."""

from __future__ import annotations

import asyncio
import os
import select
import socket
import statistics
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from autopilot import ARDUCOPTER, Timing, download, open_link, upload, upload_verified
from bench.rows import BenchError, Row, wanted
from missions import MissionItem
from sim import Boot, FleetConfig, start_fleet

_ITEMS = 200
_FAR_ITEMS = 40
_FAR_RTT_S = 0.05
_ROUNDS = 5
_SPEEDUP = 20.0
_HOME = (31.345, -110.94, 1180.0)
_ANSWER_S = 5.0


def rows(data: Path | None, only: str | None) -> Iterator[Row]:
    """Measure upload, read-back and both together; milliseconds an item, the median of some rounds.

    The peer is the loop of pymavlink's own examples: wait for a request, send the item, until the MISSION_ACK; then
    ask for the items one by one. Rounds of both sides alternate. There are no inputs to replace: `data` is refused.
    """
    if data is not None:
        raise BenchError("bench link measures against a simulated vehicle and takes no --data: leave it out")
    for items, delay_s in ((_ITEMS, 0.0), (_FAR_ITEMS, _FAR_RTT_S / 2)):
        where = f"{items} items" + (f", {1000 * _FAR_RTT_S:g} ms round trip" if delay_s else "")
        names = tuple(f"{what}/{where}" for what in ("upload", "read-back", "proved upload"))
        if any(wanted(name, only) for name in names):
            yield from (row for row in _measured(names, items, delay_s) if wanted(row.name, only))


def _measured(names: tuple[str, ...], count: int, delay_s: float) -> Iterator[Row]:
    rounds = 1 if delay_s else _ROUNDS
    config = FleetConfig(home=_HOME, vehicles=1, speedup=_SPEEDUP, boot=Boot(0.0, 0.0, 0.0))
    with start_fleet(config) as fleet:
        endpoint = fleet.endpoints[0]
        items = _mission(count)
        ours: list[tuple[float, float, float]] = []
        theirs: list[tuple[float, float]] = []
        with _far(endpoint.port, delay_s) as port:
            for _ in range(rounds):
                theirs.append(_pymavlink_round(endpoint.host, port, items))
                ours.append(asyncio.run(_our_round(f"udp:{endpoint.host}:{port}", items)))
    values = [1000 * statistics.median(column) / count for column in zip(*ours, strict=True)]
    peer = [1000 * statistics.median(column) / count for column in zip(*theirs, strict=True)]
    for name, value, other in zip(names, values, (*peer, sum(peer)), strict=True):
        ratio = value / other
        yield Row(name, value, "ms/item", "pymavlink loop", other, ratio, "ratio <= 1.1", ratio <= 1.1)


@contextmanager
def _far(port: int, delay_s: float) -> Iterator[int]:
    """A UDP port that passes everything on to `port` and back, each datagram late by `delay_s`."""
    if not delay_s:
        yield port
        return
    front, back = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
    with front, back:
        front.bind(("127.0.0.1", 0))
        back.connect(("127.0.0.1", port))
        stop = threading.Event()
        relay = threading.Thread(target=_relay, args=(front, back, delay_s, stop))
        relay.start()
        try:
            yield int(front.getsockname()[1])
        finally:
            stop.set()
            relay.join()


def _relay(front: socket.socket, back: socket.socket, delay_s: float, stop: threading.Event) -> None:
    client: Any = None
    late: deque[tuple[float, socket.socket, bytes]] = deque()
    while not stop.is_set():
        wait = max(0.0, late[0][0] - time.perf_counter()) if late else 0.05
        for ready in select.select([front, back], [], [], wait)[0]:
            data, sender = ready.recvfrom(2048)
            client = sender if ready is front else client
            late.append((time.perf_counter() + delay_s, back if ready is front else front, data))
        while late and late[0][0] <= time.perf_counter():
            _, way, data = late.popleft()
            if way is back:
                back.send(data)
            elif client is not None:
                front.sendto(data, client)


def _mission(count: int) -> tuple[MissionItem, ...]:
    lat, lon = round(_HOME[0] * 1e7), round(_HOME[1] * 1e7)
    home = MissionItem(0, 0, 16, x=lat, y=lon, z=_HOME[2])
    return (home, *(MissionItem(n, 3, 16, x=lat, y=lon + 500 * n, z=90.0) for n in range(1, count)))


async def _our_round(url: str, items: tuple[MissionItem, ...]) -> tuple[float, float, float]:
    clock = time.perf_counter
    timing = Timing(time_scale=_SPEEDUP)
    async with await open_link(url) as link:
        await link.wait_vehicle(timeout_s=_ANSWER_S)
        begin = clock()
        await upload(link, 1, items, timing=timing)
        sent = clock()
        read = await download(link, 1, window=ARDUCOPTER.download_window, timing=timing)
        back = clock()
        if len(read) != len(items):
            raise BenchError(f"read back {len(read)} of {len(items)} items: the simulated vehicle is not right")
        proof = await upload_verified(link, 1, items, dialect=ARDUCOPTER, timing=timing)
    return sent - begin, back - sent, proof.upload_s + proof.readback_s


def _pymavlink_round(host: str, port: int, items: tuple[MissionItem, ...]) -> tuple[float, float]:
    os.environ["MAVLINK20"] = "1"
    from pymavlink import mavutil  # noqa: PLC0415  reads MAVLINK20 when it is imported

    clock = time.perf_counter
    link = mavutil.mavlink_connection(f"udpout:{host}:{port}", source_system=255)
    try:
        link.mav.timesync_send(0, 1)
        _demand(link.wait_heartbeat(timeout=_ANSWER_S), "a heartbeat")
        begin = clock()
        link.mav.mission_count_send(1, 1, len(items), 0)
        while True:
            asked = link.recv_match(
                type=["MISSION_REQUEST", "MISSION_REQUEST_INT", "MISSION_ACK"], blocking=True, timeout=_ANSWER_S
            )
            if _demand(asked, "a request").get_type() == "MISSION_ACK":
                break
            i = items[asked.seq]
            link.mav.mission_item_int_send(
                1, 1, i.seq, i.frame, i.command, 0, 1, i.p1, i.p2, i.p3, i.p4, i.x, i.y, i.z, 0
            )  # fmt: skip
        sent = clock()
        link.mav.mission_request_list_send(1, 1, 0)
        count = _demand(link.recv_match(type="MISSION_COUNT", blocking=True, timeout=_ANSWER_S), "a count").count
        for seq in range(count):
            link.mav.mission_request_int_send(1, 1, seq, 0)
            _demand(link.recv_match(type="MISSION_ITEM_INT", blocking=True, timeout=_ANSWER_S), f"item {seq}")
        link.mav.mission_ack_send(1, 1, 0, 0)
        return sent - begin, clock() - sent
    finally:
        link.close()


def _demand(message: Any, what: str) -> Any:
    if message is None:
        raise BenchError(f"the simulated vehicle did not send {what} in {_ANSWER_S:g} s: is the machine overloaded?")
    return message
