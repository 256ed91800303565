"""MAVSDK as a peer of the link: ``.venv-peers/bin/python -m bench.peer_mavsdk`` (``make peers``)."""

from __future__ import annotations

import time
from typing import Any

from mavsdk.logging import log_subscribe
from mavsdk.mavsdk import Configuration, Mavsdk
from mavsdk.plugins.mission_raw import MissionItem, MissionRaw

from bench.link_lines import places, serve

_GROUND_STATION = (245, 190)
_FOUND_S = 10.0

_known: dict[int, tuple[Any, Any]] = {}


def answer(asked: dict[str, Any]) -> dict[str, Any]:
    """Upload or read a mission; how long it took."""
    mission = _mission(asked["host"], asked["port"])
    if asked["what"] == "read-back":
        begin = time.perf_counter()
        count = len(mission.download_mission())
        return {"seconds": time.perf_counter() - begin, "items": count}
    items = [
        MissionItem(seq=n, frame=frame, command=command, autocontinue=1, x=x, y=y, z=z, current=int(n == 0))
        for n, frame, command, x, y, z in places(asked["count"])
    ]
    begin = time.perf_counter()
    mission.upload_mission(items)
    return {"seconds": time.perf_counter() - begin, "items": len(items)}


def _mission(host: str, port: int) -> Any:
    if port not in _known:
        sdk = Mavsdk(Configuration.create_manual(*_GROUND_STATION, always_send_heartbeats=True))
        sdk.add_any_connection(f"udpout://{host}:{port}")
        system = sdk.first_autopilot(_FOUND_S)
        if system is None:
            raise TimeoutError(f"no vehicle at {host}:{port} in {_FOUND_S:g} s")
        _known[port] = (sdk, MissionRaw(system))
    return _known[port][1]


if __name__ == "__main__":
    # Its own log goes to standard output, where the answers go.
    log_subscribe(lambda *_: True)
    serve(answer)
