"""What a vehicle is asked to tell by itself, and how often."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from types import MappingProxyType

from pymavlink.dialects.v20 import ardupilotmega as mav

from autopilot.errors import CommandError

__all__ = ["STREAMS", "Streams"]

STREAMS = MappingProxyType(
    {
        mav.MAVLINK_MSG_ID_GLOBAL_POSITION_INT: 4.0,
        # Where the camera looked is worked out from the logs: attitudes as often as places, and what time it was.
        mav.MAVLINK_MSG_ID_ATTITUDE: 4.0,
        mav.MAVLINK_MSG_ID_GIMBAL_DEVICE_ATTITUDE_STATUS: 4.0,
        mav.MAVLINK_MSG_ID_SYSTEM_TIME: 1.0,
        mav.MAVLINK_MSG_ID_MISSION_CURRENT: 1.0,
        mav.MAVLINK_MSG_ID_GPS_RAW_INT: 1.0,
        mav.MAVLINK_MSG_ID_SYS_STATUS: 1.0,
        mav.MAVLINK_MSG_ID_EXTENDED_SYS_STATE: 1.0,
        mav.MAVLINK_MSG_ID_BATTERY_STATUS: 0.5,
    }
)
"""Messages that a vehicle is asked for, and how often in hertz of its own time. The estimator's is the dialect's."""

_REQUIRED = (mav.MAVLINK_MSG_ID_GLOBAL_POSITION_INT, mav.MAVLINK_MSG_ID_GPS_RAW_INT)
_INTERVAL = mav.MAV_CMD_SET_MESSAGE_INTERVAL


class Streams:
    """The messages that one vehicle is asked for.

    Parameters
    ----------
    estimator_message
        Name of the message that carries its estimator's flags.
    command
        Sends a command until it is accepted; raises CommandError.
    tell
        Sends a command once; no answer is awaited.
    """

    def __init__(
        self,
        estimator_message: str,
        command: Callable[[int, int, float], Awaitable[None]],
        tell: Callable[[int, tuple[float, ...]], None],
    ) -> None:
        estimator = int(getattr(mav, f"MAVLINK_MSG_ID_{estimator_message}"))
        self._required = (*_REQUIRED, estimator)
        self._rates_hz = {**STREAMS, estimator: 1.0}
        self._command = command
        self._tell = tell

    async def request(self) -> None:
        """Ask for all. Raises CommandError when position, GPS or the estimator is refused; it may lack any other."""
        for number, rate_hz in self._rates_hz.items():
            try:
                await self._command(_INTERVAL, number, 1e6 / rate_hz)
            except CommandError as error:
                if error.result is None or number in self._required:
                    raise

    async def add(self, number: int, rate_hz: float) -> None:
        """Ask for one more from now on. Raises CommandError."""
        await self._command(_INTERVAL, number, 1e6 / rate_hz)
        self._rates_hz[number] = rate_hz

    def ask_again(self) -> None:
        """Ask for all once more, and wait for no answer."""
        for number, rate_hz in self._rates_hz.items():
            self._tell(_INTERVAL, (number, 1e6 / rate_hz))
