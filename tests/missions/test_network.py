"""Networks: what meets is joined, what crosses is cut, and nothing is beyond the border."""

import json
import time
from collections import Counter

import numpy as np
import pytest
import shapely
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from missions import BorderError, BorderSegment, FormatError
from missions.network import BorderNetwork, Branch, LineKind, NetworkEdge, NetworkNode
from missions.network_build import build_network
from missions.network_files import read_network, write_network
from tests.asked import few

LAT, LON = 46.0, 8.0
M_LAT, M_LON = 111_195.0, 111_195.0 * np.cos(np.radians(LAT))


def degrees(points, lon=LON):
    """East and north in metres of LAT, LON; the plane in which edges are straight is that of degrees."""
    xy = np.array(points, dtype=float) / [M_LON, M_LAT] + [lon, LAT]
    return tuple(zip(((xy[:, 0] + 180) % 360 - 180).tolist(), xy[:, 1].tolist(), strict=True))


def metres(coordinates, lon=LON):
    xy = np.array(coordinates)
    return np.stack([((xy[:, 0] - lon + 180) % 360 - 180) * M_LON, (xy[:, 1] - LAT) * M_LAT], axis=-1)


def border(points, side="left", lon=LON, **fields):
    return BorderSegment("border", "AAA", "BBB", degrees(points, lon), side, **fields)


def road(points, name="road", lon=LON, **fields):
    return Branch(name, "road", degrees(points, lon), **fields)


LINE = border([(0, 0), (10_000, 0)], priority=3, stand_off_m=70)


def lengths(network, kind):
    return sorted(round(edge.length_m() / 10) * 10 for edge in network.edges if edge.kind == kind)


def test_a_road_that_ends_near_the_border_makes_a_junction():
    network = build_network("n", [LINE], [road([(4000, 5000), (4000, 6)], priority=2, band_left_m=40)])
    assert lengths(network, "border") == pytest.approx([4000, 6000], abs=25)
    assert lengths(network, "road") == pytest.approx([5000], abs=25)
    assert sorted(network.degrees()) == [1, 1, 1, 3]
    assert {edge.priority for edge in network.edges} == {2, 3}
    assert {edge.border.stand_off_m for edge in network.edges if edge.border} == {70}
    assert network.branches[0].band_left_m == 40
    assert len(network.components()) == 1
    assert network.length_m() == pytest.approx(15_000, rel=0.01)


def test_what_lies_beyond_the_border_is_cut_off_and_reported():
    river = Branch("river", "river", degrees([(4000, 3000), (4000, -2000), (6000, -2000), (6000, 1000)]))
    network = build_network("n", [LINE], [river])
    assert lengths(network, "river") == pytest.approx([1000, 3000], abs=15)
    assert lengths(network, "border") == pytest.approx([2000, 4000, 4000], abs=25)
    (cut,) = network.cut_off
    assert (cut.name, cut.reason) == ("river", "lies beyond the border: never flown")
    assert cut.length_m == pytest.approx(6000, rel=0.01)


def test_the_border_counts_as_going_on_where_it_ends():
    around = road([(9000, 3000), (13_000, 3000), (13_000, -3000), (9000, -3000)])
    network = build_network("n", [LINE], [around])
    assert lengths(network, "road") == pytest.approx([7000], abs=25)
    assert network.cut_off[0].length_m == pytest.approx(7000, rel=0.01)


def test_an_overshoot_within_the_tolerance_is_no_part_beyond():
    network = build_network("n", [LINE], [road([(4000, 3000), (4000, -6)])])
    assert network.cut_off == ()
    assert metres(network.branches[0].coordinates)[:, 1].min() >= -1e-6


def test_branches_are_cut_where_they_cross_and_where_one_ends_on_another():
    network = build_network(
        "n",
        [],
        [road([(0, 0), (4000, 0)]), road([(2000, -900), (2000, 900)], "b"), road([(1000, 5), (1000, 900)], "c")],
    )
    assert Counter(network.degrees()) == {1: 5, 3: 1, 4: 1}
    assert Counter(edge.name for edge in network.edges) == {"road": 3, "b": 2, "c": 1}


