"""Keys and accounts, logging in and out, and who one is."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, Query, Request
from sqlalchemy.orm import Session
from starlette.responses import RedirectResponse, Response

from api.described import NOTHING
from api.errors import AuthenticationError, NotFoundError
from api.http import Caller, Given, Route, Stored, answer, answer_page, read, write
from api.identity import accounts, answers, keys, sessions
from api.identity.cookies import check_origin
from api.identity.doorman import Doorman
from api.identity.logins import LOGIN_S, Device, Logins
from api.identity.oidc import ProviderAnswer
from api.identity.roles import Call, Permission
from api.identity.schemas import AccountChange, AccountIn, KeyIn, LoginIn, PasswordIn
from api.identity.sessions import IssuedSession, csrf_token
from api.pages import Asked
from api.times import iso, microseconds

__all__ = ["ROUTES"]

_DEVICE_S = 90 * 86_400


async def _doorman(request: Request) -> Doorman:
    doorman: Doorman = request.app.state.doorman
    return doorman


async def _logins(request: Request) -> Logins:
    logins: Logins = request.app.state.logins
    return logins


async def _device(request: Request) -> Device:
    doorman: Doorman = request.app.state.doorman
    cookies = doorman.cookies
    return Device(
        doorman.address(request.scope),
        cookies.read(request.headers, cookies.device),
        request.headers.get("user-agent"),
        cookies.read(request.headers, cookies.session),
    )


Door = Annotated[Doorman, Depends(_doorman)]
Entry = Annotated[Logins, Depends(_logins)]
From = Annotated[Device, Depends(_device)]
Short = Annotated[str, Query(max_length=2000)]


async def _returned(state: Short = "", code: Short = "", iss: Short | None = None) -> ProviderAnswer:
    return ProviderAnswer(state, code, iss)


Returned = Annotated[ProviderAnswer, Depends(_returned)]


# -- keys --------------------------------------------------------------------------------------------------------------


def post_key(key: KeyIn, call: Caller, store: Stored) -> Response:
    """Issue a key; its secret is in this answer and nowhere else."""
    issued = write(
        store,
        call,
        lambda session, now: keys.issue_key(
            session,
            call,
            now,
            name=key.name,
            role=key.role,
            partner_id=key.partner_id,
            expires_us=None if key.expires is None else microseconds(key.expires),
            scopes=key.scopes,
            certificate=key.certificate,
            account_id=key.account_id,
            sources=key.sources,
        ),
    )
    return answer({"id": issued.id, "key": issued.key}, 201)


def get_keys(request: Request, call: Caller, store: Stored, asked: Asked) -> Response:
    """Keys without their secrets, oldest first, revoked ones too."""
    page = read(store, call, "key.list", lambda session, _now: (keys.list_keys(session, asked), []))
    return answer_page(request, page)


def delete_key(key_id: str, call: Caller, store: Stored) -> Response:
    """Revoke a key."""
    write(store, call, lambda session, now: keys.revoke_key(session, call, now, key_id))
    return Response(status_code=204)


# -- accounts ----------------------------------------------------------------------------------------------------------


def post_account(account: AccountIn, call: Caller, store: Stored, logins: Entry) -> Response:
    """Make an account; its one-time secret is in this answer and nowhere else."""
    issued = write(
        store,
        call,
        lambda session, now: accounts.create_account(
            session,
            call,
            now,
            logins.settings,
            login=account.login,
            name=account.name,
            role=account.role,
            partner_id=account.partner_id,
        ),
    )
    return answer(_secret(issued), 201)


def get_accounts(request: Request, call: Caller, store: Stored, asked: Asked) -> Response:
    """Accounts without secrets, oldest first, disabled ones too."""
    page = read(store, call, "account.list", lambda session, _now: (accounts.list_accounts(session, asked), []))
    return answer_page(request, page)


def patch_account(account_id: str, change: AccountChange, call: Caller, store: Stored) -> Response:
    """Change name or role, disable or enable. Another role, or being disabled, ends the account's sessions."""
    return answer(
        write(
            store,
            call,
            lambda session, now: accounts.change_account(
                session, call, now, account_id, name=change.name, role=change.role, disabled=change.disabled
            ),
        )
    )


