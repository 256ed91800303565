"""Charts of an evaluation as SVG: curves, shares with their intervals, and crossings beside the truth."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from html import escape

import numpy as np

import vision

__all__ = ["crossing_chart", "curve_chart", "error_chart", "share_chart"]

# Told apart by those who do not see colours too: each curve has a dash of its own (Okabe and Ito's colours).
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
_DASHES = ("", "9 4", "3 4", "12 4 3 4", "6 3", "2 3")
_WIDTH, _HEIGHT = 560.0, 300.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 52.0, 150.0, 12.0, 44.0
_ROW = 26.0
_WANTED = (0.90, 0.98)

Curve = Sequence[tuple[float, float | None]]


def curve_chart(label: str, curves: Mapping[str, Curve], x_words: str, y_words: str, *, x_most: float = 1.0) -> str:
    """Curves over 0 to `x_most` with values of 0 to 1, one `svg` element; a value of None breaks its curve.

    Parameters
    ----------
    label
        What a person who cannot see it hears.
    curves
        Points (x, y) by name.
    x_words, y_words
        Of the axes.
    x_most
        End of the axis.
    """
    parts = list(_axes(x_words, y_words, x_most))
    for number, (name, points) in enumerate(curves.items()):
        style = f'stroke="{_COLOURS[number % 6]}" stroke-dasharray="{_DASHES[number % 6]}" class="curve"'
        parts += [
            f'<polyline points="{" ".join(piece)}" {style}><title>{escape(name)}</title></polyline>'
            for piece in _pieces(points, x_most)
        ]
        y = _TOP + 10 + 18 * number
        right = _WIDTH - _RIGHT + 12
        parts.append(f'<path d="M{right} {y} h26" {style}/>')
        parts.append(f'<text x="{right + 32}" y="{y + 4}">{escape(name)}</text>')
    return _svg(label, _WIDTH, _HEIGHT, parts)


def error_chart(places: vision.Places) -> str:
    """Share of places with an error up to so many metres, single and smoothed."""
    curves: dict[str, Curve] = {}
    most = 1.0
    for name, sightings in (("each frame", places.single), ("smoothed", places.smoothed)):
        errors = np.sort([sighting.distance_m for sighting in sightings])
        if not len(errors):
            continue
        most = max(most, math.ceil(float(np.percentile(errors, 99))))
        shares = np.arange(1, len(errors) + 1) / len(errors)
        chosen = np.unique(np.linspace(0, len(errors) - 1, 200).astype(int))
        curves[name] = [(0.0, 0.0), *((float(errors[i]), float(shares[i])) for i in chosen if errors[i] <= most)]
    words = "Share of places by the size of their error"
    return curve_chart(words, curves, "error of place, m", "share of sightings", x_most=most)


def share_chart(rows: Sequence[tuple[str, vision.PlaceScore]]) -> str:
    """Share of true places inside the stated ellipse by row, its interval, and what is wanted, one `svg` element."""
    left, right, bottom = 130.0, 20.0, _TOP + _ROW * len(rows)
    width = _WIDTH - left - right

    def x(share: float) -> float:
        return left + width * (max(share, 0.5) - 0.5) / 0.5

    low, high = _WANTED
    parts = [
        f'<rect x="{x(low):.1f}" y="{_TOP}" width="{x(high) - x(low):.1f}" height="{bottom - _TOP}" class="want"/>'
    ]
    for tick in (0.5, 0.6, 0.7, 0.8, 0.9, 1.0):
        parts.append(f'<path d="M{x(tick):.1f} {_TOP} V{bottom}" class="tick"/>')
        parts.append(f'<text x="{x(tick):.1f}" y="{bottom + 16}" text-anchor="middle" class="small">{tick:.0%}</text>')
    for number, (name, one) in enumerate(rows):
        y = _TOP + _ROW * (number + 0.5)
        parts.append(f'<text x="{left - 8}" y="{y + 4:.1f}" text-anchor="end">{escape(name)}</text>')
        if one.low is not None and one.high is not None:
            parts.append(f'<path d="M{x(one.low):.1f} {y:.1f} H{x(one.high):.1f}" class="interval"/>')
        words = f"{name}: {one.inside:.1%} of {one.sightings}"
        parts.append(f'<circle cx="{x(one.inside):.1f}" cy="{y:.1f}" r="4.5"><title>{escape(words)}</title></circle>')
    label = "Share of true places inside the stated 95 % ellipse, with the interval of that share"
    return _svg(label, _WIDTH, bottom + 24, parts)


def crossing_chart(crossed: Mapping[str, vision.Crossed]) -> str:
    """Each recording as a row: true crossings above its line, found ones below, one `svg` element."""
    left, right = 190.0, 20.0
    ends = [
        (crossing.time_us - one.start_us) / 1e6
        for one in crossed.values()
        for part in (one.found, one.true)
        for crossing in part
    ]
    most = max([10.0, *ends])
    scale, low = (_WIDTH + 200 - left - right) / most, _TOP + 34 * len(crossed) + 8
    parts = []
    for tick in np.arange(0.0, most + 1e-9, _step(most)).tolist():
        x = left + scale * tick
        parts.append(f'<path d="M{x:.1f} {_TOP} V{low}" class="tick"/>')
        parts.append(f'<text x="{x:.1f}" y="{low + 14}" text-anchor="middle" class="small">{tick:g} s</text>')
    for number, (name, one) in enumerate(crossed.items()):
        y = _TOP + 34 * number + 16
        parts.append(
            f'<text x="{left - 8}" y="{y + 4:.1f}" text-anchor="end" class="small">{escape(name[-32:])}</text>'
        )
        parts.append(f'<path d="M{left} {y:.1f} H{_WIDTH + 200 - right}" class="tick"/>')
        for crossing in one.true:
            at = left + scale * (crossing.time_us - one.start_us) / 1e6
            words = f"true, {crossing.direction}, {crossing.kind}{'' if crossing.in_view else ', not in view'}"
            style = "true" if crossing.in_view else "true unseen"
            parts.append(f'<path d="M{at:.1f} {y - 2:.1f} l-5 -9 h10 z" class="{style}"><title>{words}</title></path>')
        for made in one.found:
            at = left + scale * (made.time_us - one.start_us) / 1e6
            words = f"found, {made.direction}, {made.kind}, {made.status}"
            parts.append(f'<path d="M{at:.1f} {y + 2:.1f} l-5 9 h10 z" class="found"><title>{words}</title></path>')
    return _svg("Crossings by recording: true ones above the line, found ones below", _WIDTH + 200, low + 22, parts)


def _step(most: float) -> float:
    """Seconds between ticks, so that there are ten at most."""
    return next((step for step in (1, 2, 5, 10, 20, 30, 60, 120, 300, 600) if most / step <= 10), most)


def _axes(x_words: str, y_words: str, x_most: float) -> Iterator[str]:
    low, far = _HEIGHT - _BOTTOM, _WIDTH - _RIGHT
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        x, y = _at(share * x_most, share, x_most)
        yield f'<path d="M{_LEFT} {y:.1f} H{far} M{x:.1f} {_TOP} V{low}" class="tick"/>'
        yield f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end" class="small">{share:g}</text>'
        yield f'<text x="{x:.1f}" y="{low + 14}" text-anchor="middle" class="small">{share * x_most:g}</text>'
    yield f'<text x="{(_LEFT + far) / 2}" y="{_HEIGHT - 8}" text-anchor="middle">{escape(x_words)}</text>'
    middle = (_TOP + low) / 2
    yield (
        f'<text x="12" y="{middle}" text-anchor="middle" transform="rotate(-90 12 {middle})">{escape(y_words)}</text>'
    )


def _at(x: float, y: float, x_most: float) -> tuple[float, float]:
    across, up = _WIDTH - _RIGHT - _LEFT, _HEIGHT - _BOTTOM - _TOP
    return _LEFT + across * x / x_most, _HEIGHT - _BOTTOM - up * min(1.0, max(0.0, y))


def _pieces(points: Curve, x_most: float) -> Iterator[list[str]]:
    piece: list[str] = []
    for x, y in points:
        if y is None:
            if len(piece) > 1:
                yield piece
            piece = []
        else:
            across, up = _at(x, y, x_most)
            piece.append(f"{across:.1f},{up:.1f}")
    if len(piece) > 1:
        yield piece


def _svg(label: str, width: float, height: float, parts: Sequence[str]) -> str:
    return (
        f'<svg viewBox="0 0 {width:.0f} {height:.0f}" role="img" aria-label="{escape(label)}" '
        f'xmlns="http://www.w3.org/2000/svg">{"".join(parts)}</svg>'
    )
