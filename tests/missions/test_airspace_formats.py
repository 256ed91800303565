"""Zones in the formats of other programs: the same zones, whichever file they come in; what is no zone is refused."""

import json
import zipfile

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geo import Altitude, Datum
from missions import AirspaceError, FormatError, LandingSite, ZoneKind, read_airspace

HEIGHTS = {"floor_m": 30.0, "floor_datum": "AGL", "ceiling_m": 900.5, "ceiling_datum": "AMSL"}
OUTER = [(8.0, 46.0), (8.2, 46.0), (8.2, 46.2), (8.0, 46.2), (8.0, 46.0)]
HOLE = [(8.05, 46.05), (8.05, 46.1), (8.1, 46.1), (8.05, 46.05)]
TWO = [(9.0, 46.0), (9.1, 46.0), (9.1, 46.1), (9.0, 46.0)]


def geojson(path, rows):
    features = [
        {"type": "Feature", "properties": properties, "geometry": json.loads(shapely.to_geojson(shape))}
        for properties, shape in rows
    ]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return path


def kml(path, rows, mode=""):
    def ring(points):
        text = " ".join(",".join(map(repr, map(float, point))) for point in points.coords)
        return f"<LinearRing><coordinates>{text}</coordinates></LinearRing>"

    def shape_of(shape):
        if shape.geom_type == "Point":
            return f"<Point><coordinates>{shape.x!r},{shape.y!r}</coordinates></Point>"
        if shape.geom_type == "LineString":
            return f"<LineString>{ring(shape)[12:-13]}</LineString>"
        if shape.geom_type == "MultiPolygon":
            return f"<MultiGeometry>{''.join(map(shape_of, shape.geoms))}</MultiGeometry>"
        holes = "".join(f"<innerBoundaryIs>{ring(hole)}</innerBoundaryIs>" for hole in shape.interiors)
        return f"<Polygon>{mode}<outerBoundaryIs>{ring(shape.exterior)}</outerBoundaryIs>{holes}</Polygon>"

    marks = []
    for properties, shape in rows:
        data = "".join(f"<Data name='{k}'><value>{v}</value></Data>" for k, v in properties.items() if k != "name")
        name = f"<name>{properties['name']}</name>" if "name" in properties else ""
        marks.append(f"<Placemark>{name}<ExtendedData>{data}</ExtendedData>{shape_of(shape)}</Placemark>")
    text = f"<kml xmlns='http://www.opengis.net/kml/2.2'><Document>{''.join(marks)}</Document></kml>"
    if path.suffix == ".kmz":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("doc.kml", text)
    else:
        path.write_text(text)
    return path


def vector(path, rows, crs="EPSG:4326"):
    pyogrio = pytest.importorskip("pyogrio")
    # A Shapefile holds one kind of geometry and cuts long names.
    names = list(dict.fromkeys(name for properties, _ in rows for name in properties))
    columns = [np.array([p.get(name) for p, _ in rows], dtype=object) for name in names]
    for k, name in enumerate(names):
        if name.endswith("_m"):
            columns[k] = columns[k].astype(float)
    shapes = [shape for _, shape in rows]
    kinds = {shape.geom_type for shape in shapes}
    pyogrio.raw.write(
        str(path),
        shapely.to_wkb(np.array(shapes)),
        field_data=columns,
        fields=[name[:10] if path.suffix == ".shp" else name for name in names],
        geometry_type=kinds.pop() if len(kinds) == 1 else "Unknown",
        crs=crs,
        driver="ESRI Shapefile" if path.suffix == ".shp" else "GPKG",
    )
    return path


WRITERS = {".kml": kml, ".kmz": kml, ".gpkg": vector, ".shp": vector}
figures = st.floats(0, 500).map(lambda v: round(v, 2))


