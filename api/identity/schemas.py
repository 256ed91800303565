"""Keys, accounts and logins as they are asked for. Secrets are written nowhere by their own doing."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field, SecretStr

from api.identity.roles import Permission, Role
from api.wire import Id, Label, Moment, Sha256, Wire

__all__ = ["AccountChange", "AccountIn", "KeyIn", "LoginIn", "PasswordIn"]

Source = Annotated[str, Field(pattern=r"^([^*]+\*?|\*)$", max_length=200)]
"""A source, or the beginning of its name followed by `*`."""
Secret = Annotated[SecretStr, Field(min_length=1, max_length=1000)]


def _thumbprint(value: object) -> object:
    """Programs write a SHA-256 thumbprint with colons and in capitals."""
    return value.replace(":", "").lower() if isinstance(value, str) else value


class KeyIn(Wire):
    """A new key."""

    name: Label
    role: Role
    partner_id: Id | None = None
    expires: Moment | None = None
    scopes: list[Permission] | None = Field(default=None, max_length=len(Permission))
    certificate: Annotated[Sha256, BeforeValidator(_thumbprint)] | None = None
    account_id: Id | None = None
    sources: list[Source] | None = Field(default=None, min_length=1, max_length=100)


class AccountIn(Wire):
    """A new account."""

    login: Label
    name: Label
    role: Role
    partner_id: Id | None = None


class AccountChange(Wire):
    """What is to be different about an account."""

    name: Label | None = None
    role: Role | None = None
    disabled: bool | None = None


class LoginIn(Wire):
    """A login; with `new_password` where the password is a one-time secret."""

    login: Label
    password: Secret
    new_password: Secret | None = None


class PasswordIn(Wire):
    """A change of one's own password."""

    password: Secret
    new_password: Secret
