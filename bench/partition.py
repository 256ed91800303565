"""One look at many legs shared out among many drones, beside PyVRP and OR-Tools with ten times the time.

The figure is the time until the last drone has landed. `bench.legs` makes the instances and works out the exact figure
of everybody's tours, `bench.leg_bound` what no tours can beat. Peers run one after the other in processes of their own
(`bench.peer_pyvrp`, `bench.peer_ortools`), on one core as ours does; starting up is not counted in their time. A peer
that finds no better plan has the even split that it began with, and its row says so.

Ours is what `plan` does, `share_out`: every flight a pass from end to end. Flights that fold, as `share_legs` may have
them, have rows beside it, since those of the peers may fold. `plan` flies none: tried in plans of seeds 3, 5, 6 and 9
with batteries that last for ever, no sortie was shorter for a fold once it was built with its lawful ways and climbs.

Of seeds 1 to 3 and 11 to 20 with 300 legs, PyVRP was ahead of the passes once (seed 3, by 1.2 %) and never of the
folds. In six of them every order of the drones was tried: none was better than the one that `share_out` found.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bench.leg_bound import lower_bound_s
from bench.legs import Legs, Tours, dumped, even_split, loaded, longest_s, wandering
from bench.rows import BenchError, Row, one_core, timed
from missions import share_legs

__all__ = ["CASES", "PEERS", "Case", "Peer", "rows"]

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


@dataclass(frozen=True, slots=True)
class Peer:
    """A solver: its interpreter, its module, and where its interpreter comes from."""

    name: str
    python: Path
    module: str
    made_by: str


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
        if only in {None, "partition"} or (only and only.startswith(name)):
            yield from (row for row in _measured(name, legs()) if only in {None, "partition", name, row.name})


def _instances(data: Path | None, only: str | None) -> Iterator[tuple[str, Callable[[], Legs]]]:
    if data is None:
        for case in CASES:
            yield f"partition/{case.legs:,} legs, seed {case.seed}", partial(_made, case)
        return
    files = sorted([*data.glob("instance.json"), *data.glob("*/instance.json")])
    if not files and only is not None:
        raise BenchError(f"{data} holds no instance.json: give the folder of one, or of folders with one each")
    for file in files:
        yield f"partition/{file.parent.name}", partial(_read, file)


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


def _measured(name: str, legs: Legs) -> Iterator[Row]:
    with one_core():
        ours, seconds = _ours(legs, folded=False)
        bound = lower_bound_s(legs)
        yield Row(name, ours, "s", "lower bound", bound, ours / bound, seconds=seconds)
        fold, more_s = _ours(legs, folded=True)
        yield Row(f"{name}, folded", fold, "s", "passes from end to end", ours, fold / ours, seconds=more_s)
        for peer in PEERS:
            yield from _beside(peer, name, legs, {"": (ours, seconds), ", folded": (fold, more_s)})


def _ours(legs: Legs, *, folded: bool) -> tuple[float, float]:
    """The longest time of any drone, and how long we took to come to it, seconds."""
    ask = partial(share_legs, legs.ends_m, legs.base_m, legs.patrol_m_s, legs.cruise_m_s, folded=folded)
    tours, seconds = timed(ask)
    return longest_s(legs, {tour.drone: list(tour.legs) for tour in tours}), seconds


def _beside(peer: Peer, name: str, legs: Legs, own: dict[str, tuple[float, float]]) -> Iterator[Row]:
    """Rows of our figures and the time that they took, seconds, by what is added to the name of a row."""
    goal = f"ratio <= 1, in {LIMIT_S / 10:g} s"
    short = peer.name.split(",", maxsplit=1)[0]
    if not peer.python.exists():
        # Not measured is not met.
        missing = f"{short} is not installed: {peer.made_by}"
        for more, (ours, seconds) in own.items():
            yield Row(f"{name}{more}, {short}", ours, "s", missing, goal=goal, met=False, seconds=seconds)
        return
    tours, note = _asked(peer, legs)
    value = longest_s(legs, tours)
    if value >= longest_s(legs, even_split(legs)):
        note = ", no better than the even split"
    for more, (ours, seconds) in own.items():
        ratio = ours / value
        met = ratio <= 1 + 1e-9 and seconds <= LIMIT_S / 10
        told = f"{peer.name}, {LIMIT_S:g} s{note}"
        yield Row(f"{name}{more}, {short}", ours, "s", told, value, ratio, goal, met, seconds)


def _asked(peer: Peer, legs: Legs) -> tuple[Tours, str]:
    """Tours of a peer, and what is to be said of how it came to them."""
    asked = json.dumps({**dumped(legs), "limit_s": LIMIT_S})
    call = [str(peer.python), "-m", peer.module]
    try:
        # The solvers look at the clock only now and then: a long first step is let finish.
        done = subprocess.run(  # noqa: S603 - our own module
            call, cwd=_ROOT, input=asked, capture_output=True, text=True, check=False, timeout=3 * LIMIT_S + 60
        )
    except subprocess.TimeoutExpired:
        raise BenchError(
            f"{peer.name} did not end in three times its {LIMIT_S:g} s: stop what else runs here"
        ) from None
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1] if done.stderr.strip() else "no word"
        raise BenchError(f"{peer.name} ended with {done.returncode}: {last}")
    found = json.loads(done.stdout)
    return {int(drone): [int(leg) for leg in order] for drone, order in found["tours"]}, found.get("note", "")
