"""OGC API - Features: the abstract tests of 17-069r4 (Part 1), 19-079r2 (Part 3) and 21-065r2 (CQL2), by their names.

Each test is named by the abstract tests that it carries out. The executable suite of OGC is a program in Java that is
not run here; where it wants more than the abstract tests say, a comment tells so. Left out, because the class is not
declared: HTML, GML, CRS by reference, arrays, accents, arithmetic, functions of one's own; and `test-data` of each
class of CQL2, for it needs a service that serves OGC's own data set: ours serves crossings.
"""

import csv
import io
import itertools
import json
import random
import re
from pathlib import Path

import openapi_spec_validator
import pytest
from jsonschema import Draft202012Validator, validate
from lxml import etree
from sqlalchemy import text as sql

from api.ogc.collections import CRS84
from api.ogc.description import FEATURE_SCHEMA, FEATURES_SCHEMA, OPENAPI_30, QUERYABLES
from api.records.formats import FORMATS
from api.records.types import TYPES
from tests.api.conftest import ON_SQLITE, Service
from tests.api.live import live
from tests.api.samples import crossing_json

BASE = "http://vedette.test/ogc"
ITEMS = "/ogc/collections/crossings/items"
HERE = {"title", "href", "rel", "type"}
RFC_7946 = {
    "type": "object",
    "required": ["type", "geometry", "properties"],
    "properties": {"type": {"const": "Feature"}, "geometry": {"oneOf": [{"type": "null"}, {"type": "object"}]}},
}


def crossings():
    """Six: places on a diagonal, a minute apart, the last without a place."""
    for number in range(6):
        placed = {} if number < 5 else {"lat": None, "lon": None, "ellipse": None}
        yield crossing_json(
            f"c{number}",
            **{
                "time": f"2026-01-01T10:0{number}:00.000000Z",
                "lat": 31.0 + number / 10,
                "lon": -111.0 + number / 10,
                "kind": ["person", "vehicle"][number % 2],
                "confidence": number / 10,
                "border": ["Nogales", "foo", "FOOT"][number % 3],
                "track": [],
                **placed,
            },
        )


@pytest.fixture
def six(service: Service) -> Service:
    for crossing in crossings():
        service.deliver(crossing)
    return service


def get(service, path, who="analyst", expect=200, **params):
    answer = service.ask(who, "GET", path.removeprefix("http://vedette.test"), params=params or None)
    assert answer.status_code == expect, answer.text
    return answer


def features(service, **params):
    return get(service, ITEMS, **params).json()["features"]


def named(found):
    return sorted(one["properties"]["source_id"] for one in found)


def matching(service, text, **params):
    """The crossings that a filter selects, the same in both languages."""
    found = named(features(service, filter=text, **params))
    return set(found)


def links_of(body):
    for one in body["links"]:
        assert {"href", "rel", "type"} <= set(one) <= HERE
        assert one["href"].startswith("http://vedette.test/")
    return {one["rel"]: one["href"] for one in body["links"]}


# Part 1, Core


@ON_SQLITE
def test_core_root_op_and_root_success(six):
    """/conf/core/root-op, /conf/core/root-success; OGC's executable suite puts a slash after the address"""
    for path in ("/ogc", "/ogc/"):
        answer = get(six, path)
        assert answer.headers["content-type"] == "application/json"
        assert {"self", "service-desc", "conformance", "data"} <= set(links_of(answer.json()))
    assert get(six, "/ogc").content == answer.content


@ON_SQLITE
def test_core_api_definition_op_and_success_and_oas30(six):
    """/conf/core/api-definition-op, api-definition-success, /conf/oas30/oas-definition-1, -2, oas-impl, completeness,
    exceptions-codes, security: every path that is described answers as described, every path that answers is described.
    """
    href = links_of(get(six, "/ogc").json())["service-desc"]
    answer = get(six, href)
    assert answer.headers["content-type"] == OPENAPI_30
    document = answer.json()
    openapi_spec_validator.validate(document)
    assert document["openapi"].startswith("3.0")
    assert document["security"] == [{"key": []}]
    (server,) = document["servers"]
    # OGC's executable suite finds them by these very names, where the server's address is that of the landing page.
    assert server["url"] == BASE
    assert {"/", "/conformance", "/collections", "/collections/crossings/items"} <= set(document["paths"])
    feature_id = features(six)[0]["id"]
    for path, item in document["paths"].items():
        here = BASE + path.replace("{featureId}", feature_id)
        expected = 404 if "{" in path and "crossings" not in path else 200
        answer = get(six, here, expect=expected)
        responses = item["get"]["responses"]
        content = responses["200" if expected == 200 else "default"]["content"]
        assert answer.headers["content-type"] in content
        assert set(responses) == {"200", "default"}
    served = {route.path.removeprefix("/ogc") for route in six.app.routes if route.path.startswith("/ogc")}
    assert {path.replace("featureId", "feature_id") for path in document["paths"]} == served - {""}


