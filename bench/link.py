"""Mission upload beside plain pymavlink and MAVSDK and through a storm, and the telemetry of a large fleet."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, Self

from bench import link_storm, telemetry
from bench.link_lines import HOME
from bench.rows import BenchError, Row, wanted
from sim import Boot, FleetConfig, start_fleet

_ROOT = Path(__file__).parents[1]
_PEERS_PYTHON = _ROOT / ".venv-peers" / "bin" / "python"


@dataclass(frozen=True, slots=True)
class Case:
    """So many items over so long a round trip, in so many rounds."""

    items: int
    round_trip_s: float
    rounds: int
    client_alone: bool = False
    """Whether the far end answers with packets that were made beforehand, so that the client is what is measured."""

    @property
    def name(self) -> str:
        """As in the names of rows."""
        far = f", {1000 * self.round_trip_s:g} ms round trip" if self.round_trip_s else ""
        return f"{self.items} items{far}{', the client alone' if self.client_alone else ''}"


CASES = (
    Case(50, 0.0, 31),
    Case(200, 0.0, 21),
    Case(640, 0.0, 11),
    Case(50, 0.0, 31, client_alone=True),
    Case(200, 0.0, 31, client_alone=True),
    Case(640, 0.0, 15, client_alone=True),
    Case(50, 0.05, 3),
    Case(200, 0.05, 1),
    Case(640, 0.05, 1),
    Case(50, 0.2, 1),
    Case(200, 0.2, 1),
    Case(640, 0.2, 1),
)
_READ_BACK = frozenset({(50, 0.0), (200, 0.0), (640, 0.0), (50, 0.05)})
"""Cases whose read-back is measured too: pymavlink's takes as long again as its upload."""

_FEW = 5
_SLOWER = 1.05
_FILES_AT_S, _FILES = 0.05, 0.1


def rows(data: Path | None, only: str | None) -> Iterator[Row]:
    """Measure uploads, read-backs and both, milliseconds an item, and telemetry.

    Each side is a process of its own with a simulated vehicle of its own. Without a delay their rounds take turns, and
    the median counts; over a round trip nobody works for most of the time, and all sides and sizes go at once. There
    are no inputs to replace: `data` is refused.
    """
    if data is not None:
        raise BenchError("bench link measures against simulated vehicles and takes no --data: leave it out")
    for far, cases in groupby((case for case in CASES if _asked_for(case, only)), lambda case: case.round_trip_s):
        with ExitStack() as stack:
            rigs = [stack.enter_context(_rig(case)) for case in cases]
            with ThreadPoolExecutor(len(rigs) if far else 1) as pool:
                measured = list(pool.map(_rounds, rigs))
        for rig, found in zip(rigs, measured, strict=True):
            medians = {what: statistics.median(values) for what, values in found.items()}
            yield from (row for row in _table(rig.case, medians) if wanted(row.name, only))
    yield from telemetry.rows(only)
    yield from link_storm.rows(only)


def _asked_for(case: Case, only: str | None) -> bool:
    return any(wanted(f"{what}/{case.name}", only) for what in ("upload", "file upload", "read-back", "proved upload"))


