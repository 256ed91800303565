"""What the processes of the link's bench say to each other: a line of JSON each way, and the list that all send.

This module imports the standard library alone, so that peers in an environment of their own share it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

HOME = (31.345, -110.94, 1180.0)
"""Where the simulated vehicles stand: latitude, longitude, metres above the sea."""


def places(count: int) -> list[tuple[int, int, int, int, int, float]]:
    """A mission of `count` items, home first: number, frame, command, latitude and longitude (1e-7 degrees), height."""
    lat, lon = round(HOME[0] * 1e7), round(HOME[1] * 1e7)
    home = (0, 0, 16, lat, lon, HOME[2])
    return [home, *((n, 3, 16, lat, lon + 500 * n, 90.0) for n in range(1, count))]


def serve(answer: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Answer lines of standard input until it ends; what fails is answered with its reason."""
    for line in sys.stdin:
        try:
            told = answer(json.loads(line))
        except Exception as error:  # noqa: BLE001  whatever it is, who asked shall hear of it
            told = {"error": f"{type(error).__name__}: {error}"}
        sys.stdout.write(json.dumps(told) + "\n")
        sys.stdout.flush()
