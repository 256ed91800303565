"""Border files of every format: there and back, and broken in all the ways that files break."""

import io
import json
import math
import sqlite3
import struct
import sys
import time
import zipfile
from contextlib import closing

import numpy as np
import pyogrio
import pyproj
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geo import FileWriteError, LocalFrame, geodesic_length_m, locate
from missions import BorderError, BorderSegment, FormatError, Side, read_border, write_border
from missions.border_files import read_borders, write_borders
from tests.missions.helpers import straight

FORMATS = ["geojson", "kml", "kmz", "gpkg", "shp"]
# What XML can hold; DBF trims blanks, so that none is at an end.
words = st.text(st.characters(exclude_categories=("Cs", "Cc", "Zs", "Zl", "Zp", "Cn", "Co")), min_size=1, max_size=12)


@st.composite
def lines(draw):
    """Lines and rings anywhere, over the antimeridian too."""
    seed = draw(st.integers(0, 2**31))
    rng = np.random.default_rng(seed)
    count = draw(st.integers(2, 12))
    lon0, lat0 = draw(st.sampled_from([8.0, 179.99, -179.99, -110.9])), draw(st.sampled_from([0.0, 46.0, -60.0]))
    if count > 4 and draw(st.booleans()):
        angle = np.sort(rng.uniform(0, 2 * np.pi, count))
        points = np.stack([np.cos(angle), np.sin(angle)], axis=-1) * 0.05
        points = np.vstack([points, points[:1]])
    else:
        points = np.cumsum(rng.uniform(-0.02, 0.03, (count, 2)), axis=0)
    lon = points[:, 0] + lon0
    lon = np.where(lon > 180, lon - 360, np.where(lon < -180, lon + 360, lon))
    return tuple(zip(lon.tolist(), (points[:, 1] + lat0).tolist(), strict=True))


@st.composite
def borders(draw):
    return BorderSegment(
        draw(words),
        draw(words),
        draw(words),
        draw(lines()),
        draw(st.sampled_from(Side)),
        authority=draw(st.just("") | words),
        priority=draw(st.integers(1, 9)),
        stand_off_m=draw(st.floats(1, 900)),
        band_own_m=draw(st.floats(0, 900)),
        band_far_m=draw(st.floats(1, 900)),
        note=draw(words),  # one note or more, so that none is added for crossings
    )


def plain(border):
    """Without what reading may say about crossings."""
    return {f: getattr(border, f) for f in BorderSegment.__slots__ if f != "note"} | {"note": border.note.split(";")[0]}


@pytest.mark.parametrize("suffix", FORMATS)
def test_all_fields_come_back(tmp_path_factory, suffix):
    folder = tmp_path_factory.mktemp(suffix)

    @settings(max_examples=25)
    @given(st.lists(borders(), min_size=1, max_size=4))
    def there_and_back(written):
        path = folder / f"lines.{suffix}"
        write_borders(written, path)
        read = read_borders(path)
        assert len(read) == len(written)
        for a, b in zip(written, read, strict=True):
            expected, got = plain(a), plain(b)
            if suffix == "shp":  # 24 figures in a DBF column
                for field in ("stand_off_m", "band_own_m", "band_far_m"):
                    assert got.pop(field) == pytest.approx(expected.pop(field), rel=1e-12)
            assert got == expected

    there_and_back()
    assert [p.name for p in folder.iterdir() if p.name.startswith(".")] == []


@pytest.mark.parametrize("suffix", FORMATS)
def test_one_border_comes_back_from_every_format(tmp_path, suffix):
    write_border(straight(), tmp_path / f"line.{suffix}")
    assert read_border(tmp_path / f"line.{suffix}") == straight()


def test_the_same_borders_give_the_same_kmz(tmp_path):
    for name in ("a.kmz", "b.kmz"):
        write_borders([straight()], tmp_path / name)
    assert (tmp_path / "a.kmz").read_bytes() == (tmp_path / "b.kmz").read_bytes()


