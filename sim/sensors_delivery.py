"""Messages of sensors on their way: a bounded spool, tries again and again, in order; what is lost is counted.

The spool is in memory, as in the sensors that it stands for: what waits when the run ends is lost, and counted.
"""

from __future__ import annotations

import contextlib
import json
import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from random import SystemRandom
from types import TracebackType
from typing import Any, Protocol, Self

from sim.errors import CueError

__all__ = ["CueCourier", "DeliveryCount", "FileSink", "MessageRefusedError", "Sink", "UnreachableError"]

_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.1, 10.0
_IDLE_S = 1.0


class UnreachableError(CueError):
    """The message did not arrive; the next try may succeed."""


class MessageRefusedError(CueError):
    """The receiver will never take this message."""


class Sink(Protocol):
    """Where messages go."""

    def deliver(self, message: Mapping[str, Any], giving_up: threading.Event) -> bool:
        """Hand a message over; back only when the receiver has it.

        Parameters
        ----------
        message
            A cue or heartbeat of `sim.sensors_cue`.
        giving_up
            Set when there is no more time.

        Returns
        -------
        bool
            False when messages of this type do not go there.

        Raises
        ------
        UnreachableError
            When it did not arrive.
        MessageRefusedError
            When it never will.
        """
        ...

    def idle(self) -> None:
        """Look after the connection; called every second while there is nothing to deliver."""
        ...

    def close(self) -> None:
        """Let go of the connection."""
        ...


@dataclass(frozen=True, slots=True)
class DeliveryCount:
    """What became of the messages.

    Parameters
    ----------
    delivered
        The receiver has them.
    refused
        The receiver will never take them.
    dropped
        The oldest of a full spool, which made room for newer ones.
    waiting
        In the spool.
    tries
        How often a message did not arrive and was tried again.
    problem
        The latest refusal or failure in words; None where there was none.
    """

    delivered: int = 0
    refused: int = 0
    dropped: int = 0
    waiting: int = 0
    tries: int = 0
    problem: str | None = None


class CueCourier:
    """Takes messages to a sink in a thread of its own, one after the other, each until it has arrived.

    A message counts as delivered when the receiver has said so, so one that arrived and was not acknowledged comes
    twice: at least once, in order.

    Parameters
    ----------
    sink
        Where they go; closed with the courier.
    most_waiting
        Length of the spool. When it is full the oldest message that is not on its way is dropped.
    end_s
        How long the end of the context waits for the spool to become empty.
    """

    def __init__(self, sink: Sink, *, most_waiting: int = 10_000, end_s: float = 5.0) -> None:
        if most_waiting < 1:
            raise CueError(f"a spool of {most_waiting} messages: give 1 or more")
        self._sink, self._most, self._end_s = sink, most_waiting, end_s
        self._spool: deque[Mapping[str, Any]] = deque()
        self._count = DeliveryCount()
        self._on_its_way = False
        self._changed = threading.Condition()
        self._ending, self._giving_up = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="cues", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def put(self, message: Mapping[str, Any]) -> None:
        """Spool a message; never waits."""
        with self._changed:
            if len(self._spool) + self._on_its_way >= self._most and self._spool:
                self._spool.popleft()
                self._add(dropped=1)
            self._spool.append(message)
            self._changed.notify_all()

    @property
    def count(self) -> DeliveryCount:
        """What became of the messages up to now."""
        with self._changed:
            return replace(self._count, waiting=len(self._spool) + self._on_its_way)

    def close(self) -> DeliveryCount:
        """Deliver what waits for up to `end_s`, then let go; says what became of everything."""
        self._ending.set()
        with self._changed:
            self._changed.notify_all()
        self._thread.join(self._end_s)
        self._giving_up.set()
        self._thread.join()
        self._sink.close()
        return self.count

    def _add(self, problem: str | None = None, **more: int) -> None:
        now = {name: getattr(self._count, name) + number for name, number in more.items()}
        self._count = replace(self._count, **now, problem=problem or self._count.problem)

    def _run(self) -> None:
        while True:
            with self._changed:
                if not self._spool and not self._ending.is_set():
                    self._changed.wait(_IDLE_S)
                message = self._spool.popleft() if self._spool and not self._giving_up.is_set() else None
                self._on_its_way = message is not None
            if message is None:
                if self._ending.is_set():
                    return
                self._sink.idle()
                continue
            settled = self._carry(message)
            with self._changed:
                self._on_its_way = False
                if not settled:
                    self._spool.appendleft(message)
                    return

    def _carry(self, message: Mapping[str, Any]) -> bool:
        """Try until the message has arrived or is refused; False when the time is over before."""
        failures = 0
        while True:
            try:
                sent = self._sink.deliver(message, self._giving_up)
            except MessageRefusedError as refusal:
                with self._changed:
                    self._add(str(refusal), refused=1)
                return True
            except UnreachableError as failure:
                with self._changed:
                    self._add(str(failure), tries=1)
            else:
                with self._changed:
                    self._add(delivered=int(sent))
                return True
            wait_s = min(_LONGEST_WAIT_S, _FIRST_WAIT_S * 2**failures)
            failures = min(failures + 1, 16)
            # Spread, so that many senders do not come back at once.
            if self._giving_up.wait(wait_s * SystemRandom().uniform(0.75, 1.25)):
                return False


class FileSink:
    """A file of one message a line, written as they come.

    Parameters
    ----------
    path
        Its folder is made where absent; a file that is there is replaced.

    Raises
    ------
    CueError
        When it cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("w", encoding="utf-8")
        except OSError as error:
            raise CueError(f"cues file {path} cannot be written ({error.strerror}): choose another place") from error

    def deliver(self, message: Mapping[str, Any], giving_up: threading.Event) -> bool:  # noqa: ARG002 - as every sink
        """Append a message."""
        start = self._file.tell()
        try:
            self._file.write(json.dumps(message) + "\n")
            self._file.flush()
        except OSError as error:
            self._cut(start)
            raise UnreachableError(f"cues file {self._path}: {error.strerror}; make room") from error
        return True

    def _cut(self, length: int) -> None:
        # Half a line must not stay before the next try.
        with contextlib.suppress(OSError):
            self._file.close()
        self._file = self._path.open("r+", encoding="utf-8")
        self._file.truncate(length)
        self._file.seek(length)

    def idle(self) -> None:
        """Nothing to look after."""

    def close(self) -> None:
        """Close the file."""
        self._file.close()
