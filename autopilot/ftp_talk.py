"""Conversations of MAVLink FTP: one question, a file that is written, a file that is read.

Every request is repeated until it is answered; the conversation ends when nothing new was heard for a while, however
many requests that took. How soon a request is repeated follows the round trip that was measured.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from autopilot.errors import FtpError
from autopilot.ftp_wire import MOST_DATA, FtpCode, FtpOp, Packet, ftp_words
from autopilot.link import Link
from autopilot.pace import Pace
from autopilot.timing import Timing
from autopilot.wire import Message

__all__ = ["FtpPeer", "FtpProgress", "Question", "Reading", "Writing"]

FtpProgress = Callable[[int, int | None], None]
"""Called with the bytes that are across, and with those in all where that is known."""

_SILENCE_S = 8.0  # vehicle seconds without anything new before it is given up
_LEAST_TRIES = 4  # within that time, however slow the link was found to be
_SHORTEST_WALL_S = 0.05
_WINDOW = 5
"""Requests under way at once: ArduPilot's queue holds five, and loses what comes on top (GCS_FTP.h)."""

_BURST_SEQS = 4096  # ArduPilot numbers up to 2,000 replies of a burst from its request on
_OF_A_SESSION = frozenset({FtpOp.READ, FtpOp.WRITE, FtpOp.TERMINATE})


@dataclass(slots=True)
class FtpPeer:
    """The other end: where it is, how fast it answers, and the next sequence number.

    Parameters
    ----------
    link, sysid, component, timing
        Whom to talk to, and how long to wait at first.
    """

    link: Link
    sysid: int
    component: int
    timing: Timing
    # Random, so that answers to an earlier program's requests are not taken for ours.
    seq: int = field(default_factory=lambda: random.randrange(0x10000))  # noqa: S311
    pace: Pace = field(init=False)

    def __post_init__(self) -> None:
        self.pace = Pace(self.timing, _SHORTEST_WALL_S)

    def next_seq(self, count: int = 1) -> int:
        """Sequence number of the next request, which takes `count` numbers."""
        seq = self.seq
        self.seq = (seq + count) % 0x10000
        return seq

    def send(self, packet: Packet) -> None:
        """Send a request."""
        self.link.send(packet.to_message(self.sysid, self.component), self.sysid)

    def heard(self, message: Message) -> Packet | None:
        """The reply in a message; None where it is not from this vehicle's autopilot to us."""
        ours = (
            message.get_srcComponent() == self.component
            and message.target_system in (0, self.link.system_id)
            and message.target_component in (0, self.link.component_id)
        )
        return Packet.from_message(message) if ours else None

    def __str__(self) -> str:
        return f"{self.link.url} vehicle {self.sysid}"


@dataclass(slots=True)
class _Request:
    packet: Packet
    sent_s: float
    due_s: float
    wait_s: float
    repeated: bool = False


class _Talk:
    """Requests under way: `autopilot.transfer_peer.Machine`."""

    def __init__(self, peer: FtpPeer, path: str) -> None:
        self._peer = peer
        self._path = path
        self._clock = asyncio.get_running_loop().time
        self._open: dict[int, _Request] = {}
        self._moved_s = self._clock()
        self._silence_s = peer.timing.wall_s(_SILENCE_S)
        self.complete = False

    @property
    def patience_s(self) -> float:
        """Wall seconds until something is due."""
        due = min((request.due_s for request in self._open.values()), default=self._moved_s + self._silence_s)
        return max(0.0, min(due, self._moved_s + self._silence_s) - self._clock())

    @property
    def _longest_s(self) -> float:
        """Wall seconds after which a request is repeated at the latest."""
        return min(self._peer.pace.longest_s, self._silence_s / _LEAST_TRIES)

    def look(self) -> None:
        """Repeat what is due, or give up, by the clock."""
        now = self._clock()
        if now >= self._moved_s + self._silence_s:
            raise FtpError(f"{self._where()}: nothing new for {self._silence_s:.1f} s: check the link and try again")
        for request in self._open.values():
            if now >= request.due_s:
                request.repeated = True
                request.wait_s = min(2 * request.wait_s, self._longest_s)
                request.due_s = now + request.wait_s
                self._peer.send(request.packet)

    def take(self, message: Message) -> None:
        """Take whatever came."""
        reply = self._peer.heard(message)
        if reply is None or reply.op not in (FtpOp.ACK, FtpOp.NAK):
            return
        request = self._open.get(reply.seq)
        if request is None or not _answers(reply, request.packet):
            self._unasked(reply)
            return
        del self._open[reply.seq]
        if request.repeated:
            self._peer.pace.answered_vaguely()
        else:
            self._peer.pace.measured(self._clock() - request.sent_s)
        self._moved_s = self._clock()
        self._answered(request.packet, reply)

    def _ask(self, packet: Packet) -> None:
        now, wait = self._clock(), min(self._peer.pace.retry_s, self._longest_s)
        self._open[(packet.seq + 1) % 0x10000] = _Request(packet, now, now + wait, wait)
        self._peer.send(packet)

    def _answered(self, request: Packet, reply: Packet) -> None:
        raise NotImplementedError

    def _unasked(self, reply: Packet) -> None:
        """A reply to nothing that is under way: late, double, or one of a burst."""

    def _refusal(self, request: Packet, reply: Packet) -> FtpError:
        return FtpError(
            f"{self._where()}: {FtpOp(request.op).name.lower()} refused: {ftp_words(reply.data)}",
            reply.data[0] if reply.data else 0,
        )

    def _where(self) -> str:
        return f"{self._peer} file {self._path}" if self._path else str(self._peer)


