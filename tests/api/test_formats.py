"""Forms of features: each can be read back by a reader of others, and tells what the Feature tells."""

import contextlib
import csv
import io
import json

import fastkml
import pytest
from fastkml.validator import get_schema_parser
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from api.errors import BadRequestError, NotAcceptableError
from api.records.formats import FORMATS, Page, chosen, flat, negotiated
from tests.asked import few

COLUMNS = ("time", "kind", "border", "confidence", "ellipse.semi_major_m", "track", "checked")
KML = "{http://www.opengis.net/kml/2.2}"
anything = st.text(st.characters(codec="utf-8"), max_size=20)


def feature(number=0, geometry=None, **properties):
    usual = {
        "time": "2026-01-01T10:00:00.000001Z",
        "kind": "person",
        "border": "Nogales",
        "confidence": 0.91,
        "ellipse": {"semi_major_m": 3.0, "semi_minor_m": None},
        "track": [{"lat": 1.0}],
        "checked": True,
        "model": None,
    }
    place = {"type": "Point", "coordinates": [-110.94, 31.333]} if geometry is None else geometry or None
    return {"type": "Feature", "id": f"{number:032x}", "geometry": place, "properties": usual | properties}


def encoded(name, features, **members):
    page = Page([json.dumps(one, ensure_ascii=False).encode() for one in features], COLUMNS, members)
    return b"".join(FORMATS[name].encode(page))


def table(body):
    return list(csv.DictReader(io.StringIO(body.decode(), newline=""), strict=True))


@pytest.mark.parametrize("count", [0, 1, 99, 100, 101, 200])
def test_every_form_holds_every_feature_once_in_order(count):
    features = [feature(number) for number in range(count)]
    ids = [one["id"] for one in features]
    collection = json.loads(encoded("json", features, links=[{"rel": "self"}], numberReturned=count))
    assert collection == {
        "type": "FeatureCollection",
        "features": features,
        "links": [{"rel": "self"}],
        "numberReturned": count,
    }
    assert json.loads(encoded("json", features)) == {"type": "FeatureCollection", "features": features}
    assert [json.loads(line) for line in encoded("ndjson", features).splitlines()] == features
    records = encoded("seq", features).split(b"\x1e")
    assert records[0] == b""
    assert [json.loads(record) for record in records[1:]] == features
    assert all(record.endswith(b"\n") for record in records[1:])
    assert [row["id"] for row in table(encoded("csv", features))] == ids
    places = etree.fromstring(encoded("kml", features)).iter(KML + "Placemark")
    assert [place.get("id") for place in places] == ["r" + one for one in ids]


def test_csv_is_that_of_its_standard():
    body = encoded("csv", [feature(border='a "quoted", long\nname'), feature(1, {}, kind=None, checked=False)])
    header, *_ = body.split(b"\r\n")
    assert header == b"id,lon,lat,time,kind,border,confidence,ellipse.semi_major_m,track,checked"
    first, second = table(body)
    assert (first["lon"], first["lat"], first["confidence"], first["checked"]) == ("-110.94", "31.333", "0.91", "true")
    assert first["border"] == 'a "quoted", long\nname'
    assert first["ellipse.semi_major_m"] == "3.0"
    assert json.loads(first["track"]) == [{"lat": 1.0}]
    assert (second["lon"], second["kind"], second["checked"]) == ("", "", "false")
    assert body.endswith(b"\r\n")


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "=cmd|' /C calc'!A0", "\uff1d1", "\uff20x"]
)
def test_a_spreadsheet_runs_nothing(text):
    (row,) = table(encoded("csv", [feature(border=text)]))
    assert row["border"] == "'" + text


@given(st.lists(anything, min_size=1, max_size=3))
@settings(max_examples=few(100), deadline=None)
def test_any_text_comes_back_from_csv(texts):
    rows = table(encoded("csv", [feature(number, border=text) for number, text in enumerate(texts)]))
    for row, text in zip(rows, texts, strict=True):
        assert row["border"] in {text, "'" + text}
        assert not row["border"].startswith(("=", "+", "-", "@", "\t", "\r", "\n"))


