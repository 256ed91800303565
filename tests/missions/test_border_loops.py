"""Borders that touch or cross themselves, against areas that shapely cuts out of a plane, edges tried one by one."""

import json
import math
import re
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import shapely
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from cli.commands import app
from missions import (
    Base,
    BorderSegment,
    Objective,
    PlanError,
    PlanOptions,
    Risk,
    RiskTable,
    Side,
    check,
    default_fleet,
    load_plan,
    plan,
)
from missions.border_loops import taken_apart
from missions.contested import Contested
from missions.risk import risk_apart
from tests.asked import asked, few
from tests.missions.helpers import LAT, LON, M_LAT, M_LON, border_from_metres, metres, way

SLIP = "within the stand-off of where the line crosses itself"
CUSP_M = 1000.0
"""What of the line beside a place where it touches itself may be out of the lawful reach of a camera, metres."""


def lobe(angle, size_m, *, turned=False):
    """A loop from the origin out into one direction and back, metres; it stays within 27 degrees of it."""
    shape = [(0.0, 0.0), (0.5, -0.25), (0.8, -0.3), (1.0, 0.0), (0.8, 0.3), (0.5, 0.25), (0.0, 0.0)]
    cos, sin = size_m * math.cos(angle), size_m * math.sin(angle)
    points = [(x * cos - y * sin, x * sin + y * cos) for x, y in shape]
    return points[::-1] if turned else points


@st.composite
def scribbles(draw):
    """A line from west to east that wanders anywhere between, or a ring, with its own side."""
    inner = draw(st.lists(st.tuples(st.integers(-20, 20), st.integers(-20, 20)), min_size=3, max_size=8, unique=True))
    points = [(100.0 * x, 100.0 * y) for x, y in inner]
    ring = draw(st.booleans())
    points = [*points, points[0]] if ring else [(-6000.0, 0.0), *points, (6000.0, 0.0)]
    # A ring whose vertices lie on one line has no inside, and is no border.
    assume(not ring or shapely.MultiPoint(points).convex_hull.area > 0)
    border = border_from_metres(points, draw(st.sampled_from(["left", "right"])))
    line = shapely.LineString(border.coordinates)
    # What ends on itself, or runs along itself, is another case.
    apart = shapely.get_parts(shapely.node(line))
    assume(len(border.coordinates) == len(points) and len(apart) < 60)
    assume(abs(sum(part.length for part in apart) - line.length) < 1e-9)
    return border


@st.composite
def rosettes(draw):
    """A line of lobes that all begin and end in one place, open or closed, and a place in or about it, metres."""
    count = draw(st.integers(1, 3))
    slots = draw(st.permutations(range(4)))[:count]
    closed = draw(st.booleans()) and count > 1
    # Of an open line, which runs from west to east, those are free that lie north and south of it.
    angles = [(math.radians(45 + 90 * slot)) for slot in slots]
    sizes = [draw(st.floats(3000, 4500)) for _ in slots]
    lobes = [lobe(a, s, turned=draw(st.booleans())) for a, s in zip(angles, sizes, strict=True)]
    points = [p for one in lobes for p in one[:-1]] + [(0.0, 0.0)]
    if not closed:
        points = [(-6000.0, 0.0), *points, (6000.0, 0.0)]
    border = border_from_metres(points, draw(st.sampled_from(["left", "right"])))
    inside = [(s * 0.6 * math.cos(a), s * 0.6 * math.sin(a)) for a, s in zip(angles, sizes, strict=True)]
    beside = [(-3000.0, 700.0), (-3000.0, -700.0)] if not closed else [(-700.0, 0.0), (700.0, 0.0)]
    return border, draw(st.sampled_from([*inside, *beside]))