def test_a_road_that_crosses_itself_gets_a_node_and_a_loop():
    network = build_network("n", [], [road([(0, 0), (2000, 0), (2000, 1000), (1000, 1000), (1000, -1000)])])
    assert lengths(network, "road") == pytest.approx([1000, 1000, 4000], abs=25)
    assert sorted(network.degrees()) == [1, 1, 4]


def test_a_needle_is_a_way_out_and_not_a_loop():
    network = build_network("n", [LINE], [road([(4000, -300), (4000, 3000), (4008, -300)])])
    assert lengths(network, "road") == pytest.approx([3000], abs=15)
    assert sorted(network.degrees()) == [1, 1, 1, 3]


def test_an_enclave_is_a_ring_whose_inside_or_outside_is_beyond():
    ring = [(0, 0), (3000, 0), (3000, 3000), (0, 3000), (0, 0)]
    through = road([(-2000, 1500), (5000, 1500)])
    outside = build_network("n", [border(ring, "right")], [through])
    assert lengths(outside, "road") == pytest.approx([2000, 2000], abs=15)
    inside = build_network("n", [border(ring, "left")], [through])
    assert lengths(inside, "road") == pytest.approx([3000], abs=15)
    alone = build_network("n", [border(ring)])
    assert [(edge.start, edge.end) for edge in alone.edges] == [(0, 0)]


def test_borders_that_go_on_are_one_wall():
    first, second = border([(0, 0), (5000, 0)]), border([(5004, 3), (5004, 5000)])
    inner, outer = road([(4000, 4000), (4000, 1000)]), road([(6000, 4000), (6000, 1000)])
    network = build_network("n", [first, second], [inner, outer])
    assert [cut.length_m for cut in network.cut_off] == [pytest.approx(3000, rel=0.01)]
    assert metres(network.branches[0].coordinates)[0, 0] == pytest.approx(4000, abs=1)
    assert sorted(network.degrees()) == [1, 1, 1, 1, 2]


def test_duplicates_and_what_runs_along_the_border_are_left_out_with_a_note():
    fence = Branch("fence", "fence", degrees([(1000, 3), (9000, 3)]))
    network = build_network(
        "n", [LINE, LINE], [fence, road([(0, 500), (9000, 500)]), road([(9000, 503), (0, 503)], "again")]
    )
    assert Counter(edge.name for edge in network.edges) == {"border": 1, "road": 1}
    assert list(dict.fromkeys(note.split(":")[0] for note in network.notes)) == ["fence", "border", "again"]


def test_components_are_told_and_the_longest_comes_first():
    network = build_network("n", [LINE], [road([(0, 500), (100, 900)]), road([(5000, 3000), (5000, 5)])])
    first, second = network.components()
    assert [network.edges[i].name for i in second] == ["road"]
    assert len(first) == 3


@st.composite
def places(draw):
    rng = np.random.default_rng(draw(st.integers(0, 2**31)))
    count = draw(st.integers(3, 12))
    line = np.stack([np.linspace(0, 8000, count), np.cumsum(rng.uniform(-500, 500, count))], axis=-1)
    branches = []
    for _ in range(draw(st.integers(1, 6))):
        turns = np.cumsum(rng.uniform(-1500, 1500, (draw(st.integers(2, 5)), 2)), axis=0)
        branches.append(turns + np.array([rng.uniform(500, 7500), rng.uniform(-1000, 2500)]))
    return line, branches, draw(st.sampled_from(["left", "right"]))


def half(line, side):
    """The own side as a polygon: an oracle that knows nothing of nearest points."""
    start, end = line[0] - line[1], line[-1] - line[-2]
    far = 1e6
    whole = [line[0] + start / np.hypot(*start) * far, *line, line[-1] + end / np.hypot(*end) * far]
    return (
        shapely.Polygon([*whole, (far, far * 2), (-far, far * 2)])
        if side == "left"
        else shapely.Polygon([*whole, (far, -far * 2), (-far, -far * 2)])
    )


TOLERANCE_M = 10.0


