"""The life of an order as a table: what it is, what may become of it, and when it has run out."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

__all__ = ["NEXT", "STATES", "UNTOLD", "state_at"]

_UNTOLD_US = 600_000_000
UNTOLD = "its ground station did not tell what came of it: look what the vehicle does"
"""What is said of an order that was taken, and of which nothing was told for ten minutes after it ran out."""

NEXT: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "given": frozenset({"taken", "withdrawn", "expired"}),
        "taken": frozenset({"accepted", "refused", "done", "failed"}),
        "accepted": frozenset({"done", "failed"}),
        "refused": frozenset(),
        "done": frozenset(),
        "failed": frozenset(),
        "expired": frozenset(),
        "withdrawn": frozenset(),
    }
)
"""What may follow each state. Nothing leads back: what was refused, or ran out, is ordered anew."""

STATES = tuple(NEXT)


def state_at(state: str, expires_us: int, now_us: int) -> str:
    """The state of an order at `now_us` by the service's clock.

    One that nobody took in time has expired; one that was taken and never told of has failed, for all who look on. What
    its ground station tells of it later is taken all the same.
    """
    if state == "given" and now_us >= expires_us:
        return "expired"
    return "failed" if state == "taken" and now_us >= expires_us + _UNTOLD_US else state
