"""Whether a fence that a vehicle has taken is in force where it stands."""

from __future__ import annotations

import numpy as np
import shapely
from pymavlink.dialects.v20 import ardupilotmega as mav

from autopilot.errors import NotReadyError
from autopilot.vehicle import Vehicle
from geo import LocalFrame, geodesic_distance_m
from missions import FenceCircle, FencePolygon, Mission, MissionError, fence_shapes

__all__ = ["check_fence_home"]


def check_fence_home(vehicle: Vehicle, mission: Mission) -> None:
    """Refuse a fence of which the autopilot drops a shape because its home is on the wrong side of that.

    PX4 acknowledges such a fence, reads it back whole, says one text and flies without the shape
    (geofence.cpp, ``checkHomeRequirementsForGeofence``; seen on its main of May 2026).

    Raises
    ------
    NotReadyError
        With the shape, numbered from 1; or when the vehicle has said neither home nor position.
    """
    now = vehicle.telemetry
    if not vehicle.dialect.drops_fence_off_home:
        return
    lat_deg, lon_deg = now.home[:2] if now.home is not None else (now.lat_deg, now.lon_deg)
    if lat_deg is None or lon_deg is None:
        raise NotReadyError(
            f"{vehicle}: has said neither home nor position, and {vehicle.dialect.name} drops what of a fence its home "
            "is on the wrong side of: wait until it has a position"
        )
    try:
        shapes = fence_shapes([item for item in mission.fence if item.command != mav.MAV_CMD_NAV_FENCE_RETURN_POINT])
    except MissionError as error:
        raise NotReadyError(f"{vehicle}: its fence cannot be understood: {error}") from error
    for number, shape in enumerate(shapes, 1):
        if _contains(shape, lat_deg, lon_deg) is not shape.inclusion:
            side = "does not hold" if shape.inclusion else "holds"
            raise NotReadyError(
                f"{vehicle}: shape {number} of its fence {side} its home {lat_deg:.6f}, {lon_deg:.6f}, and "
                f"{vehicle.dialect.name} drops such a shape and flies without it: draw the fence about where it stands"
            )


def _contains(shape: FencePolygon | FenceCircle, lat_deg: float, lon_deg: float) -> bool:
    if isinstance(shape, FenceCircle):
        return float(geodesic_distance_m(lat_deg, lon_deg, shape.lat_deg, shape.lon_deg)) <= shape.radius_m
    east, north, _ = LocalFrame(lat_deg, lon_deg).to_enu(*np.array(shape.vertices).T)
    return bool(shapely.Polygon(np.column_stack([east, north])).covers(shapely.Point(0.0, 0.0)))
