"""DJI's way lines (WPML): one sortie for DJI Pilot 2, FlightHub 2 and DJI Fly.

Names and ranges are those of DJI's Cloud API documentation ("WPML": template.kml, waylines.wpml, common elements; as of
7 November 2024), which `tests/missions/test_wpml.py` holds as tables. All heights are over the take-off place,
`relativeToStartPoint`: the ellipsoid never comes in. The format carries neither a fence nor rally points; what it flies
home by itself is a straight line.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from geo import shorter_turn
from missions.app_limits import AppLimits
from missions.app_route import AppRoute, app_route
from missions.errors import MissionError
from missions.patrol import PatrolPlan
from missions.sortie import Sortie

__all__ = [
    "DIALECTS",
    "DJI_AIRCRAFT",
    "DjiAircraft",
    "OnLost",
    "WpmlAction",
    "WpmlDialect",
    "WpmlMission",
    "WpmlWaypoint",
    "compile_wpml",
]

OnLost = Literal["goContinue", "goBack", "hover", "landing"]


@dataclass(frozen=True, slots=True)
class WpmlDialect:
    """How an app wants the format.

    Parameters
    ----------
    namespace
        Of its elements.
    limits
        What it takes.
    full_template
        Whether it makes the way lines from template.kml, which must then hold the waypoints too.
    """

    namespace: str
    limits: AppLimits
    full_template: bool


DIALECTS: Mapping[str, WpmlDialect] = MappingProxyType(
    {
        "pilot": WpmlDialect(
            "http://www.dji.com/wpmz/1.0.2", AppLimits("DJI Pilot 2", most=65_535), full_template=True
        ),
        # It has no import of its own: the file takes the place of one in the folder of the app. Missions that the app
        # wrote have this namespace and a template without waypoints; one of more than 99 waypoints made it crash
        # (YMapper#8). Its curves are not documented, so the aircraft stops at every waypoint instead.
        "fly": WpmlDialect(
            "http://www.uav.com/wpmz/1.0.2",
            AppLimits("DJI Fly", most=99, turns=False, whole_metres=True),
            full_template=False,
        ),
    }
)


@dataclass(frozen=True, slots=True)
class DjiAircraft:
    """An aircraft as the format names it.

    Parameters
    ----------
    dialect
        Of the app that flies it, a key of `DIALECTS`.
    drone, drone_sub
        droneEnumValue and droneSubEnumValue.
    payload
        payloadEnumValue of its camera on the main gimbal; None where the app writes none.
    lenses
        payloadLensIndex of the lens for each modality that it has.
    """

    dialect: str
    drone: int
    drone_sub: int
    payload: int | None
    lenses: Mapping[str, str]


def _lenses(visible: str, thermal: str = "") -> Mapping[str, str]:
    return MappingProxyType({"visible": visible} | ({"thermal": thermal} if thermal else {}))


# Numbers from DJI's Cloud API documentation, "Product Support"; "visable" is its spelling. 68 is what DJI Fly writes
# for the Mini 4 Pro.
DJI_AIRCRAFT: Mapping[str, DjiAircraft] = MappingProxyType(
    {
        "M30": DjiAircraft("pilot", 67, 0, 52, _lenses("wide")),
        "M30T": DjiAircraft("pilot", 67, 1, 53, _lenses("wide", "ir")),
        "M3E": DjiAircraft("pilot", 77, 0, 66, _lenses("visable")),
        "M3T": DjiAircraft("pilot", 77, 1, 67, _lenses("visable", "ir")),
        "M3D": DjiAircraft("pilot", 91, 0, 80, _lenses("visable")),
        "M3TD": DjiAircraft("pilot", 91, 1, 81, _lenses("visable", "ir")),
        "M4E": DjiAircraft("pilot", 99, 0, 88, _lenses("visable")),
        "M4T": DjiAircraft("pilot", 99, 1, 89, _lenses("visable", "ir")),
        "M4D": DjiAircraft("pilot", 100, 0, 98, _lenses("visable")),
        "M4TD": DjiAircraft("pilot", 100, 1, 99, _lenses("visable", "ir")),
        "M300 H20T": DjiAircraft("pilot", 60, 0, 43, _lenses("wide", "ir")),
        "M350 H30T": DjiAircraft("pilot", 89, 0, 83, _lenses("wide", "ir")),
        "Mini 4 Pro": DjiAircraft("fly", 68, 0, None, _lenses("")),
    }
)


@dataclass(frozen=True, slots=True)
class WpmlAction:
    """What is done on reaching a waypoint: actionActuatorFunc, and its parameters, name and text, in order."""

    function: str
    parameters: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class WpmlWaypoint:
    """One waypoint.

    Parameters
    ----------
    lat_deg, lon_deg
        Degrees WGS 84.
    above_start_m
        Height over the take-off place, metres.
    speed_m_s
        From here to the next, metres a second.
    heading_deg
        Where the nose points, degrees from true north within ±180, turning evenly to that of the next; None where it
        follows the course.
    cut_m
        How far before it the turn begins, metres; 0 where the aircraft stops.
    actions
        In order.
    """

    lat_deg: float
    lon_deg: float
    above_start_m: float
    speed_m_s: float
    heading_deg: float | None
    cut_m: float = 0.0
    actions: tuple[WpmlAction, ...] = ()


@dataclass(frozen=True, slots=True)
class WpmlMission:
    """All that a file says of one flight.

    Parameters
    ----------
    dialect
        Key of `DIALECTS`.
    drone, drone_sub, payload
        As in `DjiAircraft`.
    image
        Lens or lenses whose pictures are kept, as ``imageFormat`` has it; empty for what the app has set.
    on_lost
        What it does when the remote control is lost: ``goContinue`` flies on.
    take_off_m, return_m
        Heights over the take-off place, metres: to which it climbs before it flies to the first waypoint, and in which
        it returns by itself.
    speed_m_s
        To the first waypoint, metres a second.
    waypoints
        At least two. After the last it returns home and lands.
    """

    dialect: str
    drone: int
    drone_sub: int
    payload: int | None
    image: str
    on_lost: OnLost
    take_off_m: float
    return_m: float
    speed_m_s: float
    waypoints: tuple[WpmlWaypoint, ...]


def compile_wpml(plan: PatrolPlan, sortie: Sortie, aircraft: str = "M30T") -> tuple[WpmlMission, AppRoute]:
    """Compile one sortie of a plan.

    When the remote control is lost the aircraft returns where a straight way home is clear of border and zones from
    everywhere, and else flies on: its own way is the only one that was checked.

    Parameters
    ----------
    plan, sortie
        What to compile.
    aircraft
        Key of `DJI_AIRCRAFT`.

    Returns
    -------
    tuple of WpmlMission and AppRoute
        The mission, and the way that it flies with what a pilot must know of it.

    Raises
    ------
    MissionError
        For an unknown aircraft, one without the camera that the plan needs, and as `app_route` does.
    """
    craft = DJI_AIRCRAFT.get(aircraft)
    if craft is None:
        raise MissionError(f"no DJI aircraft {aircraft!r}: give one of {', '.join(DJI_AIRCRAFT)}")
    modality = plan.fleet.camera_of(sortie.vehicle).modality
    # What the app of a consumer drone records is not told by the file.
    lens = craft.lenses.get(modality if craft.payload is not None else "visible")
    if lens is None:
        able = ", ".join(name for name, each in DJI_AIRCRAFT.items() if modality in each.lenses)
        raise MissionError(f"{sortie.name}: needs a {modality} camera, {aircraft} has none: give one of {able}")
    limits = DIALECTS[craft.dialect].limits
    route = app_route(plan, sortie, limits)
    actions: dict[int, tuple[WpmlAction, ...]] = {i: (_stop(lens),) for i in route.ends}
    actions |= {i: (_pitch(route.pitch_deg), _record(lens)) for i in route.begins}
    heights = [point.above_start_m for point in route.points]
    mission = WpmlMission(
        dialect=craft.dialect,
        drone=craft.drone,
        drone_sub=craft.drone_sub,
        payload=craft.payload,
        image=lens,
        on_lost="goBack" if route.straight_home else "goContinue",
        take_off_m=max(heights[0], 1.2),
        return_m=max(*heights, 2.0),
        speed_m_s=min(sortie.vehicle.aircraft.cruise_m_s, limits.fastest_m_s),
        waypoints=tuple(
            WpmlWaypoint(
                point.lat_deg,
                point.lon_deg,
                point.above_start_m,
                point.speed_m_s,
                round(shorter_turn(point.heading_deg), 2),
                point.cut_m,
                actions.get(number, ()),
            )
            for number, point in enumerate(route.points)
        ),
    )
    return mission, route


def _pitch(pitch_deg: float) -> WpmlAction:
    """Tilt the camera; roll and yaw stay with the aircraft."""
    return WpmlAction(
        "gimbalRotate",
        (
            ("payloadPositionIndex", "0"),
            ("gimbalHeadingYawBase", "north"),
            ("gimbalRotateMode", "absoluteAngle"),
            ("gimbalPitchRotateEnable", "1"),
            ("gimbalPitchRotateAngle", f"{pitch_deg:.2f}"),
            ("gimbalRollRotateEnable", "0"),
            ("gimbalRollRotateAngle", "0"),
            ("gimbalYawRotateEnable", "0"),
            ("gimbalYawRotateAngle", "0"),
            ("gimbalRotateTimeEnable", "0"),
            ("gimbalRotateTime", "0"),
        ),
    )


def _record(lens: str) -> WpmlAction:
    # DJI Pilot 2 wants an ending for the names of its files, too.
    chosen = (("fileSuffix", "patrol"), ("payloadLensIndex", lens)) if lens else ()
    return WpmlAction("startRecord", (("payloadPositionIndex", "0"), *chosen, ("useGlobalPayloadLensIndex", "0")))


def _stop(lens: str) -> WpmlAction:
    # The M30 and M30T require the lens here too.
    chosen = (("payloadLensIndex", lens),) if lens else ()
    return WpmlAction("stopRecord", (("payloadPositionIndex", "0"), *chosen))