def _answers(reply: Packet, request: Packet) -> bool:
    # Who opens a file is told its session; some vehicles give one to every request that names none.
    return reply.request_op == request.op and (request.op not in _OF_A_SESSION or reply.session == request.session)


class Question(_Talk):
    """One request and its answer.

    Attributes
    ----------
    reply
        The answer, once complete.
    """

    reply: Packet

    def __init__(
        self, peer: FtpPeer, path: str, op: FtpOp, *, session: int = 0, offset: int = 0, data: bytes = b""
    ) -> None:
        super().__init__(peer, path)
        self._packet = Packet(peer.next_seq(), session, op, offset=offset, data=data)

    def look(self) -> None:
        """Ask, and ask again."""
        if not self._open and not self.complete:
            self._ask(self._packet)
        super().look()

    def _answered(self, request: Packet, reply: Packet) -> None:
        if reply.op == FtpOp.NAK:
            raise self._refusal(request, reply)
        self.reply = reply
        self.complete = True


class Writing(_Talk):
    """A file that is written, in pieces of its own choice."""

    def __init__(
        self,
        peer: FtpPeer,
        path: str,
        session: int,
        pieces: Sequence[tuple[int, bytes]],
        progress: FtpProgress | None,
    ) -> None:
        super().__init__(peer, path)
        self._session = session
        self._left = list(reversed(pieces))
        self._total = sum(len(data) for _, data in pieces)
        self._done = 0
        self._progress = progress
        self.complete = not pieces

    def look(self) -> None:
        """Keep the window full, and repeat what is due."""
        while self._left and len(self._open) < _WINDOW:
            offset, data = self._left.pop()
            self._ask(Packet(self._peer.next_seq(), self._session, FtpOp.WRITE, offset=offset, data=data))
        super().look()

    def _answered(self, request: Packet, reply: Packet) -> None:
        if reply.op == FtpOp.NAK:
            raise self._refusal(request, reply)
        self._done += len(request.data)
        if self._progress is not None:
            self._progress(self._done, self._total)
        self.complete = not self._left and not self._open
        if not self.complete:
            self.look()


