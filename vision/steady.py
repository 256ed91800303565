"""A fixed camera that the wind shakes, that creeps with its mast, or that somebody turns away.

Its line, or its known points, belong to one picture: the first one of the watch. Every frame is laid on it. Only the
frame before knows where to look first; the place itself always comes from a picture at rest, so no error adds up.

- What shows the same view is stabilised. While it stands still a look at a few patches is enough (`HeldView`), and once
  a second the whole picture is laid on the one at rest.
- What has been turned away by more than `AWAY` of the picture's width, or shows something else, gives nothing: there is
  no line in it, and nothing that slides through it has crossed one. When the camera looks back, it is found again.
- An object may hide nearly all of it. As long as some corners are where they were the camera is, too.
- Light changes. When fewer of the corners are there for a while, another picture at rest takes over, and with it the
  error of laying it on the one before. When nothing is left of them, as when an infrared filter swings in, edges are
  compared: they stay where they are when bright and dark change places.
- A picture without corners, of fog or of night, says nothing of motion: as long as there never were any the camera is
  taken to stand still; the first picture that has some is then the one at rest.
- A first picture that the second one does not lie on was none of the view, but what a stream begins with before it is
  whole: the second takes its place.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from vision.camera_motion import SteadyPicture
from vision.held_view import HeldView
from vision.image_motion import KeyPicture, Match, SmallPicture
from vision.types import Detection, Frame

__all__ = ["AWAY", "SteadyCamera"]

Floats = NDArray[np.float64]

AWAY = 0.35
"""Share of the picture's width by which a camera that is turned no longer looks where it did."""
_REST = 0.1  # a picture farther off than this is not one at rest
_FEWER = 0.5  # share of the corners, of what it was at first, at which another picture takes over
_PATIENCE_US = 10_000_000  # and so long: what passes by hides corners for less
_MOVED_PX = 1.0
_MIDDLE = 0.5
_SAME_EDGES = 0.45
"""Correlation of edges that says "the same view": other views of the same kind reach 0.2."""
_EDGES_PX = 1.5  # one sigma of a place by edges, pixels of the reduced picture
# A camera that moves by less stands still, pixels of the reduced picture; it is laid anew after so long.
_STILL_PX, _ANEW_US = 0.15, 1_000_000


