"""The storm, its judge, and time that passes only while nobody works."""

import asyncio
from random import Random

import pytest

from bench import link_storm
from bench.link_storm import Tally, drawn_mission, storm
from bench.link_virtual import VirtualLoop, Weather
from bench.rows import BenchError


def test_a_few_missions_through_the_storm():
    tally = storm(6 * link_storm.A_VEHICLE, 3)
    assert tally.missions == 60
    assert tally.verified + sum(tally.reasons.values()) == 60
    assert tally.verified >= 57
    assert (tally.silent, tally.wrongly_verified, tally.wrongly_told, tally.flyable) == (0, 0, 0, 0), tally.notes
    assert 0.18 < tally.lost / tally.sent < 0.22


def test_the_same_seed_is_the_same_storm():
    one, other = storm(5, 1), storm(5, 1)
    assert one == other
    assert one.virtual_s != storm(5, 2).virtual_s


def test_without_loss_all_are_verified_in_no_time():
    tally = storm(12, 3, loss=0.0)
    assert tally.verified == 12
    assert tally.lost == 0


@pytest.mark.parametrize("spoil", ["height", "place", "one less"])
def test_the_judge_sees_what_a_liar_would_hide(monkeypatch, spoil):
    """An upload that calls itself verified, and the vehicle holds something else."""

    async def lying(vehicle, mission, **_):
        items = list(mission.items)
        held = link_storm._Rig.meant(rigs[-1], items, link_storm.MissionKind.MISSION)
        if spoil == "one less":
            held.pop()
        else:
            command, x, y, z, p1 = held[1]
            held[1] = (command, x + 2 * (spoil == "place"), y, z + 0.5 * (spoil == "height"), p1)
        other = {link_storm.MissionKind.FENCE: mission.fence, link_storm.MissionKind.RALLY: mission.rally}
        rigs[-1].held = lambda kind: (
            held if kind is link_storm.MissionKind.MISSION else rigs[-1].meant(other[kind], kind)
        )
        return ()

    rigs = []
    made = link_storm._Rig.__init__

    def kept(rig, *args):
        made(rig, *args)
        rigs.append(rig)

    monkeypatch.setattr(link_storm._Rig, "__init__", kept)
    monkeypatch.setattr(link_storm.Vehicle, "upload", lying)
    tally = storm(1, 1)
    assert (tally.verified, tally.wrongly_verified) == (1, 1)
    assert "verified, and holds another" in tally.notes[0]


def test_a_failure_without_words_is_counted_against_us():
    tally = Tally()
    for failure in (ZeroDivisionError("oh"), link_storm.AutopilotError(""), link_storm.AutopilotError("silent")):
        link_storm._count_failure(tally, failure)
    assert tally.silent == 2
    assert sum(tally.reasons.values()) == 1


def test_missions_are_all_different_and_as_long_as_they_are_drawn():
    random = Random(5)
    drawn = [drawn_mission(random, "ardupilot") for _ in range(800)]
    assert {len(mission.items) for mission in drawn} == set(range(5, 61))
    assert len({mission.items for mission in drawn}) == 800


def test_the_number_of_missions_is_set_by_the_environment(monkeypatch):
    monkeypatch.setenv("VEDETTE_STORM", "3")
    figures = {row.name: row for row in link_storm.rows("storm")}
    assert next(iter(figures)).startswith("storm/verified of 3 missions")
    assert all(row.met for row in figures.values() if row.goal)
    monkeypatch.setenv("VEDETTE_STORM", "many")
    with pytest.raises(BenchError, match="VEDETTE_STORM is 'many'"):
        list(link_storm.rows("storm"))
    assert list(link_storm.rows("upload")) == []


def test_weather_loses_doubles_and_lets_overtake():
    arrived = []

    async def blow():
        weather = Weather(Random(1), arrived.append, loss=0.3, twice=0.2)
        for number in range(2000):
            weather.send(number.to_bytes(12, "little"))
            await asyncio.sleep(0.01)
        await asyncio.sleep(5.0)
        return weather, asyncio.get_running_loop().time()

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        weather, now_s = runner.run(blow())
    numbers = [int.from_bytes(one, "little") for one in arrived]
    assert now_s == pytest.approx(25.0)
    assert weather.sent == 2000
    assert 0.27 < weather.lost / 2000 < 0.33
    assert len(set(numbers)) == 2000 - weather.lost
    assert 0.15 < len(numbers) / len(set(numbers)) - 1 < 0.25
    assert numbers != sorted(numbers)


def test_nobody_who_waits_for_ever_is_waited_for():
    with asyncio.Runner(loop_factory=VirtualLoop) as runner, pytest.raises(BenchError, match="nothing is due"):
        runner.run(asyncio.Event().wait())