@ON_SQLITE
def test_core_conformance_op_and_success(six):
    """/conf/core/conformance-op, conformance-success, get-conformance of every class of Part 3"""
    body = get(six, links_of(get(six, "/ogc").json())["conformance"]).json()
    kept = {
        "ogcapi-features-1": "core geojson oas30",
        "ogcapi-features-3": "queryables queryables-query-parameters filter features-filter",
        "cql2": "cql2-text cql2-json basic-cql2 advanced-comparison-operators case-insensitive-comparison "
        "basic-spatial-functions basic-spatial-functions-plus spatial-functions temporal-functions property-property",
    }
    of_standards = [
        f"http://www.opengis.net/spec/{standard}/1.0/conf/{name}"
        for standard, names in kept.items()
        for name in names.split()
    ]
    assert body == {"conformsTo": of_standards}
    # What is declared is tested: some test here says of each class that it carries its abstract tests out.
    here = Path(__file__).read_text()
    assert [uri for uri in of_standards if f"/conf/{uri.rsplit('/', 1)[1]}" not in here] == []


def test_core_fc_md_op_and_success_and_items_and_sfc_md(six):
    """/conf/core/fc-md-op, fc-md-success, fc-md-items, fc-md-items-links, fc-md-links, fc-md-extent, sfc-md-op,
    sfc-md-success, crs84; /conf/features-filter/get-collections, get-collection
    """
    body = get(six, links_of(get(six, "/ogc").json())["data"]).json()
    assert "self" in links_of(body)
    assert [one["id"] for one in body["collections"]] == [type_.collection for type_ in TYPES.values()]
    for one in body["collections"]:
        assert get(six, f"/ogc/collections/{one['id']}").json() == one
        items = {each["type"]: each["href"] for each in one["links"] if each["rel"] == "items"}
        assert set(items) == {each.media_type for each in FORMATS.values()}
        for media_type, href in items.items():
            assert get(six, href).headers["content-type"] == media_type
        assert links_of(one)[QUERYABLES] == f"{BASE}/collections/{one['id']}/queryables"
        assert one["crs"] == [CRS84]
        assert one["extent"]["spatial"] == {"bbox": [[-180, -90, 180, 90]], "crs": CRS84}
        assert one["extent"]["temporal"]["interval"] == [[None, None]]
    get(six, "/ogc/collections/nothing", expect=404)


def test_core_fc_op_and_response_and_counts(six):
    """/conf/core/fc-op, fc-response, fc-timeStamp, fc-numberMatched, fc-numberReturned, crs84"""
    answer = get(six, ITEMS)
    assert answer.headers["content-type"] == "application/geo+json"
    body = answer.json()
    validate(body, FEATURES_SCHEMA)
    assert body["type"] == "FeatureCollection"
    assert body["numberReturned"] == body["numberMatched"] == len(body["features"]) == 6
    assert body["timeStamp"].startswith("2026-01-01T12:00:00")
    assert named(body["features"]) == [f"c{number}" for number in range(6)]
    some = get(six, ITEMS, limit="2").json()
    assert some["numberReturned"] == 2
    assert "numberMatched" not in some  # not known without counting


def test_core_fc_links(six):
    """/conf/core/fc-links: self, alternate in every other form, next that leads through all, once each"""
    for form in FORMATS.values():
        answer = get(six, ITEMS, f=form.name, limit="4")
        assert answer.headers["content-type"] == form.media_type
        linked = [link for link in requests_links(answer.headers["link"]) if link["rel"] != QUERYABLES]
        assert [link["type"] for link in linked if link["rel"] == "self"] == [form.media_type]
        assert {link["type"] for link in linked if link["rel"] != "self"} == {
            each.media_type for each in FORMATS.values()
        }
        for link in linked:
            assert get(six, link["href"]).headers["content-type"] == link["type"]
    seen, href = [], f"{ITEMS}?limit=1&kind=person"
    while href is not None:
        body = get(six, href).json()
        assert len(body["features"]) == 1
        seen += named(body["features"])
        href = links_of(body).get("next")
    assert seen == ["c4", "c2", "c0"]


