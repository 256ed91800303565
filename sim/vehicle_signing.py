"""MAVLink 2 signing at the vehicle's end: its key, its clock, and what it takes unsigned.

By pymavlink's own signing, which the ground side does not use for what it hears.

ArduPilot's clock (``GCS_Signing.cpp``; all of it seen on ArduCopter 4.7-dev over UDP): a key begins a minute after the
time that comes with it, and after a boot a minute after what was kept. It stands but for what is signed and heard, and
for the first fix of its GPS, which sets it to UTC where that is later.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from types import MappingProxyType
from typing import Any, Protocol

from pymavlink.dialects.v20 import ardupilotmega as mav

__all__ = ["Signer"]

_EPOCH_S = 1_420_070_400  # 2015-01-01 UTC
_UNITS_A_SECOND = 100_000
# What each takes without a signature (ArduPilot: GCS_Signing.cpp; PX4: mavlink_sign_control.cpp). ArduPilot takes
# everything on its first serial port, PX4 while MAV_SIGN_CFG is 0, or 1 and the link is USB: here it is 2.
_UNSIGNED = MappingProxyType(
    {
        "ardupilot": frozenset({mav.MAVLINK_MSG_ID_RADIO_STATUS, mav.MAVLINK_MSG_ID_RADIO}),
        "px4": frozenset(
            {
                mav.MAVLINK_MSG_ID_RADIO_STATUS,
                mav.MAVLINK_MSG_ID_ADSB_VEHICLE,
                mav.MAVLINK_MSG_ID_COLLISION,
            }
        ),
    }
)
# ArduPilot's, after a key and after a boot, so that nothing of before is taken once more.
_AHEAD = 60 * _UNITS_A_SECOND
_MOST_STREAMS = 16  # MAVLINK_MAX_SIGNING_STREAMS: senders by link that are told apart; no more are taken
_ARMED = "ERROR: Won't setup signing when armed"


class Flown(Protocol):
    """What the flight says."""

    armed: bool


class Signer:
    """Key and clock of one vehicle, for all its channels.

    Parameters
    ----------
    flight
        An armed ArduPilot takes no new key; PX4 takes one by USB alone, and no simulated link is that.
    autopilot
        "ardupilot" or "px4".
    key
        32 bytes, or None: then the first SETUP_SIGNING that comes gives one, and only a signed one changes it.
    refuse
        Says why a key is not taken.
    wall
        UTC, seconds since the Unix epoch.
    """

    def __init__(
        self,
        flight: Flown,
        autopilot: str,
        key: bytes | None,
        refuse: Callable[[str], None],
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.key = key
        self.streams: dict[tuple[int, int, int], int] = {}
        self._flight = flight
        self._stands = self._takes_keys = autopilot == "ardupilot"
        self._unsigned = _UNSIGNED[autopilot]
        self._refuse = refuse
        self._wall = wall
        self._last = self._utc()
        self._channels = 0

    def equip(self, packer: Any) -> None:
        """Make a channel's packer sign and check by this key, whatever it is at the time."""
        packer.signing = _ChannelSigning(self, self._channels % 256)
        self._channels += 1
        check = packer.check_signature

        def checked(frame: bytearray, system: int, component: int) -> bool:
            # pymavlink takes the time of a packet over before it looks at its signature.
            good = self.key is not None and hashlib.sha256(self.key + frame[:-6]).digest()[:6] == frame[-6:]
            known = (frame[-13], system, component) in self.streams or len(self.streams) < _MOST_STREAMS
            return good and known and bool(check(frame, system, component))

        packer.check_signature = checked

    def set_up(self, message: Any) -> None:
        """A new key, or the end of signing, from a message that was taken."""
        if not self._takes_keys:
            return
        if self._flight.armed:
            self._refuse(_ARMED)
            return
        secret = bytes(message.secret_key)
        blank = message.initial_timestamp == 0 and not any(secret)
        self.key = None if blank else secret
        self._last = int(message.initial_timestamp) + _AHEAD

    def start_anew(self) -> None:
        """After a boot: it knows key and time, and whom it heard no more."""
        self.streams.clear()
        if self._stands:
            self._last += _AHEAD

    def accepts_unsigned(self, number: int) -> bool:
        """Whether a message is taken whose signature is wrong or absent."""
        return self.key is None or number in self._unsigned

    def next(self) -> int:
        """The time of the next signature."""
        self._last = max(self._last + 1, 0 if self._stands else self._utc())
        return self._last

    def fixed(self) -> None:
        """There is the first fix of the GPS since it booted."""
        self._last = max(self._last, self._utc())

    def _utc(self) -> int:
        return int((self._wall() - _EPOCH_S) * _UNITS_A_SECOND)

    def heard(self, timestamp: int) -> None:
        """Go on from a later time."""
        self._last = max(self._last, timestamp)


class _ChannelSigning(mav.MAVLinkSigning):  # type: ignore[misc]  # pymavlink has no types
    """What pymavlink keeps for a channel, kept for all channels of a vehicle."""

    def __init__(self, signer: Signer, link_id: int) -> None:
        self._signer = signer
        super().__init__()
        self.link_id = link_id
        self.stream_timestamps = signer.streams
        self.allow_unsigned_callback = lambda _, number: signer.accepts_unsigned(number)

    @property
    def secret_key(self) -> bytes | None:
        return self._signer.key

    @secret_key.setter
    def secret_key(self, _: object) -> None:
        """Nothing: pymavlink begins with none."""

    @property
    def sign_outgoing(self) -> bool:
        return self._signer.key is not None

    @sign_outgoing.setter
    def sign_outgoing(self, _: object) -> None:
        """Nothing: pymavlink begins without."""

    @property
    def timestamp(self) -> int:
        return self._signer.next()

    @timestamp.setter
    def timestamp(self, heard: int) -> None:
        self._signer.heard(heard)
