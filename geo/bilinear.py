"""Values between the samples of a grid, for points by the million."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["bilinear", "by_key", "in_pieces"]

Floats = NDArray[np.float64]

_PIECE = 32_768
"""Points at a time: their intermediate results stay in the processor's cache."""

SLACK = 5e-7
"""Half a millionth of a step: corners of a tile computed in floating point belong to it."""


def bilinear(
    samples: NDArray[np.generic],
    row: Floats,
    column: Floats,
    void: float | None = None,
    within: tuple[float, float] | None = None,
) -> Floats:
    """Bilinear values on a grid.

    Parameters
    ----------
    samples
        The grid, shape (rows, columns), any real type and byte order, at least 2 by 2.
    row, column
        Where, in steps from sample (0, 0), each of shape (n,).
    void
        The sample that means "no data", beside NaN.
    within
        The least and the greatest sample that are not void either; all are by default.

    Returns
    -------
    ndarray
        Shape (n,); NaN outside the grid and where one of the four samples around the point is void.
    """
    rows, columns = samples.shape
    inside = (row >= -SLACK) & (row <= rows - 1 + SLACK) & (column >= -SLACK) & (column <= columns - 1 + SLACK)
    every = bool(inside.all())
    if not every:
        row, column = np.where(inside, row, 0.0), np.where(inside, column, 0.0)
    # Not negative but for the slack, so cutting off is rounding down.
    r0 = np.minimum(row.astype(np.intp), rows - 2)
    c0 = np.minimum(column.astype(np.intp), columns - 2)
    fr, fc = row - r0, column - c0
    flat = samples.reshape(-1)
    at = r0 * columns + c0

    def corner(shift: int) -> Floats:
        raw = flat[at + shift]
        value: Floats = raw.astype(np.float64)
        if within is not None:
            value[(value < within[0]) | (value > within[1])] = np.nan
        if void is not None:
            missing = raw == void
            if missing.any():
                value[missing] = np.nan
        return value

    top = corner(0)
    top += fc * (corner(1) - top)
    bottom = corner(columns)
    bottom += fc * (corner(columns + 1) - bottom)
    top += fr * (bottom - top)
    if not every:
        top[~inside] = np.nan
    return top


def in_pieces(work: Callable[[Floats, Floats], Floats], a: ArrayLike, b: ArrayLike) -> Floats:
    """`work` on flat pieces of two arrays, broadcast against each other; the result in their broadcast shape."""
    first, second = np.broadcast_arrays(np.asarray(a, dtype=float), np.asarray(b, dtype=float))
    if first.size <= _PIECE:
        return np.asarray(work(first.ravel(), second.ravel())).reshape(first.shape)
    one, other = first.ravel(), second.ravel()
    out = np.empty(one.size)
    for start in range(0, one.size, _PIECE):
        piece = slice(start, start + _PIECE)
        out[piece] = work(one[piece], other[piece])
    return out.reshape(first.shape)


def by_key(keys: NDArray[np.integer]) -> Iterator[tuple[int, NDArray[np.intp] | slice]]:
    """Every different key, none negative, with the indices that hold it, in their order; a slice where all do."""
    if not keys.size:
        return
    low, high = int(keys.min()), int(keys.max())
    if low == high:
        yield low, slice(None)
        return
    # Sixteen bits are sorted by radix, in a pass or two.
    small = keys.astype(np.uint16) if high <= np.iinfo(np.uint16).max else keys
    order = np.argsort(small, kind="stable")
    ordered = small[order]
    cuts = np.flatnonzero(ordered[1:] != ordered[:-1]) + 1
    for indices in np.split(order, cuts):
        yield int(keys[indices[0]]), indices
