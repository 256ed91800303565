"""Errors of ``autopilot``.

::

    VedetteError                 anything that Vedette itself refuses (geo)
    └── AutopilotError           anything between us and a vehicle
        ├── LinkError            a link that does not open, is silent, or was lost
        ├── TransferError        a mission, fence or rally list that did not get across; says what the vehicle holds now
        │   ├── TransferTimeoutError  the vehicle stopped answering
        │   ├── RejectedError    the vehicle answered MISSION_ACK with a reason
        │   └── MismatchError    what was read back does not mean what was sent
        ├── FtpError             a file transfer that the vehicle refused, or that came to nothing
        ├── CommandError         a command that was refused or never answered
        ├── ParameterError       a parameter that is not answered or did not take its value
        │   └── AbsentError      a parameter that the vehicle does not have
        ├── NotReadyError        position, GPS or pre-arm checks were not good in time
        ├── PlaceError           a place, a height or a way on which the vehicle may not be sent
        ├── LogError             a flight log that cannot be read or written
        └── FlightError          a flight that did not go as planned
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from geo import VedetteError


class AutopilotError(VedetteError):
    """Anything between us and a vehicle."""


class LinkError(AutopilotError):
    """A link that does not open, is silent, or was lost. The message names its URL."""


class VehicleState(StrEnum):
    """What a vehicle holds after a transfer that failed."""

    KEPT = "kept"
    """Refused before an item was asked for: the old list is untouched and still flyable."""
    CLEARED = "cleared"
    """The list was cleared: there is nothing to fly."""
    UNKNOWN = "unknown"
    """It could not be cleared: perhaps a hybrid of old and new items. Do not fly before it reads back right."""


STATE_WORDS = {
    VehicleState.KEPT: "the vehicle keeps its old list",
    VehicleState.CLEARED: "the vehicle's list was cleared: send it again before a flight",
    VehicleState.UNKNOWN: "what the vehicle holds is not known: do not fly it before a list reads back right",
}
"""What a vehicle holds, and what to do, in words."""


class TransferError(AutopilotError):
    """A mission, fence or rally list that did not get across.

    Attributes
    ----------
    state
        What the vehicle holds now; None where nothing was written.
    """

    def __init__(self, message: str, state: VehicleState | None = None) -> None:
        super().__init__(message)
        self.state = state

    def __str__(self) -> str:
        message = super().__str__()
        return message if self.state is None else f"{message}; {STATE_WORDS[self.state]}"


class TransferTimeoutError(TransferError):
    """The vehicle stopped answering during a transfer."""


class RejectedError(TransferError):
    """The vehicle answered MISSION_ACK with a reason.

    Attributes
    ----------
    result
        The MAV_MISSION_RESULT.
    """

    def __init__(self, message: str, result: int, state: VehicleState | None = None) -> None:
        super().__init__(message, state)
        self.result = result


@dataclass(frozen=True, slots=True)
class Difference:
    """One way in which a list that was read back means something else than the list that was sent.

    Parameters
    ----------
    seq
        Sequence number of the item, or None for the list as a whole.
    field
        Name of the field, such as ``command``, ``p1``, ``x`` or ``count``.
    sent, read
        Both values.
    """

    seq: int | None
    field: str
    sent: float
    read: float

    def __str__(self) -> str:
        where = "" if self.seq is None else f"item {self.seq} "
        return f"{where}{self.field}: sent {self.sent:.9g}, read {self.read:.9g}"


class MismatchError(TransferError):
    """What was read back does not mean what was sent.

    Attributes
    ----------
    differences
        Every difference found.
    """

    def __init__(self, message: str, differences: Sequence[Difference]) -> None:
        super().__init__(message)
        self.differences = tuple(differences)


class FtpError(AutopilotError):
    """A file transfer that the vehicle refused, or that came to nothing.

    Attributes
    ----------
    code
        The MAV_FTP_ERR, or None where the vehicle stopped answering or what it sent makes no sense.
    at_close
        Whether it failed when a written file was closed, which is when a vehicle acts on some: it may have.
    """

    def __init__(self, message: str, code: int | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.at_close = False


class CommandError(AutopilotError):
    """A command that was refused or never answered.

    Attributes
    ----------
    result
        The MAV_RESULT, or None where the vehicle never answered.
    """

    def __init__(self, message: str, result: int | None = None) -> None:
        super().__init__(message)
        self.result = result


class ParameterError(AutopilotError):
    """A parameter that is not answered or did not take its value."""


class AbsentError(ParameterError):
    """A parameter that the vehicle does not have."""


class NotReadyError(AutopilotError):
    """Position, GPS or pre-arm checks were not good in time."""


class PlaceError(AutopilotError):
    """A place, a height or a way on which the vehicle may not be sent. Nothing was sent."""


class LogError(AutopilotError):
    """A flight log that cannot be read or written."""


class FlightError(AutopilotError):
    """A flight that did not go as planned."""
