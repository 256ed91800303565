"""Land borders that ship with the package."""

import json
from pathlib import Path

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geo import LocalFrame, locate
from missions import BorderError, BorderSegment, Side, atlas, countries, cut, land_border, neighbours
from missions.atlas import borders_in

POLYGONS = json.loads((Path(__file__).parent / "data" / "polygons_110m.json").read_text())

# Published lengths, km (CIA World Factbook). The 1:10 million line is shorter where a river meanders, and generalised
# where it is short.
PUBLISHED = [
    ("USA", "MEX", 3155, 0.82, 1.02),
    ("ITA", "CHE", 698, 0.80, 1.02),
    ("DEU", "POL", 467, 0.80, 1.05),
    ("NOR", "SWE", 1666, 0.90, 1.02),
    ("ESP", "PRT", 1224, 0.82, 1.02),
    ("LSO", "ZAF", 1106, 0.65, 1.02),
    ("ARG", "CHL", 6691, 0.72, 1.02),
    ("FIN", "RUS", 1309, 0.90, 1.02),
]


@pytest.mark.parametrize(("own", "other", "km", "low", "high"), PUBLISHED)
def test_length_agrees_with_the_published_one(own, other, km, low, high):
    length = sum(piece.length_m() for piece in land_border(own, other)) / 1000
    assert low * km < length < high * km