class _Side:
    """A process that answers lines."""

    def __init__(self, name: str, call: list[str]) -> None:
        self.name = name
        self._process = subprocess.Popen(  # noqa: S603  our own modules
            call, cwd=_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(10.0)
        self._process.stdout.close()

    def line(self) -> Any:
        """What it says next."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise BenchError(f"{self.name} ended by itself: what it wrote stands above")
        return json.loads(line)

    def ask(self, what: str, where: tuple[str, int, int], count: int) -> dict[str, Any]:
        """Have it do something with a vehicle at host, port and system id."""
        host, port, sysid = where
        assert self._process.stdin is not None
        asked = {"host": host, "port": port, "sysid": sysid, "what": what, "count": count}
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        told: dict[str, Any] = self.line()
        if "error" in told or told["items"] != count:
            raise BenchError(f"{self.name}, {what} of {count} items: {told.get('error', told)}")
        return told


@dataclass(frozen=True, slots=True)
class _Rig:
    """Sides that stand ready, and the vehicle of each: host, port and system id."""

    case: Case
    sides: dict[str, _Side]
    where: dict[str, tuple[str, int, int]]


@contextmanager
def _rig(case: Case) -> Iterator[_Rig]:
    with ExitStack() as stack:
        names = ["ours", "files", "pymavlink", *(["MAVSDK"] if _PEERS_PYTHON.exists() else [])]
        if case.client_alone:
            names.remove("files")
            yield _ready(stack, case, {name: ("127.0.0.1", _responder(stack), 1) for name in names})
            return
        config = FleetConfig(home=HOME, vehicles=len(names), boot=Boot(0.0, 0.0, 0.0))
        ends = stack.enter_context(start_fleet(config)).endpoints
        ports = stack.enter_context(_far([end.port for end in ends], case.round_trip_s / 2))
        where = {name: (end.host, port, end.sysid) for name, end, port in zip(names, ends, ports, strict=True)}
        yield _ready(stack, case, where)


def _ready(stack: ExitStack, case: Case, where: dict[str, tuple[str, int, int]]) -> _Rig:
    sides = {name: stack.enter_context(_side(name)) for name in where}
    for name, side in sides.items():
        side.ask("files" if name == "files" else "upload", where[name], _FEW)  # its code runs for the first time
    return _Rig(case, sides, where)


def _responder(stack: ExitStack) -> int:
    far = _Side("the far end", [sys.executable, "-m", "bench.link_responder"])
    return int(stack.enter_context(far).line())


def _side(name: str) -> _Side:
    if name == "MAVSDK":
        return _Side(name, [str(_PEERS_PYTHON), "-m", "bench.peer_mavsdk"])
    return _Side(name, [sys.executable, "-m", "bench.link_round", "pymavlink" if name == "pymavlink" else "ours"])


def _rounds(rig: _Rig) -> dict[tuple[str, str], list[float]]:
    """Seconds of each side and task, one a round."""
    case = rig.case
    tasks = {name: ["files" if name == "files" else "upload"] for name in rig.sides}
    if (case.items, case.round_trip_s) in _READ_BACK and not case.client_alone:
        tasks = {name: [*asked, *(["read-back"] if name != "files" else [])] for name, asked in tasks.items()}
        tasks["ours"].append("proved")
    found: dict[tuple[str, str], list[float]] = {}

    def work(name: str, asked: list[str]) -> None:
        for what in asked:
            told = rig.sides[name].ask(what, rig.where[name], case.items)
            found.setdefault((name, what), []).append(told["seconds"])
            if "readback_s" in told:
                found.setdefault((name, "read-back"), []).append(told["readback_s"])

    with ThreadPoolExecutor(len(tasks) if case.round_trip_s else 1) as pool:
        for _ in range(case.rounds):
            list(pool.map(work, tasks, tasks.values()))
    return found


def _table(case: Case, found: dict[tuple[str, str], float]) -> Iterator[Row]:
    def each(seconds: float) -> float:
        return 1000 * seconds / case.items

    peers = [name for name in ("pymavlink", "MAVSDK") if (name, "upload") in found]
    best = {
        what: min(((found[name, what], name) for name in peers if (name, what) in found), default=None)
        for what in ("upload", "read-back")
    }
    goal = f"ratio <= {_SLOWER:g}"
    missing = "" if "MAVSDK" in peers else "; MAVSDK is not installed: make peers"
    compared = [("upload", found["ours", "upload"], best["upload"])]
    if best["read-back"] is not None and best["upload"] is not None:
        both = (best["upload"][0] + best["read-back"][0], "the best of each")
        compared.append(("read-back", found["ours", "read-back"], best["read-back"]))
        compared.append(("proved upload", found["ours", "proved"], both))
    for what, seconds, peer in compared:
        assert peer is not None
        ratio = seconds / peer[0]
        met = ratio <= _SLOWER and not missing
        yield Row(f"{what}/{case.name}", each(seconds), "ms/item", peer[1] + missing, each(peer[0]), ratio, goal, met)
    if ("files", "files") not in found:
        return
    classic = min(found[name, "upload"] for name in ("ours", *peers))
    ratio = found["files", "files"] / classic
    aim = case.round_trip_s == _FILES_AT_S
    yield Row(
        f"file upload/{case.name}", each(found["files", "files"]), "ms/item", "the best item by item", each(classic),
        ratio, f"ratio <= {_FILES:g}" if aim else "", ratio <= _FILES if aim else None,
    )  # fmt: skip


@contextmanager
def _far(ports: list[int], delay_s: float) -> Iterator[list[int]]:
    """Ports that pass everything on to `ports` and back, each datagram late by `delay_s`."""
    if not delay_s:
        yield ports
        return
    with _Side("the relay", [sys.executable, "-m", "bench.link_far", str(delay_s), *map(str, ports)]) as relay:
        yield list(relay.line())