def test_a_line_over_the_antimeridian_is_cut_there_in_geojson_and_joined_again(tmp_path):
    border = BorderSegment("n", "A", "B", ((179.9, 10.0), (-179.9, 10.2), (179.8, 10.4)), "left")
    write_border(border, tmp_path / "line.geojson")
    geometry = json.loads((tmp_path / "line.geojson").read_text())["geometry"]
    assert geometry["type"] == "MultiLineString"
    assert [len(part) for part in geometry["coordinates"]] == [2, 3, 2]
    for part in geometry["coordinates"]:
        assert len({lon > 0 for lon, _ in part}) == 1
        lon = [x for x, _ in part]
        assert max(lon) - min(lon) < 0.3
    assert geometry["coordinates"][0][1] == [180.0, pytest.approx(10.1)]
    assert read_border(tmp_path / "line.geojson") == border
    assert border.length_m() == pytest.approx(geodesic_length_m([10.0, 10.2, 10.4], [179.9, 180.1, 179.8]), rel=1e-12)


def test_a_line_over_the_antimeridian_is_like_any_other():
    """Against the same line moved away from it."""
    there = BorderSegment("n", "A", "B", ((179.95, 10.0), (-179.97, 10.02), (-179.9, 9.9)), "left")
    here = BorderSegment("n", "A", "B", ((8.95, 10.0), (9.03, 10.02), (9.1, 9.9)), "left")
    lat, lon = there.centre()
    assert (lat, lon % 360) == pytest.approx((here.centre()[0], here.centre()[1] + 171))
    assert abs(lon) <= 180
    assert there.length_m() == pytest.approx(here.length_m())
    assert there.local_line(LocalFrame(*there.centre())) == pytest.approx(
        here.local_line(LocalFrame(*here.centre())), abs=1e-5
    )
    assert np.ptp(there.unwrapped()[:, 0]) == pytest.approx(0.15)


def test_several_lines_of_a_feature_are_numbered_and_parts_that_meet_are_joined(tmp_path):
    path = tmp_path / "lines.geojson"
    parts = [[[8, 46], [8.1, 46]], [[8.1, 46], [8.2, 46.1]], [[9, 46], [9.1, 46, 300]]]
    geometry = {
        "type": "GeometryCollection",
        "geometries": [{"type": "Point", "coordinates": [8, 46]}, {"type": "MultiLineString", "coordinates": parts}],
    }
    feature = {"type": "Feature", "properties": {"name": "pass", "own_side": "left"}, "geometry": geometry}
    other = {"type": "Feature", "properties": {"kind": "road"}, "geometry": geometry}
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [feature, other]}))
    first, second = read_borders(path)
    assert (first.name, second.name) == ("pass 1 of 2", "pass 2 of 2")
    assert first.coordinates == ((8.0, 46.0), (8.1, 46.0), (8.2, 46.1))
    with pytest.raises(FormatError, match=r"2 lines \(pass 1 of 2"):
        read_border(path)


@pytest.mark.parametrize("clockwise", [False, True])
@pytest.mark.parametrize("said", ["inside", "outside"])
def test_an_enclave_is_a_polygon_with_its_own_country_inside_or_outside(tmp_path, clockwise, said):
    outer = [[8, 46], [8.1, 46], [8.1, 46.1], [8, 46.1], [8, 46]]
    hole = [[8.04, 46.04], [8.06, 46.04], [8.06, 46.06], [8.04, 46.06], [8.04, 46.04]]
    rings = [ring[::-1] if clockwise else ring for ring in (outer, hole)]
    path = tmp_path / "enclave.geojson"
    geometry = {"type": "Polygon", "coordinates": rings}
    path.write_text(json.dumps({"type": "Feature", "properties": {"own_side": said}, "geometry": geometry}))
    pieces = read_borders(path)
    assert all(piece.is_ring for piece in pieces)
    frame = LocalFrame(46.05, 8.05)
    for piece, point in zip(pieces, ((8.001, 46.02), (8.039, 46.05)), strict=True):
        # Both points are in the polygon, near its outer ring and near its hole.
        xy = np.stack(frame.to_enu(point[1], point[0])[:2])
        offset = locate(piece.local_line(frame), xy).offset_m[0] * piece.own_side.sign
        assert (offset > 0) == (said == "inside")
    for side in ("left", None):
        path.write_text(json.dumps({"type": "Feature", "properties": {"own_side": side}, "geometry": geometry}))
        with pytest.raises(BorderError, match=r"own_side.*'inside' or 'outside'"):
            read_borders(path)


