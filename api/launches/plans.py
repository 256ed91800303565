"""Plans that may be flown: done, adopted as they are, and within every rule. Loads `missions`, as `read_back` does."""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import sha256

from sqlalchemy.orm import Session

from api.errors import ConflictError, NotFoundError
from api.identity.roles import Principal
from api.planning.folder import PLAN_FILE
from api.planning.plannings import done, file_of, find
from api.planning.read_back import plan_in
from api.records.kept import content_of, find_kept
from api.records.readable import find_readable

__all__ = ["FlownPlan", "plan_to_fly"]

_MOST_SAID = 5


@dataclass(frozen=True, slots=True)
class FlownPlan:
    """A plan that may be flown.

    Parameters
    ----------
    record_id
        Of its record.
    name
        Of its planning.
    sha256
        Of its file.
    sysids
        System ids of its fleet, in order.
    """

    record_id: str
    name: str
    sha256: str
    sysids: tuple[int, ...]


def plan_to_fly(session: Session, principal: Principal, now_us: int, planning_id: str) -> FlownPlan:
    """The plan of a planning.

    Raises
    ------
    NotFoundError
        When there is no such planning.
    ConflictError
        When it is not done, breaks a rule, was not adopted, its records are gone, or its file is not what was adopted.
    """
    row = done(find(session, principal, planning_id, whole=True))
    report = json.loads(row.found or "{}").get("validation", {})
    if report.get("kept") is not True:
        broken = [words for rule in report.get("rules", []) for words in rule["broken"]]
        said = "; ".join(broken[:_MOST_SAID]) or "its report is missing"
        raise ConflictError(f"planning {planning_id}: the plan breaks {len(broken)} rules: {said}; plan it anew")
    if row.adopted_as is None:
        raise ConflictError(f"planning {planning_id} was not adopted: adopt its plan first")
    record_id, adopted = _adopted(session, principal, now_us, (row.adopted_as, planning_id))
    content = file_of(session, principal, planning_id, PLAN_FILE)
    digest = sha256(content).hexdigest()
    if digest != adopted:
        raise ConflictError(f"planning {planning_id}: its plan is not the one that was adopted: plan it anew")
    return FlownPlan(record_id, row.name, digest, tuple(sorted(each.sysid for each in plan_in(content).fleet.vehicles)))


def _adopted(session: Session, principal: Principal, now_us: int, name: tuple[str, str]) -> tuple[str, str]:
    """Id of the record of an adopted plan, and the SHA-256 that it tells."""
    gone = ConflictError(f"planning {name[1]}: the records of its plan are gone: plan it anew, and adopt it")
    kept = find_kept(session, "plan", [name]).get(name)
    if kept is None:
        raise gone
    try:
        find_readable(session, principal, now_us, kept.id, type_="plan")
    except NotFoundError:
        raise gone from None
    return kept.id, content_of(kept)["sha256"]
