"""How the picture moved between two frames, from the pictures alone: for frames whose camera pose nobody tells.

Corners of a picture of reduced size are followed by pyramidal optical flow (B. D. Lucas, T. Kanade, 1981; J.-Y.
Bouguet, 2001) there and back; those that do not come back to where they were are left out, as are those on detected
objects, which move by themselves. A similarity, or where it explains more a homography, is fitted to the rest with
RANSAC. Where too few agree there is no answer: None, never a guess.

Cameras write their name and the time into their pictures, along the upper and the lower edge. Letters have the best
corners of all, and stand still however the camera moves: those near these edges have a say only as long as what is
between agrees with them, or never said anything.
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
_WINDOW, _LEVELS, _NEAR_LEVELS = (13, 13), 3, 1
_STOP = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 15, 0.03)
_BACK_PX = 0.5
_RANSAC_PX = 1.0
_LEAST = 12
"""Corners that must agree; a similarity has four unknowns, so eight surplus ones say that it is no accident."""
_LEAST_SHARE = 0.25
# Corners that are where they were, and their share of those that could be. In another scene chance puts none there.
_STAY_PX, _STAY_LEAST, _STAY_SHARE = 0.7, 6, 0.05
_HOMOGRAPHY_CORNERS, _MORE = 40, 1.15
# A flow of whole pictures is no better than this, pixels of the reduced picture.
_FLOOR_PX = 0.05
_GROW = 0.15
# Brightness is made even over five blocks of this many pixels; noise of a camera, grey levels.
_EVEN, _NOISE = 6, 4.0
_BORDER_PX = 3.0
_EDGE = 0.12
"""Share of the height along the upper edge, and along the lower, where cameras write."""


@dataclass(frozen=True, slots=True, eq=False)
class SmallPicture:
    """A picture of reduced size in grey, of even brightness and contrast.

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
        """Reduce a picture, shape (height, width, 3) or `Frame.grey`, uint8, with the objects that were found in it."""
        height, width = image.shape[:2]
        share = min(1.0, _SIZE_PX / max(height, width))
        size = max(1, round(width * share)), max(1, round(height * share))
        # Green carries most of what grey does; a little more than the size that is wanted is enough to average from.
        # Twice the size, where that comes out even, takes a fifth of the time.
        times = max(height, width) / _SIZE_PX
        stride = int(times) // 2 if times >= 2 and times % 2 == 0 else max(1, int(0.85 / share))
        some = np.ascontiguousarray((image if image.ndim == 2 else image[..., 1])[::stride, ::stride])
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
        return cls(_even(grey), free, to_full, (width, height))

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
        height = picture.grey.shape[0]
        upper, lower = round(_EDGE * height), height - round(_EDGE * height)
        at_edges, between = round(_EDGE * _CORNERS), round((1 - 2 * _EDGE) * _CORNERS)
        parts = [
            _corners(picture, top, bottom, most)
            for top, bottom, most in ((0, upper, at_edges), (upper, lower, between), (lower, height, at_edges))
        ]
        self.corners: Singles = np.concatenate(parts)
        few = len(parts[1]) < 2 * _LEAST
        # Which of them are between the edges; all of them where there are too few to go by.
        self._between = np.repeat([few, True, few], [len(part) for part in parts])
        self._trusted = False
        """Whether those were ever found again."""

    @property
    def tells(self) -> bool:
        """Whether it has enough corners to say anything of motion."""
        return len(self.corners) >= 2 * _LEAST

    def seen_at(self, place: Floats) -> Floats:
        """Where corners are in another picture, full pixels, shape (n, 2); `place` takes this one's pixels to those."""
        to_full = self.picture.to_full
        corners = self.corners[self._between] if self._trusted else self.corners
        return np.asarray(_mapped(place @ to_full, corners), dtype=np.float64)

    def match(self, other: SmallPicture, guess: Floats | None = None) -> Match | None:
        """How this picture lies on another one of the same size; None where that cannot be told.

        Parameters
        ----------
        other
            The other picture.
        guess
            Homography from pixels of this one to pixels of the other, shape (3, 3): the search goes about it at first,
            then farther, then about no motion at all.
        """
        if not self.tells or other.grey.shape != self.picture.grey.shape:
            return None
        tries = [(np.eye(3), _LEVELS)]
        if guess is not None:
            tries = [(guess, _NEAR_LEVELS), (guess, _LEVELS), *tries]
        by_edges: Match | None = None
        for start, levels in tries:
            match, trusted = self._match(other, start, levels)
            if trusted:
                self._trusted = True
                return match
            by_edges = by_edges or match
        return None if self._trusted else by_edges

    def _match(self, other: SmallPicture, guess: Floats, levels: int) -> tuple[Match | None, bool]:
        """One search, over a pyramid of so many levels, and whether what is between the edges agrees."""
        to_full = self.picture.to_full
        guess = np.asarray(np.linalg.inv(to_full) @ guess @ to_full)
        numbers = np.flatnonzero(self._shown(other, guess))
        if len(numbers) < _LEAST:
            return None, False
        start = _mapped(guess, self.corners[numbers])
        there, good = self._flow(other.grey, self.corners[numbers], start, levels)
        numbers, there = numbers[good], there[good]
        by_edges: Match | None = None
        for some in (slice(None), self._between[numbers]):
            fit = _fit(self.corners[numbers[some]], there[some])
            if fit is None:
                continue
            agree = np.zeros(len(self.corners), bool)
            agree[numbers[some][fit.agree]] = True
            match = self._judged(other, fit, agree, self._between)
            if match is not None:
                return match, True
            by_edges = by_edges or self._judged(other, fit, agree, np.ones_like(agree))
        return by_edges, False

    def _judged(
        self, other: SmallPicture, fit: _Fit, agree: NDArray[np.bool_], among: NDArray[np.bool_]
    ) -> Match | None:
        """What was fitted, if enough of some corners agree with it."""
        shown = self._shown(other, fit.matrix) & among
        count = int((agree & among).sum())
        if count < max(_LEAST, _LEAST_SHARE * shown.sum()):
            return None
        to_full = self.picture.to_full
        full = to_full @ fit.matrix @ np.linalg.inv(to_full)
        # The median of a Rayleigh distribution is 1.177 sigmas.
        sigma = max(_FLOOR_PX, fit.off_px / 1.177) * self.picture.scale
        return Match(full / full[2, 2], sigma, count, count / max(int(shown.sum()), 1))

    def stays(self, other: SmallPicture, place: Floats) -> bool:
        """Whether another picture may still lie where it did, `place`, though too little of this one is left to match.

        Some corners are where they would be then, or objects cover nearly all of them.

        Parameters
        ----------
        other
            The other picture.
        place
            Homography from pixels of this one to pixels of the other, shape (3, 3).
        """
        to_full = self.picture.to_full
        matrix = np.asarray(np.linalg.inv(to_full) @ place @ to_full)
        shown = self._shown(other, matrix)
        expected = self.corners[shown & self._between if self._trusted else shown]
        if len(expected) < _LEAST:
            return True
        start = _mapped(matrix, expected)
        there, good = self._flow(other.grey, expected, start, _NEAR_LEVELS)
        near = np.hypot(*(start - there)[good].T) < _STAY_PX
        return bool(near.sum() >= _STAY_LEAST and near.sum() >= _STAY_SHARE * len(expected))

    def _shown(self, other: SmallPicture, matrix: Floats) -> NDArray[np.bool_]:
        """Which corners another picture shows, and no object covers, where a homography of small pictures puts them."""
        where = _mapped(matrix, self.corners)
        height, width = other.grey.shape
        inside = (where >= _BORDER_PX).all(axis=1) & (where < np.array([width, height]) - _BORDER_PX).all(axis=1)
        return np.asarray(inside & _free(other, where))

    def _flow(
        self, other: Grey, corners: Singles, start: Singles, levels: int
    ) -> tuple[Singles, NDArray[np.bool_]]:  # fmt: skip
        """Where corners are, shape (n, 2), and which were found again."""
        there, found = _followed(self.picture.grey, other, corners, start, levels)
        back, returned = _followed(other, self.picture.grey, there, corners, levels)
        return there, np.asarray(found & returned & (np.hypot(*(back - corners).T) < _BACK_PX))