def post_account_secret(account_id: str, call: Caller, store: Stored, logins: Entry) -> Response:
    """Give somebody who forgot the password a new one-time secret; the password and the sessions end."""
    issued = write(
        store, call, lambda session, now: accounts.renew_secret(session, call, now, logins.settings, account_id)
    )
    return answer(_secret(issued), 201)


def delete_account_sessions(account_id: str, call: Caller, store: Stored) -> Response:
    """End every session of an account."""

    def work(session: Session, now: int) -> None:
        accounts.get_account(session, account_id)
        sessions.end_sessions(session, call, now, account_id)

    write(store, call, work)
    return Response(status_code=204)


def _secret(issued: accounts.IssuedSecret) -> dict[str, Any]:
    expires = None if issued.expires_us is None else iso(issued.expires_us)
    return {"id": issued.id, "login": issued.login, "secret": issued.secret, "expires": expires}


# -- logging in and out ------------------------------------------------------------------------------------------------


def post_login(login: LoginIn, request: Request, logins: Entry, door: Door, device: From) -> Response:
    """Log in with a password, or replace a one-time secret by one.

    The session is in the cookie that the answer sets, the token of its unsafe requests is `csrf` here.
    """
    # A page of another site could log its victim in to an account of its own.
    check_origin(request.headers, door.origin(request.headers), needed=False)
    issued, _ = logins.log_in(
        request.scope["state"]["request"],
        login.login,
        login.password.get_secret_value(),
        None if login.new_password is None else login.new_password.get_secret_value(),
        device,
    )
    return _opened(door, issued)


def post_logout(call: Caller, store: Stored, door: Door, logins: Entry) -> Response:
    """End this session."""
    session_id = _session_of(call)
    write(
        store,
        call,
        lambda session, now: sessions.end_session(
            session, call, now, session_id, account_id=call.principal.person, settings=logins.settings
        ),
    )
    response = Response(status_code=204)
    door.cookies.drop(response, door.cookies.session)
    response.headers["Clear-Site-Data"] = '"cache", "storage"'
    return response


def put_password(change: PasswordIn, call: Caller, door: Door, logins: Entry, device: From) -> Response:
    """Change one's own password: every other session of the account ends, and this one goes on under a new cookie."""
    _session_of(call)
    issued = logins.change_password(
        call, change.password.get_secret_value(), change.new_password.get_secret_value(), device
    )
    return _opened(door, issued)


def get_sessions(request: Request, call: Caller, store: Stored, logins: Entry, asked: Asked) -> Response:
    """One's own sessions, newest first."""
    current = _session_of(call)

    def work(session: Session, now: int) -> tuple[Any, list[str]]:
        found = sessions.list_sessions(session, call.principal.person, now, logins.settings, asked, current=current)
        return found, []

    return answer_page(request, read(store, call, "session.list", work))


def delete_session(session_id: str, call: Caller, store: Stored, logins: Entry) -> Response:
    """End one of one's own sessions."""
    _session_of(call)
    write(
        store,
        call,
        lambda session, now: sessions.end_session(
            session, call, now, session_id, account_id=call.principal.person, settings=logins.settings
        ),
    )
    return Response(status_code=204)


def delete_sessions(call: Caller, store: Stored) -> Response:
    """End all of one's own sessions but this one."""
    current = _session_of(call)
    write(
        store,
        call,
        lambda session, now: sessions.end_sessions(session, call, now, call.principal.person, but=current),
    )
    return Response(status_code=204)


def get_oidc_login(door: Door, logins: Entry) -> Response:
    """Go to the identity provider."""
    secret, url = logins.begin_at_provider()
    response = RedirectResponse(url, 303)
    door.cookies.put(response, door.cookies.login, secret, max_age_s=LOGIN_S)
    return response