@st.composite
def rows_of_zones(draw):
    """Properties and shape of a few zones, each beside the next."""
    out = []
    for k in range(draw(st.integers(1, 4))):
        properties = {"name": f"zone {k}", "kind": draw(st.sampled_from(["no_fly", "limits"]))}
        low, high = draw(figures), draw(figures)
        if draw(st.booleans()):
            properties |= {"floor_m": low, "floor_datum": draw(st.sampled_from(["AGL", "AMSL"]))}
        if draw(st.booleans()) or (properties["kind"] == "limits" and "floor_m" not in properties):
            properties |= {"ceiling_m": low + high + 1, "ceiling_datum": draw(st.sampled_from(["AGL", "AMSL"]))}
        shape = shapely.Polygon(OUTER, [HOLE] if draw(st.booleans()) else [])
        if draw(st.booleans()):
            shape = shapely.MultiPolygon([shape, shapely.Polygon(TWO)])
        out.append((properties, shapely.transform(shape, lambda xy, k=k: xy + np.array([0.0, k]))))
    return out


@pytest.mark.parametrize("ending", WRITERS)
@settings(max_examples=12, deadline=None)
@given(rows=rows_of_zones())
def test_zones_are_the_same_in_every_format(tmp_path_factory, ending, rows):
    folder = tmp_path_factory.mktemp("zones")
    if ending == ".shp":
        rows = [(p, shapely.MultiPolygon([s]) if s.geom_type == "Polygon" else s) for p, s in rows]
    wanted = read_airspace(geojson(folder / "zones.geojson", rows))
    found = read_airspace(WRITERS[ending](folder / f"zones{ending}", rows))
    assert [(z.name, z.kind, z.floor, z.ceiling) for z in found.zones] == [
        (z.name, z.kind, z.floor, z.ceiling) for z in wanted.zones
    ]
    for one, other in zip(found.zones, wanted.zones, strict=True):
        ours, theirs = (shapely.Polygon(z.rings[0], z.rings[1:]) for z in (one, other))
        assert ours.equals(theirs)


@pytest.mark.parametrize("ending", [".kml", ".gpkg"])
def test_a_point_is_a_landing_site_where_it_says_so_and_else_refused(tmp_path, ending):
    point = shapely.Point(8.5, 46.5)
    rows = [({"name": "dam", "kind": None, **HEIGHTS}, shapely.Polygon(OUTER))]
    rows = [({k: v for k, v in rows[0][0].items() if v is not None}, rows[0][1])]
    site = ({"name": "field", "kind": "landing_site", "radius_m": 25.0}, point)
    found = read_airspace(WRITERS[ending](tmp_path / f"a{ending}", [*rows, site]))
    assert found.landing_sites == (LandingSite("field", 46.5, 8.5, 25.0),)
    assert [zone.name for zone in found.zones] == ["dam"]
    with pytest.raises(FormatError, match=r"b.*(placemark|feature) 2 \(tower\): is a point of kind 'no_fly'"):
        read_airspace(WRITERS[ending](tmp_path / f"b{ending}", [*rows, ({"name": "tower"}, point)]))


def test_a_layer_in_metres_of_a_country_is_brought_to_degrees(tmp_path):
    pyproj = pytest.importorskip("pyproj")
    to = pyproj.Transformer.from_crs("EPSG:4326", "EPSG:32632", always_xy=True)
    shape = shapely.Polygon(OUTER, [HOLE])
    plane = shapely.transform(shapely.segmentize(shape, 0.01), lambda xy: np.stack(to.transform(*xy.T), axis=-1))
    found = read_airspace(vector(tmp_path / "a.gpkg", [({"name": "dam"}, plane)], crs="EPSG:32632"))
    ours = shapely.Polygon(found.zones[0].rings[0], found.zones[0].rings[1:])
    assert ours.symmetric_difference(shape).area < 1e-6 * shape.area