@pytest.mark.parametrize(
    ("own", "other"),
    [("USA", "MEX"), ("ITA", "CHE"), ("DEU", "POL"), ("ARG", "CHL"), ("NOR", "SWE"), ("ESP", "PRT"), ("IND", "BGD")],
)
def test_own_side_agrees_with_polygons_of_another_scale(own, other):
    """Points 40 km off the line must lie, where the coarser polygons decide, in the country of that side."""
    shapes = {code: _shape(code) for code in (own, other)}
    right, wrong = 0, 0
    for piece in land_border(own, other):
        line = np.array(piece.coordinates)
        for i in range(0, len(line) - 1, max(1, len(line) // 60)):
            (x0, y0), (x1, y1) = line[i], line[i + 1]
            step = np.array([(x1 - x0) * np.cos(np.radians(y0)), y1 - y0])
            if np.hypot(*step) == 0:
                continue
            normal = np.array([-step[1], step[0]]) / np.hypot(*step) * 0.35 * piece.own_side.sign
            for sign, mine, other_one in ((1, own, other), (-1, other, own)):
                point = ((x0 + x1) / 2 + sign * normal[0] / np.cos(np.radians(y0)), (y0 + y1) / 2 + sign * normal[1])
                right += shapely.contains_xy(shapes[mine], *point)
                wrong += shapely.contains_xy(shapes[other_one], *point)
    assert right > 20
    # Bends of the line put some of them on the wrong side; sides swapped would turn the ratio over.
    assert wrong < 0.4 * right, (right, wrong)


def test_the_other_country_sees_the_same_line_from_the_other_side():
    ours, theirs = land_border("USA", "MEX")[0], land_border("MEX", "USA")[0]
    assert ours.coordinates == theirs.coordinates
    assert ours.own_side is theirs.own_side.other


@pytest.mark.parametrize("country", ["ch", "CHE", "switzerland", " Switzerland "])
def test_a_country_goes_by_code_or_name(country):
    assert neighbours(country) == ("AUT", "DEU", "FRA", "ITA", "LIE")


def test_every_country_has_a_name_and_every_neighbour_is_a_country():
    names = countries()
    assert len(names) > 240
    assert all(names.values())
    for code in names:
        for other in neighbours(code):
            assert code in neighbours(other)


def test_entries_without_an_iso_number_are_kept_apart():
    assert "XKX" in neighbours("SRB")
    assert countries()["SOL"] == "Somaliland"


@pytest.mark.parametrize(
    ("own", "other", "words"),
    [
        ("Germny", "FRA", ["Germny", "Germany (DEU)"]),
        ("USA", "FRA", ["USA and FRA", "CAN, MEX"]),
        ("JPN", "KOR", ["share no land border"]),
        ("ITA", "VAT", ["Vatican (VAT)", "1:10m leaves out", "give it as a file", "FRA, SMR, SVN"]),
        ("", "KOR", ["no country ''"]),
    ],
)
def test_what_is_not_there_is_named(own, other, words):
    with pytest.raises(BorderError) as error:
        land_border(own, other)
    assert all(word in str(error.value) for word in words)


def test_cut_is_as_long_as_asked_and_about_nogales():
    piece = cut(land_border("USA", "MEX"), 40_000)
    assert piece.length_m() == pytest.approx(40_000, abs=20)
    lon, lat = np.array(piece.coordinates).T
    assert lon.min() < -110.94 < lon.max()
    assert abs(lat - 31.333).max() < 0.1
    assert piece.own_side is Side.RIGHT


def test_cut_lies_on_the_line_and_has_short_edges():
    whole = land_border("ITA", "CHE")
    piece = cut(whole, 25_000, near=(45.9, 9.0))
    frame = LocalFrame(*piece.centre())
    dense = whole[0].local_line(frame, 200.0)
    position = locate(dense, piece.local_line(frame, 1e9))
    assert np.abs(position.offset_m).max() < 1.0
    steps = np.hypot(*np.diff(piece.local_line(frame, 1e9), axis=0).T)
    assert steps.max() < 1010


def test_cut_takes_all_of_a_border_that_is_shorter_and_says_so():
    whole = land_border("ITA", "SMR")
    piece = cut(whole, 500_000)
    assert piece.length_m() == pytest.approx(sum(p.length_m() for p in whole), rel=1e-6)
    assert "asked for 500.0 km" in piece.note
    assert "29.3 km" in piece.note


def test_cut_at_an_end_of_the_line_stays_on_it():
    end = land_border("ESP", "PRT")[0].coordinates[0]
    assert cut(land_border("ESP", "PRT"), 10_000, near=(end[1], end[0])).length_m() == pytest.approx(10_000, abs=5)


def test_cut_of_a_ring_may_pass_its_seam():
    ring = land_border("LSO", "ZAF")[0]
    lon, lat = ring.coordinates[0]
    piece = cut(ring, 30_000, near=(lat, lon))
    assert piece.length_m() == pytest.approx(30_000, abs=5)
    assert not piece.is_ring


@pytest.mark.parametrize("length", [0, -5, float("nan"), float("inf")])
def test_cut_refuses_a_length_that_is_none(length):
    with pytest.raises(BorderError, match="positive"):
        cut(land_border("USA", "MEX"), length)


# To about a decimetre: the oracle itself goes wrong on denormal numbers.
BOX = st.tuples(
    *(st.floats(low, high).map(lambda v: round(v, 6)) for low, high in ((-15, 60), (30, 70), (0.05, 25), (0.05, 12)))
)


@settings(max_examples=30, deadline=None)
@given(BOX)
def test_borders_of_a_box_are_what_shapely_cuts_out(box):
    west, south, wide, high = box
    window = shapely.box(west, south, west + wide, south + high)
    found: dict[str, list[shapely.LineString]] = {}
    for segment in borders_in(west, south, west + wide, south + high):
        assert segment.own < segment.neighbour
        assert segment.own_side is Side.LEFT
        found.setdefault(f"{segment.own}-{segment.neighbour}", []).append(shapely.LineString(segment.coordinates))
    for (first, second), lines in atlas._lines().items():
        oracle = shapely.union_all([shapely.LineString(line).intersection(window) for line in lines])
        got = found.get(f"{first}-{second}", [])
        assert sum(line.length for line in got) == pytest.approx(oracle.length, abs=1e-4)
        for line in got:
            assert shapely.MultiLineString(list(lines)).buffer(1e-9).covers(line)
            # It runs the way of the whole line: the first of the pair stays on its left.
            whole = next(shapely.LineString(w) for w in lines if shapely.LineString(w).distance(line) < 1e-9)
            if not whole.is_closed and line.length > 1e-3:
                assert whole.project(shapely.Point(line.coords[0])) < whole.project(shapely.Point(line.coords[-1]))


def test_a_box_about_all_gives_all_and_from_either_side():
    ours = borders_in(-125, 20, -90, 40, "MEX")
    assert {(s.own, s.neighbour) for s in ours} == {("MEX", "USA")}
    theirs = borders_in(-125, 20, -90, 40, "usa")
    assert [s.coordinates for s in ours] == [s.coordinates for s in theirs]
    assert [s.own_side.other for s in ours] == [s.own_side for s in theirs]
    (lesotho,) = borders_in(20, -35, 35, -25, "LSO")
    assert lesotho.coordinates == land_border("LSO", "ZAF")[0].coordinates
    assert borders_in(-40, 0, -30, 10) == ()


def test_a_ring_is_not_cut_at_its_seam():
    lon, lat = land_border("LSO", "ZAF")[0].coordinates[0]
    (piece,) = borders_in(lon - 0.05, lat - 0.05, lon + 0.05, lat + 0.05)
    assert (lon, lat) in piece.coordinates[1:-1]


@pytest.fixture
def border_at_the_antimeridian(monkeypatch):
    """No two countries meet there: a made one, and the same moved away."""
    line = np.array([[179.0, 10.0], [-179.5, 10.5], [-178.0, 9.5]])
    monkeypatch.setattr(atlas, "_lines", lambda: {("FJI", "TON"): (line,)})
    return BorderSegment("FJI-TON", "FJI", "TON", tuple(map(tuple, line.tolist())), "left")


@pytest.mark.parametrize(
    ("box", "ends"),
    [
        ((178, 9, -177, 11), (179.0, -178.0)),
        ((179.75, 9, -179.75, 11), (179.75, -179.75)),
        ((179.25, 9, 180, 11), (179.25, 180.0)),
        ((-180, 9, -179, 11), (-180.0, -179.0)),
    ],
)
def test_a_box_over_the_antimeridian(border_at_the_antimeridian, box, ends):
    (piece,) = borders_in(*box)
    assert [c[0] % 360 for c in (piece.coordinates[0], piece.coordinates[-1])] == pytest.approx([e % 360 for e in ends])
    assert all(abs(lon) <= 180 for lon, _ in piece.coordinates)


def test_cut_over_the_antimeridian(border_at_the_antimeridian):
    piece = cut(border_at_the_antimeridian, 50_000, near=(10.33, 180.0))
    assert piece.length_m() == pytest.approx(50_000, abs=20)
    assert {lon > 0 for lon, _ in piece.coordinates} == {True, False}


@pytest.mark.parametrize(
    ("box", "words"),
    [
        ((float("nan"), 0, 1, 1), "west is nan"),
        ((0, -91, 1, 1), "south is -91"),
        ((0, 0, 181, 1), "east is 181"),
        ((0, 2, 1, 1), "south must be less"),
        ((3, 0, 3, 1), "no width"),
    ],
)
def test_what_is_no_box_is_refused(box, words):
    with pytest.raises(BorderError, match=words):
        borders_in(*box)
    with pytest.raises(BorderError, match="no country 'Atlantis'"):
        borders_in(0, 0, 1, 1, "Atlantis")


def _shape(code):
    return shapely.union_all([shapely.Polygon(p[0], p[1:]).buffer(0) for p in POLYGONS[code]])