def requests_links(header):
    """A Link header in parts; no comma stands inside of one here but between quotes."""
    found = []
    for part in header.split(", <"):
        href, *attributes = part.lstrip("<").replace('; header="present"', "").split('; rel="')
        rel, media_type = attributes[0].split('"; type="')
        found.append({"href": href.rstrip(">"), "rel": rel, "type": media_type.rstrip('"')})
    return found


@ON_SQLITE
def test_core_fc_limit_definition_and_response(six):
    """/conf/core/fc-limit-definition, fc-limit-response"""
    assert parameter(six, "limit")["schema"] == {"type": "integer", "minimum": 1, "maximum": 1000, "default": 100}
    assert [len(features(six, limit=str(limit))) for limit in (1, 5, 6, 1000, 100_000)] == [1, 5, 6, 6, 6]
    for wrong in ("0", "-1", "x", "1.5", "", "\u0663", "9" * 30):
        get(six, ITEMS, expect=400, limit=wrong)


def parameter(service, name):
    operation = get(service, "/ogc/api").json()["paths"][ITEMS.removeprefix("/ogc")]["get"]
    (found,) = [one for one in operation["parameters"] if one["name"] == name]
    assert found["in"] == "query"
    assert found["required"] is False
    if name in {"limit", "bbox", "datetime"}:
        assert found["style"] == "form"
        assert found["explode"] is False
    return found


def test_core_fc_bbox_definition_and_response(six):
    """/conf/core/fc-bbox-definition, fc-bbox-response"""
    schema = parameter(six, "bbox")["schema"]
    assert schema["oneOf"] == [{"minItems": 4, "maxItems": 4}, {"minItems": 6, "maxItems": 6}]
    assert (schema["minItems"], schema["maxItems"]) == (4, 6)  # as OGC's executable suite wants it told
    assert (schema["type"], schema["items"]) == ("array", {"type": "number"})
    assert named(features(six, bbox="-111,31,-110.85,31.15")) == ["c0", "c1"]
    assert named(features(six, bbox="-111,31,0,-110.85,31.15,9000")) == ["c0", "c1"]
    assert named(features(six, bbox="-180,-90,180,90")) == ["c0", "c1", "c2", "c3", "c4"]
    assert named(features(six, bbox="170,-90,-110.95,90")) == ["c0"]  # over the antimeridian
    assert features(six, bbox="0,0,1,1") == []
    no_numbers = ("a,b,c,d", "nan,0,1,1", "", "0,0,inf,1", "1_0,0,11,1", "\u0663,0,4,1")
    for wrong in (*no_numbers, "1,2,3", "0,10,1,-10", "-181,0,0,1", "1,2,3,4,5"):
        get(six, ITEMS, expect=400, bbox=wrong)


def test_core_fc_bbox_response_of_lines(six):
    """A line is in a box that it passes, not in one that its own bounds alone touch."""
    segment = {
        **{name: crossing_json()[name] for name in ("source", "source_id", "time", "update_time")},
        **{name: crossing_json()[name] for name in ("purpose", "owner", "marking", "retention_days")},
        "name": "south",
        "line": [[0.0, 0.0], [10.0, 10.0]],
        "own_side": "left",
        "stand_off_m": 100.0,
        "band_depth_m": 500.0,
    }
    answer = six.ask("pilot", "POST", "/segments", json=segment)
    assert answer.status_code == 201, answer.text
    path = "/ogc/collections/segments/items"
    assert len(get(six, path, bbox="4,4,6,6").json()["features"]) == 1
    assert get(six, path, bbox="6,1,9,4").json()["features"] == []
    assert len(get(six, path, filter="S_CROSSES(geometry,LINESTRING(0 5,9 5))").json()["features"]) == 1
    assert get(six, path, filter="S_CROSSES(geometry,LINESTRING(6 1,9 4))").json()["features"] == []