GEOMETRIES = [
    {},
    {"type": "Point", "coordinates": [1.5, 2.5]},
    {"type": "Point", "coordinates": [1.5, 2.5, 100.0]},
    {"type": "LineString", "coordinates": [[0, 0], [1, 1]]},
    {
        "type": "Polygon",
        "coordinates": [
            [[0, 0], [9, 0], [9, 9], [0, 0]],
            [[5, 1], [6, 1], [6, 2], [5, 1]],
            [[7, 1], [8, 1], [8, 2], [7, 1]],
        ],
    },
    {"type": "MultiPoint", "coordinates": [[0, 0], [1, 1]]},
    {"type": "MultiLineString", "coordinates": [[[0, 0], [1, 1]], [[2, 2], [3, 3]]]},
    {
        "type": "MultiPolygon",
        "coordinates": [[[[0, 0], [9, 0], [9, 9], [0, 0]]], [[[20, 0], [29, 0], [29, 9], [20, 0]]]],
    },
    {
        "type": "GeometryCollection",
        "geometries": [
            {"type": "Point", "coordinates": [1, 2]},
            {"type": "LineString", "coordinates": [[0, 0], [1, 1]]},
        ],
    },
]


def test_kml_is_valid_and_says_the_same_places():
    features = [feature(number, geometry) for number, geometry in enumerate(GEOMETRIES)]
    body = encoded("kml", features)
    get_schema_parser().assertValid(etree.fromstring(body))  # the schema of OGC
    document = fastkml.KML.from_string(body.decode().partition("?>")[2]).features[0]
    for read, given_ in zip(document.features, features, strict=True):
        expected = given_["geometry"]
        assert (read.geometry is None) is (expected is None)
        if expected is not None and expected["type"] != "GeometryCollection":
            assert json.loads(json.dumps(read.geometry.__geo_interface__))["coordinates"] == expected["coordinates"]
        assert read.style_url.url == "#person"
        assert read.times.timestamp.dt.isoformat() == "2026-01-01T10:00:00.000001+00:00"
        told = {one.name: one.value for one in read.extended_data.elements}
        assert told["confidence"] == "0.91"
        assert told["checked"] == "true"


@given(anything, anything, st.sampled_from(["person", "vehicle", "bicycle", "motion", None]))
@settings(max_examples=few(100), deadline=None)
def test_any_text_is_valid_kml(text, other, kind):
    body = encoded("kml", [feature(border=text, kind=kind, **{other: text})])
    get_schema_parser().assertValid(etree.fromstring(body))


def test_kml_holds_what_xml_cannot():
    body = encoded("kml", [feature(border="a\x00b\x0c\ufffe<&]]>")])
    (value,) = etree.fromstring(body).xpath("//*[@name='border']/*/text()")
    assert value == "a\ufffdb\ufffd\ufffd<&]]>"


def test_nested_members_are_flat():
    assert flat({"a": {"b": {"c": 1}, "d": None}, "e": [], "f": False}) == {"a.b.c": 1, "e": "[]", "f": False}


@pytest.mark.parametrize(
    ("accept", "name"),
    [
        (None, "json"),
        ("", None),
        ("*/*", "json"),
        ("application/json", "json"),
        ("application/geo+json", "json"),
        ("text/csv", "csv"),
        ("TEXT/CSV ; header=present", "csv"),
        ("text/*", "csv"),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "json"),
        ("text/csv;q=0.5, application/x-ndjson;q=0.8", "ndjson"),
        ("text/csv;q=0.5, application/x-ndjson;q=0.4", "csv"),
        ("application/geo+json;q=0, */*", "csv"),
        ("application/*;q=0.2, text/*;q=0.1", "json"),
        ("application/*;q=0.2, application/geo+json;q=0.1", "ndjson"),
        ("application/geo+json-seq", "seq"),
        ("application/vnd.google-earth.kml+xml", "kml"),
        ("image/png", None),
        ("*/*;q=0", None),
        ("text/csv;q=abc", "csv"),
        ("text/csv;q=nan, application/x-ndjson;q=0.9", "csv"),  # a weight that is none
        (";;;,,,=", None),
    ],
)
def test_the_form_is_the_one_that_is_liked_best(accept, name):
    if name is None and accept:
        with pytest.raises(NotAcceptableError):
            chosen(accept, FORMATS)
    else:
        assert chosen(accept, FORMATS).name == (name or "json")


@given(st.text(max_size=100))
@settings(max_examples=few(200), deadline=None)
def test_any_wish_is_met_or_refused(accept):
    with contextlib.suppress(NotAcceptableError):
        assert chosen(accept, FORMATS).name in FORMATS


def test_a_name_goes_before_a_wish():
    assert negotiated("kml", "text/csv", FORMATS).name == "kml"
    with pytest.raises(BadRequestError, match="shp"):
        negotiated("shp", "*/*", FORMATS)
