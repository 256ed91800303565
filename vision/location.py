"""Where a video comes from: a file, a stream of the network, or a camera at this machine."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from urllib.parse import parse_qsl

__all__ = ["Location", "is_live", "is_url", "location_name", "without_secrets"]

_URL = re.compile(r"^(rtsp|rtsps|rtp|rtmp|rtmps|udp|tcp|srt|http|https)://", re.IGNORECASE)
# As FFmpeg takes it apart: the last @ before the path ends it, whatever the password holds.
_USER = re.compile(r"(?<=://)[^/?#]*@")
_SECRET = re.compile(
    r"(?<=[?&#])([^=&#?]*(?:passphrase|password|passwd|pass|pwd|auth|secret|token|key|signature))=[^&]*", re.IGNORECASE
)
_CAMERA = re.compile(r"^(v4l2|avfoundation|dshow|x11grab|lavfi):(?!//)([^?]+)(?:\?(.*))?$")
_LINUX = re.compile(r"^/dev/video\d+$|^/dev/v4l/.+$")
# Video4Linux stamps its pictures by the clock of this machine, where it is asked to.
_DEFAULTS: Mapping[str, Mapping[str, str]] = {"v4l2": {"timestamps": "abs"}}


def is_url(location: str) -> bool:
    """Whether a location is a network stream."""
    return bool(_URL.match(location))


def is_live(location: str) -> bool:
    """Whether a location is a network stream or a camera, rather than a file or a folder."""
    return is_url(location) or Location.of(location).camera is not None


def location_name(location: str) -> str:
    """A location as messages and records name it: that of a stream without its passwords."""
    return Location.of(location).name


def without_secrets(location: str) -> str:
    """A location fit for a message or a record: user name and password of a URL masked, and secrets in its query.

    Those are every parameter whose name ends as those of passwords and keys do: ``pwd``, ``auth``, ``api_key``, ...
    """
    return _SECRET.sub(r"\1=***", _USER.sub("***@", location))


@dataclass(frozen=True, slots=True)
class Location:
    """A place to read video from.

    Parameters
    ----------
    text
        As it was given, or for a camera what its driver is asked for.
    name
        For messages and records; without passwords.
    camera
        FFmpeg's input device, of a camera at this machine; None else.
    options
        For the driver of a camera.
    """

    text: str
    name: str
    camera: str | None = None
    options: Mapping[str, str] | None = None

    @classmethod
    def of(cls, text: str) -> Self:
        """Read a location.

        A camera is given as ``/dev/video0`` or as ``DRIVER:NAME?OPTION=VALUE&...``, with the names and options of
        FFmpeg's input devices: ``v4l2:/dev/video0?video_size=1280x720&input_format=mjpeg``, ``avfoundation:0``,
        ``dshow:video=NAME``; ``lavfi:testsrc,realtime`` draws pictures where there is no camera to try.
        """
        if is_url(text):
            return cls(text, without_secrets(text))
        camera = re.match(_CAMERA, f"v4l2:{text}" if _LINUX.match(text) else text)
        if camera is None:
            return cls(text, text)
        driver, what, query = camera.groups()
        return cls(what, text, driver, {**_DEFAULTS.get(driver, {}), **dict(parse_qsl(query or ""))})

    @property
    def network(self) -> bool:
        """Whether it is a stream of the network."""
        return is_url(self.text) and self.camera is None

    @property
    def file(self) -> Path | None:
        """The file or folder that it is; None for what is live."""
        return None if self.network or self.camera else Path(self.text)
