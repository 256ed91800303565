"""Whether a camera that stands still still does: a look at a few patches in place of laying the whole picture.

About corners of a picture that was laid on another one small patches are kept. In a later picture they are read at the
same places, and one step of Lucas and Kanade (1981) says how far each has moved: where most of them have not, the
picture lies as the earlier one did. Patches are compared by their pattern, not by their brightness. It reads one
hundredth of the picture, and says "no" wherever it is not sure: then the picture is laid on the other one again.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from vision.types import Detection

__all__ = ["HeldView"]

Floats = NDArray[np.float32]

_PATCHES = 48
_REACH = 5  # samples from the middle of a patch to its edge
_ALIKE = 0.8
"""Correlation of a patch with itself, later, at least."""
_LEAST, _SHARE = 12, 0.6
"""So many patches, and such a share of those that no object covers, have to be where they were."""
_GROW = 0.15
"""An object may reach so far beyond its box, share of the box, on every side: its box is seldom exact."""


class HeldView:
    """Patches of one picture.

    Parameters
    ----------
    grey
        The picture, shape (height, width), uint8.
    corners
        Where there is something to see in it, pixels, shape (n, 2).
    step_px
        From one sample of a patch to the next, pixels.
    """

    def __init__(self, grey: NDArray[np.uint8], corners: NDArray[np.float64], step_px: int) -> None:
        self._shape = height, width = grey.shape
        reach = (_REACH + 2) * step_px
        columns, rows = np.floor(corners).astype(np.intp).reshape(-1, 2).T
        inside = (columns >= reach) & (columns < width - reach) & (rows >= reach) & (rows < height - reach)
        chosen = np.flatnonzero(inside)[:: max(1, -(-int(inside.sum()) // _PATCHES))]
        self._middles = np.stack([columns[chosen], rows[chosen]], axis=1)
        steps = np.arange(-_REACH - 2, _REACH + 3) * step_px
        row, column = rows[chosen, None, None] + steps[:, None], columns[chosen, None, None] + steps
        wide = grey[row, column].astype(np.float32)
        shape = len(chosen), (2 * _REACH + 1) ** 2
        self._row, self._column = (
            np.broadcast_to(one, wide.shape)[:, 2:-2, 2:-2].reshape(shape) for one in (row, column)
        )
        self._pattern, size = _pattern(wide[:, 2:-2, 2:-2].reshape(shape))
        # How the pattern changes with a pixel to the right and down; smoothed, since noise would seem a slope.
        smooth = (wide[:, :-2] + 2 * wide[:, 1:-1] + wide[:, 2:]) / 4
        smooth = (smooth[:, :, :-2] + 2 * smooth[:, :, 1:-1] + smooth[:, :, 2:]) / 4
        right = (smooth[:, 1:-1, 2:] - smooth[:, 1:-1, :-2]) / (2 * step_px)
        down = (smooth[:, 2:, 1:-1] - smooth[:, :-2, 1:-1]) / (2 * step_px)
        slopes = np.stack([one.reshape(shape) for one in (right, down)], axis=1) / size[:, None]
        squares = slopes @ np.swapaxes(slopes, 1, 2)
        tells = (np.linalg.det(squares) > 1e-12) & (size[:, 0] > len(steps))  # more than noise of a level or so
        self._solve = np.zeros((len(chosen), 2, shape[1]), np.float32)
        self._solve[tells] = np.linalg.solve(squares[tells], slopes[tells])
        self._tells = tells

    def holds(self, grey: NDArray[np.uint8], boxes: Sequence[Detection], within_px: float) -> bool:
        """Whether a picture lies as this one did: most of its patches that no object covers are where they were.

        Parameters
        ----------
        grey
            The later picture.
        boxes
            Objects in it.
        within_px
            How far a patch may have moved, pixels.
        """
        if grey.shape != self._shape:
            return False
        free = self._tells & ~self._covered(boxes)
        if free.sum() < _LEAST:
            return False
        now, _ = _pattern(grey[self._row[free], self._column[free]].astype(np.float32))
        before = self._pattern[free]
        alike = (now * before).sum(axis=1)
        # A patch that moved to the right shows what was to the left of it.
        moved = np.hypot(*(self._solve[free] @ (before - now)[..., None])[..., 0].T)
        good = (alike > _ALIKE) & (moved < within_px)
        return bool(good.sum() >= max(_LEAST, _SHARE * len(good)))

    def _covered(self, boxes: Sequence[Detection]) -> NDArray[np.bool_]:
        """Which patches objects cover."""
        if not boxes:
            return np.zeros(len(self._middles), bool)
        corners = np.array([(box.x1, box.y1, box.x2, box.y2) for box in boxes])
        margin = _GROW * (corners[:, 2:] - corners[:, :2])
        x, y = self._middles[:, :1], self._middles[:, 1:]
        return np.asarray(
            (
                (x >= corners[:, 0] - margin[:, 0])
                & (x <= corners[:, 2] + margin[:, 0])
                & (y >= corners[:, 1] - margin[:, 1])
                & (y <= corners[:, 3] + margin[:, 1])
            ).any(axis=1)
        )


def _pattern(patches: Floats) -> tuple[Floats, Floats]:
    """Patches, shape (n, k), without their brightness and contrast, and the contrast of each, shape (n, 1)."""
    patches = patches - patches.mean(axis=1, keepdims=True)
    size = np.maximum(np.linalg.norm(patches, axis=1, keepdims=True), 1e-6)
    return patches / size, size