def test_core_fc_time_definition_and_response(six):
    """/conf/core/fc-time-definition, fc-time-response"""
    assert parameter(six, "datetime")["schema"] == {"type": "string"}
    minute = "2026-01-01T10:0{}:00Z".format
    assert named(features(six, datetime=minute(2))) == ["c2"]
    assert named(features(six, datetime=f"{minute(1)}/{minute(3)}")) == ["c1", "c2", "c3"]
    for open_begin in ("..", ""):
        assert named(features(six, datetime=f"{open_begin}/{minute(1)}")) == ["c0", "c1"]
        assert named(features(six, datetime=f"{minute(4)}/{open_begin}")) == ["c4", "c5"]
    assert features(six, datetime="2025-01-01T00:00:00Z") == []
    for wrong in ("yesterday", "../..", "/", f"{minute(3)}/{minute(1)}", "2026-13-01T00:00:00Z"):
        get(six, ITEMS, expect=400, datetime=wrong)


def test_core_f_op_and_success_and_links(six):
    """/conf/core/f-op, f-success, f-links; /conf/geojson/definition, content"""
    for feature in features(six):
        answer = get(six, f"{ITEMS}/{feature['id']}")
        assert answer.headers["content-type"] == "application/geo+json"
        body = answer.json()
        validate(body, FEATURE_SCHEMA)
        validate(body, RFC_7946)
        links = links_of(body)
        assert links["self"] == f"{BASE}/collections/crossings/items/{feature['id']}?f=json"
        assert links["collection"] == f"{BASE}/collections/crossings"
        assert {one["type"] for one in body["links"] if one["rel"] == "alternate"} | {body["links"][0]["type"]} == {
            each.media_type for each in FORMATS.values()
        }
        del body["links"]
        assert body == feature
    assert get(six, f"{ITEMS}/{'0' * 32}", expect=404)
    assert get(six, f"{ITEMS}/x", expect=404)
    assert get(six, f"/ogc/collections/cues/items/{feature['id']}", expect=404)


@ON_SQLITE
def test_core_query_param_unknown_and_invalid(six):
    """/conf/core/query-param-unknown, query-param-invalid"""
    document = get(six, "/ogc/api").json()
    for path in document["paths"]:
        here = BASE + path.replace("{featureId}", "0" * 32)
        for wrong in ({"unknown": "1"}, {"Limit": "1"}, {"f": "nothing"}, {"f": ["json", "json"]}):
            get(six, here, expect=400, **wrong)
    for wrong in ({"cursor": "1;DROP"}, {"limit": ["1", "2"]}, {"time": "x"}, {"confidence": "x"}, {"geometry": "x"}):
        get(six, ITEMS, expect=400, **wrong)


def test_forms_hold_the_same_features(six):
    """Not of OGC: every form of a page and of a feature is that page and that feature."""
    ids = [one["id"] for one in features(six)]
    rows = list(csv.DictReader(io.StringIO(get(six, ITEMS, f="csv").text, newline="")))
    assert [row["id"] for row in rows] == ids
    assert [row["review.state"] for row in rows] == ["pending"] * 6
    assert [json.loads(line)["id"] for line in get(six, ITEMS, f="ndjson").text.splitlines()] == ids
    places = etree.fromstring(get(six, ITEMS, f="kml").content).iter("{*}Placemark")
    assert [place.get("id") for place in places] == ["r" + one for one in ids]
    assert ids[0] in get(six, f"{ITEMS}/{ids[0]}", f="csv").text
    answer = six.ask("analyst", "GET", ITEMS, headers={"Accept": "text/csv;q=0.9, image/png"})
    assert answer.headers["content-type"].startswith("text/csv")
    assert six.ask("analyst", "GET", ITEMS, headers={"Accept": "image/png"}).status_code == 406


# Part 3, Queryables and Filter


@ON_SQLITE
def test_queryables_get_queryables_uris_and_response(six):
    """/conf/queryables/get-queryables-uris, get-queryables"""
    for type_ in TYPES.values():
        items = get(six, f"/ogc/collections/{type_.collection}/items", f="json")
        (href,) = [link["href"] for link in requests_links(items.headers["link"]) if link["rel"] == QUERYABLES]
        answer = get(six, href)
        assert answer.headers["content-type"] == "application/schema+json"
        schema = answer.json()
        Draft202012Validator.check_schema(schema)
        assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
        assert schema["$id"] == href
        assert schema["type"] == "object"
        assert schema["additionalProperties"] is False
        for one in schema["properties"].values():
            assert "type" in one or one["format"].startswith("geometry-")


