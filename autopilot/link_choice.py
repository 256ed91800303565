"""Of several channels: over which a vehicle is spoken to, and what is believed of what it says on each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pymavlink.dialects.v20 import ardupilotmega as mav

from autopilot.channel import Channel
from autopilot.repeats import Once
from autopilot.routes import SILENT_S
from autopilot.wire import Message

__all__ = ["Choice"]

# On one channel a vehicle is believed as to how it stands, so that an older message of a slower one undoes nothing.
# What it answers is taken from any, and what it tells everybody is taken once.
_ANSWERS = frozenset(
    {
        "AUTOPILOT_VERSION", "COMMAND_ACK", "FILE_TRANSFER_PROTOCOL", "MISSION_ACK", "MISSION_COUNT", "MISSION_ITEM",
        "MISSION_ITEM_INT", "MISSION_REQUEST", "MISSION_REQUEST_INT", "PARAM_ERROR", "PARAM_VALUE",
    }
)  # fmt: skip
_EVENTS = frozenset({"EVENT", "MISSION_ITEM_REACHED", "STATUSTEXT"})
_NO_AUTOPILOT = mav.MAV_AUTOPILOT_INVALID


class Choice:
    """Each vehicle has one channel; when that is silent for `failover_s`, another that brings it takes its place.

    Parameters
    ----------
    channels
        Those of the link, which may grow.
    failover_s
        Wall seconds.
    """

    def __init__(self, channels: list[Channel], failover_s: float) -> None:
        self._channels = channels
        self._failover_s = failover_s
        self._best: dict[int, Channel] = {}
        self._states: dict[int, tuple[Channel, int, int]] = {}
        self._strangers: dict[int, dict[Channel, float]] = {}
        self._once = Once()
        self._changers: dict[int, list[Callable[[], None]]] = {}

    def on_change(self, system: int, changed: Callable[[], None]) -> Callable[[], None]:
        """Call `changed` when a system is heard over another channel or an opened one; returns what ends that."""
        changers = self._changers.setdefault(system, [])
        changers.append(changed)
        return lambda: changers.remove(changed)

    def of(self, system: int) -> Channel:
        """The channel of a system, or the first."""
        return self._best.get(system, self._channels[0])

    def ways(self, system: int, now: float) -> list[Channel]:
        """The channel that a system is spoken to over; all of them where it is heard on none."""
        heard = [one for one in self._channels if one.up and now - one.heard.get(system, -1e9) <= self._failover_s]
        best = self._best.get(system)
        if best in heard:
            return [best]
        return [max(heard, key=lambda one: one.heard[system])] if heard else self._channels

    def heard(self, system: int, channel: Channel, now: float) -> None:
        """Take note that a system was heard on a channel."""
        channel.heard[system] = now
        best = self._best.setdefault(system, channel)
        stale = not best.up or now - best.heard[system] > self._failover_s
        if best is not channel and stale and channel not in self._strangers.get(system, ()):
            best = self._best[system] = channel
        if best is channel:
            state = channel, channel.openings, channel.routes.moves(system)
            before = self._states.get(system)
            if state != before:
                self._states[system] = state
                for changed in tuple(self._changers.get(system, ())) if before is not None else ():
                    changed()

    def believes(self, system: int, channel: Channel, message: Message, known: Any, now: float) -> bool:
        """Whether a message is to be handed on; `known` is the last HEARTBEAT of the system, or None."""
        if len(self._channels) == 1:
            return True
        best = self._best[system]
        kind = message.get_type()
        if kind == "HEARTBEAT" and message.autopilot != _NO_AUTOPILOT:
            strangers = self._strangers.setdefault(system, {})
            same = known is None or (known.autopilot, known.type) == (message.autopilot, message.type)
            if same or channel is best:
                strangers.pop(channel, None)
            else:
                strangers[channel] = now
        if channel in self._strangers.get(system, ()):
            return False
        if kind in _EVENTS:
            # The parts of a long text are numbered on each channel for themselves.
            whole = kind != "STATUSTEXT" or not message.id
            event = system, message.get_srcComponent(), kind, bytes(message.get_payload())
            return self._once.is_new(channel, event, now) if whole else channel is best
        return channel is best or kind in _ANSWERS

    def strangers(self, system: int, now: float) -> tuple[str, ...]:
        """Channels on which another vehicle speaks with the id of a system."""
        return tuple(
            channel.url for channel, came_s in self._strangers.get(system, {}).items() if now - came_s < SILENT_S
        )
