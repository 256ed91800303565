"""One side of the link's bench in a process of its own: ``python -m bench.link_round ours|pymavlink``."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from typing import Any

from bench.link_lines import places, serve
from bench.rows import BenchError

_ANSWER_S = 5.0


_runner = asyncio.Runner()
_links: dict[int, Any] = {}
"""One a port: a heartbeat is waited for once and not in every round."""


def ours(asked: dict[str, Any]) -> dict[str, Any]:
    """Upload or read a mission with `autopilot`."""
    return _runner.run(_ours(**asked))


async def _ours(host: str, port: int, sysid: int, what: str, count: int) -> dict[str, Any]:
    from autopilot import ARDUCOPTER, download, open_link, upload, upload_verified  # noqa: PLC0415  not for the peer
    from missions import MissionItem  # noqa: PLC0415

    items = tuple(MissionItem(n, frame, command, x=x, y=y, z=z) for n, frame, command, x, y, z in places(count))
    clock = time.perf_counter
    if port not in _links:
        link = await open_link(f"udp:{host}:{port}")
        await link.wait_vehicle(sysid, timeout_s=_ANSWER_S)
        _links[port] = link
    link = _links[port]
    if what == "files":
        proof = await upload_verified(link, sysid, items, dialect=ARDUCOPTER)
        if not proof.by_file:
            raise BenchError(f"the list went item by item: {proof.remark or 'the vehicle offers no files'}")
        return {"seconds": proof.upload_s, "readback_s": proof.readback_s, "items": proof.items}
    if what == "proved":
        proof = await upload_verified(link, sysid, items, dialect=ARDUCOPTER, by_file=False)
        return {"seconds": proof.upload_s + proof.readback_s, "items": proof.items}
    begin = clock()
    if what == "upload":
        await upload(link, sysid, items)
        return {"seconds": clock() - begin, "items": count}
    read = await download(link, sysid, window=ARDUCOPTER.download_window)
    return {"seconds": clock() - begin, "items": len(read)}


def pymavlink(asked: dict[str, Any]) -> dict[str, Any]:
    """Upload or read a mission with the loop of pymavlink's own examples.

    Wait for a request, send the item, until the MISSION_ACK; to read, ask for the items one by one.
    """
    os.environ["MAVLINK20"] = "1"
    from pymavlink import mavutil  # noqa: PLC0415  reads MAVLINK20 when it is imported

    port = asked["port"]
    if port not in _links:
        link = mavutil.mavlink_connection(f"udpout:{asked['host']}:{port}", source_system=255)
        link.mav.timesync_send(0, 1)
        _demand(link.wait_heartbeat(timeout=_ANSWER_S), "a heartbeat")
        _links[port] = link
    work = _upload if asked["what"] == "upload" else _read
    begin = time.perf_counter()
    items = work(_links[port], asked["sysid"], asked["count"])
    return {"seconds": time.perf_counter() - begin, "items": items}


def _upload(link: Any, sysid: int, count: int) -> int:
    items = places(count)
    link.mav.mission_count_send(sysid, 1, count, 0)
    while True:
        asked = link.recv_match(
            type=["MISSION_REQUEST", "MISSION_REQUEST_INT", "MISSION_ACK"], blocking=True, timeout=_ANSWER_S
        )
        if _demand(asked, "a request").get_type() == "MISSION_ACK":
            return count
        n, frame, command, x, y, z = items[asked.seq]
        link.mav.mission_item_int_send(sysid, 1, n, frame, command, 0, 1, 0, 0, 0, 0, x, y, z, 0)


def _read(link: Any, sysid: int, _: int) -> int:
    link.mav.mission_request_list_send(sysid, 1, 0)
    count = int(_demand(link.recv_match(type="MISSION_COUNT", blocking=True, timeout=_ANSWER_S), "a count").count)
    for seq in range(count):
        link.mav.mission_request_int_send(sysid, 1, seq, 0)
        _demand(link.recv_match(type="MISSION_ITEM_INT", blocking=True, timeout=_ANSWER_S), f"item {seq}")
    link.mav.mission_ack_send(sysid, 1, 0, 0)
    return count


def _demand(message: Any, what: str) -> Any:
    if message is None:
        raise BenchError(f"the simulated vehicle did not send {what} in {_ANSWER_S:g} s: is the machine overloaded?")
    return message


if __name__ == "__main__":
    serve({"ours": ours, "pymavlink": pymavlink}[sys.argv[1]])