def queryables(service):
    return get(service, "/ogc/collections/crossings/queryables").json()["properties"]


def kinds(service):
    """Queryable -> a value of its type, as the abstract tests give it."""
    values = {"string": "'foo'", "number": "3.14", "date-time": "TIMESTAMP('2022-04-14T14:48:46Z')"}
    return {
        name: values[one.get("format", one["type"])] for name, one in queryables(service).items() if name != "geometry"
    }


VALID = {
    "time": ("2026-01-01T10:02:00Z", ["c2"]),
    "source": ("vehicle-1", ["c0", "c1", "c2", "c3", "c4", "c5"]),
    "kind": ("vehicle", ["c1", "c3", "c5"]),
    "status": ("probable", []),
    "review": ("pending", ["c0", "c1", "c2", "c3", "c4", "c5"]),
    "direction": ("inbound", ["c0", "c1", "c2", "c3", "c4", "c5"]),
    "method": ("pixel", []),
    "border": ("foo", ["c1", "c4"]),
    "confidence": ("0.3", ["c3"]),
    "owner": ("USA", ["c0", "c1", "c2", "c3", "c4", "c5"]),
    "purpose": ("it's", []),
    "marking": ("REL BRAVO", ["c0", "c1", "c2", "c3", "c4", "c5"]),
}


@ON_SQLITE
def test_queryables_query_parameters_query_param(six):
    """/conf/queryables-query-parameters/query-param"""
    assert set(VALID) == set(queryables(six)) - {"geometry"}
    for name, (value, expected) in VALID.items():
        assert named(features(six, **{name: value})) == expected
        assert parameter(six, name)["schema"]["type"] in {"string", "number"}
    assert named(features(six, kind="vehicle", border="foo")) == ["c1"]


def test_filter_filter_param_and_filter_lang_param(six):
    """/conf/filter/filter-param, filter-lang-param, filter-crs-param; /conf/features-filter/filter-on-items;
    /conf/cql2-text/validate, /conf/cql2-json/validate
    """
    every = {f"c{number}" for number in range(6)}
    for name in [*kinds(six), "geometry"]:
        null = matching(six, f"{name} IS NULL")
        assert null == matching(six, f"{name} IS NULL", **{"filter-lang": "cql2-text", "filter-crs": CRS84})
        tree = json.dumps({"op": "isNull", "args": [{"property": name}]})
        assert null == matching(six, tree, **{"filter-lang": "cql2-json"})
        assert null == ({"c5"} if name == "geometry" else set())
    assert matching(six, "TRUE") == every
    for wrong in (
        {"filter": "THIS IS NOT A FILTER"},
        {"filter": ""},
        {"filter": "nothing = 1"},
        {"filter": "TRUE", "filter-lang": "cql2-json"},
        {"filter": "TRUE", "filter-lang": "nothing"},
        {"filter": "TRUE", "filter-crs": "http://www.opengis.net/def/crs/EPSG/0/4326"},
        {"filter-lang": "cql2-text"},
    ):
        if wrong != {"filter": "TRUE", "filter-lang": "cql2-json"}:
            get(six, ITEMS, expect=400, **wrong)
    assert parameter(six, "filter")["schema"] == {"type": "string"}
    assert parameter(six, "filter-lang")["schema"]["enum"] == ["cql2-text", "cql2-json"]


@ON_SQLITE
def test_filter_filter_lang_default_and_expression_construction_and_filter_crs_wgs84(six):
    """/conf/filter/filter-lang-default, expression-construction, filter-crs-wgs84"""
    for type_ in TYPES.values():
        items = f"/ogc/collections/{type_.collection}/items"
        for language in ({}, {"filter-lang": "cql2-text"}):
            assert get(six, items, filter="geometry IS NULL", **language).status_code == 200
            get(six, items, expect=400, filter="THIS IS NOT A FILTER", **language)
            get(six, items, expect=400, filter="this_is_not_a_queryable IS NULL", **language)
        get(six, items, expect=400, filter="S_INTERSECTS(geometry,BBOX(1000000,1000000,2000000,2000000))")
    (west, south, east, north), *_ = get(six, "/ogc/collections/crossings").json()["extent"]["spatial"]["bbox"]
    placed = matching(six, "geometry IS NOT NULL")
    assert matching(six, f"S_INTERSECTS(geometry,BBOX({west},{south},{east},{north}))") == placed