@settings(max_examples=few(200), deadline=None)
@given(places())
def test_all_of_the_own_side_is_in_the_network_and_nothing_else(place):
    line, branches, side = place
    own = half(line, side)
    assume(own.is_valid)
    roads = [road(points, f"road {i}") for i, points in enumerate(branches)]
    network = build_network("n", [border(line, side)], roads, TOLERANCE_M)
    edges = [shapely.LineString(metres(edge.coordinates)) for edge in network.edges]
    border_line = shapely.LineString(line)
    # The border is all there, in its place.
    ours = [shape for shape, edge in zip(edges, network.edges, strict=True) if edge.kind is LineKind.BORDER]
    assert sum(shape.length for shape in ours) == pytest.approx(border_line.length, rel=1e-9)
    assert max(shapely.hausdorff_distance(shape, border_line) for shape in [shapely.union_all(ours)]) < 1e-3
    # Nothing is beyond it by more than ends are moved.
    assert all(own.buffer(TOLERANCE_M + 0.1).covers(shape) for shape in edges)
    # Nothing of the own side is lost, but for what is too short to be an edge or runs along the border, which counts as
    # going on past its ends.
    kept = shapely.union_all([*edges, shapely.boundary(own)]).buffer(4.5 * TOLERANCE_M)
    for points in branches:
        mine = shapely.LineString(points).intersection(own)
        assert mine.difference(kept).length < 1e-6
    # Stretches meet in nodes only.
    nodes = shapely.MultiPoint(metres([(node.lon_deg, node.lat_deg) for node in network.nodes]))
    for i, one in enumerate(edges):
        for other in edges[:i]:
            met = one.intersection(other)
            assert met.is_empty or nodes.buffer(3 * TOLERANCE_M).covers(met)
    # What was cut off and what was kept make up the whole.
    cut = sum(part.length_m for part in network.cut_off)
    beyond = sum(shapely.LineString(points).difference(own).length for points in branches)
    assert cut <= beyond * 1.02 + 40 * TOLERANCE_M * len(branches)


@settings(max_examples=40, deadline=None)
@given(places())
def test_degrees_and_components_are_those_of_a_search(place):
    line, branches, side = place
    network = build_network("n", [border(line, side)], [road(points) for points in branches])
    ends = [(edge.start, edge.end) for edge in network.edges]
    count = Counter(node for pair in ends for node in pair)
    assert network.degrees() == tuple(count[i] for i in range(len(network.nodes)))
    left, parts = set(range(len(ends))), []
    while left:
        part, seen = set(), set(ends[min(left)])
        while grown := {i for i in left - part if seen & set(ends[i])}:
            part |= grown
            seen |= {node for i in grown for node in ends[i]}
        left -= part
        parts.append(tuple(sorted(part)))
    assert sorted(parts) == sorted(network.components())


@settings(max_examples=40, deadline=None)
@given(places())
def test_a_network_over_the_antimeridian_is_like_any_other(place):
    line, branches, side = place
    lon = 179.95
    here = build_network("n", [border(line, side)], [road(points) for points in branches])
    there = build_network("n", [border(line, side, lon)], [road(points, lon=lon) for points in branches])
    assert [(e.start, e.end, e.name) for e in there.edges] == [(e.start, e.end, e.name) for e in here.edges]
    for a, b in zip(there.edges, here.edges, strict=True):
        assert metres(a.coordinates, lon) == pytest.approx(metres(b.coordinates), abs=1e-3)
    lat, lon_deg = there.centre()
    assert lat == pytest.approx(here.centre()[0])
    assert (lon_deg - lon) % 360 == pytest.approx((here.centre()[1] - LON) % 360)
    assert abs(lon_deg) <= 180


@pytest.mark.parametrize("suffix", ["geojson", "kml", "kmz", "gpkg", "shp"])
def test_a_written_network_comes_back(tmp_path, suffix):
    river = Branch("river", "river", degrees([(4000, 3000), (4000, -2000)]), 12.5, 80, 4, "water board", "deep")
    network = build_network("net", [LINE], [river, road([(0, 2000), (9000, 2000)])])
    path = tmp_path / f"net.{suffix}"
    write_network(network, path)
    read = read_network(path)
    assert [edge.line for edge in read.edges] == [edge.line for edge in network.edges]
    assert sorted(read.degrees()) == sorted(network.degrees())


