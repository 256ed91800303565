"""A person at the console, and the service behind it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import ConsoleMessage, Page, Request, expect

from api import Role
from api.server import RunningService
from tests.api.people import PASSWORD

ROLES = tuple(role.value for role in Role if role is not Role.SENSOR)
WEB = Path(__file__).parents[2] / "api" / "console" / "web"
AXE = WEB / "node_modules" / "axe-core" / "axe.min.js"
_WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


@dataclass
class Live:
    """A running service; each role has an account whose login is its name, and a key."""

    url: str
    service: RunningService
    directory: Path
    keys: dict[str, str]
    partner_id: str

    @classmethod
    def of(cls, service: RunningService, directory: Path) -> "Live":
        """Make partner, accounts and keys in a service that has none."""
        assert service.admin is not None
        head = {"Authorization": f"Bearer {service.admin.key}"}
        with httpx.Client(base_url=service.url, headers=head, timeout=60) as admin:

            def post(path: str, **body: Any) -> dict[str, Any]:
                answer = admin.post(path, json=body)
                assert answer.is_success, answer.text
                made: dict[str, Any] = answer.json()
                return made

            partner_id = post("/partners", name="Coast guard of the neighbour")["id"]
            keys = {"administrator": service.admin.key}
            for role in ROLES:
                bound = {"partner_id": partner_id} if role == "partner" else {}
                login = "chief" if role == "administrator" else role
                secret = post("/accounts", login=login, name=role.title(), role=role, **bound)["secret"]
                own = {"Origin": service.url}
                answer = httpx.post(
                    f"{service.url}/login",
                    json={"login": login, "password": secret, "new_password": PASSWORD},
                    headers=own,
                    timeout=60,
                )
                assert answer.is_success, answer.text
            for role in ("pilot", "sensor", "analyst", "supervisor", "partner", "auditor"):
                bound = {"partner_id": partner_id} if role == "partner" else {}
                sources = {"sources": ["*"]} if role in {"pilot", "sensor"} else {}
                keys[role] = post("/keys", name=f"key of the {role}", role=role, **bound, **sources)["key"]
        return cls(service.url, service, directory, keys, partner_id)

    def ask(self, role: str, method: str, path: str, **more: Any) -> httpx.Response:
        """Ask the service past the page, with the role's key; fails the test when that is refused."""
        headers = {"Authorization": f"Bearer {self.keys[role]}"} | more.pop("headers", {})
        answer = httpx.request(method, self.url + path, headers=headers, timeout=30, **more)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer


@dataclass
class Desk:
    """Somebody's page. It remembers what went wrong in it, and where its requests went."""

    page: Page
    live: Live
    pictures: Path
    faults: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    forgiven: list[str] = field(default_factory=list)
    """Parts of faults that the test brings about itself."""
    is_nobody: bool = False
    """Whether nobody is logged in now: the page asks who it is, and is told 401."""

    def __post_init__(self) -> None:
        self.page.on("console", self._on_console)
        self.page.on("pageerror", lambda error: self.faults.append(f"error: {error}"))
        self.page.on("request", self._on_request)

    def _on_console(self, message: ConsoleMessage) -> None:
        nobody = self.is_nobody and "status of 401" in message.text
        if nobody and message.location.get("url") == f"{self.live.url}/me":
            return
        if message.type == "error" or "Content Security Policy" in message.text:
            self.faults.append(f"console: {message.text} ({message.location.get('url', '')})")

    def _on_request(self, request: Request) -> None:
        self.requests.append(request.url)

    def open(self, place: str = "") -> None:
        """Go to a place of the page, `#/review`."""
        self.page.goto(f"/{place}")

    def log_in(self, role: str) -> None:
        """Log in through the form."""
        with self.as_nobody():
            self.open()
            self.page.get_by_label("Login").fill("chief" if role == "administrator" else role)
            self.page.get_by_label("Password", exact=True).fill(PASSWORD)
            self.page.get_by_role("button", name="Log in").click()
            expect(self.page.get_by_role("navigation", name="Views")).to_be_visible()

    @contextmanager
    def as_nobody(self) -> Iterator[None]:
        """While nobody is logged in: that the page is told so is no fault."""
        self.is_nobody = True
        yield
        self.is_nobody = False

    def prefer(self, label: str, choice: str) -> None:
        """Choose in the preferences: `prefer("Theme", "night")`."""
        opened = self.page.get_by_role("combobox", name=label)
        if not opened.is_visible():
            self.page.get_by_text("Preferences", exact=True).first.click()
        opened.select_option(choice)
        self.page.keyboard.press("Escape")

    def picture(self, name: str) -> Path:
        """Keep a screenshot."""
        path = self.pictures / f"{name}.png"
        self.page.screenshot(path=path)
        return path

    def axe(self) -> list[str]:
        """What axe-core finds against WCAG 2.2 A and AA, a line each."""
        self.page.evaluate(AXE.read_text(encoding="utf-8"))
        found = self.page.evaluate("tags => axe.run(document, {runOnly: {type: 'tag', values: tags}})", _WCAG)
        return [
            f"{one['id']}: {node['target']} {node['failureSummary']}"
            for one in found["violations"]
            for node in one["nodes"]
        ]

    def axe_in_every_theme(self) -> list[str]:
        """The same in each theme, the preferences being out of reach: under an open dialog."""
        found = []
        for theme in ("light", "dark", "night"):
            self.page.evaluate("theme => { document.documentElement.dataset.theme = theme }", theme)
            found += [f"{theme}: {one}" for one in self.axe()]
        return found

    def check(self) -> None:
        """Nothing went wrong but what the test forgives, and no request left the host."""
        faults = [fault for fault in self.faults if not any(part in fault for part in self.forgiven)]
        assert not faults, "\n".join(faults)
        own = (self.live.url, "blob:" + self.live.url, "data:")
        assert [url for url in self.requests if not url.startswith(own)] == []
