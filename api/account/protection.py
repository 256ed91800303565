"""Counts that single nobody out: small cells are not shown, and no sum gives them away.

Hiding further cells until an exact sum is safe (complementary suppression) does not hold against whoever knows the
rule: which cells were hidden beside small ones, and which were not, bounds what is in them (the minimality attack; Wong
et al., VLDB 2007). Tried on every small table, it gave single counts away. So what is hidden is told of as "at least so
many", in coarse steps, and only as many as the other hidden cells could be alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["Shown", "protected"]


@dataclass(frozen=True, slots=True)
class Shown:
    """A table as it may be seen.

    Parameters
    ----------
    cells
        Those with at least the threshold, with their exact counts.
    elsewhere
        All other cells together are at least that many.
    """

    cells: dict[str, int]
    elsewhere: int

    @property
    def total(self) -> int:
        """All cells together are at least that many."""
        return sum(self.cells.values()) + self.elsewhere


def protected(counts: Mapping[str, int], threshold: int) -> Shown:
    """A table as it may be seen.

    Parameters
    ----------
    counts
        Count by cell; a cell that is not named counts 0.
    threshold
        Smaller counts are not shown.

    Notes
    -----
    With h in m hidden cells that are not empty and threshold k, `elsewhere` is the largest multiple of 2 k that is
    neither above h nor above (m - 1) (k - 1). Then any hidden cell may as well be 1: the others can be that many.
    """
    cells = {cell: count for cell, count in counts.items() if count >= threshold}
    hidden = [count for count in counts.values() if 0 < count < threshold]
    bound = min(sum(hidden), (len(hidden) - 1) * (threshold - 1))
    step = 2 * threshold
    return Shown(cells, max(0, bound // step * step))
