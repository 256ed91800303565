"""Who stands in the air by a pilot's order is brought home before another comes too near.

What is not known counts as near: another that is not heard may be wherever it could have flown to meanwhile.
"""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Mapping

from autopilot.errors import AutopilotError
from autopilot.patrol_crew import Crew
from autopilot.patrol_piloted import PilotedConduct
from autopilot.patrol_states import ALOFT, State
from autopilot.shift import Shift
from autopilot.telemetry import Telemetry
from geo import geodesic_distance_m

__all__ = ["PauseGuard"]

_AHEAD_S = 10.0  # in which one that stands has left where another comes to
_ROOM_UP = 2.0
_HOLDS_S = 3.0  # a position that is older says where it was


class PauseGuard:
    """Looks out for vehicles that stand in the air.

    Parameters
    ----------
    shift, crews
        The shift, and its vehicles by system id.
    """

    def __init__(self, shift: Shift, crews: Mapping[int, Crew]) -> None:
        self._shift, self._crews = shift, crews

    async def watch(self, crew: Crew, conduct: PilotedConduct) -> None:
        """For as long as it stands: it comes home before another is too near, however often that has to be asked."""
        while crew.state is State.PAUSED and crew.conduct is conduct:
            danger = self._danger(crew)
            if danger is not None:
                # It may be silent: then it is looked at again, and told again where it still stands.
                with contextlib.suppress(AutopilotError):
                    await conduct.obey("return", danger, time.monotonic() + _AHEAD_S)
            await self._shift.wait()

    def _danger(self, crew: Crew) -> str | None:
        """Why it cannot stay where it stands; None where it can."""
        try:
            near = next((other.sysid for other in self._crews.values() if self.comes_near(crew, other)), None)
        except Exception as error:  # noqa: BLE001  nobody stands in the air whom nobody looks out for
            return f"who comes near is not known for a fault in this program, {error!r}: report it"
        return None if near is None else f"vehicle {near} comes near where it was paused"

    def comes_near(self, one: Crew, other: Crew) -> bool:
        """Whether another may be too near within some seconds, whatever it is doing there."""
        if other is one or one.vehicle is None or not _may_fly(other):
            return False
        if other.vehicle is None:
            return True
        here, there = one.vehicle.telemetry, other.vehicle.telemetry
        if here.lat_deg is None or here.lon_deg is None or there.lat_deg is None or there.lon_deg is None:
            return True
        options = self._shift.plans[-1].options
        across_m = float(geodesic_distance_m(here.lat_deg, here.lon_deg, there.lat_deg, there.lon_deg))
        north, east, down = there.velocity_ned_m_s or (0.0, 0.0, 0.0)
        age_s = self._unseen_s(other)
        speed_m_s = max(math.hypot(north, east), other.planned.aircraft.max_m_s if age_s else 0.0)
        if across_m > options.separation_m + (_AHEAD_S + age_s) * speed_m_s:
            return False
        return age_s > 0 or _up_m(here, there) < _ROOM_UP * options.separation_up_m + _AHEAD_S * abs(down)

    def _unseen_s(self, other: Crew) -> float:
        """How old its position is, vehicle seconds; 0 where it is fresh."""
        assert other.vehicle is not None  # who asks looked
        timing, age_s = other.vehicle.timing, other.vehicle.position_age_s
        return age_s * timing.time_scale if age_s > timing.retry_s(_HOLDS_S) else 0.0


def _may_fly(other: Crew) -> bool:
    """By what it says itself: one with a fault flies home too."""
    return other.state in ALOFT if other.vehicle is None else other.vehicle.telemetry.armed is not False


def _up_m(here: Telemetry, there: Telemetry) -> float:
    """How far apart in height; 0 where that is not known."""
    if here.altitude is None or there.altitude is None:
        return 0.0
    return abs(here.altitude.amsl_m() - there.altitude.amsl_m())