class Oracle:
    """The areas that a line, drawn far on beyond its ends, cuts a plane into, and what each edge says of them."""

    def __init__(self, border: BorderSegment) -> None:
        line = metres(border.unwrapped())
        self.line = shapely.LineString(line)
        if not border.is_ring:
            # The ends of these lines point west and east.
            line = np.vstack([[-6e5, line[0, 1]], line, [6e5, line[-1, 1]]])
        box = shapely.box(-5e5, -5e5, 5e5, 5e5)
        cut = shapely.union_all([shapely.LineString(line).intersection(box), box.exterior])
        self.areas = list(shapely.get_parts(shapely.polygonize([cut])))
        parts = [shapely.LineString(edge) for edge in pairwise(line)]
        self.edges = []
        for part in shapely.get_parts(shapely.node(shapely.MultiLineString(parts))):
            whole = min(parts, key=lambda edge: edge.distance(part.centroid))
            ends = sorted(part.coords, key=lambda end: whole.project(shapely.Point(end)))
            self.edges.append((np.array(ends[0]), np.array(ends[-1])))
        self.sign = 1 if border.own_side is Side.LEFT else -1

    def area(self, point):
        return next(k for k, area in enumerate(self.areas) if area.covers(shapely.Point(point)))

    def says(self, point):
        """What the edges about the area of a place say of it, and the length of those that it is the own side of."""
        found, own_m = set(), 0.0
        here = self.area(point)
        for a, b in self.edges:
            across = np.array([-(b - a)[1], (b - a)[0]]) / np.hypot(*(b - a)) * self.sign
            for own in (True, False):
                if self.area((a + b) / 2 + (0.05 if own else -0.05) * across) == here:
                    found.add(own)
                    drawn = max(abs(a[0]), abs(b[0])) < 10_000
                    own_m += float(np.hypot(*(b - a))) * own * drawn
        return found, own_m


def at(place):
    return Base("base", LAT + place[1] / M_LAT, LON + place[0] / M_LON)


@settings(max_examples=asked(30))
@given(rosettes())
def test_a_line_of_loops_is_patrolled_from_within_each_area_that_is_own_and_from_no_other(case):
    border, place = case
    oracle = Oracle(border)
    said, own_m = oracle.says(place)
    if said != {True}:
        with pytest.raises(PlanError, match="crosses itself" if True in said else "far side"):
            plan(border, default_fleet(at(place), 2))
        return
    made = plan(border, default_fleet(at(place), 2))
    ways = [way(sortie) for sortie in made.sorties]
    assert min(one.distance(oracle.line) for one in ways) >= border.stand_off_m
    assert not any(one.intersects(oracle.line) for one in ways)
    home = oracle.area(place)
    assert all(oracle.area(point) == home for one in ways for point in one.coords)
    # All of the line that this ground lies beside is seen, but for what the cusps hide; all else is listed.
    touches = sum(0.0 in np.abs(metres([v])).max(axis=1).round(2) for v in border.coordinates)
    assert made.coverage.share * oracle.line.length >= own_m - CUSP_M * touches
    unseen = sum(gap.area_m2 for gap in made.coverage.uncovered)
    assert unseen == pytest.approx((1 - made.coverage.share) * made.coverage.band_area_m2, rel=0.02, abs=2000)


@settings(max_examples=few(100))
@given(scribbles())
def test_pieces_hold_all_of_the_line_once_and_do_not_touch_themselves_but_at_a_loop_that_is_put_back(border):
    pieces = taken_apart(border)
    drawn = shapely.union_all([shapely.LineString(piece.line.coordinates) for piece in pieces])
    line = shapely.LineString(border.coordinates)
    assert drawn.hausdorff_distance(line) < 1e-9
    assert sum(shapely.LineString(piece.line.coordinates).length for piece in pieces) == pytest.approx(line.length)
    for piece in pieces:
        assert not piece.line.self_crossings()
        assert piece.line.is_ring <= shapely.LineString(piece.line.coordinates).is_simple
        assert np.abs(np.diff(piece.edges_m, axis=1)).sum() == pytest.approx(piece.line.length_m(), rel=1e-6)


@settings(max_examples=few(100))
@given(scribbles(), st.data())
def test_contested_is_what_two_edges_do_not_agree_about(border, data):
    oracle = Oracle(border)
    contested = Contested([piece.line for piece in taken_apart(border)])
    for _ in range(10):
        point = data.draw(st.tuples(st.floats(-5000, 5000), st.floats(-5000, 5000)))
        if oracle.line.distance(shapely.Point(point)) > 5:
            lon, lat = LON + point[0] / M_LON, LAT + point[1] / M_LAT
            assert contested.holds(lat, lon) == (oracle.says(point)[0] == {True, False})


