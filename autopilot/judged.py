"""What a vehicle itself makes of the mission that it holds: PX4 looks at one before it flies it, and may reject it.

It takes such an upload all the same, says why in a text of the moment and then only that it has no mission
(``MISSION_CURRENT.mission_state``, since 1.14): armed in that state it says "Resolve system health failures first".
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from pymavlink.dialects.v20 import ardupilotmega as mav

from autopilot.errors import NotReadyError
from autopilot.words import MissionKind

if TYPE_CHECKING:
    from autopilot.vehicle import Vehicle

__all__ = ["check_judged"]

_JUDGED_S = 5.0  # MISSION_CURRENT comes once a second, and a check of a mission is done within one
_ABOUT_IT = ("mission", "geofence", "waypoint")
_SAID = 3


async def check_judged(vehicle: Vehicle) -> None:
    """Wait until the vehicle says that it would fly the mission that it was proved to hold.

    Raises
    ------
    NotReadyError
        When it goes on saying that it has none; with what it said. One that says nothing of that is left alone.
    """
    if not (vehicle.dialect.judges_missions and vehicle.held(MissionKind.MISSION)):
        return
    clock = asyncio.get_running_loop().time
    told = False
    with vehicle.link.mailbox(vehicle.sysid, ("MISSION_CURRENT",)) as box:
        deadline = clock() + vehicle.timing.wall_s(_JUDGED_S)
        while (message := await box.get(deadline - clock())) is not None:
            told = True
            if getattr(message, "mission_state", mav.MISSION_STATE_UNKNOWN) != mav.MISSION_STATE_NO_MISSION:
                return
    if told:
        said = [text.text for text in vehicle.texts if any(word in text.text.lower() for word in _ABOUT_IT)][-_SAID:]
        why = f"; it said: {' | '.join(dict.fromkeys(said))}" if said else ""
        raise NotReadyError(f"{vehicle}: rejects the mission that it holds{why}: plan it as it wants it")
