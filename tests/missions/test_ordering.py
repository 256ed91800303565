"""The order of the runs of one sortie, against trying every order and direction."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from missions import Base, PlanOptions, Progress, Wind, check, default_fleet, plan_network, resume
from missions.ordering import ordered
from missions.sharing import Block, Team
from missions.wind import CALM
from tests.asked import asked, few
from tests.missions.helpers import LAT, LON, M_LAT, M_LON, border_from_metres
from tests.missions.test_network_plan import branch, build_network

CRUISE = 15.0


class Plain:
    """Ways between stations in a plane in which nothing is in the way."""

    def __init__(self, xy):
        self.xy = xy

    def place(self, station):
        return self.xy[station]

    def ways(self, stations, cost):
        own = self.xy[list(stations)]
        step = own[None] - own[:, None]
        return type("Ways", (), {"cost": cost(step.reshape(-1, 2)).reshape(len(own), len(own))})()


def _case(seed, runs):
    """Short runs about a base, with deadheads along the course between them."""
    rng = np.random.default_rng(seed)
    xy = []
    for _ in range(runs):
        start, angle = rng.uniform(-3000, 3000, 2), rng.uniform(0, 2 * np.pi)
        xy += [start, start + rng.uniform(200, 2500) * np.array([np.cos(angle), np.sin(angle)])]
    xy = np.array(xy)
    needed = np.array([k % 2 == 0 for k in range(2 * runs - 1)])
    step = np.hypot(*np.diff(xy, axis=0).T) / np.where(needed, 9.0, CRUISE)
    time_s, way_s = np.concatenate([[0.0], np.cumsum(step)]), np.hypot(*xy.T) / CRUISE
    none = np.zeros(len(xy))
    return xy, needed, Team(1, way_s, way_s, none, none, time_s, none, time_s, none, np.inf)


def _seconds(xy, needed, stretches):
    """The flight over stretches, by lengths in the plane."""
    here, total = np.zeros(2), 0.0
    for first, last in stretches:
        total += np.hypot(*(xy[first] - here)) / CRUISE
        step = 1 if last > first else -1
        for k in range(first, last, step):
            low = min(k, k + step)
            total += np.hypot(*(xy[k + step] - xy[k])) / (9.0 if needed[low] else CRUISE)
        here = xy[last]
    return total + np.hypot(*here) / CRUISE


@settings(max_examples=few(60), deadline=None)
@given(seed=st.integers(0, 10**6), runs=st.integers(1, 5))
def test_no_order_of_the_runs_is_shorter(craft, seed, runs):
    xy, needed, team = _case(seed, runs)
    block = Block(0, 0, 0, len(xy) - 1, backward=False)
    found = ordered(block, team, Plain(xy), needed, aircraft=craft, wind=CALM)
    # Every run is flown once.
    flown = [p for a, b in found for p in range(min(a, b), max(a, b)) if needed[p]]
    assert sorted(flown) == np.flatnonzero(needed).tolist()
    best = min(
        _seconds(
            xy, needed, [(2 * r, 2 * r + 1) if way else (2 * r + 1, 2 * r) for r, way in zip(order, ways, strict=True)]
        )
        for order in itertools.permutations(range(runs))
        for ways in itertools.product((True, False), repeat=runs)
    )
    assert _seconds(xy, needed, found) == pytest.approx(best, rel=1e-3)


@pytest.fixture(scope="module")
def craft():
    made = default_fleet(Base("base", LAT, LON)).vehicles[0].aircraft
    return replace(made, cruise_m_s=CRUISE)


@st.composite
def _networks(draw):
    rng = np.random.default_rng(draw(st.integers(0, 2**31)))
    border = border_from_metres(list(zip(np.linspace(0, 14_000, 7), rng.normal(0, 400, 7), strict=True)))
    branches = []
    for number in range(draw(st.integers(3, 7))):
        points = [np.array([rng.uniform(0, 14_000), rng.uniform(1500, 5000)])]
        angle = rng.uniform(0, 2 * np.pi)
        for _ in range(3):
            angle += rng.normal(0, 0.5)
            points.append(points[-1] + 1100 * np.array([np.cos(angle), np.sin(angle)]))
        branches.append(branch([(x, max(y, 1500.0)) for x, y in points], f"road {number}"))
    base = Base("base", LAT + 2500 / M_LAT, LON + rng.uniform(2000, 12_000) / M_LON)
    return build_network("net", [border], branches), base


@settings(max_examples=asked(8), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(_networks(), st.sampled_from([(0, 0), (6, 240)]), st.floats(0.1, 0.9))
def test_sorties_of_several_runs_keep_the_rules_and_are_resumed(given_, wind, share):
    network, base = given_
    made = plan_network(network, default_fleet(base, 2), options=PlanOptions(wind=Wind(*wind)))
    assert check(made) == []
    sortie = max(made.sorties, key=lambda s: len(s.runs))
    patrol = sortie.patrol
    leg = patrol[int(share * len(patrol))]
    number = next(k for k, one in enumerate(sortie.legs) if one is leg)
    whole = sum(run.length_m for run in sortie.runs)
    gone = sum(
        run.length_m
        * sum(x.distance_m for x in sortie.legs[run.start : min(run.stop, number)])
        / sum(x.distance_m for x in sortie.legs[run.start : run.stop])
        for run in sortie.runs
        if number > run.start
    )
    at = leg.start.lat_deg, leg.start.lon_deg
    rest = resume(made, Progress(sortie.name, at=at), done=[s.name for s in made.sorties if s is not sortie])
    left = sum(run.length_m for one in rest.sorties for run in one.runs)
    assert check(rest) == []
    # By the place alone the first pass counts: never less than what is left, at least the 50 m before it again.
    assert left >= whole - gone - 1