def _corners(picture: SmallPicture, top: int, bottom: int, most: int) -> Singles:
    """The best corners of some rows of a picture that no object covers, shape (n, 2)."""
    found = cv2.goodFeaturesToTrack(picture.grey[top:bottom], most, _QUALITY, _APART_PX, mask=picture.free[top:bottom])
    if found is None:
        return np.zeros((0, 2), np.float32)
    return np.asarray(found, dtype=np.float32).reshape(-1, 2) + np.array([0, top], np.float32)


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
        self._last = None if match is None else match.matrix
        return match


def _free(picture: SmallPicture, points: Singles) -> NDArray[np.bool_]:
    """Whether no object covers points, shape (n, 2)."""
    height, width = picture.grey.shape
    column, row = np.clip(points.round(), 0, (width - 1, height - 1)).astype(int).T
    return np.asarray(picture.free[row, column] > 0)


def _even(grey: NDArray[np.uint8]) -> Grey:
    """A picture of even brightness and contrast: exposure, gain and dusk change it little. Noise is not lifted."""
    height, width = grey.shape
    coarse = max(1, width // _EVEN), max(1, height // _EVEN)
    light = grey.astype(np.float32)
    mean, power = (
        cv2.blur(cv2.resize(v, coarse, interpolation=cv2.INTER_AREA), (5, 5)) for v in (light, light * light)
    )
    gain = 50.0 / (np.sqrt(np.maximum(power - mean * mean, 0.0)) + _NOISE)
    mean, gain = (cv2.resize(v, (width, height), interpolation=cv2.INTER_LINEAR) for v in (mean, gain))
    light -= mean
    light *= gain
    light += 128.0
    return np.asarray(cv2.convertScaleAbs(np.maximum(light, 0.0, out=light)), dtype=np.uint8)


def _followed(
    one: Grey, other: Grey, points: Singles, start: Singles, levels: int
) -> tuple[Singles, NDArray[np.bool_]]:
    """Where points of one picture are in another, searched from `start`, and which were found."""
    there, found, _ = cv2.calcOpticalFlowPyrLK(
        one,
        other,
        points,
        start.copy(),
        winSize=_WINDOW,
        maxLevel=levels,
        criteria=_STOP,
        flags=cv2.OPTFLOW_USE_INITIAL_FLOW,
    )
    return np.asarray(there), np.asarray(found).ravel() > 0


def _mapped(matrix: Floats, points: Singles) -> Singles:
    """Points, shape (n, 2), under a homography; far outside where they would be behind the camera."""
    moved = np.concatenate([points, np.ones((len(points), 1))], axis=1) @ matrix.T
    scale = np.where(moved[:, 2:] > 1e-6, moved[:, 2:], 1e-6)
    return np.asarray(np.clip(moved[:, :2] / scale, -1e6, 1e6), dtype=np.float32)


def _fit(here: Singles, there: Singles) -> _Fit | None:
    """Similarity or homography, and which of the corners agree with it.

    A homography has four unknowns more, and where no corner is it swings: it is taken where it explains more.
    """
    if len(here) < _LEAST:
        return None
    part, agree = cv2.estimateAffinePartial2D(
        here, there, method=cv2.RANSAC, ransacReprojThreshold=_RANSAC_PX, maxIters=400
    )
    best = None if part is None else _Fit.of(np.concatenate([part, [[0.0, 0.0, 1.0]]]), agree, here, there)
    if len(here) >= _HOMOGRAPHY_CORNERS:
        matrix, agree = cv2.findHomography(here, there, cv2.RANSAC, _RANSAC_PX, maxIters=400, confidence=0.995)
        free = None if matrix is None or abs(matrix[2, 2]) < 1e-9 else _Fit.of(matrix, agree, here, there)
        if free is not None and (
            best is None or free.agree.sum() > _MORE * best.agree.sum() or _MORE * free.off_px < best.off_px
        ):
            best = free
    return best


@dataclass(frozen=True, slots=True, eq=False)
class _Fit:
    """A homography of small pictures, which corners agree with it, and their median departure, pixels."""

    matrix: Floats
    agree: NDArray[np.bool_]
    off_px: float

    @classmethod
    def of(cls, matrix: Floats, agree: NDArray[np.uint8], here: Singles, there: Singles) -> _Fit | None:
        which = agree.ravel() > 0
        if not which.any() or not np.isfinite(matrix).all():
            return None
        off = np.hypot(*(_mapped(matrix, here[which]) - there[which]).T)
        return cls(np.asarray(matrix / matrix[2, 2], dtype=np.float64), which, _median(off))


def _median(values: Singles) -> float:
    """As `numpy.median`, which takes several times as long where there are few."""
    half, even = len(values) // 2, len(values) % 2 == 0
    middle = np.partition(values, (half - 1, half) if even else half)
    return float(middle[half - 1 : half + 1].mean() if even else middle[half])
