"""Opening links by their URL."""

from __future__ import annotations

import re
from pathlib import Path

from pymavlink.dialects.v20 import ardupilotmega as mav

from autopilot.errors import LinkError
from autopilot.link import Link
from autopilot.transports import OPENERS
from autopilot.wire import Codec, Recorder, Signing

__all__ = ["open_link"]

_URL = re.compile(r"(?P<kind>udpin|udpout|udp|tcp|serial):(?://)?(?P<host>\[[^\]]+\]|[^:]*):(?P<port>\d+)")
_HEARTBEAT_S = 1.0


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
        that listens there; ``tcp:HOST:PORT`` connects.
    system_id, component_id
        Our own identity. The vehicle's ground-station failsafe watches for one system id.
    heartbeat
        Whether to send our own heartbeat, once a second of vehicle time. An explicit choice: a program that always
        sends one hides from the vehicle that its real ground station is lost.
    time_scale
        Vehicle seconds in a wall second; sets the heartbeat's pace.
    record
        A ``.tlog`` to write, or None.
    signing
        MAVLink 2 signing key, or None.
    connect_timeout_s
        Wall seconds for the TCP connection.

    Raises
    ------
    LinkError
        When the URL is not understood, the address cannot be bound or reached, or the recording cannot be written.
        A silent link shows in `Link.wait_vehicle`.
    """
    kind, host, port = _parse(url)
    codec = Codec(system_id, component_id, signing)
    link = Link(url, codec, system_id, component_id, None if record is None else Recorder(record))
    try:
        await OPENERS[kind](link, host, port, connect_timeout_s)
    except (OSError, TimeoutError) as error:
        await link.close()
        reason = str(error.strerror if isinstance(error, OSError) and error.strerror else error) or "no answer"
        raise LinkError(f"{url}: cannot be opened: {reason}: check the address and that the other end runs") from error
    if heartbeat:
        link.every(max(_HEARTBEAT_S / time_scale, 0.02), lambda: _send_heartbeat(link))
    elif kind in ("udp", "udpout"):
        link.every(_HEARTBEAT_S, lambda: _introduce(link))
    return link


def _parse(url: str) -> tuple[str, str, int]:
    match = _URL.fullmatch(url)
    if match is None or int(match["port"]) > 65535:
        raise LinkError(f"link {url!r} is not understood: give udpin:HOST:PORT, udp:HOST:PORT or tcp:HOST:PORT")
    if match["kind"] == "serial":
        raise LinkError(
            f"{url}: serial ports are not built in: run a router such as mavlink-router on it and give its udp address"
        )
    return match["kind"], match["host"].strip("[]"), int(match["port"])


def _send_heartbeat(link: Link) -> bool:
    link.send(mav.MAVLink_heartbeat_message(mav.MAV_TYPE_GCS, mav.MAV_AUTOPILOT_INVALID, 0, 0, mav.MAV_STATE_ACTIVE, 3))
    return True


def _introduce(link: Link) -> bool:
    """Let a vehicle that listens learn our address, without posing as a ground station that is present."""
    if link.vehicles:
        return False
    link.send(mav.MAVLink_timesync_message(0, 1))
    return True
