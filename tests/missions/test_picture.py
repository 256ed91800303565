"""The picture of a plan: whatever its size it can be read, and its legend names what is drawn and nothing else."""

import re
from dataclasses import replace
from functools import cache
from itertools import combinations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from geo import FlatTerrain
from missions import (
    Airspace,
    Base,
    LandingSite,
    Objective,
    PlanOptions,
    base_behind,
    build_network,
    default_fleet,
    draw_map,
    plan,
    plan_network,
    sortie_fence,
)
from tests.asked import asked
from tests.missions.helpers import LAT, LON, M_LAT, M_LON, beside, fleet_for, straight
from tests.missions.test_airspace_plans import zone
from tests.missions.test_network_plan import ROAD, branch


@cache
def bases_along(length_m, bases, drones):
    border = straight(length_m)
    places = [base_behind(border, length_m * (k + 0.5) / bases, name=f"post-{k + 1}") for k in range(bases)]
    fleet = default_fleet(places[0], drones)
    vehicles = tuple(replace(v, base=places[k * bases // drones]) for k, v in enumerate(fleet.vehicles))
    return plan(border, replace(fleet, vehicles=vehicles), FlatTerrain(500.0))


def with_bases_called(name, made):
    """The same plan, its bases numbered under another name."""
    of = {v.base.name: replace(v.base, name=v.base.name.replace("post", name)) for v in made.fleet.vehicles}
    vehicles = tuple(replace(v, base=of[v.base.name]) for v in made.fleet.vehicles)
    return replace(made, fleet=replace(made.fleet, vehicles=vehicles))


def one_base(length_m, drones, **options):
    border = straight(length_m)
    return plan(border, fleet_for(border, drones), options=PlanOptions(**options))


def network():
    """A border, a river and a road, a zone on the border, and one landing site far away."""
    border = straight(12_000)
    lines = [ROAD, branch([(500, 2000), (9000, 2500)], "river", "river")]
    sites = (
        LandingSite("near", LAT + 800 / M_LAT, LON + 3000 / M_LON, 30.0),
        LandingSite("far", LAT + 1.0, LON, 30.0),
    )
    airspace = Airspace((zone("lake", 5500, 200, 400), zone("away", 5000, 60_000, 400)), sites)
    return plan_network(
        build_network("net", [border], lines), default_fleet(beside(border, 1000), 3), airspace=airspace
    )


PLANS = {
    "one aircraft": lambda: one_base(9_000, 1),
    "two aircraft": lambda: one_base(20_000, 2),
    "one aircraft, many sorties": lambda: one_base(120_000, 1),
    "eight aircraft": lambda: one_base(40_000, 8),
    "thirty aircraft": lambda: one_base(40_000, 30),
    "one coverage": lambda: one_base(60_000, 2, objective=Objective.ONCE),
    "many bases": lambda: bases_along(300_000, 30, 60),
    "long names": lambda: with_bases_called("observation post", bases_along(300_000, 30, 60)),
    "network": network,
}


@pytest.fixture(scope="module")
def drawn():
    """Each plan with its picture, laid out."""
    found = {}
    for name, make in PLANS.items():
        made = make()
        found[name] = made, laid_out(made)
    return found


def laid_out(made):
    """The picture of a plan."""
    from missions.picture import figure_of  # Matplotlib takes a second to load: whoever runs other files waits for none

    figure = figure_of(made)
    figure.draw_without_rendering()
    return figure


@pytest.fixture(params=PLANS)
def picture(request, drawn):
    return drawn[request.param]


def words(axes):
    """What is written on a panel or beside its rows, and where, pixels."""
    from matplotlib.text import Text

    texts = [t for t in (*axes.texts, *axes.get_yticklabels()) if t.get_text() and t.get_visible()]
    # Of the letters alone: an annotation counts its arrow in.
    return [(t.get_text(), Text.get_window_extent(t)) for t in texts]


def legend(axes):
    return [text.get_text() for text in axes.get_legend().get_texts()]


def overlap(a, b):
    """Whether two boxes share more than a pixel each way."""
    return min(a.x1, b.x1) - max(a.x0, b.x0) > 1 and min(a.y1, b.y1) - max(a.y0, b.y0) > 1


def bars(axes):
    """The rectangles of a timetable: row, beginning and length, minutes."""
    from matplotlib.collections import PolyCollection

    for one in axes.collections:
        assert isinstance(one, PolyCollection)
        for path in one.get_paths():
            (x0, y0), (x1, y1) = path.vertices.min(axis=0), path.vertices.max(axis=0)
            yield round((y0 + y1) / 2), x0, x1 - x0


def test_no_words_of_a_panel_hide_others(picture):
    _, figure = picture
    for axes in figure.axes:
        for (a, first), (b, second) in combinations(words(axes), 2):
            assert not overlap(first, second), (a, b)


def test_names_of_bases_stay_on_the_overview(picture):
    made, figure = picture
    overview = figure.axes[0]
    named = [(text, box) for text, box in words(overview) if text in {v.base.name for v in made.fleet.vehicles}]
    assert named
    panel = overview.get_window_extent()
    for text, box in named:
        assert panel.containsx(box.x0), text
        assert panel.containsx(box.x1), text
        assert panel.containsy(box.y0), text
        assert panel.containsy(box.y1), text


def test_every_base_is_named_where_there_is_room(drawn):
    for name, least, most in (("network", 1, 1), ("many bases", 30, 30), ("long names", 5, 29)):
        made, figure = drawn[name]
        bases = {v.base.name for v in made.fleet.vehicles}
        assert least <= len([text for text, _ in words(figure.axes[0]) if text in bases]) <= most


def test_the_timetable_has_every_flight_of_two_rounds_in_one_collection_a_vehicle(picture):
    made, figure = picture
    timetable = figure.axes[2]
    shown = [f for f in made.flights if f.start_s < 2 * made.revisit_s]
    assert len(timetable.collections) == len({f.sysid for f in shown})
    airborne = sum(leg.duration_s for f in shown for leg in made.sorties[f.sortie].legs) / 60
    found = list(bars(timetable))
    assert sum(length for _, _, length in found) == pytest.approx(airborne)
    assert min(at for _, at, _ in found) == pytest.approx(min(f.start_s for f in shown) / 60)
    left, right = timetable.get_xlim()
    low, high = sorted(timetable.get_ylim())
    for row, at, length in found:
        assert left <= at
        assert at + length <= right
        assert low < row < high
    assert {row for row, _, _ in found} <= set(range(len(made.fleet.vehicles)))
    last = max(at + length for _, at, length in found)
    assert right <= 1.05 * last


def test_the_rows_of_a_base_stand_together(drawn):
    _, figure = drawn["many bases"]
    names = [t.get_text() for t in figure.axes[2].get_yticklabels()]
    assert 10 <= len(names) <= 24
    assert all(re.fullmatch(r"post-\d+ \(2 aircraft\)", name) for name in names)
    made, figure = drawn["two aircraft"]
    assert [t.get_text() for t in figure.axes[2].get_yticklabels()] == [v.name for v in made.fleet.vehicles]


def test_flights_of_a_small_plan_say_how_far_and_what_is_left(drawn):
    made, figure = drawn["two aircraft"]
    said = [text for text, _ in words(figure.axes[2])]
    shown = [f for f in made.flights if f.start_s < 2 * made.revisit_s]
    first = made.sorties[shown[0].sortie]
    assert f"{first.distance_m / 1000:.0f} km\n{first.reserve_left:.0%} left" in said
    assert sum("left" in text for text in said) == len(shown)
    for crowded in ("thirty aircraft", "many bases"):
        assert not [text for text, _ in words(drawn[crowded][1].axes[2]) if "left" in text]


def test_the_legend_of_the_overview_names_what_is_drawn(picture):
    made, figure = picture
    entries = legend(figure.axes[0])
    assert len(set(entries)) == len(entries)
    assert ("no-fly zone" in entries) == bool(made.airspace.zones)
    assert ("landing site" in entries) == bool(made.airspace.landing_sites)
    assert ("not seen" in entries) == bool(made.coverage.uncovered)
    excluded = any(not shape.inclusion for sortie in made.sorties for shape in sortie_fence(made, sortie))
    assert ("geofence, keep out" in entries) == excluded
    assert {str(b.kind) for b in made.branches} == {"road", "river", "fence"} & set(entries)
    flying = {s.vehicle.name for s in made.sorties}
    named = {v.name for v in made.fleet.vehicles if any(e.startswith(f"{v.name}, ") for e in entries)}
    assert named == (flying if len(flying) <= 6 else set())
    numbers = [text for text, _ in words(figure.axes[0]) if text.isdigit()]
    assert any("numbers: sorties" in e for e in entries) == bool(numbers)
    assert bool(numbers) == (len(made.sorties) <= 24)


def test_the_legend_of_the_close_up_names_what_is_drawn(drawn):
    made, figure = drawn["network"]
    assert made.sorties[0].patrol
    lines = {"border", "road", "river", "fence"} & set(legend(figure.axes[1]))
    watched = [e for e in legend(figure.axes[1]) if e.startswith("view, ")]
    assert len(watched) == 1
    assert watched[0].rpartition(" ")[2] in lines
    _, figure = drawn["two aircraft"]
    assert {"border", "geofence"} <= set(legend(figure.axes[1]))
    assert any(e.startswith("band 25 + 25 m") for e in legend(figure.axes[1]))


def test_one_coverage_is_not_called_a_round(drawn):
    _, figure = drawn["one coverage"]
    assert "all of it once within" in figure.get_suptitle()
    assert figure.axes[2].get_title("left") == "Timetable"


def test_fences_that_are_handed_over_are_drawn(drawn, tmp_path):
    made, _ = drawn["network"]
    fences = [sortie_fence(made, sortie) for sortie in made.sorties]
    draw_map(made, tmp_path / "own.png")
    draw_map(made, tmp_path / "given.png", fences)
    assert (tmp_path / "own.png").read_bytes() == (tmp_path / "given.png").read_bytes()
    draw_map(made, tmp_path / "other.png", [fence[:1] for fence in fences])
    assert (tmp_path / "own.png").read_bytes() != (tmp_path / "other.png").read_bytes()


@settings(max_examples=asked(12), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    length_km=st.floats(3, 60),
    drones=st.integers(1, 16),
    name=st.text("abcxyzABC -", min_size=1, max_size=30),
    along=st.floats(0.05, 0.95),
)
def test_no_words_hide_others_wherever_the_base_is(length_km, drones, name, along):
    border = straight(length_km * 1000)
    base = Base(name, LAT + 1500 / M_LAT, LON + along * length_km * 1000 / M_LON)
    figure = laid_out(plan(border, default_fleet(base, drones)))
    for axes in figure.axes:
        for (a, first), (b, second) in combinations(words(axes), 2):
            assert not overlap(first, second), (a, b)
