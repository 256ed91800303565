"""Ending a command in good order: what the terminal, or the system, asks for."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import threading
from collections.abc import Awaitable, Callable, Iterator
from types import FrameType
from typing import TypeVar

__all__ = ["ending_when_told", "noting_when_told", "run_until_told"]

T = TypeVar("T")

_NAMES = ("SIGINT", "SIGTERM", "SIGHUP")  # the last where a terminal closes; Windows has none


def run_until_told(
    work: Callable[[asyncio.Event], Awaitable[T]], told: Callable[[], None], noted: threading.Event | None = None
) -> T:
    """Run `work` in a loop of its own; Ctrl-C, SIGTERM and a terminal that closes set its event.

    What the process was told to ignore, as ``nohup`` does, stays ignored. Afterwards signals do what they did before.

    Parameters
    ----------
    work
        Ends in good order once its event is set.
    told
        Called when the first signal comes.
    noted
        What `noting_when_told` gave where this runs in it: a signal that came before the loop listened ends `work` too,
        and one that comes in the loop is noted there, for what would run next.

    Raises
    ------
    KeyboardInterrupt
        When a second signal comes: `work` is cancelled then.
    """

    async def run() -> T:
        loop = asyncio.get_running_loop()
        stop = asyncio.Event()
        task = asyncio.ensure_future(work(stop))

        def end() -> None:
            if stop.is_set():
                task.cancel()
            else:
                stop.set()
                if noted is not None:
                    noted.set()
                told()

        # Where a loop takes no signals (Windows, a thread), Ctrl-C cancels the work as asyncio does by itself.
        numbers = [getattr(signal, name) for name in _NAMES if hasattr(signal, name)]
        numbers = [number for number in numbers if signal.getsignal(number) is not signal.SIG_IGN]
        before = {number: signal.getsignal(number) for number in numbers}
        with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
            for number in numbers:
                loop.add_signal_handler(number, end)
        if noted is not None and noted.is_set():  # between the last look at it and the loop
            end()
        try:
            return await task
        except asyncio.CancelledError:
            if stop.is_set():
                raise KeyboardInterrupt from None
            raise
        finally:
            with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
                for number, handler in before.items():
                    loop.remove_signal_handler(number)
                    signal.signal(number, handler)

    return asyncio.run(run())


@contextlib.contextmanager
def ending_when_told(end: Callable[[], None], told: Callable[[], None]) -> Iterator[None]:
    """While the context lasts Ctrl-C, SIGTERM and a terminal that closes call `end`, in a thread of its own.

    For work without a loop. What the process was told to ignore stays ignored; outside the main thread, which alone
    gets signals, nothing changes.

    Parameters
    ----------
    end
        Makes the work in the context end in good order.
    told
        Called when the first signal comes. A second one raises KeyboardInterrupt.
    """
    ending = threading.Thread(target=end, name="vedette-ending", daemon=True)

    def act(number: int, frame: FrameType | None) -> None:
        del number, frame
        if ending.ident is not None:
            raise KeyboardInterrupt
        ending.start()
        told()

    with _handled(act):
        yield


@contextlib.contextmanager
def noting_when_told() -> Iterator[threading.Event]:
    """While the context lasts what asks for an end sets an event, and ends nothing: between runs of `run_until_told`.

    A second one raises KeyboardInterrupt. Outside the main thread nothing changes.
    """
    told = threading.Event()

    def act(number: int, frame: FrameType | None) -> None:
        del number, frame
        if told.is_set():
            raise KeyboardInterrupt
        told.set()

    with _handled(act):
        yield told


@contextlib.contextmanager
def _handled(act: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    before = {}
    with contextlib.suppress(ValueError):
        for number in (getattr(signal, name) for name in _NAMES if hasattr(signal, name)):
            if signal.getsignal(number) is not signal.SIG_IGN:
                before[number] = signal.signal(number, act)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
