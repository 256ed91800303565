"""Where a camera looks, what it sees of the ground, and where its picture can be watched."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Annotated, Any, Self
from urllib.parse import urlsplit

import shapely.geometry
from pydantic import AfterValidator, Field, StringConstraints, model_validator
from shapely.geometry.base import BaseGeometry

from api.wire import Label, Lat, Lon, Metres, Polygon, Wire

__all__ = ["SEEN", "Camera", "Footprint", "VideoLink", "without_withheld_views"]

SEEN = ("camera", "footprint", "video")
"""Members of a record that tell what its camera sees."""
_SCHEMES = ("https", "rtsp", "rtsps", "srt")
_AMONG_US = ("internal", "intranet", "lan", "local", "localhost", "home.arpa")
_MOST_CORNERS = 200
_HALF_TURN = Annotated[float, Field(ge=-180, le=180)]


class Camera(Wire):
    """Where a camera looks and how wide: azimuth clockwise from north, elevation above the horizon (down is negative).

    `fov_deg` and `vfov_deg` are the full horizontal and vertical fields of view, `range_m` is the distance to the
    ground in the middle of the picture.
    """

    azimuth_deg: float = Field(ge=0, lt=360)
    elevation_deg: float = Field(ge=-90, le=90)
    roll_deg: _HALF_TURN | None = None
    fov_deg: float = Field(gt=0, le=360)
    vfov_deg: float = Field(gt=0, le=180)
    range_m: Metres | None = None
    model: Label | None = None


class Footprint(Polygon):
    """What the camera sees of the ground: one ring, closed, that does not cross itself."""

    coordinates: list[Annotated[list[tuple[Lon, Lat]], Field(min_length=4, max_length=_MOST_CORNERS)]] = Field(
        min_length=1, max_length=1
    )

    @model_validator(mode="after")
    def _drawable(self) -> Self:
        (ring,) = self.coordinates
        if ring[0] != ring[-1]:
            raise ValueError("a footprint ends where it begins: give its first corner again as its last")
        if not shapely.geometry.Polygon(ring).is_valid:
            raise ValueError("a footprint has a surface and does not cross itself")
        return self


def _plain_address(link: str) -> str:
    try:
        parts = urlsplit(link)
        parts.port  # noqa: B018 - raises where it is none
    except ValueError:
        raise ValueError("a video link is an address: give SCHEME://HOST/PATH") from None
    if parts.scheme not in _SCHEMES or not parts.hostname:
        raise ValueError(f"a video link begins with {', '.join(_SCHEMES)} and names a host")
    if "@" in parts.netloc or parts.query or parts.fragment:  # where secrets of cameras stand
        raise ValueError("a video link goes to whoever may read the record: give it without user, password and query")
    return link


VideoLink = Annotated[str, StringConstraints(max_length=500, pattern=r"^[\x21-\x7e]+$"), AfterValidator(_plain_address)]
"""Address of a live picture, which holds no secret: whoever watches proves to the other side who they are."""


def without_withheld_views(
    properties: Mapping[str, Any], document: Mapping[str, Any], area: BaseGeometry | None
) -> dict[str, Any]:
    """`properties` for a partner, less what a camera must not tell it.

    Parameters
    ----------
    properties
        What the fields of the agreement let through.
    document
        The whole record: its footprint decides, whether or not it is shared.
    area
        The agreement's, in degrees (x = lon, y = lat); None is everywhere.

    Notes
    -----
    Under an agreement with an area, what the camera sees is told only while the whole footprint is known and lies in
    it. A video link that leads into a network of the house is told to nobody outside.
    """
    shown = dict(properties)
    footprint = document.get("footprint")
    if area is not None and (footprint is None or not area.covers(shapely.geometry.shape(footprint))):
        for member in SEEN:
            shown.pop(member, None)
    if not _leads_outside(shown.get("video")):
        shown.pop("video", None)
    return shown


def _leads_outside(link: str | None) -> bool:
    """Whether a link names a host that others than the house can reach, as far as its name tells."""
    host = "" if link is None else (urlsplit(link).hostname or "").rstrip(".")
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        named = "." in host and not host.rpartition(".")[2].isdigit()  # 127.1 is an address to some
        return named and not any(host == name or host.endswith(f".{name}") for name in _AMONG_US)
    return address.is_global and not address.is_multicast
