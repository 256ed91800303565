"""JSON and CSV that comes in: every file that is not plainly one thing is refused, by whichever reader."""

import json

import pytest

from missions import (
    BorderError,
    FleetError,
    FormatError,
    MissionsError,
    default_fleet,
    load_plan,
    read_airspace,
    read_border,
    read_fleet,
    read_operational_intents,
    read_qgc_plan,
    read_risk,
    write_fleet,
)
from tests.missions.helpers import beside, straight

READERS = [read_airspace, read_border, read_fleet, read_operational_intents, read_qgc_plan, load_plan]
BORDER = (
    '{"type": "Feature", "properties": {"own_side": "left"}, '
    '"geometry": {"type": "LineString", "coordinates": [[8, 46], [8.1, 46]]}}'
)
ZONE = (
    '{"type": "FeatureCollection", "features": [{"type": "Feature", "properties": {"name": "z"}, '
    '"geometry": {"type": "Polygon", "coordinates": [[[8, 46], [8.1, 46], [8.1, 46.1], [8, 46]]]}}]}'
)


def written(tmp_path, text, name="file.json"):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.mark.parametrize("reader", READERS, ids=lambda r: r.__name__)
@pytest.mark.parametrize(
    "text",
    [
        '{"type": 1' + "0" * 5000 + "}",
        '{"type": "Feature", "type": "Feature"}',
        '{"name": "\\ud800"}',
        "[" * 100_000,
        BORDER + BORDER,
        BORDER + "\n" + BORDER,
        "\x1e" + BORDER,
        "",
        BORDER.encode("utf-16"),
        '{"type": [1]}',
        '{"type": "Feature", "geometry": {"type": [1]}, "properties": {}}',
        '{"type": "FeatureCollection", "features": [{"type": "Feature", "geometry": {"type": {}}}]}',
    ],
    ids=lambda t: repr(t[:24]),
)
def test_no_reader_falls_over_what_is_no_file_of_it(tmp_path, reader, text):
    with pytest.raises(MissionsError, match=r"file\.json"):
        reader(written(tmp_path, text))


def test_an_own_side_that_is_said_twice_is_refused(tmp_path):
    """One program takes the first, another the last: the aircraft would be on the far side for one of them."""
    path = written(tmp_path, BORDER.replace('"own_side"', '"own_side": "right", "own_side"'))
    with pytest.raises(FormatError, match="has the name 'own_side' twice"):
        read_border(path)


def test_a_name_of_two_halves_of_a_character_is_one(tmp_path):
    path = written(tmp_path, BORDER.replace('"own_side"', '"name": "\\ud83d\\ude81", "own_side"'))
    assert read_border(path).name == "\N{HELICOPTER}"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (('"Feature", ', '"Feature", "crs": {"properties": {"name": "EPSG:3857"}}, '), "EPSG:3857"),
        (('"Polygon"', '"Polygon", "crs": {"properties": {"name": "EPSG:25832"}}'), "EPSG:25832"),
        (('"FeatureCollection"', '"FeatureCollection", "crs": {"properties": null}'), "crs"),
        (('"FeatureCollection"', '"FeatureCollection", "crs": {"properties": {"name": ["x"]}}'), "crs"),
        (("[8, 46], [8.1, 46]", '["8", "46"], [8.1, 46]'), r"coordinates\[0\] is \['8', '46'\]: not a number"),
        (("[8, 46], [8.1, 46]", "[true, 46], [8.1, 46]"), r"coordinates\[0\] is \[True, 46\]: not a number"),
        (("[[[8, 46]", '["abcd", [[8, 46]'), "not a list of"),
    ],
)
def test_a_zone_elsewhere_or_of_no_numbers_is_refused(tmp_path, change, words):
    """A zone that is put somewhere else is one that is flown into."""
    text = ZONE.replace(*change)
    assert text != ZONE
    if text.count("[") != text.count("]"):
        text = text.replace("]]]}", "]]]]}")
    with pytest.raises(FormatError, match=words):
        read_airspace(written(tmp_path, text))


def test_a_landing_site_of_text_is_refused(tmp_path):
    """Its first two letters were taken for a place."""
    text = ZONE.replace('"Polygon"', '"Point"').replace('"name": "z"', '"kind": "landing_site"')
    text = text.replace("[[[8, 46], [8.1, 46], [8.1, 46.1], [8, 46]]]", '"46"')
    with pytest.raises(FormatError, match="landing site"):
        read_airspace(written(tmp_path, text))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        # A decimal comma: 0,5 km at weight 2 was read as 0 to 5 at 2.
        ("from_m,to_m,weight\n0,500,2,5\n", "line 2: has more cells than the first line"),
        ("from_m,to_m,weight,weight\n0,500,2,5\n", "column weight is there twice"),
        ("from_m,to_m,weight\n0," + "1" * 200_000 + ",2\n", "is not CSV"),
        ('from_m,to_m,weight\n0,"500,2\n', "is not CSV"),
    ],
)
def test_a_risk_table_that_is_none_is_refused(tmp_path, text, words):
    with pytest.raises(FormatError, match=words):
        read_risk(written(tmp_path, text, "risk.csv"))


def fleet_with(tmp_path, *place, value):
    path = tmp_path / "fleet.json"
    write_fleet(default_fleet(beside(straight(), 1500.0), 1), path)
    table = json.loads(path.read_text())
    inner = table
    for name in place[:-1]:
        inner = inner[name if name != "*" else next(iter(inner))]
    inner[place[-1]] = value
    path.write_text(json.dumps(table))
    return path


@pytest.mark.parametrize("value", [10**290, 1e300, float("nan"), float("inf"), -1, True, "640"])
@pytest.mark.parametrize(
    "place", [("camera", "width_px"), ("aircraft", "*", "cruise_m_s"), ("bases", "*", "lat_deg")], ids=lambda p: p[-1]
)
def test_a_figure_of_a_fleet_that_none_has_is_named(tmp_path, place, value):
    if (place[-1], value) == ("lat_deg", -1):
        return
    with pytest.raises(FleetError, match=place[-1] if value != -1 else "camera|cruise"):
        read_fleet(fleet_with(tmp_path, *place, value=value))


@pytest.mark.parametrize("value", [[1], {}, None, 3, "x"])
def test_a_camera_that_sees_nothing_known_is_refused(tmp_path, value):
    with pytest.raises(FleetError, match="modality is"):
        read_fleet(fleet_with(tmp_path, "camera", "modality", value=value))


@pytest.mark.parametrize("text", ["a = " + "1" * 5000, "a = " + "[" * 5000])
def test_toml_that_python_cannot_hold_is_refused(tmp_path, text):
    with pytest.raises(FormatError, match="is not TOML"):
        read_fleet(written(tmp_path, text, "fleet.toml"))


def test_a_line_of_half_a_number_is_refused(tmp_path):
    with pytest.raises(BorderError, match="latitude nan"):
        read_border(written(tmp_path, BORDER.replace("[8, 46]", "[8, NaN]")))
