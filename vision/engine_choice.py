"""Which of two engines of the processor runs a network faster: measured once, and kept."""

from __future__ import annotations

import json
import logging
import math
import os
import platform
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from geo import FileWriteError, write_text
from vision.processor_sessions import Session, versions

__all__ = ["pick_backend"]

_LOG = logging.getLogger("vedette.vision")
_PROBE_RUNS = 5


def pick_backend(
    sessions: Mapping[str, Callable[[], Session]],
    key: Sequence[object],
    ask: Callable[[Session, int], object],
    cache_dir: Path,
    count: int,
) -> tuple[str, Session]:
    """The session that looks at pictures faster on this processor, `count` of them at a time.

    `ask` has a session look at so many, making its inputs included: one that takes bytes has little to be made.

    One alone is to have its answer soon, so the clock decides. Several fill the processor, and the session that takes
    less of it gets more of them done; that is measured as well where other programs run.

    Measured once, the best of some runs: the choice and the milliseconds it rests on are kept in ``backends.json`` of
    the cache folder, under `key`, the count, the processor and the versions of the runtimes. Delete the file to
    measure again.
    """
    where = cache_dir / "backends.json"
    name = " | ".join(
        str(part)
        for part in (
            *key,
            f"{count} at once, with their inputs",
            _processor(),
            os.cpu_count(),
            *versions(),
        )
    )
    known = _read_choices(where)
    choice = known.get(name, {}).get("choice")
    if choice in sessions:
        return choice, sessions[choice]()
    opened = {backend: make() for backend, make in sessions.items()}
    clock = time.perf_counter if count == 1 else time.process_time
    least_ms = dict.fromkeys(opened, math.inf)
    for session in opened.values():
        ask(session, count)
    for _ in range(_PROBE_RUNS):  # in turns, so that another program's load falls on both
        for backend, session in opened.items():
            start = clock()
            ask(session, count)
            # Whatever else runs makes a run longer, never shorter.
            least_ms[backend] = min(least_ms[backend], round((clock() - start) * 1e3 / count, 2))
    best = min(least_ms, key=lambda backend: least_ms[backend])
    _write_choices(where, {**known, name: {"choice": best, "least_ms": least_ms}})
    return best, opened[best]


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:  # not Linux
        return platform.processor() or platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def _read_choices(where: Path) -> dict[str, Any]:
    try:
        known = json.loads(where.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        _LOG.warning("%s: cannot be read (%s): the backends are measured again", where, error)
        return {}
    return {k: v for k, v in known.items() if isinstance(v, dict)} if isinstance(known, dict) else {}


def _write_choices(where: Path, choices: Mapping[str, Any]) -> None:
    try:
        write_text(where, json.dumps(choices, indent=1, sort_keys=True))
    except FileWriteError as error:
        _LOG.warning("%s (until then the backends are measured at each start)", error)
