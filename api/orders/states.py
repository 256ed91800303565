"""The life of an order as a table: what it is, what may become of it, and when it has run out."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

__all__ = ["NEXT", "STATES", "state_at"]

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
    """The state of an order at `now_us` by the service's clock: one that nobody took in time has expired."""
    return "expired" if state == "given" and now_us >= expires_us else state
