"""A round trip of its own length to a UDP port: ``python -m bench.link_far DELAY_S PORT...``, one way each.

Prints the ports that stand before the given ones as a line of JSON, and ends with its standard input.
"""

from __future__ import annotations

import json
import selectors
import socket
import sys
import time
from collections import deque
from typing import Any

_DATAGRAM = 4096
_BUFFER = 4 << 20


def main(delay_s: float, ports: list[int]) -> None:
    """Pass datagrams on, each late by `delay_s`, until standard input ends."""
    selector = selectors.DefaultSelector()
    fronts = []
    for port in ports:
        front, back = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
        front.bind(("127.0.0.1", 0))
        back.connect(("127.0.0.1", port))
        for each in (front, back):
            each.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
        way: dict[str, Any] = {"client": None}
        selector.register(front, selectors.EVENT_READ, (front, back, way))
        selector.register(back, selectors.EVENT_READ, (back, front, way))
        fronts.append(int(front.getsockname()[1]))
    selector.register(sys.stdin, selectors.EVENT_READ, None)
    print(json.dumps(fronts), flush=True)
    _pass_on(selector, delay_s)


def _pass_on(selector: selectors.BaseSelector, delay_s: float) -> None:
    late: deque[tuple[float, socket.socket, bytes, Any]] = deque()
    clock = time.perf_counter
    while True:
        for key, _ in selector.select(max(0.0, late[0][0] - clock()) if late else 0.5):
            if key.data is None:
                return
            here, there, way = key.data
            try:
                data, sender = here.recvfrom(_DATAGRAM)
            except ConnectionRefusedError:
                continue
            # What comes back through a connected socket goes to whoever spoke last.
            towards_client = _is_connected(here)
            way["client"] = way["client"] if towards_client else sender
            late.append((clock() + delay_s, there, data, way if towards_client else None))
        while late and late[0][0] <= clock():
            _, there, data, back = late.popleft()
            if back is None:
                there.send(data)
            elif back["client"] is not None:
                there.sendto(data, back["client"])


def _is_connected(each: socket.socket) -> bool:
    try:
        each.getpeername()
    except OSError:
        return False
    return True


if __name__ == "__main__":
    main(float(sys.argv[1]), [int(port) for port in sys.argv[2:]])
