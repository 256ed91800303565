"""Heights above home as the vehicle takes them in orders."""

from __future__ import annotations

from pymavlink.dialects.v20 import ardupilotmega as mav

from autopilot.dialect import RELATIVE_FRAMES, Dialect
from autopilot.errors import NotReadyError
from autopilot.telemetry import Telemetry

__all__ = ["order_height"]


def order_height(
    now: Telemetry, dialect: Dialect, height_m: float, frame: int = mav.MAV_FRAME_GLOBAL_RELATIVE_ALT
) -> tuple[int, float]:
    """MAV_FRAME and height, metres, of a place in an order.

    Parameters
    ----------
    now
        What the vehicle says; its heights above the sea and above home tell how high home is.
    dialect
        Its autopilot's.
    height_m, frame
        The height, and the MAV_FRAME that it is given in. Only one above home is changed.

    Raises
    ------
    NotReadyError
        When the autopilot wants heights above the sea and does not say how high home is.
    """
    if frame not in RELATIVE_FRAMES or dialect.orders.frame in RELATIVE_FRAMES:
        return frame, height_m
    if now.altitude is None or now.above_home_m is None:
        raise NotReadyError(
            f"{dialect.name} takes heights above mean sea level in orders and has not said how high home is: wait for "
            "its position"
        )
    return dialect.orders.frame, now.altitude.metres - now.above_home_m + height_m
