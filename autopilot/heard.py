"""What one vehicle says: telemetry, texts, when it was last heard, and waiting for something to be so."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from autopilot.dialect import Dialect
from autopilot.dialects import is_known
from autopilot.errors import LinkError
from autopilot.link import Link
from autopilot.routes import SILENT_S
from autopilot.telemetry import Telemetry, TelemetryState, Text, on_earth
from autopilot.timing import Timing
from autopilot.waiting import Waiting
from autopilot.wire import Message
from autopilot.wire_decode import boot_ms_of

__all__ = ["Heard"]


class Heard:
    """A vehicle on a link, as it is heard.

    Attributes
    ----------
    link, sysid, component, dialect, timing
        Where it is, who it is and how it speaks.
    """

    def __init__(self, link: Link, sysid: int, component: int, dialect: Dialect, timing: Timing) -> None:
        self.link = link
        self.sysid = sysid
        self.component = component
        self.dialect = dialect
        self.timing = timing
        self._state = TelemetryState(dialect.mode_name, prearm_unlisted=dialect.prearm_unlisted)
        self._snapshot: Telemetry | None = None
        self._clock = asyncio.get_running_loop().time
        self._heard = self._placed = self._clock()
        self._placed_ms: int | None = None
        self._kind: tuple[int, int] | None = None  # MAV_AUTOPILOT and MAV_TYPE
        self._other: tuple[int, int] | None = None
        self._other_s = 0.0
        self._waiting = Waiting(lambda: self.telemetry)
        self._listeners: list[Callable[[Message, Telemetry], None]] = []
        self._stop = link.listen(self._take, sysid=sysid)
        self._forget = link.on_close(self._waiting.wake)

    def close(self) -> None:
        """Stop listening. The link stays open."""
        self._stop()
        self._forget()

    def __str__(self) -> str:
        return f"{self.link.url} vehicle {self.sysid}"

    @property
    def telemetry(self) -> Telemetry:
        """Snapshot of now."""
        if self._snapshot is None:
            self._snapshot = self._state.snapshot()
        return self._snapshot

    @property
    def texts(self) -> Sequence[Text]:
        """Every STATUSTEXT since the connection, the last ten thousand, oldest first."""
        return self._state.texts

    @property
    def silent_s(self) -> float:
        """Wall seconds since the autopilot was last heard."""
        return self._clock() - self._heard

    @property
    def position_age_s(self) -> float:
        """Wall seconds since a new position came; one that is repeated with its old time is not new."""
        return self._clock() - self._placed

    def listen(self, listener: Callable[[Message, Telemetry], None]) -> Callable[[], None]:
        """Call `listener` with each message of the autopilot and the snapshot after it; returns what ends it."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def check_same(self) -> None:
        """Raise LinkError where it said in the last 10 s that it is a vehicle of another kind."""
        if self._other is not None and self._clock() - self._other_s < SILENT_S:
            is_now, was = (f"MAV_AUTOPILOT {a}, MAV_TYPE {t}" for a, t in (self._other, self._kind or (0, 0)))
            raise LinkError(
                f"{self}: says that it is another kind of vehicle ({is_now}; it was {was}): another speaks with its "
                "system id, or it was set up anew: see which, then connect again"
            )

    def _is_another(self, message: Message) -> bool:
        """Whether a HEARTBEAT is of another kind than the first; one that is still booting says none that is known."""
        kind = message.autopilot, message.type
        if self._kind is None:
            self._kind = kind
        if kind != self._kind and is_known(*kind):
            self._other, self._other_s = kind, self._clock()
        return kind != self._kind

    def _take(self, message: Message) -> None:
        if message.get_srcComponent() != self.component:
            return
        kind = message.get_type()
        if kind == "HEARTBEAT" and self._is_another(message):
            return
        self._heard = self._clock()
        if kind == "GLOBAL_POSITION_INT":
            if not on_earth(message):
                return  # no position, and nothing else is known by it
            boot_ms = boot_ms_of(message)
            if boot_ms != self._placed_ms:
                self._placed, self._placed_ms = self._heard, boot_ms
        if self._state.take(message):
            self._snapshot = None
            self._waiting.look()
        for listener in tuple(self._listeners):
            listener(message, self.telemetry)

    async def wait_until(
        self, predicate: Callable[[Telemetry], bool], vehicle_s: float, *, wall_s: float | None = None
    ) -> Telemetry | None:
        """First snapshot for which `predicate` holds, or None after a time.

        Parameters
        ----------
        predicate
            Asked once now, then after each message that changes the snapshot.
        vehicle_s
            How long to wait, seconds of the vehicle's time.
        wall_s
            How long to wait in wall seconds instead.

        Raises
        ------
        LinkError
            When the link was lost.
        """
        if predicate(self.telemetry):
            return self.telemetry
        found = await self._waiting.until(predicate, self.timing.wall_s(vehicle_s) if wall_s is None else wall_s)
        self.link.check()
        return found
