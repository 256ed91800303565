"""How much a reader likes a media type, by what it says in Accept (RFC 9110, 12.5.1)."""

from __future__ import annotations

import re
from collections.abc import Mapping

__all__ = ["quality_of", "ranges_of"]

_MAX_ACCEPT = 1000  # characters
_Q = re.compile(r"q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)", re.ASCII)


def ranges_of(accept: str | None) -> dict[str, float]:
    """The quality of each media range that is named; a weight that is none counts as none."""
    return dict(map(_range, (accept or "*/*")[:_MAX_ACCEPT].split(",")))


def quality_of(ranges: Mapping[str, float], *essences: str) -> float:
    """Of the range that fits best: one of the types themselves, then `type/*` of the first, then `*/*`; 0 of none."""
    exact = [ranges[name] for name in essences if name in ranges]
    if exact:
        return max(exact)
    return ranges.get(essences[0].partition("/")[0] + "/*", ranges.get("*/*", 0.0))


def _range(text: str) -> tuple[str, float]:
    name, *parameters = (part.strip().lower() for part in text.split(";"))
    qualities = [match[1] for match in map(_Q.fullmatch, parameters) if match is not None]
    return name, float(qualities[0]) if qualities else 1.0
