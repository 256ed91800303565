"""Single boxes as four numbers: x1, y1, x2, y2, pixels."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["Box", "area", "between", "inside", "overlap", "sides"]

Box = tuple[float, float, float, float]


def sides(box: Box) -> tuple[float, float]:
    """Width and height."""
    return box[2] - box[0], box[3] - box[1]


def area(box: Box) -> float:
    """Square pixels."""
    return (box[2] - box[0]) * (box[3] - box[1])


def inside(box: Box, bounds: Sequence[float]) -> Box:
    """What of a box lies within bounds; without area where nothing does."""
    x1, x2 = (min(max(value, bounds[0]), bounds[2]) for value in (box[0], box[2]))
    y1, y2 = (min(max(value, bounds[1]), bounds[3]) for value in (box[1], box[3]))
    return x1, y1, x2, y2


def overlap(a: Box, b: Box) -> float:
    """Intersection over union."""
    common = area(inside(a, b))
    return common / (area(a) + area(b) - common) if common else 0.0


def between(a: Box, b: Box, share: float) -> Box:
    """The box at a share, 0 to 1, of the way from one to another."""
    x1, y1, x2, y2 = (p + share * (q - p) for p, q in zip(a, b, strict=True))
    return x1, y1, x2, y2
