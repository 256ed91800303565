"""A serial port as a link, by what the operating system offers: no library lies between event loop and device."""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import Callable
from typing import Any, Protocol

try:
    import fcntl
    import termios
except ImportError:  # Windows has neither
    fcntl = termios = None  # type: ignore[assignment]

__all__ = ["BAUD", "Opened", "SerialPort"]

BAUD = 57600
"""Baud rate where none is given: that of SiK telemetry radios."""
_READ = 4096
_MOST_WAITING = 64 << 10  # bytes that the port has not taken: at 57600 baud 11 s, and what is older is worth nothing


class Opened(Protocol):
    """Who is told what becomes of a port."""

    def received(self, data: bytes, route: Any, *, datagram: bool) -> None:
        """Bytes came."""

    def lost(self, what: str) -> None:
        """The device is gone."""


class SerialPort:
    """An open port: eight bits, no parity, one stop bit, no flow control, and nobody else on it.

    Parameters
    ----------
    carrier
        Who is told of bytes and of the end.
    path
        The device.
    baud
        Baud rate; one that the operating system has a name for.

    Raises
    ------
    OSError
        When there is no such device, it is no serial port, it is in use, or it does not know the rate.
    """

    def __init__(self, carrier: Opened, path: str, baud: int) -> None:
        if termios is None:
            raise OSError(
                errno.ENOTSUP, "serial ports are read on Linux and macOS alone: use a router and its UDP port"
            )
        rate = getattr(termios, f"B{baud}", None) if baud else None
        if rate is None:
            raise OSError(errno.EINVAL, f"{baud} is no baud rate of this system: give 57600, 115200 or 921600")
        self._carrier = carrier
        self._waiting = bytearray()
        self._loop = asyncio.get_running_loop()
        self._file: int | None = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            self._set_up(rate)
        except BaseException:
            os.close(self._file)
            raise
        self._loop.add_reader(self._file, self._read)

    def _set_up(self, rate: int) -> None:
        assert self._file is not None
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise OSError(errno.EBUSY, "another program has the port open") from error
        try:
            control = termios.tcgetattr(self._file)[6]
            fcntl.ioctl(self._file, termios.TIOCEXCL)
            # A read of no bytes then means that the device is gone, and nothing else.
            control[termios.VMIN], control[termios.VTIME] = 1, 0
            flags = termios.CS8 | termios.CREAD | termios.CLOCAL
            termios.tcsetattr(self._file, termios.TCSANOW, [0, 0, flags, 0, rate, rate, control])
            termios.tcflush(self._file, termios.TCIOFLUSH)
        except termios.error as error:
            raise OSError(error.args[0], f"it is no serial port: {error.args[1]}") from error

    def write(self, packet: bytes, _route: Any = None) -> None:
        """Send a packet; it is lost whole where the port does not take what is waiting."""
        if self._file is None or len(self._waiting) + len(packet) > _MOST_WAITING:
            return
        if not self._waiting:
            self._loop.add_writer(self._file, self._write)
        self._waiting += packet
        self._write()

    def close(self) -> None:
        """Close the port; nobody is told."""
        file, self._file = self._file, None
        if file is not None:
            self._loop.remove_reader(file)
            self._loop.remove_writer(file)
            os.close(file)

    def _read(self) -> None:
        data = self._attempt(lambda file: os.read(file, _READ))
        if data:
            self._carrier.received(data, None, datagram=False)
        elif data is not None:
            self._end("the device was unplugged")

    def _write(self) -> None:
        written = self._attempt(lambda file: os.write(file, self._waiting))
        if written:
            del self._waiting[:written]
        if not self._waiting and self._file is not None:
            self._loop.remove_writer(self._file)

    def _attempt(self, action: Callable[[int], Any]) -> Any:
        """What an action on the open file gives; None where it has to wait or the device is gone."""
        if self._file is None:
            return None
        try:
            return action(self._file)
        except (BlockingIOError, InterruptedError):
            return None
        except OSError as error:
            self._end("the device was unplugged" if error.errno in {errno.EIO, errno.ENXIO} else str(error.strerror))
            return None

    def _end(self, what: str) -> None:
        self.close()
        self._carrier.lost(f"connection lost: {what}")
