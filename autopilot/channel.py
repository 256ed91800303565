"""One way to vehicles: a socket or a port, what is heard on it, and how it is opened again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol

from autopilot.prompt import Prompt, asked_in
from autopilot.routes import Routes
from autopilot.wire import Codec, Message, SequenceCounter, identity

__all__ = ["Channel", "Reopening", "reason"]

_MOST_OVERTAKEN = 2

Opener = Callable[["Channel", float], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Reopening:
    """When a connection that was lost is opened again, in wall seconds.

    Parameters
    ----------
    first_s, most_s
        The first wait and the longest; each is twice the one before.
    connect_s
        How long one attempt may take.
    """

    first_s: float = 1.0
    most_s: float = 8.0
    connect_s: float = 5.0


class Above(Protocol):
    """The link that a channel belongs to."""

    def took(self, channel: Channel, system: int, message: Message, packet: bytes, *, is_old: bool) -> None:
        """A message of a system came that is to be believed; an old one is only written down."""

    def answered(self, channel: Channel, system: int, packet: bytes, answer: bytes, prompt: Prompt) -> None:
        """A request of a system came that was foreseen, and its answer has gone."""

    def told(self, channel: Channel, text: str) -> None:
        """A channel was lost, or is open again."""

    def ended(self, what: str) -> None:
        """A channel that cannot be opened again was lost."""


class Channel:
    """One of the ways of a `Link`: what the wire calls a channel, with sequence numbers of its own.

    Attributes
    ----------
    url
        What it was opened with.
    codec, routes, counters
        Its framing; its addresses, where many send to it; sequence numbers by system and component.
    up
        Whether it is open.
    openings
        How often it was opened.
    heard
        Loop time at which each system was last heard on it.
    trouble
        What is wrong with it, in words.
    """

    def __init__(
        self, url: str, codec: Codec, above: Above, opener: Opener | None = None, reopening: Reopening | None = None
    ) -> None:
        self.url = url
        self.codec = codec
        self.routes = Routes()
        self.counters: dict[tuple[int, int], SequenceCounter] = {}
        self.up = False
        self.openings = 0
        self.heard: dict[int, float] = {}
        self.trouble: str | None = None
        self._above = above
        self._opener = opener
        self._reopening = reopening or Reopening()
        self._wait_s = self._reopening.first_s
        self._useful = False
        self._write: Callable[[bytes, Any], None] | None = None
        self._shut: Callable[[], None] = lambda: None
        self._only_route: Any = None
        self._again: asyncio.Task[None] | None = None
        self._closed = False
        self._beats: dict[tuple[int, int], tuple[int, int]] = {}  # place of the newest HEARTBEAT, older ones since
        self._prompts: dict[bytes, Prompt] = {}
        self._ready: dict[bytes, Prompt] = {}

    async def open(self) -> None:
        """Open it. Raises OSError, TimeoutError."""
        assert self._opener is not None
        await self._opener(self, self._reopening.connect_s)

    def retry(self, what: str) -> None:
        """Open it later, as one that was lost."""
        self.trouble = what
        self._again = asyncio.get_running_loop().create_task(self._open_again())

    async def close(self) -> None:
        """Close it for good."""
        self._closed = True
        if self._again is not None:
            self._again.cancel()
            await asyncio.gather(self._again, return_exceptions=True)
        self.up = False
        self._shut()

    def send(self, message: Message, sysid: int | None) -> bytes:
        """Send a message to where a system was last heard here, or to everybody; its packet."""
        packet = self.codec.encode(message)
        if self._write is None:
            return packet
        if self._only_route is not None:
            self._write(packet, self._only_route)
            return packet
        route = None if sysid is None else self.routes.of(sysid, getattr(message, "target_component", None))
        for each in self.routes.every() if route is None else (route,):
            self._write(packet, each)
        return packet

    def foresee(self, prompt: Prompt) -> Callable[[], None]:
        """Answer what a conversation foresees before anything else is done; returns what ends that."""
        if not self.codec.signed:
            self._prompts.update(dict.fromkeys(prompt.heads, prompt))

        def stop() -> None:
            prompt.withdraw()
            self._ready.pop(prompt.asked, None)
            self._prompts = {head: one for head, one in self._prompts.items() if one is not prompt}

        return stop

    # What the socket or the port tells: `autopilot.transports.Carrier`.

    def started(self, write: Callable[[bytes, Any], None], shut: Callable[[], None], route: Any) -> None:
        """It is open."""
        self._write, self._shut, self._only_route = write, shut, route
        self.up, self._useful = True, False
        self.openings += 1

    def received(self, data: bytes, route: Any, *, datagram: bool) -> None:
        """Bytes came: answer what is foreseen, and hand the messages of all others up."""
        foreseen = self._ready.get(asked_in(data)) if self._ready else None
        if foreseen is not None:
            data = data[self._answered(foreseen, data, route) :]
            if not data:
                return
        for message, packet in self.codec.feed(data, route, datagram=datagram):
            system, component, seq = identity(packet)
            # Radios speak for themselves, and unsigned on a signed link: they have no route.
            if (
                route is not None
                and message.get_type() != "RADIO_STATUS"
                and not self.routes.takes(system, component, route)
            ):
                continue
            place = self._count(system, component, seq)
            is_old = message.get_type() == "HEARTBEAT" and self._is_overtaken((system, component), place)
            self._above.took(self, system, message, packet, is_old=is_old)
            if self._prompts:
                prompt = self._prompts.get(packet[5:10])
                if prompt is not None:
                    self._pack(prompt, packet, route)

    def _answered(self, prompt: Prompt, data: bytes, route: Any) -> int:
        """Length of the request at the beginning of `data` that got the answer that lies ready; 0 if there is none."""
        packet, number, write = prompt.packet, prompt.number, self._write
        frame = prompt.first_of(data)
        # Within a frame, or behind noise, nobody knows what it is.
        if not (frame and packet) or write is None or route != prompt.route or not self.codec.at_start(route):
            return 0
        if not self.codec.take_number(packet):
            return 0
        prompt.withdraw()
        write(packet, self._only_route or route)
        prompt.answered(number)
        self._pack(prompt, frame, route)
        system, component, seq = identity(frame)
        if route is not None:
            self.routes.takes(system, component, route)
        self._count(system, component, seq)
        self._above.answered(self, system, frame, packet, prompt)
        return len(frame)

    def _pack(self, prompt: Prompt, last: bytes, route: Any) -> None:
        """Have the next answer ready, where one is foreseen."""
        self._ready.pop(prompt.asked, None)
        if prompt.pack(last, route, self.codec):
            self._ready[prompt.asked] = prompt

    def _is_overtaken(self, who: tuple[int, int], place: int) -> bool:
        """Whether a HEARTBEAT was sent before one that came already: its mode is not that of now.

        One that booted anew counts from 0 again, as if all were late: so many in a row are not.
        """
        newest, skipped = self._beats.get(who, (place, 0))
        if place >= newest or skipped == _MOST_OVERTAKEN:
            self._beats[who] = place, 0
            return False
        self._beats[who] = newest, skipped + 1
        return True

    def _count(self, system: int, component: int, seq: int) -> int:
        self._useful = True
        counter = self.counters.get((system, component))
        if counter is None:
            counter = self.counters[system, component] = SequenceCounter()
        return counter.add(seq)

    def gone(self, route: Any) -> None:
        """One of those who connected here has gone: its vehicles may come back from another address at once."""
        self.codec.forget(route)
        self.routes.forget(route)

    def troubled(self, what: str) -> None:
        """Note an error of a datagram socket: the other end may yet come up."""
        self.trouble = what

    def lost(self, what: str) -> None:
        """It has ended: open it again, where that is possible."""
        if self._closed or not self.up:
            return
        self.up, self._write, self.trouble = False, None, what
        self.codec.forget()
        if self._opener is None:
            self._above.ended(what)
            return
        # One that is taken and closed at once, over and over, is not tried any faster for it.
        self._wait_s = self._reopening.first_s if self._useful else self._longer_s()
        self._above.told(self, what)
        self.retry(what)

    def _longer_s(self) -> float:
        return min(2.0 * self._wait_s, self._reopening.most_s)

    async def _open_again(self) -> None:
        began, tries = asyncio.get_running_loop().time(), 0
        why = self.trouble
        while True:
            await asyncio.sleep(self._wait_s)
            tries += 1
            try:
                await self.open()
            except (OSError, TimeoutError) as error:
                self.trouble = f"{why}; opened again {tries} times in vain: {reason(error)}"
                self._wait_s = self._longer_s()
            else:
                self.trouble = None
                self._above.told(self, f"open again after {asyncio.get_running_loop().time() - began:.1f} s")
                return


def reason(error: Exception) -> str:
    """Why a socket or a port did not open, in words."""
    return str(error.strerror if isinstance(error, OSError) and error.strerror else error) or "no answer"
