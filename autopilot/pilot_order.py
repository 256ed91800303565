"""What a pilot tells a vehicle of a patrol to do, and what may come of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from autopilot.cue import Cue

__all__ = ["PilotOrder", "Told"]

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
