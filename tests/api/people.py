"""People at browsers."""

from dataclasses import dataclass
from typing import Any

import httpx

from api.store.tables import Base

PASSWORD = "seven quiet herons wade"
ORIGIN = "http://vedette.test"


@dataclass
class Browser:
    """Keeps cookies, says where its requests come from, and sends the session's token as the page does."""

    http: httpx.Client
    csrf: str | None = None
    origin: str = ORIGIN

    @classmethod
    def at(cls, service: Any, origin: str = ORIGIN) -> "Browser":
        return cls(httpx.Client(transport=service.http._transport, base_url=origin), origin=origin)

    @property
    def cookie(self) -> str | None:
        return self.http.cookies.get("__Host-vedette" if self.origin.startswith("https:") else "vedette")

    def ask(self, method: str, path: str, *, headers: dict[str, str] | None = None, **more: Any) -> httpx.Response:
        usual = (
            {}
            if method == "GET"
            else {"Origin": self.origin} | ({} if self.csrf is None else {"X-Vedette-Csrf": self.csrf})
        )
        return self.http.request(method, path, headers=usual | (headers or {}), **more)

    def login(self, login: str, password: str = PASSWORD, new: str | None = None) -> httpx.Response:
        body = {"login": login, "password": password} | ({} if new is None else {"new_password": new})
        answer = self.ask("POST", "/login", json=body)
        if answer.status_code == 200:
            self.csrf = answer.json()["csrf"]
        return answer


def make_account(service: Any, login: str, role: str = "analyst", **more: Any) -> tuple[str, str]:
    """Its id and its one-time secret."""
    body = {"login": login, "name": login.title(), "role": role, **more}
    answer = service.ask("administrator", "POST", "/accounts", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()["id"], answer.json()["secret"]


def settled(service: Any, login: str, role: str = "analyst", **more: Any) -> Browser:
    """A browser whose person has replaced the one-time secret by `PASSWORD`."""
    browser = Browser.at(service)
    answer = browser.login(login, make_account(service, login, role, **more)[1], PASSWORD)
    assert answer.status_code == 200, answer.text
    return browser


def person_at(live: Any, login: str, role: str = "analyst", **key: Any) -> str:
    """At a service on a real socket: a key named `login` that belongs to a person; their account.

    The one-time secret is replaced as the person would do it, and no cookie is left in the client.
    """
    account: str
    account, secret = make_account(live, login, role)
    body = {"login": login, "password": secret, "new_password": PASSWORD}
    answer = live.http.post("/login", json=body, headers={"Origin": live.url})
    assert answer.status_code == 200, answer.text
    live.http.cookies.clear()
    live.key(login, role, account_id=account, **key)
    return account


def everything(store: Any) -> str:
    """All that the database holds, as text."""
    with store.read() as session:
        rows = [tuple(row) for table in Base.metadata.tables.values() for row in session.execute(table.select())]
    return repr(rows)