def test_a_mixed_collection_is_read_by_kind(tmp_path):
    path = tmp_path / "net.geojson"

    def feature(points, **properties):
        geometry = {"type": "LineString", "coordinates": degrees(points)}
        return {"type": "Feature", "properties": properties, "geometry": geometry}

    features = [
        feature([(0, 0), (9000, 0)], own_side="left"),
        feature([(100, 100), (100, 5000)], kind="Road", name="track"),
        {"type": "Feature", "properties": {"kind": "post"}, "geometry": {"type": "Point", "coordinates": [8, 46]}},
    ]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    network = read_network(path)
    assert [(edge.kind, edge.name) for edge in network.edges] == [("border", "net"), ("road", "track")]
    for extra, words in (
        (feature([(0, 500), (900, 500)], name="wall"), r"feature 4 \(wall\): kind is missing"),
        (feature([(0, 500), (900, 500)], kind="wall"), "feature 4: kind is 'wall'"),
        (feature([(0, 500), (900, 500)], kind="border"), "feature 4: own_side is missing"),
        (feature([(0, 500), (0, 500)], kind="road"), "feature 4: .*1 distinct"),
        (feature([(0, 500), (900, 500)], kind="road", band_left_m="x"), "feature 4: band_left_m is 'x'"),
    ):
        path.write_text(json.dumps({"type": "FeatureCollection", "features": [*features, extra]}))
        with pytest.raises(BorderError if "band" not in words else FormatError, match=words):
            read_network(path)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"kind": "border"}, "kind is 'border'"),
        ({"kind": "canal"}, "kind is 'canal': give fence, road or river"),
        ({"coordinates": ((8, 46), (8, float("nan")))}, "latitude nan"),
        ({"coordinates": ((8, 46), (8, 46))}, "1 distinct"),
        ({"band_left_m": -1}, "band_left_m"),
        ({"band_right_m": float("nan")}, "band_right_m"),
        ({"band_left_m": 0, "band_right_m": 0}, "no depth"),
        ({"priority": 0}, "priority"),
    ],
)
def test_what_is_no_branch_is_refused(change, words):
    with pytest.raises(BorderError, match=words):
        Branch(**({"name": "n", "kind": "road", "coordinates": ((8, 46), (8.1, 46))} | change))


def test_what_is_no_network_is_refused():
    with pytest.raises(BorderError, match="no line"):
        build_network("n", [])
    with pytest.raises(BorderError, match="tolerance_m is nan"):
        build_network("n", [LINE], (), float("nan"))
    with pytest.raises(BorderError, match="edges is empty"):
        BorderNetwork("n", (), ())
    nodes = (NetworkNode(46.0, 8.0), NetworkNode(46.0, 9.0))
    with pytest.raises(BorderError, match="not at node 1"):
        BorderNetwork("n", nodes, (NetworkEdge(0, 1, LINE),))
    with pytest.raises(BorderError, match="start is 7"):
        BorderNetwork("n", nodes, (NetworkEdge(7, 1, LINE),))
    with pytest.raises(BorderError, match="either border or branch"):
        NetworkEdge(0, 1)
    with pytest.raises(BorderError, match="latitude"):
        NetworkNode(95.0, 8.0)


def test_a_long_border_with_many_branches_takes_little_time():
    rng = np.random.default_rng(5)
    line = np.stack([np.linspace(0, 1_000_000, 50_000), rng.normal(size=50_000) * 5], axis=-1)
    roads = [road([(x, -500), (x + 50, 900), (x + 3000, 1500)], f"road {x}") for x in range(10_000, 990_000, 3000)]
    begin = time.process_time()
    network = build_network("n", [border(line)], roads)
    assert time.process_time() - begin < 20  # about two seconds
    assert len(network.cut_off) == len(roads)
