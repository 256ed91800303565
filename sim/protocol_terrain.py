"""The terrain protocol as ArduPilot speaks it (TerrainGCS.cpp): it asks for heights, takes them and reports them.

The vehicle asks whoever has TERRAIN_REQUEST as a stream for the grid that it is in, its neighbours and those of its
mission, one grid a message; TERRAIN_DATA brings 16 heights a message; TERRAIN_CHECK is answered with TERRAIN_REPORT.
"""

from __future__ import annotations

from typing import Any

from pymavlink.dialects.v20 import ardupilotmega as mav

from sim.flight import Flight
from sim.flight_arming import terrain_places

__all__ = ["check_terrain", "take_terrain", "terrain_report", "terrain_request"]


def terrain_request(flight: Flight) -> Any | None:
    """TERRAIN_REQUEST for what is wanted most, or None."""
    terrain = flight.terrain
    if not flight.has_position or not terrain.enabled:
        return None
    frame = flight.setup.frame
    terrain.look_for(terrain.around(*flight.place))
    terrain.look_for([(frame.lat_deg, frame.lon_deg), *terrain_places(flight)])
    wanted = terrain.wanted(flight.time_s)
    if wanted is None:
        return None
    (lat, lon), mask = wanted
    return mav.MAVLink_terrain_request_message(lat, lon, terrain.spacing_m, mask)


def terrain_report(flight: Flight, place: tuple[float, float] | None = None) -> Any | None:
    """TERRAIN_REPORT of a place, degrees; of the vehicle's own where none is given. None without a position."""
    terrain = flight.terrain
    if not flight.has_position or not terrain.enabled:
        return None
    lat, lon = place or flight.place
    height = terrain.height_m(lat, lon)
    above = terrain.above_home_m(lat, lon)
    known = height is not None and above is not None
    spacing = terrain.spacing_m if known else 0
    current = flight.body.u - (above or 0.0) if known else 0.0
    # Counts travel in 16 bits.
    pending, loaded = (min(count, 0xFFFF) for count in terrain.counts)
    return mav.MAVLink_terrain_report_message(
        round(lat * 1e7), round(lon * 1e7), spacing, (height or 0.0) if known else 0.0, current, pending, loaded
    )


def take_terrain(flight: Flight, message: Any) -> None:
    """Take TERRAIN_DATA; what was not asked for is passed over."""
    corner = (int(message.lat), int(message.lon))
    flight.terrain.take(corner, int(message.grid_spacing), int(message.gridbit), message.data)


def check_terrain(flight: Flight, message: Any) -> Any | None:
    """The TERRAIN_REPORT that answers TERRAIN_CHECK; the grid of that place is asked for from now on."""
    place = (message.lat / 1e7, message.lon / 1e7)
    flight.terrain.look_for([place])
    return terrain_report(flight, place)