def test_inside_of_an_open_line_is_refused(tmp_path):
    write_border(straight(), tmp_path / "line.geojson")
    with pytest.raises(BorderError, match="own_side is 'inside', but the line is not closed"):
        read_border(tmp_path / "line.geojson", "inside")


def test_vertices_that_run_back_are_left_out_with_a_note():
    spiked = BorderSegment("n", "A", "B", ((8, 46), (8.1, 46), (8.1, 46.2), (8.1, 46), (8.1, 46), (8.2, 46)), "left")
    assert spiked.coordinates == ((8.0, 46.0), (8.1, 46.0), (8.2, 46.0))
    assert spiked.note == "vertices left out: 1 repeated, 2 in which the line ran back on itself"
    longer = BorderSegment(
        "n", "A", "B", ((8, 46), (8.1, 46), (8.2, 46), (8.3, 47), (8.2, 46), (8.1, 46), (8.1, 45)), "left"
    )
    assert longer.coordinates == ((8.0, 46.0), (8.1, 46.0), (8.1, 45.0))
    overshot = BorderSegment("n", "A", "B", ((8, 46), (8.2, 46), (8.1, 46), (8.1, 45)), "left")
    assert overshot.coordinates == ((8.0, 46.0), (8.1, 46.0), (8.1, 45.0))
    ring = BorderSegment(
        "n", "A", "B", ((8, 46), (8, 45.9), (8.1, 45.9), (8.1, 46), (8, 46), (7.9, 46), (8, 46)), "left"
    )
    assert ring.is_ring
    assert len(ring.coordinates) == 5
    again = BorderSegment("n", "A", "B", spiked.coordinates, "left", note=spiked.note)
    assert again == spiked


@pytest.mark.parametrize(
    ("line", "count"),
    [
        (((8, 46), (8.2, 46), (8.2, 46.1), (8.1, 45.9)), 1),
        (((8, 46), (8.1, 46), (8.2, 46), (8.2, 46.1), (8.1, 46), (8.1, 45.9)), 1),  # through a vertex
        (((8, 46), (8.1, 46), (8.2, 46), (8.2, 46.1), (8.1, 46), (8.0, 46.1)), 0),  # touches a vertex
        (((8, 46), (8.2, 46), (8.2, 46.1), (8.1, 46), (8.0, 46.1)), 0),  # touches an edge
        (((8, 46), (8.2, 46), (8.2, 46.1), (8.1, 46)), 0),  # ends on itself
        (((8, 46), (8.2, 46), (8.2, 46.2), (8, 46)), 0),  # a ring
        (((8, 46), (8.1, 46.1), (8.2, 46), (8.2, 46.1), (8.1, 46), (8, 46.1), (8, 46)), 2),
        (((179.9, 46), (-179.9, 46), (-179.9, 46.1), (180, 45.9)), 1),
    ],
)
def test_a_line_that_crosses_itself_is_told_from_one_that_touches(tmp_path, line, count):
    border = BorderSegment("n", "A", "B", line, "left")
    assert len(border.self_crossings()) == count
    write_border(border, tmp_path / "line.geojson")
    assert ("crosses itself" in read_border(tmp_path / "line.geojson").note) == (count > 0)