@pytest.mark.parametrize(
    ("mode", "kind", "ceiling"),
    [
        ("<extrude>1</extrude><altitudeMode>relativeToGround</altitudeMode>", "no_fly", Altitude(90, Datum.AGL)),
        ("<extrude>1</extrude><altitudeMode>absolute</altitudeMode>", "no_fly", Altitude(90, Datum.AMSL)),
        ("<extrude>1</extrude><altitudeMode>absolute</altitudeMode>", "limits", Altitude(60, Datum.AMSL)),
        # A sheet in the air, and what lies on the ground, have no ceiling that anybody could tell.
        ("<altitudeMode>absolute</altitudeMode>", "no_fly", None),
        ("<extrude>1</extrude>", "no_fly", None),
    ],
)
def test_the_height_that_kml_extrudes_a_polygon_to_is_never_taken_more_leniently(tmp_path, mode, kind, ceiling):
    shape = shapely.Polygon([(x, y, 60.0 if x < 8.1 else 90.0) for x, y in OUTER])
    (zone,) = read_airspace(kml(tmp_path / "a.kml", [({"name": "tower", "kind": kind}, shape)], mode)).zones
    assert (zone.kind, zone.floor, zone.ceiling) == (ZoneKind(kind), None, ceiling)
    stated = {"name": "tower", "kind": kind, "ceiling_m": 40, "ceiling_datum": "AGL"}
    (zone,) = read_airspace(kml(tmp_path / "b.kml", [(stated, shape)], mode)).zones
    assert zone.ceiling == Altitude(40, Datum.AGL)


@pytest.mark.parametrize("ending", [".kml", ".gpkg"])
@pytest.mark.parametrize(
    ("properties", "shape", "words"),
    [
        ({"kind": "danger"}, shapely.Polygon(OUTER), "kind is 'danger'"),
        ({"floor_m": "low", "floor_datum": "AGL"}, shapely.Polygon(OUTER), "floor_m is 'low'"),
        ({"ceiling_m": "90"}, shapely.Polygon(OUTER), "ceiling_datum is None"),
        ({"ceiling_m": "90", "ceiling_datum": "FL"}, shapely.Polygon(OUTER), "ceiling_datum is 'FL'"),
        ({"ceiling_datum": "AGL"}, shapely.Polygon(OUTER), "ceiling_datum is given without ceiling_m"),
        ({"kind": "limits"}, shapely.Polygon(OUTER), "limits nothing"),
        ({}, shapely.LineString(OUTER), "is a line"),
        ({}, shapely.Polygon([(8, 46), (8.1, 46.1), (8.1, 46), (8, 46.1)]), "Self-intersection"),
        ({"kind": "landing_site"}, shapely.Polygon(OUTER), "give one point"),
    ],
)
def test_what_is_no_zone_is_refused_by_feature_and_field(tmp_path, ending, properties, shape, words):
    rows = [({"name": "first"}, shapely.Polygon(TWO)), ({"name": "second", **properties}, shape)]
    write = kml if ending == ".kml" else texts
    with pytest.raises((FormatError, AirspaceError), match=rf"2 \(second\).*{words}"):
        read_airspace(write(tmp_path / f"zones{ending}", rows))


def texts(path, rows):
    """A layer whose columns are all of text."""
    pyogrio = pytest.importorskip("pyogrio")
    names = list(dict.fromkeys(name for properties, _ in rows for name in properties))
    pyogrio.raw.write(
        str(path),
        shapely.to_wkb(np.array([shape for _, shape in rows])),
        field_data=[np.array([p.get(name) for p, _ in rows], dtype=object) for name in names],
        fields=names,
        geometry_type="Unknown",
        crs="EPSG:4326",
        driver="GPKG",
    )
    return path


def test_a_file_without_zones_and_a_layer_that_is_not_there_are_told(tmp_path):
    empty = tmp_path / "a.kml"
    empty.write_text("<kml xmlns='http://www.opengis.net/kml/2.2'><Document/></kml>")
    with pytest.raises(FormatError, match="has no polygon"):
        read_airspace(empty)
    with pytest.raises(FormatError, match=r"no layer 'b'.*give one of a"):
        read_airspace(vector(tmp_path / "a.gpkg", [({"name": "dam"}, shapely.Polygon(OUTER))]), layer="b")


LINK = "<NetworkLink><Link><href>more.kml</href></Link></NetworkLink>"


