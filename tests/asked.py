"""How many questions hypothesis asks where an answer costs a whole plan."""

import os

__all__ = ["asked"]


def asked(examples: int) -> int:
    """So many at a desk, where they are new ones each time; half of them in CI, which asks the same ones every time."""
    return examples // 2 if os.environ.get("VEDETTE_REQUIRE_ALL") == "1" else examples