def test_fifty_thousand_vertices_take_no_time(tmp_path):
    rng = np.random.default_rng(3)
    steps = np.stack([rng.uniform(0.1, 1, 50_000), rng.normal(size=50_000)], axis=-1) * 3e-4
    line = np.cumsum(steps, axis=0) + np.array([170.0, 40.0])
    line[:, 0] = np.where(line[:, 0] > 180, line[:, 0] - 360, line[:, 0])
    border = BorderSegment("long", "A", "B", tuple(map(tuple, line.tolist())), "left")
    for suffix in FORMATS:
        path = tmp_path / f"line.{suffix}"
        write_border(border, path)
        begin = time.process_time()
        read = read_border(path)
        assert time.process_time() - begin < 4, suffix  # about half a second
        assert read.coordinates == border.coordinates


KML = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<kml xmlns="http://www.opengis.net/kml/2.2"><Document>'
    "<Folder><name>north</name><Folder><Placemark><name>Pass</name><ExtendedData><SchemaData schemaUrl='#s'>"
    "<SimpleData name='OWN_SIDE'>Right</SimpleData><SimpleData name='priority'>2</SimpleData></SchemaData>"
    "</ExtendedData>"
    "<MultiGeometry><LineString><coordinates>8,46,0\n 8.1,46,0</coordinates></LineString>"
    "<LineString><coordinates>9,46 9.1,46</coordinates></LineString></MultiGeometry></Placemark></Folder></Folder>"
    "<Placemark><name>post</name><Point><coordinates>8,46</coordinates></Point></Placemark>"
    "<Placemark><name>enclave</name><ExtendedData><Data name='own_side'><value>inside</value></Data></ExtendedData>"
    "<Polygon><outerBoundaryIs><LinearRing><coordinates>7,46 7.1,46 7.1,46.1 7,46</coordinates></LinearRing>"
    "</outerBoundaryIs></Polygon></Placemark>"
    "</Document></kml>"
)


def test_folders_multigeometry_and_polygons_of_kml(tmp_path):
    path = tmp_path / "all.kml"
    path.write_text(KML)
    first, second, ring = read_borders(path)
    assert (first.name, first.own_side, first.priority) == ("Pass 1 of 2", Side.RIGHT, 2)
    assert second.coordinates == ((9.0, 46.0), (9.1, 46.0))
    assert (ring.name, ring.is_ring, ring.own_side) == ("enclave", True, Side.LEFT)


def zipped(names, **how):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", **how) as archive:
        for name, data in names.items():
            archive.writestr(name, data)
    return out.getvalue()


def test_a_kmz_is_told_by_its_content(tmp_path):
    path = tmp_path / "line.kml"
    path.write_bytes(zipped({"files/x.png": b"", "doc.kml": KML}))
    assert len(read_borders(path)) == 3


