"""One look at many legs shared out among many drones, beside PyVRP and OR-Tools with ten times the time.

The figure is the time until the last drone has landed, in rows of `flown` the longest time in the air. `bench.legs`
makes the instances and works out the exact figure of everybody's tours, `bench.leg_bound` what no tours can beat. Peers
run one after the other in processes of their own (`bench.peer_pyvrp`, `bench.peer_ortools`), on one core as ours does;
starting up is not counted in their time. A peer that finds no better plan has the even split that it began with, and
its row says so.

In a plane in which nothing is in the way ours is `share_legs`: flights may fold, as those of the peers may. Rows of
`passes` have flights from end to end alone (`share_out`), as `plan` has them: of seeds 1 to 3 and 11 to 20 with 300
legs PyVRP was ahead of them once, by 1.2 % (seed 3), and never of the folds.

No order of the bases gives better passes: of seeds 1 to 30 with 300 legs all 720 orders were tried. What folds save is
from 0 to 3.7 %, in half of the seeds nothing.

Beside a border with its stand-off most of the ways that folds need are shut (of those over 1.5 km of seed 3, 69 %),
and folds over the others saved nothing in seeds 3, 5, 6 and 9. There `plan` flies passes, and rows of `flown` have it
beside the peers (`bench.legs_flown`): they are given the shortest lawful ways among the legs, and the planner builds
their tours into sorties as it does its own. Our time is that of sharing out and building, with the ways known.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

from bench.leg_bound import lower_bound_s
from bench.legs import Legs, Tours, dumped, even_split, loaded, longest_s, wandering
from bench.legs_flown import beside
from bench.rows import BenchError, Row, one_core, timed
from missions import share_legs

__all__ = ["CASES", "FLOWN", "PEERS", "Case", "Peer", "rows"]

LIMIT_S = 60.0
"""What each peer is given; ours is to need a tenth."""

_ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, slots=True)
class Case:
    """An instance of `wandering`."""

    legs: int
    bases: int
    drones: int
    seed: int


CASES = (
    Case(300, 6, 6, 1),
    Case(300, 6, 6, 2),
    Case(300, 6, 6, 3),
    Case(3_000, 10, 20, 1),
    Case(3_000, 10, 20, 2),
    Case(30_000, 50, 100, 1),
)
"""120, 1,200 and 12,000 km; 20, 60 and 120 km of patrol a drone."""

FLOWN = (*CASES[:3], Case(3_000, 60, 60, 2))
"""The same beside a border, with bases that lie beyond a bend put on the own side (`on_own_side`).

20 km of patrol a drone, which a fence holds: what a row says is how well the border is shared out, and of the tours of
PyVRP in the last one only one had to be cut. Of long borders there are as many legs as stations, 2,402 of 500 m.

