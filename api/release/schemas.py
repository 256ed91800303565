"""Partners, agreements, subscriptions and releases as they come in."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal, Self

from pydantic import Field, model_validator

from api.records.schemas import Sensitivity
from api.release.areas import Area, Bounded
from api.wire import Id, Kind, Label, Moment, Text, Wire

__all__ = [
    "AgreementTerms",
    "PartnerIn",
    "ReceiptIn",
    "RelayedReceiptIn",
    "ReleaseField",
    "ReleaseIn",
    "SharedType",
    "SubscriptionIn",
]

SharedType = Literal["crossing", "cue", "segment", "plan", "sortie", "vehicle", "sensor"]


class ReleaseField(StrEnum):
    """What an agreement may share beyond time, purpose, owner, marking and retention, which always go along."""

    KIND = "kind"
    DIRECTION = "direction"
    STATUS = "status"
    METHOD = "method"
    POSITION = "position"
    ELLIPSE = "ellipse"
    TRACK = "track"
    BORDER = "border"
    CONFIDENCE = "confidence"
    MODEL = "model"
    SOURCE = "source"
    CLIP = "clip"
    CAMERA = "camera"
    """Where the camera of a vehicle looks, and what it sees of the ground."""
    VIDEO = "video"
    """The link to its live picture."""
    LIVE = "live"
    """Where a vehicle is now (`api.live`), and not only its record."""


_TELLS_POSITION = {
    ReleaseField.ELLIPSE,
    ReleaseField.TRACK,
    ReleaseField.CLIP,
    ReleaseField.CAMERA,
    ReleaseField.VIDEO,
    ReleaseField.LIVE,
}


class AgreementTerms(Bounded, Wire):
    """What may be shared with one partner. An absent area is everywhere; every list allows what it names, no more.

    `delay_s` holds a record back until so many seconds after its time. `clip` shares files of evidence, whose telemetry
    tells the position; `media` says which: copies in which everybody is blurred, copies in which everybody is but those
    whom the evidence is about ("redacted"), or the files as they are.
    `camera` and `video` share what the camera of a vehicle sees while all of that lies in the area, `live` where a
    vehicle is now. Under an agreement with an area a vehicle's `video` goes along with its live state alone. Neither
    `live` nor `video` goes with `delay_s`.
    `subscriptions` allows the partner standing subscriptions, under which what is confirmed is released by itself.
    """

    partner_id: Id
    records: list[SharedType] = Field(default=["crossing"], min_length=1, max_length=7)
    kinds: list[Kind] = Field(min_length=1, max_length=10)
    purposes: list[Label] = Field(min_length=1, max_length=50)
    markings: list[Label] = Field(min_length=1, max_length=50)
    sensitivities: list[Sensitivity] = Field(default=["clear", "green", "amber"], min_length=1, max_length=4)
    fields: list[ReleaseField] = Field(max_length=len(ReleaseField))
    media: Literal["blurred", "redacted", "original"] = "blurred"
    area: Area | None = None
    delay_s: int = Field(default=0, ge=0, le=10 * 366 * 86400)
    valid_until: Moment | None = None
    subscriptions: bool = False

    @model_validator(mode="after")
    def _honest(self) -> Self:
        telling = sorted(_TELLS_POSITION & set(self.fields))
        if telling and ReleaseField.POSITION not in self.fields:
            raise ValueError(f"{', '.join(telling)} would tell the position, which is not among the fields")
        if ReleaseField.LIVE in self.fields and self.delay_s:
            raise ValueError("what is live cannot be held back: make an agreement without live, or without delay_s")
        return self


class PartnerIn(Wire):
    """A new partner."""

    name: Label


class ReleaseIn(Wire):
    """One record to one partner; without an agreement the partner's first that covers it is taken."""

    record_id: Id
    partner_id: Id
    agreement_id: Id | None = None
    reason: Text | None = None


class SubscriptionIn(Bounded, Wire):
    """A partner's standing wish under one agreement, no wider than it: what is absent is as the agreement has it."""

    agreement_id: Id
    records: list[SharedType] | None = Field(default=None, min_length=1, max_length=7)
    kinds: list[Kind] | None = Field(default=None, min_length=1, max_length=10)
    area: Area | None = None
    since: Moment | None = None
    until: Moment | None = None


class ReceiptIn(Wire):
    """A partner says that it has taken a recall to heart: what it was sent is erased at its end."""

    erased: Literal[True]
    note: Text | None = None


class RelayedReceiptIn(ReceiptIn):
    """The same word that came by another way than the partner's key: who gave it there, and how it reached us."""

    given_by: Label
    way: Text
