"""How the picture moved between two frames, from the pictures alone: for frames whose camera pose nobody tells.

Corners of a picture of reduced size are followed by pyramidal optical flow (B. D. Lucas, T. Kanade, 1981; J.-Y.
Bouguet, 2001) there and back; those that do not come back to where they were are left out, as are those on detected
objects, which move by themselves. A homography, or where the corners say too little for one a similarity, is fitted to
the rest with RANSAC. Where too few agree there is no answer: None, never a guess.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vision.types import Detection

__all__ = ["KeyPicture", "Match", "SmallPicture", "StepMotion"]

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]
Grey = NDArray[np.uint8]

_SIZE_PX = 320
"""Longer side of the reduced picture: an error of 0.1 of its pixels is 0.4 of one at 720p."""
_CORNERS, _QUALITY, _APART_PX = 120, 0.01, 8
_WINDOW, _LEVELS = (15, 15), 3
_BACK_PX = 0.5
_RANSAC_PX = 1.0
_LEAST = 12
"""Corners that must agree; a similarity has four unknowns, so eight surplus ones say that it is no accident."""
_LEAST_SHARE = 0.4
_HOMOGRAPHY_CORNERS, _HOMOGRAPHY_SPREAD = 40, 0.15
# A flow of whole pictures is no better than this, pixels of the reduced picture.
_FLOOR_PX = 0.05
_GROW = 0.15
_BORDER_PX = 3.0


@dataclass(frozen=True, slots=True, eq=False)
class SmallPicture:
    """A picture of reduced size in grey.

    Parameters
    ----------
    grey
        Shape (h, w), uint8.
    free
        Where no detected object is, shape (h, w), uint8: 255 there, and 0 on objects.
    to_full
        From indices of its pixels to pixels of the full picture, shape (3, 3): geo's pixels count from the corner of
        the picture, indices from the middle of the first pixel.
    size_px
        Width and height of the full picture, pixels.
    """

    grey: Grey
    free: Grey
    to_full: Floats
    size_px: tuple[int, int]

    @classmethod
    def of(cls, image: NDArray[np.uint8], boxes: Sequence[Detection] = ()) -> SmallPicture:
        """Reduce a picture, shape (height, width, 3), uint8, with the objects that were found in it."""
        height, width = image.shape[:2]
        share = min(1.0, _SIZE_PX / max(height, width))
        size = max(1, round(width * share)), max(1, round(height * share))
        # Green carries most of what grey does. Twice the size that is wanted is enough to average from.
        stride = max(1, int(0.5 / share))
        some = np.ascontiguousarray(image[::stride, ::stride, 1])
        grey = cv2.resize(some, size, interpolation=cv2.INTER_AREA)
        scale = stride * np.array(some.shape[::-1]) / size
        to_full = np.diag([*scale, 1.0])
        to_full[:2, 2] = (scale - stride + 1) / 2
        free = np.full(grey.shape, 255, np.uint8)
        for box in boxes:
            margin = _GROW * np.array(box.size)
            left, top = np.maximum(np.floor((np.array([box.x1, box.y1]) - margin) / scale), 0).astype(int)
            right, bottom = np.maximum(np.ceil((np.array([box.x2, box.y2]) + margin) / scale), 0).astype(int)
            free[top:bottom, left:right] = 0
        return cls(np.asarray(grey, np.uint8), free, to_full, (width, height))

    @property
    def scale(self) -> float:
        """Pixels of the full picture to one of its own."""
        return float(self.to_full[0, 0])


@dataclass(frozen=True, slots=True, eq=False)
class Match:
    """How one picture lies on another.

    Parameters
    ----------
    matrix
        Homography from pixels of the key picture to those of the other, shape (3, 3), its last element 1.
    sigma_px
        One sigma of where it puts a point of the scene, pixels each way: what corners depart from it, so parallax of
        what does not lie in one plane is in it.
    inliers
        Corners that agree.
    share
        And their share of all that the key picture has and this one shows.
    """

    matrix: Floats
    sigma_px: float
    inliers: int
    share: float


class KeyPicture:
    """A picture that others are laid on.

    Parameters
    ----------
    picture
        It.
    """

    def __init__(self, picture: SmallPicture) -> None:
        self.picture = picture
        corners = cv2.goodFeaturesToTrack(picture.grey, _CORNERS, _QUALITY, _APART_PX, mask=picture.free)
        self.corners: Singles = np.zeros((0, 2), np.float32) if corners is None else np.asarray(corners).reshape(-1, 2)

    @property
    def tells(self) -> bool:
        """Whether it has enough corners to say anything of motion."""
        return len(self.corners) >= _LEAST / _LEAST_SHARE

    def match(self, other: SmallPicture, guess: Floats | None = None) -> Match | None:
        """How this picture lies on another one of the same size; None where that cannot be told.

        Parameters
        ----------
        other
            The other picture.
        guess
            Homography from pixels of this one to pixels of the other, near which the search begins, shape (3, 3).
        """
        if not self.tells or other.grey.shape != self.picture.grey.shape:
            return None
        to_full = self.picture.to_full
        to_small = np.linalg.inv(to_full)
        guess = np.eye(3) if guess is None else to_small @ guess @ to_full
        start = _mapped(guess, self.corners)
        height, width = other.grey.shape
        inside = (start >= _BORDER_PX).all(axis=1) & (start < np.array([width, height]) - _BORDER_PX).all(axis=1)
        if inside.sum() < _LEAST:
            return None
        here, there = self._flow(other.grey, self.corners[inside], start[inside])
        column, row = np.clip(there.round().astype(int), 0, (width - 1, height - 1)).T
        free = other.free[row, column] > 0
        here, there = here[free], there[free]
        fitted = _fit(here, there, (height, width))
        if fitted is None:
            return None
        matrix, agree = fitted
        shown = _mapped(matrix, self.corners)
        seen = (shown >= 0).all(axis=1) & (shown < np.array([width, height])).all(axis=1)
        share = float(agree.sum() / max(seen.sum(), 1))
        if agree.sum() < _LEAST or agree.mean() < _LEAST_SHARE or share < _LEAST_SHARE / 2:
            return None
        off = np.hypot(*(_mapped(matrix, here[agree]) - there[agree]).T)
        # The median of a Rayleigh distribution is 1.177 sigmas.
        sigma = max(_FLOOR_PX, float(np.median(off)) / 1.177) * self.picture.scale
        full = to_full @ matrix @ to_small
        return Match(full / full[2, 2], sigma, int(agree.sum()), share)

    def _flow(self, other: Grey, corners: Singles, start: Singles) -> tuple[Singles, Singles]:
        """Corners that were found again, and where, shape (n, 2) each."""
        there, found = _followed(self.picture.grey, other, corners, start)
        back, returned = _followed(other, self.picture.grey, there, corners)
        good = found & returned & (np.hypot(*(back - corners).T) < _BACK_PX)
        return corners[good], there[good]


class StepMotion:
    """How each picture lies on the one before it."""

    def __init__(self) -> None:
        self._key: KeyPicture | None = None
        self._last: Floats | None = None

    @property
    def first(self) -> bool:
        """Whether no picture came yet."""
        return self._key is None

    def step(self, picture: SmallPicture) -> Match | None:
        """How the picture before lies on this one; None for the first one and where it cannot be told."""
        key, self._key = self._key, KeyPicture(picture)
        # A camera that turns goes on turning: what it did last is where to look first.
        match = None if key is None else key.match(picture, self._last)
        if key is not None and match is None and self._last is not None:
            match = key.match(picture)
        self._last = None if match is None else match.matrix
        return match


def _followed(one: Grey, other: Grey, points: Singles, start: Singles) -> tuple[Singles, NDArray[np.bool_]]:
    """Where points of one picture are in another, searched from `start`, and which were found."""
    there, found, _ = cv2.calcOpticalFlowPyrLK(
        one,
        other,
        points,
        start.copy(),
        winSize=_WINDOW,
        maxLevel=_LEVELS,
        flags=cv2.OPTFLOW_USE_INITIAL_FLOW,
    )
    return np.asarray(there), np.asarray(found).ravel() > 0


def _mapped(matrix: Floats, points: Singles) -> Singles:
    """Points, shape (n, 2), under a homography; far outside where they would be behind the camera."""
    moved = np.concatenate([points, np.ones((len(points), 1))], axis=1) @ matrix.T
    scale = np.where(moved[:, 2:] > 1e-6, moved[:, 2:], 1e-6)
    return np.asarray(np.clip(moved[:, :2] / scale, -1e6, 1e6), dtype=np.float32)


def _fit(here: Singles, there: Singles, shape: tuple[int, int]) -> tuple[Floats, NDArray[np.bool_]] | None:
    """Homography, or similarity where the corners are few or crowded, and which of them agree with it."""
    if len(here) < _LEAST:
        return None
    spread = here.std(axis=0) / np.array(shape[::-1])
    if len(here) >= _HOMOGRAPHY_CORNERS and spread.min() > _HOMOGRAPHY_SPREAD:
        matrix, agree = cv2.findHomography(here, there, cv2.RANSAC, _RANSAC_PX, maxIters=400, confidence=0.995)
    else:
        part, agree = cv2.estimateAffinePartial2D(
            here, there, method=cv2.RANSAC, ransacReprojThreshold=_RANSAC_PX, maxIters=400
        )
        matrix = None if part is None else np.concatenate([part, [[0.0, 0.0, 1.0]]])
    if matrix is None or not np.isfinite(matrix).all() or abs(matrix[2, 2]) < 1e-9:
        return None
    return np.asarray(matrix / matrix[2, 2], dtype=np.float64), agree.ravel().astype(bool)
