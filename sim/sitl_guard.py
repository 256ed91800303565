"""Runs a program for as long as standard input stays open: a program that nobody waits for any more is ended.

Called as a script with one argument, JSON: ``run`` is the command, ``end`` a command that cleans up after it, or null.
It stands alone, so that it starts at once.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading

_GRACE_S = 5.0


def guard(run: list[str], end: list[str] | None) -> int:
    """Run a command until it ends or standard input does; its exit code."""
    # What is run is what the user has named.
    with subprocess.Popen(run, stdin=subprocess.DEVNULL, start_new_session=True) as process:  # noqa: S603

        def watch() -> None:
            # Not through sys.stdin: its lock, held here, would break the interpreter's own end.
            while os.read(0, 4096):
                pass
            _signal(process.pid, signal.SIGTERM)
            try:
                process.wait(_GRACE_S)
            except subprocess.TimeoutExpired:
                _signal(process.pid, signal.SIGKILL)

        threading.Thread(target=watch, daemon=True).start()
        code = process.wait()
        _signal(process.pid, signal.SIGKILL)  # what it has started and left behind
    if end is not None:
        subprocess.run(end, check=False, stdin=subprocess.DEVNULL, capture_output=True)  # noqa: S603
    return code


def _signal(group: int, number: int) -> None:
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return


if __name__ == "__main__":
    given = json.loads(sys.argv[1])
    sys.exit(guard(given["run"], given["end"]))
