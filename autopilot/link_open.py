"""Opening links by their URL."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path

from pymavlink.dialects.v20 import ardupilotmega as mav

from autopilot.channel import Channel, Reopening, reason
from autopilot.errors import LinkError
from autopilot.link import Link
from autopilot.serial_port import BAUD
from autopilot.signing import Signing
from autopilot.transports import OPENERS
from autopilot.wire import Codec, Recorder

__all__ = ["check_urls", "open_link"]

_KINDS = "udpin|udpout|udp|tcpin|tcp|serial"
_SOCKET = re.compile(r"(?P<kind>udpin|udpout|udp|tcpin|tcp):(?://)?(?P<host>\[[^\]]+\]|[^:]*):(?P<port>\d+)")
# The path of a device may have colons in it: what is behind the last of them is the rate where it is a number.
_SERIAL = re.compile(r"serial:(?://)?(?P<path>/.*?)(?::(?P<baud>\d+))?")
_BETWEEN = re.compile(rf",\s*(?=(?:{_KINDS}):)")
_HEARTBEAT_S = 1.0
_FAILOVER_S = 2.5
_FAILOVER_FLOOR_S = 0.5
_REOPEN_FLOOR_S = 0.1


async def open_link(
    url: str,
    *,
    system_id: int = 255,
    component_id: int = mav.MAV_COMP_ID_MISSIONPLANNER,
    heartbeat: bool = False,
    time_scale: float = 1.0,
    record: Path | None = None,
    signing: Signing | None = None,
    connect_timeout_s: float = 5.0,
) -> Link:
    """Open a link.

    Parameters
    ----------
    url
        ``udpin:HOST:PORT`` waits for vehicles that send there; ``udp:HOST:PORT`` (or ``udpout:``) sends to a vehicle
        that listens there; ``tcp:HOST:PORT`` connects; ``tcpin:HOST:PORT`` waits for those that connect;
        ``serial:/dev/DEVICE:BAUD`` opens a serial port, at 57600 baud where none is given. Several with commas between
        them are several ways to the same vehicles, of which one that is not there yet is waited for.
    system_id, component_id
        Our own identity. The vehicle's ground-station failsafe watches for one system id.
    heartbeat
        Whether to send our own heartbeat, once a second of vehicle time, on all ways. An explicit choice: a program
        that always sends one hides from the vehicle that its real ground station is lost.
    time_scale
        Vehicle seconds in a wall second; sets the pace of the heartbeat and of opening anew.
    record
        A ``.tlog`` to write, or None.
    signing
        MAVLink 2 signing, or None. All links of a ground station share one.
    connect_timeout_s
        Wall seconds for a TCP connection.

    Raises
    ------
    LinkError
        When the URL is not understood, no way can be opened, or the recording cannot be written. A silent link shows
        in `Link.wait_vehicle`.
    """
    ways = [(one, *_parse(one)) for one in _split(url)]
    recorder = None if record is None else Recorder(record)
    failover_s = max(_FAILOVER_S / time_scale, _FAILOVER_FLOOR_S)
    link = Link(url, system_id, component_id, recorder, failover_s=failover_s)
    first_s = max(1.0 / time_scale, _REOPEN_FLOOR_S)
    reopening = Reopening(first_s, 8.0 * first_s, connect_timeout_s)
    for one, kind, where, number in ways:
        codec = Codec(system_id, component_id, signing)
        link.channels.append(Channel(one, codec, link, _opener(kind, where, number), reopening))
    await _open_all(link)
    if heartbeat:
        link.every(max(_HEARTBEAT_S / time_scale, 0.02), lambda: _send_heartbeat(link))
    elif any(kind in ("udp", "udpout") for _, kind, _, _ in ways):
        link.every(_HEARTBEAT_S, lambda: _introduce(link))
    return link


def _opener(kind: str, where: str, number: int) -> Callable[[Channel, float], Awaitable[None]]:
    return lambda channel, timeout_s: OPENERS[kind](channel, where, number, timeout_s)


async def _open_all(link: Link) -> None:
    """Open all channels at once; those that do not open are waited for where another does. Raises LinkError."""
    results = await asyncio.gather(*(channel.open() for channel in link.channels), return_exceptions=True)
    failed = {}
    for channel, result in zip(link.channels, results, strict=True):
        if isinstance(result, (OSError, TimeoutError)):
            failed[channel] = reason(result)
        elif result is not None:
            await link.close()
            raise result
    if len(failed) == len(link.channels):
        await link.close()
        told = (
            f"{channel.url}: cannot be opened: {why}: check {_checks(channel.url)}" for channel, why in failed.items()
        )
        raise LinkError("; ".join(told)) from next(each for each in results if isinstance(each, BaseException))
    for channel, why in failed.items():
        what = f"cannot be opened: {why}"
        link.told(channel, f"{what}; it is waited for")
        channel.retry(what)


def _checks(url: str) -> str:
    if url.startswith("serial:"):
        return "the device, and that you may open it"
    return "the address and that the other end runs"


def check_urls(urls: Iterable[str]) -> None:
    """Raise LinkError where a URL is not understood, or one way is in two links: only one of them could have it."""
    owners: dict[str, str] = {}
    for url in urls:
        for way in _split(url):
            _parse(way)
            other = owners.setdefault(way, url)
            if other != url:
                raise LinkError(
                    f"{way} is in two links, {other} and {url}: give all vehicles that are reached by it one link"
                )


def _split(url: str) -> list[str]:
    ways = _BETWEEN.split(url)
    twice = next((way for way in ways if ways.count(way) > 1), None)
    if twice is not None:
        raise LinkError(f"{url}: {twice} is in it twice: give each way once")
    return ways


def _parse(url: str) -> tuple[str, str, int]:
    """Kind, host or device, port or baud rate."""
    serial = _SERIAL.fullmatch(url)
    if serial is not None:
        return "serial", serial["path"], int(serial["baud"] or BAUD)
    match = _SOCKET.fullmatch(url)
    if match is None or int(match["port"]) > 65535:
        raise LinkError(
            f"link {url!r} is not understood: give udpin:HOST:PORT, udp:HOST:PORT, tcp:HOST:PORT, tcpin:HOST:PORT or "
            "serial:/dev/DEVICE:BAUD"
        )
    return match["kind"], match["host"].strip("[]"), int(match["port"])


def _send_heartbeat(link: Link) -> bool:
    link.beat(mav.MAVLink_heartbeat_message(mav.MAV_TYPE_GCS, mav.MAV_AUTOPILOT_INVALID, 0, 0, mav.MAV_STATE_ACTIVE, 3))
    return True


def _introduce(link: Link) -> bool:
    """Let a vehicle that listens learn our address, without posing as a ground station that is present."""
    if all(channel.heard.keys() & link.vehicles.keys() for channel in link.channels):
        return False
    link.send(mav.MAVLink_timesync_message(0, 1))
    return True