def get_oidc_callback(request: Request, door: Door, logins: Entry, device: From, given: Returned) -> Response:
    """Come back from the identity provider, and be logged in."""
    secret = door.cookies.read(request.headers, door.cookies.login)
    if secret is None or not given.code:
        raise AuthenticationError("this login was not begun here, or the provider refused: begin at /oidc/login")
    issued, _ = logins.finish_at_provider(request.scope["state"]["request"], secret, given, device)
    response = RedirectResponse("/", 303)
    _put(door, response, issued)
    door.cookies.drop(response, door.cookies.login)
    return response


def get_me(request: Request, call: Caller, store: Stored, door: Door, given: Given) -> Response:
    """Who one is; for a session, the token that its unsafe requests carry in `X-Vedette-Csrf`.

    `idle_s` is for how many seconds a session lasts that is not used, `has_password` whether it is of an account that
    logs in with a password here, and not at a provider.
    """
    who = call.principal
    secret = None if who.session_id is None else door.cookies.read(request.headers, door.cookies.session)
    body = {
        "key_id": who.key_id,
        "name": who.name,
        "role": who.role,
        "partner_id": who.partner_id,
        "account_id": who.account_id,
        "scopes": None if who.scopes is None else sorted(who.scopes),
        "permissions": sorted(each for each in Permission if who.may(each)),
        "csrf": None if secret is None else csrf_token(secret),
        "idle_s": None if who.session_id is None else given.identity.idle_s,
    }

    def work(session: Session, _now: int) -> tuple[Any, list[str]]:
        has = who.session_id is not None and accounts.has_password(session, who.person)
        return body | {"has_password": has}, []

    return answer(read(store, call, "self.read", work))


def _session_of(call: Call) -> str:
    if call.principal.session_id is None:
        raise NotFoundError("a key has no session: log in")
    return call.principal.session_id


def _opened(door: Doorman, issued: IssuedSession) -> Response:
    body = {"session_id": issued.id, "csrf": csrf_token(issued.secret), "expires": iso(issued.expires_us)}
    response = answer(body)
    _put(door, response, issued)
    return response


def _put(door: Doorman, response: Response, issued: IssuedSession) -> None:
    door.cookies.put(response, door.cookies.session, issued.secret)
    door.cookies.put(response, door.cookies.device, issued.device, max_age_s=_DEVICE_S)


ROUTES: tuple[Route, ...] = (
    Route("POST", "/login", post_login, None, answers=answers.LOGGED_IN),
    Route("GET", "/oidc/login", get_oidc_login, None, answers=answers.AT_PROVIDER),
    Route("GET", "/oidc/callback", get_oidc_callback, None, answers=answers.BACK),
    Route("GET", "/me", get_me, Permission.SELF, answers=answers.ME),
    Route("POST", "/logout", post_logout, Permission.SELF, answers=NOTHING),
    Route("PUT", "/password", put_password, Permission.SELF, answers=answers.LOGGED_IN),
    Route("GET", "/sessions", get_sessions, Permission.SELF, answers=answers.SESSIONS),
    Route("DELETE", "/sessions", delete_sessions, Permission.SELF, answers=NOTHING),
    Route("DELETE", "/sessions/{session_id}", delete_session, Permission.SELF, answers=NOTHING),
    Route("POST", "/keys", post_key, Permission.KEY_WRITE, answers=answers.KEY),
    Route("GET", "/keys", get_keys, Permission.KEY_WRITE, answers=answers.KEYS),
    Route("DELETE", "/keys/{key_id}", delete_key, Permission.KEY_WRITE, answers=NOTHING),
    Route("POST", "/accounts", post_account, Permission.ACCOUNT_WRITE, answers=answers.SECRET),
    Route("GET", "/accounts", get_accounts, Permission.ACCOUNT_WRITE, answers=answers.ACCOUNTS),
    Route("PATCH", "/accounts/{account_id}", patch_account, Permission.ACCOUNT_WRITE, answers=answers.ACCOUNT),
    Route(
        "POST",
        "/accounts/{account_id}/secret",
        post_account_secret,
        Permission.ACCOUNT_WRITE,
        answers=answers.SECRET,
    ),
    Route(
        "DELETE", "/accounts/{account_id}/sessions", delete_account_sessions, Permission.ACCOUNT_WRITE, answers=NOTHING
    ),
)
