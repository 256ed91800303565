"""The first start: one secret, shown once, for the first administrator.

It is a key, so that a script or a test can set a service up without a browser; and it is the one-time secret of the
account `administrator`, so that a person can log in with it. The first login replaces it by a password and ends the key
as well: what has stood in a terminal does not stay good. Whoever uses the key alone revokes it when others exist.
"""

from __future__ import annotations

from api.errors import ConflictError
from api.identity.accounts import create_account
from api.identity.keys import IssuedKey, has_keys, issue_key
from api.identity.roles import SYSTEM, Call, Role
from api.identity.settings import IdentitySettings
from api.store.engine import Store

__all__ = ["FIRST_LOGIN", "create_admin"]

FIRST_LOGIN = "administrator"


def create_admin(store: Store, *, name: str = "first administrator") -> IssuedKey:
    """Make the first administrator of a new store: a key, and the account `administrator` that it opens once.

    Raises
    ------
    ConflictError
        When the store already has keys: an administrator makes all others.
    """
    now = store.clock()
    with store.write() as session:
        if has_keys(session):
            raise ConflictError(f"store {store.place} already has keys: ask an administrator for one")
        call = Call(SYSTEM, "first-start")
        issued = issue_key(session, call, now, name=name, role=Role.ADMINISTRATOR)
        settings = IdentitySettings()
        create_account(
            session, call, now, settings, login=FIRST_LOGIN, name=name, role=Role.ADMINISTRATOR, secret=issued.key
        )
        return issued
