"""An item that is done is told once, and by some again and again: a report may be lost."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sim.flight_state import Event, Reached

__all__ = ["ReachedTeller", "last_of_each_step"]

_EVERY_S = 1.0


class ReachedTeller:
    """Tells of the last item that was done, some times more, a second apart (PX4, ``MavlinkMissionManager::send``).

    Parameters
    ----------
    times
        How often it is told again.
    shortest_s
        Least seconds of the wall between two.
    """

    def __init__(self, times: int, shortest_s: float) -> None:
        self._times, self._shortest_s = times, shortest_s
        self._seq = self._left = 0
        self._due_s = self._due_wall_s = 0.0

    def told(self, seq: int, sim_s: float, now_s: float) -> None:
        """An item, by its number on the wire, was told for the first time."""
        self._seq, self._left = seq, self._times
        self._wait(sim_s, now_s)

    def forget(self) -> None:
        """Another mission, or the autopilot starts anew."""
        self._left = 0

    def due(self, sim_s: float, now_s: float) -> int | None:
        """The item that is told again now, or None."""
        if not self._left or sim_s < self._due_s or now_s < self._due_wall_s:
            return None
        self._left -= 1
        self._wait(sim_s, now_s)
        return self._seq

    def _wait(self, sim_s: float, now_s: float) -> None:
        self._due_s, self._due_wall_s = sim_s + _EVERY_S, now_s + self._shortest_s


def last_of_each_step(events: Iterable[Event]) -> Iterator[Event]:
    """Events, of the items that are done in one step the last alone.

    ArduPilot holds one number until it is sent (``GCS_MAVLINK::send_mission_item_reached_message``): of a place whose
    next item is an action nothing is told (seen on ArduCopter 4.7-dev: 2 for a take-off at item 1 and a speed at 2).
    """
    events = list(events)
    last = {event.step: event for event in events if isinstance(event, Reached)}
    return (event for event in events if not isinstance(event, Reached) or last[event.step] is event)