WHOLE = zipped({"doc.kml": KML * 20}, compression=zipfile.ZIP_DEFLATED)
BOMB = zipped({"doc.kml": b" " * (129 * 2**20)}, compression=zipfile.ZIP_DEFLATED, compresslevel=1)
LAUGHS = (
    '<?xml version="1.0"?><!DOCTYPE kml [<!ENTITY a "1,1 2,2 "><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    "<kml><LineString><coordinates>&b;</coordinates></LineString></kml>"
)
SECRET = (
    '<?xml version="1.0"?><!DOCTYPE kml [<!ENTITY s SYSTEM "file:///etc/passwd">]>'
    "<kml><Placemark><name>&s;</name><LineString><coordinates>1,1 2,2</coordinates></LineString></Placemark></kml>"
)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (WHOLE[: len(WHOLE) // 2], "not a whole KMZ"),
        (WHOLE[:200] + b"\0" * 20 + WHOLE[220:], "not a whole KMZ|not XML"),
        (zipped({"readme.txt": b"hello"}), "without a .kml"),
        (BOMB, "larger than 128 MiB"),
        (zipped({"doc.kml": LAUGHS}), "DOCTYPE"),
        (LAUGHS.encode(), "DOCTYPE"),
        (SECRET.encode(), "DOCTYPE"),
        (b"<kml><Placemark>" * 5000, "not XML"),
        (b'<gpx><trk><trkseg><trkpt lat="46" lon="8"/></trkseg></trk></gpx>', "not KML, its root is 'gpx'"),
        (KML.replace("8.1,46,0", "8.1").encode(), r"Pass.*coordinates: vertex 1 is '8.1'"),
        (KML.replace("8.1,46,0", "8.1,north").encode(), "vertex 1 is '8.1,north'"),
        (KML.replace("8.1,46,0", "8.1,nan").encode(), "latitude nan"),
        (KML.replace("8,46,0\n 8.1,46,0", "").encode(), "coordinates is empty"),
        (KML.replace(">2<", ">two<").encode(), "priority is 'two'"),
        (KML.replace(">2<", ">1.5<").encode(), "priority is 1.5"),
        (KML.replace("outerBoundaryIs", "outer").encode(), "no outerBoundaryIs"),
        (KML.replace(">Right<", "><").encode(), r"Pass.*own_side is missing"),
        (KML.replace(">Right<", ">north<").encode(), r"Pass.*own_side is 'north'"),
    ],
)
def test_broken_kml_says_what_is_wrong(tmp_path, data, words):
    path = tmp_path / "bad.kmz"
    path.write_bytes(data)
    with pytest.raises((FormatError, BorderError), match=words) as error:
        read_borders(path)
    assert "bad.kmz" in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"type": "FeatureCollection"}', "features is not a list"),
        ('{"type": "FeatureCollection", "features": [7]}', "feature 1: is no GeoJSON object"),
        ('{"type": "Feature", "properties": [], "geometry": null}', "has 0 lines"),
        ('{"type": "Feature", "properties": [1], "geometry": null}', "properties is not an object"),
        ('{"type": "Feature", "geometry": {"type": "Curve"}}', "'Curve' is none"),
        ('{"type": "Feature", "geometry": 5}', "geometry is no object"),
        ('{"type": "LineString", "coordinates": [[NaN, 46], [9, 46]]}', "longitude nan"),
        ('{"type": "LineString", "coordinates": [[8, Infinity], [9, 46]]}', "latitude inf"),
        ('{"type": "LineString", "coordinates": [[8], [9, 46]]}', r"coordinates\[0\]"),
        ('{"type": "LineString", "coordinates": [[1' + "0" * 400 + ", 46], [9, 46]]}", "not a number"),
        ('{"type": "LineString", "coordinates": [[8, 46], [8, 46]]}', "1 distinct"),
        ('{"type": "LineString", "coordinates": [[46, 110], [46.1, 110]]}', "swapped"),
        ('{"type": "MultiLineString", "coordinates": [[8, 46], [9, 46]]}', "MultiLineString: coordinates"),
        ('{"type": "LineString", "crs": {"properties": 5}, "coordinates": [[8, 46], [9, 46]]}', "crs"),
        ('{"type": "GeometryCollection", "geometries": ' + "[" * 200 + "]" * 200 + "}", "geometry is no object"),
    ],
)
def test_broken_geojson_says_what_is_wrong(tmp_path, text, words):
    path = tmp_path / "bad.json"
    path.write_text(text)
    with pytest.raises((FormatError, BorderError), match=words) as error:
        read_borders(path, "left")
    assert "bad.json" in str(error.value)


@pytest.mark.parametrize("field", ["name", "own", "neighbour", "authority", "own_side", "note"])
@pytest.mark.parametrize("value", [7, 1.5, True, ["a", "b"], {"en": "a"}, ["x" * 100_000]])
def test_what_is_text_is_no_other_type(tmp_path, field, value):
    path = tmp_path / "bad.geojson"
    properties = {"name": "line", "own_side": "left"} | {field: value}
    line = {"type": "LineString", "coordinates": [[8, 46], [9, 46]]}
    path.write_text(json.dumps({"type": "Feature", "properties": properties, "geometry": line}))
    with pytest.raises(FormatError, match=rf"bad.geojson.*: {field} is .*: give text") as error:
        read_borders(path)
    assert len(str(error.value)) < 300


UTM = "EPSG:32632"


