"""Whether a vehicle still holds what was proved: by its own number of the list, where it gives one."""

from __future__ import annotations

import asyncio

from pymavlink.dialects.v20 import ardupilotmega as mav

from autopilot.link import Link
from autopilot.opaque import held_ids
from autopilot.pace import RETRY_S
from autopilot.timing import Timing
from autopilot.transfer import Verified

__all__ = ["still_holds"]

_TRIES = 3


async def still_holds(
    link: Link,
    proof: Verified,
    *,
    component: int = mav.MAV_COMP_ID_AUTOPILOT1,
    timing: Timing | None = None,
) -> bool | None:
    """Whether the vehicle still holds the list of a proof, at the cost of one question.

    Parameters
    ----------
    link, component, timing
        How to reach it.
    proof
        What `upload_verified` returned.

    Returns
    -------
    bool or None
        None where it cannot be told: the vehicle gives no numbers, as ArduPilot does not, or does not answer. Read the
        list back then.

    Raises
    ------
    LinkError
        When the link is lost.
    """
    if not proof.opaque_id:
        return None
    timing = timing or Timing()
    clock = asyncio.get_running_loop().time
    number = mav.MAVLINK_MSG_ID_MISSION_CURRENT
    ask = mav.MAVLink_command_long_message(
        proof.sysid, component, mav.MAV_CMD_REQUEST_MESSAGE, 0, number, 0, 0, 0, 0, 0, 0
    )
    with link.mailbox(proof.sysid, ("MISSION_CURRENT",)) as box:
        for _ in range(_TRIES):
            link.send(ask, proof.sysid)
            deadline = clock() + timing.retry_s(RETRY_S)
            while (answer := await box.get(deadline - clock())) is not None:
                if answer.get_srcComponent() == component:
                    held = held_ids(answer)[proof.kind]
                    return held == proof.opaque_id if held else None
    return None
