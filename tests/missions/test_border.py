"""Border segments and their files."""

import json

import numpy as np
import pytest
from hypothesis import given

from geo import FileWriteError, LocalFrame, locate
from missions import BorderError, BorderSegment, FormatError, Side, read_border, write_border
from tests.missions.helpers import straight, wiggly_borders

LINE = ((8.0, 46.0), (8.1, 46.0))


def test_repeated_vertices_are_removed():
    line = BorderSegment("n", "A", "B", ((8, 46), (8, 46), (8.1, 46), (8.1, 46)), "left")
    assert line.coordinates == LINE
    assert line.own_side is Side.LEFT


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"coordinates": ((8.0, 46.0),)}, "at least two"),
        ({"coordinates": ((8.0, 46.0), (8.0, 46.0))}, "at least two"),
        ({"coordinates": ()}, "at least two"),
        ({"coordinates": ((8.0, float("nan")), (8.1, 46.0))}, "latitude nan"),
        ({"coordinates": ((8.0, 95.0), (8.1, 46.0))}, "latitude 95"),
        ({"coordinates": ((200.0, 45.0), (8.1, 46.0))}, "180"),
        ({"coordinates": ((-90.0, 45.0), (90.0, 46.0))}, "180 degrees"),
        ({"coordinates": ((46.0, 110.0), (46.1, 110.0))}, "swapped"),
        ({"coordinates": ((500000.0, 5100000.0), (501000.0, 5100000.0))}, "projected"),
        ({"coordinates": ((10**400, 45.0), (8.1, 46.0))}, "vertex"),
        ({"coordinates": ((8.0, 46.0), (8.1, 46.0), (8.0, 46.0))}, "1 distinct"),
        ({"own_side": None}, "own_side is None"),
        ({"coordinates": (("a", 45.0), (8.1, 46.0))}, "vertex"),
        ({"coordinates": ((8.0, 46.0, 3.0), (8.1, 46.0, 3.0))}, "vertex"),
        ({"own_side": "north"}, "own_side"),
        ({"stand_off_m": 0}, "stand_off_m"),
        ({"stand_off_m": float("inf")}, "stand_off_m"),
        ({"band_far_m": -1}, "band_far_m"),
        ({"band_far_m": 0, "band_own_m": 0}, "no depth"),
        ({"priority": 0}, "priority"),
    ],
)
def test_what_is_no_border_is_refused(change, words):
    with pytest.raises(BorderError, match=words):
        BorderSegment(**({"name": "n", "own": "A", "neighbour": "B", "coordinates": LINE, "own_side": "left"} | change))


@given(wiggly_borders())
def test_a_written_border_comes_back(tmp_path_factory, border):
    path = tmp_path_factory.mktemp("border") / "line.geojson"
    write_border(border, path)
    assert read_border(path) == border


def test_a_collection_with_one_line_and_a_bare_line_are_read(tmp_path):
    path = tmp_path / "line.json"
    write_border(straight(), path)
    feature = json.loads(path.read_text())
    point = {"type": "Feature", "properties": {}, "geometry": {"type": "Point", "coordinates": [8, 46]}}
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [point, feature]}))
    assert read_border(path) == straight()
    path.write_text(json.dumps(feature["geometry"]))
    bare = read_border(path, own_side="right")
    assert (bare.coordinates, bare.own_side, bare.name) == (straight().coordinates, Side.RIGHT, "line")
    with pytest.raises(BorderError, match="own_side"):
        read_border(path)


def test_kml_is_read(tmp_path):
    path = tmp_path / "line.kml"
    path.write_text(
        '<?xml version="1.0"?><kml xmlns="http://www.opengis.net/kml/2.2"><Document><Placemark>'
        "<name>Pass</name>"
        '<ExtendedData><Data name="own_side"><value>right</value></Data>'
        '<Data name="stand_off_m"><value>80</value></Data>'
        "</ExtendedData><LineString><coordinates>8,46,0 8.1,46,0</coordinates></LineString>"
        "</Placemark></Document></kml>"
    )
    border = read_border(path)
    assert (border.name, border.coordinates, border.own_side, border.stand_off_m) == ("Pass", LINE, Side.RIGHT, 80.0)


@pytest.mark.parametrize(
    ("text", "kind", "words"),
    [
        ("{", FormatError, "line 1"),
        ("[1, 2]", FormatError, "not GeoJSON"),
        ('{"type": "Point", "coordinates": [8, 46]}', FormatError, "'Point'"),
        ('{"type": "FeatureCollection", "features": []}', FormatError, "0 lines"),
        (
            '{"type": "Feature", "properties": {}, "geometry": {"type": "Polygon", "coordinates": []}}',
            FormatError,
            "Polygon",
        ),
        (
            '{"type": "LineString", "coordinates": [[500000, 5100000], [501000, 5100000]]}',
            BorderError,
            "projected",
        ),
        (
            '{"type": "LineString", "crs": {"properties": {"name": "EPSG:32632"}}, "coordinates": [[8, 46], [9, 46]]}',
            FormatError,
            "EPSG:32632",
        ),
        ('{"type": "LineString", "coordinates": [[8, "x"], [9, 46]]}', FormatError, "not a number"),
        ('{"type": "LineString", "coordinates": [[8, 95], [9, 46]]}', BorderError, "latitude 95"),
        ("<kml", FormatError, "not XML"),
        ("<kml></kml>", FormatError, "0 lines"),
        ("", FormatError, "not JSON"),
    ],
)
def test_a_file_that_is_no_border_says_what_it_is(tmp_path, text, kind, words):
    path = tmp_path / "bad.geojson"
    path.write_text(text)
    with pytest.raises(kind, match=words) as error:
        read_border(path, own_side="left")
    assert "bad.geojson" in str(error.value)
    assert "\n" not in str(error.value)


def test_a_file_that_is_absent_or_binary_is_named(tmp_path):
    with pytest.raises(FormatError, match="absent"):
        read_border(tmp_path / "absent.geojson")
    (tmp_path / "binary.geojson").write_bytes(b"\xff\xfe\x00\x81")
    with pytest.raises(FormatError, match="UTF-8"):
        read_border(tmp_path / "binary.geojson")


def test_nothing_is_left_where_a_file_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("here")
    with pytest.raises(FileWriteError, match="cannot write"):
        write_border(straight(), tmp_path / "file" / "line.geojson")
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_a_long_edge_is_straight_in_degrees():
    border = BorderSegment("n", "USA", "MEX", ((-111.045, 31.33), (-110.835, 31.34)), "left")
    frame = LocalFrame(*border.centre())
    lon, lat = np.array([-110.94, -110.942625]), np.array([31.335, 31.334875])
    points = np.stack(frame.to_enu(lat, lon)[:2], axis=-1)
    assert np.abs(locate(border.local_line(frame), points).offset_m).max() < 0.01
