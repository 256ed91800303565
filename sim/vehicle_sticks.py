"""Sticks that come over the link: RC_CHANNELS_OVERRIDE and MANUAL_CONTROL.

ArduPilot takes both from its own ground station alone (MAV_GCS_SYSID; SYSID_MYGCS before 4.7), counts them as a sign of
its life, and forgets each channel after RC_OVERRIDE_TIME, 0 of which takes none and less than 0 keeps them
(GCS_Common.cpp, ``handle_rc_channels_override`` and ``handle_manual_control``; RC_Channel.cpp, ``has_override``). Which
of its switches stand on other channels is not simulated. PX4 takes MANUAL_CONTROL from anybody unless COM_RC_IN_MODE
says otherwise, passes over an axis that is out of its range, and misses it after COM_RC_LOSS_T (mavlink_receiver.cpp,
ManualControlSelector.cpp). What overrides its channels needs channels that are mapped (RC_MAP_*): by default none is.
"""

from __future__ import annotations

from math import inf
from typing import Any

from pymavlink.dialects.v20 import ardupilotmega as mav

from sim.dialect_terms import Form
from sim.flight import Flight
from sim.flight_by_hand import Sticks
from sim.protocol_transfer import wall_timer_s

__all__ = ["StickTaker"]

_ROLL, _PITCH, _THROTTLE, _YAW = range(1, 5)
_UNMOVED, _RELEASED, _LOW_CHANNELS = 0xFFFF, 0xFFFE, 8
_MIDDLE_US, _WAY_US = 1500, 400  # RC*_TRIM, and from there to RC*_MIN and _MAX
_END = 1000
_NO_AXIS = 0x7FFF
_FLOOR_S = 0.5
_JOYSTICKS = frozenset({1, 2, 3})  # COM_RC_IN_MODE


class StickTaker:
    """Takes the sticks of one vehicle.

    Parameters
    ----------
    flight, sysid
        Whose.
    speedup
        How much faster than the wall its timers run.
    """

    def __init__(self, flight: Flight, sysid: int, speedup: float) -> None:
        self._flight, self._sysid, self._speedup = flight, sysid, speedup
        self._channels: dict[int, tuple[int, float]] = {}
        self._until_s: float | None = None

    def take(self, message: Any, now_s: float) -> bool:
        """Take a message in; whether it shows that the vehicle's own ground station lives."""
        ours = self._flight.dialect.misses_sticks
        return self._take_px4(message, now_s) if ours else self._take_ardupilot(message, now_s)

    def update(self, now_s: float) -> None:
        """Let go of what has not come for long."""
        if self._until_s is not None and now_s > self._until_s:
            self._channels = {n: (us, until_s) for n, (us, until_s) in self._channels.items() if now_s <= until_s}
            self._apply()

    def forget(self) -> None:
        """As at power-on."""
        self._channels.clear()
        self._until_s = self._flight.hands.sticks = None

    def _timer_s(self, parameter: str) -> float:
        return wall_timer_s(self._flight.params[parameter], _FLOOR_S, self._speedup)

    def _apply(self) -> None:
        """What the channels that are overridden say; those that are not stand in their middle."""
        alive = [until_s for n, (_, until_s) in self._channels.items() if n <= _YAW]
        self._until_s = min(alive, default=None)
        hands = self._flight.hands
        if alive:
            ways = {n: max(-1.0, min(1.0, (us - _MIDDLE_US) / _WAY_US)) for n, (us, _) in self._channels.items()}
            roll, pitch, throttle, yaw = (ways.get(n, 0.0) for n in (_ROLL, _PITCH, _THROTTLE, _YAW))
            hands.take(Sticks(forward=0.0 - pitch, right=roll, up=throttle, turn=yaw))
        elif hands.sticks is not None:
            hands.let_go()

    def _take_ardupilot(self, message: Any, now_s: float) -> bool:
        params = self._flight.params
        if message.get_srcSystem() != int(params["MAV_GCS_SYSID"]):
            return False
        if message.get_msgId() == mav.MAVLINK_MSG_ID_MANUAL_CONTROL:
            if message.target != self._sysid or (message.z < 0 and self._flight.dialect.form is Form.ROTOR):
                return False
            told = _as_channels(message)
        else:
            told = _overridden(message)
        longest_s = params["RC_OVERRIDE_TIME"]
        until_s = now_s + (self._timer_s("RC_OVERRIDE_TIME") if longest_s > 0.0 else inf)
        for channel, us in told.items():
            if us == 0 or longest_s == 0.0:
                self._channels.pop(channel, None)
            else:
                self._channels[channel] = us, until_s
        self._apply()
        return True

    def _take_px4(self, message: Any, now_s: float) -> bool:
        hands, params = self._flight.hands, self._flight.params
        joystick = message.get_msgId() == mav.MAVLINK_MSG_ID_MANUAL_CONTROL and message.target in (0, self._sysid)
        if not joystick or int(params["COM_RC_IN_MODE"]) not in _JOYSTICKS:
            return False
        forward, right, turn = (v / _END if abs(v) <= _END else 0.0 for v in (message.x, message.y, message.r))
        up = message.z / _END * 2.0 - 1.0 if 0 <= message.z <= _END else 0.0
        until_s = now_s + self._timer_s("COM_RC_LOSS_T")
        self._channels = {_ROLL: (_MIDDLE_US, until_s)}
        self._until_s = until_s
        hands.take(Sticks(forward, right, up, turn))
        return False


def _overridden(message: Any) -> dict[int, int]:
    """Channel to microseconds, 0 for one that is let go of, of an RC_CHANNELS_OVERRIDE."""
    told = {}
    for channel in range(1, 19):
        us = getattr(message, f"chan{channel}_raw")
        low = channel <= _LOW_CHANNELS
        if us != _UNMOVED and (low or us != 0):
            told[channel] = 0 if not low and us == _RELEASED else us
    return told


def _as_channels(message: Any) -> dict[int, int]:
    """The same of a MANUAL_CONTROL: an axis that is none is let go of."""
    axes = {_ROLL: message.y, _PITCH: -message.x, _YAW: message.r}
    given = {_ROLL: message.y, _PITCH: message.x, _YAW: message.r}
    told = {n: round(_MIDDLE_US + _WAY_US * v / _END) if given[n] != _NO_AXIS else 0 for n, v in axes.items()}
    told[_THROTTLE] = round(_MIDDLE_US + _WAY_US * (2 * message.z / _END - 1)) if message.z != _NO_AXIS else 0
    return told