Not among them: 20 drones at 10 bases, of 60 km each, where everybody needs two to four sorties of as many bends as a
fence holds, of which the peers know nothing, so that the cut decides; and 60 drones at 10 bases, where the place
farthest from its base says how long all takes, and half of the drones are enough for it.
"""


@dataclass(frozen=True, slots=True)
class Peer:
    """A solver: its interpreter, its module, and where its interpreter comes from."""

    name: str
    python: Path
    module: str
    made_by: str

    @property
    def short(self) -> str:
        """Its name without how it is used."""
        return self.name.split(",", maxsplit=1)[0]


PEERS = (
    Peer("PyVRP, bisected shift duration", Path(sys.executable), "bench.peer_pyvrp", "make test"),
    Peer(
        "OR-Tools, best of its searches", _ROOT / ".venv-peers" / "bin" / "python", "bench.peer_ortools", "make peers"
    ),
)


def rows(data: Path | None, only: str | None) -> Iterator[Row]:
    """Measure.

    Parameters
    ----------
    data
        Folder with ``instance.json``, or folders that hold one each (the form is that of `bench.legs.dumped`), in place
        of the instances made here.
    only
        All of this measurement, ``partition``, or one instance or row by name.
    """
    if only is not None and only.split("/", maxsplit=1)[0] != "partition":
        return
    for name, legs in _instances(data, only):
        if only in {None, "partition"} or (only and only.startswith(name) and ", flown" not in only):
            yield from (row for row in _measured(name, legs()) if only in {None, "partition", name, row.name})
    for case in FLOWN if data is None else ():
        name = f"{_name(case)}, flown by {case.drones}"
        if only in {None, "partition"} or (only and only.startswith(name)):
            yield from (row for row in _flown(name, case) if only in {None, "partition", name, row.name})


def _instances(data: Path | None, only: str | None) -> Iterator[tuple[str, Callable[[], Legs]]]:
    if data is None:
        for case in CASES:
            yield _name(case), partial(_made, case)
        return
    files = sorted([*data.glob("instance.json"), *data.glob("*/instance.json")])
    if not files and only is not None:
        raise BenchError(f"{data} holds no instance.json: give the folder of one, or of folders with one each")
    for file in files:
        yield f"partition/{file.parent.name}", partial(_read, file)


def _name(case: Case) -> str:
    return f"partition/{case.legs:,} legs, seed {case.seed}"


def _made(case: Case) -> Legs:
    return wandering(case.legs, case.bases, case.drones, case.seed)


def _read(path: Path) -> Legs:
    try:
        return loaded(json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise BenchError(f"{path} cannot be read: {error.strerror}") from None
    except KeyError as error:
        raise BenchError(f"{path} has no {error}: see bench/legs.py for the form") from None
    except (ValueError, TypeError) as error:
        raise BenchError(f"{path} is no instance: {error}") from None


class _TooLateError(BenchError):
    """A peer that did not end: what it did of its work is not known."""


class _Ours(NamedTuple):
    """The longest time of any drone, and how long we took to come to it, seconds."""

    value_s: float
    took_s: float


def _measured(name: str, legs: Legs) -> Iterator[Row]:
    with one_core():
        ours, passes = _ours(legs, folded=True), _ours(legs, folded=False)
        bound = lower_bound_s(legs)
        yield Row(name, ours.value_s, "s", "lower bound", bound, ours.value_s / bound, seconds=ours.took_s)
        yield Row(
            f"{name}, passes", passes.value_s, "s", "flights that may fold", ours.value_s,
            passes.value_s / ours.value_s, seconds=passes.took_s,
        )  # fmt: skip
        for peer in PEERS:
            both = (name, ours), (f"{name}, passes", passes)
            if not peer.python.exists():
                yield from (_without(*each, peer, f"is not installed: {peer.made_by}") for each in both)
                continue
            try:
                tours, note = _asked(peer, legs)
            except _TooLateError as late:
                yield from (_without(*each, peer, str(late)) for each in both)
                continue
            value = longest_s(legs, tours)
            yield from (_compared(peer, *each, value, note) for each in both)


def _ours(legs: Legs, *, folded: bool) -> _Ours:
    ask = partial(share_legs, legs.ends_m, legs.base_m, legs.patrol_m_s, legs.cruise_m_s, folded=folded)
    tours, seconds = timed(ask)
    return _Ours(longest_s(legs, {tour.drone: list(tour.legs) for tour in tours}), seconds)


def _flown(name: str, case: Case) -> Iterator[Row]:
    """The plan beside a border, and the tours of the peers flown there."""
    with one_core():
        there = beside(_made(case))
        ours = _Ours(*timed(there.planned_s))
        for peer in PEERS:
            if not peer.python.exists():
                yield _without(name, ours, peer, f"is not installed: {peer.made_by}")
                continue
            try:
                tours, note = _asked(peer, there.legs)
            except _TooLateError as late:
                yield _without(name, ours, peer, str(late))
                continue
            yield _compared(peer, name, ours, there.flown_s(tours), note)


def _waited_s() -> float:
    """How long a peer is waited for, seconds: three times what it is given, and a minute to start and read."""
    return 3 * LIMIT_S + 60


def _goal() -> str:
    return f"ratio <= 1, in {LIMIT_S / 10:g} s"


def _without(name: str, ours: _Ours, peer: Peer, why: str) -> Row:
    """A row without the peer: not measured is not met."""
    what = f"{peer.short} {why}"
    return Row(f"{name}, {peer.short}", ours.value_s, "s", what, goal=_goal(), met=False, seconds=ours.took_s)


def _compared(peer: Peer, name: str, ours: _Ours, value: float, note: str) -> Row:
    ratio = ours.value_s / value
    met = ratio <= 1 + 1e-9 and ours.took_s <= LIMIT_S / 10
    told = f"{peer.name}, {LIMIT_S:g} s{note}"
    return Row(f"{name}, {peer.short}", ours.value_s, "s", told, value, ratio, _goal(), met, ours.took_s)


def _asked(peer: Peer, legs: Legs) -> tuple[Tours, str]:
    """Tours of a peer, and what is to be said of how it came to them."""
    asked = json.dumps({**dumped(legs), "limit_s": LIMIT_S})
    call = [str(peer.python), "-m", peer.module]
    try:
        # The solvers look at the clock only now and then: a long first step is let finish.
        done = subprocess.run(  # noqa: S603 - our own module
            call, cwd=_ROOT, input=asked, capture_output=True, text=True, check=False, timeout=_waited_s()
        )
    except subprocess.TimeoutExpired:
        raise _TooLateError(f"did not end in {_waited_s():g} s: stop what else runs here") from None
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1] if done.stderr.strip() else "no word"
        raise BenchError(f"{peer.name} ended with {done.returncode}: {last}")
    found = json.loads(done.stdout)
    tours = {int(drone): [int(leg) for leg in order] for drone, order in found["tours"]}
    if longest_s(legs, tours) >= longest_s(legs, even_split(legs)):
        return tours, ", no better than the even split"
    return tours, found.get("note", "")
