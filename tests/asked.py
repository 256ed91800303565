"""How many questions hypothesis asks: as many as a test says at a desk, where they are new ones each time.

CI asks the same ones every time, and who answered them once answers again: there it is a third of those that cost a
whole plan, and no more than `MOST` of all others, but for those of `IN_FULL`.
"""

import os

__all__ = ["IN_FULL", "MOST", "asked", "few"]

MOST = 40
# Fences, airspace, who may read what and where webhooks may go: these are asked as much in CI as at a desk.
IN_FULL = {
    "test_abuse.py", "test_addresses.py", "test_airspace_heights.py", "test_fence_exclusions.py", "test_filters.py",
}  # fmt: skip
_IN_CI = os.environ.get("VEDETTE_REQUIRE_ALL") == "1"


def asked(examples: int) -> int:
    """So many at a desk, where an answer costs a whole plan; a third of them in CI."""
    return -(-examples // 3) if _IN_CI else examples


def few(examples: int) -> int:
    """So many at a desk, no more than `MOST` in CI."""
    return min(examples, MOST) if _IN_CI else examples