class Reading(_Talk):
    """A file that is read: a burst, then the gaps in it one by one, until its end is known and nothing is missing.

    Parameters
    ----------
    peer, path, session
        What to read.
    size
        What the vehicle said of the file's size. ArduPilot gives 1 MiB for every list: only a file that is found to
        be just as long ends there.
    most
        Bytes beyond which it is given up.
    progress
        Called as bytes come.
    """

    def __init__(
        self, peer: FtpPeer, path: str, session: int, *, size: int, most: int, progress: FtpProgress | None
    ) -> None:
        super().__init__(peer, path)
        self._session = session
        self._size = size
        self._most = most
        self._progress = progress
        self._have: list[tuple[int, int]] = []  # from, to: in order, apart
        self._bytes = bytearray()
        self._end: int | None = None
        self._bursts = True
        self._burst_due_s: float | None = None
        self._burst_heard_s: float | None = None
        self._pace_s = 0.0

    @property
    def data(self) -> bytes:
        """The file, once complete."""
        return bytes(self._bytes)

    @property
    def patience_s(self) -> float:
        """Wall seconds until something is due."""
        own = super().patience_s
        return own if self._burst_due_s is None else max(0.0, min(own, self._burst_due_s - self._clock()))

    def look(self) -> None:
        """Repeat what is due; ask for what is missing once the burst has ended."""
        if self._burst_due_s is not None and self._clock() >= self._burst_due_s:
            self._burst_due_s = None
        super().look()
        self._go_on()

    def _go_on(self) -> None:
        if self._burst_due_s is not None:
            return
        self._fill(self._gaps())
        if self._open:
            return
        if self._end is not None:
            self.complete = True
        elif self._bursts:
            self._burst()
        else:
            self._fill([(self._reach, self._reach + _WINDOW * MOST_DATA)])

    @property
    def _reach(self) -> int:
        """How far bytes have come, with or without gaps."""
        return self._have[-1][1] if self._have else 0

    def _gaps(self) -> list[tuple[int, int]]:
        """What is missing before what came, or before the end where it is known."""
        edges = [0, *(edge for part in self._have for edge in part), self._reach if self._end is None else self._end]
        return [(a, b) for a, b in zip(edges[::2], edges[1::2], strict=True) if a < b]

    def _fill(self, gaps: Sequence[tuple[int, int]]) -> None:
        asked = {request.packet.offset for request in self._open.values()}
        for first, last in gaps:
            for offset in range(first, last, MOST_DATA):
                if len(self._open) >= _WINDOW:
                    return
                if offset not in asked:
                    self._read(offset, min(MOST_DATA, last - offset))

    def _read(self, offset: int, size: int) -> None:
        self._ask(Packet(self._peer.next_seq(), self._session, FtpOp.READ, offset=offset, size=size))

    def _burst(self) -> None:
        seq = self._peer.next_seq(_BURST_SEQS)
        self._peer.send(Packet(seq, self._session, FtpOp.BURST_READ, offset=self._reach, size=MOST_DATA))
        self._burst_heard_s = None
        self._burst_due_s = self._clock() + self._longest_s

    def _unasked(self, reply: Packet) -> None:
        if reply.request_op != FtpOp.BURST_READ or reply.session != self._session:
            return
        now = self._clock()
        if reply.op == FtpOp.NAK:
            self._burst_ended(reply)
        else:
            # A slow radio has its replies far apart: the burst is not over before a few of them could have come.
            if self._burst_heard_s is not None:
                self._pace_s = max(now - self._burst_heard_s, 0.75 * self._pace_s)
            self._burst_heard_s = now
            if self._burst_due_s is not None:
                wait_s = max(self._peer.pace.retry_s, 4 * self._pace_s)
                self._burst_due_s = None if reply.burst_complete else now + wait_s
            self._add(reply.offset, reply.data)
        self._go_on()

    def _burst_ended(self, reply: Packet) -> None:
        self._burst_due_s = None
        code = reply.data[0] if reply.data else 0
        if code == FtpCode.UNKNOWN_COMMAND:
            self._bursts = False
            self._moved_s = self._clock()
        elif code != FtpCode.END_OF_FILE:
            raise self._refusal(Packet(0, 0, FtpOp.BURST_READ), reply)
        elif self._end is None:
            self._moved_s = self._clock()
            if self._reach and self._reach in (reply.offset, self._size):
                self._end = self._reach
            elif reply.offset > self._reach:
                self._at_most(reply.offset)
                self._end = reply.offset
            elif not any(request.packet.offset == self._reach for request in self._open.values()):
                # Not every vehicle says where the end is: what follows what came shows it.
                self._read(self._reach, MOST_DATA)

    def _answered(self, request: Packet, reply: Packet) -> None:
        if reply.op == FtpOp.NAK:
            if not reply.data or reply.data[0] != FtpCode.END_OF_FILE:
                raise self._refusal(request, reply)
            self._ends_before(request.offset)
        elif reply.data:
            # What a reply says of its place counts little beside what was asked.
            self._add(request.offset, reply.data[: request.size])
        else:
            self._ends_before(request.offset)
        self._go_on()

    def _ends_before(self, offset: int) -> None:
        if offset < self._reach:
            raise FtpError(f"{self._where()}: it became shorter while it was read: read it again")
        self._end = offset if self._end is None else min(self._end, offset)

    def _at_most(self, size: int) -> None:
        if size > self._most:
            raise FtpError(f"{self._where()}: it is longer than {self._most} bytes: this is not what was asked for")

    def _add(self, offset: int, data: bytes) -> None:
        if not data:
            return
        first, last = offset, offset + len(data)
        self._at_most(last)
        if any(a <= first and last <= b for a, b in self._have):
            return
        if last > len(self._bytes):
            self._bytes.extend(bytes(last - len(self._bytes)))
        self._bytes[first:last] = data
        for part in [part for part in self._have if part[0] <= last and first <= part[1]]:
            self._have.remove(part)
            first, last = min(first, part[0]), max(last, part[1])
        self._have.append((first, last))
        self._have.sort()
        self._moved_s = self._clock()
        if self._progress is not None:
            self._progress(sum(b - a for a, b in self._have), self._end)
