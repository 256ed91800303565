"""What the routes of keys, accounts and sessions answer."""

from __future__ import annotations

from api.described import COUNT, FLAG, ID, TEXT, TIME, answered, answered_page, closed, list_of, one_of, or_null
from api.identity.roles import Role

__all__ = [
    "ACCOUNT",
    "ACCOUNTS",
    "AT_PROVIDER",
    "BACK",
    "KEY",
    "KEYS",
    "LOGGED_IN",
    "ME",
    "SECRET",
    "SESSIONS",
]

_ACCOUNT = closed(
    id=ID,
    login=TEXT,
    name=TEXT,
    role=TEXT,
    partner_id=or_null(ID),
    issuer=or_null(TEXT),
    created=TIME,
    disabled=or_null(TIME),
    password_set=FLAG,
)
_KEY = closed(
    id=ID,
    name=TEXT,
    role=TEXT,
    partner_id=or_null(ID),
    created=TIME,
    expires=or_null(TIME),
    revoked=or_null(TIME),
    scopes=or_null(list_of(TEXT)),
    certificate=or_null(TEXT),
    account_id=or_null(ID),
    sources=or_null(list_of(TEXT)),
    used=or_null(TIME),
)
_SESSION = closed(
    id=ID, created=TIME, used=TIME, expires=TIME, address=or_null(TEXT), agent=or_null(TEXT), current=FLAG
)

ACCOUNT = answered(_ACCOUNT)
ACCOUNTS = answered_page(_ACCOUNT)
AT_PROVIDER = answered(None, 303, Location="The identity provider.")
BACK = answered(None, 303, Location="The page.")
KEY = answered(closed(id=ID, key=TEXT), 201)
SECRET = answered(closed(id=ID, login=TEXT, secret=TEXT, expires=or_null(TIME)), 201)
KEYS = answered_page(_KEY)
LOGGED_IN = answered(closed(session_id=ID, csrf=TEXT, expires=TIME))
ME = answered(
    closed(
        key_id=TEXT,
        name=TEXT,
        role=one_of(*map(str, Role)),
        partner_id=or_null(ID),
        account_id=or_null(ID),
        scopes=or_null(list_of(TEXT)),
        permissions=list_of(TEXT),
        csrf=or_null(TEXT),
        idle_s=or_null(COUNT),
        has_password=FLAG,
    )
)
SESSIONS = answered_page(_SESSION)
