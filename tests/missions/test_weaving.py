"""Sharing legs out among drones whose flights may leave legs for the way back, against every tour there is."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from missions import PlanError, share_legs, weaving
from tests.asked import few

PATROL, CRUISE = 10.0, 15.0
CLOSE = 1e-9
"""Rounding, as a share of the limit."""

GAPS = st.sampled_from([0.0, 0.3, 1.0])
"""How many of the legs begin elsewhere than where the one before ends."""


def _folded(seed, count, drones, *, gaps=0.0):
    """Legs of a border that folds back upon itself, and bases anywhere around it."""
    rng = np.random.default_rng(seed)
    turns = rng.normal(0, 1.2, count).cumsum()
    steps = rng.uniform(50, 300, (count, 1)) * np.column_stack([np.cos(turns), np.sin(turns)])
    points = np.vstack([[0, 0], steps.cumsum(axis=0)])
    ends = np.stack([points[:-1], points[1:]], axis=1)
    wide = rng.uniform(0, 60, (count, 1, 1)) * (rng.uniform(size=(count, 1, 1)) < gaps)
    ends += (wide * [1.0, 0.0]).cumsum(axis=0)
    return ends, rng.uniform(points.min(axis=0) - 200, points.max(axis=0) + 200, (drones, 2))


def _time_s(ends, base, steps):
    """Time of a flight over legs and ways, (leg, from which end), by the definition."""
    here, time = base, 0.0
    for leg, end in steps:
        time += math.dist(here, ends[leg, end]) / CRUISE + math.dist(*ends[leg]) / PATROL
        here = ends[leg, 1 - end]
    return time + math.dist(here, base) / CRUISE


def _best_s(ends, base, legs):
    """The shortest of all flights: every order, every direction."""
    return min(
        (
            _time_s(ends, base, tuple(zip(order, ways, strict=True)))
            for order in itertools.permutations(legs)
            for ways in itertools.product((0, 1), repeat=len(legs))
        ),
        default=0.0,
    )


def _out_and_back_s(ends, base, legs):
    """The shortest of all flights round: some legs forwards along the border, then the others backwards."""
    best = math.inf
    for out in itertools.product((True, False), repeat=len(legs)):
        forth = [(leg, 0) for leg, goes in zip(legs, out, strict=True) if goes]
        back = [(leg, 1) for leg, goes in zip(legs, out, strict=True) if not goes]
        ring = forth + back[::-1]
        # The flight may begin anywhere on the round.
        best = min(best, *(_time_s(ends, base, ring[k:] + ring[:k]) for k in range(len(ring))))
    return best


def _ways(ends, base, legs):
    """The tour's own directions: of all, those that cost least."""
    return min(
        _time_s(ends, base, tuple(zip(legs, ways, strict=True))) for ways in itertools.product((0, 1), repeat=len(legs))
    )


@settings(max_examples=few(60), deadline=None)
@given(seed=st.integers(0, 10**6), count=st.integers(1, 8), gaps=GAPS)
def test_one_drone_flies_the_best_round_out_and_back(seed, count, gaps):
    ends, base = _folded(seed, count, 1, gaps=gaps)
    (tour,) = share_legs(ends, base, PATROL, CRUISE)
    best = _out_and_back_s(ends, base[0], range(count))
    assert tour.time_s == pytest.approx(best, rel=1e-9)
    assert sorted(tour.legs) == list(range(count))
    assert _ways(ends, base[0], tour.legs) <= tour.time_s * (1 + 1e-9)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), count=st.integers(1, 30), drones=st.integers(1, 5), gaps=GAPS)
