"""What comes over several links and is one thing all the same."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Copies", "Once"]

_WINDOW_S = 5.0  # no link in use is slower than another by more
_MOST = 4096


class Copies:
    """Packets that a router sent over two links: their bytes are the same.

    A vehicle that speaks on two links by itself numbers the packets of each for themselves, so these are none.
    """

    def __init__(self) -> None:
        self._seen: dict[bytes, tuple[Any, float]] = {}
        self._order: deque[tuple[float, bytes]] = deque()

    def is_copy(self, channel: Any, packet: bytes, now_s: float) -> bool:
        """Whether this packet came over another link before; and remembers it."""
        while self._order and (now_s - self._order[0][0] > _WINDOW_S or len(self._order) >= _MOST):
            came_s, old = self._order.popleft()
            if self._seen.get(old, (None, 0.0))[1] == came_s:
                del self._seen[old]
        first = self._seen.get(packet)
        if first is not None:
            return first[0] is not channel
        self._seen[packet] = channel, now_s
        self._order.append((now_s, packet))
        return False


@dataclass(slots=True)
class _Told:
    since_s: float
    times: dict[Any, int] = field(default_factory=dict)
    delivered: int = 0


class Once:
    """Events that a vehicle tells on every link: each is handed on once, and one that it tells twice, twice."""

    def __init__(self) -> None:
        self._told: dict[Any, _Told] = {}

    def is_new(self, channel: Any, event: Any, now_s: float) -> bool:
        """Whether an event of a link was not handed on before."""
        told = self._told.get(event)
        if told is None or now_s - told.since_s > _WINDOW_S:
            self._told = {key: one for key, one in self._told.items() if now_s - one.since_s <= _WINDOW_S}
            told = self._told[event] = _Told(now_s)
        times = told.times[channel] = told.times.get(channel, 0) + 1
        if times <= told.delivered:
            return False
        told.delivered = times
        return True