def write_layer(path, shapes, crs=UTM, layer=None, **fields):
    names = list(fields)
    columns = [np.array(fields[name], dtype=object) for name in names]
    kinds = {shape.geom_type for shape in shapes if shape is not None}
    pyogrio.raw.write(
        str(path),
        np.array([None if s is None else shapely.to_wkb(s) for s in shapes], dtype=object),
        field_data=columns,
        fields=names,
        geometry_type=kinds.pop() if len(kinds) == 1 else "Unknown",
        crs=crs,
        layer=layer or path.stem,
        append=path.exists(),
    )


@pytest.mark.parametrize("suffix", ["gpkg", "shp"])
@pytest.mark.parametrize(("number", "name"), [(7, "7"), (2.0, "2"), (1.25, "1.25")])
def test_lines_that_a_table_numbers_are_called_by_their_number(tmp_path, suffix, number, name):
    path = tmp_path / f"border.{suffix}"
    shape = shapely.LineString([(500_000, 5_100_000), (501_000, 5_100_000)])
    pyogrio.raw.write(
        str(path),
        np.array([shapely.to_wkb(shape)], dtype=object),
        field_data=[np.array([number]), np.array(["left"], dtype=object)],
        fields=["NAME", "own_side"],
        geometry_type="LineString",
        crs=UTM,
    )
    assert read_border(path).name == name


def test_what_gdal_doubts_is_a_note_and_no_warning(tmp_path, recwarn):
    path = tmp_path / "border.gpkg"
    write_layer(path, [shapely.LineString([(500_000, 5_100_000), (501_000, 5_100_000)])])
    assert read_border(path, "left").note == ""
    with closing(sqlite3.connect(path)) as file:
        file.execute("PRAGMA user_version = 20400")
    assert "GDAL: This version of GeoPackage" in read_border(path, "left").note
    (column,) = (one for one in ("geom", "geometry") if one in _columns(path))
    with closing(sqlite3.connect(path)) as file:
        for (trigger,) in file.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            file.execute(f'DROP TRIGGER "{trigger}"')
        head = b"GP\0\1" + struct.pack("<i", 32632) + struct.pack("<BII", 1, 2, 2)
        file.execute(f'UPDATE border SET "{column}" = ?', (head + struct.pack("<4d", math.nan, 5.1e6, 5e5, 5.1e6),))
        file.commit()
    with pytest.raises(FormatError, match="a coordinate is not a number"):
        read_border(path, "left")
    assert not recwarn.list


def _columns(path):
    with closing(sqlite3.connect(path)) as file:
        return [row[1] for row in file.execute("PRAGMA table_info(border)")]


@pytest.mark.parametrize("suffix", ["gpkg", "shp"])
def test_a_projected_layer_is_brought_to_degrees_and_stays_the_same_line(tmp_path, suffix):
    """Against the projection itself, along an edge of 60 km that is straight in the plane."""
    path = tmp_path / f"line.{suffix}"
    plane = np.array([[400_000.0, 5_200_000.0], [460_000.0, 5_210_000.0]])
    write_layer(path, [shapely.LineString(plane)], own_side=["left"], priority=[3.0])
    border = read_border(path)
    assert border.priority == 3
    share = np.linspace(0, 1, 201)[:, None]
    lon, lat = pyproj.Transformer.from_crs(UTM, "EPSG:4326", always_xy=True).transform(
        *(plane[0] + share * (plane[1] - plane[0])).T
    )
    frame = LocalFrame(*border.centre())
    points = np.stack(frame.to_enu(lat, lon)[:2], axis=-1)
    assert np.abs(locate(border.local_line(frame), points).offset_m).max() < 0.03


def test_a_layer_of_everything_gives_its_lines_and_polygons(tmp_path):
    path = tmp_path / "mixed.gpkg"
    shapes = [
        shapely.Point(8, 46),
        shapely.LineString([(8, 46), (8.1, 46)]),
        None,
        shapely.Polygon([(8, 46), (8.1, 46), (8.1, 46.1)]),
        shapely.LineString(),
    ]
    write_layer(path, shapes, "EPSG:4326", own_side=[None, "left", None, "outside", None])
    line, ring = read_borders(path)
    assert (line.own_side, line.is_ring, ring.is_ring) == (Side.LEFT, False, True)
    assert (line.name, line.priority) == ("mixed", 1)