@pytest.mark.parametrize("ending", [".kml", ".kmz"])
@pytest.mark.parametrize("link", [LINK, LINK.replace("<href>more.kml</href>", ""), f"<Folder>{LINK}</Folder>"])
def test_zones_that_a_file_links_to_are_not_left_out(tmp_path, ending, link):
    """Google Earth draws them with the others: nobody would miss them before something flies there."""
    text = kml(tmp_path / "a.kml", [({"name": "dam"}, shapely.Polygon(OUTER))]).read_text()
    assert len(read_airspace(tmp_path / "a.kml").zones) == 1
    text = text.replace("<Document>", f"<Document>{link}")
    path = tmp_path / f"b{ending}"
    if ending == ".kmz":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("doc.kml", text)
    else:
        path.write_text(text)
    with pytest.raises(FormatError, match="has more than its own, it links to"):
        read_airspace(path)


def test_of_several_documents_of_zones_in_an_archive_none_is_left_out(tmp_path):
    texts = [
        kml(tmp_path / "a.kml", [({"name": name}, shapely.Polygon(ring))]).read_text()
        for name, ring in (("dam", OUTER), ("barracks", TWO))
    ]
    path = tmp_path / "b.kmz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("doc.kml", texts[0])
        archive.writestr("__MACOSX/._doc.kml", b"shadow")
    assert [zone.name for zone in read_airspace(path).zones] == ["dam"]
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("files/more.kml", texts[1])
    with pytest.raises(FormatError, match=r"b\.kmz: has 2 KML documents \(doc\.kml, files/more\.kml\)"):
        read_airspace(path)


@pytest.mark.parametrize("ending", [".gpkg", ".shp", ".kml"])
@pytest.mark.parametrize("empty", [None, shapely.Polygon()])
def test_a_zone_without_geometry_is_not_left_out(tmp_path, ending, empty):
    rows = [("dam", shapely.Polygon(OUTER)), ("barracks", empty)]
    path = tmp_path / f"a{ending}"
    if ending == ".kml":
        text = kml(path, [({"name": name}, shapely.Polygon(OUTER)) for name, _ in rows]).read_text()
        head, tail = text.split("<name>barracks</name>")
        shape = "" if empty is None else "<Model/>"
        path.write_text(head + "<name>barracks</name>" + shape + tail[tail.index("</Placemark>") :])
    else:
        pytest.importorskip("pyogrio").raw.write(
            str(path),
            np.array([None if shape is None else shapely.to_wkb(shape) for _, shape in rows], dtype=object),
            field_data=[np.array([name for name, _ in rows], dtype=object)],
            fields=["name"],
            geometry_type="Polygon",
            crs="EPSG:4326",
            driver="ESRI Shapefile" if ending == ".shp" else "GPKG",
        )
    with pytest.raises(FormatError, match=r"(placemark|feature) 2 \(barracks\): has no geometry"):
        read_airspace(path)


def test_of_several_layers_of_zones_and_sites_none_is_left_out_unsaid(tmp_path):
    pyogrio = pytest.importorskip("pyogrio")

    def add(path, layer, shape, **fields):
        pyogrio.raw.write(
            str(path),
            shapely.to_wkb(np.array([shape])),
            field_data=[np.array([value], dtype=object) for value in fields.values()],
            fields=list(fields),
            geometry_type=shape.geom_type,
            crs="EPSG:4326",
            driver="GPKG",
            layer=layer,
            append=path.exists(),
        )

    path = tmp_path / "a.gpkg"
    add(path, "sites", shapely.Point(8.5, 46.5), name="field", kind="landing_site")
    assert [site.name for site in read_airspace(path).landing_sites] == ["field"]
    add(path, "zones", shapely.Polygon(OUTER), name="dam")
    with pytest.raises(FormatError, match=r"several layers with polygons or points \(sites, zones\).*--airspace-layer"):
        read_airspace(path)
    assert [zone.name for zone in read_airspace(path, layer="zones").zones] == ["dam"]
    assert [site.name for site in read_airspace(path, layer="sites").landing_sites] == ["field"]
