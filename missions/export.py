"""A plan for other programs: GeoJSON, KML, and a folder with all that a plan can be handed on as."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path
from typing import Any

import shapely
from lxml import etree

from geo import write_text
from missions.border import Side
from missions.border_files import border_feature
from missions.coverage import band_polygon
from missions.fence import fence_polygon
from missions.files import write_json
from missions.mission import Dialect, compile_mission
from missions.patrol import PatrolPlan, Sortie, Waypoint
from missions.picture import draw_map
from missions.plan_file import save_plan
from missions.plane import Plane
from missions.qgc import write_qgc_plan
from missions.waypoints import write_waypoints

__all__ = ["plan_geojson", "write_plan_folder", "write_plan_geojson", "write_plan_kml"]

_KML = "http://www.opengis.net/kml/2.2"
_COLOURS = ("ffb4771f", "ff0e7fff", "ff2ca02c", "ffbd6794", "ff4b568c", "ffc277e3", "ff7f7f7f", "ff22bdbc")  # aabbggrr


def plan_geojson(plan: PatrolPlan) -> dict[str, Any]:
    """A FeatureCollection of border, branches, bands, bases, fences and sorties (third figure: height AMSL, metres)."""
    features = [border_feature(border) for border in plan.borders]
    features += [
        _feature("LineString", branch.coordinates, kind=str(branch.kind), name=branch.name, priority=branch.priority)
        for branch in plan.branches
    ]
    plane = Plane(plan.border)
    for line in plan.watched_lines():
        xy = plane.xy(line.lat_deg, line.lon_deg)
        band = band_polygon(xy, Side.LEFT, line.band_left_m, line.band_right_m)
        for part in shapely.get_parts(band):
            rings = [_ring(plane, ring) for ring in (part.exterior, *part.interiors)]
            features.append(_feature("Polygon", rings, kind="band", name=_band_name(plan, line.name)))
    features += [
        _feature("Point", [base.lon_deg, base.lat_deg], kind="base", name=base.name)
        for base in dict.fromkeys(v.base for v in plan.fleet.vehicles)
    ]
    for sortie in plan.sorties:
        fence = [[lon, lat] for lat, lon in fence_polygon(plan, sortie)]
        features += [
            _feature("Polygon", [[*fence, fence[0]]], kind="fence", name=f"fence of {sortie.name}"),
            _feature(
                "LineString",
                [[w.lon_deg, w.lat_deg, round(w.amsl_m, 2)] for w in _way(sortie)],
                kind="sortie",
                name=sortie.name,
                vehicle=sortie.vehicle.name,
                start_s=sortie.start_s,
                duration_s=sortie.duration_s,
                distance_m=sortie.distance_m,
                energy_wh=sortie.energy_wh,
                reserve_left=sortie.reserve_left,
                patrol_speed_m_s=plan.observation.speed_m_s,
            ),
        ]
    features += [
        _feature("Point", [gap.lon_deg, gap.lat_deg], kind="uncovered", name=gap.reason, area_m2=gap.area_m2)
        for gap in plan.coverage.uncovered
    ]
    return {"type": "FeatureCollection", "features": features}


def write_plan_geojson(plan: PatrolPlan, path: Path) -> None:
    """Write `plan_geojson`."""
    write_json(path, plan_geojson(plan))


def write_plan_kml(plan: PatrolPlan, path: Path) -> None:
    """Write a plan as KML: border, branches, bases, and a folder for each sortie with its transits and its patrol."""
    root = etree.Element(f"{{{_KML}}}kml", nsmap={None: _KML})
    document = _sub(root, "Document")
    _sub(document, "name", plan.name)
    _style(document, "border", "ff0000ff", 3)
    for number, vehicle in enumerate(plan.fleet.vehicles):
        _style(document, f"v{vehicle.sysid}", _COLOURS[number % len(_COLOURS)], 2)
    _style(document, "branch", "ff3f85cd", 2)
    for style, lines in (("border", plan.borders), ("branch", plan.branches)):
        for line in lines:
            _line(document, line.name, style, [f"{lon!r},{lat!r}" for lon, lat in line.coordinates], clamped=True)
    for base in dict.fromkeys(v.base for v in plan.fleet.vehicles):
        mark = _sub(document, "Placemark")
        _sub(mark, "name", base.name)
        _sub(_sub(mark, "Point"), "coordinates", f"{base.lon_deg!r},{base.lat_deg!r}")
    for sortie in plan.sorties:
        folder = _sub(document, "Folder")
        _sub(folder, "name", sortie.name)
        _sub(
            folder,
            "description",
            f"{sortie.duration_s / 60:.0f} min, {sortie.distance_m / 1000:.1f} km, {sortie.reserve_left:.0%} left",
        )
        for kind, group in groupby(sortie.legs, key=lambda leg: leg.kind):
            legs = list(group)
            points = [legs[0].start, *(leg.end for leg in legs)]
            text = [f"{w.lon_deg!r},{w.lat_deg!r},{w.amsl_m:.2f}" for w in points]
            _line(folder, str(kind), f"v{sortie.vehicle.sysid}", text, clamped=False)
    whole = etree.tostring(root, pretty_print=True, encoding="unicode")
    write_text(path, '<?xml version="1.0" encoding="UTF-8"?>\n' + str(whole))


def _way(sortie: Sortie) -> list[Waypoint]:
    return [sortie.legs[0].start, *(leg.end for leg in sortie.legs)]


def _band_name(plan: PatrolPlan, line: str) -> str:
    return "watched band" if plan.network is None else f"watched band of {line}"


def _ring(plane: Plane, ring: shapely.LinearRing) -> list[list[float]]:
    lat, lon = plane.lat_lon(shapely.get_coordinates(ring))
    return [[round(float(o), 7), round(float(a), 7)] for a, o in zip(lat, lon, strict=True)]


def write_plan_folder(plan: PatrolPlan, folder: Path, dialect: Dialect = "ardupilot") -> tuple[Path, ...]:
    """Write a plan in every form: for `vedette fly`, for ground stations, for maps, and as a picture.

    Parameters
    ----------
    plan
        What to write.
    folder
        Where: ``plan.json``, ``<sortie>.plan`` and ``.waypoints`` for each sortie,
        ``plan.geojson``, ``plan.kml``, ``map.png``.
    dialect
        Autopilot of the ``.plan`` files.

    Returns
    -------
    tuple of Path
        What was written.

    Raises
    ------
    MissionError
        As `compile_mission` does; nothing is written then.
    FileWriteError
        When a file cannot be written.
    """
    compiled = [compile_mission(plan, sortie, dialect) for sortie in plan.sorties]
    folder.mkdir(parents=True, exist_ok=True)
    for sortie, mission in zip(plan.sorties, compiled, strict=True):
        write_qgc_plan(mission, folder / f"{mission.name}.plan", sortie.legs[0].start.ground_amsl_m)
        write_waypoints(mission.items, folder / f"{mission.name}.waypoints")
    write_plan_geojson(plan, folder / "plan.geojson")
    write_plan_kml(plan, folder / "plan.kml")
    draw_map(plan, folder / "map.png")
    # Last: where this file is, the others are too.
    save_plan(plan, folder / "plan.json")
    names = [f"{mission.name}.{ending}" for mission in compiled for ending in ("plan", "waypoints")]
    return tuple(folder / name for name in (*names, "plan.geojson", "plan.kml", "map.png", "plan.json"))


def _feature(geometry: str, coordinates: Any, **properties: Any) -> dict[str, Any]:
    return {
        "type": "Feature",
        "properties": properties,
        "geometry": {"type": geometry, "coordinates": coordinates},
    }


def _sub(parent: etree._Element, tag: str, text: str | None = None) -> etree._Element:
    element = etree.SubElement(parent, f"{{{_KML}}}{tag}")
    element.text = text
    return element


def _style(document: etree._Element, name: str, colour: str, width: int) -> None:
    style = _sub(document, "Style")
    style.set("id", name)
    line = _sub(style, "LineStyle")
    _sub(line, "color", colour)
    _sub(line, "width", str(width))


def _line(parent: etree._Element, name: str, style: str, coordinates: list[str], *, clamped: bool) -> None:
    mark = _sub(parent, "Placemark")
    _sub(mark, "name", name)
    _sub(mark, "styleUrl", f"#{style}")
    line = _sub(mark, "LineString")
    _sub(line, "tessellate", "1" if clamped else "0")
    _sub(line, "altitudeMode", "clampToGround" if clamped else "absolute")
    _sub(line, "coordinates", " ".join(coordinates))