def test_a_layer_is_chosen_by_name_where_several_have_lines(tmp_path):
    path = tmp_path / "two.gpkg"
    for name, lat in (("north", 46), ("south", 45)):
        write_layer(path, [shapely.LineString([(8, lat), (9, lat)])], "EPSG:4326", name, own_side=["left"])
    write_layer(path, [shapely.Point(8, 46)], "EPSG:4326", "posts")
    with pytest.raises(FormatError, match=r"several layers with lines \(north, south\)"):
        read_borders(path)
    assert read_border(path, layer="south").coordinates == ((8.0, 45.0), (9.0, 45.0))
    with pytest.raises(FormatError, match="no layer 'east': give one of north, south, posts"):
        read_borders(path, layer="east")


@pytest.mark.parametrize(
    "name",
    [
        "urn:ogc:def:crs:OGC:1.3:CRS84",
        "http://www.opengis.net/def/crs/OGC/1.3/CRS84",
        "http://www.opengis.net/def/crs/OGC/0/CRS84h",
        "urn:ogc:def:crs:OGC:0:CRS84h",
        "urn:ogc:def:crs:EPSG::4326",
        "epsg:4326",
        "urn:ogc:def:crs:EPSG::4979",
    ],
)
def test_names_of_wgs_84_are_known(tmp_path, name):
    """Those that GDAL and GeoPandas write, of vertices with heights too."""
    path = tmp_path / "line.json"
    line = {"type": "LineString", "coordinates": [[8, 46, 500], [9, 46, 510]]}
    crs = {"type": "name", "properties": {"name": name}}
    feature = {"type": "Feature", "properties": {"own_side": "left"}, "geometry": line}
    path.write_text(json.dumps({"type": "FeatureCollection", "crs": crs, "features": [feature]}))
    assert read_border(path).coordinates == ((8.0, 46.0), (9.0, 46.0))


@pytest.mark.parametrize("kind", ["Border", " border ", "", None])
def test_a_line_of_the_kind_border_is_one(tmp_path, kind):
    path = tmp_path / "line.json"
    line = {"type": "LineString", "coordinates": [[8, 46], [9, 46]]}
    path.write_text(json.dumps({"type": "Feature", "properties": {"own_side": "left", "kind": kind}, "geometry": line}))
    assert read_border(path).own_side is Side.LEFT


@pytest.mark.parametrize("kind", ["administrative", ["border"], 2])
def test_lines_that_are_no_border_are_told_from_no_lines(tmp_path, kind):
    path = tmp_path / "line.json"
    line = {"type": "LineString", "coordinates": [[8, 46], [9, 46]]}
    path.write_text(json.dumps({"type": "Feature", "properties": {"own_side": "left", "kind": kind}, "geometry": line}))
    with pytest.raises(FormatError, match=r"its lines are of kind .*, none a border: its kind is 'border'"):
        read_border(path)


@pytest.mark.parametrize("suffix", ["geojson", "kml", "kmz"])
def test_a_layer_of_a_file_without_layers_is_refused(tmp_path, suffix):
    write_border(straight(), tmp_path / f"line.{suffix}")
    with pytest.raises(FormatError, match="has no layers, so none is called 'north'"):
        read_border(tmp_path / f"line.{suffix}", layer="north")


def shapefile(tmp_path):
    write_border(straight(), tmp_path / "line.shp")
    return tmp_path / "line.shp"


def test_a_shapefile_without_its_prj_is_refused(tmp_path):
    path = shapefile(tmp_path)
    path.with_suffix(".prj").unlink()
    with pytest.raises(FormatError, match=r"no coordinate reference system: put its .prj"):
        read_border(path)


def test_a_shapefile_without_its_index_is_refused(tmp_path):
    path = shapefile(tmp_path)
    path.with_suffix(".shx").unlink()
    with pytest.raises(FormatError, match="shx"):
        read_border(path)


