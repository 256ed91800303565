"""The plan that a planning left, read back. Loads `missions`, which takes a second."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import missions
from api.errors import ConflictError
from api.planning.folder import PLAN_FILE

__all__ = ["plan_in"]


def plan_in(content: bytes) -> missions.PatrolPlan:
    """The plan of a `plan.json`.

    Raises
    ------
    ConflictError
        When this program does not read it: one of another version made it.
    """
    with TemporaryDirectory(prefix="vedette-planning-") as folder:
        path = Path(folder) / PLAN_FILE
        path.write_bytes(content)
        try:
            return missions.load_plan(path)
        except missions.MissionsError as error:
            raise ConflictError(f"the plan cannot be read: {error}; plan it anew".replace(f"{folder}/", "")) from None