def test_core_http(tmp_path):
    """/conf/core/http: each path that is advertised is served over HTTP/1.1"""
    with live(tmp_path) as served:
        wanted, seen = [f"{served.url}/ogc"], set()
        while wanted:
            url = wanted.pop()
            seen.add(url)
            answer = served.ask("analyst", "GET", url)
            assert (answer.http_version, answer.status_code) == ("HTTP/1.1", 200), url
            told = answer.headers["content-type"].partition(";")[0] in {"application/json", "application/geo+json"}
            body = answer.json() if told else {}
            links = [*body.get("links", []), *(one for each in body.get("collections", []) for one in each["links"])]
            wanted += {one["href"] for one in links if one["href"].startswith(served.url)} - seen - {*wanted}
        assert len(seen) > 30


def test_features_filter_mixing_expression(six):
    """/conf/features-filter/mixing-expression: a filter, a box, a time and a queryable all hold"""
    box = "S_INTERSECTS(geometry,BBOX(-111,31,-110.75,31.25))"
    assert matching(six, box) == {"c0", "c1", "c2"}
    assert matching(six, box, bbox="-110.95,31.05,-100,32") == {"c1", "c2"}
    assert matching(six, box, bbox="0,0,1,1") == set()
    assert matching(six, box, bbox="-110.95,31.05,-100,32", kind="vehicle") == {"c1"}
    assert matching(six, box, datetime="../2026-01-01T10:01:00Z") == {"c0", "c1"}


# CQL2


def test_basic_cql2_comparison(six):
    """/conf/basic-cql2/basic-test, comparison; /conf/property-property/comparison-value-property"""
    for name, value in kinds(six).items():
        for left, right in ((name, value), (value, name)):
            found = {sign: matching(six, f"{left} {sign} {right}") for sign in ("=", "<>", ">", "<", ">=", "<=")}
            assert not found["="] & found["<>"]
            assert not found[">"] & found["<="]
            assert not found["<"] & found[">="]
            assert found["="] | found["<>"] == found[">"] | found["<="] == {f"c{number}" for number in range(6)}


def test_basic_cql2_is_null_and_boolean(six):
    """/conf/basic-cql2/is-null, boolean"""
    for name in queryables(six):
        assert not matching(six, f"{name} IS NULL") & matching(six, f"{name} is not null")
    assert matching(six, "false") == set()
    assert len(matching(six, "true")) == 6


def test_property_property_comparison(six):
    """/conf/property-property/comparison-property-property, comparison-value-value"""
    for one in [*kinds(six), "'foo'", "true", "3.14", "1", "TIMESTAMP('2022-04-14T14:48:46Z')", "DATE('2022-04-14')"]:
        signs = ("=", "<>") if one == "true" else ("=", "<>", ">", "<", ">=", "<=")
        for sign in signs:
            expected = 0 if sign in {"<>", ">", "<"} else 6
            assert len(matching(six, f"{one} {sign} {one}")) == expected, (one, sign)


def test_advanced_comparison_operators(six):
    """/conf/advanced-comparison-operators/like, between, in"""
    for name, value in kinds(six).items():
        if value == "'foo'":
            found = [matching(six, f"{name} LIKE '{pattern}'") for pattern in ("%", "_%", "", "%%", r"\%\_")]
            assert found[0] == found[3]
            assert not found[1] & found[2]
            matching(six, f"{name} in ('foo', 'bar')")
        elif value == "3.14":
            assert len(matching(six, f"{name} BETWEEN 0 AND 100")) == 6
            assert matching(six, f"{name} between 100.0 and 1.0") == set()
            matching(six, f"{name} IN (1, 2, 3)")
        else:
            matching(six, f"{name} in ('2022-04-14T14:52:56Z', '2022-04-14T15:52:56Z')")
    assert matching(six, "border LIKE 'fo%'") == {"c1", "c4"}
    assert matching(six, "border NOT LIKE '_oo'") == {"c0", "c2", "c3", "c5"}
    assert matching(six, "time IN (TIMESTAMP('2026-01-01T10:02:00Z'))") == {"c2"}