def test_a_shapefile_without_its_table_has_no_own_side(tmp_path):
    path = shapefile(tmp_path)
    path.with_suffix(".dbf").unlink()
    with pytest.raises(BorderError, match="own_side is missing"):
        read_border(path)
    assert read_border(path, "left").coordinates == straight().coordinates


@pytest.mark.parametrize("suffix", ["gpkg", "shp"])
def test_a_truncated_or_foreign_file_is_refused(tmp_path, suffix):
    write_border(straight(), tmp_path / f"line.{suffix}")
    path = tmp_path / f"line.{suffix}"
    whole = path.read_bytes()
    for data in (whole[:60], b"", b"what is this"):
        path.write_bytes(data)
        with pytest.raises(FormatError, match=f"line.{suffix}"):
            read_border(path, "left")


def test_an_empty_layer_and_one_without_lines_are_refused(tmp_path):
    write_layer(tmp_path / "points.gpkg", [shapely.Point(8, 46)], "EPSG:4326")
    with pytest.raises(FormatError, match="none of its layers"):
        read_borders(tmp_path / "points.gpkg")
    pyogrio.raw.write(
        str(tmp_path / "empty.gpkg"), np.array([], dtype=object), [], [], geometry_type="LineString", crs="EPSG:4326"
    )
    with pytest.raises(FormatError, match="is empty"):
        read_borders(tmp_path / "empty.gpkg")


def test_a_layer_without_a_system_and_one_outside_its_own_are_refused(tmp_path):
    line = shapely.LineString([(8, 46), (9, 46)])
    with pytest.warns(UserWarning, match="crs"):
        write_layer(tmp_path / "none.gpkg", [line], None, own_side=["left"])
    with pytest.raises(FormatError, match="no coordinate reference system"):
        read_borders(tmp_path / "none.gpkg")
    far = shapely.LineString([(1e12, 1e12), (2e12, 1e12)])
    write_layer(tmp_path / "far.gpkg", [far], UTM, own_side=["left"])
    with pytest.raises(FormatError, match="outside its coordinate reference system"):
        read_borders(tmp_path / "far.gpkg")


def test_a_part_of_a_shapefile_is_told(tmp_path):
    shapefile(tmp_path)
    with pytest.raises(FormatError, match=r"give the .shp"):
        read_border(tmp_path / "line.dbf")


def test_without_the_extra_the_error_says_how_to_get_it(tmp_path, monkeypatch):
    path = shapefile(tmp_path)
    monkeypatch.setitem(sys.modules, "pyogrio", None)
    for call in (lambda: read_border(path), lambda: write_border(straight(), path)):
        with pytest.raises(FormatError, match=r"vedette\[gis\]: pip install"):
            call()


@pytest.mark.parametrize("suffix", ["kml", "gpkg", "shp"])
def test_a_text_that_would_end_early_is_not_written(tmp_path, suffix):
    with pytest.raises(FormatError, match="authority"):
        write_border(straight(authority="a\0b"), tmp_path / f"line.{suffix}")
    assert not list(tmp_path.iterdir())


def test_what_a_format_cannot_hold_is_named(tmp_path):
    with pytest.raises(BorderError, match="priority is 1"):
        straight(priority=10**300)
    border = straight(note="x" * 300)
    with pytest.raises(FormatError, match="note has 300 bytes"):
        write_border(border, tmp_path / "line.shp")
    with pytest.raises(FormatError, match=r"note.*XML"):
        write_border(straight(note="a\x00b"), tmp_path / "line.kml")
    with pytest.raises(FormatError, match="no format of that name"):
        write_border(border, tmp_path / "line.dxf")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", FORMATS)
def test_nothing_is_left_where_writing_fails(tmp_path, suffix):
    (tmp_path / f"line.{suffix}").mkdir()
    with pytest.raises(FileWriteError, match="cannot write"):
        write_border(straight(), tmp_path / f"line.{suffix}")
    assert not [p for p in tmp_path.iterdir() if p.name.startswith(".")]
