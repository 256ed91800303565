"""Whether a vehicle takes us for its ground station."""

from __future__ import annotations

from dataclasses import dataclass

from autopilot.errors import NotReadyError, ParameterError
from autopilot.link import Link
from autopilot.vehicle import Vehicle

__all__ = ["GroundWatch", "check_ground_station", "ground_watch", "twin_words"]


@dataclass(frozen=True, slots=True)
class GroundWatch:
    """How a vehicle watches for its ground station.

    Parameters
    ----------
    lowest, highest
        System ids that it takes for its ground station; None where any will do.
    acts
        Whether it does something of its own when none of them is heard any more.
    parameter
        The parameter that switches this on.
    """

    lowest: int | None
    highest: int | None
    acts: bool
    parameter: str

    def takes(self, system_id: int) -> bool:
        """Whether a system id is its ground station's."""
        return self.lowest is None or self.highest is None or self.lowest <= system_id <= self.highest


async def ground_watch(vehicle: Vehicle) -> GroundWatch:
    """Ask a vehicle how it watches for its ground station. Raises ParameterError where it does not say."""
    ways = vehicle.dialect.ground
    acts = bool(await vehicle.parameter(ways.action))
    if not ways.system_id:
        return GroundWatch(None, None, acts, ways.action)
    lowest = int(await vehicle.parameter(ways.system_id))
    highest = lowest
    if acts and ways.highest_id:
        try:
            highest = max(lowest, int(await vehicle.parameter(ways.highest_id)))
        except ParameterError:  # versions before it know one id alone
            highest = lowest
    return GroundWatch(lowest, highest, acts, ways.action)


async def check_ground_station(vehicle: Vehicle) -> str | None:
    """Before a flight of a vehicle whose ground station we are: whether it would miss us.

    A failsafe that waits for another system id never acts: ArduPilot arms it with the first heartbeat of that id.

    Returns
    -------
    str or None
        What a person has to know, in words: that it does not say whom it waits for.

    Raises
    ------
    NotReadyError
        When it waits for another ground station than us.
    """
    ways = vehicle.dialect.ground
    ours = vehicle.link.system_id
    try:
        watch = await ground_watch(vehicle)
    except ParameterError as error:
        return f"whether it would notice that it hears us no more is not known: {error}"
    if watch.acts and not watch.takes(ours):
        raise NotReadyError(
            f"{vehicle}: waits for ground station {watch.lowest} ({ways.system_id}) and we are {ours}: it would not "
            f"notice that the link is lost: fly as {watch.lowest}, or set {ways.system_id} to {ours}"
        )
    return None


def twin_words(link: Link) -> str | None:
    """What a person has to know where another ground station speaks with our system id; None where none was heard.

    What a vehicle acknowledges it acknowledges to that number (target_system of COMMAND_ACK and MISSION_ACK). What it
    answers the one the other takes for its own, and ArduPilot takes the other's upload for ours begun anew. What counts
    is proved by what the vehicle says of itself: it reads back lists, is seen to be armed and to change its mode.
    """
    if not link.has_twin:
        return None
    return (
        f"another ground station speaks with our system id {link.system_id}: what the vehicle answers the one "
        "the other takes for its own: give one of them another number"
    )
