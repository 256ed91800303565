"""The tables of the feeds: targets of webhooks, what was delivered to them, who sends."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from api.store.tables import Base

__all__ = ["DeliveryRow", "LeaseRow", "WebhookRow"]


class WebhookRow(Base):
    """A target that the events of one audience are sent to, in order: a cursor in the audience's log."""

    __tablename__ = "webhook"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    audience: Mapped[str] = mapped_column(index=True)
    key_id: Mapped[str]
    """The key that it speaks for: it is sent nothing when that key does not stand."""
    role: Mapped[str]
    url: Mapped[str]
    kinds: Mapped[str | None]
    """Canonical JSON list of the kinds that are sent; NULL for all."""
    secret: Mapped[str]
    """What calls are signed with; shown once, in no answer, event, audit entry or log line after."""
    old_secrets: Mapped[str]
    """Canonical JSON list of those before, the newest first, each [secret, until when in microseconds]. Calls are
    signed with each until its time is over, and with the next call it is forgotten."""
    created_us: Mapped[int]
    after_n: Mapped[int]
    """The last event that it took."""
    failures: Mapped[int]
    """Attempts that failed since the last that did not."""
    failing_us: Mapped[int | None]
    """When the first of them was."""
    next_us: Mapped[int]
    """Nothing is sent before."""
    reoffer_us: Mapped[int]
    """When recalls without a receipt are offered again."""
    disabled_us: Mapped[int | None]
    disabled_reason: Mapped[str | None]

    def __repr__(self) -> str:
        return f"WebhookRow(id={self.id!r})"


class DeliveryRow(Base):
    """One attempt to hand one event to one target. Of the answer nothing is kept but its status."""

    __tablename__ = "webhook_delivery"
    __table_args__ = (Index("ix_webhook_delivery_time", "webhook_id", "time_us", "id"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    webhook_id: Mapped[str] = mapped_column(ForeignKey("webhook.id"))
    n: Mapped[int]
    kind: Mapped[str]
    attempt: Mapped[int]
    time_us: Mapped[int]
    duration_us: Mapped[int]
    status: Mapped[int | None]
    """Of HTTP; NULL where there was no answer."""
    outcome: Mapped[str]
    """"taken", "refused" (a status), or what kept it from an answer: "address", "connect", "timeout", "broken"."""


class LeaseRow(Base):
    """Who does a job that one process does for all; the others wait until the lease runs out."""

    __tablename__ = "lease"

    name: Mapped[str] = mapped_column(primary_key=True)
    owner: Mapped[str]
    until_us: Mapped[int]
