"""WPML files (.kmz), both ways. What comes in is not trusted.

A file is a zip of two documents: `wpmz/template.kml`, from which DJI Pilot 2 makes the way lines anew, and
`wpmz/waylines.wpml`, which the aircraft flies. Both say the same here.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

from lxml import etree

from geo import write_bytes
from missions.app_route import AppRoute
from missions.errors import FormatError
from missions.packed_xml import packed, parsed, read_limited, unpacked
from missions.patrol import PatrolPlan
from missions.sortie import Sortie
from missions.wpml import DIALECTS, OnLost, WpmlAction, WpmlMission, WpmlWaypoint, compile_wpml

__all__ = ["read_wpml", "save_wpml", "write_wpml"]

_KML = "http://www.opengis.net/kml/2.2"
_TEMPLATE, _WAYLINES = "wpmz/template.kml", "wpmz/waylines.wpml"
_STOPS, _PASSES = "toPointAndStopWithDiscontinuityCurvature", "coordinateTurn"
_MODE_OF_HEADING = {True: "followWayline", False: "smoothTransition"}
_ON_LOST: dict[str, OnLost] = {"goBack": "goBack", "hover": "hover", "landing": "landing"}
# What every file says in the same words, and what a file must say to be read.
_FIXED = {"flyToWaylineMode": "safely", "finishAction": "goHome"}
_HEIGHTS = "relativeToStartPoint"


def write_wpml(plan: PatrolPlan, sortie: Sortie, path: Path, aircraft: str = "M30T") -> AppRoute:
    """Write one sortie of a plan for the app of a DJI aircraft; gives its way, with what a pilot must know of it.

    Parameters
    ----------
    plan, sortie
        What to write.
    path
        Usually ends in ``.kmz``.
    aircraft
        Key of `DJI_AIRCRAFT`.

    Raises
    ------
    MissionError
        As `compile_wpml` does; nothing is written then.
    FileWriteError
        When the file cannot be written.
    """
    mission, route = compile_wpml(plan, sortie, aircraft)
    save_wpml(mission, path)
    return route


def save_wpml(mission: WpmlMission, path: Path) -> None:
    """Write a mission; all of it comes back from `read_wpml` as it went.

    Raises
    ------
    FormatError
        When a figure is not finite, or a text has a character that XML cannot hold.
    FileWriteError
        When the file cannot be written.
    """
    try:
        documents = {_TEMPLATE: _Writer(mission).template(), _WAYLINES: _Writer(mission).waylines()}
    except ValueError as error:
        raise FormatError(f"{path}: an action has a name or text that XML cannot hold: {error}") from None
    write_bytes(Path(path), packed(documents))


def read_wpml(path: Path) -> WpmlMission:
    """Read a mission of one way line with heights over the take-off place.

    Raises
    ------
    FormatError
        When it is no such file, lacks a member or an element, brings a document type, unpacks to more than 128 MiB, has
        a figure that is none, or says what a `WpmlMission` cannot: heights over the ellipsoid or the ground, several
        way lines, curves, actions on the way. The message names the place.
    """
    path = Path(path)
    data = read_limited(path)
    roots = [parsed(unpacked(data, path, _member(name, path)), f"{path}: {name}") for name in (_TEMPLATE, _WAYLINES)]
    # Which lens records stands in the template alone.
    image = roots[0].findtext("{*}Document/{*}Folder/{*}payloadParam/{*}imageFormat") or ""
    return _Reader(roots[1], f"{path}: {_WAYLINES}").mission(image)


def _member(name: str, path: Path) -> Callable[[list[str]], str]:
    def choose(names: list[str]) -> str:
        if name not in names:
            raise FormatError(f"{path}: has no {name}: is it a mission of DJI's apps?")
        return name

    return choose


class _Writer:
    """One document as it is put down."""

    def __init__(self, mission: WpmlMission) -> None:
        self._mission = mission
        self._dialect = DIALECTS[mission.dialect]
        self._root = etree.Element(f"{{{_KML}}}kml", nsmap={None: _KML, "wpml": self._dialect.namespace})
        self._document = etree.SubElement(self._root, f"{{{_KML}}}Document")
        self._groups = 0

    def template(self) -> bytes:
        """What a person edits."""
        self._put(self._document, author="Vedette")
        self._config()
        if self._dialect.full_template:
            folder = etree.SubElement(self._document, f"{{{_KML}}}Folder")
            self._put(folder, templateType="waypoint", templateId=0)
            system = self._inside(folder, "waylineCoordinateSysParam")
            self._put(system, coordinateMode="WGS84", heightMode=_HEIGHTS, positioningType="GPS")
            self._put(folder, autoFlightSpeed=self._mission.speed_m_s, globalHeight=self._mission.return_m)
            self._put(folder, gimbalPitchMode="manual")
            heading = self._inside(folder, "globalWaypointHeadingParam")
            self._put(heading, waypointHeadingMode="followWayline", waypointHeadingPathMode="followBadArc")
            self._put(folder, globalWaypointTurnMode=_STOPS)
            for number, point in enumerate(self._mission.waypoints):
                mark = self._mark(folder, number, point)
                # With heights over the take-off place the apps write one and the same figure twice.
                self._put(mark, ellipsoidHeight=point.above_start_m, height=point.above_start_m)
                self._put(mark, useGlobalHeight=0, useGlobalSpeed=0, useGlobalHeadingParam=0, useGlobalTurnParam=0)
                self._rest(mark, number, point)
            if self._mission.image:
                self._put(self._inside(folder, "payloadParam"), payloadPositionIndex=0, imageFormat=self._mission.image)
        return self._bytes()

    def waylines(self) -> bytes:
        """What the aircraft flies."""
        self._config()
        folder = etree.SubElement(self._document, f"{{{_KML}}}Folder")
        self._put(folder, templateId=0, executeHeightMode=_HEIGHTS, waylineId=0)
        self._put(folder, autoFlightSpeed=self._mission.speed_m_s)
        for number, point in enumerate(self._mission.waypoints):
            mark = self._mark(folder, number, point)
            self._put(mark, executeHeight=point.above_start_m)
            self._rest(mark, number, point)
        return self._bytes()

    def _config(self) -> None:
        mission = self._mission
        config = self._inside(self._document, "missionConfig")
        flies_on = mission.on_lost == "goContinue"
        self._put(
            config,
            **_FIXED,
            exitOnRCLost="goContinue" if flies_on else "executeLostAction",
            # Never done when it flies on, but the apps always write one.
            executeRCLostAction="hover" if flies_on else mission.on_lost,
            takeOffSecurityHeight=mission.take_off_m,
            globalTransitionalSpeed=mission.speed_m_s,
            globalRTHHeight=mission.return_m,
        )
        drone = self._inside(config, "droneInfo")
        self._put(drone, droneEnumValue=mission.drone, droneSubEnumValue=mission.drone_sub)
        if mission.payload is not None:
            payload = self._inside(config, "payloadInfo")
            self._put(payload, payloadEnumValue=mission.payload, payloadPositionIndex=0)

    def _mark(self, folder: etree._Element, number: int, point: WpmlWaypoint) -> etree._Element:
        mark = etree.SubElement(folder, f"{{{_KML}}}Placemark")
        place = etree.SubElement(etree.SubElement(mark, f"{{{_KML}}}Point"), f"{{{_KML}}}coordinates")
        place.text = f"{_text(point.lon_deg)},{_text(point.lat_deg)}"
        self._put(mark, index=number)
        return mark

    def _rest(self, mark: etree._Element, number: int, point: WpmlWaypoint) -> None:
        """Speed, heading, turn and actions: the same in both documents."""
        self._put(mark, waypointSpeed=point.speed_m_s)
        heading = self._inside(mark, "waypointHeadingParam")
        follows = point.heading_deg is None
        self._put(
            heading,
            waypointHeadingMode=_MODE_OF_HEADING[follows],
            waypointHeadingAngle=point.heading_deg if point.heading_deg is not None else 0,
            waypointPoiPoint="0.000000,0.000000,0.000000",
            waypointHeadingAngleEnable=int(not follows),
            # DJI's name for the shorter way round.
            waypointHeadingPathMode="followBadArc",
        )
        turn = self._inside(mark, "waypointTurnParam")
        mode = _PASSES if point.cut_m > 0 else _STOPS
        self._put(turn, waypointTurnMode=mode, waypointTurnDampingDist=point.cut_m)
        self._put(mark, useStraightLine=1)
        if point.actions:
            group = self._inside(mark, "actionGroup")
            self._put(group, actionGroupId=self._groups, actionGroupStartIndex=number, actionGroupEndIndex=number)
            self._put(group, actionGroupMode="sequence")
            self._put(self._inside(group, "actionTrigger"), actionTriggerType="reachPoint")
            self._groups += 1
            for action_number, action in enumerate(point.actions):
                element = self._inside(group, "action")
                self._put(element, actionId=action_number, actionActuatorFunc=action.function)
                told = self._inside(element, "actionActuatorFuncParam")
                for name, value in action.parameters:
                    self._inside(told, name).text = value

    def _inside(self, parent: etree._Element, name: str) -> etree._Element:
        return etree.SubElement(parent, f"{{{self._dialect.namespace}}}{name}")

    def _put(self, parent: etree._Element, **values: str | float) -> None:
        for name, value in values.items():
            self._inside(parent, name).text = value if isinstance(value, str) else _text(value)

    def _bytes(self) -> bytes:
        return etree.tostring(self._root, pretty_print=True, xml_declaration=True, encoding="UTF-8")


def _text(value: float) -> str:
    """A number with all its digits and no exponent; a whole one without a point."""
    if not math.isfinite(value):
        raise FormatError(f"{value} is no number that a mission can hold: give a finite one")
    return str(int(value)) if value == int(value) else format(Decimal(repr(float(value))), "f")


class _Reader:
    """waylines.wpml as it is read; `_where` names the place in every message."""

    def __init__(self, root: etree._Element, where: str) -> None:
        self._root, self._where = root, where

    def mission(self, image: str) -> WpmlMission:
        """All of it."""
        dialect = self._dialect()
        configs, folders = (list(self._root.iter("{*}" + name)) for name in ("missionConfig", "Folder"))
        for name, found in (("missionConfig", configs), ("Folder", folders)):
            if len(found) != 1:
                raise FormatError(f"{self._where}: has {len(found)} {name}, this program reads one way line")
        config, folder = configs[0], folders[0]
        for name, wanted in _FIXED.items():
            self._same(config, name, wanted, self._where)
        self._same(folder, "executeHeightMode", _HEIGHTS, self._where)
        drone = self._child(config, "droneInfo", self._where)
        payload = config.find("{*}payloadInfo")
        marks = folder.findall("{*}Placemark")
        if len(marks) < 2:
            raise FormatError(f"{self._where}: has {len(marks)} waypoints: a way line has at least two")
        return WpmlMission(
            dialect=dialect,
            drone=self._whole(drone, "droneEnumValue", self._where),
            drone_sub=self._whole(drone, "droneSubEnumValue", self._where),
            payload=None if payload is None else self._whole(payload, "payloadEnumValue", self._where),
            image=image,
            on_lost=self._on_lost(config),
            take_off_m=self._number(config, "takeOffSecurityHeight", self._where),
            return_m=self._number(config, "globalRTHHeight", self._where),
            speed_m_s=self._number(folder, "autoFlightSpeed", self._where, low=0.0),
            waypoints=tuple(self._waypoint(mark, number) for number, mark in enumerate(marks)),
        )

    def _dialect(self) -> str:
        used = set(self._root.nsmap.values())
        for name, dialect in DIALECTS.items():
            if dialect.namespace.rsplit("/", 1)[0] in {(uri or "").rsplit("/", 1)[0] for uri in used}:
                return name
        raise FormatError(f"{self._where}: has no namespace of WPML: is it a mission of DJI's apps?")

    def _on_lost(self, config: etree._Element) -> OnLost:
        leaves = self._said(config, "exitOnRCLost", self._where)
        if leaves == "goContinue":
            return "goContinue"
        action = self._said(config, "executeRCLostAction", self._where)
        if leaves != "executeLostAction" or action not in _ON_LOST:
            raise FormatError(
                f"{self._where}: exitOnRCLost is {leaves!r} with executeRCLostAction {action!r}: give goContinue, or "
                f"executeLostAction with one of {', '.join(_ON_LOST)}"
            )
        return _ON_LOST[action]

    def _waypoint(self, mark: etree._Element, number: int) -> WpmlWaypoint:
        where = f"{self._where}: waypoint {number}"
        if self._whole(mark, "index", where) != number:
            raise FormatError(f"{where}: index is {self._said(mark, 'index', where)}: waypoints are in order from 0")
        lon, lat = self._place(mark, where)
        heading = self._child(mark, "waypointHeadingParam", where)
        turn = self._child(mark, "waypointTurnParam", where)
        return WpmlWaypoint(
            lat,
            lon,
            self._number(mark, "executeHeight", where),
            self._number(mark, "waypointSpeed", where, low=0.0),
            self._heading(heading, where),
            self._cut(turn, where),
            tuple(action for group in mark.findall("{*}actionGroup") for action in self._actions(group, number, where)),
        )

    def _place(self, mark: etree._Element, where: str) -> tuple[float, float]:
        text = (mark.findtext("{*}Point/{*}coordinates") or "").strip()
        cells = text.split(",")[:2]
        values = [self._finite(cell) for cell in cells]
        if len(values) == 2 and None not in values:
            lon, lat = (float(v) for v in values if v is not None)
            if abs(lon) <= 180 and abs(lat) <= 90:
                return lon, lat
        raise FormatError(f"{where}: coordinates is {text[:60]!r}: give longitude,latitude in degrees")

    def _heading(self, heading: etree._Element, where: str) -> float | None:
        mode = self._said(heading, "waypointHeadingMode", where)
        if mode not in _MODE_OF_HEADING.values():
            raise FormatError(
                f"{where}: waypointHeadingMode is {mode!r}: give one of {', '.join(_MODE_OF_HEADING.values())}"
            )
        if mode == _MODE_OF_HEADING[True]:
            return None
        return self._number(heading, "waypointHeadingAngle", where, low=-180.0, high=180.0)

    def _cut(self, turn: etree._Element, where: str) -> float:
        mode = self._said(turn, "waypointTurnMode", where)
        if mode not in {_STOPS, _PASSES}:
            raise FormatError(
                f"{where}: waypointTurnMode is {mode!r}, a curve that leaves its legs: give {_STOPS} or {_PASSES}"
            )
        return self._number(turn, "waypointTurnDampingDist", where, low=0.0) if mode == _PASSES else 0.0

    def _actions(self, group: etree._Element, number: int, where: str) -> list[WpmlAction]:
        trigger = self._said(self._child(group, "actionTrigger", where), "actionTriggerType", where)
        span = [self._whole(group, name, where) for name in ("actionGroupStartIndex", "actionGroupEndIndex")]
        if trigger != "reachPoint" or span != [number, number]:
            raise FormatError(
                f"{where}: an actionGroup of waypoints {span[0]} to {span[1]} on {trigger!r}: this program reads "
                "actions on reaching their own waypoint"
            )
        return [
            WpmlAction(
                self._said(action, "actionActuatorFunc", where),
                tuple(
                    (etree.QName(child).localname, child.text or "")
                    for child in action.iterfind("{*}actionActuatorFuncParam/*")
                ),
            )
            for action in group.findall("{*}action")
        ]

    @staticmethod
    def _child(parent: etree._Element, name: str, where: str) -> etree._Element:
        child = parent.find("{*}" + name)
        if child is None:
            raise FormatError(f"{where}: has no {name}: the format requires it")
        return child

    def _said(self, parent: etree._Element, name: str, where: str) -> str:
        return (self._child(parent, name, where).text or "").strip()

    def _same(self, parent: etree._Element, name: str, wanted: str, where: str) -> None:
        said = self._said(parent, name, where)
        if said != wanted:
            raise FormatError(f"{where}: {name} is {said!r}, this program reads {wanted!r}: export it so")

    def _number(self, parent: etree._Element, name: str, where: str, low: float = -1e5, high: float = 1e5) -> float:
        text = self._said(parent, name, where)
        value = self._finite(text)
        if value is None or not low <= value <= high:
            raise FormatError(f"{where}: {name} is {text[:60]!r}: give a number between {low:g} and {high:g}")
        return value

    def _whole(self, parent: etree._Element, name: str, where: str) -> int:
        value = self._number(parent, name, where, low=0, high=65_535)
        if value != int(value):
            raise FormatError(f"{where}: {name} is {value}: give a whole number")
        return int(value)

    @staticmethod
    def _finite(text: str) -> float | None:
        try:
            value = float(text)
        except ValueError:
            return None
        return value if math.isfinite(value) else None
