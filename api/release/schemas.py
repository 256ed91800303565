"""Partners, agreements and releases as they come in."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Self

from pydantic import AwareDatetime, Field, model_validator

from api.wire import Id, Kind, Label, MultiPolygon, Polygon, Text, Wire

__all__ = ["AgreementTerms", "PartnerIn", "ReleaseField", "ReleaseIn"]


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


_TELLS_POSITION = {ReleaseField.ELLIPSE, ReleaseField.TRACK, ReleaseField.CLIP}


class AgreementTerms(Wire):
    """What may be shared with one partner. An absent area is everywhere; every list allows what it names, no more.

    `delay_s` holds a crossing back until so many seconds after its time. `clip` shares all files of evidence, whose
    telemetry tells the position.
    """

    partner_id: Id
    kinds: list[Kind] = Field(min_length=1, max_length=10)
    purposes: list[Label] = Field(min_length=1, max_length=50)
    markings: list[Label] = Field(min_length=1, max_length=50)
    fields: list[ReleaseField] = Field(max_length=len(ReleaseField))
    area: Annotated[Polygon | MultiPolygon, Field(discriminator="type")] | None = None
    delay_s: int = Field(default=0, ge=0, le=10 * 366 * 86400)
    valid_until: AwareDatetime | None = None

    @model_validator(mode="after")
    def _honest(self) -> Self:
        telling = sorted(_TELLS_POSITION & set(self.fields))
        if telling and ReleaseField.POSITION not in self.fields:
            raise ValueError(f"{', '.join(telling)} would tell the position, which is not among the fields")
        return self


class PartnerIn(Wire):
    """A new partner."""

    name: Label


class ReleaseIn(Wire):
    """One crossing to one partner; without an agreement the partner's first that covers it is taken."""

    crossing_id: Id
    partner_id: Id
    agreement_id: Id | None = None
    reason: Text | None = None
