"""Rules of retention, holds and erasures as they come in."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from api.wire import Id, Text, Wire

__all__ = ["ErasureIn", "HoldIn", "LiftIn", "RetentionIn"]


class RetentionIn(Wire):
    """How many days records of a purpose are kept at most."""

    days: Annotated[int, Field(ge=1, le=3660)]


class HoldIn(Wire):
    """A legal hold on a record."""

    record_id: Id
    reason: Text


class LiftIn(Wire):
    """Why a hold ends."""

    reason: Text


class ErasureIn(Wire):
    """A record to be erased. The reason stays on record when the content is gone: name the law and the case, nobody."""

    record_id: Id
    reason: Text
