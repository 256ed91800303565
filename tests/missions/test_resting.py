"""One aircraft more makes no plan of these worse, as it did: who would only hold up the others stays on the ground."""

from dataclasses import replace

from missions import Base, Objective, PlanOptions, check, default_fleet, plan
from tests.missions.helpers import LAT, LON, M_LAT, border_from_metres, straight


def _fleet(bases, **fields):
    """One aircraft, with other fields, for each of these bases."""
    one = default_fleet(bases[0], len(bases))
    craft = [replace(vehicle.aircraft, **fields) for vehicle in one.vehicles]
    pairs = zip(one.vehicles, craft, bases, strict=True)
    return replace(one, vehicles=tuple(replace(vehicle, aircraft=a, base=base) for vehicle, a, base in pairs))


def _without(fleet, vehicle):
    return replace(fleet, vehicles=tuple(one for one in fleet.vehicles if one is not vehicle))


def _never_better_without_one(border, fleet, **options):
    options = PlanOptions(**options)
    made = plan(border, fleet, options=options)
    assert check(made) == []
    assert made.bound.seconds <= made.figure_s
    for vehicle in fleet.vehicles:
        fewer = plan(border, _without(fleet, vehicle), options=options)
        assert fewer.coverage.share > made.coverage.share - 1e-3
        assert made.figure_s <= fewer.figure_s * 1.002, vehicle.name
    return made


def test_two_that_share_one_battery_come_round_no_later_than_one_that_has_it():
    """In turns each waited for the charger as long as for the mean of their two sorties."""
    base = Base("hut", LAT + 900 / M_LAT, LON, batteries=1, charge_s=4300.0)
    border = border_from_metres([(-4000, 0), (0, 0), (9000, 0)])
    _never_better_without_one(border, _fleet([base, base], battery_wh=450.0, cruise_m_s=12.0))


def test_who_takes_turns_with_another_base_brings_no_more_than_its_batteries_carry():
    short = Base("short", LAT + 1200 / M_LAT, LON, batteries=2, charge_s=3800.0)
    rich = Base("rich", LAT + 1200 / M_LAT, LON + 0.01, batteries=4, charge_s=1700.0)
    _never_better_without_one(straight(14_000), _fleet([short, short, rich, rich]))


def test_a_single_coverage_ends_no_later_for_one_more_who_takes_off_last():
    a, b = (Base(name, LAT + 300 / M_LAT, LON + east) for name, east in (("a", 0.0), ("b", 0.003)))
    fleet = _fleet([b, a, a, b])
    types = [("quick", 18.2), ("slow", 17.3)] * 2
    vehicles = [
        replace(vehicle, aircraft=replace(vehicle.aircraft, kind=kind, cruise_m_s=cruise_m_s))
        for vehicle, (kind, cruise_m_s) in zip(fleet.vehicles, types, strict=True)
    ]
    _never_better_without_one(straight(300), replace(fleet, vehicles=tuple(vehicles)), objective=Objective.ONCE)
