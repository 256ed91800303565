"""Targets of webhooks as they come in."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints, field_validator

from api.feeds.kinds import KINDS
from api.wire import Wire

__all__ = ["RedeliveryIn", "WebhookIn"]

_Number = Annotated[int, Field(ge=0, le=2**63 - 1)]


class WebhookIn(Wire):
    """A new target: https, a public address. Without `after` it gets what happens from now on."""

    url: Annotated[str, StringConstraints(min_length=1, max_length=2000)]
    kinds: list[str] | None = Field(default=None, min_length=1, max_length=100)
    after: _Number | None = None

    @field_validator("kinds")
    @classmethod
    def _known(cls, kinds: list[str] | None) -> list[str] | None:
        for kind in kinds or ():
            if kind not in KINDS:
                raise ValueError(f"no event is of kind {kind[:60]!r}")
        return kinds


class RedeliveryIn(Wire):
    """From where to send again: all after that event; from where the target stands when absent."""

    after: _Number | None = None