def test_without_folds_each_flight_is_a_pass_from_end_to_end(seed, count, drones, gaps):
    ends, base = _folded(seed, count, drones, gaps=gaps)
    tours = share_legs(ends, base, PATROL, CRUISE, folded=False)
    assert [leg for tour in tours for leg in tour.legs] == list(range(count))
    assert len({tour.drone for tour in tours}) == len(tours)
    for tour in tours:
        assert tour.time_s == pytest.approx(_time_s(ends, base[tour.drone], [(leg, 0) for leg in tour.legs]))
    folded = share_legs(ends, base, PATROL, CRUISE)
    assert max(t.time_s for t in folded) <= max(t.time_s for t in tours) * (1 + 2 * CLOSE) or gaps


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), count=st.integers(1, 5), gaps=GAPS)
def test_two_drones_are_between_the_optimum_and_the_best_cut_in_their_order(seed, count, gaps):
    ends, base = _folded(seed, count, 2, gaps=gaps)
    tours = share_legs(ends, base, PATROL, CRUISE)
    assert sorted(leg for tour in tours for leg in tour.legs) == list(range(count))
    value = max(tour.time_s for tour in tours)
    optimum = min(
        max(
            _best_s(ends, base[0], [k for k in range(count) if own[k] == 0]),
            _best_s(ends, base[1], [k for k in range(count) if own[k] == 1]),
        )
        for own in itertools.product((0, 1), repeat=count)
    )
    assert value >= optimum * (1 - 1e-9)

    def cut_s(first, second):
        return min(
            max(
                _out_and_back_s(ends, base[first], range(cut)) if cut else 0.0,
                _out_and_back_s(ends, base[second], range(cut, count)) if cut < count else 0.0,
            )
            for cut in range(count + 1)
        )

    # Which of the two comes first is the choice of `share_out`.
    assert value <= max(cut_s(0, 1), cut_s(1, 0)) * (1 + 2 * CLOSE)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), drones=st.integers(1, 6))
def test_many_legs_are_all_seen_in_the_times_that_are_said(seed, drones):
    ends, base = _folded(seed, 120, drones)
    tours = share_legs(ends, base, PATROL, CRUISE)
    assert sorted(leg for tour in tours for leg in tour.legs) == list(range(120))
    assert len({tour.drone for tour in tours}) == len(tours)
    for tour in tours:
        # Directions by position in the flight: each leg is left at the end nearer to what follows, tried both ways.
        left = {}
        for place, leg in enumerate(tour.legs):
            for end in (0, 1):
                own = math.dist(*ends[leg]) / PATROL
                if place == 0:
                    left[place, end] = math.dist(base[tour.drone], ends[leg, 1 - end]) / CRUISE + own
                else:
                    before = tour.legs[place - 1]
                    left[place, end] = own + min(
                        left[place - 1, e] + math.dist(ends[before, e], ends[leg, 1 - end]) / CRUISE for e in (0, 1)
                    )
        last = len(tour.legs) - 1
        exact = min(left[last, e] + math.dist(ends[tour.legs[last], e], base[tour.drone]) / CRUISE for e in (0, 1))
        assert exact <= tour.time_s * (1 + 1e-9)


def _on_end_s(ends, base, start, stop):
    """The shortest flight over legs on end: besides them it joins their two ends and the base.

    That is a pass, or the two ends are joined straight and the base hangs on the place that is nearest to it.
    """
    if start == stop:
        return 0.0
    places = np.vstack([ends[start:stop, 0], ends[stop - 1 : stop, 1]])
    home = np.hypot(*(places - base).T)
    patrol = np.hypot(*(places[1:] - places[:-1]).T).sum() / PATROL
    return patrol + min(home[0] + home[-1], math.dist(places[0], places[-1]) + 2 * home.min()) / CRUISE


@settings(max_examples=few(60), deadline=None)
@given(seed=st.integers(0, 10**6), count=st.integers(2, 200))
def test_legs_on_end_are_seen_in_the_least_time(seed, count):
    ends, base = _folded(seed, count, 1)
    (tour,) = share_legs(ends, base, PATROL, CRUISE)
    assert tour.time_s == pytest.approx(_on_end_s(ends, base[0], 0, count), rel=1e-9)


