"""How many questions hypothesis asks: as many as a test says at a desk, where they are new ones each time.

CI asks the same ones every time, and who answered them once answers again: there it is a third of those that cost a
whole plan, and of no others more than `MOST`, but for those that `tests.conftest` names.
"""

import os
from typing import Any

from hypothesis import settings

__all__ = ["MOST", "asked", "few"]

MOST = 40


def asked(examples: int) -> int:
    """So many at a desk, where an answer costs a whole plan; a third of them in CI."""
    return -(-examples // 3) if os.environ.get("VEDETTE_REQUIRE_ALL") == "1" else examples


def few(test: Any) -> None:
    """Ask a test of hypothesis no more than `MOST` questions; any other test stays as it is."""
    function = getattr(test, "__func__", test)
    told = getattr(function, "_hypothesis_internal_use_settings", None)
    if told is not None and told.max_examples > MOST:
        function._hypothesis_internal_use_settings = settings(told, max_examples=MOST)