@pytest.mark.parametrize("north", [1, -1])
@pytest.mark.parametrize("side", ["left", "right"])
def test_a_loop_within_the_stand_off_is_a_slip_that_stops_nobody(north, side):
    """Its sides never matter: wherever an aircraft may be it is as far from all of it as from the rest."""
    loop = [(20 * math.sin(a), north * (20 - 20 * math.cos(a))) for a in np.linspace(0, 2 * math.pi, 17)]
    loop = [(x - 5 * math.sin(a / 2), y) for (x, y), a in zip(loop, np.linspace(0, 2 * math.pi, 17), strict=True)]
    border = border_from_metres([(-4000, 0), (0, 0), *loop[1:-1], (0, 0), (4000, 0)], side)
    made = plan(border, default_fleet(at((-1000, 1200 if side == "left" else -1200)), 1))
    line = shapely.LineString(metres(border.coordinates))
    assert min(way(sortie).distance(line) for sortie in made.sorties) >= border.stand_off_m
    assert made.coverage.share > 0.99
    larger = replace(
        border, coordinates=tuple((LON + (x - LON) * 5, LAT + (y - LAT) * 5) for x, y in border.coordinates)
    )
    crossing = bool(border.self_crossings())
    assert crossing == any(SLIP in one.line.note for one in taken_apart(border))
    assert not any(SLIP in one.line.note for one in taken_apart(larger))


def track(count, noise_m, seed):
    """A track of a receiver that moves on by a metre from place to place, and bends; which way it goes, metres."""
    rng = np.random.default_rng(seed)
    heading = np.cumsum(rng.normal(0, 0.02, count)) * (seed % 2)
    ahead = np.column_stack([np.cos(heading), np.sin(heading)])
    return np.cumsum(ahead, axis=0) + rng.normal(0, noise_m, (count, 2)), ahead


@settings(max_examples=few(60), deadline=None)
@given(st.integers(0, 2**31), st.integers(30, 300), st.floats(0.3, 3.0), st.sampled_from(["left", "right"]))
def test_of_a_tangled_track_there_stays_what_the_own_side_sees(seed, count, noise_m, side):
    """Whoever is on own ground is as far from the outline as from all of the track, which has one side all along."""
    points, _ = track(count, noise_m, seed - seed % 2)
    border = border_from_metres([tuple(point) for point in points], side)
    pieces = taken_apart(border)
    # What has no clear outline is left as it was drawn; beside one whose sides are contested nobody flies.
    assume("taken out" in pieces[0].line.note and not Contested([pieces[0].line]).places)
    assert len(pieces) == 1
    assert not pieces[0].line.self_crossings()
    whole, outline = (shapely.LineString(metres(one.coordinates)) for one in (border, pieces[0].line))
    # The track runs east. Own is what hangs together with what lies far beside it and is cut off by no ray on.
    ends = metres(border.coordinates)[[0, -1]]
    rays = [shapely.LineString([end, end + np.array([far, 0])]) for end, far in zip(ends, (-900, 900), strict=True)]
    box = shapely.box(-500, -500, count + 500, 500)
    areas = shapely.get_parts(shapely.polygonize(list(shapely.get_parts(shapely.node(
        shapely.union_all([whole, *(ray.intersection(box) for ray in rays), box.exterior])
    )))))  # fmt: skip
    far = shapely.Point(count / 2, 400 if side == "left" else -400)
    own = next(one for one in areas if one.contains(far))
    rng = np.random.default_rng(seed)
    tried = shapely.points(rng.uniform(0, count, 200), rng.uniform(-150, 150, 200))
    # Nearer than half of the stand-off nobody flies; there a pocket at an end may lie behind the outline.
    tried = tried[shapely.contains(own, tried) & (shapely.distance(whole, tried) > border.stand_off_m / 2)]
    # Less than the margin that every leg keeps beside the stand-off.
    assert (shapely.distance(whole, tried) > shapely.distance(outline, tried) - 2.0).all()


