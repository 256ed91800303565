"""A verdict as it comes in."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import model_validator

from api.wire import Text, Wire

__all__ = ["ReviewIn"]


class ReviewIn(Wire):
    """A person's verdict; a dismissal says why."""

    verdict: Literal["confirm", "dismiss"]
    reason: Text | None = None

    @model_validator(mode="after")
    def _reasoned(self) -> Self:
        if self.verdict == "dismiss" and self.reason is None:
            raise ValueError("a dismissal needs a reason")
        return self
