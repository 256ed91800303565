"""The plan as GeoJSON by RFC 7946, here and on the antimeridian, and as KML by the schema of the OGC."""

import json
import math
from importlib.resources import files
from itertools import pairwise

import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from geo import FlatTerrain, geodesic_length_m
from missions import Base, BorderSegment, default_fleet, plan, write_borders, write_plan_folder
from missions.geojson_geometry import line_geometry, polygon_geometry
from tests.asked import few

SPANS = ((0.0, 0.0), (0.03, 0.004), (0.06, 0.0), (0.09, 0.005))


def wrapped(lon):
    return (lon + 180.0) % 360.0 - 180.0


@pytest.fixture(scope="module", params=[(-110.95, 31.33), (179.955, 60.0)], ids=["inland", "antimeridian"])
def folder(request, tmp_path_factory):
    """A plan, and the folder it is written to."""
    lon, lat = request.param
    border = BorderSegment("line", "A", "B", tuple((wrapped(lon + x), lat + y) for x, y in SPANS), "left")
    made = plan(border, default_fleet(Base("base", lat + 0.02, wrapped(lon + 0.04)), 1), FlatTerrain(1180.0))
    out = tmp_path_factory.mktemp("plan")
    write_plan_folder(made, out)
    return made, out


def positions(value):
    """Every position of a geometry, by the lists that hold them."""
    if isinstance(value[0], (int, float)):
        return [[value]]
    if isinstance(value[0][0], (int, float)):
        return [value]
    return [line for inner in value for line in positions(inner)]


def signed_area(ring):
    return sum(a[0] * b[1] - b[0] * a[1] for a, b in pairwise([(x - ring[0][0], y - ring[0][1]) for x, y in ring]))


def polygons(geometry):
    return {"Polygon": [geometry["coordinates"]], "MultiPolygon": geometry["coordinates"]}.get(geometry["type"], [])


def test_geojson_of_a_plan_is_by_rfc_7946(folder):
    made, out = folder
    value = json.loads((out / "plan.geojson").read_text())
    kinds = [f["properties"].get("kind") for f in value["features"]]
    assert {"band", "fence", "sortie", "base", "emergency"} <= set(kinds)
    for feature in value["features"]:
        geometry = feature["geometry"]
        assert shapely.geometry.shape(geometry).is_valid
        for line in positions(geometry["coordinates"]):
            assert all(-180 <= p[0] <= 180 and -90 <= p[1] <= 90 for p in line)
            # No edge goes round the globe: what crosses the antimeridian is cut there (3.1.9).
            assert all(abs(a[0] - b[0]) < 1 for a, b in pairwise(line))
        for outer, *holes in polygons(geometry):
            assert all(ring[0] == ring[-1] and len(ring) >= 4 for ring in (outer, *holes))
            # 3.1.6: the right-hand rule.
            assert signed_area(outer) > 0
            assert all(signed_area(hole) < 0 for hole in holes)
    (sortie,) = [f for f in value["features"] if f["properties"].get("kind") == "sortie"]
    assert sortie["properties"]["heights"] == "AMSL"
    lines = positions(sortie["geometry"]["coordinates"])
    length = sum(geodesic_length_m([p[1] for p in line], [p[0] for p in line]) for line in lines)
    assert length == pytest.approx(made.sorties[0].distance_m, rel=1e-4)
    heights = {p[2] for line in lines for p in line}
    assert {round(leg.end.amsl_m, 2) for leg in made.sorties[0].legs} <= heights


@settings(max_examples=few(200))
@given(
    st.floats(-185, 185),
    st.lists(st.tuples(st.floats(0.05, 1), st.floats(0.05, 0.95)), min_size=3, max_size=12),
    st.booleans(),
    st.booleans(),
)
def test_an_area_is_the_same_one_cut_and_turned(middle, radii, turned, holed):
    """A star round a place near the antimeridian or not; each of its halves has an edge on it."""
    count = len(radii)
    ring = [
        (middle + r * math.cos(2 * math.pi * k / count), 10 + r * math.sin(2 * math.pi * k / count))
        for k, (r, _) in enumerate(radii)
    ]
    hole = [(middle + (x - middle) * 0.3, 10 + (y - 10) * 0.3) for x, y in ring]
    rings = [[*r, r[0]][:: -1 if turned else 1] for r in ([ring, hole] if holed else [ring])]
    whole = shapely.Polygon(rings[0], rings[1:])
    geometry = polygon_geometry([[(wrapped(x), y) for x, y in r] for r in rings])
    parts = [shapely.Polygon(outer, holes) for outer, *holes in polygons(geometry)]
    assert sum(part.area for part in parts) == pytest.approx(whole.area, abs=1e-5)
    assert (len(parts) > 1) <= (abs(middle) > 178.9)
    for outer, *holes in polygons(geometry):
        assert signed_area(outer) > 0
        assert all(signed_area(h) < 0 for h in holes)
        assert all(abs(a[0] - b[0]) < 3 for r in (outer, *holes) for a, b in pairwise(r))


def test_the_height_at_a_cut_lies_between_those_of_its_ends():
    geometry = line_geometry([(179.9, 10.0, 100.0), (-179.7, 10.4, 500.0)])
    first, second = geometry["coordinates"]
    assert first[0] == [179.9, 10.0, 100.0]
    assert second[1] == [-179.7, 10.4, 500.0]
    assert first[1] == pytest.approx([180.0, 10.1, 200.0])
    assert second[0] == pytest.approx([-180.0, 10.1, 200.0])


def test_a_climb_on_the_spot_is_kept():
    points = [(8.0, 46.0, 500.0), (8.0, 46.0, 590.0), (8.1, 46.0, 590.0)]
    assert line_geometry(points) == {"type": "LineString", "coordinates": [list(p) for p in points]}


@pytest.fixture(scope="module")
def schema():
    """OGC KML 2.2, as fastkml ships it."""
    path = files("fastkml") / "schema" / "ogckml22.xsd"
    return etree.XMLSchema(etree.parse(str(path)))


def test_kml_is_by_the_schema_of_the_ogc(folder, schema, tmp_path):
    made, out = folder
    write_borders(made.borders, tmp_path / "border.kml")
    paths = [*out.glob("*.kml"), tmp_path / "border.kml"]
    assert {p.name for p in paths} >= {"plan.kml", f"{made.sorties[0].name}.kml", "border.kml"}
    for path in paths:
        assert schema.validate(etree.parse(str(path))), (path.name, schema.error_log.last_error)
