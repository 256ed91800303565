"""What a pilot tells a vehicle of a patrol to do, and what may come of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

from autopilot.cue import Cue

__all__ = ["PilotOrder", "Piloted", "Told"]

Told = Callable[[Literal["accepted", "refused", "done", "failed"], str], None]
"""Called with what came of an order, and why: at most once with "accepted", and then or at once with one of the others.
"""


@dataclass(frozen=True, slots=True)
class PilotOrder:
    """One order.

    Parameters
    ----------
    id
        Its name, of which nothing is carried out twice.
    kind
        What to do: stop in the air, go on, come home, land where it is, or look at something.
    until_s
        When it has run out if nothing was sent to the vehicle by then, seconds of `time.monotonic`.
    words
        Who gave it and why, for the report and the journal.
    cue
        What to look at, of a dispatch.
    """

    id: str
    kind: Literal["pause", "resume", "return", "land", "dispatch"]
    until_s: float
    words: str
    cue: Cue | None = None


class Piloted(Protocol):
    """What flies and takes the orders of pilots: a patrol, or a flight of a plan."""

    @property
    def broken_off(self) -> tuple[str, ...]:
        """Orders that a ground station before this one began, and of which it did not say what came of them."""

    def order(self, sysid: int, order: PilotOrder, told: Told) -> None:
        """Carry out an order beside the flights, once however often it is given; `told` hears of it."""
