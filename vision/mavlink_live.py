"""Camera poses of a vehicle in the air, from the MAVLink telemetry that it sends.

It listens and says nothing: no heartbeat, no request, so that it is no ground station to the vehicle. Whoever flies
has the telemetry sent here as well, as a MAVLink router or a ground station does.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Callable
from typing import Self
from urllib.parse import parse_qs

from pymavlink.dialects.v20 import ardupilotmega as mav

from geo import PoseSigma
from vision.errors import MetadataError
from vision.mavlink_pose import Heard, poses_of, zero_of
from vision.pose import PoseSample, PoseTrack

__all__ = ["LivePoses", "is_live_pose"]

_SCHEMES = ("udpin", "udp", "tcp")
_KEPT_MS = 60_000  # a picture that comes later than this after its exposure has no pose
_CLOCKS = 500
_AROUND_MS = 3_000  # what a pose is made of: no pose is told across a longer hole
_TICK_S = 0.2


def is_live_pose(text: str) -> bool:
    """Whether a text is the address of telemetry, not a file."""
    return text.partition(":")[0] in _SCHEMES and ":" in text


class LivePoses:
    """Poses as they come, for pictures of the same moments. Close it, or use it in a ``with``.

    Parameters
    ----------
    address
        ``udpin:HOST:PORT`` (or ``udp:``) to listen there, ``tcp:HOST:PORT`` to connect. ``?system=N`` chooses a
        vehicle where several are heard.
    attitude
        Yaw, pitch, roll of a camera that is fixed to the airframe, relative to it, degrees; without it a gimbal has to
        tell.
    sigma
        One-sigma errors; None takes those of an autopilot, `POSE_SIGMAS`.
    wait_s
        How long to wait for the first pose.
    patience_s
        How long a picture waits for telemetry of after its exposure.

    Raises
    ------
    MetadataError
        When the address is none, cannot be listened at, or no pose comes of what is heard in time.
    """

    absolute = True
    origin = "mavlink"

    def __init__(
        self,
        address: str,
        *,
        attitude: tuple[float, float, float] | None = None,
        sigma: PoseSigma | None = None,
        wait_s: float = 15.0,
        patience_s: float = 1.0,
    ) -> None:
        self.name, self._system, receive, self._socket = _open(address, wait_s)
        self._attitude, self._sigma, self._patience_s = attitude, sigma, patience_s
        self._by_system: dict[int, Heard] = {}
        self._restarts = 0
        self._came = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._listen, args=(receive,), name="vedette-poses", daemon=True)
        self._thread.start()
        try:
            self._notes = self._wait(time.monotonic() + wait_s, wait_s)
        except BaseException:
            self.close()
            raise

    @property
    def notes(self) -> tuple[str, ...]:
        """Which clock the times are of, and what happened to the vehicle since."""
        with self._came:
            again = f"{self.name}: vehicle {self._system} was started anew {self._restarts} times"
            return (*self._notes, *([again] if self._restarts else []))

    def at(self, time_us: int) -> PoseSample | None:
        """The pose at a time, UTC microseconds; None in a hole of the telemetry, or where it is too old or too new."""
        until = time.monotonic() + self._patience_s
        with self._came:
            while not self._closed and not self._reaches(time_us) and time.monotonic() < until:
                self._came.wait(_TICK_S)
            heard = self._around(time_us)
        try:
            samples, _ = poses_of(self.name, heard, self._attitude, self._sigma)
        except MetadataError:  # a hole
            return None
        return PoseTrack(samples, absolute=True, origin=self.origin).at(time_us)

    def close(self) -> None:
        """Stop listening."""
        with self._came:
            self._closed = True
            self._came.notify_all()
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _listen(self, receive: Callable[[], bytes]) -> None:
        parser = _parser()
        while not self._closed:
            try:
                data = receive()
            except TimeoutError:
                continue
            except OSError:  # closed here, or by the other end
                break
            if not data:
                break
            stamp_us = time.time_ns() // 1000
            try:
                messages = parser.parse_buffer(data) or ()
            except (mav.MAVError, struct.error, UnicodeError):  # noise: the parser begins anew
                parser = _parser()
                continue
            with self._came:
                for message in messages:
                    if message.get_type() != "BAD_DATA":
                        self._take(message, stamp_us)
                self._came.notify_all()
        with self._came:
            self._closed = True
            self._came.notify_all()

    def _take(self, message: object, stamp_us: int) -> None:
        system = message.get_srcSystem()  # type: ignore[attr-defined]
        heard = self._by_system.setdefault(system, Heard())
        if not heard.take(message, stamp_us):
            heard = self._by_system[system] = Heard()
            heard.take(message, stamp_us)
            self._restarts += system == self._system
        if len(heard.stamps) > 2 * _CLOCKS:
            heard.forget(heard.newest_ms - _KEPT_MS, _CLOCKS)

    def _wait(self, until: float, wait_s: float) -> tuple[str, ...]:
        """Wait for the first pose, and say which clock it is of."""
        why = f"nothing was heard in {wait_s:g} s: have the vehicle's telemetry sent there"
        with self._came:
            while True:
                flying = sorted(system for system, heard in self._by_system.items() if heard.position)
                if self._system is None and len(flying) > 1:
                    told = ", ".join(map(str, flying))
                    raise MetadataError(f"{self.name}: has the vehicles {told}: choose one, as ?system={flying[0]}")
                heard = self._by_system.get(flying[0] if self._system is None and flying else self._system or 0)
                if heard is not None:
                    try:
                        _, notes = poses_of(self.name, heard, self._attitude, self._sigma)
                    except MetadataError as error:
                        why = str(error).removeprefix(f"{self.name}: ")
                    else:
                        self._system = self._system or flying[0]
                        return tuple(notes)
                elif self._by_system:
                    others = ", ".join(map(str, sorted(self._by_system)))
                    why = f"no vehicle tells its position (GLOBAL_POSITION_INT); heard are the systems {others}"
                if self._closed or time.monotonic() >= until:
                    raise MetadataError(f"{self.name}: {why}")
                self._came.wait(_TICK_S)

    def _reaches(self, time_us: int) -> bool:
        """Whether everything that a pose needs has come for a time."""
        heard = self._heard
        if not heard.stamps:
            return False
        ms = (time_us - zero_of(self.name, heard)[0]) / 1000
        needed = [heard.position, heard.device or heard.mount or heard.attitude]
        # Gimbals that tell angles in the vehicle's frame need its attitude, as long as that comes at all.
        if heard.attitude and max(heard.attitude) >= ms - _AROUND_MS:
            needed.append(heard.attitude)
        return all(kept and max(kept) >= ms for kept in needed)

    def _around(self, time_us: int) -> Heard:
        heard = self._heard
        if not heard.stamps:
            return heard
        ms = (time_us - zero_of(self.name, heard)[0]) / 1000
        return heard.between(ms - _AROUND_MS, ms + _AROUND_MS)

    @property
    def _heard(self) -> Heard:
        return self._by_system.setdefault(self._system or 0, Heard())


def _parser() -> mav.MAVLink:
    parser = mav.MAVLink(None)
    parser.robust_parsing = True
    return parser


def _open(address: str, wait_s: float) -> tuple[str, int | None, Callable[[], bytes], socket.socket]:
    """Name for messages, system that was chosen, how to receive, and what to close."""
    place, _, query = address.partition("?")
    scheme, _, rest = place.partition(":")
    host, _, port = rest.removeprefix("//").rpartition(":")
    wrong = MetadataError(f"{address}: is no address of telemetry: give udpin:HOST:PORT or tcp:HOST:PORT")
    chosen = parse_qs(query).get("system", [])
    if scheme not in _SCHEMES or not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise wrong
    if (query and len(chosen) != 1) or not all(text.isdigit() and 0 < int(text) < 256 for text in chosen):
        raise MetadataError(f"{address}: after the address may stand ?system=N, the vehicle's number from 1 to 255")
    try:
        if scheme == "tcp":
            opened = socket.create_connection((host, int(port)), timeout=wait_s)
        else:
            opened = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
            try:
                opened.bind((host.strip("[]"), int(port)))
            except BaseException:
                opened.close()
                raise
    except OSError as error:
        reason = error.strerror or str(error)
        raise MetadataError(f"{place}: telemetry cannot be received there ({reason}): check the address") from error
    opened.settimeout(_TICK_S)
    return place, int(chosen[0]) if chosen else None, lambda: opened.recv(65535), opened
