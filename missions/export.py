"""A plan for other programs: GeoJSON and KML."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path
from typing import Any

import shapely
from lxml import etree

from geo import Terrain
from missions.border import Side
from missions.border_files import border_feature
from missions.emergency import emergency_sites
from missions.fence import Fences, plan_fences
from missions.files import write_json
from missions.geojson_geometry import area_geometry, feature, line_geometry, point_geometry, polygon_geometry
from missions.kml_file import KML, sub, write_kml
from missions.outline import band_polygon
from missions.patrol import PatrolPlan
from missions.plane import Plane

__all__ = ["plan_geojson", "sortie_geojson", "write_plan_geojson", "write_plan_kml"]

_COLOURS = ("ffb4771f", "ff0e7fff", "ff2ca02c", "ffbd6794", "ff4b568c", "ffc277e3", "ff7f7f7f", "ff22bdbc")  # aabbggrr


def plan_geojson(plan: PatrolPlan, terrain: Terrain | None = None, fences: Fences | None = None) -> dict[str, Any]:
    """A FeatureCollection of border, branches, bands, bases, fences and sorties (RFC 7946).

    The third figure of a sortie is metres AMSL and not above the ellipsoid, which its property ``heights`` says: where
    the geoid lies is not known here.

    Each part of a sortie is there once more as an ``emergency`` with the landing site that it flies to, or the reason
    why there is none; with a terrain the ground in between is looked at. Whoever knows the fences already, the
    `sortie_fence` of each sortie, hands them over.
    """
    fences = plan_fences(plan) if fences is None else fences
    features = [border_feature(border) for border in plan.borders]
    features += [
        feature(line_geometry(branch.coordinates), kind=str(branch.kind), name=branch.name, priority=branch.priority)
        for branch in plan.branches
    ]
    plane = Plane(plan.border)
    for line in plan.watched_lines():
        xy = plane.xy(line.lat_deg, line.lon_deg)
        band = band_polygon(xy, Side.LEFT, line.left_m, line.right_m)
        for part in shapely.get_parts(band):
            features.append(feature(area_geometry(plane, part), kind="band", name=_band_name(plan, line.name)))
    features += [
        feature(point_geometry(base.lon_deg, base.lat_deg), kind="base", name=base.name)
        for base in dict.fromkeys(v.base for v in plan.fleet.vehicles)
    ]
    for sortie, fence in zip(plan.sorties, fences, strict=True):
        for number, shape in enumerate(fence):
            ring = [[lon, lat] for lat, lon in (*shape.vertices, shape.vertices[0])]
            kind = "fence" if number == 0 else "exclusion"
            features.append(feature(polygon_geometry([ring]), kind=kind, name=f"{kind} of {sortie.name}"))
        features += [
            feature(
                line_geometry((w.lon_deg, w.lat_deg, round(w.amsl_m, 2)) for w in sortie.way),
                kind="sortie",
                heights="AMSL",
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
        feature(point_geometry(gap.lon_deg, gap.lat_deg), kind="uncovered", name=gap.reason, area_m2=gap.area_m2)
        for gap in plan.coverage.uncovered
    ]
    features += [
        feature(point_geometry(site.lon_deg, site.lat_deg), kind="landing_site", name=site.name, radius_m=site.radius_m)
        for site in plan.airspace.landing_sites
    ]
    features += [
        feature(
            line_geometry((round(lon, 7), round(lat, 7)) for lat, lon in part.way),
            kind="emergency",
            name=part.sortie,
            from_leg=part.from_leg,
            from_m=part.from_m,
            to_leg=part.to_leg,
            to_m=part.to_m,
            site=None if part.site is None else part.site.name,
            farthest_m=part.farthest_m,
            reason=part.reason,
        )
        for part in emergency_sites(plan, terrain)
    ]
    return {"type": "FeatureCollection", "features": features}


def sortie_geojson(drawn: dict[str, Any], name: str) -> dict[str, Any]:
    """Of a `plan_geojson` what is of one sortie: its way, its fence with exclusions, where its parts come down."""
    own = {"sortie": name, "emergency": name, "fence": f"fence of {name}", "exclusion": f"exclusion of {name}"}
    features = [
        each
        for each in drawn["features"]
        if (kind := each["properties"].get("kind")) in own and each["properties"]["name"] == own[kind]
    ]
    return {"type": "FeatureCollection", "features": features}


def write_plan_geojson(
    plan: PatrolPlan, path: Path, terrain: Terrain | None = None, fences: Fences | None = None
) -> None:
    """Write `plan_geojson`."""
    write_json(path, plan_geojson(plan, terrain, fences))


def write_plan_kml(plan: PatrolPlan, path: Path) -> None:
    """Write a plan as KML: border, branches, bases, and a folder for each sortie with its transits and its patrol."""
    root = etree.Element(f"{{{KML}}}kml", nsmap={None: KML})
    document = sub(root, "Document")
    sub(document, "name", plan.name)
    _style(document, "border", "ff0000ff", 3)
    for number, vehicle in enumerate(plan.fleet.vehicles):
        _style(document, f"v{vehicle.sysid}", _COLOURS[number % len(_COLOURS)], 2)
    _style(document, "branch", "ff3f85cd", 2)
    for style, lines in (("border", plan.borders), ("branch", plan.branches)):
        for line in lines:
            _line(document, line.name, style, [f"{lon!r},{lat!r}" for lon, lat in line.coordinates], clamped=True)
    for base in dict.fromkeys(v.base for v in plan.fleet.vehicles):
        mark = sub(document, "Placemark")
        sub(mark, "name", base.name)
        sub(sub(mark, "Point"), "coordinates", f"{base.lon_deg!r},{base.lat_deg!r}")
    for sortie in plan.sorties:
        folder = sub(document, "Folder")
        sub(folder, "name", sortie.name)
        sub(
            folder,
            "description",
            f"{sortie.duration_s / 60:.0f} min, {sortie.distance_m / 1000:.1f} km, {sortie.reserve_left:.0%} left",
        )
        for kind, group in groupby(sortie.legs, key=lambda leg: leg.kind):
            legs = list(group)
            points = [legs[0].start, *(leg.end for leg in legs)]
            text = [f"{w.lon_deg!r},{w.lat_deg!r},{w.amsl_m:.2f}" for w in points]
            _line(folder, str(kind), f"v{sortie.vehicle.sysid}", text, clamped=False)
    write_kml(root, path)


def _band_name(plan: PatrolPlan, line: str) -> str:
    return "watched band" if plan.network is None else f"watched band of {line}"


def _style(document: etree._Element, name: str, colour: str, width: int) -> None:
    style = sub(document, "Style")
    style.set("id", name)
    line = sub(style, "LineStyle")
    sub(line, "color", colour)
    sub(line, "width", str(width))


def _line(parent: etree._Element, name: str, style: str, coordinates: list[str], *, clamped: bool) -> None:
    mark = sub(parent, "Placemark")
    sub(mark, "name", name)
    sub(mark, "styleUrl", f"#{style}")
    line = sub(mark, "LineString")
    sub(line, "tessellate", "1" if clamped else "0")
    sub(line, "altitudeMode", "clampToGround" if clamped else "absolute")
    sub(line, "coordinates", " ".join(coordinates))