def test_case_insensitive_comparison(six):
    """/conf/case-insensitive-comparison/casei, casei-like"""
    for name, value in kinds(six).items():
        if value == "'foo'":
            assert not matching(six, f"CASEI({name}) = casei('foo')") & matching(six, f"CASEI({name}) <> casei('FOO')")
            assert matching(six, f"CASEI({name}) LIKE casei('foo%')") == matching(
                six, f"CASEI({name}) LIKE casei('FOO%')"
            )
    assert matching(six, "CASEI(border) LIKE casei('Foo%')") == {"c1", "c2", "c4", "c5"}


SPATIAL = ("S_INTERSECTS", "S_DISJOINT", "S_EQUALS", "S_TOUCHES", "S_CROSSES", "S_WITHIN", "S_CONTAINS", "S_OVERLAPS")
WORLD = "BBOX(-180,-90,180,90)", "POLYGON((-180 -90,180 -90,180 90,-180 90,-180 -90))"
LITERALS = (
    *WORLD,
    "POINT(-110.9 31.1)",
    "LINESTRING(-111 31,-110 32)",
    "MULTIPOINT(-110.9 31.1,-110.8 31.2)",
    "MULTILINESTRING((-180 -45,0 -45),(0 45,180 45))",
    "MULTIPOLYGON(((0 0,1 0,1 1,0 0)),((5 5,6 5,6 6,5 5)))",
    "GEOMETRYCOLLECTION(POINT(-110.9 31.1),POLYGON((0 0,10 0,10 10,0 10,0 0)))",
)


def test_basic_spatial_functions(six):
    """/conf/basic-spatial-functions/s_intersects, /conf/basic-spatial-functions-plus/s_intersects, and all of
    /conf/spatial-functions
    """
    placed = {"c0", "c1", "c2", "c3", "c4"}
    for name in SPATIAL:
        found = {literal: matching(six, f"{name}(geometry,{literal})") for literal in LITERALS}
        assert found[WORLD[0]] == found[WORLD[1]]
        assert all(each <= placed for each in found.values())  # what has no place stands in no relation
        for literal, each in found.items():
            if name == "S_DISJOINT":
                assert each == placed - matching(six, f"S_INTERSECTS(geometry,{literal})")
        get(six, ITEMS, expect=400, filter=f"{name}(geometry,POINT(90 180))")
        get(six, ITEMS, expect=400, filter=f"{name}(geometry,MULTIPOINT(7.02 49.92,90 180))")
    assert matching(six, f"S_INTERSECTS(geometry,{LITERALS[7]})") == {"c1"}
    assert matching(six, f"S_EQUALS(geometry,{LITERALS[2]})") == {"c1"}


def test_temporal_functions(six):
    """/conf/temporal-functions/temporal-functions-1, temporal-functions-2"""
    spans = ["INTERVAL('2021-01-01T00:00:00Z','2026-01-01T10:02:00Z')", "TIMESTAMP('2026-01-01T10:02:00Z')"]
    names = (
        "AFTER BEFORE DISJOINT EQUALS INTERSECTS CONTAINS DURING FINISHEDBY FINISHES MEETS METBY OVERLAPPEDBY OVERLAPS"
    )
    for name, span in itertools.product([*names.split(" "), "STARTEDBY", "STARTS"], spans):
        matching(six, f"T_{name}(time,{span})")
        matching(six, f"T_{name}(INTERVAL(time,time),{span})")
    assert matching(six, f"T_AFTER(time,{spans[1]})") == {"c3", "c4", "c5"}
    assert matching(six, f"T_INTERSECTS(time,{spans[0]})") == {"c0", "c1", "c2"}
    assert matching(six, f"T_DURING(INTERVAL(time,time),{spans[0]})") == {"c0", "c1"}
    assert matching(six, f"T_FINISHES(time,{spans[0]})") == {"c2"}


