"""Where the processor time of a run went: of each file, its tests and what they made for themselves.

CI is bound by its two cores and not by waiting: what tests take of them, with the programs that they started and waited
for, is what a change to them can save. Durations of single tests tell more of what else ran beside them.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

__all__ = ["Spent"]

_SHOWN = 60
_STAT = Path("/proc/stat")


def _now_s() -> float:
    """Seconds of the processor, of this process and of those that it started and that have ended."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def _idle_s() -> float:
    """Seconds that the cores of the machine stood idle since it started, all of them together (proc(5))."""
    idle, waits = _STAT.read_text().split(maxsplit=6)[4:6]
    return (int(idle) + int(waits)) / os.sysconf("SC_CLK_TCK")


class Spent:
    """A plugin that sums up, in workers and where they are told of; it is told of where CI runs."""

    def __init__(self) -> None:
        self._seconds: Counter[str] = Counter()
        self._collecting_s = 0.0
        self._begun_s, self._idle_s = time.monotonic(), _idle_s()

    def pytest_collection_finish(self) -> None:
        self._collecting_s = _now_s()

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """Fixtures that a file shares are made with its first test, and ended with its last."""
        begun_s = _now_s()
        try:
            return (yield)
        finally:
            self._seconds[item.nodeid.split("::")[0]] += _now_s() - begun_s

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        told = getattr(session.config, "workeroutput", None)
        if told is not None:
            told["spent"] = {**self._seconds, "(collecting)": self._collecting_s}

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """A worker that crashed tells nothing."""
        self._seconds.update(getattr(node, "workeroutput", {}).get("spent", {}))

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        terminalreporter.section(f"processor time of {_SHOWN} files, s")
        for file, seconds in self._seconds.most_common(_SHOWN):
            terminalreporter.write_line(f"{seconds:7.1f} {file}")
        had_s = (time.monotonic() - self._begun_s) * (os.cpu_count() or 1)
        rooms: Counter[str] = Counter()
        for file, seconds in self._seconds.items():
            rooms["/".join(file.split("/")[:-1]) or file] += seconds
        terminalreporter.write_line(f"{rooms.total():7.1f} in all")
        terminalreporter.write_line(f"{_idle_s() - self._idle_s:7.1f} idle, of {had_s:.1f} that the cores had")
        for room, seconds in rooms.most_common():
            terminalreporter.write_line(f"{seconds:7.1f} {room}")
