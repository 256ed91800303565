"""A test by the wall's clock that failed beside others has a second say, alone: ``python -m tests.again LOG``.

Of thousands of tests that fly, serve and draw on two busy cores one meets a pause of seconds now and then. It is run
again by itself, twice, and both must pass; it is named as unsteady where people look. What decides nothing by a clock
(the service's rules, the planner, what is seen) has no second say, nor has a run of which more failed.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

from tests.conftest import WAITING

__all__ = ["second_say"]

ROOMS = WAITING | {"console"}
MOST = 3
TIMES = 2


def second_say(log: str, failed: list[str]) -> list[str]:
    """Which tests may be run again.

    Args:
        log: what the run printed
        failed: ids of the tests that it recorded as failed

    Returns:
        `failed`, or nothing where the run's failure stands: too many, of another room, or not told by `failed` alone
    """
    closing = re.findall(r"^=+ (.*\bpassed\b.*) in [\d.]+s .*=+$", log, re.MULTILINE)
    counted = sum(int(number) for number in re.findall(r"(\d+) (?:failed|errors?)\b", closing[-1] if closing else ""))
    known = [id_ for id_ in failed if re.match(r"tests/(\w+)/[^:]+::", id_) and id_.split("/")[1] in ROOMS]
    return failed if len(known) == len(failed) == counted <= MOST else []


def main(log: Path) -> int:
    recorded = Path(".pytest_cache/v/cache/lastfailed")
    failed = list(json.loads(recorded.read_text())) if recorded.exists() else []
    ids = second_say(log.read_text(errors="replace"), failed)
    if not ids:
        sys.stdout.write("again: what failed stands\n")
        return 1
    for _ in range(TIMES):
        if subprocess.run(
            [sys.executable, "-m", "pytest", "-v", "-p", "no:cacheprovider", *ids], check=False
        ).returncode:
            return 1
    for id_ in ids:
        sys.stdout.write(f"UNSTEADY {id_}: failed beside others, passed {TIMES} times alone\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