@settings(max_examples=few(60), deadline=None)
@given(seed=st.integers(0, 10**6), count=st.integers(2, 200))
def test_two_drones_share_legs_on_end_at_the_best_of_all_places(seed, count):
    ends, base = _folded(seed, count, 2)
    value = max(tour.time_s for tour in share_legs(ends, base, PATROL, CRUISE))

    def cut_s(first, second):
        return min(
            max(_on_end_s(ends, base[first], 0, cut), _on_end_s(ends, base[second], cut, count))
            for cut in range(count + 1)
        )

    # Which of the two begins is as `share_out` has it.
    assert any(value == pytest.approx(cut_s(*order), rel=1e-9) for order in ((0, 1), (1, 0)))


@pytest.mark.parametrize("share", [0.5e-12, 1.5e-12, 3e-12, 1e-11])
def test_the_search_ends_where_two_flights_take_all_but_the_same_time(monkeypatch, share):
    """A limit between two times that rounding hardly tells apart was tried for ever."""
    tried = []
    fill = weaving._fill

    def counted(*given):
        tried.append(given)
        assert len(tried) < 200
        return fill(*given)

    monkeypatch.setattr(weaving, "_fill", counted)
    cut = 1000.0 * (1 - share)
    ends = np.array([[[0.0, 0.0], [cut, 0.0]], [[cut, 0.0], [cut + 1000.0, 0.0]]])
    bases = np.array([[cut / 2, 0.0], [cut + 500.0, 0.0]])
    tours = share_legs(ends, bases, PATROL, PATROL)
    assert [tour.legs for tour in tours] == [(0,), (1,)]
    assert max(tour.time_s for tour in tours) == pytest.approx(200.0, rel=CLOSE)


def test_a_spit_is_seen_on_both_sides_by_one_flight_and_a_straight_border_from_end_to_end():
    # Out along one side of a narrow spit and back along the other, the base at its root: as the passes go.
    straight = np.array([[[k * 100.0, 0.0], [k * 100.0 + 100, 0.0]] for k in range(10)])
    (tour,) = share_legs(straight, np.array([[-50.0, 0.0]]), PATROL, CRUISE)
    assert sorted(tour.legs) == list(range(10))
    assert tour.time_s == pytest.approx(1000 / PATROL + (50 + 1050) / CRUISE)
    # Two spits, the base at the root of the second: it goes round them without flying along either twice.
    spits = [(0, 0), (0, 500), (10, 500), (10, 0), (200, 0), (200, 500), (210, 500), (210, 0)]
    ends = np.array([[a, b] for a, b in itertools.pairwise(spits)], dtype=float)
    (tour,) = share_legs(ends, np.array([[205.0, 0.0]]), PATROL, CRUISE)
    length = sum(math.dist(a, b) for a, b in itertools.pairwise(spits))
    assert tour.time_s <= length / PATROL + (205 + 5) / CRUISE + 1e-6


def test_drones_of_one_base_share_its_stretch():
    ends, base = _folded(3, 60, 1)
    alone = share_legs(ends, base, PATROL, CRUISE)[0].time_s
    tours = share_legs(ends, np.repeat(base, 3, axis=0), PATROL, CRUISE)
    assert {tour.drone for tour in tours} == {0, 1, 2}
    assert max(tour.time_s for tour in tours) < alone


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"ends_m": np.zeros((0, 2, 2))}, r"ends_m of shape \(0, 2, 2\)"),
        ({"ends_m": np.full((3, 2, 2), np.nan)}, "ends_m"),
        ({"base_m": np.zeros((2, 3))}, r"base_m of shape \(2, 3\)"),
        ({"patrol_m_s": 20.0}, "patrol may not be the faster one"),
        ({"patrol_m_s": 0.0}, "patrol at 0.0 m/s"),
    ],
)
def test_what_cannot_be_shared_out_is_said(change, message):
    ends, base = _folded(1, 3, 2)
    arguments = {"ends_m": ends, "base_m": base, "patrol_m_s": PATROL, "cruise_m_s": CRUISE} | change
    with pytest.raises(PlanError, match=message):
        share_legs(**arguments)
