"""What a link says of itself: packets counted, channels lost and opened again, and why a vehicle is not heard."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from autopilot.channel import Channel

__all__ = ["LinkEvent", "LinkStatistics", "advice", "unheard"]


@dataclass(frozen=True, slots=True)
class LinkStatistics:
    """Packets of one vehicle, all its components together.

    Parameters
    ----------
    received, lost, late
        Packets received, missing by gaps in the sequence numbers, and received out of order or twice. A vehicle
        numbers the packets of each channel for itself, so these are the sums of all.
    repeated
        Packets that came over another channel before, as from a router; not in `received`.
    """

    received: int
    lost: int
    late: int
    repeated: int = 0


@dataclass(frozen=True, slots=True)
class LinkEvent:
    """A channel of a link was lost, or is open again.

    Parameters
    ----------
    time_us
        UTC microseconds since the Unix epoch.
    url
        Which channel.
    up
        Whether it is open now.
    text
        What happened.
    """

    time_us: int
    url: str
    up: bool
    text: str

    def __str__(self) -> str:
        return f"{self.url}: {self.text}"


def unheard(sysid: int | None, channels: Sequence[Channel], trouble: str | None, timeout_s: float) -> str:
    """That no heartbeat of a vehicle came (None: of any), what was heard instead, and what to do about it.

    Parameters
    ----------
    sysid
        Which vehicle.
    channels, trouble
        Those of the link, and what is wrong with them in words.
    timeout_s
        How long it was waited for, wall seconds.
    """
    heard = sorted({system for channel in channels for system, _ in channel.counters})
    who = "no vehicle" if sysid is None else f"vehicle {sysid}"
    refused = sum(channel.codec.refused for channel in channels)
    bad_bytes = sum(channel.codec.bad_bytes for channel in channels)
    if not any(channel.up for channel in channels):
        what = f"{trouble}: it is opened again and again: check that the other end runs"
    elif heard and heard != [sysid]:
        what = f"only systems {', '.join(map(str, heard))} are heard: check the system id"
    elif refused:
        what = f"{refused} packets failed the signature check: give the vehicle's key"
    elif bad_bytes:
        what = f"{bad_bytes} bytes came that are not MAVLink: check the port and the baud rate"
    else:
        what = f"{trouble or 'the link is silent'}: check the address and that the vehicle is powered"
    return f"{who} within {timeout_s:g} s; {what}"


def advice(sysid: int, channels: Sequence[Channel], *, heeded: bool) -> str:
    """What to look at where a vehicle that is heard does not answer.

    Parameters
    ----------
    sysid
        Which vehicle.
    channels
        Those of the link.
    heeded
        Whether it obeyed us before: PX4 signs whatever it sends (main of May 2026), and takes unsigned orders.
    """
    look = "check the link, and that what it is for, such as a gimbal, is set up there"
    if not heeded and any(sysid in channel.codec.signers_unjudged for channel in channels):
        return f"it signs, and this link has no key: if it takes nothing unsigned, give its key; else {look}"
    return look
