"""Land borders that ship with the package."""

import json
from pathlib import Path

import numpy as np
import pytest
import shapely

from geo import LocalFrame, locate
from missions import BorderError, Side, countries, cut, land_border, neighbours

POLYGONS = json.loads((Path(__file__).parent / "data" / "polygons_110m.json").read_text())

# Published lengths, km (CIA World Factbook). The 1:10 million line is shorter where a river meanders, and stepped by
# its grid of about 300 m where it is short.
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
    assert "29.7 km" in piece.note


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


def _shape(code):
    return shapely.union_all([shapely.Polygon(p[0], p[1:]).buffer(0) for p in POLYGONS[code]])
