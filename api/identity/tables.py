"""Tables of who may come in. Secrets are kept as hashes alone."""

from __future__ import annotations

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from api.store.tables import Base

__all__ = ["AccountRow", "KeyTermsRow", "ProviderLoginRow", "SessionRow"]


class AccountRow(Base):
    """A person who logs in."""

    __tablename__ = "account"
    __table_args__ = (UniqueConstraint("issuer", "subject"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    login: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    role: Mapped[str]
    partner_id: Mapped[str | None] = mapped_column(ForeignKey("partner.id"))
    password: Mapped[str | None]
    """argon2id, as a PHC string; NULL until the one-time secret was replaced, and for accounts of a provider."""
    once_digest: Mapped[str | None] = mapped_column(String(64))
    """SHA-256 of the one-time secret, which is right for 256 random bits."""
    once_expires_us: Mapped[int | None]
    issuer: Mapped[str | None]
    subject: Mapped[str | None]
    """Who it is at the provider `issuer`: the two together, never an e-mail address or a name."""
    created_us: Mapped[int]
    disabled_us: Mapped[int | None]


class SessionRow(Base):
    """A login of an account on a device."""

    __tablename__ = "account_session"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("account.id"), index=True)
    device: Mapped[str] = mapped_column(String(64))
    """SHA-256 of the device's own cookie: guesses from elsewhere do not lock out where somebody has logged in."""
    created_us: Mapped[int]
    used_us: Mapped[int]
    ended_us: Mapped[int | None]
    address: Mapped[str | None]
    agent: Mapped[str | None]


class ProviderLoginRow(Base):
    """A login that was sent to the provider and has not come back. The row says that it may, once."""

    __tablename__ = "provider_login"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    """SHA-256 of the browser's secret, from which state, nonce and verifier are derived."""
    created_us: Mapped[int] = mapped_column(index=True)


class KeyTermsRow(Base):
    """What narrows an API key, and when it was last used; a key without a row is narrowed by nothing."""

    __tablename__ = "api_key_terms"

    key_id: Mapped[str] = mapped_column(ForeignKey("api_key.id"), primary_key=True)
    scopes: Mapped[str | None]
    """Permissions, separated by spaces; NULL is all that the role grants."""
    certificate: Mapped[str | None] = mapped_column(String(64))
    """SHA-256 of the DER certificate that the connection must have proved (RFC 8705, 3.1), in hex."""
    account_id: Mapped[str | None] = mapped_column(ForeignKey("account.id"), index=True)
    used_us: Mapped[int | None]
    sources: Mapped[str | None]
    """Sources that a pilot's or sensor's key may deliver for, as a JSON list; NULL is its own name alone."""