def test_logical(six):
    """/conf/{class}/logical: (NOT p1 AND p2) OR (p3 and NOT p4) or not (p1 AND p4)"""
    stored = [
        "kind = 'person'",
        "confidence > 0.25",
        "border LIKE 'f%'",
        "S_INTERSECTS(geometry,BBOX(-111,31,-110.75,31.25))",
        "T_AFTER(time,TIMESTAMP('2026-01-01T10:02:00Z'))",
        "CASEI(border) = casei('FOO')",
        "review IN ('pending')",
    ]
    chance = random.Random(7)
    found = {one: matching(six, one) for one in stored}
    every = {f"c{number}" for number in range(5)}  # c5 has no place: a relation of places is neither true nor false
    for _ in range(12):
        p1, p2, p3, p4 = chance.sample(stored, 4)
        text = f"((NOT {p1} AND {p2}) OR ({p3} and NOT {p4}) or not ({p1} AND {p4}))"
        expected = (found[p2] - found[p1]) | (found[p3] - found[p4]) | (every - (found[p1] & found[p4]))
        assert matching(six, text) & every == expected & every


# What a partner sees


def test_a_partner_asks_what_it_may_see_and_no_more(service):
    """Filters, boxes and forms work on what is shared: what is withheld is NULL to every question."""
    partner_id = service.partner("bravo")
    service.agree(partner_id, fields=["kind"])
    shared, hidden = (service.deliver(one) for one in list(crossings())[:2])
    service.judge(shared)
    service.judge(hidden)
    assert service.release(shared, partner_id).status_code == 201
    ask = lambda **params: get(service, ITEMS, "bravo", **params).json()["features"]  # noqa: E731
    (seen,) = ask()
    assert seen["id"] == shared
    assert seen["geometry"] is None
    assert [one["id"] for one in ask(filter="kind = 'person'")] == [shared]
    for text in (
        "confidence >= 0",
        "NOT confidence >= 0",
        "border = 'Nogales'",
        "border <> 'Nogales'",
        "border LIKE '%'",
        "source = 'vehicle-1'",
        "status = 'confirmed'",
        "NOT status = 'confirmed'",
        "S_INTERSECTS(geometry,BBOX(-180,-90,180,90))",
        "S_DISJOINT(geometry,BBOX(-180,-90,180,90))",
        "geometry IS NOT NULL",
        "border IS NOT NULL",
    ):
        assert ask(filter=text) == [], text
    assert [one["id"] for one in ask(filter="border IS NULL AND geometry IS NULL AND confidence IS NULL")] == [shared]
    assert ask(bbox="-180,-90,180,90") == []
    get(service, f"{ITEMS}/{hidden}", "bravo", expect=404)
    for form in FORMATS:
        told = get(service, ITEMS, "bravo", f=form).text
        assert shared in told
        assert hidden not in told
        # Of what is left no digit is chance.
        told = re.sub("[0-9a-f]{32}", "", told.replace(told[told.find('"timeStamp"') :][:60], ""))
        for secret in ("Nogales", "vehicle-1", "31.0", "111"):
            assert secret not in told
    names = {one["id"] for one in get(service, "/ogc/collections", "bravo").json()["collections"]}
    assert names == {"crossings", "cues", "segments", "fleets", "plans", "sorties", "vehicles", "sensors"}


@ON_SQLITE
def test_who_may_read_nothing_finds_no_collection(service):
    for who in ("sensor", "auditor", "administrator"):
        assert get(service, "/ogc/collections", who).json()["collections"] == []
        assert set(get(service, "/ogc/api", who).json()["paths"]) == {"/", "/api", "/collections", "/conformance"}
        get(service, ITEMS, who, expect=403)


def test_every_reading_of_features_is_written_down(six):
    shown = [one["id"] for one in features(six, limit="2")]
    entries = get(six, "/audit", "auditor", limit="1000").json()["entries"]
    last = [entry["body"] for entry in entries][-1]
    assert last["action"] == "crossing.list"
    assert last["objects"] == shown


def test_a_slow_filter_is_given_up(six, monkeypatch):
    slow = {
        "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n",
        "postgresql": "SELECT pg_sleep(60)",
    }

    def never(session, *_args, **_more):
        return session.execute(sql(slow[session.get_bind().dialect.name]))

    monkeypatch.setattr("api.ogc.endpoints.list_readable", never)
    monkeypatch.setattr("api.ogc.endpoints.MAX_SECONDS", 0.1)
    problem = get(six, ITEMS, expect=400, filter="confidence > 0.1").json()
    assert "narrow" in problem["detail"]
    monkeypatch.undo()
    assert matching(six, "confidence > 0.35") == {"c4", "c5"}  # nothing is left behind
