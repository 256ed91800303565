"""A ground station's link and a simulated vehicle over a rough channel in memory, in time that costs none.

The event loop's clock jumps to whatever is due next, so that a second of waiting takes no second, and a fate of packets
that comes from a seed is the same each time.
"""

import asyncio
import random
import selectors
from dataclasses import dataclass

from autopilot.channel import Channel as Way
from autopilot.link import Link
from autopilot.wire import Codec
from sim import Boot, FleetConfig
from sim.vehicle import Vehicle

HOME = (31.345, -110.94, 1180.0)
_TURN_S = 0.004


class _Jump(selectors.SelectSelector):
    """Waits for nothing: the clock is moved instead."""

    now = 0.0

    def select(self, timeout=None):
        self.now += max(timeout or 0.0, 0.0)
        return super().select(0)


class _Loop(asyncio.SelectorEventLoop):
    def __init__(self):
        self._jump = _Jump()
        super().__init__(self._jump)

    def time(self):
        return self._jump.now


def run(coroutine):
    """Run a coroutine on a clock that jumps."""
    with asyncio.Runner(loop_factory=_Loop) as runner:
        return runner.run(coroutine)


@dataclass
class Channel:
    """What becomes of datagrams, either way."""

    seed: int = 0
    loss: float = 0.0
    twice: float = 0.0
    delay_s: float = 0.001
    jitter_s: float = 0.0
    """More than the time between two datagrams brings them out of order."""
    cut: bool = False

    def __post_init__(self):
        self._random = random.Random(f"rough {self.seed}")

    def carry(self, deliver, data):
        loop = asyncio.get_running_loop()
        for _ in range(2 if self._random.random() < self.twice else 1):
            late_s = self.delay_s + self.jitter_s * self._random.random()
            if self._random.random() >= self.loss and not self.cut:
                loop.call_later(late_s, self._arrive, deliver, data)

    def _arrive(self, deliver, data):
        if not self.cut:
            deliver(data)


class Joined:
    """A link with one simulated vehicle behind a channel; an async context manager."""

    def __init__(self, channel=None, **config):
        self.channel = channel or Channel()
        values = {"home": HOME, "boot": Boot(0.0, 0.0, 0.0), "start_time_us": 0} | config
        self.config = FleetConfig(**values)
        self.vehicle = Vehicle(self.config, 0, self._to_station, 0)
        self.link = Link("rough", 255, 190, None)
        self.way = Way("rough", Codec(255, 190), self.link)
        self.link.channels.append(self.way)
        self.way.started(self._to_vehicle, lambda: None, "peer")
        self.heard = []
        """Packets as they came in at the vehicle."""
        self._awaited = {}
        self.drop = lambda _: False
        """Whether a packet to the vehicle is lost."""

    def items(self, kind):
        """What the vehicle holds, home left out of a mission."""
        return self.vehicle._transfers[kind].items

    def carried(self, number):
        """How many messages of a type came to the vehicle."""
        return sum(int.from_bytes(packet[7:10], "little") == number for packet in self.heard)

    def at(self, number, count, act):
        """Call `act` as soon as so many messages of a type have come to the vehicle, before it answers the last."""
        self._awaited[number, count] = act

    def _to_station(self, _, data):
        self.channel.carry(lambda packet: self.way.received(packet, None, datagram=True), data)

    def _to_vehicle(self, packet, _):
        if not self.drop(packet):
            self.channel.carry(self._arrived, packet)

    def _arrived(self, packet):
        self.heard.append(packet)
        now = asyncio.get_running_loop().time()
        self.vehicle.receive("station", packet, now)
        number = int.from_bytes(packet[7:10], "little")
        self._awaited.pop((number, self.carried(number)), lambda: None)()

    async def __aenter__(self):
        self._turns = asyncio.create_task(self._turn())
        return self

    async def __aexit__(self, *_):
        self._turns.cancel()
        await asyncio.gather(self._turns, return_exceptions=True)
        await self.link.close()

    async def _turn(self):
        clock = asyncio.get_running_loop().time
        while True:
            while self.vehicle.flight.time_s < clock() * self.config.speedup:
                self.vehicle.flight.step()
            self.vehicle.pump(clock())
            await asyncio.sleep(_TURN_S)
