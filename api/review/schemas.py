"""What comes in: verdicts, the rules of review, claims, merges, notes, cases."""

from __future__ import annotations

from typing import Annotated, Literal, Self, get_args

from pydantic import Field, StringConstraints, model_validator

from api.loading import HIDING
from api.wire import Id, Kind, Label, Status, Text, Wire

__all__ = [
    "CATEGORIES",
    "SEVERITIES",
    "AnnotationIn",
    "AttachIn",
    "CaseIn",
    "CasePatch",
    "Category",
    "MergeIn",
    "PolicyIn",
    "ReasonIn",
    "ReviewIn",
    "SeenIn",
    "Selector",
    "Severity",
    "SeverityRule",
    "TwoPeopleRule",
]

Severity = Literal["alert", "detection"]
SEVERITIES: tuple[Severity, ...] = get_args(Severity)
"""The gravest first."""
Category = Literal["animal", "vegetation", "camera-artefact", "authorised-person", "duplicate", "other"]
CATEGORIES: tuple[Category, ...] = get_args(Category)
Note = Annotated[
    str,
    StringConstraints(
        min_length=1, max_length=4000, pattern=rf"^[^\x01-\x09\x0b-\x1f\x7f{HIDING}]*$", strip_whitespace=True
    ),
]
_Ids = Annotated[list[Id], Field(min_length=1, max_length=50)]


class ReviewIn(Wire):
    """A person's verdict; a dismissal says why: what it shows instead, or in words, or both."""

    verdict: Literal["confirm", "dismiss"]
    reason: Text | None = None
    category: Category | None = None

    @model_validator(mode="after")
    def _reasoned(self) -> Self:
        if self.verdict == "dismiss" and self.reason is None and self.category in {None, "other"}:
            raise ValueError("a dismissal needs a reason")
        if self.verdict == "confirm" and self.category is not None:
            raise ValueError("a category says why something is dismissed: leave it out")
        return self


class Selector(Wire):
    """Which crossings a rule is for: all that every given member allows; what is not given allows any."""

    kinds: list[Kind] | None = None
    directions: list[Literal["inbound", "outbound"]] | None = None
    statuses: list[Status] | None = None
    purposes: list[Label] | None = None
    markings: list[Label] | None = None
    min_confidence: float | None = Field(default=None, ge=0, le=1)


class SeverityRule(Selector):
    """What the crossings it is for are worth. The first rule that is for a crossing counts."""

    severity: Severity


class TwoPeopleRule(Selector):
    """The crossings it is for are confirmed by two people, or not at all."""

    severities: list[Severity] | None = None


_ALERTS = SeverityRule(severity="alert", statuses=["confirmed"], directions=["inbound"])


class PolicyIn(Wire):
    """The rules of review.

    A crossing that no rule of `severity` is for is a detection. One that any rule of `two_people` is for needs two;
    then a key without an account is nobody, unless `keys_are_people`: the same person may hold several.
    """

    severity: list[SeverityRule] = Field(default=[_ALERTS], max_length=50)
    two_people: list[TwoPeopleRule] = Field(default=[], max_length=50)
    keys_are_people: bool = False
    claim_s: int = Field(default=900, ge=30, le=86_400)


class ReasonIn(Wire):
    """Why."""

    reason: Text


class SeenIn(Wire):
    """Crossings that the caller has looked at, or wants to look at again."""

    ids: Annotated[list[Id], Field(min_length=1, max_length=1000)]
    seen: bool = True


class MergeIn(Wire):
    """One event that was told twice: this one goes `into` another, or `others` go into this one."""

    into: Id | None = None
    others: _Ids | None = None
    reason: Text

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.into is None) == (self.others is None):
            raise ValueError("give into, or others, and not both")
        return self


class AnnotationIn(Wire):
    """A note."""

    text: Note


class AttachIn(Wire):
    """A record that goes into a case, or out of it, and why."""

    record_id: Id
    reason: Text


class CaseIn(Wire):
    """A new case; whoever opens it owns it."""

    title: Label
    note: Note | None = None
    attach: list[AttachIn] = Field(default=[], max_length=100)


class CasePatch(Wire):
    """What changes in a case: all of it, or nothing.

    `take` makes the caller the owner. `hold` is a supervisor's, and says why in `reason`; so does `state`.
    """

    title: Label | None = None
    state: Literal["open", "closed"] | None = None
    hold: bool | None = None
    take: bool = False
    reason: Text | None = None
    note: Note | None = None
    attach: list[AttachIn] = Field(default=[], max_length=100)
    detach: list[AttachIn] = Field(default=[], max_length=100)

    @model_validator(mode="after")
    def _reasoned(self) -> Self:
        if (self.state is not None or self.hold is not None) and self.reason is None:
            raise ValueError("closing, opening again and holding need a reason")
        return self
