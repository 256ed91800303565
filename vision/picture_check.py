"""Pictures that stand still, and pictures that show nothing: a camera or an encoder that hangs, a cover on the lens.

A frozen picture under a pose that goes on would carry whoever is in it over the ground, and over the border. So where
the camera moved and the picture did not, the pose is not that of the picture, and is left out.

Looked at is a small copy, each of its pixels the mean of a square of the picture: noise, and what a codec does to a
still picture at its keyframes (3 levels), are not taken for movement, and a person is seen in it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from geo import CameraPose, LocalFrame
from vision.media import SourceCounts
from vision.planes import Planes
from vision.types import Grey

__all__ = ["PictureCheck"]

_CELL_PX = 16
_EVERY_S = 0.5
_STILL_S = 2.0
# Of green, from 0 to 255, whatever the picture is made of.
_STILL_LEVELS = 4.0
_BLANK_LEVELS = 6.0
_MOVED_M, _TURNED_DEG = 3.0, 3.0


@dataclass(slots=True, eq=False)
class _Reference:
    """The picture since which nothing has changed."""

    small: NDArray[np.float64]
    at_s: float
    pose: CameraPose | None


class PictureCheck:
    """Looks at the pictures of a source now and then.

    Parameters
    ----------
    name
        Of the source, for messages.
    counts
        Where pictures that stand still or show nothing are counted, and said once.
    """

    def __init__(self, name: str, counts: SourceCounts) -> None:
        self._name, self._counts = name, counts
        self._since: _Reference | None = None
        self._looked_s = -math.inf
        self._still = self._blank = False

    def fits(self, picture: Grey | Planes, at_s: float, pose: CameraPose | None) -> bool:
        """Whether a pose can be that of a picture; asked once a picture, in order.

        Parameters
        ----------
        picture
            Its green, shape (height, width), uint8, or that of which it would be made.
        at_s
            Its time in the source, seconds.
        pose
            As the telemetry tells it.
        """
        if at_s - self._looked_s >= _EVERY_S:
            self._looked_s = at_s
            self._look(picture, at_s, pose)
        self._counts.still += self._still
        self._counts.blank += self._blank
        before = self._since.pose if self._since is not None else None
        return not (self._still and before is not None and pose is not None and _moved(before, pose))

    def _look(self, picture: Grey | Planes, at_s: float, pose: CameraPose | None) -> None:
        width, height = picture.size_px if isinstance(picture, Planes) else picture.shape[::-1]
        size = max(1, width // _CELL_PX), max(1, height // _CELL_PX)
        if isinstance(picture, Planes):
            small = picture.green(size)
        else:
            small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA).astype(np.float64)
        blank = float(np.ptp(small)) <= _BLANK_LEVELS
        if blank and not self._counts.blank:
            self._counts.note(f"{self._name}: pictures show nothing but one shade from {at_s:.1f} s on")
        self._blank = blank
        since = self._since
        if since is None or since.small.shape != small.shape or np.abs(small - since.small).max() > _STILL_LEVELS:
            self._since, self._still = _Reference(small, at_s, pose), False
            return
        since.pose = since.pose or pose
        still = at_s - since.at_s >= _STILL_S
        if still and not self._counts.still:
            self._counts.note(
                f"{self._name}: the picture has not changed since {since.at_s:.1f} s: it is frozen, or nothing moves"
            )
        self._still = still


def _moved(before: CameraPose, now: CameraPose) -> bool:
    """Whether the camera would show something else."""
    east, north, up = LocalFrame(before.lat_deg, before.lon_deg, before.altitude.metres).to_enu(
        now.lat_deg, now.lon_deg, now.altitude.metres
    )
    turned = np.trace(before.rotation_enu_from_camera().T @ now.rotation_enu_from_camera())
    turned_deg = math.degrees(math.acos(min(1.0, max(-1.0, (float(turned) - 1) / 2))))
    return math.hypot(float(east), float(north), float(up)) > _MOVED_M or turned_deg > _TURNED_DEG