@pytest.mark.parametrize(("count", "seed"), [(1000, seed) for seed in (3, 8, 12, 45, 64)])
def test_a_track_that_crosses_itself_all_along_is_planned_with_one_note(count, seed):
    """By the file alone: the checker of plans is told nothing of how the line was made."""
    points, ahead = track(count, 1.0, seed)
    side = "right" if seed % 3 == 0 else "left"
    border = border_from_metres([tuple(point) for point in points], side)
    across = np.array([-ahead[count // 2, 1], ahead[count // 2, 0]]) * (1 if side == "left" else -1)
    made = plan(border, default_fleet(at(points[count // 2] + 300 * across), 1))
    assert check(made) == []
    line = shapely.LineString(metres(border.coordinates))
    assert min(way(sortie).distance(line) for sortie in made.sorties) >= border.stand_off_m + 7
    assert made.coverage.share > 0.99
    (note,) = (note for note in made.notes if SLIP in note)
    assert int(re.search(r"(\d+) loops that lie within", note)[1]) > 50
    assert note.count(SLIP) == 1


def test_where_a_flight_line_ends_is_not_told_by_the_last_step_of_a_track():
    points = np.column_stack([np.arange(1000.0), np.zeros(1000)]) + np.random.default_rng(3).normal(0, 1, (1000, 2))
    made = plan(border_from_metres([tuple(point) for point in points]), default_fleet(at((500.0, 300.0)), 1))
    assert check(made) == []
    ways = shapely.MultiLineString([way(sortie) for sortie in made.sorties])
    assert abs(ways.bounds[0]) < 20
    assert abs(ways.bounds[2] - 1000) < 20


def test_a_ring_that_crosses_itself_all_along_is_planned_from_within_it():
    """Its seam lies in the midst of a tangle."""
    angle = np.linspace(0, 2 * math.pi, 3000, endpoint=False)
    points = 500 * np.column_stack([np.cos(angle), np.sin(angle)]) + np.random.default_rng(5).normal(0, 1, (3000, 2))
    border = border_from_metres([tuple(point) for point in [*points, points[0]]], "left")
    made = plan(border, default_fleet(at((0.0, 0.0)), 1))
    assert check(made) == []
    line = shapely.LineString(metres(border.coordinates))
    assert min(way(sortie).distance(line) for sortie in made.sorties) >= border.stand_off_m + 7
    assert made.coverage.share > 0.99


def test_a_line_that_runs_along_itself_or_ends_on_itself_is_left_whole():
    there_and_back = border_from_metres(
        [(0, 0), (3000, 0), (3000, 1000), (4000, 1000), (4000, 0), (2000, 0), (2000, -500)]
    )
    ends_on_itself = border_from_metres([(0, 0), (3000, 0), (3000, 2000), (1500, 2000), (1500, 0)])
    for border in (there_and_back, ends_on_itself):
        assert [piece.line for piece in taken_apart(border)] == [border]


def test_risk_along_a_border_is_risk_along_its_pieces():
    """The place that a row means stays where it is, in metres of the ground."""
    points = [(-4000, 0), (0, 0), (1500, -2000), (-1500, -2000), (0, 0), (4000, 0)]
    border = border_from_metres(points, "left")
    rest, loop = (piece.line for piece in taken_apart(border))
    table = risk_apart(RiskTable((Risk(3500, 6000, 3.0), Risk(0, 100, 2.0, line="road"))), border)
    assert [row.line for row in table.rows] == [rest.name, loop.name, "road"]
    spans = np.array([(row.from_m, row.to_m) for row in table.rows])
    assert spans == pytest.approx(np.array([(3500, 4000), (0, 2000), (0, 100)]), abs=20)
    own = RiskTable((Risk(3500, 6000, 3.0),))
    made = plan(border, default_fleet(at((-1000, 1000)), 1), options=PlanOptions(objective=Objective.RISK), risk=own)
    assert {row.line for row in made.risk.rows} == {rest.name, loop.name}


@pytest.mark.parametrize("apart", [True, False])
def test_a_polygon_with_a_hole_is_patrolled_on_both_its_rings(tmp_path, monkeypatch, apart):
    """An enclave in an enclave; it may touch the ring about it in a point."""
    outer = [(0, 0), (6000, 0), (6000, 6000), (0, 6000), (0, 0)]
    inner = [(3000, 2000), (2000, 3000), (3000, 4000), (4000, 3000), (3000, 2000)]
    if not apart:
        inner = [(x, y - 2000) for x, y in inner]
    rings = [[[LON + x / M_LON, LAT + y / M_LAT] for x, y in ring] for ring in (outer, inner)]
    feature = {
        "type": "Feature",
        "properties": {"name": "land", "own_side": "inside"},
        "geometry": {"type": "Polygon", "coordinates": rings},
    }
    (tmp_path / "land.geojson").write_text(json.dumps(feature))
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, ["plan", "land.geojson", "--base", f"{LAT + 1500 / M_LAT},{LON + 1500 / M_LON}"])
    assert result.exit_code == 0, result.output
    made = load_plan(tmp_path / "runs/plan/plan.json")
    lines = shapely.MultiLineString([metres(ring) for ring in rings])
    assert min(way(sortie).distance(lines) for sortie in made.sorties) >= made.border.stand_off_m
    assert made.coverage.share > (0.98 if apart else 0.93)