class SteadyCamera:
    """Lays the frames of one fixed camera on its picture at rest; give them in the order of time.

    Attributes
    ----------
    frames, away, blind
        Frames so far, those that gave nothing because the camera had been turned away, and those that say nothing of
        its motion and were taken as they are.
    moved_px
        Largest motion of the middle of a picture that was stabilised, pixels.
    """

    def __init__(self) -> None:
        self.frames = self.away = self.blind = 0
        self.moved_px = 0.0
        self._rest: KeyPicture | None = None
        # From the picture at rest that is in use to the first one, how well that is known, and its share of corners.
        self._to_first, self._sigma_px, self._share = np.eye(3), 0.0, 0.0
        self._agreed = False  # whether any frame lay on the first picture
        self._last: Floats | None = None
        self._before: SteadyPicture | None = None
        self._good_us = 0
        # The picture that was laid last, where the one before it lay there, too; when it was exposed; how others lie.
        self._held: tuple[HeldView, int, SteadyPicture] | None = None

    def view(self, frame: Frame, boxes: Sequence[Detection]) -> SteadyPicture | None:
        """How a frame lies on the first one; None where the camera has been turned away.

        Parameters
        ----------
        frame
            The frame.
        boxes
            What was found in it: objects move by themselves and say nothing of the camera.
        """
        self.frames += 1
        if self._holds(frame, boxes):
            assert self._held is not None
            return self._held[2]
        picture = SmallPicture.of(frame.grey, boxes) if all(frame.size_px) else None
        if picture is None or self._rest is None or not self._rest.tells:
            self._rest = KeyPicture(picture) if picture is not None else None
            if self._rest is None or not self._rest.tells:
                self.blind += 1
            return SteadyPicture(np.eye(3))
        last = self._last
        found = self._found(picture, frame.time_us)
        self._hold(frame, found, last)
        if found is None and not self._agreed:
            self._rest = KeyPicture(picture)
            return SteadyPicture(np.eye(3))
        self._agreed = True
        self._before = found
        if found is None:
            self.away += 1
            self._last = None
        else:
            self.moved_px = max(self.moved_px, _shift(found.to_rest, picture))
        return found

    def notes(self) -> list[str]:
        """What a person should know of it."""
        notes = []
        if self.moved_px > _MOVED_PX:
            notes.append(f"the fixed camera moved by up to {self.moved_px:.0f} pixels: its pictures were held steady")
        if self.away:
            notes.append(
                f"the fixed camera did not look where its line was drawn in {self.away} of {self.frames} frames: no "
                "crossing was looked for in them; a camera that turns needs poses, one that was knocked a new line"
            )
        return notes

    def _holds(self, frame: Frame, boxes: Sequence[Detection]) -> bool:
        """Whether a frame lies as the one that was laid last."""
        if self._held is None or self._rest is None:
            return False
        view, since_us, _ = self._held
        within_px = _STILL_PX * self._rest.picture.scale
        return frame.time_us - since_us < _ANEW_US and view.holds(frame.grey, boxes, within_px)

    def _hold(self, frame: Frame, found: SteadyPicture | None, before: Floats | None) -> None:
        """Keep a frame that was laid where the one before lay: the next may lie there as well."""
        rest, now = self._rest, self._last
        self._held = None
        if rest is None or before is None or now is None or found is None:
            return
        corners, scale = rest.seen_at(now), rest.picture.scale
        if np.hypot(*(corners - rest.seen_at(before)).T).max() < _STILL_PX * scale:
            sigma_px = float(np.hypot(found.sigma_px, _STILL_PX / 2 * scale))
            view = HeldView(frame.grey, corners, max(1, round(scale / 2)))
            self._held = view, frame.time_us, SteadyPicture(found.to_rest, sigma_px)

    def _found(self, picture: SmallPicture, time_us: int) -> SteadyPicture | None:
        rest = self._rest
        assert rest is not None
        match = rest.match(picture, self._last) or self._by_edges(picture)
        if match is None:
            # A lorry may fill the picture, and the camera still stand where it stood.
            return self._before if self._last is not None and rest.stays(picture, self._last) else None
        sigma = float(np.hypot(self._sigma_px, match.sigma_px))
        steady = SteadyPicture(self._to_first @ np.linalg.inv(match.matrix), sigma)
        if _shift(steady.to_rest, picture) > AWAY * picture.size_px[0]:
            return None
        self._last = match.matrix
        self._share = max(self._share, match.share)
        if match.share >= _FEWER * self._share:
            self._good_us = time_us
        elif time_us - self._good_us > _PATIENCE_US:
            self._take_over(picture, steady, match.inliers)
        return steady

    def _take_over(self, picture: SmallPicture, steady: SteadyPicture, inliers: int) -> None:
        """Let a picture serve as the one at rest, if it is one."""
        rest = KeyPicture(picture)
        if rest.tells and _shift(steady.to_rest, picture) < _REST * picture.size_px[0]:
            # A place by many corners is better known than each of them.
            self._sigma_px = float(np.hypot(self._sigma_px, steady.sigma_px * 2 / np.sqrt(inliers)))
            self._rest, self._to_first, self._share, self._last = rest, steady.to_rest, 0.0, np.eye(3)

    def _by_edges(self, picture: SmallPicture) -> Match | None:
        """The shift of a picture by its edges alone, wherever the same view is in it."""
        assert self._rest is not None
        mine, other = _edges(self._rest.picture.grey), _edges(picture.grey)
        if mine.shape != other.shape:
            return None
        height, width = mine.shape
        top, left = round(height * (1 - _MIDDLE) / 2), round(width * (1 - _MIDDLE) / 2)
        part = mine[top : top + round(height * _MIDDLE), left : left + round(width * _MIDDLE)]
        if part.std() == 0 or other.std() == 0:
            return None
        _, best, _, place = cv2.minMaxLoc(cv2.matchTemplate(other, part, cv2.TM_CCOEFF_NORMED))
        if best < _SAME_EDGES:
            return None
        shift = np.eye(3)
        shift[:2, 2] = (np.array(place) - (left, top)) * picture.scale
        # Where corners agree after all, they know it better.
        exact = self._rest.match(picture, shift)
        return exact or Match(shift, _EDGES_PX * picture.scale, 1, 0.0)


def _shift(matrix: Floats, picture: SmallPicture) -> float:
    """How far a homography moves the middle of a picture, pixels; infinite where it is no motion of a camera."""
    middle = np.array(picture.size_px) / 2
    x, y, scale = matrix @ np.array([*middle, 1.0])
    return float(np.hypot(*(np.array([x, y]) / scale - middle))) if scale > 0 else float("inf")


def _edges(grey: NDArray[np.uint8]) -> NDArray[np.float32]:
    """How steep a picture is at each pixel: the same where bright and dark change places."""
    smooth = cv2.GaussianBlur(grey, (0, 0), 1.0)
    across, down = cv2.Sobel(smooth, cv2.CV_32F, 1, 0), cv2.Sobel(smooth, cv2.CV_32F, 0, 1)
    steep = np.hypot(across, down)
    return np.asarray(np.minimum(steep, np.quantile(steep, 0.95)), dtype=np.float32)
