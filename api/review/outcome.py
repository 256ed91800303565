"""What verdicts come to, where one person decides and where two have to agree. Pure functions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["Outcome", "Said", "outcome_of"]

_STATE = {"confirm": "confirmed", "dismiss": "dismissed"}


@dataclass(frozen=True, slots=True)
class Said:
    """One verdict, "confirm" or "dismiss", and the id of the person who gave it."""

    person: str
    verdict: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """How the review of one revision stands.

    Parameters
    ----------
    state
        "pending", "confirmed" or "dismissed".
    waits
        True while one person has spoken and another one is waited for.
    disputed
        People contradicted each other, and no two have agreed since.
    """

    state: str
    waits: bool = False
    disputed: bool = False


def outcome_of(said: Iterable[Said], people: int) -> Outcome:
    """The outcome of the verdicts on one revision, oldest first.

    Parameters
    ----------
    said
        The verdicts.
    people
        How many have to agree on a confirmation: 1 or 2. With 1 the newest verdict counts.

    Notes
    -----
    With 2, a confirmation counts when two people have given it, whatever either said before. One person may dismiss: it
    is sharing that takes two. A person's newer verdict takes the place of the older one. Who contradicts another
    person's verdict opens a dispute: nothing said up to there counts any more, and it takes two people who agree to
    end it, either way. So nobody outvotes another alone, and whatever was confirmed falls with the first contradiction.
    """
    outcome, voices = Outcome("pending"), dict[str, str]()
    for each in said:
        if people == 1:
            voices, outcome = {each.person: each.verdict}, Outcome(_STATE[each.verdict])
            continue
        voices[each.person] = each.verdict
        if set(voices.values()) != {each.verdict}:
            voices, outcome = {}, Outcome("pending", disputed=True)
        elif len(voices) >= (people if each.verdict == "confirm" or outcome.disputed else 1):
            outcome = Outcome(_STATE[each.verdict])
        else:
            outcome = Outcome("pending", waits=True, disputed=outcome.disputed)
    return outcome
