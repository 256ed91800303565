"""MAVLink 2 signing: one key, and one clock over all links of a process, which never goes back.

A signature carries a time, and who checks it takes none that is not later than the last of the same sender and link
(MAVLink guide, "Message signing"). So two links of one ground station share a clock, and one that starts anew goes on
from where it was, whatever its wall clock says meanwhile.
"""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from pymavlink.dialects.v20 import ardupilotmega as mav

from autopilot.errors import LinkError

__all__ = ["Signing", "SigningClock", "SigningKey", "signing_clock_file"]

_EPOCH_S = 1_420_070_400  # 2015-01-01 UTC
_UNITS_A_SECOND = 100_000  # of 10 µs
_LATEST = (1 << 48) - 1
_NEW_STREAM_BEHIND = 60 * _UNITS_A_SECOND  # how far behind our clock a sender may be that was not heard before
_SAVED_AHEAD = 2 * _UNITS_A_SECOND  # so that the file is written each 2 s, not with each packet
_KEY_LENGTH = 32
_V2, _SIGNED, _SIGNATURE = 0xFD, 0x01, 13
# Radios report themselves unsigned, from the ground side: harmless and always let through.
_UNSIGNED = frozenset({mav.MAVLINK_MSG_ID_RADIO_STATUS})


@dataclass(frozen=True, slots=True)
class SigningKey:
    """The secret that both ends of a signed link hold.

    Parameters
    ----------
    secret
        32 bytes.

    Raises
    ------
    LinkError
        When they are not 32.
    """

    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.secret) != _KEY_LENGTH:
            raise LinkError(f"a signing key has {_KEY_LENGTH} bytes and this one {len(self.secret)}: give another")

    @classmethod
    def of_passphrase(cls, passphrase: str) -> Self:
        """The key is the SHA-256 of a passphrase, as in Mission Planner, QGroundControl and MAVProxy."""
        return cls(hashlib.sha256(passphrase.encode()).digest())

    @classmethod
    def read(cls, path: Path) -> Self:
        """The key in a file: 32 bytes, or 64 hexadecimal digits, or a passphrase that ends with its line.

        Raises
        ------
        LinkError
            When it cannot be read, is none of them, or may be two of them.
        """
        try:
            data = path.read_bytes()
        except OSError as error:
            raise LinkError(f"{path}: cannot be read: {error.strerror}: check the path of the signing key") from error
        if len(data) == _KEY_LENGTH:
            if data.isascii() and data.decode().isprintable():
                raise LinkError(
                    f"{path}: 32 bytes that can be a key or a passphrase: end a passphrase with a new line, or write "
                    "the key as 64 hexadecimal digits"
                )
            return cls(data)
        try:
            text = data.decode().removesuffix("\n").removesuffix("\r")
        except UnicodeDecodeError:
            text = ""
        if not text or "\n" in text:
            raise LinkError(
                f"{path}: holds no signing key: give 32 bytes, 64 hexadecimal digits, or one line with a passphrase"
            )
        if len(text) == 2 * _KEY_LENGTH and all(digit in "0123456789abcdefABCDEF" for digit in text):
            return cls(bytes.fromhex(text))
        return cls.of_passphrase(text)


def signing_clock_file() -> Path:
    """Where the clock is kept by default: ``vedette/signing-clock`` in the user's folder of states (XDG)."""
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(state) / "vedette" / "signing-clock"


