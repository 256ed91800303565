"""How it ends with a vehicle that misbehaves, and within what time: what the guide for pilots promises.

Seconds are the vehicle's own, counted from the moment at which it begins to misbehave, for a mission of ten items over
a round trip of 50 ms: what is sent or read on the way comes on top. Two uploads are tried, as by default.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

__all__ = ["ENDINGS", "Ending"]


@dataclass(frozen=True, slots=True)
class Ending:
    """One way to misbehave.

    Parameters
    ----------
    trouble
        What the vehicle does.
    end
        How that ends, and what is known of the vehicle then.
    within_s
        After how many seconds at the latest.
    """

    trouble: str
    end: str
    within_s: float


ENDINGS: Mapping[str, Ending] = MappingProxyType(
    {
        "silent": Ending(
            "goes silent in the middle of an upload",
            "TransferTimeoutError; what it holds is not known, and it is not flown",
            45.0,
        ),
        "silent, then heard": Ending(
            "goes silent in the middle of an upload and is heard again before that",
            "the upload is tried once more; else TransferTimeoutError, and its list is cleared",
            45.0,
        ),
        "silent in reading": Ending(
            "goes silent while its list is read back",
            "TransferTimeoutError; what it holds is not known, and it is not flown",
            50.0,
        ),
        "another list": Ending(
            "answers for another list than the one that is sent",
            "not believed; without an answer for the right one as one that goes silent",
            45.0,
        ),
        "repeats": Ending(
            "repeats a request for ever",
            "each is answered; without a request for another item TransferTimeoutError, and its list is cleared",
            65.0,
        ),
        "garbage": Ending(
            "sends garbage, alone or between its packets",
            "skipped byte by byte; without a packet between as one that goes silent",
            45.0,
        ),
        "another id": Ending(
            "goes on under another system id",
            "another vehicle, not believed: as one that goes silent",
            45.0,
        ),
        "stale": Ending(
            "holds another mission than was proved, right before arming",
            "MismatchError; it is not armed",
            1.0,
        ),
        "armed": Ending("is armed already", "FlightError; nothing is sent to it", 1.0),
        "refuses a mode": Ending("refuses a mode", "CommandError with its reason; it is not armed", 1.0),
        "ignores a mode": Ending("accepts a mode and does not enter it", "CommandError; it is not armed", 11.0),
        "does not answer": Ending("does not answer a command", "CommandError; it is not armed", 7.0),
        "reboots in an upload": Ending(
            "reboots in the middle of an upload",
            "the upload is tried once more, and proved or cleared",
            15.0,
        ),
        "reboots": Ending(
            "reboots after its mission was proved",
            "NotReadyError; it is not armed before its mission is sent again",
            1.0,
        ),
    }
)
"""By a short name."""
