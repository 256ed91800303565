"""One command on its way through a vehicle: what it asks, who asked, and what may be answered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pymavlink.dialects.v20 import ardupilotmega as mav

from sim.flight import Flight
from sim.flight_items import Item
from sim.protocol_streams import Schedule

__all__ = ["ACCEPTED", "DENIED", "FAILED", "UNSUPPORTED", "Handler", "Order", "result_of"]

ACCEPTED = int(mav.MAV_RESULT_ACCEPTED)
DENIED = int(mav.MAV_RESULT_DENIED)
FAILED = int(mav.MAV_RESULT_FAILED)
UNSUPPORTED = int(mav.MAV_RESULT_UNSUPPORTED)


@dataclass(frozen=True, slots=True)
class Order:
    """One command: the item it amounts to, and the peer's schedule and channel to answer on.

    Parameters
    ----------
    item
        Command, frame, parameters 1 to 4, x, y and z (parameters 5 to 7).
    schedule
        Streams of the peer that sent it.
    send_now
        Sends one kind of message to that peer at once; False when there is none.
    reply
        Sends a message to that peer.
    source
        System and component id of who sent it.
    """

    item: Item
    schedule: Schedule
    send_now: Callable[[int], bool]
    reply: Callable[[Any], None]
    source: tuple[int, int]


Handler = Callable[[Flight, Order], int]
"""Carries out a command; its MAV_RESULT."""


def result_of(flight: Flight, done: bool) -> int:
    """MAV_RESULT of an order that is valid, whether it was obeyed."""
    return ACCEPTED if done else flight.dialect.refusal