class SigningClock:
    """Times of signatures: 48 bits, 10 µs since 2015-01-01 UTC; each later than the one before.

    Parameters
    ----------
    path
        File that keeps it over restarts, shared by all programs of a ground station; None for none. It says a time
        that is up to 2 s ahead: a program that starts anew goes on from there.
    wall
        UTC, seconds since the Unix epoch. It may step back: the clock goes on from where it was.

    Attributes
    ----------
    failure
        Why the file is behind, in words; None where it is not. A flight does not end for it.

    Raises
    ------
    LinkError
        When the file cannot be written at first, or holds no time.
    """

    def __init__(self, path: Path | None = None, wall: Callable[[], float] = time.time) -> None:
        self._path = path
        self._wall = wall
        self._last = 0
        self._saved = 0
        self.failure: str | None = None
        if path is not None:
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                self._last = self._save(self.now())
            except OSError as error:
                raise LinkError(
                    f"{path}: the signing clock cannot be kept: {error.strerror}: choose another place"
                ) from error
            except ValueError as error:
                raise LinkError(
                    f"{path}: the file of the signing clock holds no time: take it away where the clock of this "
                    "machine is right"
                ) from error

    def now(self) -> int:
        """The time, without taking it."""
        wall = int((self._wall() - _EPOCH_S) * _UNITS_A_SECOND)
        return max(wall, self._last, 0)

    def next(self) -> int:
        """The time of the next signature, later than every other that this clock gave or heard."""
        self._last = min(max(self.now(), self._last + 1), _LATEST)
        if self._path is not None and self._last >= self._saved:
            self._keep()
        return self._last

    def heard(self, timestamp: int) -> None:
        """Go on from a time that a good signature carried, where it is ahead of us."""
        self._last = max(self._last, timestamp)

    def _keep(self) -> None:
        try:
            self._save(self._last)
        except (OSError, ValueError) as error:
            self._saved = self._last + _SAVED_AHEAD
            self.failure = f"{self._path}: the signing clock is not kept any more: {error}"
        else:
            self.failure = None

    def _save(self, now: int) -> int:
        """Write a time ahead of now, or of what another program wrote; the time that the file had."""
        assert self._path is not None
        file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            kept = int(os.pread(file, 64, 0) or b"0")
            if not 0 <= kept <= _LATEST:
                raise ValueError(kept)
            self._saved = min(max(now + _SAVED_AHEAD, kept), _LATEST)
            # One write of one length: a machine that loses its power leaves the old time or the new one.
            os.pwrite(file, b"%015d\n" % self._saved, 0)
        finally:
            os.close(file)
        return kept


_PROCESS_CLOCK = SigningClock()


class Signing:
    """Signs what goes out, and takes nothing in that is not signed; for all links of a ground station.

    Parameters
    ----------
    key
        The key, or the passphrase that it is made of.
    clock
        By default one that all links of this process share, and that is not kept.
    """

    def __init__(self, key: SigningKey | str, clock: SigningClock | None = None) -> None:
        self.key = SigningKey.of_passphrase(key) if isinstance(key, str) else key
        self.clock = clock or _PROCESS_CLOCK
        self._links = 0
        self._streams: dict[tuple[int, int, int], int] = {}

    def link_id(self) -> int:
        """A signing link id for one more link: 0, 1, 2 ... The 257th shares that of the first."""
        self._links += 1
        return (self._links - 1) % 256

    def accepts(self, frame: bytes | bytearray) -> bool:
        """Whether a whole frame may be believed; a good signature sets the clock."""
        v2 = frame[0] == _V2
        if not (v2 and frame[2] & _SIGNED):
            number = int.from_bytes(frame[7:10], "little") if v2 else frame[5]
            return number in _UNSIGNED
        signature = hashlib.sha256(self.key.secret + frame[:-6]).digest()[:6]
        # The time is looked at last: a forged one from the future must not shut the true sender out.
        if not hmac.compare_digest(signature, bytes(frame[-6:])):
            return False
        stream = frame[-_SIGNATURE], frame[5], frame[6]
        timestamp = int.from_bytes(frame[-12:-6], "little")
        last = self._streams.get(stream)
        fresh = timestamp + _NEW_STREAM_BEHIND >= self.clock.now() if last is None else timestamp > last
        if fresh:
            self._streams[stream] = timestamp
            self.clock.heard(timestamp)
        return fresh
