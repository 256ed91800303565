"""A test by the wall's clock that failed beside others has a second say, alone: ``python -m tests.again LOG``.

Of thousands of tests that fly, serve and draw on two busy cores one meets a pause of seconds now and then. It is run
again by itself, twice, and both must pass; it is named as unsteady where people look. What decides nothing by a clock
(the service's rules, the planner, what is seen) has no second say, nor has a run of which more failed or that came to
no end of its own, nor what is no pause: a worker that crashed, a test that hung, an error that nobody caught; nor what
has to hold however slow a machine is: who flew too near a line or out of a fence, who was shown what is not theirs.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

from tests.turns import SOCKETS, WAITING

__all__ = ["outcomes", "second_say"]

ROOMS = WAITING | {"console"}
MOST = 3
TIMES = 2
# What Make says when pytest has run every test and some failed: it ends by another number where it was broken off.
ALL_WERE_RUN = re.compile(r"^make\S*: \*\*\* \[.*\btest\] Error 1$", re.MULTILINE)
NO_PAUSE = re.compile(
    r"^worker '\w+' crashed while running"
    r"|^E +.*(?:from pytest-timeout|PytestUnraisableException|PytestUnhandledThreadException)",
    re.MULTILINE,
)
# In the line of the test that failed, or in what it was told.
NEVER = re.compile(
    r"^[>E] .*(?:stand_off|nearest_border|beyond_line|in_zone|fence|leak|secret|visible_to|hidden_from)",
    re.MULTILINE,
)


def outcomes(log: str) -> dict[str, int]:
    """How many tests ended in which way, by the line that closes a run; nothing where it has none."""
    closing = re.findall(r"^=+ (.*\bpassed\b.*) in [\d.]+s .*=+$", log, re.MULTILINE)
    counts = re.findall(r"(\d+) (failed|error|passed)", closing[-1] if closing else "")
    return {outcome: int(number) for number, outcome in counts}


def second_say(log: str, failed: list[str]) -> list[str]:
    """Which tests may be run again.

    Args:
        log: what the run printed
        failed: ids of the tests that it recorded as failed

    Returns:
        `failed`, or nothing where the run's failure stands: too many, of another room, or not told by `failed` alone
    """
    if NO_PAUSE.search(log) or NEVER.search(log) or not ALL_WERE_RUN.search(log):
        return []
    counts = outcomes(log)
    known = [id_ for id_ in failed if (found := re.match(r"tests/((\w+)/[^:]+)::", id_)) and _waits(*found.groups())]
    told = [id_ for id_ in known if re.search(rf"^(?:FAILED|ERROR) {re.escape(id_)}(?: - |$)", log, re.MULTILINE)]
    counted = counts.get("failed", 0) + counts.get("error", 0)
    return failed if len(told) == len(failed) == counted <= MOST else []


def _waits(file: str, room: str) -> bool:
    return room in ROOMS or file in SOCKETS


def main(log: Path) -> int:
    recorded = Path(".pytest_cache/v/cache/lastfailed")
    failed = list(json.loads(recorded.read_text())) if recorded.exists() else []
    ids = second_say(log.read_text(errors="replace"), failed)
    if not ids:
        sys.stdout.write("again: what failed stands\n")
        return 1
    for _ in range(TIMES):
        command = [sys.executable, "-m", "pytest", "-v", "-p", "no:cacheprovider", *ids]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, errors="replace", check=False)
        sys.stdout.write(done.stdout)
        if done.returncode or outcomes(done.stdout).get("passed") != len(ids):  # one that is skipped has not passed
            return 1
    for id_ in ids:
        sys.stdout.write(f"UNSTEADY {id_}: failed beside others, passed {TIMES} times alone\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
